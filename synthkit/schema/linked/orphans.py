"""Rows without a key, or whose keys name nobody: left out with all that belongs to them, or emptied, and counted."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd

from synthkit.schema.linked.resolved_tables import ResolvedTables

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from synthkit.schema.linked.link import Link
    from synthkit.schema.linked.linked_schema import LinkedSchema

Orphans = Literal["refuse", "drop"]
ORPHANS: tuple[Orphans, ...] = ("refuse", "drop")


@dataclass(frozen=True)
class OrphanCount:
    """What was left out of a table; INTERNAL.

    Args:
        rows: rows that belong to no row of their owner's table, have no key, or hold one that could not be emptied.
        keys: keys of rows that stay which were emptied, for they named no row.
        alike: keys among those of both that would name a row were they spelled alike, as 007 and 7.
    """

    rows: int = 0
    keys: int = 0
    alike: int = 0


@dataclass(frozen=True)
class KeptRows:
    """Tables without orphans.

    Args:
        frames: rows by table.
        rows: number of each row in the table as it came, from 0, by table.
        counts: what was left out, by table; those of which nothing was are not among them.
    """

    frames: Mapping[str, pd.DataFrame]
    rows: Mapping[str, NDArray[np.intp]]
    counts: Mapping[str, OrphanCount]


def without_orphans(frames: Mapping[str, pd.DataFrame], schema: LinkedSchema) -> KeptRows:
    """The tables in which every key names a row.

    Rows without an owner or without a key of their own are left out, and what belongs to them. Other keys that name no
    row are emptied where the schema has them nullable; otherwise their row is left out.

    Args:
        frames: typed rows of all tables.
        schema: the declared meaning.
    """
    kept = KeptRows(dict(frames), {name: np.arange(len(frame)) for name, frame in frames.items()}, {})
    while (fewer := _once_fewer(kept, schema)) is not None:
        kept = fewer
    return _with_emptied(kept, schema)


def _once_fewer(kept: KeptRows, schema: LinkedSchema) -> KeptRows | None:
    """The tables without the orphans that are found at once; None if there are none."""
    tables = ResolvedTables(kept.frames, schema)
    lost = {name: found for name in kept.frames if (found := _lost(tables, name)).any()}
    if not lost:
        return None
    frames, rows, counts = dict(kept.frames), dict(kept.rows), dict(kept.counts)
    for name, where in lost.items():
        frames[name] = frames[name][~where].reset_index(drop=True)
        rows[name] = rows[name][~where]
        before = counts.get(name, OrphanCount())
        counts[name] = replace(before, rows=before.rows + int(where.sum()), alike=before.alike + _alike(tables, name))
    return KeptRows(frames, rows, counts)


def _lost(tables: ResolvedTables, name: str) -> NDArray[np.bool_]:
    """Rows that are left out: without a key, or with one that names no row and may not be emptied. **Shape**: (n,)."""
    lost = _keyless(tables, name)
    for link, dangling in _dangling(tables, name):
        if not _emptiable(tables.schema, name, link):
            lost |= dangling
    return lost


def _alike(tables: ResolvedTables, name: str) -> int:
    """Keys for which rows are left out, though they would name a row were they spelled alike."""
    lost = [each for each in _dangling(tables, name) if not _emptiable(tables.schema, name, each[0])]
    return sum(_spelled_otherwise(tables, name, link, dangling) for link, dangling in lost)


def _spelled_otherwise(tables: ResolvedTables, name: str, link: Link, dangling: NDArray[np.bool_]) -> int:
    return tables.keys(name, link.columns).loosely_in(tables.keys(link.to, tables.key_of(link)), dangling)


def _with_emptied(kept: KeptRows, schema: LinkedSchema) -> KeptRows:
    """Rows that stay, keys that name no row emptied; all of these may be, and no row is lost by it."""
    tables, frames, counts = ResolvedTables(kept.frames, schema), dict(kept.frames), dict(kept.counts)
    for name in kept.frames:
        for link, dangling in _dangling(tables, name):
            columns = _emptiable(schema, name, link)
            frames[name] = frames[name].assign(**{c: _emptied(frames[name][c], dangling) for c in columns})
            before = counts.get(name, OrphanCount())
            alike = before.alike + _spelled_otherwise(tables, name, link, dangling)
            counts[name] = replace(before, keys=before.keys + int(dangling.sum()), alike=alike)
    return KeptRows(frames, kept.rows, counts)


def _keyless(tables: ResolvedTables, name: str) -> NDArray[np.bool_]:
    """Rows that lack a part of their own key; of catalogues none, which are taken as they are. **Shape**: (n,)."""
    table = tables.schema.tables[name]
    if table.role == "reference" or not table.key:
        return np.zeros(len(tables.frames[name]), dtype=bool)
    return ~tables.keys(name, table.key).complete


def _dangling(tables: ResolvedTables, name: str) -> Iterator[tuple[Link, NDArray[np.bool_]]]:
    """Links of a table that some rows have a key of which names no row, and those rows."""
    for link in tables.schema.tables[name].links:
        if link.to not in tables.frames or not set(tables.key_of(link)) <= set(tables.frames[link.to].columns):
            continue
        dangling = tables.pointed(name, link) < 0
        if link.kind != "owner":
            dangling &= tables.keys(name, link.columns).complete
        if dangling.any():
            yield link, dangling


def _emptiable(schema: LinkedSchema, name: str, link: Link) -> tuple[str, ...]:
    """Columns of a link that may be emptied: nullable ones that are no part of the row's own key or its owner's."""
    table = schema.tables[name]
    fixed = {*table.key, *(table.owner.columns if table.owner is not None else ())}
    if link.kind == "owner":
        return ()
    return tuple(c for c in link.columns if c not in fixed and table.columns[c].nullable)


def _emptied(values: pd.Series, where: NDArray[np.bool_]) -> pd.Series:
    """Cells that are missing where asked; whole numbers stay whole."""
    if pd.api.types.is_integer_dtype(values.dtype) and isinstance(values.dtype, np.dtype):
        values = values.astype("UInt64" if values.dtype.kind == "u" else "Int64")
    return values.mask(where)
