"""Audits of noise by themselves: their claims, and broken twins that `test_audits.py` does not put in their place.

That what is shipped loses what it claims, from both sides where the audit is tight, is tested there.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from synthkit.audit.noise_audits import (
    audit_bounds,
    audit_counts,
    audit_gradients,
    audit_levels,
    audit_quantiles,
    mu_of,
)
from synthkit.privacy.accounting.events import DiscreteGaussian, DiscreteLaplace, Gaussian
from synthkit.privacy.mechanisms.bounds import Bounds, LogBounds
from synthkit.privacy.mechanisms.noise import add_noise
from synthkit.privacy.mechanisms.quantiles import Edges, Quantiles
from synthkit.privacy.mechanisms.rng import gaussian
from synthkit.privacy.mechanisms.sparse_histogram import NoisyLevels, sparse_histogram, tell_levels

NOISES = [
    DiscreteLaplace(scale=1.0),
    DiscreteLaplace(scale=1.5, change=3),
    DiscreteGaussian(sigma=1.0),
    DiscreteGaussian(sigma=5.6, change=4, cells=2),
]
SPARSE = sparse_histogram(sigma=1.0, delta=0.06)
GRID = LogBounds(noise=DiscreteLaplace(scale=1.0), smallest=-4, largest=8)
BINS = Quantiles(low=0, high=1, parts=2, epsilon=1.0, cells=11)


def scaled(spent, factor):
    """The record of noise so many times as large."""
    name = "sigma" if hasattr(spent, "sigma") else "scale"
    return replace(spent, **{name: factor * getattr(spent, name)})


@pytest.mark.parametrize("spent", NOISES, ids=str)
def test_counts_with_half_the_noise_are_broken_and_with_twice_the_noise_loose(spent):
    half = audit_counts(spent, lambda counts, said: add_noise(counts, scaled(said, 0.5)), trials=4000)
    assert half.verdict == "broken"
    twice = audit_counts(spent, lambda counts, said: add_noise(counts, scaled(said, 2.0)), trials=15_000)
    assert twice.verdict == "loose"


@pytest.mark.parametrize(("sigma", "change", "cells"), [(10, 1, 1), (20, 3, 4), (9.5, 2, 3)])
def test_mu_of_much_noise_is_that_of_the_normal_law(sigma, change, cells):
    spent = DiscreteGaussian(sigma=sigma, change=change, cells=cells)
    assert mu_of(spent) == pytest.approx(change * np.sqrt(cells) / sigma, rel=1e-3)


def test_mu_of_little_noise_is_more():
    """sigma = 1: P(0) = 1 / (1 + 2 (e^-1/2 + e^-2 + e^-9/2 + ...)); a threshold of 1/2 shows twice its quantile."""
    middle = 1 / (1 + 2 * np.exp(-0.5 * np.arange(1, 9) ** 2).sum())
    assert mu_of(DiscreteGaussian(sigma=1.0)) == pytest.approx(2 * stats.norm.ppf(0.5 + middle / 2), rel=1e-6)


def test_counts_charged_for_one_cell_of_four_are_broken():
    """The usual slip: a unit moves more cells than the noise was made for."""
    one = DiscreteGaussian(sigma=1.0)
    four = audit_counts(replace(one, cells=4), lambda counts, said: add_noise(counts, one), trials=15_000)
    assert four.verdict == "holds"
    assert replace(four, claim=mu_of(one)).verdict == "broken"


@pytest.mark.parametrize("spent", [Gaussian(sensitivity=1.0, sigma=1.1), Gaussian(sensitivity=0.3, sigma=0.1)], ids=str)
def test_gradients_lose_between_four_fifths_and_all_of_the_claim(spent):
    assert audit_gradients(spent).verdict == "holds"


@pytest.mark.parametrize(("factor", "verdict"), [(0.5, "broken"), (0.9, "broken"), (2.0, "loose")])
def test_gradients_with_other_noise_are_flagged(factor, verdict):
    spent = Gaussian(sensitivity=1.0, sigma=1.1)
    assert audit_gradients(spent, lambda shape, scale: gaussian(shape, factor * scale)).verdict == verdict


def test_the_exaggerated_delta_is_nearly_used_up():
    assert 0.05 < SPARSE.failure <= 0.06


def test_levels_with_a_threshold_too_low_by_one_break_delta():
    def low(names, counts, said):
        return tell_levels(names, counts, replace(said, threshold=said.threshold - 1))

    delta, mu = audit_levels(SPARSE, low, trials=50_000)
    assert (delta.verdict, mu.verdict) == ("broken", "holds")


def test_levels_with_half_the_noise_break_mu():
    def quiet(names, counts, said):
        return tell_levels(names, counts, scaled(said, 0.5))

    assert audit_levels(SPARSE, quiet, trials=20_000)[1].verdict == "broken"


def test_levels_chosen_by_their_exact_counts_break_mu():
    """Noise on the counts that are told, but none on the choice of what is told."""

    def exact(names, counts, said):
        many = counts >= said.threshold
        told = [name for name, is_told in zip(names, many, strict=True) if is_told]
        noisy = add_noise(counts[many], DiscreteGaussian(sigma=said.sigma)).values
        return NoisyLevels(names=tuple(told), counts=noisy, spent=said)

    delta, mu = audit_levels(SPARSE, exact, trials=30_000)
    assert (delta.measured, delta.verdict) == (0, "loose")
    assert mu.verdict == "broken"


def test_bounds_from_data_are_broken():
    def exact(values):
        return Bounds(low=values.min(), high=values.max(), spent=GRID.noise)

    assert audit_bounds(GRID, exact, trials=1000).verdict == "broken"


def test_bounds_with_normal_noise_are_measured_in_mu():
    finding = audit_bounds(LogBounds(noise=DiscreteGaussian(sigma=1.0), smallest=-4, largest=8), trials=1000)
    assert (finding.measure, finding.verdict) == ("mu", "holds")


def test_quantiles_from_data_are_broken():
    def exact(values):
        cells = np.clip(np.searchsorted(BINS.grid, np.quantile(values, 0.5, method="lower")), 1, 10)
        return Edges(values=BINS.grid[[0, int(cells), 11]], spent=BINS.charge("x").spent, times=1)

    assert audit_quantiles(BINS, exact, trials=2000).verdict == "broken"
