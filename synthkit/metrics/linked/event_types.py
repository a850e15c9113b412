"""How linked tables become small integers: cuts, levels and types of events, fitted on the real tables once."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from synthkit.metrics.stats.binning import Binning, label
from synthkit.schema.columns import Discrete, level_keys
from synthkit.schema.rare_codes import MIN_ROWS_OF_COMMON_CODE

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from synthkit.schema import Schema
    from synthkit.schema.linked import LinkedSchema
    from synthkit.tables.linked_tables import LinkedTables

MAX_SERIES = 63  # series of a table that are told apart; the rarer ones are one
COARSE_BINS, COARSE_LEVELS = 5, 20  # of quantities and of levels in tables of two tables' columns
COMMON_ROWS = MIN_ROWS_OF_COMMON_CODE  # real rows from which on a level is told apart by classifiers
POSITION_CLOCK = 2  # 0: moments, 1: numbers, from 2 on: the place among the rows of a unit, a clock for each table


@dataclass(frozen=True, kw_only=True)
class EventTypes:
    """What is fitted on the real tables so that all sides are coded alike.

    Cuts are those of the training tables. Levels are ranked in training and held-out tables together: a level that only
    the one or the other has would tell them apart, though both are real.

    Args:
        schemas: each table by itself.
        cuts: coarse cuts of its columns.
        levels: rank by frequency of each level of its columns of levels.
        common: number of its levels that have five real rows or more; they have the first ranks.
        series: number of series that are told apart, 1 for a table without series.
        first: number of the first type of each table of events; types are table, or table and series.
    """

    schemas: Mapping[str, Schema]
    cuts: Mapping[str, Binning]
    levels: Mapping[str, Mapping[str, Mapping[Hashable, int]]]
    common: Mapping[str, Mapping[str, int]]
    series: Mapping[str, int]
    first: Mapping[str, int]

    @classmethod
    def fit(cls, train: LinkedTables, holdout: LinkedTables | None = None) -> EventTypes:
        """Learn cuts from the training tables, and levels from these and the held-out ones, if there are any."""
        schema = train.schema
        alone = {name: schema.tables[name].alone(name) for name in schema.graph.records}
        sides = [train] if holdout is None else [train, holdout]
        counts = {n: _level_counts([side.frames[n] for side in sides], alone[n]) for n in schema.graph.records}
        ranks = {n: {c: {key: k for k, key in enumerate(x.index)} for c, x in at.items()} for n, at in counts.items()}
        series = {name: _many(ranks[name].get(schema.tables[name].series or "")) for name in schema.graph.owners}
        ends = np.cumsum([0, *series.values()]).tolist()
        return cls(
            schemas=alone,
            cuts={
                name: Binning.fit(train.frames[name], alone[name], bins=COARSE_BINS, levels=COARSE_LEVELS)
                for name in schema.graph.records
            },
            levels=ranks,
            common={n: {c: int((x >= COMMON_ROWS).sum()) for c, x in at.items()} for n, at in counts.items()},
            series=series,
            first=dict(zip(series, ends[:-1], strict=True)),
        )

    @property
    def types(self) -> int:
        """Number of types."""
        return sum(self.series.values())

    def spelled(self, schema: LinkedSchema) -> tuple[str, ...]:
        """What each type is called on a page: its table, with the level of its series where there are several."""
        found: list[str] = []
        for table in self.series:
            names = self.spelled_series(schema, table)
            found += [f"{table}: {name}" for name in names] if names else [table]
        return tuple(found)

    def spelled_series(self, schema: LinkedSchema, table: str) -> tuple[str, ...]:
        """The series of a table by their levels, the commonest first, those that are one at the end; each once."""
        column, many = schema.tables[table].series, self.series[table]
        if many == 1 or column is None:
            return ()
        levels = sorted(self.levels[table][column].items(), key=lambda each: each[1])[: many - 1]
        names = [*(str(label(level)) for level, _ in levels), "other"]
        return tuple(name if names.index(name) == k else f"{name} ({k + 1})" for k, name in enumerate(names))

    def codes(self, frame: pd.DataFrame, table: str, column: str) -> NDArray[np.intp]:
        """Rank of each level, -1 for a missing cell, the next number for levels that no real row has."""
        keys, uniques = pd.factorize(level_keys(frame[column]), use_na_sentinel=True)
        known = self.levels[table][column]
        return np.array([*(known.get(key, len(known)) for key in uniques), -1], dtype=np.intp)[keys]

    def pooled_codes(self, frame: pd.DataFrame, table: str, column: str) -> NDArray[np.intp]:
        """The same with the levels of fewer than five real rows as one, and those of none among them."""
        return np.minimum(self.codes(frame, table, column), self.common[table][column])

    def series_codes(self, frame: pd.DataFrame, table: str, schema: LinkedSchema) -> NDArray[np.intp]:
        """Series of each row, the rare, unknown and missing ones as the last. **Shape**: (n,) below `series`."""
        column, many = schema.tables[table].series, self.series[table]
        if column is None or many == 1:
            return np.zeros(len(frame), dtype=np.intp)
        codes = self.codes(frame, table, column)
        return np.where((codes < 0) | (codes >= many), many - 1, codes)


def clocks(schema: LinkedSchema) -> dict[str, int]:
    """Clock of each table below the units: those of one clock can be laid on one line."""
    found: dict[str, int] = {}
    for k, (name, owner) in enumerate(schema.graph.owners.items()):
        order = schema.tables[name].order
        kind = None if order is None else schema.tables[name].columns[order.start].kind
        if kind in ("datetime", "numeric"):
            found[name] = 0 if kind == "datetime" else 1
        else:
            found[name] = POSITION_CLOCK + k if owner == schema.unit else found[owner]
    return found


def is_timed(schema: LinkedSchema, name: str) -> bool:
    """Whether rows of a table happen at a moment or number of their own."""
    order = schema.tables[name].order
    return order is not None and schema.tables[name].columns[order.start].kind in ("datetime", "numeric")


def _level_counts(frames: list[pd.DataFrame], schema: Schema) -> dict[str, pd.Series]:
    """Rows of each level in all frames together, the commonest first."""
    found = {}
    for name in schema.columns:
        if isinstance(schema.columns[name], Discrete):
            keys = [level_keys(frame[name].dropna()) for frame in frames]
            counts = pd.Series(np.concatenate([each.to_numpy(dtype=object) for each in keys])).value_counts()
            found[name] = counts.loc[sorted(counts.index, key=lambda key: (-counts[key], str(key)))]
    return found


def _many(levels: Mapping[Hashable, int] | None) -> int:
    """Types of a table: a series for each common level, and one for the rest."""
    return 1 if levels is None else min(len(levels), MAX_SERIES) + 1
