"""Who takes part: independent coins of each step, a fair choice of the rows of each unit."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from synthkit.errors import ConfigError
from synthkit.privacy.mechanisms.unit_sampling import PoissonSampling, kept

FLAKE = 1e-6


def test_there_are_as_many_masks_as_steps_and_none_is_forced_to_hold_somebody():
    masks = list(PoissonSampling(rate=0.01, steps=300).masks(20))
    assert len(masks) == 300
    assert all(mask.shape == (20,) and mask.dtype == bool for mask in masks)
    empty = sum(not mask.any() for mask in masks)
    assert stats.binomtest(empty, 300, 0.99**20).pvalue > FLAKE


def test_the_same_sampling_gives_other_batches_each_time():
    sampling = PoissonSampling(rate=0.5, steps=1)
    first, second = next(sampling.masks(200)), next(sampling.masks(200))
    assert (first != second).any()


@pytest.mark.parametrize("rate", [0.0, -0.1, 1.5])
def test_a_rate_that_is_none_is_refused(rate):
    with pytest.raises(ConfigError, match=rf"must lie in \(0, 1\]; however: {rate} came"):
        PoissonSampling(rate=rate, steps=1)


def test_no_steps_are_refused():
    with pytest.raises(ConfigError, match="there must be a step; however: 0 were asked for"):
        PoissonSampling(rate=0.1, steps=0)


@given(st.lists(st.integers(-3, 3), max_size=30), st.integers(1, 4))
def test_each_unit_keeps_all_its_rows_or_as_many_as_it_may(units, most):
    mask = kept(np.array(units, np.int64), most)
    for unit in set(units):
        rows = np.array(units) == unit
        assert mask[rows].sum() == min(most, rows.sum())


def test_each_row_of_a_unit_is_as_likely_as_any_other():
    units = np.array([1, 0, 1, 1, 0, 2])
    counts = sum(kept(units, 1).astype(int) for _ in range(6000))
    assert counts[5] == 6000
    assert stats.chisquare(counts[[0, 2, 3]]).pvalue > FLAKE
    assert stats.chisquare(counts[[1, 4]]).pvalue > FLAKE


def test_the_choice_of_one_unit_says_nothing_of_the_choice_of_another():
    units = np.array([0, 0, 1, 1])
    masks = np.array([kept(units, 1) for _ in range(4000)])
    table = np.histogram2d(masks[:, 0], masks[:, 2], bins=2)[0]
    assert stats.chi2_contingency(table).pvalue > FLAKE


def test_keeping_no_row_is_refused():
    with pytest.raises(ConfigError, match="must be kept; however: at most 0"):
        kept(np.array([1]), 0)
