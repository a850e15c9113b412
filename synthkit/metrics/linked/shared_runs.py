"""Copying of histories: runs of five equal events that a synthetic unit shares with a training unit."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from synthkit.metrics.linked.linked_metric import LinkedMetricSpec
from synthkit.metrics.metric import MetricLabel
from synthkit.metrics.result import Score
from synthkit.metrics.stats import intervals

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from synthkit.metrics.linked.linked_evaluation_data import LinkedEvaluationData
    from synthkit.metrics.linked.linked_side import LinkedSide
    from synthkit.metrics.result import Scored

RUN_LENGTH = 5  # equal events that make a run


def shared_runs(comparison: LinkedEvaluationData, rng: np.random.Generator) -> Scored:
    """Share of synthetic units with a run of five events that a training unit has too, beside the holdout's share.

    Events are equal if their type, all their values and the time since the event before are; of the first of a run the
    time does not count. A diagnostic: runs of the commonest events are shared without any copying, which the holdout's
    share shows.
    """
    sides = [comparison.drawn, comparison.real, comparison.known]
    if all(side.timeline.unit.size == 0 for side in sides):
        return [], {}
    runs = _runs(sides)
    seen = np.unique(runs[2][1])
    sharing = [np.unique(units[np.isin(codes, seen)]) for units, codes in runs[:2]]
    able = [np.unique(units) for units, _ in runs[:2]]
    at = intervals.wilson(len(sharing[0]), sides[0].size)
    held = len(sharing[1]) / sides[1].size
    score = Score(
        metric="copying.shared_runs",
        value=at.value,
        low=at.low,
        high=at.high,
        goal="low",
        reference=held,
        parts={
            "units with five events, synthetic": len(able[0]) / sides[0].size,
            "units with five events, holdout": len(able[1]) / sides[1].size,
        },
        note=f"Share of synthetic units with a run of {RUN_LENGTH} events equal in type, values and gaps to one of a "
        "training unit; the reference is the share of held-out units. Wilson interval of units.",
    )
    return [score], {}


def _runs(sides: list[LinkedSide]) -> list[tuple[NDArray[np.intp], NDArray[np.int64]]]:
    """Unit and code of each run of five events; equal codes are equal runs, on all sides."""
    first, later = event_codes(sides)
    units = [side.timeline.unit for side in sides]
    two = _pairs([each[:-1] for each in later], [each[1:] for each in later])
    four = _pairs([each[:-2] for each in two], [each[2:] for each in two])
    runs = _pairs([each[: max(len(each) - RUN_LENGTH + 1, 0)] for each in first], [each[1:] for each in four])
    found = []
    for unit, codes in zip(units, runs, strict=True):
        whole = unit[: len(codes)] == unit[RUN_LENGTH - 1 :][: len(codes)]
        found.append((unit[: len(codes)][whole], codes[whole]))
    return found


def event_codes(sides: list[LinkedSide]) -> tuple[list[NDArray[np.int64]], list[NDArray[np.int64]]]:
    """A number for each event by type and values, and one by these and the time since the event before; by side."""
    first = _joint([_events(side) for side in sides])
    return first, _pairs(first, _joint([_gaps(side)[:, None] for side in sides]))


def _events(side: LinkedSide) -> NDArray[np.float64]:
    """Type and exact values of each event, filled to the width of the widest table. **Shape**: (m, 1 + d)."""
    line, owners = side.timeline, list(side.schema.graph.owners)
    widest = max((side.values(name)[1].shape[1] for name in owners), default=0)
    out = np.full((len(line.unit), 1 + widest), -np.inf)
    out[:, 0] = line.kind
    for k, name in enumerate(owners):
        at = np.flatnonzero(line.table == k)
        values = side.values(name)[1][line.row[at]]
        out[at, 1 : 1 + values.shape[1]] = values
    return np.where(np.isnan(out), np.inf, out)


def _gaps(side: LinkedSide) -> NDArray[np.float64]:
    line = side.timeline
    gap = np.full(len(line.unit), np.inf)
    at = line.followed
    gap[at] = line.time[at] - line.time[at - 1]
    return np.where(np.isnan(gap), np.inf, gap)


def _joint(tables: list[NDArray[np.float64]]) -> list[NDArray[np.int64]]:
    """A number for each row, equal rows of all tables alike: column after column, without hashing."""
    sizes = np.cumsum([len(each) for each in tables])[:-1]
    both = np.concatenate(tables)
    codes = np.zeros(len(both), dtype=np.int64)
    for column in both.T:
        distinct, rank = np.unique(column, return_inverse=True)
        codes = np.unique(codes * len(distinct) + rank, return_inverse=True)[1].astype(np.int64)
    return np.split(codes, sizes)


def _pairs(left: list[NDArray[np.int64]], right: list[NDArray[np.int64]]) -> list[NDArray[np.int64]]:
    """A number for each pair of numbers that stand beside each other; the longer side is cut."""
    short = [min(len(a), len(b)) for a, b in zip(left, right, strict=True)]
    a, b = (np.concatenate([x[:n] for x, n in zip(each, short, strict=True)]) for each in (left, right))
    codes = np.unique(a * (int(b.max(initial=0)) + 1) + b, return_inverse=True)[1].astype(np.int64)
    return np.split(codes, np.cumsum(short)[:-1])


SHARED_RUNS_SPEC = LinkedMetricSpec(
    name="copying.shared_runs",
    measure=shared_runs,
    labels={
        "copying.shared_runs": MetricLabel(
            "Shared runs of events", "Share of units with five events in a row that a training unit has too.", "share"
        ),
    },
)
