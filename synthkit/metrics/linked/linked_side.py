"""One side of a comparison of linked tables, with what several metrics need of it computed once."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from synthkit.metrics.linked import row_groups
from synthkit.metrics.linked.event_types import EventTypes, clocks, is_timed
from synthkit.metrics.stats.binning import numbers, quantities
from synthkit.schema.linked.resolved_tables import ResolvedTables

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from synthkit.schema.linked import LinkedSchema
    from synthkit.tables.linked_tables import LinkedTables

MICROSECONDS = 1e6


@dataclass(frozen=True, kw_only=True)
class UnitTimeline:
    """All rows below the units as events: by unit, then clock, time, table and place.

    **Shape**: (m,) each; `table` numbers the tables below the units, `row` is a position in its frame.
    """

    unit: NDArray[np.intp]
    clock: NDArray[np.intp]
    time: NDArray[np.float64]
    kind: NDArray[np.intp]
    table: NDArray[np.intp]
    row: NDArray[np.intp]

    @property
    def followed(self) -> NDArray[np.intp]:
        """Positions of events whose predecessor is one of the same unit and clock. **Shape**: (k,)."""
        same = (self.unit[1:] == self.unit[:-1]) & (self.clock[1:] == self.clock[:-1])
        return np.flatnonzero(same) + 1


@dataclass(frozen=True)
class LinkedSide:
    """Linked tables coded as all sides are.

    Args:
        tables: rows of some units.
        types: cuts, levels and types of events.
    """

    tables: LinkedTables
    types: EventTypes

    @property
    def schema(self) -> LinkedSchema:
        """What the tables mean."""
        return self.tables.schema

    @property
    def size(self) -> int:
        """Number of units."""
        return len(self.tables.frames[self.schema.unit])

    def rows(self, table: str) -> int:
        """Number of rows of a table."""
        return len(self.tables.frames[table])

    def units(self, table: str) -> NDArray[np.intp]:
        """Unit of each row. **Shape**: (n,)."""
        return self.tables.units[table]

    @cached_property
    def resolved(self) -> ResolvedTables:
        """The tables with every key looked up anew in the cells."""
        return ResolvedTables({**self.tables.frames, **self.tables.shared, **self.tables.references}, self.schema)

    def number(self, table: str, column: str) -> NDArray[np.float64]:
        """A column of numbers, or of moments in seconds; missing cells are nan. **Shape**: (n,)."""
        scale = MICROSECONDS if self.schema.tables[table].columns[column].kind == "datetime" else 1.0
        return numbers(self.tables.frames[table][column]) / scale

    def levels(self, table: str, column: str) -> NDArray[np.intp]:
        """Ranks of a column's levels, -1 for missing cells. **Shape**: (n,)."""
        return self.types.codes(self.tables.frames[table], table, column)

    def coarse_column(self, table: str, column: str) -> NDArray[np.intp]:
        """Coarse codes of a column. **Shape**: (n,)."""
        return self._coarse[table][column]

    def series(self, table: str) -> NDArray[np.intp]:
        """Series of each row; 0 in a table without. **Shape**: (n,)."""
        return self._series[table]

    def owners(self, table: str) -> NDArray[np.intp]:
        """Position of each row's owner. **Shape**: (n,)."""
        return self.tables.owners[table]

    def previous(self, table: str) -> NDArray[np.intp]:
        """The row before of the same owner, -1 for none. **Shape**: (n,)."""
        return row_groups.previous_rows(self.owners(table))

    def previous_of_series(self, table: str) -> NDArray[np.intp]:
        """The row before of the same unit and series, -1 for none. **Shape**: (n,)."""
        return row_groups.previous_rows(self.units(table), self.series(table))

    def start(self, table: str) -> NDArray[np.float64]:
        """When rows happen: their moment or number, else their owner's, else their place. **Shape**: (n,)."""
        return self._starts[table]

    def end(self, table: str) -> NDArray[np.float64]:
        """When rows are over, and all of them is known; when they happen if they do not last. **Shape**: (n,)."""
        order = self.schema.tables[table].order
        if order is None or order.until is None or not is_timed(self.schema, table):
            return self.start(table)
        until = self.number(table, order.until)
        return np.where(np.isnan(until), self.start(table), np.maximum(until, self.start(table)))

    def values(self, table: str) -> tuple[list[str], NDArray[np.float64]]:
        """Names and values of the learned columns: numbers as they are, levels as ranks, the rare ones as one.

        **Shape**: (n, d).
        """
        return self._values[table]

    def exact_values(self, table: str) -> NDArray[np.float64]:
        """Values of the learned columns with rare levels apart: equal rows alone are equal. **Shape**: (n, d)."""
        names, pooled = self.values(table)
        out = pooled.copy()
        for k, column in enumerate(names):
            if column in self.types.levels[table]:
                out[:, k] = _or_nan(self.levels(table, column))
        return out

    @cached_property
    def timeline(self) -> UnitTimeline:
        """Every event of every unit, in order."""
        clock_of, owners = clocks(self.schema), list(self.schema.graph.owners)
        size = [self.rows(name) for name in owners]
        table = np.repeat(np.arange(len(owners)), size)
        clock = np.repeat([clock_of[name] for name in owners], size).astype(np.intp)
        parts = [(self.units(n), self.start(n), self.types.first[n] + self.series(n)) for n in owners]
        unit, time, kind = (np.concatenate([part[k] for part in parts]) if parts else np.zeros(0) for k in range(3))
        row = np.concatenate([np.arange(n) for n in size]) if size else np.zeros(0, dtype=np.intp)
        anchor = np.concatenate([self._anchors[n] for n in owners]) if owners else np.zeros((0, 2), dtype=np.intp)
        order = np.lexsort((row, table, anchor[:, 1], anchor[:, 0], time, clock, unit))
        return UnitTimeline(
            unit=unit[order].astype(np.intp),
            clock=clock[order],
            time=time[order],
            kind=kind[order].astype(np.intp),
            table=table[order],
            row=row[order],
        )

    @cached_property
    def _anchors(self) -> dict[str, NDArray[np.intp]]:
        """Table and row that say when a row happens, so that rows without a moment stand by their owner."""
        found: dict[str, NDArray[np.intp]] = {}
        for k, (name, owner) in enumerate(self.schema.graph.owners.items()):
            if is_timed(self.schema, name) or owner == self.schema.unit:
                found[name] = np.stack([np.full(self.rows(name), k), np.arange(self.rows(name))], axis=1)
            else:
                found[name] = found[owner][self.owners(name)]
        return found

    @cached_property
    def _coarse(self) -> dict[str, dict[str, NDArray[np.intp]]]:
        frames = self.tables.frames
        return {n: {c: cut.codes(frames[n][c]) for c, cut in b.cuts.items()} for n, b in self.types.cuts.items()}

    @cached_property
    def _series(self) -> dict[str, NDArray[np.intp]]:
        frames = self.tables.frames
        return {n: self.types.series_codes(frames[n], n, self.schema) for n in self.schema.graph.owners}

    @cached_property
    def _starts(self) -> dict[str, NDArray[np.float64]]:
        found: dict[str, NDArray[np.float64]] = {}
        for name, owner in self.schema.graph.owners.items():
            order = self.schema.tables[name].order
            if order is not None and is_timed(self.schema, name):
                found[name] = self.number(name, order.start)
            elif owner == self.schema.unit:
                found[name] = row_groups.places(self.owners(name)).astype(float)
            else:
                found[name] = found[owner][self.owners(name)]
        return found

    @cached_property
    def _values(self) -> dict[str, tuple[list[str], NDArray[np.float64]]]:
        found = {}
        for name in self.schema.graph.records:
            numeric = set(quantities(self.types.schemas[name]))
            columns = list(self.schema.tables[name].payload)
            frame = self.tables.frames[name]
            parts = [
                self.number(name, c) if c in numeric else _or_nan(self.types.pooled_codes(frame, name, c))
                for c in columns
            ]
            found[name] = (columns, np.stack(parts, axis=1) if parts else np.zeros((self.rows(name), 0)))
        return found


def _or_nan(codes: NDArray[np.intp]) -> NDArray[np.float64]:
    return np.where(codes < 0, np.nan, codes).astype(float)
