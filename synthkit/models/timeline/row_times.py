"""When a drawn row happens: its gap, kept inside what rules and owners leave."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from synthkit.encoding.arrays import Bools, Ints
from synthkit.encoding.units.event_coding import EventCoding
from synthkit.encoding.units.learned_table import LearnedTable
from synthkit.encoding.units.moment_bounds import NOWHERE, MomentBounds
from synthkit.encoding.units.unit_clock import LATEST, MISSING_TICK, UnitClock, first_step, last_step
from synthkit.models.timeline.open_owners import OpenOwners


@dataclass(frozen=True)
class TableTimes:
    """What the clock knows of one table.

    Args:
        each: what is learned of it.
        step: ticks between two starts; 1 without a clock.
        until_step: ticks between two ends.
        within: whether rows lie inside an open owner of each table, that of units first. **Shape**: (1 + T,).
        after_owner: whether rows do not happen before the nearest row they belong to that has a moment.
        moments: whether time is told by moments, which compare as finely as the coarser of two columns tells.
        bounds: between which ticks rows may begin and end.
    """

    each: LearnedTable
    step: int
    until_step: int
    within: Bools
    after_owner: bool
    moments: bool
    bounds: MomentBounds

    @classmethod
    def of(cls, each: LearnedTable, clock: UnitClock, tables: tuple[str, ...]) -> TableTimes:
        """Of a table."""
        columns = each.table.columns
        step = clock.step(columns[each.start]) if each.timed else 1
        until = 1 if each.until is None else clock.step(columns[each.until])
        within = np.array([not set(each.within) <= set(tables), *(name in each.within for name in tables)])
        order = each.table.order
        after = each.timed and order is not None and not order.before_owner
        return cls(
            each=each,
            step=step,
            until_step=until,
            within=within,
            after_owner=after,
            moments=clock.moments,
            bounds=MomentBounds.of(each, clock),
        )

    def earliest(self, ticks: Ints) -> Ints:
        """The first beginning that is not before some ticks. **Shape**: (n,) -> (n,)."""
        return last_step(ticks, self.step) if self.moments else first_step(ticks, self.step)

    def declared(self, low: Ints, high: Ints) -> tuple[Ints, Ints]:
        """Where rows may begin, inside of what the columns declare; nowhere if they could not end.

        **Shape**: (n,), (n,) -> (n,), (n,).
        """
        bounds = self.bounds
        late = last_step(high, self.until_step) < bounds.until_low if bounds.must_end else np.zeros(len(high), bool)
        return np.maximum(low, bounds.low), np.where(late, NOWHERE, np.minimum(high, bounds.high))

    def earliest_end(self, start: Ints) -> Ints:
        """The first end that is not before a row begins. **Shape**: (n,) -> (n,)."""
        return last_step(start, self.until_step) if self.moments else first_step(start, self.until_step)


@dataclass(frozen=True)
class RowTime:
    """Where rows may lie. **Shape**: (n,) each.

    Args:
        timed: whether they are told by the clock.
        base: moment from which the gap is told.
        left: ticks from there to the last moment of the owner.
        low, high: between which they must begin.
        close: when they must have ended.
        first, last: whether their moment is that of the first, or the last, row of the owner.
    """

    timed: Bools
    base: Ints
    left: Ints
    low: Ints
    high: Ints
    close: Ints
    first: Bools
    last: Bools

    def take(self, rows: Ints) -> RowTime:
        """Those of some rows. **Shape**: (m,) -> (m,) each."""
        return RowTime(*(getattr(self, each.name)[rows] for each in fields(self)))


def room(owners: OpenOwners, units: Ints, table: Ints, times: list[TableTimes], ends: Ints) -> RowTime:
    """Where the next rows of units may lie, by their tables. **Shape**: (n,), (n,), of ends (B, T) -> (n,) each."""
    timed = np.array([t.each.timed for t in times])[table]
    now, first, last = (owners.at(name, units) for name in ("now", "first", "last"))
    floor = owners.floor[owners.level[units], units, table]
    started = owners.at("timed", units) > 0
    base = np.maximum(np.where(started & (now != MISSING_TICK), now, first), floor)
    owed = owners.owed_now(units) @ np.array([int(t.each.timed) for t in times])
    low, high = np.maximum(floor, -LATEST), ends[units, table]
    close = high.copy()
    for t in np.unique(table):
        mine = table == t
        if times[t].after_owner:
            above, born = owners.at("start", units[mine]), owners.arrays["born"][0, units[mine]]
            above = np.where(above == MISSING_TICK, born, above)
            low[mine] = np.where(above == MISSING_TICK, low[mine], np.maximum(low[mine], above))
        if times[t].within.any():
            inside = owners.bounds(units[mine], times[t].within)
            low[mine], high[mine] = np.maximum(low[mine], inside[0]), np.minimum(high[mine], inside[1])
        close[mine] = high[mine]
        low[mine], high[mine] = times[t].declared(low[mine], high[mine])
        if times[t].each.strict:  # each of the rows that follow needs a moment of its own
            later = (np.maximum(owners.owed_now(units[mine])[:, t], 1) - 1) * times[t].step
            for x in (high, close):
                x[mine] = np.minimum(x[mine], np.maximum(x[mine] - later, times[t].earliest(low[mine])))
    left = np.where(timed, np.maximum(last - base, 0), 0)
    return RowTime(timed, np.where(timed, base, 0), left, low, high, close, timed & ~started, timed & (owed == 1))


def moments(space: RowTime, gap: Ints, table: Ints, times: list[TableTimes], above: Ints) -> Ints:
    """Moments of rows; of those without a clock that of their owner. **Shape**: (n,) each -> (n,)."""
    step = np.array([t.step for t in times])[table]
    wanted = space.base + gap
    t = np.where(step > 1, np.minimum(first_step(wanted, step), last_step(space.base + space.left, step)), wanted)
    coarse = np.array([t.moments for t in times])[table]
    t = np.maximum(t, np.where(coarse, last_step(space.low, step), first_step(space.low, step)))
    t = np.minimum(t, last_step(space.high, step))
    return np.where(space.timed, t, above)


def ends_of(
    start: Ints, lasts: np.ndarray, space: RowTime, latest: Ints, times: TableTimes, more: Bools, within: Ints
) -> Ints:
    """When rows end: not after what bounds them, nor after the last row of the owner where others are due.

    Args:
        start: when they happen. **Shape**: (n,).
        lasts: how long they were drawn to last, NaN for no end.
        space: where they may lie.
        latest: last moment of the owner.
        times: what the clock knows of their table.
        more: whether further rows of the table are due that may not overlap.
        within: end of the rows they point to and lie inside of.
    """
    limit = np.minimum(np.minimum(space.close, within), times.bounds.until_high)
    high = np.where(more, np.minimum(limit, last_step(np.maximum(latest, start), times.step)), limit)
    until = start + np.nan_to_num(lasts).astype(np.int64)
    until = last_step(np.minimum(until, high), times.until_step)
    first = np.maximum(times.earliest_end(start), times.bounds.until_low)
    none = np.isnan(lasts) & ~more | (first > limit) & (not times.bounds.must_end)
    return np.where(none, MISSING_TICK, np.maximum(until, first))


def gap_masks(events: EventCoding, space: RowTime, table: Ints, due: Bools) -> Bools:
    """Levels of the gap that may be drawn: those that fit and keep rows apart, or the one that is forced.

    Args:
        events: the coding.
        space: where the rows may lie.
        table: number of the table of each. **Shape**: (n,).
        due: tables of which rows are due after it. **Shape**: (n, T).

    **Shape**: -> (n, K).
    """
    out = events.kept_apart(events.allowed(space.left, space.timed), space.left, table, due)
    first, last = space.first, space.last & ~space.first
    out[first] = False
    out[first, 1] = True
    out[last] = False
    out[last, np.where(space.left[last] > 0, events.all_left, 1)] = True
    return out
