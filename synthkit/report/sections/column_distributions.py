"""The section on distributions of single columns: small charts, worst first."""

from __future__ import annotations

from typing import TypedDict

from synthkit.report.context import ReportContext
from synthkit.report.labels import number, slug
from synthkit.report.panel_types import DistributionPanel
from synthkit.report.section_spec import SectionSpec

OPEN_DISTRIBUTIONS = 12  # that are not folded away


class DistributionCard(TypedDict):
    """One column: what its chart is drawn from, and its distances in words."""

    id: str
    entry: DistributionPanel
    error: str
    reference: str | None


class DistributionsData(TypedDict, total=False):
    """Cards that stand open, and the rest."""

    open: list[DistributionCard]
    rest: list[DistributionCard]
    absent: str


def _data(context: ReportContext) -> DistributionsData:
    entries = context.panels.get("distributions")
    if not entries:
        return {"absent": "Distributions of single columns were not recorded."}
    taken: set[str] = set()
    cards: list[DistributionCard] = [
        {
            "id": "column-" + slug(e["column"], taken),
            "entry": e,
            "error": number(e.get("error")),
            "reference": None if e.get("reference") is None else number(e["reference"]),
        }
        for e in entries
    ]
    return {"open": cards[:OPEN_DISTRIBUTIONS], "rest": cards[OPEN_DISTRIBUTIONS:]}


COLUMN_DISTRIBUTIONS = SectionSpec(id="distributions", title="Distributions, worst first", data=_data)
