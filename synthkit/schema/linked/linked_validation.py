"""What linked tables break of their schema: a validation a table, what is amiss with the tables, links counted."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from synthkit.errors import SchemaError
from synthkit.schema.linked.orphans import OrphanCount
from synthkit.schema.linked.row_keys import SPELLED_ALIKE
from synthkit.schema.violations import Unchecked, Validation, Violation, listing, total

LINKED_VALIDATION_FORMAT = "synthkit-linked-validation/1"


@dataclass(frozen=True)
class LinkCount:
    """How the rows of a table are linked to those of another; INTERNAL.

    Args:
        table: whose rows have the key.
        columns: of the key.
        to: table that the key names rows of.
        kind: of the link.
        rows: rows of `table`.
        missing: rows without a key.
        dangling: rows whose key names no row.
        without: rows of `to` that no key names.
        most: keys that name one row of `to`, at most.
    """

    table: str
    columns: tuple[str, ...]
    to: str
    kind: str
    rows: int
    missing: int
    dangling: int
    without: int
    most: int


@dataclass(frozen=True)
class LinkedValidation:
    """What linked tables were held against and what they break; INTERNAL, and without any value of a table.

    Args:
        tables: validation of each table, by itself and with what others say of it.
        amiss: tables that are absent, not declared, or without rows.
        links: how rows are linked.
        orphans: what was left out before, by table.
        copied: rows of catalogues that are copied as they come and that nobody declared public, by table.
    """

    tables: Mapping[str, Validation]
    amiss: tuple[Violation, ...] = ()
    links: tuple[LinkCount, ...] = ()
    orphans: Mapping[str, OrphanCount] = field(default_factory=dict)
    copied: Mapping[str, int] = field(default_factory=dict)

    @property
    def success(self) -> bool:
        """Whether every rule was checked and holds."""
        return not self.amiss and all(each.success for each in self.tables.values())

    @property
    def violations(self) -> Mapping[str, tuple[Violation, ...]]:
        """Broken rules by table; those of tables that break none are not among them."""
        return {name: each.violations for name, each in self.tables.items() if each.violations}

    @property
    def unchecked(self) -> Mapping[str, tuple[Unchecked, ...]]:
        """Rules that could not be checked, by table."""
        return {name: each.unchecked for name, each in self.tables.items() if each.unchecked}

    def to_dict(self) -> dict[str, Any]:
        """All of it as plain values; INTERNAL: counts of real rows are exact."""
        return {
            "format": LINKED_VALIDATION_FORMAT,
            "success": self.success,
            "amiss": [asdict(each) for each in self.amiss],
            "tables": {name: {"success": each.success, **asdict(each)} for name, each in self.tables.items()},
            "links": [asdict(each) for each in self.links],
            "orphans": {name: asdict(each) for name, each in self.orphans.items()},
            "copied": dict(self.copied),
        }

    def to_json(self) -> str:
        """JSON text in the format `synthkit-linked-validation/1`."""
        return json.dumps(self.to_dict(), indent=1, ensure_ascii=False)

    def raise_if_failed(self) -> None:
        """Nothing, if every rule was checked and holds.

        Raises:
            SchemaError: listing, by table, every broken rule and every rule that could not be checked.
        """
        if not self.success:
            raise SchemaError(str(self))

    def __str__(self) -> str:
        rows = sum(each.checked.rows for each in self.tables.values())
        asked = sum(each.checked.expectations for each in self.tables.values())
        size = f"{len(self.tables)} tables with {rows:,} rows, {asked:,} rules"
        left = self._left_out()
        if self.success:
            return "\n".join([f"the tables keep their schema: {size} checked{left}", *copied_notes(self.copied)])
        broken = (*self.amiss, *(v for each in self.tables.values() for v in each.violations))
        parts = [f"linked tables must keep their schema; however ({size} checked{left}): {total(broken)}"]
        parts += [listing(self.amiss)] if self.amiss else []
        for name, each in self.tables.items():
            if each.violations:
                parts.append(
                    f"`{name}` ({each.checked.rows:,} rows): {total(each.violations)}\n{listing(each.violations)}"
                )
        for name, unchecked in self.unchecked.items():
            parts.append(f"`{name}`: could not check")
            parts += [f"  {', '.join(u.columns)}  {u.rule}: {u.reason}" for u in unchecked]
        return "\n".join([*parts, *copied_notes(self.copied)])

    def _left_out(self) -> str:
        """How many rows and keys were left out."""
        counts = self.orphans.values()
        rows, keys, alike = (sum(getattr(c, key) for c in counts) for key in ("rows", "keys", "alike"))
        spelled = f", of whose keys {alike:,} {SPELLED_ALIKE}" if alike else ""
        return f"; {rows:,} rows and {keys:,} keys of orphans left out{spelled}" if rows or keys else ""


def copied_notes(copied: Mapping[str, int]) -> Iterator[str]:
    """What is said of catalogues whose rows leave as they came, though nobody answers for their being public.

    Args:
        copied: rows by table.

    Example:
        >>> list(copied_notes({"wards": 12}))[0][:64]
        '`wards`: its 12 rows are copied as they are into every release, '
    """
    for name, rows in copied.items():
        its = "its 1 row is copied as it is" if rows == 1 else f"its {rows:,} rows are copied as they are"
        yield (
            f"`{name}`: {its} into every release, for the table is declared `role: reference`, and nobody answers for "
            f"its being public: say under `tables.{name}` who does, and why (`declared_by`), or declare another role "
            "and its columns"
        )
