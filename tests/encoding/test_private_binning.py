"""Public cells: a partition of the domain; noisy counts averaged, made non-negative, and grouped."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize

from synthkit.encoding import private_binning
from synthkit.encoding.coding import Coding
from synthkit.privacy.accounting.events import DiscreteGaussian
from synthkit.privacy.mechanisms.bounds import LogBounds


def counted(cells, x):
    """Rows in each cell, by comparing with every cell: points first, then half-open intervals."""
    points = cells.low == cells.high
    at = (x[:, None] == cells.low[None, points]).any(axis=1)
    inside = (cells.low[None, :] <= x[:, None]) & (x[:, None] < cells.high[None, :])
    out = inside[~at].sum(axis=0)
    out[points] = (x[:, None] == cells.low[None, points]).sum(axis=0)
    return out


@given(
    st.integers(-5000, 5000),
    st.integers(1, 200_000),
    st.sampled_from([0, 1, 3, None]),
    st.lists(st.floats(0, 1), max_size=3),
)
def test_every_value_of_the_domain_is_in_exactly_one_cell(low, width, decimals, spikes):
    digits = 6 if decimals is None else decimals
    low, high = round(low / 10, digits), round((low + width) / 10, digits)
    if decimals is not None and high - low < 10.0**-decimals:
        high = round(low + 10.0**-decimals, decimals)
    values = np.round(low + (high - low) * np.random.default_rng(0).random(200), digits)
    values = np.concatenate([np.clip(values, low, high), [low, high]])
    atoms = tuple(round(low + s * (high - low), digits) for s in spikes)
    cells = private_binning.grid(low, high, decimals=decimals, atoms=atoms, bounds=(low, high))
    assert counted(cells, values).sum() == len(values)
    assert (np.bincount(cells.cells(values), minlength=len(cells.low)) == counted(cells, values)).all()
    cat, num = cells.encode(values)
    back = cells.decode(cat, num)
    assert ((back >= low) & (back <= high)).all()


def test_cells_do_not_straddle_cuts():
    cells = private_binning.grid(0.0, 1e6, cuts=(12.5, 700.0))
    assert {12.5, 700.0} <= set(cells.low)


def test_the_cells_depend_on_the_declaration_alone():
    one, two = (private_binning.grid(0, 1e5, decimals=0, atoms=(0.0, 99999.0)) for _ in range(2))
    assert (one.low == two.low).all()
    assert (one.high == two.high).all()
    assert not one.mass.any()


def test_averaging_keeps_the_sum_and_comes_nearer_to_the_truth():
    rng = np.random.default_rng(3)
    truth = np.concatenate([np.full(100, 20.0), np.full(60, 300.0), np.zeros(96)])
    far, near = [], []
    for _ in range(50):
        noisy = truth + rng.normal(0, 30, len(truth))
        smooth = private_binning.denoised(noisy, 30.0)
        assert smooth.sum() == pytest.approx(noisy.sum())
        far.append(np.square(noisy - truth).mean())
        near.append(np.square(smooth - truth).mean())
    assert np.mean(near) < 0.25 * np.mean(far)
    assert (private_binning.denoised(noisy, 0.0) == noisy).all()
    assert len(private_binning.denoised(np.empty(0), 1.0)) == 0


def test_a_spike_is_not_averaged_away():
    counts = np.zeros(64)
    counts[17] = 900.0
    assert private_binning.denoised(counts + np.random.default_rng(0).normal(0, 20, 64), 20.0)[17] > 800


@pytest.mark.parametrize("counts", [(-2.0, 13.0, *3 * (-11 / 3,)), (0.1, 0.2, -0.3), (1e9, -1e9 + 1e-7)])
def test_a_sum_that_rounding_alone_leaves_is_projected_to_next_to_nothing(counts):
    """Sums of a few ulps: no count is above what would be taken of all."""
    found = private_binning.projected(np.array(counts))
    assert (found >= 0).all()
    assert found.sum() <= 1e-6


@given(st.lists(st.floats(-50, 50), min_size=1, max_size=6))
def test_the_projection_is_the_nearest_point(counts):
    counts = np.array(counts)
    found = private_binning.projected(counts)
    total = counts.sum()
    assert (found >= 0).all()
    assert found.sum() == pytest.approx(max(total, 0.0), abs=1e-6)
    if total > 1e-3:
        best = minimize(
            lambda x: np.square(x - counts).sum(),
            np.full(len(counts), total / len(counts)),
            jac=lambda x: 2 * (x - counts),
            bounds=[(0, None)] * len(counts),
            constraints=[{"type": "eq", "fun": lambda x: x.sum() - total}],
            method="SLSQP",
        )
        assert np.square(found - counts).sum() <= best.fun + 1e-4


def test_empty_runs_become_one_interval_and_groups_are_equally_heavy():
    cells = private_binning.grid(0, 400, decimals=0, missing=True)
    counts = np.zeros(402, dtype=np.int64)
    counts[:40] = 50
    counts[90] = 4000
    counts[-1] = 7
    codec = private_binning.binned_codec(cells, counts, 0.0, coding=Coding(exact=24, coarse=10, fine=256))
    assert codec.missing == 7
    assert int(codec.mass.sum()) == 6000
    wide = codec.high - codec.low
    assert sorted(wide[wide > 0]) == [50.0, 310.0]  # 40 to 89 and 91 to 400
    sizes = np.bincount(codec.group, weights=codec.mass)
    assert sizes.max() == 4000
    assert codec.levels <= 16
    x = np.arange(401.0)
    assert (np.abs(codec.decode(*codec.encode(x)) - x) <= np.maximum(wide[codec.cells(x)], 0)).all()


def test_a_column_of_noise_alone_keeps_all_cells():
    cells = private_binning.grid(0, 9, decimals=0)
    codec = private_binning.binned_codec(cells, np.full(10, -4, dtype=np.int64), 2.0)
    assert codec.mass.tolist() == [1] * 10


def test_a_spike_in_noise_alone_leaves_all_other_cells():
    """Joined to one interval, what little lies in them would be drawn evenly between the bounds."""
    cells = private_binning.grid(0, 20_000, atoms=(0.0,))
    counts = np.full(len(cells.low), -4, dtype=np.int64)
    counts[cells.low == cells.high] = 300
    codec = private_binning.binned_codec(cells, counts, 80.0, coding=Coding(coarse=14, fine=256))
    assert len(codec.low) == len(cells.low)
    assert set(codec.mass[codec.low < codec.high]) == {1}


def test_groups_do_not_straddle_cuts():
    cells = private_binning.grid(0, 100_000, decimals=0, cuts=(500.0,))
    codec = private_binning.binned_codec(
        cells, np.ones(len(cells.low), dtype=np.int64), 0.0, cuts=(500.0,), coding=Coding(coarse=4)
    )
    below = codec.low < 500
    assert not set(codec.group[below]) & set(codec.group[~below])


def _pairs():
    """All pairs of bounds that the logarithmic grid can return, and those around zero."""
    edges = LogBounds(noise=DiscreteGaussian(sigma=1.0)).edges
    ends = np.unique(np.concatenate([edges, [0.0]]))
    return [(float(a), float(b)) for k, a in enumerate(ends) for b in ends[k + 1 :]]


@pytest.mark.parametrize("decimals", [0, 1, 2, 5, 15, None])
def test_bounds_that_were_found_hold_a_value_whatever_they_are(decimals):
    """Between 2 ** -20 and 2 ** -19 lies no whole number: 9 of 60 fits ended there."""
    for low, high in _pairs():
        a, b = private_binning.bounded((low, high), (-math.inf, math.inf), decimals)
        assert a <= low < high <= b
        if decimals is not None:
            assert private_binning.values(a, b, decimals) >= 2
            assert max(low - a, b - high) <= 10.0**-decimals * (1 + 1e-9)


@pytest.mark.parametrize("decimals", [0, 2, None])
def test_bounds_that_were_found_do_not_cross_those_declared(decimals):
    pairs = _pairs()[::13]
    for known in (-1e6, -0.5, 0.0, 0.3, 7.0, 1e15):
        for found in pairs:
            low, high = private_binning.bounded(found, (known, math.inf), decimals)
            assert low == known < high
            low, high = private_binning.bounded(found, (-math.inf, known), decimals)
            assert low < known == high


@pytest.mark.parametrize("decimals", [0, 2, 15, None])
def test_cells_between_bounds_that_were_found_hold_what_lies_between_them(decimals):
    rng = np.random.default_rng(0)
    for found in _pairs()[::97]:
        low, high = private_binning.bounded(found, (-math.inf, math.inf), decimals)
        cells = private_binning.grid(low, high, decimals=decimals, bounds=(low, high))
        x = rng.uniform(low, high, 20)
        x = np.clip(x if decimals is None else np.round(x, decimals), low, high)
        codec = private_binning.binned_codec(cells, np.bincount(cells.cells(x), minlength=len(cells.low)), 0.0)
        back = codec.decode(*codec.encode(x))
        assert ((low <= back) & (back <= high)).all()
