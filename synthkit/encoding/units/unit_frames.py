"""Linked tables as what is learned of them: one frame a table, moments as distances, links as numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from synthkit.encoding.arrays import Ints
from synthkit.encoding.units.learned_table import (
    FIRST,
    HUBS,
    LAST,
    MOST_BACK,
    NOTHING,
    UNIT_CLASS,
    LearnedTable,
    pointer,
    rows_of,
)
from synthkit.encoding.units.unit_clock import MISSING_TICK, UnitClock
from synthkit.encoding.units.unit_order import RowTimes, UnitOrder, row_times, rows_back, unit_order
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
    """

    learned: Mapping[str, LearnedTable]
    frames: Mapping[str, pd.DataFrame]
    times: Mapping[str, RowTimes]
    spans: Mapping[str, tuple[Ints, Ints]]
    order: UnitOrder
    counts: Mapping[str, Ints]

    @classmethod
    def of(cls, tables: LinkedTables, learned: Mapping[str, LearnedTable], clock: UnitClock) -> UnitFrames:
        """What is learned of linked tables; the latent class of units is left open."""
        times = row_times(tables, learned, clock)
        order = unit_order(tables, learned, times)
        counts = {child: tables.counts(child) for child in tables.schema.graph.owners}
        spans = {name: _span(name, tables, each, times) for name, each in learned.items()}
        frames = {
            name: _frame(each, tables, times, spans[name], order, counts, clock, learned)
            for name, each in learned.items()
        }
        return cls(learned=learned, frames=frames, times=times, spans=spans, order=order, counts=counts)

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


def _frame(
    each: LearnedTable,
    tables: LinkedTables,
    times: Mapping[str, RowTimes],
    span: tuple[Ints, Ints],
    order: UnitOrder,
    counts: Mapping[str, Ints],
    clock: UnitClock,
    learned: Mapping[str, LearnedTable],
) -> pd.DataFrame:
    """The learned columns of one table, in the dtypes of its learned schema."""
    frame, kinds = tables.frames[each.name], each.schema.columns
    out: dict[str, object] = {}
    here = times[each.name].anchor
    for name in kinds:
        if name in each.offsets:
            ticks = clock.ticks(frame[name], each.table.columns[name])
            out[name] = np.where(ticks == MISSING_TICK, np.nan, ticks - here)
        elif name in frame:
            out[name] = _as_code(frame[name]) if _is_key(name, each) else frame[name].reset_index(drop=True)
    for child in each.children:
        out[rows_of(child)] = counts[child]
    if each.has_span:
        out |= _told_span(each, span, here, clock, tables)
    for k, kind in each.linked.items():
        aim = tables.earlier[each.name, k]
        if kind == "earlier":
            to = each.table.links[k].to
            out[pointer(k)] = rows_back(k, each, tables, times, order, MOST_BACK, learned[to].timed)
        elif kind == "peer":
            out[pointer(k)] = (aim >= 0).astype(np.int64)
        else:
            out[pointer(k)] = _hubs(aim, nullable=kinds[pointer(k)].nullable)
    if NOTHING in kinds:
        out[NOTHING] = np.full(len(frame), "none", dtype=object)
    if UNIT_CLASS in kinds:
        out[UNIT_CLASS] = np.zeros(len(frame), dtype=np.int64)
    return pd.DataFrame({name: out[name] for name in kinds if name in out}, index=range(len(frame)))


def _is_key(name: str, each: LearnedTable) -> bool:
    return isinstance(each.schema.columns[name], Code) and isinstance(each.table.columns[name], Identifier)


def _as_code(values: pd.Series) -> pd.Series:
    text = values.astype("string").astype(object)
    return text.where(values.notna(), None).reset_index(drop=True)


def _told_span(
    each: LearnedTable, span: tuple[Ints, Ints], here: Ints, clock: UnitClock, tables: LinkedTables
) -> dict[str, object]:
    """First and last moment as the learned schema tells them; not after the end that is declared."""
    first, last = span
    kind = each.schema.columns[FIRST]
    none = last == MISSING_TICK
    if each.timed and each.owner is not None:
        return {name: np.where(none, np.nan, x - here) for name, x in ((FIRST, first), (LAST, last))}
    if isinstance(kind, Datetime):
        return {name: clock.values(x, kind) for name, x in ((FIRST, first), (LAST, last))}
    return {name: np.where(none, np.nan, x / 10.0**clock.tick) for name, x in ((FIRST, first), (LAST, last))}


def _hubs(aim: Ints, *, nullable: bool) -> pd.Series:
    """Which of the rows that many point to each row points to, from 1; 0 for all others."""
    rows, times_ = np.unique(aim[aim >= 0], return_counts=True)
    often = np.argsort(-times_, kind="stable")[:HUBS]
    often = often[times_[often] >= MIN_ROWS_OF_COMMON_CODE]
    rank = {int(rows[k]): place + 1 for place, k in enumerate(often)}
    values = np.array([rank.get(int(a), 0) for a in aim], dtype=np.float64)
    if nullable:
        values[aim < 0] = np.nan
        return pd.Series(pd.array(values, dtype="Int64"))
    return pd.Series(values.astype(np.int64))
