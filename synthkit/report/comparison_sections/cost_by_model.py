"""The section on time against quality of each model, as one chart."""

from __future__ import annotations

from collections.abc import Sequence

from synthkit.report.charts.chart_data import NameSide
from synthkit.report.compared_models import NO_MODEL_FINISHED, ComparisonContext, ModelPoint
from synthkit.report.labels import number, seconds
from synthkit.report.records import FigureSection, figure
from synthkit.report.section_spec import SectionSpec


def _data(context: ComparisonContext) -> FigureSection:
    points = context.points
    if not points:
        return {"absent": "No classifier test was measured." if context.finished else NO_MODEL_FINISHED}
    each = "; ".join(f"{p['name']} {seconds(p['seconds'])}, AUC {number(p['value'])}" for p in points)
    drawn = figure(
        "tradeoff",
        {"points": [{**p, "align": _side(p, points)} for p in points]},
        title=f"Time to learn against AUC of telling synthetic from real {context.counted}",
        description=f"One point a model: {each}.",
        caption="Down and to the left is better: sooner learned, and harder to tell from real rows. "
        "Time is on a logarithmic axis.",
    )
    return {"figures": [drawn]}


def _side(point: ModelPoint, points: Sequence[ModelPoint]) -> NameSide:
    """Where a name starts: `left` runs to the right of its point, `right` to its left if another point is there."""
    others = [p for p in points if p is not point and abs(p["value"] - point["value"]) < 0.03]
    near = any(1 <= p["seconds"] / point["seconds"] < 8 for p in others)
    return "right" if near else "left"


COST_BY_MODEL = SectionSpec(id="cost", title="Time against quality", data=_data)
