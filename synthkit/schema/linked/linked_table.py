"""One table among linked ones: its key, links and order beside what a table alone means."""

from __future__ import annotations

from functools import cached_property
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from synthkit.schema.columns import Column, Declarer, Identifier
from synthkit.schema.linked.link import Link, RowOrder
from synthkit.schema.rules import Rule
from synthkit.schema.table import Schema
from synthkit.schema.target import Target


class LinkedTable(BaseModel):
    """Declared meaning of one of several linked tables.

    Args:
        role: `records` of units; a `reference`: a public catalogue that is copied as it is; or `shared`: rows that
            several units have in common, such as providers, which are not public.
        key: columns that together name a row.
        links: foreign keys.
        order: when a row happens; without it rows of one owner come in the order in which they stand in the table.
        series: column that says which rows of a unit continue each other, such as the name of a test.
        end: of the table of units, the moment after which nothing happens to a unit.
        position: column that numbers the rows of one owner, from 1.
        max_rows_per_unit: most rows of this table that one unit has; public.
        columns: kinds by column name, in the table's order; keys and links are identifiers.
        derived: columns that are never learned but computed, with the expression of others that each of them is.
        quasi_identifiers: columns an outsider may know about a person.
        secrets: columns an outsider would like to learn.
        protected: columns that define groups to be treated fairly.
        targets: prediction tasks within one row.
        rules: what must hold in every row.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    role: Literal["records", "reference", "shared"] = "records"
    description: str | None = None
    declared_by: Declarer | None = None
    key: tuple[str, ...] = ()
    links: tuple[Link, ...] = ()
    order: RowOrder | None = None
    series: str | None = None
    end: str | None = None
    position: str | None = None
    max_rows_per_unit: Annotated[int, Field(ge=1)] | None = None
    columns: dict[str, Column] = {}
    derived: dict[str, str] = {}
    quasi_identifiers: tuple[str, ...] = ()
    secrets: tuple[str, ...] = ()
    protected: tuple[str, ...] = ()
    targets: tuple[Target, ...] = ()
    rules: tuple[Rule, ...] = ()

    @cached_property
    def owner(self) -> Link | None:
        """The link to the row that a row belongs to; None for units and references."""
        return next((link for link in self.links if link.kind == "owner"), None)

    @property
    def moments(self) -> tuple[str, ...]:
        """Columns that say when a row happens, if moments or numbers do."""
        return () if self.order is None else self.order.columns

    @property
    def payload(self) -> tuple[str, ...]:
        """Columns whose values are learned as such: no identifiers, moments, positions, nor what is computed."""
        placed = {*self.moments, *self.derived, self.position, *self._linked_by_rows()}
        kinds = self.columns.items()
        return tuple(name for name, kind in kinds if name not in placed and not isinstance(kind, Identifier))

    def _linked_by_rows(self) -> set[str]:
        """Columns that hold keys of rows: all links but those to catalogues, whose keys are values like others."""
        return {*self.key, *(name for link in self.links if link.kind != "reference" for name in link.columns)}

    def alone(self, name: str) -> Schema:
        """What the table means by itself: the schema of one table that other tables know nothing of.

        Raises:
            ValidationError: columns, rules or targets contradict each other.
        """
        shared = ("description", "declared_by", "columns", "derived", "targets", "rules", *_ROLES)
        return Schema(name=name, **{key: getattr(self, key) for key in shared})


_ROLES = ("quasi_identifiers", "secrets", "protected")
