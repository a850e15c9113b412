"""What a table breaks is listed all at once, with rows and without values, and agrees with the schema's own checks."""

import json
import os
import socket
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from places import ROOT

from synthkit.errors import ConfigError, SchemaError
from synthkit.schema import Schema
from synthkit.schema.clamp import clamp
from synthkit.schema.conform import conform
from synthkit.schema.expectation_suite import expectation_suite, helper_columns
from synthkit.schema.validation import Validation, validate

SCHEMA = Schema.model_validate(
    {
        "name": "ward",
        "unit": "pid",
        "columns": {
            "pid": {"kind": "identifier", "unique": True},
            "age": {"kind": "numeric", "min": 0, "max": 120, "decimals": 0},
            "crea": {"kind": "numeric", "min": 0, "decimals": 2, "nullable": True},
            "sex": {"kind": "categorical", "levels": ["F", "M"], "nullable": True},
            "stage": {"kind": "ordinal", "levels": [1, 2, 3]},
            "died": {"kind": "boolean"},
            "ward": {"kind": "categorical", "levels": ["A", "B"]},
            "icd": {"kind": "code", "pattern": r"(V|E)?\d{2,3}(\.\d+)?", "nullable": True},
            "admitted": {"kind": "datetime", "min": "2020-01-01", "max": "2020-12-31"},
            "left": {"kind": "datetime", "nullable": True},
        },
        "rules": [
            {"rule": "comparison", "left": "admitted", "op": "<=", "right": "left"},
            {"rule": "implication", "if": {"died": {"in": [True]}}, "then": {"left": {"missing": False}}},
            {"rule": "fixed_combination", "columns": ["ward", "stage"], "combinations": [["A", 1], ["A", 2], ["B", 3]]},
        ],
    }
)


def good(n=12):
    return pd.DataFrame(
        {
            "pid": [f"P{i}" for i in range(n)],
            "age": np.arange(n) + 40,
            "crea": [0.25, None, 1.5] * (n // 3),
            "sex": ["F", "M", None] * (n // 3),
            "stage": [1, 2, 3] * (n // 3),
            "died": [True, False, False] * (n // 3),
            "ward": ["A", "A", "B"] * (n // 3),
            "icd": ["250.00", "V27", None] * (n // 3),
            "admitted": pd.to_datetime(["2020-01-01", "2020-06-01", "2020-12-31"] * (n // 3)),
            "left": pd.to_datetime(["2020-01-01", "2020-07-01", None] * (n // 3)),
        }
    )


def bad(**cells):
    """The good table with some cells replaced: column -> {row: value}."""
    frame = good()
    for name, changes in cells.items():
        column = frame[name].astype(object)
        for row, value in changes.items():
            column[row] = value
        frame[name] = column
    return frame


def found(validation):
    return {(v.columns, v.rule): (v.count, v.rows) for v in validation.violations}


def test_a_good_table_keeps_its_schema():
    validation = validate(good(), SCHEMA)
    assert validation.success, validation
    assert validation.checked.rows == 12
    assert validation.checked.columns == 10
    assert validation.checked.expectations == len(expectation_suite(SCHEMA)["expectations"]) == 21
    validation.raise_if_failed()
    assert str(validation) == "the table keeps its schema: 12 rows and 10 columns, 21 rules checked"


@pytest.mark.parametrize(
    ("cells", "columns", "rule", "rows"),
    [
        ({"pid": {3: "P0"}}, ("pid",), "no value twice", (1, 4)),
        ({"age": {3: -1, 7: 121}}, ("age",), ">= 0 and <= 120", (4, 8)),
        ({"age": {5: 41.5}}, ("age",), "whole numbers", (6,)),
        ({"age": {0: None}}, ("age",), "no missing cell", (1,)),
        ({"crea": {2: 1.234}}, ("crea",), "at most 2 decimals", (3,)),
        ({"crea": {2: -0.01}}, ("crea",), ">= 0", (3,)),
        ({"sex": {4: "X"}}, ("sex",), "one of the 2 declared levels", (5,)),
        ({"icd": {0: "25O.00", 1: "x250", 3: "250\n"}}, ("icd",), r"matches (V|E)?\d{2,3}(\.\d+)?", (1, 2, 4)),
        (
            {"admitted": {1: pd.Timestamp("2019-12-31 23:59")}},
            ("admitted",),
            ">= 2020-01-01T00:00:00 and <= 2020-12-31T00:00:00",
            (2,),
        ),
        ({"left": {1: pd.Timestamp("2020-05-31")}}, ("admitted", "left"), "admitted <= left", (2,)),
        ({"left": {0: None}}, ("died", "left"), "if died in {True} then left present", (1,)),
        ({"stage": {2: 1}}, ("ward", "stage"), "only known combinations of ward, stage", (3,)),
    ],
)
def test_each_rule_is_found_in_its_rows(cells, columns, rule, rows):
    validation = validate(bad(**cells), SCHEMA)
    assert found(validation) == {(columns, rule): (len(rows), rows)}
    assert not validation.unchecked


def test_all_violations_are_listed_at_once_without_values():
    frame = bad(age={1: 777}, sex={2: "SECRET"}, icd={0: "SECRET"}, ward={0: "SECRET"})
    validation = validate(frame, SCHEMA)
    with pytest.raises(SchemaError) as error:
        validation.raise_if_failed()
    text = str(error.value)
    assert "5 rules are broken" in text
    for part in ("age", "sex", "icd", "ward", "--clamp", "widen the bounds"):
        assert part in text
    for output in (text, validation.to_json()):
        assert "SECRET" not in output
        assert "777" not in output


def test_the_json_holds_what_was_found():
    content = json.loads(validate(bad(age={1: 777}), SCHEMA).to_json())
    assert content["format"] == "synthkit-validation/1"
    assert content["success"] is False
    assert content["checked"] == {"rows": 12, "columns": 10, "expectations": 21}
    assert [(v["columns"], v["count"], v["rows"]) for v in content["violations"]] == [(["age"], 1, [2])]
    assert content["unchecked"] == []


def test_row_numbers_are_cut_and_counts_are_not():
    frame = good(300).assign(age=200)
    (violation,) = validate(frame, SCHEMA, rows_shown=3).violations
    assert (violation.count, violation.rows) == (300, (1, 2, 3))


def test_the_index_of_the_frame_plays_no_part():
    frame = bad(age={3: 777})
    frame.index = [f"x{i}" for i in range(12)]
    assert found(validate(frame, SCHEMA)) == {(("age",), ">= 0 and <= 120"): (1, (4,))}


def test_a_frame_of_other_columns_is_reported_and_nothing_else_is_claimed():
    validation = validate(good().drop(columns="age").assign(extra=1), SCHEMA)
    assert [v.columns for v in validation.violations] == [("age",), ("extra",)]
    assert len(validation.unchecked) == 20
    with pytest.raises(SchemaError, match="could not check"):
        validation.raise_if_failed()


def test_a_column_of_the_wrong_type_is_reported_and_the_others_are_checked():
    validation = validate(bad(age={1: "SECRET"}, sex={4: "X"}, left={1: "SECRET"}), SCHEMA)
    assert {v.columns for v in validation.violations} == {("age",), ("left",), ("sex",)}
    assert {u.columns for u in validation.unchecked} == {
        ("age",),
        ("left",),
        ("admitted", "left"),
        ("died", "left"),
    } - {("left",)}
    assert "SECRET" not in str(validation)


def test_findings_agree_with_the_schema_s_own_masks():
    rng = np.random.default_rng(0)
    n = 3_000
    frame = good(n)
    frame["age"] = rng.integers(-20, 140, n)
    frame["sex"] = rng.choice(np.array(["F", "M", "X", None], dtype=object), n)
    frame["stage"] = rng.integers(0, 5, n)
    frame["icd"] = rng.choice(np.array(["250.00", "V27", "?", "E9", None], dtype=object), n)
    frame["left"] = frame["admitted"] + pd.to_timedelta(rng.integers(-5, 5, n), unit="D")
    typed = conform(frame, SCHEMA)
    expected = {(c,): int((~SCHEMA.columns[c].admits(typed[c])).sum()) for c in ("age", "sex", "stage", "icd")}
    expected |= {rule.columns: int((~rule.holds(typed)).sum()) for rule in SCHEMA.rules}
    assert {v.columns: v.count for v in validate(frame, SCHEMA).violations} == {c: k for c, k in expected.items() if k}
    assert sum(count > 0 for count in expected.values()) == 6


@pytest.mark.filterwarnings("ignore:This pattern is interpreted:UserWarning")  # pandas on groups in a pattern
def test_the_suite_runs_in_great_expectations_by_itself():
    import great_expectations as gx

    content = json.loads(json.dumps(expectation_suite(SCHEMA)))
    frame = conform(good(), SCHEMA).assign(**helper_columns(conform(good(), SCHEMA), SCHEMA))
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False}
    batch = (
        context.data_sources.add_pandas("p")
        .add_dataframe_asset("t")
        .add_batch_definition_whole_dataframe("b")
        .get_batch({"dataframe": frame})
    )
    assert batch.validate(gx.ExpectationSuite(name=content["name"], expectations=content["expectations"])).success


# ---- suites of the user's own


def own(tmp_path, *expectations):
    path = tmp_path / "own.json"
    path.write_text(json.dumps({"name": "own", "expectations": list(expectations)}))
    return path


def test_a_suite_of_the_user_s_own_is_checked_too(tmp_path):
    path = own(
        tmp_path,
        {"type": "expect_column_values_to_be_between", "kwargs": {"column": "age", "max_value": 45}},
        {
            "type": "expect_column_mean_to_be_between",
            "kwargs": {"column": "age", "max_value": 1},
            "description": "young",
        },
        {"type": "expect_column_values_to_not_be_null", "kwargs": {"column": "pid"}},
    )
    validation = validate(good(), SCHEMA, extra=path)
    assert validation.checked.expectations == 24
    assert found(validation) == {
        (("age",), 'expect_column_values_to_be_between {"max_value": 45}'): (6, (7, 8, 9, 10, 11, 12)),
        (("age",), "young"): (0, ()),
    }


def test_an_expectation_that_crashes_is_listed_as_unchecked(tmp_path):
    path = own(
        tmp_path,
        {"type": "expect_column_values_to_be_between", "kwargs": {"column": "absent", "max_value": 1}},
        {"type": "expect_column_values_to_be_between", "kwargs": {"column": "pid", "max_value": 1}},
    )
    validation = validate(good(), SCHEMA, extra=path)
    assert not validation.success
    assert not validation.violations
    assert [u.columns for u in validation.unchecked] == [("absent",), ("pid",)]
    assert all("Error" in u.reason for u in validation.unchecked)


BETWEEN = '{"expectations": [{"type": "expect_column_values_to_be_between", "kwargs": {"column": "age", %s}}]}'


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("not json", "must be JSON text"),
        ("[1]", "must list `expectations`"),
        ('{"expectations": [{"kwargs": {}}]}', "each with a `type`"),
        ('{"expectations": [{"type": "expect_the_unexpected", "kwargs": {}}]}', r"expectations\[0\] \(expect_the_un"),
        ('{"expectations": [{"type": "expect_column_values_to_be_in_set", "kwargs": {"colunm": "a"}}]}', "is refused"),
        (BETWEEN % '"min_value": "nan"', "is refused"),
        (BETWEEN % '"max_value": NaN', "is refused"),
    ],
)
def test_a_file_that_is_no_suite_is_refused(tmp_path, text, says):
    path = tmp_path / "own.json"
    path.write_text(text)
    with pytest.raises(ConfigError, match=says):
        validate(good(), SCHEMA, extra=path)


def test_a_suite_file_that_is_absent_is_refused(tmp_path):
    with pytest.raises(ConfigError, match="No such file"):
        validate(good(), SCHEMA, extra=tmp_path / "absent.json")


def test_nothing_is_sent_anywhere(monkeypatch):
    def refuse(*args, **kwargs):
        pytest.fail("a connection was tried")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    assert validate(good(), SCHEMA).success
    assert os.environ["GX_ANALYTICS_ENABLED"] == "False"


# ---- clamp


def test_clamp_maps_every_cell_into_its_domain_and_counts():
    frame = bad(
        age={0: -5, 1: 130, 2: 41.6},
        crea={0: 1.239, 2: -3},
        sex={0: "X"},
        icd={0: "nonsense"},
        admitted={0: pd.Timestamp("1990-01-01"), 1: pd.Timestamp("2030-01-01")},
        left={1: pd.Timestamp("2030-01-02")},
    )
    mapped, changed = clamp(frame, SCHEMA)
    assert changed == {"age": 3, "crea": 2, "sex": 1, "icd": 1, "admitted": 2}
    assert mapped["age"].tolist()[:4] == [0, 120, 42, 43]
    assert mapped["age"].dtype == "int64"
    assert mapped["crea"].tolist()[0] == 1.24
    assert mapped["crea"].tolist()[2] == 0
    assert mapped["sex"][0] is None or pd.isna(mapped["sex"][0])
    assert mapped["admitted"].tolist()[:2] == [pd.Timestamp("2020-01-01"), pd.Timestamp("2020-12-31")]
    assert mapped["admitted"].dtype == "datetime64[us]"
    assert all(v.columns == ("admitted", "left") for v in validate(mapped, SCHEMA).violations)
    again, unchanged = clamp(mapped, SCHEMA)
    assert unchanged == {}
    pd.testing.assert_frame_equal(again, mapped)


def test_clamp_moves_bounds_inwards_to_the_grid_of_the_decimals_and_keeps_big_numbers():
    schema = Schema(
        columns={
            "x": {"kind": "numeric", "min": 0.25, "max": 0.85, "decimals": 1},
            "n": {"kind": "numeric", "max": 2**62, "decimals": 0, "nullable": True},
        }
    )
    frame = pd.DataFrame({"x": [0.0, 1.0, 0.5], "n": pd.array([2**53 + 1, 2**62 + 2**20, None], dtype="Int64")})
    mapped, changed = clamp(frame, schema)
    assert mapped["x"].tolist() == [0.3, 0.8, 0.5]
    assert (int(mapped["n"][0]), int(mapped["n"][1])) == (2**53 + 1, 2**62)
    assert changed == {"x": 2, "n": 1}


def test_clamp_refuses_unknown_levels_where_no_cell_may_be_missing():
    with pytest.raises(SchemaError) as error:
        clamp(bad(stage={0: 7, 2: 8}, ward={1: "SECRET"}), SCHEMA)
    text = str(error.value)
    assert "2 rules are broken" in text
    assert "nullable: true" in text
    assert "SECRET" not in text


# ---- real tables


@pytest.mark.skipif("SYNTHKIT_DATA" not in os.environ, reason="SYNTHKIT_DATA names no folder with the public tables")
@pytest.mark.parametrize(
    ("schema", "file"),
    [("support2", "support2/support2"), ("adult", "adult/train"), ("diabetes130", "diabetes130/diabetic_data")],
)
def test_public_tables_keep_their_schemas_and_a_broken_cell_is_found(schema, file):
    schema = Schema.load(ROOT / "schemas" / f"{schema}.yaml")
    frame = conform(pd.read_parquet(Path(os.environ["SYNTHKIT_DATA"]) / f"{file}.parquet"), schema)
    whole = validate(frame, schema)
    assert whole.success, whole
    name, column = next((c, k) for c, k in schema.columns.items() if k.kind == "numeric" and k.max is not None)
    frame = frame.head(5000)
    frame.loc[17, name] = column.max + 1
    broken = validate(frame, schema)
    assert isinstance(broken, Validation)
    assert (1, (18,)) in [(v.count, v.rows) for v in broken.violations if v.columns == (name,)]
