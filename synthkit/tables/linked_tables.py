"""Linked tables typed once by their schema, rows in the order of the units, every key resolved to a row."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from synthkit.errors import SchemaError
from synthkit.schema.conform import conform
from synthkit.tables.typed_table import TypedTable

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from synthkit.schema import Schema
    from synthkit.schema.linked import LinkedSchema
    from synthkit.schema.linked.link import Link


@dataclass(frozen=True, kw_only=True)
class LinkedTables:
    """Linked tables, rows of one unit together, rows of one owner together and in their order.

    Args:
        schema: what the tables mean.
        frames: typed rows of each table of records.
        references: public catalogues as they came.
        shared: typed rows that several units have in common.
        owners: of each table but the units', the position of each row's owner among the owner's rows.
        earlier: positions of the rows that links of kind `earlier`, `peer` and `shared` point to, -1 for none, by table
            and number of the link.
        storages: how each column was stored, by table and name.
    """

    schema: LinkedSchema
    frames: Mapping[str, pd.DataFrame]
    references: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    shared: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    owners: Mapping[str, NDArray[np.intp]]
    earlier: Mapping[tuple[str, int], NDArray[np.intp]] = field(default_factory=dict)
    storages: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    @classmethod
    def of(cls, frames: Mapping[str, pd.DataFrame], schema: LinkedSchema, *, few: bool = False) -> LinkedTables:
        """Type the tables and put their rows in order.

        Args:
            frames: the tables by name.
            schema: what they mean.
            few: whether tables may have few rows, or none: of what is known already, nothing is learned from it.

        Raises:
            SchemaError: a table is missing, cannot be typed, or has keys that are not those of its owners.
        """
        missing = [name for name in schema.tables if name not in frames]
        if missing:
            msg = f"every declared table must be given; however: {', '.join(missing)} missing"
            raise SchemaError(msg)
        typed = {
            name: _typed(frames[name].reset_index(drop=True), schema.tables[name].alone(name), few=few)
            for name in (*schema.graph.records, *schema.graph.shared)
        }
        rows, owners = {schema.unit: typed[schema.unit].frame}, {}
        shared = {name: typed[name].frame for name in schema.graph.shared}
        for name in schema.graph.owners:
            rows[name], owners[name] = _in_order(typed[name].frame, name, rows, schema)
        return cls(
            schema=schema,
            frames=rows,
            references={name: frames[name] for name in schema.graph.references},
            shared=shared,
            owners=owners,
            earlier=_earlier(rows, shared, schema),
            storages={name: table.storages for name, table in typed.items()},
        )

    @cached_property
    def units(self) -> Mapping[str, NDArray[np.intp]]:
        """Position of each row's unit, by table. **Shape**: name -> (n_name,)."""
        found = {self.schema.unit: np.arange(len(self.frames[self.schema.unit]))}
        for name, owner in self.schema.graph.owners.items():
            found[name] = found[owner][self.owners[name]]
        return found

    def counts(self, child: str) -> NDArray[np.int64]:
        """How many rows of a table each row of its owner has. **Shape**: (n_owner,)."""
        owner = self.schema.graph.owners[child]
        return np.bincount(self.owners[child], minlength=len(self.frames[owner])).astype(np.int64)

    def take(self, units: NDArray[np.intp]) -> LinkedTables:
        """The tables of some units, in the order given; each at most once."""
        kept = {self.schema.unit: np.asarray(units)}
        for name, owner in self.schema.graph.owners.items():
            new = np.full(len(self.frames[owner]), -1)
            new[kept[owner]] = np.arange(len(kept[owner]))
            place = new[self.owners[name]]
            chosen = np.flatnonzero(place >= 0)
            kept[name] = chosen[np.argsort(place[chosen], kind="stable")]
        return self._of_rows(kept)

    def _of_rows(self, kept: Mapping[str, NDArray[np.intp]]) -> LinkedTables:
        new = {}
        for name, rows in kept.items():
            new[name] = np.full(len(self.frames[name]) + 1, -1)  # the last stands for the row -1
            new[name][rows] = np.arange(len(rows))
        for name, common in self.shared.items():
            new[name] = np.r_[np.arange(len(common)), -1]
        graph = self.schema.graph
        return LinkedTables(
            schema=self.schema,
            frames={name: self.frames[name].iloc[rows].reset_index(drop=True) for name, rows in kept.items()},
            references=self.references,
            shared=self.shared,
            owners={name: new[owner][self.owners[name][kept[name]]] for name, owner in graph.owners.items()},
            earlier={
                (name, k): new[self.schema.tables[name].links[k].to][rows[kept[name]]]
                for (name, k), rows in self.earlier.items()
            },
            storages=self.storages,
        )


def _typed(frame: pd.DataFrame, schema: Schema, *, few: bool) -> TypedTable:
    return TypedTable(frame=conform(frame, schema)) if few else TypedTable.of(frame, schema)


def key_positions(
    rows: pd.DataFrame, columns: tuple[str, ...], to: pd.DataFrame, key: tuple[str, ...]
) -> NDArray[np.intp]:
    """Position of the row that each key names, -1 where no row has it or a part is missing. **Shape**: (n,)."""
    found = _keys(to, key).get_indexer(_keys(rows, columns))
    return np.where(rows[list(columns)].isna().any(axis=1).to_numpy(), -1, found).astype(np.intp)


def _keys(frame: pd.DataFrame, columns: tuple[str, ...]) -> pd.Index:
    texts = [frame[c].astype("string").fillna("").to_numpy(dtype=object) for c in columns]
    return pd.Index(texts[0]) if len(texts) == 1 else pd.MultiIndex.from_arrays(texts)


def _in_order(
    frame: pd.DataFrame, name: str, rows: Mapping[str, pd.DataFrame], schema: LinkedSchema
) -> tuple[pd.DataFrame, NDArray[np.intp]]:
    """Rows sorted by owner, then by when they happen, then as they stood; and the positions of their owners."""
    table = schema.tables[name]
    link: Link = next(each for each in table.links if each.kind == "owner")
    owners = key_positions(frame, link.columns, rows[link.to], schema.tables[link.to].key)
    lost = int((owners < 0).sum())
    if lost:
        msg = f"every row of `{name}` must belong to a row of `{link.to}`; however: {lost} do not"
        raise SchemaError(msg)
    order = np.arange(len(frame))
    for column in reversed(table.moments):
        order = order[np.argsort(frame[column].to_numpy()[order], kind="stable")]
    order = order[np.argsort(owners[order], kind="stable")]
    return frame.iloc[order].reset_index(drop=True), owners[order]


def _earlier(
    rows: Mapping[str, pd.DataFrame], shared: Mapping[str, pd.DataFrame], schema: LinkedSchema
) -> dict[tuple[str, int], NDArray[np.intp]]:
    to = {**rows, **shared}
    return {
        (name, k): key_positions(frame, link.columns, to[link.to], schema.tables[link.to].key)
        for name, frame in rows.items()
        for k, link in enumerate(schema.tables[name].links)
        if link.kind in ("earlier", "peer", "shared")
    }
