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
            yield from _link_problems(f"`tables.{name}`: links[{k}]", name, link, tables)
    yield from _paths(unit, tables)


def _ownership(name: str, table: LinkedTable, unit: str) -> Iterator[str]:
    owners = [link for link in table.links if link.kind == "owner"]
    if table.role != "records" or name == unit:
        if owners:
            what = "the table of units" if name == unit else f"declared `role: {table.role}`"
            yield f"`tables.{name}` must have no owner, for it is {what}; however: a link of kind owner is given"
    elif len(owners) != 1:
        yield (
            f"`tables.{name}` must have one link of kind owner; however: {len(owners)} given. Link it to the table its "
            "rows belong to, or declare `role: reference` if it is a public catalogue, `role: shared` if several units "
            "have its rows in common"
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
    if len(target.key) != len(link.columns) and not (target.role == "reference" and not target.key):
        yield (
            f"{where} must give a column for each of the key of `{link.to}`; however: {len(link.columns)} given for "
            f"{len(target.key)}"
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
                yield (
                    f"`tables.{name}`: links[{k}] of kind implied must point to an owner further up; however: "
                    f"`{link.to}` is none of {', '.join(path[1:])}"
                )
