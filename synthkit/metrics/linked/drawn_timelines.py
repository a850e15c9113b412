"""Timelines of a few synthetic units, for a chart: when something happens, and in which table; no real unit."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from synthkit.metrics.linked.event_types import POSITION_CLOCK
from synthkit.metrics.linked.linked_metric import LinkedMetricSpec

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from synthkit.metrics.linked.linked_evaluation_data import LinkedEvaluationData
    from synthkit.metrics.linked.linked_side import LinkedSide
    from synthkit.metrics.result import Scored

DRAWN_UNITS, DRAWN_EVENTS = 20, 300  # units on the chart; events of each, the first ones
DAY_SECONDS = 86_400.0
CLOCK_WORDS = ("days", "numbers", "places")


def drawn_timelines(comparison: LinkedEvaluationData, rng: np.random.Generator) -> Scored:
    """Twenty synthetic units at random, none chosen for its looks; times since the first event of each.

    Tables on the clock that most rows are on; in days, in numbers of the order's column, or in places.
    """
    side = comparison.drawn
    line = side.timeline
    known = np.flatnonzero(~np.isnan(line.time))
    if not len(known):
        return [], {}
    clock = int(np.argmax(np.bincount(line.clock[known])))
    chosen = np.sort(rng.choice(side.size, min(side.size, DRAWN_UNITS), replace=False))
    rows = known[line.clock[known] == clock]
    names = list(side.schema.graph.owners)
    tables = [name for k, name in enumerate(names) if (line.table[rows] == k).any()]
    numbers = np.array([tables.index(name) if name in tables else -1 for name in names])
    scale = clock_scale(clock)
    end = follow_up_ends(side, clock)
    units = []
    for unit in chosen.tolist():
        mine = rows[line.unit[rows] == unit]
        first = line.time[mine[0]] if len(mine) else np.nan
        since = np.round((line.time[mine] - first) / scale, 4)[:DRAWN_EVENTS]
        ends = (end[unit] - first) / scale
        units.append(
            {
                "events": [[float(t), int(k)] for t, k in zip(since, numbers[line.table[mine]], strict=False)],
                "rows": len(mine),
                "end": None if np.isnan(ends) else float(round(ends, 4)),
            }
        )
    missing = [name for name in names if name not in tables]
    words = CLOCK_WORDS[min(clock, POSITION_CLOCK)]
    return [], {"timelines": {"clock": words, "tables": tables, "not drawn": missing, "units": units}}


def clock_scale(clock: int) -> float:
    """What a clock's times are divided by to be shown: moments are told in days.

    Example:
        >>> clock_scale(0), clock_scale(1)
        (86400.0, 1.0)
    """
    return DAY_SECONDS if clock == 0 else 1.0


def follow_up_ends(side: LinkedSide, clock: int) -> NDArray[np.float64]:
    """When the follow-up of each unit ends, nan where that is on another clock or not told. **Shape**: (units,)."""
    column = side.schema.tables[side.schema.unit].end
    kind = None if column is None else side.schema.tables[side.schema.unit].columns[column].kind
    if column is None or {"datetime": 0, "numeric": 1}.get(str(kind), -1) != clock:
        return np.full(side.size, np.nan)
    return side.number(side.schema.unit, column)


TIMELINES_SPEC = LinkedMetricSpec(name="fidelity.timelines", measure=drawn_timelines, labels={})
