"""What is known of a unit before a moment: features for predictions from histories, blind to all that follows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from synthkit.metrics.linked import row_groups
from synthkit.metrics.linked.event_types import clocks, is_timed
from synthkit.schema.linked.linked_rules import Total

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from synthkit.metrics.linked.linked_side import LinkedSide

MAX_HISTORY_TYPES, REMEMBERED_SERIES = 30, 8  # types with counts of their own; series with last values of their own
Named = Iterator[tuple[str, "NDArray[np.float64]"]]


@dataclass(frozen=True)
class Moments:
    """Moments of prediction. **Shape**: (m,) each: unit, time on the clock of the table, row of the table."""

    table: str
    unit: NDArray[np.intp]
    time: NDArray[np.float64]
    row: NDArray[np.intp]


def history_features(side: LinkedSide, moments: Moments) -> tuple[list[str], NDArray[np.float64]]:
    """Counts, ages and last values by type of what was over before each moment, and the unit's columns.

    A row counts once it is over, strictly before the moment: of a stay that goes on nothing is known. Moments among the
    values count only if they are before it, and the end of follow-up never does. Tables on another clock are left out.

    **Shape**: (m,) moments -> d names, (m, d).
    """
    clock = clocks(side.schema)
    found: dict[str, NDArray[np.float64]] = {}
    for table in side.schema.graph.owners:
        if clock[table] == clock[moments.table]:
            found.update(_of_table(side, table, moments))
    found.update(_of_unit(side, moments))
    width = [np.zeros((len(moments.unit), 0)), *(column[:, None] for column in found.values())]
    return list(found), np.concatenate(width, axis=1)


def _of_table(side: LinkedSide, table: str, moments: Moments) -> Named:
    yield from _of_rows(side, table, moments, np.arange(side.rows(table)), table)
    many = side.types.series[table]
    for k in range(min(many, MAX_HISTORY_TYPES) if many > 1 else 0):
        rows = np.flatnonzero(side.series(table) == k)
        yield from _of_rows(side, table, moments, rows, f"{table}:{k}", last=k < REMEMBERED_SERIES)


def _of_rows(
    side: LinkedSide, table: str, moments: Moments, rows: NDArray[np.intp], name: str, *, last: bool = True
) -> Named:
    """Number of rows over before each moment, time since the last of them, and what it says."""
    over = _over(side, table)[rows]
    rows, over = rows[~np.isnan(over)], over[~np.isnan(over)]
    units = side.units(table)[rows]
    keys, wanted = row_groups.lexicographic(units, over, moments.unit, moments.time)
    order = np.lexsort((rows, keys))
    first = np.searchsorted(np.sort(units), moments.unit, side="left")
    at = np.searchsorted(keys[order], wanted, side="left")
    known = ~np.isnan(moments.time)
    count = np.where(known, at - first, 0)
    yield f"{name}: rows before", count.astype(float)
    before = np.where(count > 0, np.append(order, 0)[np.maximum(at - 1, 0)], -1)
    yield f"{name}: time since", moments.time - row_groups.gathered(over, before)
    if last:
        columns, values = side.values(table)
        values = row_groups.gathered(values[rows], before)
        for k, column in enumerate(columns):
            yield f"{name}.{column}: last", _not_later(side, table, column, values[:, k], moments.time)


def _over(side: LinkedSide, table: str) -> NDArray[np.float64]:
    """When all of a row is known: at its own end, not before the ends of rows it has its time from."""
    if is_timed(side.schema, table) or side.schema.graph.owners[table] == side.schema.unit:
        return side.end(table)
    owner = side.schema.graph.owners[table]
    return _over(side, owner)[side.owners(table)]


def _of_unit(side: LinkedSide, moments: Moments) -> Named:
    unit, rules = side.schema.unit, side.schema.rules
    totals = {rule.parent for rule in rules if isinstance(rule, Total)}  # sums over rows that are still to come
    columns, values = side.values(unit)
    for k, column in enumerate(columns):
        if column != side.schema.tables[unit].end and f"{unit}.{column}" not in totals:
            yield f"{unit}.{column}", _not_later(side, unit, column, values[moments.unit, k], moments.time)


def _not_later(
    side: LinkedSide, table: str, column: str, values: NDArray[np.float64], time: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Moments among the values as the time since them, missing if they are not before; other values as they are."""
    if side.schema.tables[table].columns[column].kind != "datetime":
        return values
    since = time - values
    return np.where(since > 0, since, np.nan)
