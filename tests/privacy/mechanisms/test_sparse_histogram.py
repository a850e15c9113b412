"""Levels nobody declared: thresholds from the exact tail, and how often a rare level is told in truth."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from synthkit.errors import ConfigError
from synthkit.privacy.accounting.events import DiscreteGaussian, SparseHistogram
from synthkit.privacy.mechanisms.noise import tail
from synthkit.privacy.mechanisms.sparse_histogram import sparse_histogram, tell_levels

FLAKE = 1e-6


@given(st.floats(0.2, 90), st.floats(1e-12, 0.2))
def test_the_threshold_is_the_lowest_that_keeps_delta(sigma, delta):
    record = sparse_histogram(sigma=sigma, delta=delta)
    assert record.sigma == sigma
    assert record.failure <= delta
    lower = tail(DiscreteGaussian(sigma=sigma), max(record.threshold - 2, 1))
    assert record.threshold == 2 or lower > delta * (1 - 1e-9)


def test_a_threshold_worked_by_hand():
    """sigma = 1: P[Z >= 5] is near e^-12.5 / 2.507 = 1.5e-6, and P[Z >= 6] near e^-18 / 2.507 = 6e-9."""
    assert sparse_histogram(sigma=1.0, delta=1e-6).threshold == 7
    assert sparse_histogram(sigma=1.0, delta=2e-6).threshold == 6


def test_a_level_of_one_unit_is_told_as_often_as_the_record_says():
    """An exaggerated delta, to be seen; many such levels at once are many trials."""
    record = sparse_histogram(sigma=2.0, delta=0.05)
    names = [str(k) for k in range(40_000)]
    told = tell_levels(names, np.ones(40_000, np.int64), record)
    assert stats.binomtest(len(told.names), 40_000, record.failure).pvalue > FLAKE
    assert (told.counts >= record.threshold).all()
    assert (told.counts == record.threshold).any()


def test_usual_levels_are_told_in_sorted_order_with_counts_near_the_truth():
    record = sparse_histogram(sigma=5.0, delta=1e-6)
    told = tell_levels(["z", "once", "a", "m"], np.array([700, 1, 500, 900]), record)
    assert told.names == ("a", "m", "z")
    assert (np.abs(told.counts - [500, 900, 700]) < 60).all()
    assert told.spent is record


def test_nothing_occurs_nothing_is_told():
    told = tell_levels([], np.zeros(0, np.int64), SparseHistogram(sigma=1.0, threshold=2))
    assert told.names == ()
    assert told.counts.shape == (0,)


@pytest.mark.parametrize(("names", "counts"), [(["a", "a"], [1, 2]), (["a"], [0]), (["a", "b"], [1])])
def test_levels_that_were_not_counted_are_refused_without_naming_them(names, counts):
    with pytest.raises(ConfigError, match="must be distinct, each with a positive count; however: they are not"):
        tell_levels(names, np.array(counts), SparseHistogram(sigma=1.0, threshold=9))


@pytest.mark.parametrize("delta", [0.0, 1.0, -1e-6, float("nan")])
def test_a_delta_that_is_none_is_refused(delta):
    with pytest.raises(ConfigError, match=r"delta must lie in \(0, 1\); however"):
        sparse_histogram(sigma=1.0, delta=delta)


@pytest.mark.parametrize("sigma", [0.0, -1.0, float("inf"), float("nan")])
def test_a_sigma_that_is_none_is_refused(sigma):
    with pytest.raises(ConfigError, match="`sigma` of discrete-gaussian must be a finite number above 0; however"):
        sparse_histogram(sigma=sigma, delta=1e-6)
