"""The section on declared rules with their violations, and on the validation of input and output."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypedDict

from synthkit.report.context import ReportContext
from synthkit.report.inputs import ValidationJson
from synthkit.report.panel_types import RulePanel
from synthkit.report.row_counts import draws_of
from synthkit.report.section_spec import SectionSpec


class BrokenRule(TypedDict):
    """A rule of the schema that rows break."""

    columns: str
    rule: str
    count: int


class TableValidation(TypedDict):
    """The validation of one table; no row numbers."""

    id: str
    label: str
    success: bool
    checks: int
    unchecked: int
    broken: list[BrokenRule]


class RulesData(TypedDict):
    """Rules, whether any were declared, and validations."""

    rows: list[RulePanel]
    declared: bool
    validation: list[TableValidation]


def _data(context: ReportContext) -> RulesData:
    declared = context.panels.get("rules")
    return {
        "rows": list(declared or []),
        "declared": declared is not None,
        "validation": _validations(context.validation or {}, draws_of(context.facts)),
    }


def _validations(results: Mapping[str, ValidationJson], draws: int) -> list[TableValidation]:
    labels = (("input", "Real rows"), ("output", f"Synthetic rows{'' if draws == 1 else ', first draw'}"))
    return [_validation(key, label, results[key]) for key, label in labels if results.get(key) is not None]


def _validation(key: str, label: str, result: ValidationJson) -> TableValidation:
    broken: list[BrokenRule] = [
        {"columns": ", ".join(v["columns"]), "rule": v["rule"], "count": v["count"]} for v in result["violations"]
    ]
    return {
        "id": key,
        "label": label,
        "success": bool(result["success"]),
        "checks": result["checked"]["expectations"],
        "unchecked": len(result["unchecked"]),
        "broken": broken,
    }


RULE_VALIDATION = SectionSpec(id="rules", title="Rules and validation", data=_data)
