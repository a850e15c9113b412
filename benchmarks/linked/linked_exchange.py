"""Linked tables as any package takes them, and what a package drew as tables of the schema."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from benchmarks.linked.linked_job import OWNER, ROW
from synthkit.schema import Schema
from synthkit.schema.clamp import clamp
from synthkit.schema.columns import Identifier
from synthkit.schema.conform import conform
from synthkit.schema.derived import with_derived
from synthkit.schema.linked import LinkedSchema
from synthkit.tables.linked_tables import LinkedTables


def handed(schema: LinkedSchema, name: str) -> dict[str, str]:
    """Columns of a table that peers learn, with their kinds: values, moments, and whom a row shares with others."""
    table = schema.tables[name]
    shared = {column for link in table.links if link.kind == "shared" for column in link.columns}
    wanted = {*table.payload, *table.moments, *shared} - {*table.derived}
    return {
        column: "categorical" if column in shared else kind.kind
        for column, kind in table.columns.items()
        if column in wanted and (column in shared or not isinstance(kind, Identifier))
    }


def graph(schema: LinkedSchema) -> list[dict[str, Any]]:
    """Tables that are made, owners first, as a job tells peers of them."""
    found = []
    for name in schema.graph.records:
        order = schema.tables[name].order
        found.append(
            {
                "table": name,
                "owner": schema.graph.owners.get(name),
                "kinds": handed(schema, name),
                "start": None if order is None else order.start,
                "until": None if order is None else order.until,
            }
        )
    return found


def plain_columns(frame: pd.DataFrame, kinds: Mapping[str, str]) -> pd.DataFrame:
    """Columns as any package takes them: numbers, moments, and texts; None or NaN where missing."""
    out = {}
    for name, kind in kinds.items():
        values = frame[name]
        if kind == "numeric":
            out[name] = values if values.dtype == np.int64 else values.astype("float64")
        elif kind == "datetime":
            out[name] = values.astype("datetime64[ns]")
        else:
            out[name] = values.astype("string").astype(object).where(values.notna(), None)
    return pd.DataFrame(out, index=frame.index)


def plain_tables(tables: LinkedTables) -> dict[str, pd.DataFrame]:
    """Every table that is made, with the number of each row and of its owner."""
    found = {}
    for name in tables.schema.graph.records:
        frame = plain_columns(tables.frames[name], handed(tables.schema, name))
        frame.insert(0, ROW, np.arange(len(frame)))
        if name in tables.owners:
            frame.insert(1, OWNER, tables.owners[name])
        found[name] = frame
    return found


@dataclass
class Completion:
    """What is added to a package's rows until they are tables of the schema, as a user who has it would.

    Owners' keys are written into their rows, rows are put in order and numbered, identifiers are running numbers,
    derived columns are computed, numbers move to the nearest the schema admits. Links to earlier rows are left empty:
    no package makes them. Rows of owners that are not there are left out.

    Args:
        train: the training tables.
        moved: number of cells that were moved, by table.
        lost: number of rows whose owner is not there.
    """

    train: LinkedTables
    moved: dict[str, int] = field(default_factory=dict)
    lost: int = 0
    _numbers: dict[str, pd.Index[Any]] = field(default_factory=dict)
    _owners: dict[str, NDArray[np.intp]] = field(default_factory=dict)
    _frames: dict[str, pd.DataFrame] = field(default_factory=dict)

    @property
    def schema(self) -> LinkedSchema:
        """What the tables mean."""
        return self.train.schema

    def completed(self, drawn: Mapping[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
        """All tables of the schema; catalogues and shared rows are those of training."""
        for name in self.schema.graph.records:
            self._add(name, drawn[name].reset_index(drop=True))
        return {**self._frames, **self.train.references, **self.train.shared}

    def _add(self, name: str, frame: pd.DataFrame) -> None:
        table = self.schema.tables[name]
        if name in self.schema.graph.owners:
            frame = self._in_order(name, frame)
        self._numbers[name] = pd.Index(frame[ROW])
        alone = table.alone(name)
        columns = {column: frame[column] for column in handed(self.schema, name)}
        columns |= dict(self._keys(name, len(frame)))
        for column, kind in table.columns.items():
            if column not in columns and column not in table.derived:
                columns[column] = self._fresh(len(frame), unique=column in table.key or isinstance(kind, Identifier))
        present = [column for column in table.columns if column in columns]
        typed = conform(pd.DataFrame(columns)[present], alone, partial=True)
        self._frames[name] = self._clamped(name, with_derived(typed, alone)[list(table.columns)], alone)

    def _in_order(self, name: str, frame: pd.DataFrame) -> pd.DataFrame:
        at = self._numbers[self.schema.graph.owners[name]].get_indexer(pd.Index(frame[OWNER]))
        self.lost += int((at < 0).sum())
        order = np.flatnonzero(at >= 0)
        for column in reversed(self.schema.tables[name].moments):
            order = order[np.argsort(frame[column].to_numpy()[order], kind="stable")]
        order = order[np.argsort(at[order], kind="stable")]
        self._owners[name] = at[order]
        return frame.iloc[order].reset_index(drop=True)

    def _keys(self, name: str, size: int) -> Iterator[tuple[str, Any]]:
        """Key columns that follow from the owners, and the number of a row among those of its owner."""
        table = self.schema.tables[name]
        for link in table.links:
            if link.kind in ("owner", "implied"):
                at, to = np.arange(size), name
                while to != link.to:
                    at, to = self._owners[to][at], self.schema.graph.owners[to]
                for column, theirs in zip(link.columns, self.schema.tables[to].key, strict=True):
                    yield column, self._frames[to][theirs].take(at).reset_index(drop=True)
            elif link.kind in ("earlier", "peer"):
                yield from ((column, pd.Series([None] * size, dtype=object)) for column in link.columns)
        if table.position is not None:
            owners = pd.Series(self._owners[name])
            yield table.position, owners.groupby(owners).cumcount() + 1

    @staticmethod
    def _fresh(size: int, *, unique: bool) -> pd.Series:
        values = np.arange(1, size + 1).astype(str).astype(object) if unique else np.full(size, None, dtype=object)
        return pd.Series(values)

    def _clamped(self, name: str, frame: pd.DataFrame, alone: Schema) -> pd.DataFrame:
        clamped, counts = clamp(frame, alone)
        if counts:
            self.moved[name] = sum(counts.values())
        return clamped
