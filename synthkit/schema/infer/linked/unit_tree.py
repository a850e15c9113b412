"""Which table holds the units, what belongs to what, and what each foreign key means."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd

from synthkit.errors import SchemaError
from synthkit.schema.infer import column_names
from synthkit.schema.infer.linked.catalogues import is_list, says_catalogue
from synthkit.schema.infer.linked.evidence import percent
from synthkit.schema.infer.linked.foreign_keys import (
    ForeignKey,
    find_foreign_keys,
    row_key,
    singular_words,
)
from synthkit.schema.linked.row_keys import RowKeys

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from synthkit.schema.linked.link import LinkKind

_SAME_UNIT = 0.99  # share of rows whose pointed row is of the same unit, above which it is an earlier row of the unit

Role = Literal["records", "reference", "shared"]


@dataclass(frozen=True)
class DraftedLink:
    """A foreign key and what it seems to mean.

    Args:
        key: the columns.
        kind: what a row there is to a row here.
        note: what was seen.
        rows: position of the row that each row points to, -1 for none. **Shape**: (n,).
    """

    key: ForeignKey
    kind: LinkKind
    note: str
    rows: NDArray[np.intp]


@dataclass(frozen=True)
class UnitTree:
    """Tables by their role, their keys and links.

    Args:
        unit: the table of units.
        roles: of each table.
        keys: the column that names a row, of tables that have one.
        links: of each table.
        owners: of tables of records but the units', the position of the owner's row of each row, -1 for none.
        units: of tables of records, the position of the unit's row of each row, -1 for none.
        likeliest: the table of units that the keys suggest, whichever was named.
        left_out: keys called like those of a table, which is named by another column.
    """

    unit: str
    roles: Mapping[str, Role]
    keys: Mapping[str, str]
    links: Mapping[str, tuple[DraftedLink, ...]] = field(default_factory=dict)
    owners: Mapping[str, NDArray[np.intp]] = field(default_factory=dict)
    units: Mapping[str, NDArray[np.intp]] = field(default_factory=dict)
    likeliest: str = ""
    left_out: tuple[ForeignKey, ...] = ()

    def owner(self, table: str) -> str | None:
        """The table that owns rows of this one."""
        return next((link.key.to for link in self.links.get(table, ()) if link.kind == "owner"), None)

    def ancestors(self, table: str) -> tuple[str, ...]:
        """Owner, owner's owner and so on."""
        path: list[str] = []
        here = self.owner(table)
        while here is not None:
            path.append(here)
            here = self.owner(here)
        return tuple(path)


def draft_tree(tables: Mapping[str, pd.DataFrame], unit: str | None = None) -> UnitTree:
    """The tree that keys of the tables suggest.

    The unit is the table that most others reach by their keys, or one that is called after persons and that half as
    many reach; public catalogues are none. Of the tables a row points to, its owner is the one farthest from the units
    to which every row points; others are then its owners further up, or earlier rows. A few keys that name no row
    change none of this.

    Args:
        tables: rows as they came, by name.
        unit: the table of units, if somebody knows it.

    Raises:
        SchemaError: `unit` is no table.
    """
    if unit is not None and unit not in tables:
        msg = f"the unit must be one of the tables; however: `{unit}` is not. Name one of {', '.join(tables)}"
        raise SchemaError(msg)
    found = find_foreign_keys(tables)
    keys = _primary_keys(tables, found)
    left_out = tuple(k for k in found if k.agreement and keys[k.to] != k.key)
    found = tuple(k for k in found if keys[k.to] == k.key)
    likeliest = _unit(tables, found)
    unit = unit or likeliest
    reach = {name for name in tables if unit in _reached(name, found)} - {unit}
    roles: dict[str, Role] = {
        name: "records" if name in {unit, *reach} else _aside_role(name, tables, found, keys) for name in tables
    }
    tree = UnitTree(unit, roles, keys, likeliest=likeliest, left_out=left_out)
    return _with_links(tree, tables, found, reach)


def _primary_keys(tables: Mapping[str, pd.DataFrame], found: tuple[ForeignKey, ...]) -> dict[str, str]:
    """The column that others point to most, or that is called like a key."""
    keys: dict[str, str] = {}
    for name, frame in tables.items():
        pointed = Counter[str]()
        for each in found:
            if each.to == name:
                pointed[each.key] += 1 + 2 * each.agreement
        best = max(pointed, key=lambda c: pointed[c]) if pointed else row_key(name, frame)
        if best is not None:
            keys[name] = best
    return keys


def _reached(name: str, found: tuple[ForeignKey, ...]) -> set[str]:
    """Tables that can be reached from a table by its keys, step by step."""
    seen, waiting = set[str](), [name]
    while waiting:
        here = waiting.pop()
        new = {k.to for k in found if k.table == here and k.to != here} - seen
        seen |= new
        waiting += sorted(new)
    return seen


def _unit(tables: Mapping[str, pd.DataFrame], found: tuple[ForeignKey, ...]) -> str:
    reached = Counter(to for name in tables for to in _reached(name, found) - {name})
    points = {k.table for k in found if k.to != k.table}

    def fitness(name: str) -> tuple[int, ...]:
        words = set(singular_words(name))
        person = bool(words & column_names.PERSON_WORDS) or column_names.is_owner(name)
        often = 2 * reached[name] >= max(reached.values(), default=0)
        public = says_catalogue(name)
        return (-int(public), int(person and often), reached[name], -int(name in points), len(tables[name]))

    return max(tables, key=fitness)


def _aside_role(
    name: str, tables: Mapping[str, pd.DataFrame], found: tuple[ForeignKey, ...], keys: Mapping[str, str]
) -> Role:
    """What a table is that no row of a unit lies in: whether it is public its name tells, or that it is a mere list."""
    if not len(tables[name]):
        return "shared"  # of a table that has no rows yet nobody knows that they will be public
    if says_catalogue(name):
        return "reference"
    points = any(k.table == name and k.to != name for k in found)
    listed = name in keys and not points and is_list(name, tables[name], keys[name])
    return "reference" if listed else "shared"


def _with_links(
    tree: UnitTree, tables: Mapping[str, pd.DataFrame], found: tuple[ForeignKey, ...], reach: set[str]
) -> UnitTree:
    """The tree with an owner for each table, nearest tables first, and a meaning for every other key."""
    rows = {k: _positions(tables, k) for k in found}
    units = {tree.unit: np.arange(len(tables[tree.unit]))}
    owners: dict[str, NDArray[np.intp]] = {}
    owning: dict[str, ForeignKey] = {}
    depth = {tree.unit: 0}
    waiting = set(reach)
    while waiting:
        ready = _next(waiting, found, reach, depth)
        for name in sorted(ready):
            key = _owner(name, found, depth, rows, units, tables)
            owning[name], owners[name] = key, rows[key]
            units[name] = np.where(rows[key] >= 0, units[key.to][rows[key]], -1)
            depth[name] = depth[key.to] + 1
        waiting -= ready
    placed = UnitTree(
        tree.unit,
        tree.roles,
        tree.keys,
        {n: (DraftedLink(k, "owner", k.evidence, rows[k]),) for n, k in owning.items()},
        owners,
    )
    links = {
        name: tuple(_meanings(name, placed, found, owning.get(name), rows, units))
        for name in tables
        if tree.roles[name] == "records"
    }
    links |= {name: tuple(_aside(name, tree, found, rows)) for name in tables if tree.roles[name] == "shared"}
    return replace(tree, links=links, owners=owners, units=units)


def _next(waiting: set[str], found: tuple[ForeignKey, ...], reach: set[str], depth: Mapping[str, int]) -> set[str]:
    """Tables all of whose targets have their place; where keys run in circles, those with one that has."""
    to = {
        name: {k.to for k in found if k.table == name and k.to != name and k.to in reach | set(depth)}
        for name in waiting
    }
    ready = {name for name in waiting if to[name] <= set(depth)}
    return ready or {name for name in waiting if to[name] & set(depth)}


def _owner(
    name: str,
    found: tuple[ForeignKey, ...],
    depth: Mapping[str, int],
    rows: Mapping[ForeignKey, NDArray[np.intp]],
    units: Mapping[str, NDArray[np.intp]],
    tables: Mapping[str, pd.DataFrame],
) -> ForeignKey:
    """The key to the farthest table that every row has, if a few name no row; without one, that most rows have."""
    mine = [k for k in found if k.table == name and k.to in depth and k.to != name]

    def fitness(k: ForeignKey) -> tuple[float, ...]:
        if k.nearly_complete:
            return (1.0, depth[k.to], 1.0, k.agreement, -len(tables[k.to]))
        return (0.0, 0.0, float((rows[k] >= 0).mean()), k.agreement, -len(tables[k.to]))

    return max(mine, key=fitness)


def _meanings(
    name: str,
    tree: UnitTree,
    found: tuple[ForeignKey, ...],
    owning: ForeignKey | None,
    rows: Mapping[ForeignKey, NDArray[np.intp]],
    units: Mapping[str, NDArray[np.intp]],
) -> Iterator[DraftedLink]:
    """What each key of a table means, its owner first."""
    if owning is not None:
        yield DraftedLink(owning, "owner", owning.evidence, rows[owning])
    up = set(tree.ancestors(name))
    for key in found:
        if key.table != name or key == owning:
            continue
        role = tree.roles[key.to]
        if role != "records":
            yield DraftedLink(key, role, key.evidence, rows[key])
            continue
        if key.to == name and (rows[key] == np.arange(len(rows[key]))).any():
            continue  # a row that names itself is grouped by the column, and points to no other
        if key.to in up and key.nearly_complete and _agree(rows[key], _rows_further_up(tree, name, key.to)).all():
            yield DraftedLink(key, "implied", key.evidence, rows[key])
        else:
            same = _agree(np.r_[units[key.to], -1][rows[key]], units[name])
            share = float(same.mean()) if len(same) else 0.0
            said = percent(int(same.sum()), len(same))
            kind: LinkKind = "earlier" if share >= _SAME_UNIT else "peer"
            yield DraftedLink(key, kind, f"{key.evidence}; {said} of the same unit", rows[key])


def _rows_further_up(tree: UnitTree, name: str, to: str) -> NDArray[np.intp]:
    """Position of the row of an owner further up, -1 for none. **Shape**: (n,)."""
    rows, here = tree.owners[name], tree.owner(name)
    while here is not None and here != to:
        rows, here = np.r_[tree.owners[here], -1][rows], tree.owner(here)
    return rows


def _agree(named: NDArray[np.intp], owned: NDArray[np.intp]) -> NDArray[np.bool_]:
    """Of rows of which both are known, whether they are the same. **Shape**: (n,), (n,) -> (known,)."""
    known = (named >= 0) & (owned >= 0)
    return np.asarray(named[known] == owned[known])


def _aside(
    name: str, tree: UnitTree, found: tuple[ForeignKey, ...], rows: Mapping[ForeignKey, NDArray[np.intp]]
) -> Iterator[DraftedLink]:
    """Links of a table that several units have in common to others like it, and to catalogues."""
    for key in found:
        role = tree.roles[key.to]
        if key.table == name and key.to != name and role != "records" and key.column != tree.keys.get(name):
            yield DraftedLink(key, role, key.evidence, rows[key])


def _positions(tables: Mapping[str, pd.DataFrame], key: ForeignKey) -> NDArray[np.intp]:
    """The row that each row names, -1 for none; keys that are spelled otherwise are read as if they were mended."""
    to = RowKeys.of(tables[key.to], (key.key,))
    mine = RowKeys.of(tables[key.table], (key.column,))
    found = mine.positions_in(to)
    return np.where(found < 0, mine.loose.positions_in(to.loose), found) if key.alike else found
