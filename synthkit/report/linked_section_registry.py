"""The sections of a report on linked tables, in their order."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from synthkit.report.context import ReportContext
from synthkit.report.linked_context import LinkedContext
from synthkit.report.linked_sections.across_tables import ACROSS_TABLES
from synthkit.report.linked_sections.contradiction_counts import CONTRADICTION_COUNTS
from synthkit.report.linked_sections.history_utility import HISTORY_UTILITY
from synthkit.report.linked_sections.link_kinds import LINK_KINDS
from synthkit.report.linked_sections.linked_caveats import LINKED_CAVEATS
from synthkit.report.linked_sections.linked_decision import LINKED_DECISION
from synthkit.report.linked_sections.linked_detection import LINKED_DETECTION
from synthkit.report.linked_sections.linked_glossary import LINKED_GLOSSARY
from synthkit.report.linked_sections.linked_integrity import LINKED_INTEGRITY
from synthkit.report.linked_sections.linked_release import LINKED_RELEASE
from synthkit.report.linked_sections.linked_scope import LINKED_SCOPE
from synthkit.report.linked_sections.linked_standards import LINKED_STANDARDS
from synthkit.report.linked_sections.linked_summary import LINKED_SUMMARY
from synthkit.report.linked_sections.order_and_time import ORDER_AND_TIME
from synthkit.report.linked_sections.outside_judgement import OUTSIDE_JUDGEMENT
from synthkit.report.linked_sections.table_blocks import TABLE_BLOCKS
from synthkit.report.linked_sections.unit_timelines import UNIT_TIMELINES
from synthkit.report.records import FigureSection
from synthkit.report.section_spec import SectionSpec
from synthkit.report.sections.attack_risks import ATTACK_RISKS
from synthkit.report.sections.copying_diagnostics import COPYING_DIAGNOSTICS
from synthkit.report.sections.failed_measurements import FAILED_MEASUREMENTS, FailuresData, failures_of
from synthkit.report.sections.loss_curve import LOSS_CURVE
from synthkit.report.sections.privacy_terms_section import PRIVACY_TERMS, PrivacyTermsData
from synthkit.report.sections.reproducibility import REPRODUCIBILITY

LinkedSection = SectionSpec[LinkedContext, Any]  # each has data of its own type


def as_of_one_table(spec: SectionSpec[ReportContext, Any]) -> LinkedSection:
    """A section that says of linked tables what it says of one, where rows are units."""
    data: Callable[[ReportContext], Any] = spec.data
    return SectionSpec(
        id=spec.id,
        title=spec.title,
        data=lambda context: data(context.alone),
        tag=spec.tag,
        shareable=spec.shareable,
        template=spec.template,
        package=spec.package,
        drawn_when_absent=spec.drawn_when_absent,
    )


def _privacy_terms(context: LinkedContext) -> PrivacyTermsData:
    """The privacy terms; whom they protect is a unit with all its rows, under a budget within their bounds."""
    told = (context.ledger or {}).get("unit")
    said = None if context.statement is None else context.statement.get("contribution_bound")
    bounds = {} if said is None else said.get("by_unit", {})
    most = ", ".join(f"{many:,} of {name}" for name, many in bounds.items() if name != context.unit)
    within = f" (at most {most}: what is beyond these bounds is left out by synthkit)" if most else ""
    whole = f"row of {context.unit}, with all rows that belong to it{within}"
    return {**PRIVACY_TERMS.data(context.alone), "unit": whole if told in (None, context.unit) else told}


def _failures(context: LinkedContext) -> FailuresData:
    """What failed and what was left out, that of linked tables too."""
    return failures_of(context.alone, linked=True)


def _training(context: LinkedContext) -> FigureSection:
    """The loss curve, and what moves it where a step takes whole units."""
    found = LOSS_CURVE.data(context.alone)
    if "figures" not in found:
        return found
    told = (
        f" A step takes whole {context.unit}, and long histories weigh more: the solid line also follows who is drawn."
    )
    return {"figures": [{**each, "caption": each["caption"] + told} for each in found["figures"]]}


SECTIONS_ON_LINKED_TABLES: tuple[LinkedSection, ...] = (
    LINKED_DECISION,
    LINKED_RELEASE,
    LINKED_SUMMARY,
    LINKED_SCOPE,
    LINKED_INTEGRITY,
    CONTRADICTION_COUNTS,
    LINK_KINDS,
    LINKED_DETECTION,
    ORDER_AND_TIME,
    ACROSS_TABLES,
    UNIT_TIMELINES,
    HISTORY_UTILITY,
    TABLE_BLOCKS,
    OUTSIDE_JUDGEMENT,
    as_of_one_table(ATTACK_RISKS),
    as_of_one_table(COPYING_DIAGNOSTICS),
    replace(as_of_one_table(PRIVACY_TERMS), data=_privacy_terms),
    replace(as_of_one_table(LOSS_CURVE), data=_training),
    replace(as_of_one_table(FAILED_MEASUREMENTS), data=_failures),
    LINKED_CAVEATS,
    LINKED_STANDARDS,
    as_of_one_table(REPRODUCIBILITY),
    LINKED_GLOSSARY,
)


def linked_sections() -> Mapping[str, LinkedSection]:
    """Every section by its id, in the order of the page."""
    return {spec.id: spec for spec in SECTIONS_ON_LINKED_TABLES}
