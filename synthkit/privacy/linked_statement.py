"""What is promised about a release of linked tables: whom it protects, with how many rows, and who cuts off more."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from synthkit.io.json_types import JSONDict
from synthkit.privacy.accounting.ledger_file import LedgerFile
from synthkit.privacy.accounting.normal_noise import NormalNoise
from synthkit.privacy.statement import Statement, Touch

if TYPE_CHECKING:
    from synthkit.schema.linked import LinkedSchema

ROWS_COUNTED = (
    "all rows of a unit within its bounds; what they bring to tables that are told together is clipped to one norm"
)
UNITS_CLIPPED = "one of each unit: the sum over all its rows within its bounds, clipped to one norm"
ROWS_CUT = "synthkit: rows that follow each other, from a place drawn in secret"


@dataclass(frozen=True, kw_only=True)
class LinkedStatement(Statement):
    """The privacy statement of one release of linked tables.

    Args:
        by_link: most rows that one owner has, by `table -> owner`; public, and empty without a budget.
        by_unit: most rows of each table that one unit has, by all bounds on the way down; empty without a budget.
        catalogues: tables that are released as they are.

    Example:
        >>> free = LinkedStatement(archive=LedgerFile(budget=None, unit="patients"), table="icu", model="timeline")
        >>> free.unit, free.end_to_end
        ('row of patients, with all rows that belong to it', False)
    """

    by_link: Mapping[str, int] = field(default_factory=dict)
    by_unit: Mapping[str, int] = field(default_factory=dict)
    catalogues: tuple[str, ...] = ()

    @classmethod
    def of_linked(
        cls, archive: LedgerFile, schema: LinkedSchema, *, model: str, versions: Mapping[str, str]
    ) -> LinkedStatement:
        """The statement on a release; it follows from these, so that anybody can hold one against them.

        Args:
            archive: the ledger.
            schema: that of the release, with what was bought.
            model: name of the model.
            versions: of the packages, by name.
        """
        from synthkit.privacy.access.bounded_units import most_rows
        from synthkit.schema.linked.public_tables import is_bounded, linked_declarers

        private = archive.budget is not None
        by_unit = most_rows(schema) if private and is_bounded(schema) else {}
        return cls(
            archive=archive,
            table=schema.name,
            model=model,
            declared_by=schema.declared_by,
            declarations=linked_declarers(schema) if private else {},
            paid=_paid(schema),
            versions=versions,
            most=sum(by_unit.values()) or None,
            by_link=_by_link(schema) if private else {},
            by_unit=by_unit,
            catalogues=schema.graph.references,
        )

    @property
    def unit(self) -> str:
        """Who is protected, in words."""
        return f"{self.one}, with all rows that belong to it"

    @property
    def one(self) -> str:
        """What one of them is called."""
        return f"row of {self.archive.unit}"

    @property
    def touches(self) -> tuple[Touch, ...]:
        """Every way in which the tables had a part in what was made."""
        found = super().touches
        if self.archive.budget is None:
            return found
        bounds = "names of the tables, their links, and bounds on the rows of an owner and of a unit"
        more = [Touch(what=f"{bounds}, as declared by {self._who}", covered="public")]
        if self.catalogues:
            what = f"rows of {', '.join(self.catalogues)}: public catalogues, as declared by {self._who}"
            more.append(Touch(what=what, covered="public"))
        more.append(
            Touch(what="who has which role; which rows are beyond the bounds, and how many", covered="internal")
        )
        return (*found, *more)

    @property
    def _by_word(self) -> str:
        """Catalogues are released as they are, whoever may be in them."""
        if not self.catalogues:
            return super()._by_word
        return f"the domain of the columns and every row of {', '.join(self.catalogues)}, released as it is, which are"

    @property
    def normal_noise(self) -> NormalNoise | None:
        """The normal noise on all tables of counts; None without a budget, or where the plan is no reserve."""
        return NormalNoise.of(self.archive.parts) if self.archive.budget is not None else None

    @property
    def sentences(self) -> tuple[str, str, str]:
        """The promise; what an attacker gains, with mu; what is not covered."""
        promise, gain, uncovered = super().sentences
        noise = self.normal_noise
        if noise is not None and noise.rho > 0:
            gain += f" The normal noise on all tables of counts together, {noise.share:.0%} of rho, has mu = "
            gain += f"{noise.mu:.3g} in Gaussian differential privacy."
        return promise, gain, uncovered

    def to_dict(self) -> JSONDict:
        """The statement as plain data, with mu of its normal noise, and the share of rho that it is."""
        noise = self.normal_noise
        told = None if noise is None else {"normal_noise": noise.mu, "share_of_rho": noise.share}
        return {**super().to_dict(), "mu": told}

    def _neighbours(self) -> str:
        """Which tables count as neighbours, and how rows of one person are known."""
        return (
            f"two sets of tables are neighbours if one has one {self.unit}, more; keys of {self.archive.unit} that "
            "differ in spelling alone name one of them, empty ones nobody; a row belongs to the first that has its key"
        )

    def _contribution(self) -> JSONDict:
        """Bounds on rows, what is counted, and who leaves out what is beyond them."""
        if self.archive.budget is None:
            return super()._contribution()
        return {
            "max_rows_per_unit": self.most,
            "counts": ROWS_COUNTED,
            "gradients": UNITS_CLIPPED if self._sampled() else "none are taken",
            "by_link": dict(self.by_link),
            "by_unit": dict(self.by_unit),
            "truncated_by": ROWS_CUT,
        }


def _by_link(schema: LinkedSchema) -> dict[str, int]:
    """Declared bounds on the rows of an owner."""
    links = {name: schema.tables[name].owner for name in schema.graph.owners}
    return {
        f"{name} -> {link.to}": link.max_rows_per_owner
        for name, link in links.items()
        if link is not None and link.max_rows_per_owner is not None
    }


def _paid(schema: LinkedSchema) -> tuple[str, ...]:
    """Keys that were bought."""
    tables = schema.tables.items()
    return tuple(f"{n}.{c}: {key}" for n, t in tables for c, column in t.columns.items() for key in column.paid)
