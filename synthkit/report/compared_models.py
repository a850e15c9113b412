"""What the sections of a comparison are made from: the content of comparison.json, and what is read off it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NotRequired, TypedDict

from synthkit.io.json_types import JSON
from synthkit.report.coin_toss import CoinDistance, coin_distance
from synthkit.report.inputs import RunFacts, run_facts

CLASSIFIER_SCORES = ("fidelity.c2st", "fidelity.unit_c2st")  # of one table, of the units of linked ones
ATTACK_PREFIXES = ("membership.", "attribute.", "identity.")
NO_MODEL_FINISHED = "No model finished."


class ComparedScoreJson(TypedDict):
    """A score of one model."""

    metric: str
    value: float | None
    low: float | None
    high: float | None
    goal: str
    reference: float | None


class ComparedFailureJson(TypedDict):
    """A metric that could not run on one model's rows."""

    metric: str
    reason: str


class ComparedModelJson(TypedDict):
    """One model of a comparison; `reason` says why it failed."""

    name: str
    reference: bool
    settings: Mapping[str, JSON]
    reason: str
    scores: Sequence[ComparedScoreJson]
    failures: Sequence[ComparedFailureJson]
    seconds: Mapping[str, float]
    rows_per_second: float | None
    peak_mib: float | None
    rows: Sequence[int]
    broken_rows: int
    broken_rules: int
    rules: int
    notes: Sequence[str]


class ComparisonPlanJson(TypedDict):
    """How models were compared."""

    seed: int
    train: int
    holdout: int
    rows: int
    draws: int
    quick: bool


class ComparisonJson(TypedDict):
    """The content of comparison.json, `synthkit-comparison/1`."""

    table: str
    columns: int
    plan: ComparisonPlanJson
    entrants: Sequence[ComparedModelJson]
    unit: NotRequired[str | None]
    tables: NotRequired[Mapping[str, int]]
    source: NotRequired[str | None]
    date: NotRequired[str | None]
    version: NotRequired[str | None]


class ModelPoint(TypedDict):
    """A model with a measured classifier two-sample test, as charts draw it."""

    name: str
    made: str
    seconds: float
    value: float
    low: float | None
    high: float | None
    reference: float | None


@dataclass(frozen=True)
class ComparisonContext:
    """Everything a section of a comparison may say something about.

    Args:
        data: the content of comparison.json.
    """

    data: ComparisonJson

    @property
    def plan(self) -> ComparisonPlanJson:
        """How models were compared."""
        return self.data["plan"]

    @property
    def models(self) -> Sequence[ComparedModelJson]:
        """Every model, those that failed among them."""
        return self.data["entrants"]

    @cached_property
    def finished(self) -> list[ComparedModelJson]:
        """Models that did not fail."""
        return [model for model in self.models if not model["reason"]]

    @cached_property
    def facts(self) -> RunFacts:
        """The comparison's facts and its plan's, as facts of a run."""
        return run_facts({**self.data, **self.plan})

    @property
    def counted(self) -> str:
        """What models learned and drew: rows, or of linked tables the units by the name of their table."""
        return str(self.data.get("unit") or "units") if "tables" in self.data else "rows"

    @cached_property
    def classifier(self) -> str:
        """The classifier two-sample test that any model has, that of one table if none has."""
        known = {score["metric"] for model in self.finished for score in model["scores"]}
        return next((metric for metric in CLASSIFIER_SCORES if metric in known), CLASSIFIER_SCORES[0])

    @cached_property
    def points(self) -> list[ModelPoint]:
        """Models with a measured classifier two-sample test, best first."""
        found = [(model, score_of(model, self.classifier)) for model in self.finished]
        points = [
            _point(model, score, value)
            for model, score in found
            if score is not None and (value := score["value"]) is not None
        ]
        return sorted(points, key=lambda point: distance_of(point).value)


def _point(model: ComparedModelJson, score: ComparedScoreJson, value: float) -> ModelPoint:
    return {
        "name": model["name"],
        "made": "by others" if model["reference"] else "by synthkit",
        "seconds": max(model["seconds"]["fit"], 0.01),
        "value": value,
        "low": score["low"],
        "high": score["high"],
        "reference": score["reference"],
    }


def score_of(model: ComparedModelJson, metric: str) -> ComparedScoreJson | None:
    """The score of a model by its metric, None if it was not measured."""
    return next((score for score in model["scores"] if score["metric"] == metric), None)


def interval_of(score: ComparedScoreJson | ModelPoint) -> tuple[float, float]:
    """Ends of an interval; null in JSON is an end that is not finite."""
    low, high = score["low"], score["high"]
    return -math.inf if low is None else low, math.inf if high is None else high


def distance_of(score: ComparedScoreJson | ModelPoint) -> CoinDistance:
    """How far the AUC of a classifier two-sample test lies from a coin toss; without a value, anywhere."""
    value = score["value"]
    return CoinDistance(math.inf, 0.0, math.inf) if value is None else coin_distance(value, *interval_of(score))


def is_loss(metric: str) -> bool:
    """Whether a metric is a loss of prediction by training on synthetic rows."""
    return metric.startswith("utility.") and metric.endswith(".gap")


def listed_names(names: Sequence[str]) -> str:
    """Names as a list in words; empty for none.

    Example:
        >>> listed_names(["a", "b", "c"]), listed_names(["a"])
        ('a, b and c', 'a')
    """
    return " and ".join(filter(None, [", ".join(names[:-1]), *names[-1:]]))
