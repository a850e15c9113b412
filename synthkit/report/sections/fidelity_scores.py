"""The section on fidelity: scores against a holdout, against the training rows, and the equivalent sample size."""

from __future__ import annotations

from typing import TypedDict

from synthkit.report.attack_verdicts import ATTACK_KINDS
from synthkit.report.audience import rounded_row
from synthkit.report.context import ReportContext
from synthkit.report.labels import AGAINST_TRAIN, number
from synthkit.report.panel_types import Panels
from synthkit.report.records import Figure, ScoreRow, figure
from synthkit.report.score_rows import score_row
from synthkit.report.section_spec import SectionSpec

SHOWN_ROOMS = ("fidelity.", "utility.", *(f"{kind}." for kind in ATTACK_KINDS))  # scores of others are shown here


class FidelityData(TypedDict, total=False):
    """Scores against the holdout, against training rows, those of no known room, and a chart."""

    scores: list[ScoreRow]
    trained: list[ScoreRow]
    others: list[ScoreRow]
    figures: list[Figure]
    absent: str


def _data(context: ReportContext) -> FidelityData:
    rows = context.score_rows("fidelity")
    others = [score_row(s) for s in context.evaluation.scores if not s.metric.startswith(SHOWN_ROOMS)]
    if not rows and not others:
        return {"absent": "No fidelity score was measured."}
    curve = _sample_size(context.panels)
    held = [r for r in rows if not r["metric"].endswith(AGAINST_TRAIN)]
    trained = [r for r in rows if r["metric"].endswith(AGAINST_TRAIN)]
    return {"scores": held, "trained": trained, "others": others, "figures": [curve] if curve else []}


def _sample_size(panels: Panels) -> Figure | None:
    """The curve from which the equivalent sample size is read."""
    panel = panels.get("sample_size")
    if not panel or not panel.get("sizes"):
        return None
    equivalent = panel.get("equivalent")
    return figure(
        "sample_size",
        panel,
        title="Equivalent sample size",
        description="Error of real samples, falling as they grow; the dashed line is the error of the synthetic rows"
        + (f", reached at about {number(equivalent, 'count')} rows." if equivalent else "."),
        caption="Solid: real samples of growing size. Dashed: the synthetic rows. They meet at the equivalent size.",
    )


def _shareable(data: FidelityData) -> FidelityData:
    """Scores to two digits alone."""
    if data.get("absent"):
        return data
    scores = [rounded_row(row) for row in data["scores"]]
    return {**data, "scores": scores, "trained": [], "others": [], "figures": []}


FIDELITY_SCORES = SectionSpec(id="fidelity", title="Fidelity: does it look alike?", data=_data, shareable=_shareable)
