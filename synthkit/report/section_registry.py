"""The sections of a report in their order: those of synthkit, then those that other packages add."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from importlib.metadata import entry_points
from typing import Any

from synthkit.errors import ConfigError
from synthkit.report.context import ReportContext
from synthkit.report.section_spec import SectionSpec
from synthkit.report.sections.attack_risks import ATTACK_RISKS
from synthkit.report.sections.caveats import CAVEATS
from synthkit.report.sections.column_distributions import COLUMN_DISTRIBUTIONS
from synthkit.report.sections.column_pairs import COLUMN_PAIRS
from synthkit.report.sections.copying_diagnostics import COPYING_DIAGNOSTICS
from synthkit.report.sections.decision import DECISION
from synthkit.report.sections.detectability import DETECTABILITY
from synthkit.report.sections.failed_measurements import FAILED_MEASUREMENTS
from synthkit.report.sections.fidelity_scores import FIDELITY_SCORES
from synthkit.report.sections.glossary import GLOSSARY_OF_TERMS
from synthkit.report.sections.group_results import GROUP_RESULTS
from synthkit.report.sections.loss_curve import LOSS_CURVE
from synthkit.report.sections.missing_cells import MISSING_CELLS
from synthkit.report.sections.predictive_utility import PREDICTIVE_UTILITY
from synthkit.report.sections.privacy_terms_section import PRIVACY_TERMS
from synthkit.report.sections.released_rows import RELEASED_ROWS
from synthkit.report.sections.reproducibility import REPRODUCIBILITY
from synthkit.report.sections.rule_validation import RULE_VALIDATION
from synthkit.report.sections.scope import SCOPE
from synthkit.report.sections.standards import STANDARDS
from synthkit.report.sections.summary import SUMMARY
from synthkit.report.sections.telling_columns import TELLING_COLUMNS
from synthkit.runtime.plugins import plugins

ReportSection = SectionSpec[ReportContext, Any]  # each has data of its own type
SECTIONS_GROUP = "synthkit.report_sections"  # of entry points
OWN_SECTIONS: tuple[ReportSection, ...] = (
    DECISION,
    RELEASED_ROWS,
    SUMMARY,
    SCOPE,
    ATTACK_RISKS,
    PRIVACY_TERMS,
    FIDELITY_SCORES,
    COLUMN_DISTRIBUTIONS,
    COLUMN_PAIRS,
    MISSING_CELLS,
    DETECTABILITY,
    TELLING_COLUMNS,
    PREDICTIVE_UTILITY,
    GROUP_RESULTS,
    RULE_VALIDATION,
    COPYING_DIAGNOSTICS,
    LOSS_CURVE,
    FAILED_MEASUREMENTS,
    CAVEATS,
    STANDARDS,
    REPRODUCIBILITY,
    GLOSSARY_OF_TERMS,
)
OWN_IDS = frozenset(spec.id for spec in OWN_SECTIONS)


@cache
def section_registry() -> Mapping[str, ReportSection]:
    """Every section by its id, in the order of the page.

    Other packages add sections by entry points in the group `synthkit.report_sections`: the name is the section's id,
    the object a `SectionSpec` whose `package` is the one that holds its template. They stand last.

    Raises:
        ConfigError: a name is taken, a section cannot be imported, is no `SectionSpec`, has another id than its entry
            point, or names no package of its own.
    """
    outside = plugins(SECTIONS_GROUP, OWN_IDS)
    return {spec.id: spec for spec in OWN_SECTIONS} | {name: _checked(name, each) for name, each in outside.items()}


def _checked(name: str, found: object) -> ReportSection:
    """A section from outside, if it is one and brings its own template."""
    if not isinstance(found, SectionSpec):
        msg = (
            f"`{name}` in {SECTIONS_GROUP} must be a SectionSpec; however: it is a {type(found).__name__}. "
            "Point the entry point to one"
        )
        raise ConfigError(msg)
    if found.id != name:
        msg = f"the entry point of a section must have its id; however: `{name}` has the id `{found.id}`. Rename one"
        raise ConfigError(msg)
    if found.package.split(".")[0] == "synthkit":
        msg = (
            f"a section from outside must bring its template; however: `{name}` names {found.package}. "
            "Set `package` to the one with its templates"
        )
        raise ConfigError(msg)
    return found


def outside_sections(ids: Iterable[str]) -> dict[str, str | None]:
    """Ids that are no section of synthkit's own, each with who brings it, None where nobody does here.

    Example:
        >>> outside_sections(["decision", "weather"])
        {'weather': None}
    """
    points = {point.name: point for point in entry_points(group=SECTIONS_GROUP)}
    found: dict[str, str | None] = {}
    for name in ids:
        if name not in OWN_IDS:
            dist = points[name].dist if name in points else None
            found[name] = None if dist is None else f"{dist.name} {dist.version}"
    return found
