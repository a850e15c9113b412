"""A unit as one row: counts, shares of types, and what its values are in all tables."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from synthkit.metrics.linked import row_groups
from synthkit.metrics.linked.event_types import is_timed
from synthkit.schema import Code, Column, Numeric, Schema
from synthkit.schema.columns import Discrete

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from synthkit.metrics.linked.linked_side import LinkedSide

AGGREGATED_SERIES, AGGREGATED_TYPES = 8, 20  # commonest series with figures of their own; types with a share
MAX_AGGREGATES = 400
_SERIES = ", series "
Named = Iterator[tuple[str, "NDArray[np.float64]"]]


@dataclass(frozen=True)
class UnitAggregates:
    """One row a unit.

    Args:
        frame: numbers by name; levels of the unit's own columns as ranks, -1 and missing as nan.
        levels: names of those that are ranks of levels.
    """

    frame: pd.DataFrame
    levels: frozenset[str]

    @classmethod
    def of(cls, side: LinkedSide, *, brief: bool = False) -> UnitAggregates:
        """Aggregates of every unit of a side; the same names for sides of one schema.

        Args:
            side: the tables.
            brief: only counts, means, first and last times, for correlations.
        """
        unit, tables = side.schema.unit, side.schema.tables
        columns, values = side.values(unit)
        found = {f"{unit}.{name}": values[:, k] for k, name in enumerate(columns)}
        levels = frozenset(f"{unit}.{name}" for name in columns if isinstance(tables[unit].columns[name], Discrete))
        for table in side.schema.graph.owners:
            found.update(_of_table(side, table, brief=brief))
        plain_first = sorted(found, key=lambda name: _SERIES in name)  # those of series are left out where too many
        kept = {name: found[name] for name in plain_first[:MAX_AGGREGATES]}
        return cls(pd.DataFrame(kept), frozenset(levels & set(kept)))

    @property
    def schema(self) -> Schema:
        """The aggregates as columns of one table: codes for levels, numbers for all others, any of them missing."""
        kinds: dict[str, Column] = {
            str(name): Code(nullable=True) if name in self.levels else Numeric(nullable=True) for name in self.frame
        }
        return Schema(name="units", columns=kinds)

    def with_texts(self) -> pd.DataFrame:
        """The aggregates with levels as texts, as that schema has them. **Shape**: (units, aggregates)."""
        texts = {n: self.frame[n].map("{:.0f}".format, na_action="ignore").astype(object) for n in self.levels}
        return self.frame.assign(**texts)


def _of_table(side: LinkedSide, table: str, *, brief: bool) -> Named:
    units, size = side.units(table), side.size
    yield f"{table}: rows", np.bincount(units, minlength=size).astype(float)
    if is_timed(side.schema, table):
        first, last = row_groups.group_extremes(side.start(table), units, size)
        yield f"{table}: first", first
        yield f"{table}: last", last
    if not brief:
        yield from _shares(side, table)
    columns, values = side.values(table)
    for k, column in enumerate(columns):
        x, name = values[:, k], f"{table}.{column}"
        if isinstance(side.schema.tables[table].columns[column], Discrete):
            yield f"{name}: different", row_groups.group_distinct(side.levels(table, column), units, size)
        elif brief:
            yield f"{name}: mean", row_groups.group_mean(x, units, size)
        else:
            yield from _of_numbers(name, x, units, size)
            yield from _of_series(side, table, name, x)


def _shares(side: LinkedSide, table: str) -> Named:
    """Share of a unit's rows by series, the commonest ones."""
    names, units = side.types.spelled_series(side.schema, table), side.units(table)
    rows = np.bincount(units, minlength=side.size)
    for k, name in enumerate(names[:AGGREGATED_TYPES]):
        count = np.bincount(units[side.series(table) == k], minlength=side.size)
        yield f"{table}, {name}: share", np.where(rows > 0, count / np.maximum(rows, 1), np.nan)


def _of_numbers(name: str, x: NDArray[np.float64], units: NDArray[np.intp], size: int) -> Named:
    low, high = row_groups.group_extremes(x, units, size)
    yield f"{name}: mean", row_groups.group_mean(x, units, size)
    yield f"{name}: least", low
    yield f"{name}: largest", high
    yield f"{name}: sd", row_groups.group_sd(x, units, size)
    yield f"{name}: last", row_groups.group_last(x, units, size)


def _of_series(side: LinkedSide, table: str, name: str, x: NDArray[np.float64]) -> Named:
    """Mean, least, largest, sd and last of the commonest series."""
    for k, series in enumerate(side.types.spelled_series(side.schema, table)[:-1][:AGGREGATED_SERIES]):
        rows = side.series(table) == k
        yield from _of_numbers(f"{name}{_SERIES}{series}", x[rows], side.units(table)[rows], side.size)
