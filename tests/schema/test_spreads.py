"""Comparisons: the column that spreads further is learned as its difference from the other, which keeps its own law."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from synthkit.encoding.constraints import Recoding
from synthkit.schema import Schema
from synthkit.schema.infer.draft import infer_schema
from synthkit.schema.resolve import resolve_schema
from synthkit.schema.spreads import with_differences
from synthkit.synthesizer.synthesizer import Synthesizer


def two(left, right, **keys):
    rule = {"rule": "comparison", "left": "a", "op": "<=", "right": "b", **keys}
    return Schema(columns={"a": left, "b": right}, rules=[rule])


def number(low, high, **keys):
    return {"kind": "numeric", "min": low, "max": high, "decimals": 0, **keys}


def moment(low, high):
    return {"kind": "datetime", "min": low, "max": high, "precision": "day"}


@pytest.mark.parametrize(
    ("left", "right", "keys", "says"),
    [
        (number(1920, 2024), number(2020, 2024), {}, "left"),
        (number(0, 8), number(0, 4), {}, "left"),
        (number(0, 7), number(0, 4), {}, None),
        (number(0, 4), number(0, 100), {}, None),
        (number(0, None), number(0, 4), {}, None),
        (number(0, 100), number(0, None), {}, None),
        (number(1920, 2024), number(2020, 2024), {"difference": "right"}, "right"),
        (number(0, 4), number(0, 100), {"difference": "left"}, "left"),
        (moment("1920-01-01", "2024-12-31"), moment("2023-01-01", "2024-12-31"), {}, "left"),
        (moment("1920-01-01", "9999-12-31"), moment("9999-01-01", "9999-12-31"), {}, "left"),
        (moment("2023-01-01", "2024-12-31"), moment("2023-01-01", "2025-12-31"), {}, None),
        (moment("1920-01-01", None), moment("2023-01-01", "2024-12-31"), {}, None),
    ],
)
def test_the_column_that_spreads_further_by_its_bounds_is_the_difference(left, right, keys, says):
    schema = with_differences(two(left, right, **keys))
    assert schema.rules[0].difference == says
    assert with_differences(schema) == schema
    assert resolve_schema(two(left, right, **keys)).rules[0].difference == says
    (gap,) = Recoding.of(schema).gaps
    assert (gap.column, gap.up) == (("a", False) if says == "left" else ("b", True))


def test_a_schema_of_a_saved_model_is_read_as_it_was():
    """One from before says nothing, and the right column is its difference from the left one."""
    (gap,) = Recoding.of(two(number(1920, 2024), number(2020, 2024))).gaps
    assert (gap.column, gap.up) == ("b", True)


def test_a_rule_says_left_or_right():
    with pytest.raises(ValueError, match="left"):
        two(number(0, 1), number(0, 1), difference="a")


@pytest.fixture(scope="module")
def births():
    rng = np.random.default_rng(3)
    born = pd.Timestamp("1925-01-01") + pd.to_timedelta(rng.integers(0, 29_000, 1000), unit="D")
    seen = pd.Timestamp("2021-01-01") + pd.to_timedelta(rng.integers(0, 700, 1000), unit="D")
    return pd.DataFrame({"born": born, "seen": seen, "sex": rng.choice(["f", "m"], 1000)})


@pytest.mark.parametrize("model", ["independent", "marginal"])
def test_admissions_keep_their_law_beside_births(births, model, tmp_path):
    """Measured from births, nine of ten admissions came out on the first and last day."""
    schema = infer_schema(births)
    assert [rule.sentence for rule in schema.rules] == ["born <= seen"]
    fitted = Synthesizer(schema, model).fit(births, seed=1)
    drawn = fitted.sample(1000, seed=2)
    assert (drawn.born <= drawn.seen).all()
    for name in ("born", "seen"):
        assert drawn[name].value_counts().iloc[0] <= 15
        quarters = births[name].quantile([0.25, 0.5, 0.75])
        shares = np.histogram(drawn[name].astype("int64"), [-(2**62), *quarters.astype("int64"), 2**62])[0] / 1000
        assert np.abs(shares - 0.25).max() < 0.08
    fitted.save(tmp_path / "model")
    pd.testing.assert_frame_equal(Synthesizer.load(tmp_path / "model").sample(50, seed=4), fitted.sample(50, seed=4))
