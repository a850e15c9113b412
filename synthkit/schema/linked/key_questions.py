"""What keys and links of linked tables owe: complete, once each, naming a row that is there, and agreeing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from synthkit.schema.linked.linked_questions import LinkedQuestion
from synthkit.schema.linked.row_keys import SPELLED_ALIKE

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from synthkit.schema.linked.link import Link, LinkKind
    from synthkit.schema.linked.resolved_tables import ResolvedTables

_DANGLING = {
    "owner": "correct the keys, or leave such rows out with orphans=drop (--orphans drop)",
    "reference": "add the row to the catalogue, or correct the keys",
}
_DANGLING_ELSE = (
    "correct the keys, empty them where `nullable: true` is declared, or drop them with orphans=drop (--orphans drop)"
)


def key_questions(tables: ResolvedTables) -> Iterator[LinkedQuestion]:
    """Questions about the keys that name rows, for each table that declares one."""
    for name, table in tables.schema.tables.items():
        if not table.key:
            continue
        needs = {name: table.key}
        if len(table.key) > 1:  # of a key of one column its own suite says it
            rule = "a key with all its parts"
            remedy = "fill the parts, or leave such rows out with orphans=drop (--orphans drop)"
            yield LinkedQuestion(name, table.key, rule, needs, partial(_complete, tables, name), remedy)
        remedy = "take the rows out that stand twice, or declare more columns of the key"
        yield LinkedQuestion(name, table.key, "no key twice", needs, partial(_once, tables, name), remedy)


def _complete(tables: ResolvedTables, name: str) -> NDArray[np.bool_]:
    return tables.keys(name, tables.schema.tables[name].key).complete


def _once(tables: ResolvedTables, name: str) -> NDArray[np.bool_]:
    return ~tables.keys(name, tables.schema.tables[name].key).repeated


def resolving_questions(tables: ResolvedTables, *kinds: LinkKind) -> Iterator[LinkedQuestion]:
    """Questions whether keys name rows that are there, for links of some kinds."""
    for name, table in tables.schema.tables.items():
        for link in table.links:
            if link.kind in kinds and _lookable(tables, link):
                yield from _resolved(tables, name, link)


def agreeing_questions(tables: ResolvedTables) -> Iterator[LinkedQuestion]:
    """Questions whether keys that name rows name the right ones: the owner's, or one of the same or another unit."""
    for name, table in tables.schema.tables.items():
        for link in table.links:
            if link.kind == "implied":
                yield _implied(tables, name, link)
            elif link.kind in ("earlier", "peer"):
                yield _same_unit(tables, name, link)


def _lookable(tables: ResolvedTables, link: Link) -> bool:
    """Whether a reference has the columns it would be looked up by."""
    frame = tables.frames.get(link.to)
    return frame is None or set(tables.key_of(link)) <= set(frame.columns)


def link_needs(tables: ResolvedTables, name: str, link: Link) -> dict[str, tuple[str, ...]]:
    """Columns it takes to find the row that a link points to, by table."""
    return {link.to: tables.key_of(link)} | {name: (*link.columns, *(tables.key_of(link) if link.to == name else ()))}


def _resolved(tables: ResolvedTables, name: str, link: Link) -> Iterator[LinkedQuestion]:
    """Every key that is there names a row; a key is missing as a whole, and only where it may be."""
    needs = link_needs(tables, name, link)
    said = f"names a row of `{link.to}`"
    remedy = _DANGLING.get(link.kind, _DANGLING_ELSE)

    def found() -> NDArray[np.bool_]:
        return np.asarray((tables.pointed(name, link) >= 0) | ~tables.keys(name, link.columns).complete)

    def whole() -> NDArray[np.bool_]:
        missing = tables.keys(name, link.columns).missing
        return np.asarray((missing == 0) | (missing == len(link.columns)) | _shared_parts(tables, name, link))

    hint = partial(_spelling, tables, name, link)
    yield LinkedQuestion(name, link.columns, said, needs, found, remedy, hint)
    if len(link.columns) > 1:
        yield LinkedQuestion(name, link.columns, f"{said} with all its parts, or is missing", needs, whole, remedy)


def _shared_parts(tables: ResolvedTables, name: str, link: Link) -> bool:
    """Whether a part of the key belongs to the owner's too, so that it stays where the rest is missing."""
    owner = tables.schema.tables[name].owner
    return owner is not None and link.kind != "owner" and bool({*owner.columns} & {*link.columns})


def _spelling(tables: ResolvedTables, name: str, link: Link, broken: NDArray[np.bool_]) -> str:
    """What to do if keys would be found were they spelled alike."""
    to = tables.keys(link.to, tables.key_of(link))
    count = tables.keys(name, link.columns).loosely_in(to, broken)
    return f"; {count:,} {SPELLED_ALIKE}" if count else ""


def _implied(tables: ResolvedTables, name: str, link: Link) -> LinkedQuestion:
    """A repeated key is that of the owner further up."""
    graph, schema = tables.schema.graph, tables.schema
    path = [name, *graph.ancestors(name)]
    needs = link_needs(tables, name, link)
    for table in path[: path.index(link.to)]:
        owner = schema.tables[table].owner
        if owner is not None:
            needs[table] = (*needs.get(table, ()), *owner.columns)
            needs[owner.to] = (*needs.get(owner.to, ()), *schema.tables[owner.to].key)

    def agrees() -> NDArray[np.bool_]:
        named, owned = tables.pointed(name, link), tables.ancestors(name, link.to)
        return np.asarray((named < 0) | (owned < 0) | (named == owned))

    return LinkedQuestion(
        name,
        link.columns,
        f"names the row of `{link.to}` that its owner belongs to",
        needs,
        agrees,
        "correct the keys, or declare the link `earlier` where the two need not agree",
    )


def _same_unit(tables: ResolvedTables, name: str, link: Link) -> LinkedQuestion:
    """An earlier row is of the same unit and another row; a peer is of another unit."""
    peer = link.kind == "peer"
    needs = together(link_needs(tables, name, link), unit_needs(tables, name), unit_needs(tables, link.to))

    def holds() -> NDArray[np.bool_]:
        to = tables.pointed(name, link)
        mine, theirs = tables.units(name), np.r_[tables.units(link.to), -1][to]
        same = np.asarray((mine == theirs) & (mine >= 0))
        itself = (to == np.arange(len(to))) & (link.to == name)
        return np.asarray((to < 0) | (mine < 0) | (theirs < 0) | (~same if peer else same & ~itself))

    rule = (
        f"names a row of another unit in `{link.to}`" if peer else f"names another row of the same unit in `{link.to}`"
    )
    remedy = f"correct the keys, or declare the link `{'earlier' if peer else 'peer'}`"
    return LinkedQuestion(name, link.columns, rule, needs, holds, remedy)


def together(*needs: Mapping[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    """All columns that several look-ups need, by table."""
    found: dict[str, tuple[str, ...]] = {}
    for each in needs:
        found |= {table: (*found.get(table, ()), *columns) for table, columns in each.items()}
    return found


def unit_needs(tables: ResolvedTables, name: str) -> dict[str, tuple[str, ...]]:
    """Columns it takes to find the unit of a row, by table."""
    needs: dict[str, tuple[str, ...]] = {}
    for table in (name, *tables.schema.graph.ancestors(name)):
        found = tables.schema.tables[table]
        needs[table] = (*found.key, *(found.owner.columns if found.owner is not None else ()))
    return needs
