"""Linked tables typed once by their schema, rows in the order of the units, every key resolved to a row."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from synthkit.schema.linked.row_keys import RowKeys, key_texts
from synthkit.schema.linked.validate_linked import typed_columns, validate_structure
from synthkit.tables.storage import storages

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from synthkit.schema.linked import LinkedSchema
    from synthkit.schema.linked.link import Link
    from synthkit.schema.linked.linked_columns import LinkedColumns
    from synthkit.schema.linked.linked_validation import LinkedValidation
    from synthkit.schema.linked.orphans import Orphans


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
        validation: what the tables were held against; None where they were put in order alone.
        places: where each row stood in the table that was given; only of tables that were put in order, by table.
    """

    schema: LinkedSchema
    frames: Mapping[str, pd.DataFrame]
    references: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    shared: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    owners: Mapping[str, NDArray[np.intp]]
    earlier: Mapping[tuple[str, int], NDArray[np.intp]] = field(default_factory=dict)
    storages: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    validation: LinkedValidation | None = None
    places: Mapping[str, NDArray[np.intp]] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        frames: Mapping[str, pd.DataFrame],
        schema: LinkedSchema,
        *,
        orphans: Orphans = "refuse",
        texts: Collection[str] = (),
        few: bool = False,
    ) -> LinkedTables:
        """Type the tables and put their rows in order; domains, times and rules are not asked about.

        Args:
            frames: cells of each table, as they came.
            schema: what they mean.
            orphans: whether rows that belong to nobody are refused, or left out (`drop`).
            texts: tables that came as delimited text, whose storage the schema alone tells.
            few: whether rows other units point to may be absent: of what is known so far, nothing is learned from it.

        Raises:
            SchemaError: a table is missing or not declared, cannot be typed, or has keys that are missing, stand twice
                or name no row; lists all of it, by table.
            ConfigError: `orphans` is neither `refuse` nor `drop`.
        """
        columns = typed_columns(frames, schema, orphans)
        validate_structure(columns, few=few).raise_if_failed()
        return cls.of_columns(columns, stored_as(frames, schema, texts))

    @classmethod
    def of_columns(
        cls,
        columns: LinkedColumns,
        stored: Mapping[str, Mapping[str, str]],
        validation: LinkedValidation | None = None,
    ) -> LinkedTables:
        """Put the rows of typed tables, in whose structure nothing is wrong, in order.

        Args:
            columns: the typed tables.
            stored: how each column was stored, by table and name.
            validation: what they were held against.
        """
        schema, found = columns.schema, columns.resolved.frames
        rows, owners = {schema.unit: found[schema.unit]}, {}
        places = {schema.unit: np.arange(len(found[schema.unit]))}
        shared = {name: found[name] for name in schema.graph.shared}
        for name in schema.graph.owners:
            order, mine = _in_order(found[name], name, rows, schema)
            rows[name], owners[name] = found[name].iloc[order].reset_index(drop=True), mine
            places[name] = order
        return cls(
            schema=schema,
            frames=rows,
            references={name: found[name] for name in schema.graph.references},
            shared=shared,
            owners=owners,
            earlier=_earlier(rows, shared, schema),
            storages=stored,
            validation=validation,
            places=places,
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

    def without(self, name: str, gone: NDArray[np.bool_]) -> LinkedTables:
        """The tables without some rows of one of them, and all that belongs to these. **Shape**: (n_name,)."""
        lost = {each: np.zeros(len(frame), dtype=bool) for each, frame in self.frames.items()}
        lost[name] = gone
        for child, owner in self.schema.graph.owners.items():
            lost[child] = lost[child] | lost[owner][self.owners[child]]
        return self._of_rows({each: np.flatnonzero(~where) for each, where in lost.items()})

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
            validation=self.validation,
        )


def stored_as(
    frames: Mapping[str, pd.DataFrame], schema: LinkedSchema, texts: Collection[str] = ()
) -> dict[str, dict[str, str]]:
    """How the columns of each table are stored, by table and name; nothing of delimited text, which the schema types.

    Args:
        frames: cells as they came.
        schema: what they mean.
        texts: tables that came as delimited text.
    """
    described = {name: table.alone(name) for name, table in schema.tables.items() if table.columns}
    return {name: {} if name in texts else storages(frames[name], alone) for name, alone in described.items()}


def key_positions(
    rows: pd.DataFrame, columns: tuple[str, ...], to: pd.DataFrame, key: tuple[str, ...]
) -> NDArray[np.intp]:
    """Position of the row that each key names, -1 where no row has it or a part is missing. **Shape**: (n,)."""
    return RowKeys.of(rows, columns).positions_in(RowKeys.of(to, key))


def _in_order(
    frame: pd.DataFrame, name: str, rows: Mapping[str, pd.DataFrame], schema: LinkedSchema
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Rows by owner, then by when they happen, their number, and how they stood; and the positions of their owners.

    **Shape**: -> (n,), (n,).
    """
    table = schema.tables[name]
    link: Link = next(each for each in table.links if each.kind == "owner")
    owners = key_positions(frame, link.columns, rows[link.to], schema.tables[link.to].key)
    order = np.arange(len(frame))
    for column in (*((table.position,) if table.position is not None else ()), *reversed(table.moments)):
        order = order[np.argsort(_sortable(frame[column])[order], kind="stable")]
    order = order[np.argsort(owners[order], kind="stable")]
    return order, owners[order]


def _sortable(values: pd.Series) -> NDArray[Any]:
    """Cells as an array that sorts, the missing ones last; texts by their letters."""
    if pd.api.types.is_datetime64_dtype(values.dtype):
        return values.to_numpy()
    if pd.api.types.is_numeric_dtype(values.dtype):
        return values.to_numpy(dtype=np.float64, na_value=np.nan)
    return pd.factorize(key_texts(values), sort=True)[0]


def every_frame(tables: Mapping[str, pd.DataFrame] | LinkedTables) -> Mapping[str, pd.DataFrame]:
    """All frames by name, of tables that are typed or not."""
    return {**tables.frames, **tables.references, **tables.shared} if isinstance(tables, LinkedTables) else tables


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
