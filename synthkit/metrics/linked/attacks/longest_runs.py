"""Longest common runs: how many events in a row, equal in type, values and gaps, a unit shares with another."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from synthkit.metrics.linked.shared_runs import event_codes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from synthkit.metrics.linked.linked_side import LinkedSide

LONGEST_RUN = 32  # events from which on a longer run says nothing more
_FACTOR = np.uint64(0x9E3779B97F4A7C15)


def longest_common_runs(targets: LinkedSide, others: Sequence[LinkedSide]) -> list[NDArray[np.int64]]:
    """Length of each target's longest run of events that one unit of each of the others has too.

    Events of a run are equal in type, all values and the time since the event before; of the first the time does not
    count. **Shape**: m targets -> (m,) for each of the others, in [0, 32].
    """
    first, later = event_codes([targets, *others])
    lines = [side.timeline for side in (targets, *others)]
    found = [np.zeros(targets.size, dtype=np.int64) for _ in others]
    runs = [codes.astype(np.uint64) for codes in first]
    for length in range(1, LONGEST_RUN + 1):
        whole = [_within(line.unit, line.clock, length) for line in lines]
        mine = lines[0].unit[: len(whole[0])]
        shared = False
        for k, longest in enumerate(found, start=1):
            seen = np.isin(runs[0][whole[0]], np.unique(runs[k][whole[k]]))
            longest[mine[whole[0]][seen]] = length
            shared |= bool(seen.any())
        if not shared:
            break
        runs = [
            _mixed(run[:-1]) + codes[length:].astype(np.uint64) if len(run) > 1 else run[:0]
            for run, codes in zip(runs, later, strict=True)
        ]
    return found


def longest_run_scores(
    targets: LinkedSide, synthetic: LinkedSide, reference: LinkedSide, rng: np.random.Generator
) -> NDArray[np.float64]:
    """Longest run shared with a synthetic unit less the longest shared with one of the reference. **Shape**: (m,)."""
    drawn, known = longest_common_runs(targets, [synthetic, reference])
    return (drawn - known).astype(float)


def _within(unit: NDArray[np.intp], clock: NDArray[np.intp], length: int) -> NDArray[np.bool_]:
    """Which runs of so many events stay in one unit and on one clock. **Shape**: (events - length + 1,)."""
    many = max(len(unit) - length + 1, 0)
    return np.asarray((unit[:many] == unit[length - 1 :][:many]) & (clock[:many] == clock[length - 1 :][:many]))


def _mixed(codes: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Numbers that look random, so that different runs have one number once in 2^64.

    References:
        Fast Splittable Pseudorandom Number Generators (Steele, Lea & Flood, 2014), the finaliser.
    """
    z = (codes + np.uint64(1)) * _FACTOR
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.asarray(z ^ (z >> np.uint64(31)))
