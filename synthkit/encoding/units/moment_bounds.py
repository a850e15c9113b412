"""Between which ticks the rows of a table may begin and end, for the bounds that its columns declare."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from synthkit.encoding.arrays import Bools, Ints
from synthkit.encoding.units.learned_table import LearnedTable
from synthkit.encoding.units.unit_clock import LATEST, MISSING_TICK, UnitClock, first_step, last_step
from synthkit.schema.columns import Column, Datetime, Numeric
from synthkit.schema.rules import Comparison

NOWHERE = -2 * LATEST  # before every moment: where no row can be


@dataclass(frozen=True, kw_only=True)
class MomentBounds:
    """Between which ticks rows may begin and end.

    Args:
        low, high: first and last tick at which a row may begin, so that it can end and its other moments can follow.
        until_low, until_high: first and last tick at which it may end.
        must_end: whether every row ends.
        declared: whether any of the columns has bounds.
    """

    low: int = -LATEST
    high: int = LATEST
    until_low: int = -LATEST
    until_high: int = LATEST
    must_end: bool = False
    declared: bool = False

    @classmethod
    def of(cls, each: LearnedTable, clock: UnitClock) -> MomentBounds:
        """Of a table; everything is open where the clock does not tell it."""
        columns = each.table.columns
        if not each.timed:
            return cls()
        low, high = clock.bounds(columns[each.start])
        for rule in (r for r in each.table.rules if isinstance(r, Comparison) and each.start in r.columns):
            other = rule.right if rule.left == each.start else rule.left
            if other in (each.until, each.start) or columns[other].nullable or not clock.tells(columns[other]):
                continue
            first, last = clock.bounds(columns[other])
            apart = int(rule.op == "<")
            if rule.left == each.start:
                high = min(high, last - apart)
            else:
                low = max(low, first + apart)
        told = [columns[c] for c in each.table.moments]
        declared = any(_is_bounded(c) for c in told) or (low, high) != clock.bounds(columns[each.start])
        if each.until is None:
            return cls(low=low, high=high, declared=declared)
        until = columns[each.until]
        until_low, until_high = clock.bounds(until)
        if not until.nullable:  # a row that begins too late cannot end
            high = min(high, until_high + (clock.step(until) - 1 if clock.moments else 0))
        return cls(
            low=low,
            high=high,
            until_low=until_low,
            until_high=until_high,
            must_end=not until.nullable,
            declared=declared,
        )


def _is_bounded(column: Column) -> bool:
    return isinstance(column, Datetime | Numeric) and (column.min, column.max) != (None, None)


def owned_between(bounds: list[MomentBounds], some: Bools) -> tuple[Ints, Ints]:
    """Between which ticks the first and the last row of owners may lie, by the tables of which they own rows.

    Args:
        bounds: of each of T tables.
        some: whether they own rows of each. **Shape**: (n, T).

    **Shape**: -> two of (n,).
    """
    low, high = (np.array([getattr(each, name) for each in bounds], dtype=np.int64) for name in ("low", "high"))
    first = np.where(some, low, LATEST).min(axis=1, initial=LATEST)
    last = np.where(some, high, -LATEST).max(axis=1, initial=-LATEST)
    none = ~some.any(axis=1)
    return np.where(none, -LATEST, first), np.where(none, LATEST, last)


def moments_beside(start: Ints, away: Ints, kind: Numeric, column: Column, clock: UnitClock) -> Ints:
    """Moments told as ticks from the row's, inside the bounds of their column and of what rules say of both.

    Args:
        start: when rows happen. **Shape**: (n,).
        away: ticks from there, MISSING_TICK for no moment. **Shape**: (n,).
        kind: how the distance was learned; its bounds are those of rules.
        column: the declared column.
        clock: how time is told.

    **Shape**: -> (n,); missing where bounds and rules leave nothing, if the column may be.
    """
    first, last = clock.bounds(column)
    low = np.full(len(start), first) if kind.min is None else np.maximum(first, start + int(kind.min))
    high = np.full(len(start), last) if kind.max is None else np.minimum(last, start + int(kind.max))
    step = clock.step(column)
    low, high = first_step(low, step), last_step(high, step)
    wanted = last_step(start + np.where(away == MISSING_TICK, 0, away), step)
    out = np.clip(np.maximum(wanted, low), None, np.maximum(high, first))
    none = (away == MISSING_TICK) | ((low > high) & column.nullable)
    return np.where(none, MISSING_TICK, out)
