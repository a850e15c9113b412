"""Whether linked tables keep their schema: rows, keys, links of every kind, order, rules across tables, most rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from synthkit.release.bundle.finding import CheckResult, broken, holds
from synthkit.release.bundle.table_members import linked_draws

if TYPE_CHECKING:
    from synthkit.release.bundle.opened_bundle import Opened
    from synthkit.schema.linked import LinkedSchema


def check_linked_rows(bundle: Opened, schema: LinkedSchema) -> CheckResult:
    """Every draw held against the schema beside it: each table by itself, and all of them together."""
    from synthkit.schema.linked.validate_linked import validate_linked

    rows = 0
    draws = linked_draws(bundle.members, schema)
    for place, names in draws.items():
        frames = {table: bundle.frame(name) for table, name in names.items()}
        found = validate_linked(frames, schema)
        if not found.success:
            return broken(f"{place} breaks its schema: {found}")
        rows += sum(map(len, frames.values()))
    return holds(
        f"every one of {rows:,} rows in {len(schema.tables)} tables keeps the schema: its columns and rules, keys, "
        "links, order, rules across tables and most rows of an owner"
    )
