"""Where the cells of a number begin and end, and which of them share a coarse level; no two sides of a cut together."""

from __future__ import annotations

import numpy as np

from synthkit.encoding.arrays import Bools, Ints, Numbers
from synthkit.encoding.coding import Coding
from synthkit.encoding.interval_merging import runs
from synthkit.encoding.wide_gaps import wide_gaps


def point_floor(counts: Ints, coding: Coding) -> int:
    """Smallest count that makes a value a point, such that points take at most half of all cells."""
    room = coding.coarse * coding.fine // 2
    if (counts >= coding.rare).sum() <= room:
        return coding.rare
    return int(np.sort(counts)[-room])


def intervals(
    values: Numbers, counts: Ints, unit: float, cuts: tuple[float, ...], coding: Coding, points: int
) -> tuple[Numbers, Numbers]:
    """Intervals of about equal mass over the values that are no points, none of them about fewer than `rare` rows.

    Values too few for an interval get none: they are coded as the nearest cell, so that no lone value is released.
    Only a column without any point keeps one all the same. Neighbours share an edge, unless nothing lies between them.
    `unit` is how far values of a grid are apart, 0 off a grid.
    """
    if not len(values):
        return values[:0], values[:0]
    room = max(coding.coarse * coding.fine - points, coding.coarse)
    wanted = int(np.clip(counts.sum() // coding.per_cell, 1, room))
    at = (np.cumsum(counts) - counts) * wanted // counts.sum()  # equal mass, ties together
    step = values.dtype.type(unit)
    gaps = wide_gaps(values, counts, float(step), coding.rare, coding.coarse // 2)
    side = np.searchsorted(np.sort(np.array(cuts)), values, side="right") + np.cumsum([False, *gaps])
    first, last = runs(at * (side[-1] + 1) + side, side, counts, coding.rare)
    if not len(first):
        if points:
            return values[:0], values[:0]
        first, last = np.array([0]), np.array([len(values) - 1])
    low, high = values[first], values[last]
    high[:] = high + step if step else np.nextafter(high, np.inf)
    adjoin = np.flatnonzero(first[1:] == last[:-1] + 1)  # neighbours share an edge; absorbed values leave a hole
    adjoin = adjoin[~gaps[last[adjoin]]]
    before, after = values[last[adjoin]], values[first[adjoin + 1]]
    middle = after if step else np.where((before + after) / 2 <= before, after, (before + after) / 2)
    low[adjoin + 1] = high[adjoin] = _on_cuts(middle, before, after, cuts)
    return low, high


def _on_cuts(edges: Numbers, before: Numbers, after: Numbers, cuts: tuple[float, ...]) -> Numbers:
    """Edges moved onto a cut that lies between the same two values."""
    for cut in cuts:
        edges = np.where((before < cut) & (cut <= after), cut, edges)
    return edges


def coarse_levels(low: Numbers, mass: Ints, alone: Bools, cuts: tuple[float, ...], coding: Coding) -> Ints:
    """Coarse level of each cell: heavy points alone, the rest in runs of equal mass, at most `fine` cells each."""
    target = mass[~alone].sum() / coding.coarse
    side = np.searchsorted(np.sort(np.array(cuts)), low, side="right")
    group = np.zeros(len(low), dtype=np.int64)
    level, filled, cells = -1, 0.0, 0
    for k in range(len(low)):  # at most coarse * fine cells: not rows
        new = (
            k == 0
            or alone[k]
            or alone[k - 1]
            or side[k] != side[k - 1]
            or cells >= coding.fine
            or filled + mass[k] / 2 > target
        )
        if new:
            level, filled, cells = level + 1, 0.0, 0
        group[k] = level
        filled += float(mass[k])
        cells += 1
    return group
