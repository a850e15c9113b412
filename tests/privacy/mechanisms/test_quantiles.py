"""Edges of bins: near numpy's quantiles, between the declared bounds, at the price of a few choices."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from synthkit.errors import ConfigError
from synthkit.privacy.accounting.charge import Charge
from synthkit.privacy.accounting.events import ReportNoisyMax
from synthkit.privacy.mechanisms.quantiles import Quantiles

SURE = 1e6  # an epsilon whose noise changes nothing


@pytest.mark.parametrize("parts", [2, 3, 7, 16])
def test_without_noise_to_speak_of_edges_are_quantiles(parts):
    values = np.random.default_rng(3).normal(size=20_001)
    edges = Quantiles(low=-6, high=6, parts=parts, epsilon=SURE, cells=6000).draw(values).values
    assert len(edges) == parts + 1
    assert np.allclose(edges[1:-1], np.quantile(values, np.arange(1, parts) / parts), atol=0.006)


def test_bins_of_a_budget_hold_about_as_many_rows():
    """Rank errors stay below 2 levels^2 (ln cells + ln 1e6) / epsilon per level, the bound of the exponential law."""
    n, parts, epsilon = 30_000, 16, 1.0
    values = np.random.default_rng(3).gamma(2.0, size=n)
    bins = Quantiles(low=0, high=30, parts=parts, epsilon=epsilon)
    edges = bins.draw(values).values
    ranks = np.searchsorted(values := np.sort(values), edges[1:-1])
    bound = bins.levels * 2 * bins.levels / epsilon * (np.log(1024) + np.log(1e6))
    grain = max(np.histogram(values, bins=bins.grid)[0])
    assert (np.abs(ranks - n * np.arange(1, parts) / parts) < bound + bins.levels * grain).all()


@given(st.integers(2, 12), st.integers(0, 40), st.integers(12, 60))
def test_edges_rise_on_the_grid_between_the_bounds_whatever_comes(parts, n, cells):
    values = np.random.default_rng(n).choice([np.nan, -1e9, 0.0, 0.3, 1e9, np.inf], n)
    bins = Quantiles(low=-2, high=1, parts=parts, epsilon=1.0, cells=cells)
    edges = bins.draw(values).values
    assert edges[0] == -2
    assert edges[-1] == 1
    assert (np.diff(edges) > 0).all()
    assert np.isin(edges, bins.grid).all()
    assert len(edges) <= parts + 1


def test_the_price_is_a_choice_a_level_and_the_same_for_all_shares():
    """Widths of the losses add up to epsilon; 5 parts take 3 levels, as 8 do."""
    bins = Quantiles(low=0, high=1, parts=5, epsilon=0.75)
    charge = bins.charge("bins of age")
    assert charge == Charge(what="bins of age", spent=ReportNoisyMax(sensitivity=1.0, scale=8.0), times=3)
    assert charge.times * charge.spent.width == 0.75
    edges = bins.draw(np.zeros(3))
    assert (edges.spent, edges.times) == (charge.spent, charge.times)


@pytest.mark.parametrize("share", [1 / 2, 1 / 3, 2 / 5])
def test_a_row_moves_no_score_by_more_than_its_sensitivity(share):
    """Brute force over all small tables: a row more, below or above the edge."""
    for m in range(6):
        for below in range(m + 1):
            score = -abs(below - share * m)
            for more in (0, 1):
                assert abs(score + abs(below + more - share * (m + 1))) <= max(share, 1 - share) + 1e-12


def test_ages_of_patients_are_cut_at_their_quantiles():
    if "SYNTHKIT_DATA" not in os.environ:
        pytest.skip("SYNTHKIT_DATA is not set")
    import pandas as pd

    path = next(Path(os.environ["SYNTHKIT_DATA"]).glob("adult/*train*.parquet"))
    ages = pd.read_parquet(path, columns=["age"])["age"].to_numpy(float)
    edges = Quantiles(low=0, high=128, parts=8, epsilon=1.0, cells=128).draw(ages).values
    exact = np.quantile(ages, np.arange(1, 8) / 8)
    assert np.abs(edges[1:-1] - exact).max() <= 2


@pytest.mark.parametrize(("low", "high"), [(1, 1), (2, 1), (0, float("inf")), (float("nan"), 1)])
def test_bounds_that_do_not_rise_are_refused(low, high):
    with pytest.raises(ConfigError, match="bounds must be finite and rise; however"):
        Quantiles(low=low, high=high, parts=2, epsilon=1.0)


@pytest.mark.parametrize(("parts", "cells"), [(1, 10), (11, 10)])
def test_parts_that_fit_no_grid_are_refused(parts, cells):
    with pytest.raises(ConfigError, match=f"however: {parts} parts and {cells} cells were asked for"):
        Quantiles(low=0, high=1, parts=parts, epsilon=1.0, cells=cells)


@pytest.mark.parametrize("epsilon", [0.0, -1.0, float("inf")])
def test_an_epsilon_that_is_none_is_refused(epsilon):
    with pytest.raises(ConfigError, match=f"epsilon must be positive and finite; however: {epsilon} came"):
        Quantiles(low=0, high=1, parts=2, epsilon=epsilon)
