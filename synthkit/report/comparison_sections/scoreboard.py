"""The section with the scoreboard: scores, time and memory of all models against each other."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from typing import TypedDict

from synthkit.metrics.metric import Form
from synthkit.report.coin_toss import NEARER_IS_BETTER, CoinDistance, is_classifier_test
from synthkit.report.compared_models import (
    ATTACK_PREFIXES,
    NO_MODEL_FINISHED,
    ComparedModelJson,
    ComparedScoreJson,
    ComparisonContext,
    distance_of,
    interval_of,
    is_loss,
    score_of,
)
from synthkit.report.labels import AGAINST_TRAIN, name, number, seconds, span
from synthkit.report.linked_headlines import linked_headlines
from synthkit.report.records import AgainstReference, Fact
from synthkit.report.section_spec import SectionSpec

COMPARED_FIRST = (
    *("fidelity.c2st", "fidelity.c2st_lightgbm", "fidelity.shape", "fidelity.trend", "fidelity.tv2", "fidelity.tv3"),
    *("fidelity.correlation_difference", "fidelity.missingness", "fidelity.equivalent_sample_size"),
    *("fidelity.rule_violations", "copying.dcr_share"),
)
BEST_MARK: AgainstReference = {"sign": "★", "word": "best"}
AS_GOOD_MARK: AgainstReference = {"sign": "≈", "word": "as good"}
GOAL_WORDS = {"high": "higher is better", "low": "lower is better", "none": "neither high nor low is better"}


class ScoreboardCell(TypedDict):
    """One model's value."""

    entrant: str
    value: float | str
    text: str
    interval: str
    mark: AgainstReference | None


class ScoreboardRow(TypedDict):
    """One score of all models."""

    metric: str
    label: str
    target: str
    meaning: str
    goal: str
    reference: float | None
    reference_text: str
    cells: list[ScoreboardCell]


class ScoreboardData(TypedDict, total=False):
    """Rows that stand open, all others, and what each score is."""

    names: list[str]
    head: list[ScoreboardRow]
    rest: list[ScoreboardRow]
    meanings: list[Fact]
    absent: str


def _data(context: ComparisonContext) -> ScoreboardData:
    finished = context.finished
    if not finished:
        return {"absent": NO_MODEL_FINISHED}
    metrics = list(dict.fromkeys(s["metric"] for model in finished for s in model["scores"]))
    tables = context.data.get("tables", {})
    linked = [m for m in linked_headlines(metrics) if not is_loss(m)] if tables else []
    head = [m for m in COMPARED_FIRST if m in metrics] + linked + [m for m in metrics if is_loss(m)]
    rest = [m for m in metrics if m not in head]
    return {
        "names": [model["name"] for model in finished],
        "head": [*(_row(m, finished, tables) for m in head), *_costs(finished)],
        "rest": [_row(m, finished, tables) for m in rest],
        "meanings": _meanings([*head, *rest], finished),
    }


def _about(metric: str, tables: Collection[str]) -> str:
    """The target or, of linked tables, the table that a score is about, if it is not about all."""
    between = ".".join(metric.split(".")[1:-1])
    return between if metric.startswith("utility.") or between in tables else ""


def _row(metric: str, finished: Sequence[ComparedModelJson], tables: Collection[str]) -> ScoreboardRow:
    """One score of every model; the best is marked, and whatever an interval cannot tell from it."""
    named = name(metric)
    found = [score_of(model, metric) for model in finished]
    known = [s for s in found if s is not None and s["value"] is not None]
    goal = known[0]["goal"] if known else "none"
    if metric.endswith(AGAINST_TRAIN) or metric.startswith((*ATTACK_PREFIXES, "copying.")):
        goal = "none"  # nearer to the training rows than a holdout is would be no merit, and privacy is not ranked
    near = goal != "none" and is_classifier_test(metric)
    best = _best([distance_of(s).value if near else s["value"] for s in known if s["value"] is not None], goal)
    reference = next((s["reference"] for s in known if s["reference"] is not None), None)
    return {
        "metric": metric,
        "label": named.label,
        "target": _about(metric, tables),
        "meaning": named.meaning,
        "goal": NEARER_IS_BETTER if near else GOAL_WORDS[goal],
        "reference": reference,
        "reference_text": "—" if reference is None else number(reference, named.form),
        "cells": [
            _cell(model["name"], s, None if s is None else _mark(s, best, near=near), named.form)
            for model, s in zip(finished, found, strict=True)
        ],
    }


def _best(values: Sequence[float], goal: str) -> float | None:
    """The best of several values; None if there is nothing to choose between."""
    if goal == "none" or len(set(values)) < 2:
        return None
    return max(values) if goal == "high" else min(values)


def _mark(score: ComparedScoreJson, best: float | None, *, near: bool) -> AgainstReference | None:
    """Whether a score is the best of all, or its interval holds the best; `near` if distance from a coin decides."""
    if best is None or score["value"] is None:
        return None
    low, high = interval_of(score)
    at = distance_of(score) if near else CoinDistance(score["value"], low, high)
    return BEST_MARK if at.value == best else AS_GOOD_MARK if at.low <= best <= at.high else None


def _cell(model: str, score: ComparedScoreJson | None, mark: AgainstReference | None, form: Form) -> ScoreboardCell:
    if score is None or score["value"] is None:
        return {"entrant": model, "value": "", "text": "not measured", "interval": "", "mark": None}
    low, high = interval_of(score)
    text, interval = number(score["value"], form), span(low, high, form)
    return {"entrant": model, "value": score["value"], "text": text, "interval": interval, "mark": mark}


class _CostMeasure(TypedDict):
    metric: str
    label: str
    meaning: str
    goal: str
    value: Callable[[ComparedModelJson], float | None]
    text: Callable[[float], str]


_COST_MEASURES: Sequence[_CostMeasure] = (
    {
        "metric": "cost.fit_seconds",
        "label": "Time to learn",
        "meaning": "Wall clock, from the rows to the fitted model.",
        "goal": "low",
        "value": lambda model: model["seconds"].get("fit"),
        "text": seconds,
    },
    {
        "metric": "cost.rows_per_second",
        "label": "Rows drawn a second",
        "meaning": "All draws, the first call included.",
        "goal": "high",
        "value": lambda model: model["rows_per_second"],
        "text": lambda x: f"{x:,.0f}",
    },
    {
        "metric": "cost.peak_mib",
        "label": "Peak memory",
        "meaning": "Of its process until the last row was drawn, libraries included.",
        "goal": "low",
        "value": lambda model: model["peak_mib"],
        "text": lambda x: f"{x:,.0f} MiB",
    },
)


def _costs(finished: Sequence[ComparedModelJson]) -> Iterator[ScoreboardRow]:
    """Rows of the scoreboard that have no interval: time and memory."""
    for measure in _COST_MEASURES:
        values = [measure["value"](model) for model in finished]
        best = _best([v for v in values if v is not None], measure["goal"])
        yield {
            "metric": measure["metric"],
            "label": measure["label"],
            "target": "",
            "meaning": measure["meaning"],
            "goal": GOAL_WORDS[measure["goal"]],
            "reference": None,
            "reference_text": "—",
            "cells": [
                {
                    "entrant": model["name"],
                    "value": "" if v is None else v,
                    "text": "not measured" if v is None else measure["text"](v),
                    "interval": "",
                    "mark": BEST_MARK if best is not None and v == best else None,
                }
                for model, v in zip(finished, values, strict=True)
            ],
        }


def _meanings(metrics: Sequence[str], finished: Sequence[ComparedModelJson]) -> list[Fact]:
    """Label and sentence of every row of the scoreboard, each once."""
    costs = {row["label"]: row["meaning"] for row in _costs(finished)}
    meanings = {name(m).label: name(m).meaning for m in metrics} | costs
    return [(label, meaning) for label, meaning in meanings.items() if meaning]


SCOREBOARD = SectionSpec(id="scoreboard", title="Models against each other", data=_data)
