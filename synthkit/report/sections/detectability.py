"""The section on the classifier two-sample test: how well synthetic rows are told from real ones, and by what."""

from __future__ import annotations

from synthkit.report.context import ReportContext
from synthkit.report.labels import number, span
from synthkit.report.records import Figure, FigureSection, figure
from synthkit.report.section_spec import SectionSpec


def _data(context: ReportContext) -> FigureSection:
    panel = context.panels.get("detection")
    if not panel:
        return {"absent": "No classifier was trained to tell synthetic from real rows."}
    figures: list[Figure] = []
    if panel.get("roc"):
        auc = number(panel.get("auc"))
        figures.append(
            figure(
                "roc",
                panel,
                title="Telling synthetic from real",
                description=f"ROC curve with area {auc}; the dashed diagonal is a coin toss, area 0.5.",
                caption=f"Area under the curve: {auc} {span(panel['low'], panel['high'])}; dashed: a coin toss.",
            )
        )
    if panel.get("features"):
        first = [f["column"] for f in sorted(panel["features"], key=lambda f: -f["importance"])[:3]]
        figures.append(
            figure(
                "giveaways",
                panel,
                title="What gives the synthetic rows away",
                description="Bars by column; most telling: " + ", ".join(first) + ".",
                caption="Columns by which the classifier recognises synthetic rows, most telling first.",
            )
        )
    return {"figures": figures}


DETECTABILITY = SectionSpec(id="detection", title="Can synthetic rows be told from real ones?", data=_data)
