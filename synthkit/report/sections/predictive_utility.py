"""The section on utility: learners trained and tested on real or synthetic rows, and what analysts would conclude."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypedDict

from synthkit.report.audience import rounded_row
from synthkit.report.context import ReportContext
from synthkit.report.labels import CELL_SCORES, GUESSING_LEARNER, QUALITY_IN_WORDS, name, number, slug, span
from synthkit.report.panel_types import (
    CalibrationPanel,
    EffectsPanel,
    LearnerCellPanel,
    Panels,
    SurvivalPanel,
    UtilityPanel,
)
from synthkit.report.records import Figure, ScoreRow, figure
from synthkit.report.section_spec import SectionSpec


class LearnerValue(TypedDict):
    """A value with its interval, in words."""

    text: str
    interval: str
    value: float | None


class LossText(TypedDict):
    """A loss with its interval, in words."""

    text: str
    interval: str


class LearnerRow(TypedDict):
    """One learner in its four cells."""

    learner: str
    cells: list[LearnerValue | None]


class PredictedTarget(TypedDict):
    """A target: its table and its chart."""

    target: str
    task: str
    metric: str
    gap: LossText | None
    rows: list[LearnerRow]
    heads: list[str]
    figure: Figure


class UtilityData(TypedDict, total=False):
    """Targets, scores, and figures of other analyses; scores stand there even where no target does."""

    targets: list[PredictedTarget]
    absent: str
    scores: list[ScoreRow]
    analyses: list[Figure]


def _data(context: ReportContext) -> UtilityData:
    data = _predictions(context.panels, failed=context.failed("utility."))
    return {**data, "scores": context.score_rows("utility"), "analyses": _analyses(context.panels)}


def _shareable(data: UtilityData) -> UtilityData:
    return {**data, "scores": [rounded_row(row) for row in data["scores"]], "targets": [], "analyses": []}


def _predictions(panels: Panels, *, failed: bool) -> UtilityData:
    """A chart and a table a target."""
    entries = panels.get("utility")
    if not entries:
        why = "could be measured: all attempts failed." if failed else "was measured: the schema names none."
        return {"absent": f"No prediction {why}" + ("" if failed else " Declare `targets` to have some.")}
    taken: set[str] = set()
    return {"targets": [_target(e, slug(e["target"], taken)) for e in entries]}


def _target(entry: UtilityPanel, key: str) -> PredictedTarget:
    metric = QUALITY_IN_WORDS.get(entry["metric"].lower(), entry["metric"])
    learners: dict[str, dict[str, LearnerValue]] = {}
    for c in entry["cells"]:
        learners.setdefault(c["learner"], {})[_cell_name(c)] = _value(c)
    gap = entry.get("gap")
    drawn = figure(
        "ladder",
        {**entry, "metric": metric},
        title=f"Predicting {entry['target']}: {metric} by learner",
        description=f"For each of {len(learners)} learners four values with intervals: trained and tested on real or "
        "synthetic rows. The table below holds the numbers.",
        caption="Each line is trained → tested. Circle: trained on real rows; diamond: on synthetic ones."
        + _without_columns(learners),
        key=f"ladder-{key}",
    )
    return {
        "target": entry["target"],
        "task": entry["task"],
        "metric": metric,
        "gap": None if not gap else {"text": number(gap["value"]), "interval": _interval(gap["low"], gap["high"])},
        "rows": [{"learner": each, "cells": [cells.get(c) for c in CELL_SCORES]} for each, cells in learners.items()],
        "heads": [name(c).label for c in CELL_SCORES],
        "figure": drawn,
    }


def _value(cell: LearnerCellPanel) -> LearnerValue:
    return {"text": number(cell["value"]), "interval": _interval(cell["low"], cell["high"]), "value": cell["value"]}


def _without_columns(learners: Mapping[str, Mapping[str, LearnerValue]]) -> str:
    """What the learner reaches that looks at no column."""
    floor = learners.get(GUESSING_LEARNER, {}).get("trtr")
    return f" Guessing, which is not drawn, reaches {floor['text']}." if floor else ""


def _cell_name(cell: LearnerCellPanel) -> str:
    return f"t{cell['trained_on'][0]}t{cell['tested_on'][0]}"


def _interval(low: float | None, high: float | None) -> str:
    nan = float("nan")
    return span(nan if low is None else low, nan if high is None else high)


def _analyses(panels: Panels) -> list[Figure]:
    """Figures on what would be concluded from the synthetic rows, by target."""
    figures: list[Figure] = []
    taken: set[str] = set()
    figures += [_survival(entry, slug(entry["target"], taken)) for entry in panels.get("survival") or []]
    taken = set()
    figures += [_effects(entry, slug(entry["target"], taken)) for entry in panels.get("effects") or []]
    taken = set()
    return figures + [_reliability(entry, slug(entry["target"], taken)) for entry in panels.get("calibration") or []]


def _survival(entry: SurvivalPanel, key: str) -> Figure:
    return figure(
        "survival",
        entry,
        title=f"Time to {entry['event']}: real and synthetic rows",
        description="Two Kaplan-Meier curves with their bands; where the bands part, the rows tell another course. The "
        "scores below hold the distance between the curves.",
        caption="Kaplan-Meier. Solid: real rows. Dashed: synthetic rows. Bands of 95 %, as if each table stood alone.",
        key=f"survival-{key}",
    )


def _effects(entry: EffectsPanel, key: str) -> Figure:
    same = number(entry["same sign"], "share")
    return figure(
        "forest",
        entry,
        title=f"Effects on {entry['target']}: real and synthetic rows",
        description=f"For {len(entry['names'])} columns or levels one estimate and interval from real rows and one "
        f"from synthetic rows; {same} have the same sign.",
        caption="Circle: estimated from real rows. Diamond: from synthetic rows. Intervals of 95 % treat rows as "
        "independent.",
        key=f"forest-{key}",
    )


def _reliability(entry: CalibrationPanel, key: str) -> Figure:
    return figure(
        "reliability",
        entry,
        title=f"Predicted and observed risk: {entry['target']}",
        description="Tenths of the predictions on real people: on the dashed line what is predicted comes true.",
        caption="Both models are tested on real people. Circle: trained on real rows. Diamond: on synthetic rows.",
        key=f"reliability-{key}",
    )


PREDICTIVE_UTILITY = SectionSpec(
    id="utility", title="Utility: does it work alike?", data=_data, shareable=_shareable, drawn_when_absent=True
)
