"""The page of an evaluation that was really made: every panel the metrics give is one the page can draw."""

from __future__ import annotations

import json

import numpy as np
import pytest
from page_reader import Page

from synthkit import data
from synthkit.metrics.evaluation_data import EvaluationData
from synthkit.metrics.runner import evaluate
from synthkit.report import build
from synthkit.schema import Schema

COLUMNS = ("age", "sex", "dzgroup", "slos", "num.co", "meanbp", "pafi", "charges", "hospdead")


@pytest.fixture(scope="module")
def real():
    """Three times 300 patients, the last third in the place of synthetic rows."""
    whole = Schema.load(data.path("support2.yaml"))
    columns = {c: whole.columns[c] for c in COLUMNS}
    targets = [{"column": "hospdead", "task": "binary", "positive": whole.targets[0].positive}]
    schema = Schema(name="wards", columns=columns, targets=targets)
    frame = data.support2()[list(COLUMNS)]
    parts = np.split(np.random.default_rng(5).permutation(len(frame))[:900], 3)
    train, holdout, third = (frame.iloc[p].reset_index(drop=True) for p in parts)
    comparison = EvaluationData(train=train, holdout=holdout, synthetic=(third,), schema=schema)
    evaluation = evaluate(comparison, run={"model": "a third of the real rows"}, seed=3, quick=True)
    return evaluation, schema, Page(build(evaluation, schema=schema).html)


def test_every_score_and_failure_of_a_real_evaluation_is_on_the_page(real):
    evaluation, _, page = real
    shown = {e.attributes["data-test-score"]: e.attributes["data-value"] for e in page.all("data-test-score")}
    assert {k: float(v) for k, v in shown.items()} == {s.metric: s.value for s in evaluation.scores}
    assert [e.attributes["data-test-failure"] for e in page.all("data-test-failure")] == [
        f.metric for f in evaluation.failures
    ]
    assert "fidelity.c2st" in shown
    assert "utility.hospdead.gap" in shown


def test_every_panel_of_a_real_evaluation_is_drawn(real):
    evaluation, schema, page = real
    drawn = {e.attributes["data-test-chart"] for e in page.all("data-test-chart")}
    expected = {"pair-errors", "correlations", "missingness", "roc", "giveaways", "sample-size", "ladder-hospdead"}
    expected |= {"telling-columns", "telling-pairs"}
    expected |= {"attack-roc", "forest-hospdead", "reliability-hospdead"}
    assert drawn == expected
    assert {e.attributes["data-test-column"] for e in page.all("data-test-column")} == set(schema.learned)
    absent = {e.attributes["data-test-absent"] for e in page.all("data-test-absent")}
    assert absent == {"training", "subgroups"}
    assert json.loads(evaluation.to_json())["panels"]["distributions"]


def test_every_score_of_a_real_evaluation_has_a_name_in_words(real):
    _, _, page = real
    for row in page.all("data-test-score"):
        metric = row.attributes["data-test-score"]
        assert not row.text.strip().startswith(metric), metric
