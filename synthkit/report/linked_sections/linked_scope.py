"""The section on the scope of a release of linked tables: whom it is about, and what outsiders may know."""

from __future__ import annotations

from synthkit.report.linked_context import LinkedContext
from synthkit.report.records import Fact
from synthkit.report.row_counts import release_surface
from synthkit.report.section_spec import SectionSpec, unchanged
from synthkit.report.sections.scope import AttackerLine, ScopeData

ATTACKERS_OF_UNITS = (
    (
        "membership",
        "Somebody who knows a whole history",
        "has all rows of a person in all tables, or five events of it, and asks whether that person was in the data",
    ),
    (
        "attribute",
        "A payer, a registry or a broker",
        "knows what a person has in some tables, and guesses a secret in another",
    ),
    (
        "identity",
        "A motivated intruder",
        "looks for a person whom counts, means and times single out, or links what a person has in two tables",
    ),
)


def _data(context: LinkedContext) -> ScopeData:
    schema, graph = context.schema, context.schema.graph
    shared = ", ".join(graph.shared)
    rows: list[Fact] = [
        ("Protected", f"one row of {context.unit}, with all its rows in {len(graph.owners)} other tables"),
        ("Known to outsiders", _columns(context, "quasi_identifiers") or "not declared"),
        ("Secret", _columns(context, "secrets") or "not declared"),
        ("Groups looked at", _columns(context, "protected") or "none declared"),
        ("Public catalogues", ", ".join(graph.references) or "none"),
        *([("Shared by several units", f"{shared}: not public, and not whom the release is about")] if shared else []),
        ("Most rows of a unit", _bounds(context) or "not declared"),
        ("To be released", release_surface(context.facts) or "nothing: tables were measured"),
        ("Declared by", schema.declared_by or "nobody: lines marked `observed` were read off the tables"),
    ]
    panels = context.alone.panels
    played: list[AttackerLine] = [
        {"who": who, "does": does} for room, who, does in ATTACKERS_OF_UNITS if panels.get(room)
    ]
    return {"rows": rows, "attackers": played}


def _columns(context: LinkedContext, role: str) -> str:
    tables = context.schema.tables.items()
    return ", ".join(f"{name}.{column}" for name, table in tables for column in getattr(table, role))


def _bounds(context: LinkedContext) -> str:
    """Declared numbers of rows: by owner where they are, or by unit."""
    said = []
    for name in context.tables:
        table = context.schema.tables[name]
        if table.owner is not None and table.owner.max_rows_per_owner is not None:
            said.append(f"{name} {table.owner.max_rows_per_owner:,} by {table.owner.to}")
        elif table.max_rows_per_unit is not None:
            said.append(f"{name} {table.max_rows_per_unit:,} by {context.unit}")
    return ", ".join(said)


LINKED_SCOPE = SectionSpec(
    id="scope",
    title="Scope: who might learn what about whom",
    data=_data,
    tag="public",
    shareable=unchanged,
)
