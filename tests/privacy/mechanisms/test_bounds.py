"""Bounds nobody declared: cells of powers of two, found where rows are many, blind to one strange row."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from synthkit.errors import ConfigError
from synthkit.privacy.accounting.charge import Charge
from synthkit.privacy.accounting.events import DiscreteGaussian, DiscreteLaplace
from synthkit.privacy.mechanisms.bounds import LogBounds

NOISE = DiscreteLaplace(scale=1.0)
SILENT = DiscreteLaplace(scale=0.001)  # its noise is 0 in all but e^-1000 of the draws


@given(st.floats(allow_nan=False), st.integers(-30, 5), st.integers(1, 60))
def test_each_number_is_in_the_cell_whose_edges_hold_it(value, smallest, width):
    grid = LogBounds(noise=NOISE, smallest=smallest, largest=smallest + width)
    (cell,) = np.flatnonzero(grid.counts(np.array([value])))
    clipped = min(max(value, grid.edges[0]), grid.edges[-1])
    assert grid.edges[cell] <= clipped <= grid.edges[cell + 1]


@pytest.mark.parametrize(
    ("value", "low", "high"),
    [(3.0, 2, 4), (4.0, 2, 4), (4.001, 4, 8), (-3.0, -4, -2), (-4.0, -4, -2), (0.5, 0.25, 0.5), (0.0, 0, 2**-20)],
)
def test_bounds_worked_by_hand(value, low, high):
    found = LogBounds(noise=SILENT, miss=0.5).draw(np.full(9, value))
    assert (found.low, found.high) == (low, high)


def test_zeros_are_a_bound_and_not_a_power_of_two():
    noise = LogBounds(noise=SILENT)
    assert noise.draw(np.repeat([0.0, 5.0], 9)).low == 0.0
    assert noise.draw(np.repeat([0.0, -5.0], 9)).high == 0.0


def test_missing_numbers_are_left_out_and_infinite_ones_are_beyond():
    found = LogBounds(noise=SILENT, largest=10).draw(np.repeat([np.nan, 3.0, np.inf, -np.inf], 5))
    assert (found.low, found.high) == (-1024, 1024)


@pytest.mark.parametrize("noise", [NOISE, DiscreteGaussian(sigma=3.0)], ids=str)
def test_one_strange_row_moves_no_bound(noise):
    """The grid would show it in a thousandth of the draws, by chance of the noise alone."""
    values = np.repeat([20.0, 90.0], 2000)
    grid = LogBounds(noise=noise, miss=1e-7)
    for table in (values, np.append(values, 1e9)):
        found = grid.draw(table)
        assert (found.low, found.high) == (16, 128)
        assert found.spent is noise


def test_an_empty_column_still_has_bounds():
    found = LogBounds(noise=NOISE).draw(np.zeros(0))
    assert -math.inf < found.low < found.high < math.inf


def test_an_empty_grid_reaches_the_level_as_seldom_as_asked():
    """1 - (1 - tail)^cells, by the closed form of the noise."""
    grid = LogBounds(noise=DiscreteLaplace(scale=5.0), miss=0.01)
    a, cells = math.exp(-1 / 5), 121
    assert len(grid.edges) == cells + 1
    assert cells * a**grid.level / (1 + a) <= 0.01 < cells * a ** (grid.level - 1) / (1 + a)


def test_the_price_is_known_before_the_draw():
    assert LogBounds(noise=NOISE).charge("bounds of age") == Charge(what="bounds of age", spent=NOISE)


@pytest.mark.parametrize(
    ("noise", "moved"), [(DiscreteLaplace(scale=1.0, change=2), 2), (DiscreteGaussian(sigma=1.0, cells=3), 3)]
)
def test_noise_for_more_than_one_row_is_refused(noise, moved):
    with pytest.raises(ConfigError, match=f"must bring one row; however: the noise is for {moved}"):
        LogBounds(noise=noise)


def test_exponents_that_do_not_rise_are_refused():
    with pytest.raises(ConfigError, match="exponents must rise; however: they run from 3 to 3"):
        LogBounds(noise=NOISE, smallest=3, largest=3)


@pytest.mark.parametrize("miss", [0.0, 1.0])
def test_a_miss_that_is_no_probability_is_refused(miss):
    with pytest.raises(ConfigError, match=rf"`miss` must lie in \(0, 1\); however: {miss} came"):
        LogBounds(noise=NOISE, miss=miss)
