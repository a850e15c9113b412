"""Whether every row keeps the schema and its rules."""

from __future__ import annotations

from synthkit.release.bundle.checks.linked_rows import check_linked_rows
from synthkit.release.bundle.finding import CheckResult, broken, holds
from synthkit.release.bundle.opened_bundle import Opened
from synthkit.schema.linked.linked_schema import LinkedSchema


def check(bundle: Opened) -> CheckResult:
    """Every table held against the schema beside it; linked ones with all that must hold across them."""
    from synthkit.schema.validation import validate

    if bundle.too_large is not None:
        return broken(bundle.too_large)
    rows = 0
    schema = bundle.schema
    if isinstance(schema, LinkedSchema):
        return check_linked_rows(bundle, schema)
    for name in bundle.tables:
        frame = bundle.frame(name)
        found = validate(frame, schema)
        if not found.success:
            return broken(f"{name} breaks its schema: {found}")
        rows += len(frame)
    return holds(f"every one of {rows:,} rows keeps the schema and its rules")
