"""Bins of equal width are those of numpy wherever numpy has an answer; levels are written with all their digits."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from synthkit.metrics.stats.binning import Binning, label, width_edges
from synthkit.schema import Numeric, Schema

finite = st.floats(-1e9, 1e9, allow_nan=False, allow_subnormal=False)


@given(x=st.lists(finite, min_size=1, max_size=30), bins=st.integers(1, 12))
def test_edges_of_equal_width_are_numpys(x: list[float], bins: int) -> None:
    """Or there are fewer of them, between the least and the largest value, where numpy refuses to cut."""
    found = width_edges(np.array(x), bins)
    try:
        wanted = np.histogram_bin_edges(x, bins=bins)[1:-1]
    except ValueError:
        assert len(found) < bins - 1
        return
    np.testing.assert_array_equal(found, wanted)


@pytest.mark.parametrize("x", [[2e17] * 3, [4.1e15, 4.1e15 + 1], [1.0, np.nextafter(1.0, 2.0)]])
def test_numbers_too_far_from_nought_to_be_cut_are_one_bin_or_few(x: list[float]) -> None:
    """Every value has a code, and different codes are in the order of the values."""
    schema = Schema(name="t", columns={"x": Numeric()})
    with np.errstate(all="raise"):
        binning = Binning.equal_width(pd.DataFrame({"x": x}), schema)
    codes = binning.codes(pd.DataFrame({"x": x}))[0]
    assert (codes < binning.cuts["x"].size - 3).all()
    assert (np.diff(codes) >= 0).all()


def test_a_code_keeps_its_digits() -> None:
    """As SNOMED has them; a number of a level is written as shortly as it can be."""
    assert [label(key) for key in (410620009.0, 71.0, -3.0, 0.25, "a")] == ["410620009", "71", "-3", "0.25", "a"]
