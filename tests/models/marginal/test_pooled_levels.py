"""Levels told together: what their own counts say, and tables that tell them once more."""

from __future__ import annotations

import numpy as np
import pytest

from synthkit.encoding.slot_counts import MeasuredCounts
from synthkit.models.marginal.pooled_levels import Pooled

TRUTH = np.array([[4000, 2000, 1000], [300, 600, 900]])


def test_tables_that_tell_the_same_levels_make_them_surer():
    """The error of the mean is that of its variance, and smaller than either alone."""
    rng, errors, own, sums = np.random.default_rng(0), [], [], []
    for _ in range(400):
        single = MeasuredCounts(
            scope=(0,), counts=np.rint(TRUTH.sum(axis=1) + 50 * rng.standard_normal(2)).astype(int), sigma=50.0
        )
        table = MeasuredCounts(
            scope=(0, 1), counts=np.rint(TRUTH + 20 * rng.standard_normal((2, 3))).astype(int), sigma=20.0
        )
        found = Pooled.of(single).beside([table])
        errors.append(found.told.counts - TRUTH.sum(axis=1))
        own.append(single.counts - TRUTH.sum(axis=1))
        sums.append(table.counts.sum(axis=1) - TRUTH.sum(axis=1))
    expected = (1 / 50**2 + 1 / (3 * 20**2)) ** -0.5
    assert found.told.sigma == pytest.approx(expected)
    assert np.std(errors) == pytest.approx(expected, rel=0.1)
    assert np.std(errors) < min(np.std(own), np.std(sums))


def test_exact_counts_stay_as_they_are():
    exact = Pooled.of(MeasuredCounts(scope=(0,), counts=TRUTH.sum(axis=1), sigma=0.0))
    assert exact.beside([MeasuredCounts(scope=(0, 1), counts=TRUTH, sigma=0.0)]) is exact
    noisy = Pooled.of(MeasuredCounts(scope=(0,), counts=TRUTH.sum(axis=1), sigma=1.0))
    assert noisy.beside([]) is noisy
