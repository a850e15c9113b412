"""`weakest`: the scores that stand farthest from those of real rows; a section that lives outside synthkit."""

from __future__ import annotations

from synthkit.report.context import ReportContext
from synthkit.report.score_rows import score_row
from synthkit.report.section_spec import SectionSpec


def weakest(context: ReportContext) -> dict[str, object]:
    """The five fidelity scores with the largest distance from their reference, largest first."""
    compared = [s for s in context.evaluation.scores if s.metric.startswith("fidelity.") and s.reference is not None]
    if not compared:
        return {"absent": "No fidelity score has a reference."}
    by_distance = sorted(compared, key=lambda s: -abs(s.value - (s.reference or 0)) / max(abs(s.reference or 0), 1e-9))
    return {"scores": [score_row(score) for score in by_distance[:5]]}


SECTION = SectionSpec(id="weakest", title="Farthest from real rows", data=weakest, package="weakest_report")
