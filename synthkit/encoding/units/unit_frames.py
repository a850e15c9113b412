"""Linked tables as what is learned of them: one frame a table, moments as distances, links as numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from synthkit.encoding.arrays import Floats, Ints
from synthkit.encoding.units.learned_table import (
    FIRST,
    LAST,
    MOST_BACK,
    NO_COLUMN,
    OTHER,
    UNIT_CLASS,
    LearnedTable,
    pointer,
    rows_of,
)
from synthkit.encoding.units.unit_clock import MISSING_TICK, UnitClock
from synthkit.encoding.units.unit_order import LinkReach, RowTimes, UnitOrder, row_times, rows_back, unit_order
from synthkit.schema.columns import Code, Datetime, Identifier
from synthkit.schema.rare_codes import MIN_ROWS_OF_COMMON_CODE
from synthkit.tables.linked_tables import LinkedTables


@dataclass(frozen=True, kw_only=True)
class UnitFrames:
    """What is learned of linked tables, before it is encoded.

    Args:
        learned: what is learned of each table.
        frames: the learned columns, by table.
        times: when rows happen, by table.
        spans: first and last moment of what each row owns, by table; MISSING_TICK where it owns nothing timed.
        order: of all rows.
        counts: rows of each child table that each row owns, by child.
        hubs: rows of each shared table that enough units point to, the most pointed to first.
    """

    learned: Mapping[str, LearnedTable]
    frames: Mapping[str, pd.DataFrame]
    times: Mapping[str, RowTimes]
    spans: Mapping[str, tuple[Ints, Ints]]
    order: UnitOrder
    counts: Mapping[str, Ints]
    hubs: Mapping[str, Ints]

    @classmethod
    def of(
        cls,
        tables: LinkedTables,
        learned: Mapping[str, LearnedTable],
        clock: UnitClock,
        found: Mapping[str, Ints] | None = None,
    ) -> UnitFrames:
        """What is learned of linked tables; the latent class of units is left open.

        Args:
            tables: the units.
            learned: what is learned of each table.
            clock: how they tell time.
            found: rows of shared tables that are told apart; those that enough of these units point to if not given.
        """
        times = row_times(tables, learned, clock)
        order = unit_order(tables, learned, times)
        counts = {child: tables.counts(child) for child in tables.schema.graph.owners}
        spans = {name: _span(name, tables, each, times) for name, each in learned.items()}
        common = hubs(tables) if found is None else found
        seen = _Seen(
            tables=tables, times=times, order=order, counts=counts, clock=clock, learned=learned, common=common
        )
        frames = {name: _frame(each, spans[name], seen) for name, each in learned.items()}
        return cls(learned=learned, frames=frames, times=times, spans=spans, order=order, counts=counts, hubs=common)

    def with_classes(self, unit: str, classes: Ints) -> UnitFrames:
        """The same with the latent class of each unit. **Shape**: (units,)."""
        frame = self.frames[unit].assign(**{UNIT_CLASS: classes})[list(self.learned[unit].schema.columns)]
        return replace(self, frames={**self.frames, unit: frame})


def _span(name: str, tables: LinkedTables, each: LearnedTable, times: Mapping[str, RowTimes]) -> tuple[Ints, Ints]:
    n = len(tables.frames[name])
    first, last = np.full(n, np.iinfo(np.int64).max), np.full(n, MISSING_TICK)
    for child in each.timed_children:
        np.minimum.at(first, tables.owners[child], times[child].start)
        np.maximum.at(last, tables.owners[child], times[child].start)
    return np.where(last == MISSING_TICK, MISSING_TICK, first), last


@dataclass(frozen=True, kw_only=True)
class _Seen:
    """Everything of which the learned columns of a table are told."""

    tables: LinkedTables
    times: Mapping[str, RowTimes]
    order: UnitOrder
    counts: Mapping[str, Ints]
    clock: UnitClock
    learned: Mapping[str, LearnedTable]
    common: Mapping[str, Ints]


def _frame(each: LearnedTable, span: tuple[Ints, Ints], seen: _Seen) -> pd.DataFrame:
    """The learned columns of one table, in the dtypes of its learned schema."""
    frame, kinds = seen.tables.frames[each.name], each.schema.columns
    out: dict[str, object] = {}
    here = seen.times[each.name].anchor
    for name in kinds:
        if name in each.offsets:
            ticks = seen.clock.ticks(frame[name], each.table.columns[name])
            out[name] = np.where(ticks == MISSING_TICK, np.nan, ticks - here)
        elif name in frame:
            out[name] = _as_code(frame[name]) if _is_key(name, each) else frame[name].reset_index(drop=True)
    out |= {rows_of(child): seen.counts[child] for child in each.children}
    if each.has_span:
        many = np.stack([seen.counts[child] for child in each.timed_children]).sum(axis=0)
        told = span[0], np.where(many > 1, span[1], MISSING_TICK)
        out |= _told_span(each, told, here, seen.clock) if each.stay is None else _shares(each, told, here, seen)
    out |= _told_links(each, seen)
    out |= {NO_COLUMN: np.full(len(frame), "none", dtype=object), UNIT_CLASS: np.zeros(len(frame), dtype=np.int64)}
    return pd.DataFrame({name: out[name] for name in kinds if name in out}, index=range(len(frame)))


def _told_links(each: LearnedTable, seen: _Seen) -> dict[str, object]:
    """Where rows point, as numbers and codes."""
    out: dict[str, object] = {}
    for k, kind in each.linked.items():
        aim, to = seen.tables.earlier[each.name, k], each.table.links[k].to
        if kind == "earlier":
            reach = LinkReach.of(k, each, seen.learned[to], seen.clock)
            out[pointer(k)] = rows_back(k, each, seen.tables, seen.times, seen.order, MOST_BACK, reach)
        elif kind == "peer":
            out[pointer(k)] = (aim >= 0).astype(np.int64)
        else:
            out[pointer(k)] = _hub_codes(aim, seen.common[to])
    return out


def _is_key(name: str, each: LearnedTable) -> bool:
    return isinstance(each.schema.columns[name], Code) and isinstance(each.table.columns[name], Identifier)


def _as_code(values: pd.Series) -> pd.Series:
    text = values.astype("string").astype(object)
    return text.where(values.notna(), None).reset_index(drop=True)


def _told_span(each: LearnedTable, span: tuple[Ints, Ints], here: Ints, clock: UnitClock) -> dict[str, object]:
    """First and last moment as the learned schema tells them; of a single row the first alone."""
    told, kind = {FIRST: span[0], LAST: span[1]}, each.schema.columns[FIRST]
    if each.timed and each.owner is not None:
        return {name: np.where(x == MISSING_TICK, np.nan, x - here) for name, x in told.items()}
    if isinstance(kind, Datetime):
        return {name: clock.values(x, kind) for name, x in told.items()}
    return {name: np.where(x == MISSING_TICK, np.nan, x / 10.0**clock.tick) for name, x in told.items()}


def _shares(each: LearnedTable, span: tuple[Ints, Ints], here: Ints, seen: _Seen) -> dict[str, object]:
    """First and last moment as shares of the time until their stay ends, from the row and from the first."""
    at, table = np.arange(len(here)), each.name
    while table != each.stay:
        at, table = seen.tables.owners[table][at], seen.tables.schema.graph.owners[table]
    until, (first, last) = seen.times[table].until[at], span

    def share(x: Ints, begin: Ints) -> Floats:
        return np.where(x == MISSING_TICK, np.nan, np.clip((x - begin) / np.maximum(until - begin, 1), 0, 1))

    return {FIRST: share(first, here), LAST: share(last, first)}


def hubs(tables: LinkedTables) -> dict[str, Ints]:
    """Rows of each shared table that five units or more point to, the most pointed to first."""
    out = {}
    for name, common in tables.shared.items():
        pairs = [
            np.stack([aim[aim >= 0], tables.units[table][aim >= 0]])
            for (table, k), aim in tables.earlier.items()
            if tables.schema.tables[table].links[k].to == name
        ]
        rows = np.unique(np.concatenate(pairs, axis=1), axis=1)[0] if pairs else np.empty(0, dtype=np.int64)
        units = np.bincount(rows, minlength=len(common))
        often = np.argsort(-units, kind="stable")
        out[name] = often[units[often] >= MIN_ROWS_OF_COMMON_CODE].astype(np.int64)
    return out


def _hub_codes(aim: Ints, common: Ints) -> pd.Series:
    """Which shared row each row points to, as a code; those that few point to have one in common."""
    size = int(max(aim.max(initial=-1), common.max(initial=-1))) + 2
    code = np.full(size, OTHER, dtype=object)
    code[common] = [f"{k:06d}" for k in range(len(common))]
    code[-1] = None
    return pd.Series(code[aim], dtype=object)
