"""An evaluation of linked tables without a model: strangers of the same law play the synthetic part."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from benchmarks.linked import made_hospital
from synthkit.metrics.linked.linked_evaluation_data import LinkedEvaluationData
from synthkit.metrics.linked.linked_metric_registry import linked_metrics_of
from synthkit.metrics.linked.linked_runner import rows_by_table
from synthkit.metrics.metric import MetricOptions
from synthkit.metrics.result import Evaluation, Failure, Score
from synthkit.metrics.runner import all_measured, assembled
from synthkit.report.linked_view import build_linked
from synthkit.runtime.seeds import Seeds
from synthkit.schema.linked import LinkedSchema
from synthkit.tables.linked_tables import LinkedTables

sys.path.append(str(Path(__file__).parent.parent))  # `page_reader` stands there

CONTRADICTIONS = """
contradictions:
  - {name: high value in a man, table: labs, when: {value: {min: 150}}, unit: {sex: {in: [M]}}}
  - name: stroke without a pressure before
    table: events
    when: {kind: {in: [stroke]}}
    without: {table: labs, when: {test: {in: [sbp]}}}
"""
FITTED = ("c2st", "utility.", "sdmetrics")  # in the names of metrics that fit classifiers: their scores are made up


def score(metric, value, *, reference=0.5, goal="low", parts=()):
    """A made-up score with an interval."""
    return Score(
        metric=metric, value=value, low=value - 0.05, high=value + 0.05, goal=goal, reference=reference,
        parts=dict(parts), note="Interval: made up.",
    )  # fmt: skip


MADE_UP = (
    score("fidelity.unit_c2st", 0.61, parts=(("labs.value: mean", 0.4), ("visits: count", 0.2))),
    score("fidelity.visits.row_c2st", 0.72, reference=0.48),
    score("fidelity.labs.row_c2st", 0.52, reference=0.44),
    score("utility.stroke.trtr", 0.71, reference=None, goal="high"),
    score("utility.stroke.tstr", 0.66, reference=0.71, goal="high"),
    score("utility.stroke.gap", 0.04, reference=0.0),
    score("fidelity.sdmetrics.quality", 0.91, reference=0.93, goal="high"),
)


@pytest.fixture(scope="session")
def hospital_schema() -> LinkedSchema:
    """The made hospital with contradictions that its law knows nothing of."""
    return LinkedSchema.loads(made_hospital.schema().dumps() + CONTRADICTIONS)


@pytest.fixture(scope="session")
def hospital_sides(hospital_schema) -> LinkedEvaluationData:
    """Training, holdout and strangers: 40 patients each."""
    both, strangers = (LinkedTables.of(made_hospital.tables(n, k), hospital_schema) for n, k in ((80, 1), (40, 2)))
    return LinkedEvaluationData(
        train=both.take(np.arange(40)), holdout=both.take(np.arange(40, 80)), synthetic=strangers
    )


@pytest.fixture(scope="session")
def measured(hospital_schema):
    """An evaluation of three sides by every metric that fits nothing, with made-up scores of those that do."""

    def build(sides) -> Evaluation:
        chosen = linked_metrics_of(hospital_schema, MetricOptions())
        chosen = {name: each for name, each in chosen.items() if not any(word in name for word in FITTED)}
        rows = rows_by_table(sides)
        facts = {"model": "timeline", "version": "0.1.0", "date": "2026-01-02T03:04:05", "seed": 1}
        found = assembled(
            all_measured(chosen, sides, Seeds(0), 1, lambda *_: None), {**facts, "rows": rows, "measured": rows}
        )
        lost = Failure(metric="fidelity.doses.row_c2st", reason="each fold must have rows; however: it has <i>none</i>")
        return replace(found, scores=(*found.scores, *MADE_UP), failures=(*found.failures, lost))

    return build


@pytest.fixture(scope="session")
def hospital_evaluation(measured, hospital_sides) -> Evaluation:
    return measured(hospital_sides)


@pytest.fixture(scope="session", params=["internal", "shareable"])
def linked_edition(request, hospital_evaluation, hospital_schema):
    """The page of each edition."""
    return build_linked(hospital_evaluation, hospital_schema, tier=request.param)


@pytest.fixture(scope="session")
def linked_report(hospital_evaluation, hospital_schema):
    return build_linked(hospital_evaluation, hospital_schema)
