"""What is told of a unit is the same to the last bit, whoever stands before it."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from synthkit.encoding.units.exact_terms import SUM_GRID, exact_terms
from synthkit.encoding.units.row_ranks import RowRanks, TableRanks
from synthkit.encoding.units.running_means import RunningMeans

MEANS = RunningMeans(
    numbers=np.zeros((2, 3), dtype=np.int64), levels=np.zeros((1, 3), dtype=np.int64), shares=np.ones(1)
)
NO_RANKS = TableRanks(
    slots=np.arange(2), series=None, group=np.zeros(1, int), rows=np.ones(1), ranks=np.zeros((2, 1, 3))
)


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 40), st.integers(1, 40))
def test_means_of_a_unit_do_not_know_who_stands_before_it(seed, before, own):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(before + own, 3)) * 10.0 ** rng.integers(-3, 4, (before + own, 1))
    some = rng.random(x.shape) < 0.7
    begin = np.r_[np.zeros(before, int), np.full(own, before)]
    alone = MEANS.before(x[before:], some[before:], np.zeros(own, dtype=int))
    assert np.array_equal(MEANS.before(x, some, begin)[before:], alone)


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 40), st.integers(1, 40))
def test_nor_do_means_of_a_series(seed, before, own):
    rng = np.random.default_rng(seed)
    ranks = rng.normal(size=(before + own, 2))
    twin = np.r_[-1, np.arange(before - 1), -1, np.arange(before, before + own - 1)]
    told = RowRanks(tables=(NO_RANKS,))
    whole = told.echoes(ranks, twin, np.arange(before + own))[before:]
    alone = told.echoes(ranks[before:], np.where(twin[before:] < 0, -1, twin[before:] - before), np.arange(own))
    assert np.array_equal(whole, alone)


def test_terms_are_as_near_as_the_grid():
    x = np.random.default_rng(1).normal(size=1000)
    assert np.abs(exact_terms(x) - x).max() <= 0.5 / SUM_GRID
    assert np.array_equal(exact_terms(np.array([True, False])), [1.0, 0.0])
