"""A comparison of several models as one page: the scoreboard, two charts, a card of each model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from synthkit.report.compared_models import ComparisonContext
from synthkit.report.comparison_sections.comparison_caveats import COMPARISON_CAVEATS
from synthkit.report.comparison_sections.comparison_facts import COMPARISON_FACTS
from synthkit.report.comparison_sections.comparison_summary import COMPARISON_SUMMARY
from synthkit.report.comparison_sections.cost_by_model import COST_BY_MODEL
from synthkit.report.comparison_sections.detectability_by_model import DETECTABILITY_BY_MODEL
from synthkit.report.comparison_sections.failures_by_model import FAILURES_BY_MODEL
from synthkit.report.comparison_sections.model_cards import MODEL_CARDS
from synthkit.report.comparison_sections.scoreboard import SCOREBOARD
from synthkit.report.html import Report, render
from synthkit.report.section_spec import SectionSpec
from synthkit.report.sections.glossary import glossary
from synthkit.report.sections.reproducibility import ReproducibilityData, reproducibility

if TYPE_CHECKING:
    from synthkit.report.compared_models import ComparisonJson
    from synthkit.report.records import Page


def _repeated(context: ComparisonContext) -> ReproducibilityData:
    return reproducibility(context.facts)


COMPARISON_SECTIONS: tuple[SectionSpec[ComparisonContext, Any], ...] = (
    COMPARISON_FACTS,
    COMPARISON_SUMMARY,
    SCOREBOARD,
    DETECTABILITY_BY_MODEL,
    COST_BY_MODEL,
    MODEL_CARDS,
    FAILURES_BY_MODEL,
    COMPARISON_CAVEATS,
    SectionSpec(id="reproducibility", title="Reproducibility", data=_repeated),
    SectionSpec(id="glossary", title="Glossary", data=glossary),
)


def build_comparison(data: ComparisonJson) -> Report:
    """The page on the content of a comparison.json."""
    return Report(render(comparison_data(data), {spec.id: spec for spec in COMPARISON_SECTIONS}))


def comparison_data(data: ComparisonJson) -> Page:
    """Everything the page says, as plain data.

    Args:
        data: the content of comparison.json: `plan`, `entrants` and facts about the run.
    """
    context = ComparisonContext(data)
    return {
        "title": f"Models compared: {data['table']}",
        "table": data["table"],
        "kind": "Models compared",
        "twin": "comparison.json",
        "tier": "internal",
        "date": data.get("date"),
        "version": data.get("version"),
        "sections": [
            {"id": spec.id, "title": spec.title, "tag": spec.tag, "absent": None, **spec.data(context)}
            for spec in COMPARISON_SECTIONS
        ],
    }
