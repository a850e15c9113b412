"""Groups of which exactly one is true: what they hold, where they are found, and the same in SQL and the entrance."""

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_tables import made
from pydantic import ValidationError

from synthkit.schema import ExactlyOne, Schema
from synthkit.schema.infer.draft import draft, examine, infer_schema
from synthkit.schema.infer.one_hot_groups import exactly_one, find_one_hot_groups
from synthkit.schema.joint_columns import joint_combinations
from synthkit.schema.rules_sql import checks
from synthkit.schema.sdv_metadata import from_sdv, to_sdv
from synthkit.schema.validation import validate

NAMES = ["home_own", "home_rent", "home_free"]
FLAG = {"kind": "boolean", "levels": [0, 1]}
RULE = {"rule": "exactly_one", "columns": NAMES}
CELL = st.sampled_from([0, 1, None])
ROWS = st.lists(st.tuples(CELL, CELL, CELL), min_size=1, max_size=30)


def schema(flag=FLAG, names=NAMES):
    return Schema(columns={name: flag for name in names}, rules=[{"rule": "exactly_one", "columns": names}])


def frame(rows, dtype=object):
    return pd.DataFrame({name: pd.Series([row[k] for row in rows], dtype=dtype) for k, name in enumerate(NAMES)})


def by_hand(row):
    return set(row) == {None} or (None not in row and sum(row) == 1)


@pytest.mark.parametrize("dtype", [object, float, "Int64", "boolean"])
@given(rows=ROWS)
def test_it_holds_where_one_is_true_or_none_is_there(rows, dtype):
    assert ExactlyOne(of=tuple(NAMES)).holds(frame(rows, dtype)).tolist() == [by_hand(row) for row in rows]


def test_it_is_written_and_read():
    text = schema().dumps()
    assert "  - {rule: exactly_one, columns: [home_own, home_rent, home_free]}" in text
    assert Schema.loads(text) == schema()
    assert schema().rules[0].sentence == "exactly one of home_own, home_rent, home_free"


@pytest.mark.parametrize(
    ("flag", "what"),
    [
        ({"kind": "boolean", "levels": ["no", "yes"]}, "has other levels than 0 and 1"),
        ({"kind": "categorical", "levels": [0, 1]}, "is categorical"),
        ({"kind": "numeric"}, "is numeric"),
        ({"kind": "identifier"}, "is identifier"),
    ],
)
def test_other_columns_are_refused_by_name(flag, what):
    with pytest.raises(ValidationError, match=f"levels 0 and 1; however: `home_own` {what}"):
        schema(flag)


def test_what_it_admits_is_listed_in_the_levels_of_the_columns():
    assert joint_combinations(schema())[0].combinations == ((1, 0, 0), (0, 1, 0), (0, 0, 1))
    truth = {"kind": "boolean", "nullable": True}
    assert joint_combinations(schema(truth, ["a", "b"]))[0].combinations == ((True, False), (False, True), (None, None))
    turned = {"kind": "boolean", "levels": [1, 0]}
    assert joint_combinations(schema(turned, ["a", "b"]))[0].combinations == ((1, 0), (0, 1))


@settings(max_examples=40)
@given(rows=ROWS)
def test_the_entrance_and_sql_count_the_same(rows, tmp_path_factory):
    file = tmp_path_factory.mktemp("sql") / "t.parquet"
    meaning = schema(FLAG | {"nullable": True})
    table = frame(rows, "Int64")
    pq.write_table(pa.Table.from_pandas(table, preserve_index=False), file)
    expected = sum(not by_hand(row) for row in rows)
    (check,) = (c for c in checks(meaning, str(file)) if c.rule.startswith("exactly one"))
    assert duckdb.sql(check.sql).fetchall() == [(expected,)]
    assert sum(v.count for v in validate(table, meaning).violations) == expected


def test_sdv_cannot_say_it_and_it_is_left_out():
    assert from_sdv(to_sdv(schema())).rules == ()


def test_groups_are_drafted_as_rules_and_asked_for():
    for name, group in (("credit", NAMES), ("insurance", ["hlthe", "hlthg", "hlthf", "hlthp"])):
        found = examine(made(name))
        assert [r.of for r in found.schema.rules if isinstance(r, ExactlyOne)] == [tuple(group)]
        assert [q.column for q in found.questions if q.about == "one-hot"] == [group[0]]
        assert f"{{rule: exactly_one, columns: [{', '.join(group)}], observed: true}}" in draft(made(name))


@settings(max_examples=40)
@given(st.integers(2, 9), st.integers(0, 99), st.booleans(), st.booleans())
def test_any_answer_written_as_columns_is_found_whatever_the_rows(k, seed, missing, apart):
    rng = np.random.default_rng(seed)
    answer = np.concatenate([np.arange(k), rng.integers(0, k, 10 * k + 20)])
    flags = {f"x_{j}": (answer == j).astype(float) for j in range(k)}
    if missing:
        gone = np.concatenate([np.zeros(10 * k, dtype=bool), rng.random(k + 20) < 0.3])
        flags = {name: np.where(gone, np.nan, x) for name, x in flags.items()}
    if apart:
        flags = {
            name: x for j in range(k) for name, x in ((f"x_{j}", flags[f"x_{j}"]), (f"y{j}", rng.random(len(answer))))
        }
    table = pd.DataFrame(flags)
    expected = [tuple(f"x_{j}" for j in range(k))]
    for rows in (table, table.sample(frac=1, random_state=seed), table.convert_dtypes()):
        assert [g.of for g in find_one_hot_groups(rows, infer_schema(rows).columns)] == expected


def test_what_overlaps_or_leaves_a_row_out_is_no_group():
    a, b = np.repeat([1.0, 0.0], 20), np.repeat([0.0, 1.0], 20)
    assert exactly_one([a, b])
    assert not exactly_one([a, np.append(b[:-1], 0)])
    assert not exactly_one([a, np.append(1, b[1:])])
    assert not exactly_one([a, np.append(np.nan, b[1:])])
    assert not exactly_one([a])
    assert not exactly_one([a[15:25], b[15:25]])


def test_two_flags_that_say_the_opposite_make_one_rule():
    table = pd.DataFrame({"male": [1, 0] * 200, "female": [0, 1] * 200, "x": range(400)})
    assert [r.rule for r in infer_schema(table).rules] == ["exactly_one"]
