"""Linked tables as they may be looked at under a budget: cells in the public domain, rows of units within bounds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from synthkit.encoding.arrays import Bools, Ints
from synthkit.privacy.access.catalogued_levels import refuse_catalogues, refuse_misnamed
from synthkit.privacy.access.unit_scope import UnitScope, with_told_peers
from synthkit.privacy.mechanisms.rng import words
from synthkit.schema.columns import Identifier
from synthkit.schema.domain_mapping import map_into_domain
from synthkit.schema.linked import LinkedSchema
from synthkit.schema.linked.link import Link
from synthkit.schema.linked.linked_columns import LinkedColumns
from synthkit.schema.linked.row_keys import RowKeys
from synthkit.schema.unit_keys import unit_keys
from synthkit.tables.linked_tables import LinkedTables

ROWS_OF_NOBODY = "(rows of nobody, or with the key of another)"  # what is counted beside cells of columns


@dataclass(frozen=True, kw_only=True)
class MappedUnits:
    """Linked tables in the public domain, with all rows of every unit.

    Args:
        tables: the rows, each with its unit.
        changed: how many cells of each column were changed, and rows left out, by table; INTERNAL.
    """

    tables: LinkedTables
    changed: Mapping[str, Mapping[str, int]]


def bounded_units(frames: Mapping[str, pd.DataFrame], schema: LinkedSchema) -> LinkedTables:
    """The units that may be looked at; nothing of the rows decides whether there is an answer.

    Args:
        frames: cells of each table, as they came.
        schema: the public one, with a bound for each owner.

    Raises:
        SchemaError: as `mapped_units`.
    """
    return within_bounds(mapped_units(frames, schema).tables)


def mapped_units(frames: Mapping[str, pd.DataFrame], schema: LinkedSchema) -> MappedUnits:
    """The units with all their rows; no row of one decides what becomes of another.

    Cells outside the public domain are mapped into it, each by itself. Rows that belong to nobody are dropped, and of
    rows of a unit with one key all but the first. Keys that name no row of the unit are emptied, or their row dropped;
    one that a catalogue has not becomes missing, or its first.

    Args:
        frames: cells of each table, as they came.
        schema: the public one.

    Raises:
        SchemaError: a table is missing or not declared, or has other columns than are declared; or a catalogue, which
            is public, is not what is declared.
    """
    refuse_misnamed(frames, schema)
    refuse_catalogues(frames, schema)
    mapped, changed = {}, {}
    for name in schema.tables:
        mapped[name], changed[name] = _mapped(frames, name, schema)
    scope = UnitScope.of(mapped, schema)
    columns = LinkedColumns.of(scope.frames, _without_catalogues(scope.schema))
    placed = replace(columns.without_orphans(), schema=scope.schema)
    tables = scope.unscoped(LinkedTables.of_columns(placed, {}), schema)
    for name, kept in tables.frames.items():
        lost = len(mapped[name]) - len(kept)
        changed[name] |= {ROWS_OF_NOBODY: lost} if lost else {}
    return MappedUnits(tables=tables, changed={name: found for name, found in changed.items() if found})


def within_bounds(tables: LinkedTables) -> LinkedTables:
    """The units with as many rows as they may have.

    Of an owner with more rows than its bound, rows that follow each other are kept, from a place drawn by chance and in
    secret: how many, follows from the unit alone.

    Args:
        tables: mapped tables of a public schema, with a bound for each owner.
    """
    schema = tables.schema
    for name in schema.graph.owners:
        link, most = schema.tables[name].owner, schema.tables[name].max_rows_per_unit
        assert link is not None
        if link.max_rows_per_owner is not None:
            tables = _fewer(tables, name, tables.owners[name], link.max_rows_per_owner)
        if most is not None:
            tables = _fewer(tables, name, tables.units[name], most)
    return with_told_peers(tables)


def most_rows(schema: LinkedSchema) -> dict[str, int]:
    """Rows of each table that one unit has at most, by the bounds on the way down; public.

    Example:
        >>> key = {"kind": "identifier"}
        >>> owner = {"columns": ["id"], "to": "people", "kind": "owner", "max_rows_per_owner": 9}
        >>> columns = {"id": key}
        >>> visits = {"links": [owner], "columns": columns}
        >>> tables = {"people": {"key": ["id"], "columns": columns}, "visits": visits}
        >>> most_rows(LinkedSchema(unit="people", tables=tables))
        {'people': 1, 'visits': 9}
    """
    out = {schema.unit: 1}
    for name, owner in schema.graph.owners.items():
        link, unit = schema.tables[name].owner, schema.tables[name].max_rows_per_unit
        assert link is not None
        product = None if link.max_rows_per_owner is None else out[owner] * link.max_rows_per_owner
        out[name] = min(most for most in (product, unit) if most is not None)
    return out


def window(group: NDArray[np.intp], most: int) -> Bools:
    """At most so many rows of each group, neighbours from a place drawn in secret, each group by itself.

    Args:
        group: number of the group of each row; rows of one group stand together. **Shape**: (n,).
        most: rows of one group that are kept, at least 1.

    **Shape**: -> (n,).

    Example:
        >>> window(np.array([0, 0, 0, 1]), 2).sum()
        np.int64(3)
    """
    n = len(group)
    if not n:
        return np.zeros(0, dtype=bool)
    first = np.flatnonzero(np.r_[True, group[1:] != group[:-1]])
    many = np.diff(np.r_[first, n])
    begin = (words(len(first)) % (np.maximum(many - most, 0) + 1).astype(np.uint64)).astype(np.int64)
    place = np.arange(n) - np.repeat(first, many)
    start = np.repeat(begin, many)
    return np.asarray((place >= start) & (place < start + most))


def _fewer(tables: LinkedTables, name: str, group: Ints | NDArray[np.intp], most: int) -> LinkedTables:
    """The tables with at most so many rows of one table in each group, and nothing below the others."""
    here = window(np.asarray(group), most)
    return tables if here.all() else tables.without(name, ~here)


def _without_catalogues(schema: LinkedSchema) -> LinkedSchema:
    """The schema without links to catalogues, whose keys are values: no row is dropped for one."""
    tables = {
        name: table.model_copy(update={"links": tuple(each for each in table.links if each.kind != "reference")})
        for name, table in schema.tables.items()
    }
    return schema.model_copy(update={"tables": tables})


def _mapped(frames: Mapping[str, pd.DataFrame], name: str, schema: LinkedSchema) -> tuple[pd.DataFrame, dict[str, int]]:
    """A table in the public domain, and cells changed by column; keys are texts that are equal where they name one row.

    Catalogues stay as they are.
    """
    table, frame = schema.tables[name], frames[name]
    if table.role == "reference" or not table.columns:
        return frame.reset_index(drop=True), {}
    found = map_into_domain(frame, table.alone(name))
    catalogued = {c for link in table.links if link.kind == "reference" for c in link.columns}
    keys = {*table.key, *(c for link in table.links for c in link.columns)} - catalogued
    named = {c: unit_keys(frame[c]) for c in keys if isinstance(table.columns[c], Identifier)}
    out = found.frame.assign(**{c: texts.set_axis(found.frame.index) for c, texts in named.items()})
    for link in table.links:
        if link.kind == "reference":
            out = _in_catalogue(out, frame, link, frames[link.to], schema)
    return out, dict(found.counts)


def _in_catalogue(
    out: pd.DataFrame, frame: pd.DataFrame, link: Link, catalogue: pd.DataFrame, schema: LinkedSchema
) -> pd.DataFrame:
    """The table with keys that a public catalogue has: others are missing where they may be, or its first one."""
    key = schema.tables[link.to].key or link.columns
    theirs = RowKeys.of(catalogue, key)
    found = RowKeys.of(frame, link.columns).positions_in(theirs)
    for column, texts in zip(link.columns, theirs.parts, strict=True):
        nullable = next(t for t in schema.tables.values() if link in t.links).columns[column].nullable
        first = None if nullable or not len(texts) else texts[0]
        if out[column].dtype == object:
            out = out.assign(**{column: np.append(texts, [first])[found]})
    return out
