"""Rows of linked tables given to their units: whose a row is, and whom it points to, no row of another unit decides."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from synthkit.encoding.arrays import Ints
from synthkit.schema.columns import Identifier
from synthkit.schema.linked import LinkedSchema
from synthkit.schema.linked.linked_table import LinkedTable
from synthkit.schema.linked.row_keys import RowKeys
from synthkit.tables.linked_tables import LinkedTables, key_positions


@dataclass(frozen=True)
class UnitScope:
    """Tables of which every key says its unit too, so that rows of two units are never taken for one.

    A row belongs to the first row that has the key of its owner, and so to the unit of that row. Of rows of one unit
    with one key all but the first are left out. What else it points to is looked for among the rows of its unit.

    Args:
        frames: cells by table, each record with the number of its unit.
        schema: the one in which that number is part of each key of records, and of each link to them.
        column: name of the number.
    """

    frames: Mapping[str, pd.DataFrame]
    schema: LinkedSchema
    column: str

    @classmethod
    def of(cls, frames: Mapping[str, pd.DataFrame], schema: LinkedSchema) -> UnitScope:
        """The tables with their units.

        Args:
            frames: cells in the public domain, keys as texts that are equal where they name one row.
            schema: the public one.
        """
        column = _unused(schema)
        out = dict(frames)
        unit = _distinct(out[schema.unit], schema.tables[schema.unit].key)
        out[schema.unit] = unit.assign(**{column: _texts(np.arange(len(unit)))})
        for name in schema.graph.owners:
            link, key = schema.tables[name].owner, schema.tables[name].key
            assert link is not None
            owners = out[link.to]
            place = key_positions(out[name], link.columns, owners, schema.tables[link.to].key)
            here = out[name][place >= 0].reset_index(drop=True)
            whose = owners[column].to_numpy()[place[place >= 0]]
            here = here.assign(**{column: whose})
            out[name] = _distinct(here, (*key, column) if key else ())
        for name in schema.graph.records:
            out[name] = out[name].assign(**_peers(name, out, schema, column))
        return cls(out, _scoped(schema, column), column)

    def unscoped(self, tables: LinkedTables, schema: LinkedSchema) -> LinkedTables:
        """The tables as the schema has them, without the numbers."""
        frames = {name: frame[list(schema.tables[name].columns)] for name, frame in tables.frames.items()}
        return replace(tables, schema=schema, frames=frames)


def with_told_peers(tables: LinkedTables) -> LinkedTables:
    """The tables in which a link to another unit stands where its key is told, whether or not that unit is there.

    Whether it is there would be told of its row by the row of somebody else. What is learned of such a link is that
    it stands, so that any number says it.

    Args:
        tables: units, as they may be looked at.
    """
    links = {name: tables.schema.tables[name].links for name, _ in tables.earlier}
    told = {
        (name, k): np.where(RowKeys.of(tables.frames[name], links[name][k].columns).complete, 0, -1)
        for name, k in tables.earlier
        if links[name][k].kind == "peer"
    }
    return replace(tables, earlier={**tables.earlier, **told})


def _scoped(schema: LinkedSchema, column: str) -> LinkedSchema:
    """The schema in which keys of records, and links to records, have one more part."""
    tables = dict(schema.tables)
    for name in schema.graph.records:
        table = schema.tables[name]
        parts = _parts(table, schema, column)
        links = tuple(
            link.model_copy(update={"columns": (*link.columns, parts[k])}) if k in parts else link
            for k, link in enumerate(table.links)
        )
        more = {part: Identifier(nullable=part != column) for part in (column, *parts.values())}
        changed = {
            "columns": {**table.columns, **more},
            "key": (*table.key, column) if table.key else (),
            "links": links,
        }
        tables[name] = LinkedTable.model_construct(**{k: getattr(table, k) for k in LinkedTable.model_fields} | changed)
    return schema.model_copy(update={"tables": tables})


def _parts(table: LinkedTable, schema: LinkedSchema, column: str) -> dict[int, str]:
    """By number of a link to records, the column that says the unit of the row it points to."""
    records = schema.graph.records
    return {
        k: f"{column} {k}" if link.kind == "peer" else column
        for k, link in enumerate(table.links)
        if link.to in records
    }


def _peers(
    name: str, frames: Mapping[str, pd.DataFrame], schema: LinkedSchema, column: str
) -> dict[str, NDArray[np.object_]]:
    """By column, the unit of the row that each row of another unit is; None where there is none."""
    table, out = schema.tables[name], {}
    for k, part in _parts(table, schema, column).items():
        link = table.links[k]
        if link.kind == "peer":
            to = frames[link.to]
            place = key_positions(frames[name], link.columns, to, schema.tables[link.to].key)
            units = np.full(len(to) + 1, None, dtype=object)
            units[:-1] = to[column]
            out[part] = units[place]
    return out


def _unused(schema: LinkedSchema) -> str:
    """A name that no column has."""
    name = "(unit)"
    while any(name in table.columns for table in schema.tables.values()):
        name = f"({name})"
    return name


def _texts(numbers: Ints) -> pd.Series:
    return pd.Series(numbers.astype(str), dtype=object)


def _distinct(frame: pd.DataFrame, key: tuple[str, ...]) -> pd.DataFrame:
    """Rows that have a key, and of which no earlier one has it."""
    if not key or not len(frame):
        return frame.reset_index(drop=True)
    keys = RowKeys.of(frame, key)
    first = np.zeros(len(frame), dtype=bool)
    first[np.unique(keys.codes(), return_index=True)[1]] = True
    return frame[first & keys.complete].reset_index(drop=True)
