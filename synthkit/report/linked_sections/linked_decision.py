"""The section on the decision about linked tables, the first page: what a policy says of them, and a place to sign."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from synthkit.report.linked_context import LinkedContext
from synthkit.report.row_counts import listed, made_here, release_surface
from synthkit.report.section_spec import SectionSpec
from synthkit.report.sections.decision import DECISION, DecisionData, decision


def linked_rows(unit: str, draws: Sequence[Mapping[str, int]]) -> str:
    """How many synthetic units and rows of other tables there are.

    Args:
        unit: the table of the units.
        draws: numbers of rows by table, of each draw.

    Example:
        >>> linked_rows("patients", [{"patients": 20, "visits": 1027}])
        '20 synthetic patients with 1,027 rows in 1 other table'
    """
    if not draws:
        return f"synthetic {unit}"
    units = [rows.get(unit, 0) for rows in draws]
    others = [sum(rows.values()) - n for rows, n in zip(draws, units, strict=True)]
    tables = len(draws[0]) - 1
    many = f"{tables} other table{'' if tables == 1 else 's'}"
    if len(draws) == 1:
        return f"{units[0]:,} synthetic {unit} with {others[0]:,} rows in {many}"
    return f"{len(draws)} draws of {listed(units)} synthetic {unit} with {listed(others)} rows in {many}"


def _data(context: LinkedContext) -> DecisionData:
    draws = context.draws
    return {**decision(context.alone), "what": _what(context, draws), "rows": [dict(rows) for rows in draws]}


def _what(context: LinkedContext, draws: Sequence[Mapping[str, int]]) -> str:
    facts, rows = context.facts, linked_rows(context.unit, draws)
    by = f", made by {facts['model']}" if facts.get("model") else "" if made_here(facts) else ", made elsewhere"
    released = release_surface(facts)
    end = f"To be released: {released}" if released else "Nothing is released by this: tables were measured"
    return f"{rows[0].upper()}{rows[1:]}{by}. {end}."


LINKED_DECISION = SectionSpec(
    id=DECISION.id, title=DECISION.title, data=_data, tag=DECISION.tag, shareable=DECISION.shareable
)
