"""Gaps between values that are wider than chance: nothing lies there, so nothing is to be drawn there."""

from __future__ import annotations

import numpy as np

from synthkit.encoding.arrays import Bools, Floats, Ints, Numbers

GAP_NEIGHBOURS = 20  # values on one side, at most, by which a gap is judged
FEWEST = 4  # values on one side, at least
CHANCE = 1e-4  # of a gap of that width among values that are spread evenly
STEPS = 3.0  # a gap of fewer steps of the grid is none


def wide_gaps(values: Numbers, counts: Ints, step: float, rare: int, most: int) -> Bools:
    r"""Whether nothing lies between each value and the next, as far as its neighbours tell.

    Where values are spread evenly, k of them take a time that is Gamma(k) distributed, so that the gap after them is
    wider than w of their mean gaps with a chance of $(1 + w / k)^{-k}$. It is held against either side.
    **Shape**: (n,), (n,) -> (n - 1,).

    Args:
        values: distinct, in order.
        counts: rows of each.
        step: of the grid they lie on, 0 for none.
        rare: rows that must lie between two such gaps.
        most: how many gaps are told; the widest.

    References:
        Pyke: Spacings (1965).

    Example:
        >>> wide_gaps(np.array([1.0, 2, 3, 4, 5, 900, 901, 902, 903, 904]), np.ones(10, dtype=int), 1.0, 5, 8).nonzero()
        (array([4]),)
    """
    n = len(values)
    if n < 2 * FEWEST:
        return np.zeros(max(n - 1, 0), dtype=bool)
    x = values.astype(np.float64)
    gap = np.diff(x)
    before, after = _ratio(x, gap, step), _ratio(-x[::-1], gap[::-1], step)[::-1]
    ratio = np.where(gap > STEPS * step, np.maximum(before, after), 0.0)
    least = np.sort(ratio)[-most] if most < len(ratio) else 0.0
    return _parted((ratio > 1.0) & (ratio >= least), counts, rare)


def _ratio(x: Numbers, gap: Floats, step: float) -> Floats:
    """Width of each gap in parts of what chance allows after the values before it. **Shape**: (n,) -> (n - 1,)."""
    at = np.arange(len(gap))
    k = np.minimum(at, GAP_NEIGHBOURS)
    told = k >= FEWEST
    mean = np.maximum((x[at] - x[at - k]) / np.maximum(k, 1), step)  # far from 0 neighbours are the same float
    allowed = np.maximum(k, 1) * (CHANCE ** (-1 / np.maximum(k, 1)) - 1) * mean
    return np.where(told, gap / np.where(told, allowed, 1.0), 0.0)


def _parted(wide: Bools, counts: Ints, rare: int) -> Bools:
    """Those of the gaps between which there are rows enough. **Shape**: (n - 1,), (n,) -> (n - 1,)."""
    total, kept, last = np.cumsum(counts), np.zeros_like(wide), 0
    for i in np.flatnonzero(wide):  # gaps, not rows
        if total[i] - last >= rare and total[-1] - total[i] >= rare:
            kept[i], last = True, total[i]
    return kept
