"""Known events: an attacker knows when a few things happened to somebody, and looks for a synthetic unit with them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import sparse

from synthkit.metrics.linked.event_types import POSITION_CLOCK, clocks
from synthkit.metrics.stats.binning import discrete

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from synthkit.metrics.linked.linked_side import LinkedSide

KNOWN_EVENTS = 5  # that an attacker knows of each person; all of those who have fewer
DAYS_OF_MONTH, SECONDS_OF_DAY = 30.436875, 86_400
TIME_PARTS = 120  # of the range of a time that is counted in numbers
_HELD_OVERLAPS = 1 << 24


def event_facts(sides: Sequence[LinkedSide]) -> list[sparse.csr_matrix]:
    """Which facts are true of each unit: that something of a type happened in a month, whatever else is known of it.

    The type is that of the event, with its first column of levels where the table has no series. A time in numbers is
    kept where it is whole and its range at most 120, else cut into 120 parts; what has no time has its place.

    **Shape**: sides of m, s, ... units -> (m, f), (s, f), ... of nought and one.
    """
    codes = [_codes(side, sides[0]) for side in sides]
    every = np.concatenate(codes) if codes else np.zeros((0, 3))
    _, place = np.unique(every, axis=0, return_inverse=True)
    facts, width = np.split(place.ravel(), np.cumsum([len(each) for each in codes])[:-1]), int(place.max(initial=-1))
    return [_matrix(side.timeline.unit, fact, side.size, width + 1) for side, fact in zip(sides, facts, strict=True)]


def known_facts(facts: sparse.csr_matrix, k: int, rng: np.random.Generator) -> sparse.csr_matrix:
    """At most k facts of each unit, chosen at random. **Shape**: (m, f) -> (m, f)."""
    unit = np.repeat(np.arange(facts.shape[0]), np.diff(facts.indptr))
    order = np.lexsort((rng.random(len(unit)), unit))
    place = np.arange(len(unit)) - facts.indptr[unit[order]]
    kept = order[place < k]
    return _matrix(unit[kept], facts.indices[kept], *facts.shape)


def overlaps(known: sparse.csr_matrix, facts: sparse.csr_matrix) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Largest and mean share of each unit's known facts that are true of one other unit.

    **Shape**: (m, f), (s, f) -> (m,), (m,); nought for a unit of which nothing is known.
    """
    many = np.maximum(np.asarray(known.sum(axis=1)).ravel(), 1)
    best, mean = np.zeros(known.shape[0]), np.zeros(known.shape[0])
    step, others = max(1, _HELD_OVERLAPS // max(facts.shape[0], 1)), facts.T.tocsc()
    for start in range(0, known.shape[0], step):
        shared = (known[start : start + step] @ others).tocsr()
        best[start : start + step] = np.asarray(shared.max(axis=1).todense()).ravel()
        mean[start : start + step] = np.asarray(shared.mean(axis=1)).ravel()
    return best / many, mean / many


def known_event_scores(
    targets: LinkedSide, synthetic: LinkedSide, reference: LinkedSide, rng: np.random.Generator
) -> NDArray[np.float64]:
    """Best and mean share of five known events of each person that a synthetic unit has, less those of the reference.

    **Shape**: -> (m,).

    Args:
        targets: the people attacked.
        synthetic: units an attacker was given.
        reference: units of the population.
        rng: source of which events are known.
    """
    mine, drawn, others = event_facts([targets, synthetic, reference])
    known = known_facts(mine, KNOWN_EVENTS, rng)
    (best, mean), (best_known, mean_known) = overlaps(known, drawn), overlaps(known, others)
    return np.asarray(best - best_known + mean - mean_known)


def _codes(side: LinkedSide, first: LinkedSide) -> NDArray[np.float64]:
    """Type, level and month of every event. **Shape**: (events, 3)."""
    line, owners = side.timeline, list(side.schema.graph.owners)
    level = np.full(len(line.unit), -1.0)
    for k, name in enumerate(owners):
        columns = discrete(side.types.schemas[name])
        payload = [c for c in side.schema.tables[name].payload if c in columns]
        if payload and side.types.series[name] == 1:
            at = np.flatnonzero(line.table == k)
            level[at] = side.levels(name, payload[0])[line.row[at]]
    return np.stack([line.kind.astype(float), level, _month(side, first)], axis=1)


def _month(side: LinkedSide, first: LinkedSide) -> NDArray[np.float64]:
    """Month, part of the range of a time in numbers, or place. **Shape**: (events,)."""
    line, out = side.timeline, np.zeros(len(side.timeline.unit))
    for clock in set(clocks(side.schema).values()):
        at = line.clock == clock
        time, range_of = line.time[at], first.timeline.time[first.timeline.clock == clock]
        if clock == 0:
            out[at] = np.floor(time / SECONDS_OF_DAY / DAYS_OF_MONTH)
        elif clock < POSITION_CLOCK:
            spread = np.nanmax(range_of, initial=0) - np.nanmin(range_of, initial=np.inf) if len(range_of) else 0.0
            out[at] = np.floor(time if not spread > TIME_PARTS else time / spread * TIME_PARTS)
        else:
            out[at] = time
    return np.where(np.isnan(out), -np.inf, out)


def _matrix(unit: NDArray[np.intp], fact: NDArray[np.intp], size: int, width: int) -> sparse.csr_matrix:
    found = sparse.csr_matrix((np.ones(len(unit), dtype=np.float32), (unit, fact)), shape=(size, width))
    found.sum_duplicates()
    found.data[:] = 1.0
    return found
