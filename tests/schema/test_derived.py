"""Derived columns: checked at the entrance, never learned, computed at the exit, and asked again in SQL."""

import datetime as dt

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synthkit.encoding import TableEncoder
from synthkit.encoding.encoder import histograms_of
from synthkit.errors import SchemaError
from synthkit.schema import Schema
from synthkit.schema.clamp import clamp
from synthkit.schema.conform import conform
from synthkit.schema.derived import (
    derivation_order,
    derived_holds,
    derived_origins,
    derived_sentence,
    with_derived,
    with_recomputed,
)
from synthkit.schema.domain_mapping import map_into_domain
from synthkit.schema.json_schema import json_schema
from synthkit.schema.rules_sql import checks
from synthkit.schema.sdv_metadata import to_sdv
from synthkit.schema.validation import validate
from synthkit.synthesizer.synthesizer import Synthesizer

SCHEMA = Schema.model_validate(
    {
        "name": "clinic",
        "columns": {
            "age": {"kind": "numeric", "min": 0, "max": 110, "decimals": 0},
            "band": {"kind": "ordinal", "levels": ["child", "adult", "old"]},
            "a": {"kind": "numeric", "min": 0, "max": 10, "decimals": 2, "nullable": True},
            "b": {"kind": "numeric", "min": 0, "max": 10, "decimals": 2},
            "total": {"kind": "numeric", "min": 0, "max": 15, "decimals": 2, "nullable": True},
            "weight": {"kind": "numeric", "min": 30, "max": 150, "decimals": 1},
            "height": {"kind": "numeric", "min": 100, "max": 210, "decimals": 0},
            "bmi": {"kind": "numeric", "min": 5, "max": 150, "decimals": 1},
            "heavy": {"kind": "boolean", "levels": ["no", "yes"]},
            "id": {"kind": "identifier"},
        },
        "derived": {
            "heavy": "bmi >= 30",
            "bmi": "round(weight / ((height / 100) * (height / 100)), 1)",
            "total": "a + b",
            "band": "if age < 18 then 'child' else if age < 65 then 'adult' else 'old'",
        },
        "rules": [{"rule": "comparison", "left": "b", "op": "<=", "right": "total"}],
        "targets": [{"column": "weight", "task": "regression"}, {"column": "heavy", "task": "binary"}],
    }
)


def clinic(n=200):
    rng = np.random.default_rng(0)
    age, height = rng.integers(0, 111, n), rng.integers(150, 200, n)
    a, b = np.round(rng.uniform(0, 7, n), 2), np.round(rng.uniform(0, 7, n), 2)
    a[: n // 10] = np.nan
    weight = np.round(rng.uniform(40, 120, n), 1)
    bmi = np.round(weight / (height / 100) ** 2, 1)
    return pd.DataFrame(
        {
            "age": age,
            "band": np.select([age < 18, age < 65], ["child", "adult"], "old"),
            "a": a,
            "b": b,
            "total": a + b,  # as floats are added: 0.1 + 0.2 is a rounding error away from 0.3
            "weight": weight,
            "height": height,
            "bmi": bmi,
            "heavy": np.where(bmi >= 30, "yes", "no"),
            "id": [f"P{k}" for k in range(n)],
        }
    )


# ---- the schema


def test_what_is_derived_is_described_and_not_learned():
    assert SCHEMA.learned == ("age", "a", "b", "weight", "height")
    assert SCHEMA.described == tuple(c for c in SCHEMA.columns if c != "id")
    assert derivation_order(SCHEMA).index("bmi") < derivation_order(SCHEMA).index("heavy")
    assert derived_origins(SCHEMA, "heavy") == ("weight", "height")


def test_expressions_come_back_from_the_file():
    assert Schema.loads(SCHEMA.dumps()) == SCHEMA
    assert "derived:\n  heavy: bmi >= 30\n" in SCHEMA.dumps()
    assert Schema.loads(SCHEMA.dumps(comments={"derived": "sums"})) == SCHEMA
    assert "derived" in json_schema()["properties"]


@pytest.mark.parametrize(
    ("derived", "line"),
    [
        ("x: a + z", "derived.x (line 3): `derived.x` must speak of declared columns; however: `z` is not declared"),
        ("z: a + b", "`derived.z` must speak of declared columns; however: `z` is not declared under `columns`"),
        ("x: x + 1", "`derived` must not run in a circle; however: `x` are computed from one another"),
        ("x: y + 1, y: x - 1", "`derived` must not run in a circle; however: `x`, `y` are"),
        ("x: a + who", "`derived.x` must not speak of the unit; however: `who` is made fresh"),
        ("x: a + sex", "derived.x (line 3): `derived.x`: `+` must stand with what is of one kind"),
        ("x: sex", "`derived.x`: a column must be able to hold what is computed"),
        ("x: a +", "`derived.x`: an expression needs a column, a number or a text; however: it ends too early"),
        ("x: 3", "derived.x (line 3): must be text; however: 3"),
    ],
)
def test_what_cannot_be_computed_is_refused_when_the_schema_is_read(derived, line):
    kinds = ", ".join(f"{c}: {{kind: numeric}}" for c in "abxy")
    text = f"unit: who\ncolumns: {{{kinds}, sex: {{kind: code}}, who: {{kind: identifier}}}}\nderived: {{{derived}}}\n"
    with pytest.raises(SchemaError) as caught:
        Schema.loads(text)
    assert line in str(caught.value)


def test_moments_of_two_clocks_are_not_subtracted():
    kinds = {"s": {"kind": "datetime", "zone": "UTC"}, "e": {"kind": "datetime"}, "d": {"kind": "numeric"}}
    with pytest.raises(SchemaError, match="moments in an expression must be of one zone; however: UTC and none"):
        Schema.parse({"columns": kinds, "derived": {"d": "e - s"}})


def test_observed_may_say_derived_of_derived_columns_alone():
    with pytest.raises(SchemaError, match="`observed` may say `derived` of derived columns; however: `a` is none"):
        Schema.parse({"columns": {"a": {"kind": "numeric", "observed": ["derived"]}}})
    with pytest.raises(SchemaError, match="`paid` must name keys of this column; however: derived"):
        Schema.parse({"columns": {"a": {"kind": "numeric", "paid": ["derived"]}}})


def test_sdv_is_told_of_the_columns_without_their_expressions():
    assert set(to_sdv(SCHEMA)["tables"]["clinic"]["columns"]) == set(SCHEMA.columns)


# ---- the entrance


def test_a_table_whose_derived_columns_hold_is_admitted():
    assert validate(clinic(), SCHEMA).success


@pytest.mark.parametrize(
    ("column", "row", "cell", "about"),
    [
        ("total", 30, 1.23, ("total", "a", "b")),
        ("total", 30, None, ("total", "a", "b")),
        ("total", 3, 1.23, ("total", "a", "b")),  # there, though `a` is missing
        ("bmi", 7, 149.9, ("bmi", "weight", "height")),
    ],
)
def test_rows_that_do_not_hold_are_counted_and_refused(column, row, cell, about):
    frame = clinic()
    frame.loc[row, column] = cell
    broken = {v.columns: v for v in validate(frame, SCHEMA).violations}
    assert broken[about].rule == derived_sentence(column, SCHEMA.derived[column])
    assert (broken[about].count, broken[about].rows) == (1, (row + 1,))
    assert "have them computed with --clamp" in broken[about].remedy


def test_halves_may_be_rounded_either_way_and_nothing_else():
    kinds = {"a": {"kind": "numeric"}, "half": {"kind": "numeric", "decimals": 0}}
    for expression in ("a / 2", "round(a / 2)"):
        schema = Schema(columns=kinds, derived={"half": expression})
        frame = pd.DataFrame({"a": [1.0, 1.0, 3.0, 3.0, 3.1, 3.1], "half": [0, 1, 1, 2, 2, 1]})
        assert derived_holds("half", frame, schema).tolist() == [True, True, True, True, True, False]
    assert with_derived(frame, schema)["half"].tolist() == [1, 1, 2, 2, 2, 2]


def test_without_declared_decimals_a_billionth_is_no_difference():
    schema = Schema(columns={c: {"kind": "numeric"} for c in "ab"} | {"r": {"kind": "numeric"}}, derived={"r": "a / b"})
    frame = pd.DataFrame({"a": [1.0, 1.0, 1.0], "b": [3.0, 3.0, 0.0], "r": [0.3333333333, 0.33333, np.nan]})
    assert derived_holds("r", frame, schema).tolist() == [True, False, True]


def test_clamped_cells_are_computed_and_counted():
    frame = clinic()
    frame.loc[4, "age"], frame.loc[5, "band"] = 400, "child"
    frame.loc[5, "age"] = 40
    out, counts = clamp(frame, SCHEMA)
    assert counts == {"age": 1, "band": 2}  # that of the row whose age was moved, too
    assert out.loc[[4, 5], "band"].tolist() == ["old", "adult"]
    assert validate(out, SCHEMA).success
    assert clamp(out, SCHEMA)[1] == {}


def test_cells_mapped_under_a_budget_are_computed_from_mapped_cells():
    frame = clinic().astype(object)
    frame.loc[4, "age"], frame.loc[5, "band"], frame.loc[6, "total"] = "400", "nonsense", "yesterday"
    found = map_into_domain(frame, SCHEMA)
    assert found.counts["band"] == 2
    assert found.counts["total"] == 1
    assert all(derived_holds(name, found.frame, SCHEMA).all() for name in SCHEMA.derived)
    assert {f.rule for f in found.faults} >= {"total = a + b", derived_sentence("band", SCHEMA.derived["band"])}


def test_cells_that_hold_are_left_alone():
    frame = clinic()
    assert with_recomputed(frame, SCHEMA)[0] is frame


# ---- never learned, computed last


def test_the_coding_leaves_derived_columns_out_and_makes_them_again():
    frame = with_derived(clinic(), SCHEMA)
    encoder = TableEncoder.fit(SCHEMA, histograms_of(SCHEMA, frame))
    assert set(encoder.codecs) == set(SCHEMA.learned)
    back = conform(encoder.decode(encoder.encode(frame), np.random.default_rng(0)), SCHEMA)
    pd.testing.assert_frame_equal(back.drop(columns="id"), frame.drop(columns="id"))


@pytest.fixture(scope="module", params=["independent", "autoregressive"])
def fitted(request):
    settings = {"steps": 20, "width": 16, "hidden": 8} if request.param == "autoregressive" else {}
    return Synthesizer(SCHEMA, request.param, settings=settings).fit(clinic(), seed=1)


def test_every_row_that_is_drawn_holds(fitted):
    """The bounds of what is computed and rules on it too: total stays below 15, and b does not exceed it."""
    drawn = fitted.sample(400, seed=2)
    assert list(drawn) == list(SCHEMA.columns)
    assert validate(drawn, SCHEMA).success
    assert (drawn["total"].dropna() <= 15).all()
    assert drawn["total"].isna().equals(drawn["a"].isna())
    pd.testing.assert_frame_equal(drawn, fitted.sample(400, seed=2))


def test_what_is_computed_cannot_be_given():
    synthesizer = Synthesizer(SCHEMA, "autoregressive", settings={"steps": 2, "width": 8, "hidden": 4})
    synthesizer.fit(clinic(), seed=1)
    with pytest.raises(SchemaError, match=r"`band` is computed from `age`\. Give those"):
        synthesizer.sample(3, given={"band": "old"})
    assert set(synthesizer.sample(9, given={"age": 12}, seed=1)["band"]) == {"child"}
    gaps = clinic().drop(columns=["band", "bmi"]).assign(band=None, bmi=np.nan)
    gaps.loc[:20, "weight"] = np.nan
    full = synthesizer.impute(gaps, seed=1)
    assert all(derived_holds(name, full, SCHEMA).all() for name in SCHEMA.derived)


def test_a_model_on_disk_computes_as_before(fitted, tmp_path):
    fitted.save(tmp_path / "model")
    again = Synthesizer.load(tmp_path / "model")
    assert again.schema == SCHEMA
    pd.testing.assert_frame_equal(again.sample(20, seed=3), fitted.sample(20, seed=3), check_dtype=False)


def test_time_in_hospital_is_counted_between_dates_and_truths_become_levels():
    moments = {"kind": "datetime", "min": "2020-01-01", "max": "2021-12-31", "precision": "day"}
    schema = Schema.model_validate(
        {
            "columns": {
                "admitted": moments,
                "discharged": moments,
                "days": {"kind": "numeric", "min": 0, "max": 730, "decimals": 0},
                "long": {"kind": "boolean"},
                "last": moments,
            },
            "rules": [{"rule": "comparison", "left": "admitted", "op": "<=", "right": "discharged"}],
            "derived": {"days": "discharged - admitted", "long": "days > 30", "last": "max(admitted, discharged)"},
        }
    )
    day = dt.datetime(2020, 1, 1)
    rows = [(day, day + dt.timedelta(days=k)) for k in range(0, 60, 3)]
    frame = pd.DataFrame(rows, columns=["admitted", "discharged"])
    whole = with_derived(frame, schema)[list(schema.columns)]
    assert whole["days"].tolist() == list(range(0, 60, 3))
    assert whole["days"].dtype == "int64"
    assert whole["long"].tolist() == [k > 30 for k in range(0, 60, 3)]
    assert whole["long"].dtype == "bool"
    assert whole["last"].tolist() == whole["discharged"].tolist()
    assert validate(whole, schema).success
    assert validate(Synthesizer(schema, "independent").fit(whole, seed=1).sample(50, seed=1), schema).success


# ---- SQL


def counted(frame, schema, folder):
    """Violations of derived columns that DuckDB counts."""
    pq.write_table(pa.Table.from_pandas(frame, preserve_index=False), folder / "t.parquet")
    asked = {c.rule: c.sql for c in checks(schema, str(folder / "t.parquet"))}
    rules = {name: derived_sentence(name, text) for name, text in schema.derived.items()}
    every = ", ".join(f"({asked[rule]})" for rule in rules.values())
    with duckdb.connect() as database:
        [counts] = database.execute(f"SELECT {every}").fetchall()
    return dict(zip(rules, counts, strict=True))


FORMS = {
    "x": "a + b",
    "y": "if a > b then min(a, b, 3) else floor(a / 4)",
    "z": "if not ill and a >= 0.3 or sex = 'm' then 'm' else 'f'",
    "w": "a <= b",
    "q": "round(a / b, 1) - ceil(a) * abs(b)",
}
PLAIN = Schema.model_validate(
    {
        "columns": {
            "a": {"kind": "numeric", "decimals": 1, "nullable": True},
            "b": {"kind": "numeric", "decimals": 0, "nullable": True},
            "ill": {"kind": "boolean", "nullable": True},
            "sex": {"kind": "categorical", "levels": ["f", "m"], "nullable": True},
            "x": {"kind": "numeric", "decimals": 1, "nullable": True},
            "y": {"kind": "numeric", "nullable": True},
            "z": {"kind": "categorical", "levels": ["f", "m"], "nullable": True},
            "w": {"kind": "boolean", "levels": ["no", "yes"], "nullable": True},
            "q": {"kind": "numeric", "decimals": 1, "nullable": True},
        },
        "derived": FORMS,
    }
)


@settings(max_examples=10)  # of many rows each: queries take long to read, not to answer
@given(
    st.lists(
        st.tuples(
            st.none() | st.integers(-99, 99).map(lambda k: k / 10),
            st.none() | st.integers(-9, 9),
            st.none() | st.booleans(),
            st.none() | st.sampled_from("fm"),
            st.sampled_from([None, *FORMS]),
        ),
        min_size=1,
        max_size=24,
    )
)
def test_sql_counts_what_pandas_counts(tmp_path_factory, rows):
    frame = pd.DataFrame([row[:4] for row in rows], columns=["a", "b", "ill", "sex"])
    frame = frame.astype({"a": float, "b": "Int64", "ill": "boolean"})
    frame["sex"] = frame["sex"].astype(object).where(frame["sex"].notna(), None)
    whole = with_derived(frame, PLAIN)
    other = {"x": 77.7, "y": -77.7, "q": 88.8}
    for k, row in enumerate(rows):  # some cells are made wrong
        if row[4] in other:
            whole.loc[k, row[4]] = other[row[4]]
        elif row[4] is not None:
            swapped = {"f": "m", "m": "f", "no": "yes", "yes": "no"}
            whole.loc[k, row[4]] = swapped.get(whole.loc[k, row[4]], "m" if row[4] == "z" else "no")
    wrong = {name: int((~derived_holds(name, whole, PLAIN)).sum()) for name in FORMS}
    assert wrong == {name: sum(row[4] == name for row in rows) for name in FORMS}
    assert counted(whole, PLAIN, tmp_path_factory.mktemp("sql")) == wrong


def test_sql_of_moments_and_of_what_is_too_long_to_ask(tmp_path):
    kinds = {"s": {"kind": "datetime"}, "e": {"kind": "datetime"}, "d": {"kind": "numeric", "decimals": 2}}
    schema = Schema.model_validate({"columns": kinds, "derived": {"d": "e - s"}})
    ends = pd.to_datetime(["2020-01-02T12:00", "2020-03-01T00:00"]).astype("datetime64[us]")
    frame = pd.DataFrame(
        {"s": pd.to_datetime(["2020-01-01"] * 2).astype("datetime64[us]"), "e": ends, "d": [1.5, 61.0]}
    )
    assert counted(frame, schema, tmp_path) == {"d": 1}
    deep = "min(" * 12 + "a" + ", 1)" * 12
    nested = Schema.model_validate({"columns": {c: {"kind": "numeric"} for c in "ab"}, "derived": {"b": deep}})
    [left] = [c for c in checks(nested, "t.parquet") if c.columns == ("b", "a")]
    assert left.sql is None
    assert left.rule.endswith("too long to be asked in SQL")
