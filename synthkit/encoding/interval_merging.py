"""Runs of neighbouring values that are joined to intervals, none of them about too few rows."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]


def runs(cell: Ints, side: Ints, counts: Ints, rare: int) -> tuple[Ints, Ints]:
    """First and last value of each interval: cells joined, within one side of the cuts, until they are not rare."""
    firsts: list[int] = []
    lasts: list[int] = []
    starts = np.flatnonzero(np.diff(cell, prepend=cell[:1] - 1))
    for start, end in zip(starts, [*(starts[1:] - 1), len(cell) - 1], strict=True):  # cells, not rows
        same = bool(firsts) and lasts[-1] == start - 1 and side[firsts[-1]] == side[start]
        thin = same and counts[firsts[-1] : lasts[-1] + 1].sum() < rare
        last_of_side = end == len(cell) - 1 or side[end + 1] != side[end]
        if thin or (same and last_of_side and counts[start : end + 1].sum() < rare):
            lasts[-1] = int(end)
        else:
            firsts.append(int(start))
            lasts.append(int(end))
    kept = [(a, b) for a, b in zip(firsts, lasts, strict=True) if counts[a : b + 1].sum() >= rare]
    return np.array([a for a, _ in kept], dtype=np.int64), np.array([b for _, b in kept], dtype=np.int64)
