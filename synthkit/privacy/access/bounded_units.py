"""Linked tables as they may be looked at under a budget: cells in the public domain, rows of units within bounds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from synthkit.encoding.arrays import Bools, Ints
from synthkit.errors import SchemaError
from synthkit.privacy.access.unit_scope import UnitScope, with_told_peers
from synthkit.privacy.mechanisms.rng import words
from synthkit.schema.columns import Identifier
from synthkit.schema.domain_mapping import map_into_domain
from synthkit.schema.linked import LinkedSchema
from synthkit.schema.linked.linked_columns import LinkedColumns
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
    rows of a unit with one key all but the first. Keys that name no row of the unit are emptied, or their row dropped.

    Args:
        frames: cells of each table, as they came.
        schema: the public one.

    Raises:
        SchemaError: a table is missing or not declared, or has other columns than are declared; or a catalogue, which
            is public, is not what is declared.
    """
    _refuse_misnamed(frames, schema)
    mapped, changed = {}, {}
    for name in schema.tables:
        mapped[name], changed[name] = _mapped(frames[name], name, schema)
    scope = UnitScope.of(mapped, schema)
    columns = LinkedColumns.of(scope.frames, scope.schema)
    if not columns.readable:
        _refuse_catalogues(columns)
    tables = scope.unscoped(LinkedTables.of_columns(columns.without_orphans(), {}), schema)
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


def _mapped(frame: pd.DataFrame, name: str, schema: LinkedSchema) -> tuple[pd.DataFrame, dict[str, int]]:
    """A table in the public domain, and cells changed by column; keys are texts that are equal where they name one row.

    Catalogues stay as they are, but for keys that columns without a domain point to.
    """
    table = schema.tables[name]
    if table.role == "reference" or not table.columns:
        return frame.assign(**{c: unit_keys(frame[c]) for c in _keyed(name, schema) if c in frame}), {}
    found = map_into_domain(frame, table.alone(name))
    keys = {*table.key, *(c for link in table.links for c in link.columns)}
    named = {c: unit_keys(frame[c]) for c in keys if isinstance(table.columns[c], Identifier)}
    out = found.frame.assign(**{c: cells.set_axis(found.frame.index) for c, cells in named.items()})
    return out, dict(found.counts)


def _keyed(name: str, schema: LinkedSchema) -> set[str]:
    """Columns of the key of a catalogue that columns without a domain point to."""
    key, out = schema.tables[name].key, set()
    for table in schema.tables.values():
        for link in table.links:
            if link.to == name and table.columns:
                pairs = zip(link.columns, key or link.columns, strict=True)
                out |= {c for mine, c in pairs if isinstance(table.columns[mine], Identifier)}
    return out


def _refuse_catalogues(columns: LinkedColumns) -> None:
    """Refuse catalogues that are not what is declared: they are public, all else was mapped."""
    names = [name for name in columns.schema.graph.references if name in columns.absent]
    names += [name for name, _ in sorted(columns.unreadable) if name not in names]
    wrong = ", ".join(f"`{name}`" for name in names)
    msg = f"public catalogues must have the columns and cells that are declared; however: {wrong} have others"
    raise SchemaError(f"{msg}. `synthkit validate` lists them: mend the catalogue or its lines in the schema")


def _refuse_misnamed(frames: Mapping[str, pd.DataFrame], schema: LinkedSchema) -> None:
    absent = [f"`{name}` is not given" for name in schema.tables if name not in frames]
    absent += [f"`{name}` is not declared" for name in frames if name not in schema.tables]
    if absent:
        msg = f"the tables must be those of the schema; however: {', '.join(absent)}. Give what is declared"
        raise SchemaError(msg)
