"""Whether the timelines that a page on linked tables shows are those of released people."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from synthkit.metrics.linked.drawn_timelines import CLOCK_WORDS, DRAWN_EVENTS, clock_scale, follow_up_ends
from synthkit.metrics.linked.event_types import POSITION_CLOCK, EventTypes
from synthkit.metrics.linked.linked_side import LinkedSide

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from synthkit.tables.linked_tables import LinkedTables

TIME_TOLERANCE = 1e-3  # of times since the first event, which are shown to four digits
Panel = Mapping[str, Any]  # of timelines, as `metrics.linked.drawn_timelines` writes it


def unknown_timeline(panel: Panel, tables: LinkedTables) -> int | None:
    """Number, from 1, of a timeline that no released unit has; None where each is of one.

    Args:
        panel: what the chart of timelines is drawn from.
        tables: the released ones.
    """
    side = LinkedSide(tables, EventTypes.fit(tables))
    clocks = [c for c in np.unique(side.timeline.clock) if CLOCK_WORDS[min(int(c), POSITION_CLOCK)] == panel["clock"]]
    missed = [_missed(panel, side, int(clock)) for clock in clocks]
    return next(iter(missed), 1) if None not in missed else None


def _missed(panel: Panel, side: LinkedSide, clock: int) -> int | None:
    """The same with rows on one clock."""
    line, scale = side.timeline, clock_scale(clock)
    rows = np.flatnonzero(~np.isnan(line.time) & (line.clock == clock))
    many = np.bincount(line.unit[rows], minlength=side.size)
    starts, ends = np.cumsum(many) - many, follow_up_ends(side, clock) / scale
    numbers = np.array([_number(panel, name) for name in side.schema.graph.owners], dtype=np.intp)
    times, tables = line.time[rows] / scale, numbers[line.table[rows]]
    for k, shown in enumerate(panel["units"], 1):
        alike = np.flatnonzero(many == shown["rows"])
        if not _same(shown, starts[alike], ends[alike], times, tables).any():
            return k
    return None


def _number(panel: Panel, name: str) -> int:
    """Number of a table on the chart, -1 for one that is not there."""
    return list(panel["tables"]).index(name) if name in panel["tables"] else -1


def _same(
    shown: Mapping[str, Any],
    starts: NDArray[np.intp],
    ends: NDArray[np.float64],
    times: NDArray[np.float64],
    tables: NDArray[np.intp],
) -> NDArray[np.bool_]:
    """Which units, of as many rows, have the events and the end that are shown. **Shape**: (units,) -> (units,)."""
    size = min(int(shown["rows"]), DRAWN_EVENTS)
    events = np.array(shown["events"], dtype=np.float64).reshape(-1, 2)
    if len(events) != size or not size:
        return np.full(len(starts), len(events) == size and shown["end"] is None)
    at = starts[:, None] + np.arange(size)
    first = times[starts]
    since, until = times[at] - first[:, None], ends - first
    end = np.nan if shown["end"] is None else float(shown["end"])
    near = np.isclose(until, end, rtol=0, atol=TIME_TOLERANCE, equal_nan=True)
    same = np.isclose(since, events[:, 0], rtol=0, atol=TIME_TOLERANCE) & (tables[at] == events[:, 1])
    return np.asarray(near & same.all(axis=1))
