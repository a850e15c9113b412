"""The order of all rows of a unit: depth first, siblings by time; and who is whose owner in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from synthkit.encoding.arrays import Ints, put_together
from synthkit.encoding.units.learned_table import LearnedTable
from synthkit.encoding.units.unit_clock import MISSING_TICK, UnitClock
from synthkit.tables.linked_tables import LinkedTables

LOOKED_AT = 2**18  # rows whose candidates are held in memory at once


@dataclass(frozen=True, kw_only=True)
class RowTimes:
    """When rows of a table happen, in ticks.

    **Shape**: each (n,): `start` of the row, that of its nearest timed owner where it has none; `until`, MISSING_TICK
    where it does not end; `anchor`, from where its moments are told, MISSING_TICK without a clock.
    """

    start: Ints
    until: Ints
    anchor: Ints


@dataclass(frozen=True, kw_only=True)
class UnitOrder:
    """All rows but those of units, one after the other.

    Args:
        offsets: where the steps of each unit begin, and the end. **Shape**: (units + 1,).
        table: number of the table of each step, among those that have an owner. **Shape**: (steps,).
        row: row of that table. **Shape**: (steps,).
        owner: step of the owner, -1 for rows of the unit itself. **Shape**: (steps,).
        step: by table, the step of each of its rows; increasing. **Shape**: (n,) each.
    """

    offsets: Ints
    table: Ints
    row: Ints
    owner: Ints
    step: Mapping[str, Ints]


def row_times(tables: LinkedTables, learned: Mapping[str, LearnedTable], clock: UnitClock) -> dict[str, RowTimes]:
    """When the rows of every table happen."""
    unit = tables.schema.unit
    none = np.full(len(tables.frames[unit]), MISSING_TICK)
    out = {unit: RowTimes(start=none, until=none, anchor=none)}
    for name, owner in tables.schema.graph.owners.items():
        each, frame, above = learned[name], tables.frames[name], out[owner].anchor[tables.owners[name]]
        until = np.full(len(frame), MISSING_TICK)
        if not each.timed:
            out[name] = RowTimes(start=above, until=until, anchor=above)
            continue
        start = clock.ticks(frame[each.start], each.table.columns[each.start])
        start = np.where(start == MISSING_TICK, np.where(above == MISSING_TICK, 0, above), start)
        if each.until is not None:
            until = clock.ticks(frame[each.until], each.table.columns[each.until])
        out[name] = RowTimes(start=start, until=until, anchor=start)
    return out


def unit_order(tables: LinkedTables, learned: Mapping[str, LearnedTable], times: Mapping[str, RowTimes]) -> UnitOrder:
    """The rows of every unit in order: an owner before what it owns, rows without a clock before those with one."""
    graph = tables.schema.graph
    names = tuple(graph.owners)
    depth = max((graph.depth(name) for name in names), default=0)
    ordinals = dict[str, Ints]()
    for owner in graph.records:
        ordinals |= _ordinals([n for n in names if graph.owners[n] == owner], tables, learned, times, names)
    paths = {graph.unit: np.empty((len(tables.frames[graph.unit]), 0), dtype=np.int64)}
    for name in names:
        paths[name] = np.concatenate([paths[graph.owners[name]][tables.owners[name]], ordinals[name][:, None]], axis=1)
    sizes = [len(tables.frames[name]) for name in names]
    unit = put_together([tables.units[name] for name in names])
    padded = [np.pad(paths[n], ((0, 0), (0, depth - paths[n].shape[1])), constant_values=-1) for n in names]
    path = np.concatenate(padded) if padded else np.empty((0, depth), dtype=np.int64)
    order = np.lexsort((*path.T[::-1], unit))
    place = np.empty(len(order), dtype=np.int64)
    place[order] = np.arange(len(order))
    step = dict(zip(names, np.split(place, np.cumsum(sizes)[:-1]), strict=True)) if names else {}
    above = [
        np.full(sizes[k], -1) if graph.owners[n] == graph.unit else step[graph.owners[n]][tables.owners[n]]
        for k, n in enumerate(names)
    ]
    return UnitOrder(
        offsets=np.searchsorted(unit[order], np.arange(len(tables.frames[graph.unit]) + 1)).astype(np.int64),
        table=np.repeat(np.arange(len(names)), sizes)[order],
        row=put_together([np.arange(n) for n in sizes])[order],
        owner=put_together(above)[order],
        step=step,
    )


def _ordinals(
    siblings: list[str],
    tables: LinkedTables,
    learned: Mapping[str, LearnedTable],
    times: Mapping[str, RowTimes],
    names: tuple[str, ...],
) -> dict[str, Ints]:
    """Place of each row among all rows of its owner, by table."""
    if not siblings:
        return {}
    sizes = [len(tables.frames[name]) for name in siblings]
    owner = np.concatenate([tables.owners[name] for name in siblings])
    timed = np.repeat([learned[name].timed for name in siblings], sizes)
    start = np.concatenate(
        [
            times[name].start if learned[name].timed else np.zeros(n, np.int64)
            for name, n in zip(siblings, sizes, strict=True)
        ]
    )
    table = np.repeat([names.index(name) for name in siblings], sizes)
    row = np.concatenate([np.arange(n) for n in sizes])
    order = np.lexsort((row, table, start, timed, owner))
    first = np.searchsorted(owner[order], owner[order])
    out = np.empty(len(order), dtype=np.int64)
    out[order] = np.arange(len(order)) - first
    return dict(zip(siblings, np.split(out, np.cumsum(sizes)[:-1]), strict=True))


def rows_back(
    number: int,
    each: LearnedTable,
    tables: LinkedTables,
    times: Mapping[str, RowTimes],
    order: UnitOrder,
    most: int,
    reach: LinkReach,
) -> Ints:
    """How many rows back, among those it may point to, each row's `earlier` link points; 0 for none. **Shape**: (n,).

    Args:
        number: of the link.
        each: the table.
        tables: all rows.
        times: when they happen.
        order: of all rows.
        most: rows back at most.
        reach: which rows a link may point to.
    """
    link, name = each.table.links[number], each.name
    aim = tables.earlier[name, number]
    if link.to == tables.schema.unit:  # there is one row that it may point to
        return np.asarray(aim == tables.units[name]).astype(np.int64)
    steps, there = order.step[name], order.step.get(link.to)
    if there is None or not len(there):
        return np.zeros(len(aim), dtype=np.int64)
    before = np.searchsorted(there, steps)
    first = np.searchsorted(there, order.offsets[tables.units[name]])
    out = np.zeros(len(aim), dtype=np.int64)
    for a in range(0, len(aim), LOOKED_AT):
        part = slice(a, a + LOOKED_AT)
        back = before[part, None] - 1 - np.arange(most)
        fits = back >= first[part, None]
        at = np.maximum(back, 0)
        fits &= reach.fits(times[link.to].start[at], times[link.to].until[at], times[name].start[part, None])
        rank = fits.cumsum(axis=1)
        hit = fits & (back == aim[part, None])
        out[part] = np.where(hit.any(axis=1), rank[np.arange(len(rank)), hit.argmax(axis=1)], 0)
    return out


@dataclass(frozen=True, kw_only=True)
class LinkReach:
    """Which rows of a unit a link of kind `earlier` may point to.

    Args:
        timed: whether both tables are told by the clock.
        begun: whether the row pointed to must have begun.
        open: whether it must still be going on.
        step, until_step: ticks that the beginnings of both tables, or an end and a beginning, tell apart.
    """

    timed: bool
    begun: bool
    open: bool
    step: int
    until_step: int

    @classmethod
    def of(cls, number: int, each: LearnedTable, to: LearnedTable, clock: UnitClock) -> LinkReach:
        """Of a link of a table, by its number."""
        link, timed = each.table.links[number], each.timed and to.timed
        step = until_step = 1
        if timed:
            mine = each.table.columns[each.start]
            step = clock.shared_step(mine, to.table.columns[to.start])
            until_step = step if to.until is None else clock.shared_step(mine, to.table.columns[to.until])
        order, inside = each.table.order, link.to in each.within
        return cls(
            timed=timed,
            begun=inside or order is None or not order.before_owner,
            open=inside or link.open,
            step=step,
            until_step=until_step,
        )

    def fits(self, start: Ints, until: Ints, now: Ints) -> NDArray[np.bool_]:
        """Whether rows that last from `start` to `until` may be pointed to now."""
        fits = np.ones(np.broadcast_shapes(start.shape, now.shape), dtype=bool)
        if self.timed and self.begun:
            fits &= (start // self.step <= now // self.step) | (now == MISSING_TICK)
        if self.timed and self.open:
            ended = until // self.until_step < now // self.until_step
            fits &= (until == MISSING_TICK) | ~ended | (now == MISSING_TICK)
        return fits
