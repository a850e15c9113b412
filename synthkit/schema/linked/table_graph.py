"""The graph of linked tables: who owns whom, in which order tables are made, and what is wrong with it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from synthkit.schema.linked.link import Link
from synthkit.schema.linked.linked_table import LinkedTable


@dataclass(frozen=True)
class TableGraph:
    """Tables as a tree under the units, with references beside it.

    Args:
        unit: table whose rows are the units.
        owners: owner of each table of records but the units', in an order in which owners come first.
        references: public catalogues, copied as they are.
        shared: tables whose rows several units have in common.
    """

    unit: str
    owners: Mapping[str, str]
    references: tuple[str, ...]
    shared: tuple[str, ...]

    @classmethod
    def of(cls, unit: str, tables: Mapping[str, LinkedTable]) -> TableGraph:
        """The graph of tables without problems (see `graph_problems`)."""
        waiting = {name: table.owner.to for name, table in tables.items() if table.owner is not None}
        owners: dict[str, str] = {}
        while ready := [name for name in waiting if waiting[name] == unit or waiting[name] in owners]:
            owners |= {name: waiting.pop(name) for name in ready}
        by_role = {role: tuple(k for k, t in tables.items() if t.role == role) for role in ("reference", "shared")}
        return cls(unit, owners, by_role["reference"], by_role["shared"])

    @property
    def records(self) -> tuple[str, ...]:
        """Tables that are made, owners before what they own."""
        return (self.unit, *self.owners)

    def children(self, name: str) -> tuple[str, ...]:
        """Tables whose rows belong to rows of this one."""
        return tuple(child for child, owner in self.owners.items() if owner == name)

    def ancestors(self, name: str) -> tuple[str, ...]:
        """Owner, owner's owner and so on, up to the table of units; nearest first."""
        path: list[str] = []
        while name != self.unit:
            name = self.owners[name]
            path.append(name)
        return tuple(path)

    def depth(self, name: str) -> int:
        """0 for units."""
        return len(self.ancestors(name))


def graph_problems(unit: str, tables: Mapping[str, LinkedTable]) -> Iterator[str]:
    """What is wrong with keys and links, as sentences; none if the tables are a tree under the units."""
    if unit not in tables or tables[unit].role != "records":
        yield f"`unit` must name a table of records; however: `{unit}` is not one. Name the table with a row a person"
        return
    for name, table in tables.items():
        yield from _ownership(name, table, unit)
        for k, link in enumerate(table.links):
            yield from _link_problems(f"`tables.{name}`: `links[{k}]`", name, link, tables)
            if link in table.links[:k]:
                yield f"`tables.{name}`: `links[{k}]` must differ from the others; however: it is there twice. Drop it"
    yield from _paths(unit, tables)


def _ownership(name: str, table: LinkedTable, unit: str) -> Iterator[str]:
    owners = [link for link in table.links if link.kind == "owner"]
    if table.role != "records" or name == unit:
        if owners:
            what = "the table of units" if name == unit else f"declared `role: {table.role}`"
            yield f"`tables.{name}` must have no owner, for it is {what}; however: a link of kind owner is given"
    elif not owners:
        yield (
            f"`tables.{name}` must have one link of kind owner; however: none is given. Link it to the table its rows "
            "belong to, or declare `role: reference` if it is a public catalogue, `role: shared` if several units have "
            "its rows in common"
        )
    elif len(owners) > 1:
        named = " and ".join(f"`{link.to}`" for link in owners)
        yield (
            f"`tables.{name}` must have one link of kind owner; however: {len(owners)} given, to {named}. Keep the one "
            "whose rows it happens in; the other is `implied` where that one belongs to it, else `earlier`"
        )


def _link_problems(where: str, name: str, link: Link, tables: Mapping[str, LinkedTable]) -> Iterator[str]:
    unknown = [column for column in link.columns if column not in tables[name].columns]
    if unknown:
        yield f"{where} must name declared columns; however: {', '.join(f'`{c}`' for c in unknown)} not declared"
    if link.to not in tables:
        yield f"{where} must point to a declared table; however: `{link.to}` is not declared under `tables`"
        return
    target = tables[link.to]
    asked = link.kind if link.kind in ("reference", "shared") else "records"
    if target.role != asked:
        yield f"{where} of kind {link.kind} must point to a table of `role: {asked}`; however: that is {target.role}"
    if tables[name].role != "records" and link.kind not in ("reference", "shared"):
        yield (
            f"{where} must be of kind reference or shared, for `{name}` is declared `role: {tables[name].role}` and "
            f"its rows belong to no unit; however: it is {link.kind}. Take it out, or link `{link.to}` to `{name}`"
        )
    if len(target.key) != len(link.columns) and not (target.role == "reference" and not target.key):
        yield (
            f"{where} must give a column for each of the key of `{link.to}`; however: {len(link.columns)} given for "
            f"{len(target.key)}. Declare the `key` of `{link.to}`, or name as many columns"
        )
    if link.open and (target.order is None or target.order.until is None or tables[name].order is None):
        yield (
            f"{where} can be `open` only where rows have moments; however: `order` is missing in `{name}`, or in "
            f"`{link.to}` with `until`. Declare it, or take `open` out"
        )


def _paths(unit: str, tables: Mapping[str, LinkedTable]) -> Iterator[str]:
    """Tables that do not come to the units by their owners; links up must lie on the path."""
    owner = {name: table.owner.to for name, table in tables.items() if table.owner is not None}
    for name, table in tables.items():
        if table.role != "records" or name == unit or name not in owner:
            continue
        path, here = [name], name
        while here in owner and owner[here] not in path:
            here = owner[here]
            path.append(here)
        if here != unit:
            circle = here in owner
            what = f"{' -> '.join([*path, owner[here]])} is a circle" if circle else f"{' -> '.join(path)} ends there"
            yield f"`tables.{name}` must belong to `{unit}` by its owners; however: {what}. Correct a link"
            continue
        for k, link in enumerate(table.links):
            if link.kind == "implied" and link.to not in path[1:]:
                yield _aside(f"`tables.{name}`: `links[{k}]`", link.to, path, owner)


def _aside(where: str, to: str, path: list[str], owner: Mapping[str, str]) -> str:
    """A link of kind implied that does not lie on the way to the unit; maybe a second way that is as long."""
    here, other = to, [path[0], to]
    while here in owner and owner[here] not in other:
        here = owner[here]
        other.append(here)
    if here == path[-1] and len(other) == len(path):
        return (
            f"{where} of kind implied must lie on the way to `{here}`; however: there are two ways of equal length, "
            f"{' -> '.join(path)} and {' -> '.join(other)}. Keep one as owner and declare the other link `earlier`"
        )
    return (
        f"{where} of kind implied must point to an owner further up; however: `{to}` is none of {', '.join(path[1:])}. "
        "Declare it `earlier` if it names another row of the unit"
    )
