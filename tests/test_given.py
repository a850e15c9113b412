"""What `given` takes is what pandas and numpy give; what it refuses is refused with one sentence."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from synthkit.errors import EncodingError, MetricError, SchemaError, TableError
from synthkit.metrics.result import Failure
from synthkit.schema import Schema
from synthkit.synthesizer.anomaly import scored
from synthkit.synthesizer.conditional import one_value
from synthkit.synthesizer.synthesizer import Synthesizer

SCHEMA = Schema(
    columns={
        "born": {"kind": "datetime", "precision": "day", "nullable": True},
        "age": {"kind": "numeric", "decimals": 0, "min": 0, "max": 120},
        "dose": {"kind": "numeric", "decimals": 1, "min": 0, "max": 9},
        "dead": {"kind": "boolean"},
        "sex": {"kind": "categorical", "levels": ["f", "m"]},
        "(score)": {"kind": "categorical", "levels": [1, 2]},
        "(row)": {"kind": "categorical", "levels": ["a", "b"]},
    }
)


@pytest.fixture(scope="module")
def fitted():
    rng = np.random.default_rng(0)
    n = 100
    frame = pd.DataFrame(
        {
            "born": np.datetime64("1950-01-01") + rng.integers(0, 9000, n).astype("timedelta64[D]"),
            "age": rng.integers(20, 80, n),
            "dose": rng.integers(0, 90, n) / 10,
            "dead": rng.random(n) < 0.5,
            "sex": rng.choice(["f", "m"], n),
            "(score)": rng.integers(1, 3, n),
            "(row)": rng.choice(["a", "b"], n),
        }
    )
    return Synthesizer(SCHEMA, "independent").fit(frame, seed=1)


DAY = pd.Timestamp("1960-05-01")


@pytest.mark.parametrize(
    ("name", "value", "cell"),
    [
        ("born", np.datetime64("1960-05-01"), DAY),
        ("born", np.datetime64("1960-05-01", "ns"), DAY),
        ("born", np.array("1960-05-01", dtype="datetime64[D]"), DAY),
        ("born", DAY, DAY),
        ("born", DAY.to_pydatetime(), DAY),
        ("born", dt.date(1960, 5, 1), DAY),
        ("born", "1960-05-01", DAY),
        ("age", np.int8(61), 61),
        ("age", np.uint64(61), 61),
        ("age", np.float32(61), 61),
        ("age", Decimal(61), 61),
        ("age", np.array(61), 61),
        ("age", np.str_("61"), 61),
        ("dose", np.float64(0.1) + 0.2, 0.3),
        ("dead", np.bool_(1), True),
        ("sex", np.str_("f"), "f"),
        ("(score)", np.int64(2), 2),
        ("(row)", "b", "b"),
    ],
)
def test_a_value_of_any_type_is_held(fitted, name, value, cell):
    drawn = fitted.sample(5, given={name: value}, seed=1)
    assert drawn[name].tolist() == [cell] * 5


@pytest.mark.parametrize("value", [None, np.nan, pd.NaT, pd.NA, np.datetime64("NaT"), Decimal("NaN")])
def test_missing_of_any_type_is_missing(fitted, value):
    assert fitted.sample(4, given={"born": value}, seed=1)["born"].isna().all()
    with pytest.raises(SchemaError, match=r"`age` is not nullable\. Give a value"):
        fitted.sample(4, given={"age": value}, seed=1)


@pytest.mark.parametrize(
    "value",
    [["SECRET"], ("SECRET",), {"SECRET"}, {"a": "SECRET"}, np.array(["SECRET", "m"]), pd.Series(["SECRET"] * 5)],
)
def test_several_values_are_refused_with_one_sentence(fitted, value):
    with pytest.raises(SchemaError, match="one value for all rows of a column; however: that of `sex` is a") as caught:
        fitted.sample(5, given={"sex": value}, seed=1)
    assert "SECRET" not in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


@pytest.mark.parametrize(
    ("name", "value", "why"),
    [
        ("age", 61.5, "It holds whole numbers"),
        ("dose", 0.25, "Its decimals: 1"),
        ("age", 121, "Its bounds: 0.0 to 120.0"),
        ("age", 130.5, "Its bounds: 0.0 to 120.0"),
        ("sex", "x", "Its levels: f, m"),
    ],
)
def test_the_reason_is_the_one_that_holds(fitted, name, value, why):
    with pytest.raises(SchemaError, match=f"the domain of `{name}`; however: 5 values do not. {why}"):
        fitted.sample(5, given={name: value}, seed=1)


OPEN = {
    "from": {"kind": "datetime", "precision": "day", "min": "2020-01-01"},
    "until": {"kind": "datetime", "precision": "day", "max": "2021-01-01"},
    "both": {"kind": "datetime", "precision": "day", "min": "2020-01-01", "max": "2021-01-01"},
    "least": {"kind": "numeric", "min": 0},
    "shape": {"kind": "code", "pattern": "[A-Z][0-9]"},
    "open": {"kind": "code"},
}


@pytest.fixture(scope="module")
def half_open():
    days = pd.date_range("2020-01-01", periods=40).to_numpy()
    frame = pd.DataFrame({"from": days, "until": days, "both": days, "least": np.arange(40) / 3})
    frame = frame.assign(shape=["A1", "B2"] * 20, open=["<5", "n.d."] * 20)
    return Synthesizer(Schema(columns=OPEN), "independent").fit(frame, seed=1)


@pytest.mark.parametrize(
    ("name", "value", "why"),
    [
        ("from", dt.datetime(1999, 1, 1), "Its bounds: 2020-01-01 and above. Correct what is given"),
        ("until", dt.datetime(2035, 1, 1), "Its bounds: 2021-01-01 and below. Correct what is given"),
        ("both", dt.datetime(2035, 1, 1), "Its bounds: 2020-01-01 to 2021-01-01. Correct what is given"),
        ("least", -1, "Its bounds: 0.0 and above. Correct what is given"),
        ("shape", "zzz", r"Its pattern: \[A-Z\]\[0-9\]. Correct what is given"),
    ],
)
def test_the_reason_is_said_of_every_kind_and_of_half_open_bounds(half_open, name, value, why):
    with pytest.raises(SchemaError, match=f"the domain of `{name}`; however: 3 values do not. {why}"):
        half_open.sample(3, given={name: value}, seed=1)


def test_a_code_nobody_has_is_refused_by_the_name_of_its_column(half_open):
    with pytest.raises(EncodingError, match=r"^`open`: every value must be a level the encoder was fitted on; however"):
        half_open.sample(3, given={"open": "3"}, seed=1)


def test_rows_may_be_given_as_an_arrow_table_and_nothing_else(fitted):
    drawn = fitted.sample(2, given=pa.table({"sex": ["f", None], "age": [30, 40]}), seed=1)
    assert (drawn["sex"][0], drawn["age"].tolist()) == ("f", [30, 40])
    with pytest.raises(TableError, match="is a DataFrame or an Arrow table; however: a `list` came"):
        fitted.sample(1, given=[{"sex": "SECRET"}], seed=1)


def test_columns_called_row_and_score_keep_their_names(fitted):
    parts = fitted.anomaly_parts(fitted.sample(20, seed=3))
    assert {"(score)", "(row)"} <= set(parts)
    table = scored(parts)
    assert table.columns[:2].tolist() == ["(row) 2", "(score) 2"]
    assert table["(score) 2"].tolist() == sorted(parts.sum(axis=1), reverse=True)
    assert sorted(table["(row) 2"]) == list(range(1, 21))
    pd.testing.assert_frame_equal(table.drop(columns=["(row) 2", "(score) 2"]).sort_index(), parts)
    assert scored(parts[["age"]]).columns.tolist() == ["(row)", "(score)", "age"]


def test_one_value_is_no_text_of_several_signs():
    assert one_value("x", "several signs") == "several signs"
    assert one_value("x", b"A1") == b"A1"


def test_reasons_of_failures_are_ours():
    with pytest.raises(np.linalg.LinAlgError) as caught:
        np.linalg.inv(np.zeros((2, 2)))
    assert Failure.of("x", caught.value).reason == "its arithmetic has no answer on these rows (LinAlgError)"
    with pytest.raises(ValueError, match="SECRET") as quoted:
        float("SECRET")
    assert "SECRET" not in Failure.of("x", quoted.value).reason
    assert Failure.of("x", MetricError("too few people")).reason == "too few people"
