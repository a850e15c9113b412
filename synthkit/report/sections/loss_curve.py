"""The section on training: the loss curve."""

from __future__ import annotations

from synthkit.report.context import ReportContext
from synthkit.report.labels import number
from synthkit.report.records import FigureSection, figure
from synthkit.report.section_spec import SectionSpec


def _data(context: ReportContext) -> FigureSection:
    panel = context.panels.get("training")
    if not panel or not panel.get("steps"):
        return {"absent": "The model keeps no loss curve, or none was recorded."}
    last = panel["train"][-1]
    kept = f" The model of step {number(panel['best_step'], 'count')} was kept." if panel.get("best_step") else ""
    drawn = figure(
        "training",
        panel,
        title="Loss during training",
        description=f"Loss over {number(panel['steps'][-1], 'count')} steps, ending at {number(last)}.",
        caption="Solid: training rows, parts of which are hidden while the model learns, which may lift this line. "
        "Dashed: rows kept back, if any. A rising dashed line means learning by heart." + kept,
    )
    return {"figures": [drawn]}


LOSS_CURVE = SectionSpec(id="training", title="Training", data=_data)
