"""The section on the classifier two-sample test of each model, as one chart."""

from __future__ import annotations

from synthkit.report.compared_models import NO_MODEL_FINISHED, ComparisonContext, interval_of
from synthkit.report.labels import number, span
from synthkit.report.records import FigureSection, figure
from synthkit.report.section_spec import SectionSpec


def _data(context: ComparisonContext) -> FigureSection:
    points = context.points
    if not points:
        return {"absent": "No classifier test was measured." if context.finished else NO_MODEL_FINISHED}
    each = "; ".join(f"{p['name']} {number(p['value'])} {span(*interval_of(p))}" for p in points)
    real = next((p["reference"] for p in points if p["reference"] is not None), None)
    counted = context.counted
    line = "" if real is None else f" The line is what real {counted} score in the same place: {number(real)}."
    drawn = figure(
        "contenders",
        {"points": points, "real": real},
        title=f"AUC of telling synthetic from real {counted}, by model",
        description=f"One point and interval a model, best first: {each}.{line}",
        caption="The nearer to 0.5, the better: there a classifier tosses a coin. Bars are 95 % intervals." + line,
    )
    return {"figures": [drawn]}


DETECTABILITY_BY_MODEL = SectionSpec(id="likeness", title="Can synthetic rows be told from real ones?", data=_data)
