"""The whole evaluation of linked tables: every score labelled, with an interval and a floor; failures are listed."""

from __future__ import annotations

import json
import math
import re
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from places import ROOT

from synthkit.errors import MetricError, TableError
from synthkit.metrics.linked import linked_metric_registry
from synthkit.metrics.linked import multi_table_report as multi_table_page
from synthkit.metrics.linked.linked_evaluation_data import LinkedEvaluationData
from synthkit.metrics.linked.linked_metric import LinkedMetricSpec
from synthkit.metrics.linked.linked_metric_registry import LINKED_METRICS, linked_labels, linked_metrics_of
from synthkit.metrics.linked.linked_runner import evaluate_linked, known_units
from synthkit.metrics.linked.multi_table_report import metadata, multi_table_report
from synthkit.metrics.metric import MetricOptions
from synthkit.metrics.metric_registry import labels
from synthkit.metrics.result import Evaluation

pytest.importorskip("lightgbm")
TOO_FEW_PEOPLE = {f"membership.tpr_at_fpr_{rate}" for rate in (0.001, 0.01, 0.1)}  # to set a threshold


def test_every_score_is_labelled_and_has_an_interval_and_a_floor(compare, clinic):
    c = compare(clinic(130, 3))
    evaluation = evaluate_linked(c, quick=True)
    assert {f.metric for f in evaluation.failures} == TOO_FEW_PEOPLE
    assert len(evaluation.scores) > 30
    known = {**labels(), **linked_labels()}
    for score in evaluation.scores:
        parts = score.metric.split(".")
        names = (score.metric, parts[-1], ".".join(parts[-2:]), ".".join(parts[:2]))
        assert any(name in known for name in names), score.metric
        assert score.low < score.high
        assert math.isfinite(score.low)
        assert math.isfinite(score.high) or score.metric.endswith("epsilon_lower_bound")
        assert "nterval" in score.note
        assert score.reference is not None or score.metric.endswith(".trtr")
    assert evaluation.run["rows"]["train"]["visits"] == len(c.train.frames["visits"])
    assert set(evaluation.run["seconds"]) == set(linked_metrics_of(c.schema, MetricOptions(quick=True)))
    assert Evaluation.from_json(evaluation.to_json()).to_json() == evaluation.to_json()
    again = evaluate_linked(c, quick=True, workers=1)
    assert again.scores == evaluation.scores
    assert json.loads(evaluation.to_json())["panels"]["fan_outs"]


def test_labels_are_given_once_and_end_in_sentences():
    every = [name for spec in LINKED_METRICS.values() for name in spec.labels]
    assert len(every) == len(set(every))
    for label in linked_labels().values():
        assert label.label
        assert label.meaning.endswith(".")


def test_every_score_is_explained_and_no_other():
    page = (ROOT / "docs" / "evaluation_linked.md").read_text(encoding="utf-8")
    cells = "\n".join(re.findall(r"^\| (`.*?`) \|", page, flags=re.MULTILINE))
    told = {
        name.replace(".<table>", "").replace("fidelity.sdmetrics", "sdmetrics")
        for name in re.findall(r"`([\w.<>]+)`", cells)
    }
    alone = {"shape", "trend", "tv1", "tv2", "row_c2st", "series_values"}
    known = {f"fidelity.{name}" if name in alone else name for name in linked_labels()}
    assert told == known | {f"utility.<target>.{cell}" for cell in ("trtr", "tstr", "gap")}


def test_no_metric_fails_on_units_without_rows_or_tables_without_rows(compare, clinic):
    """Failures are listed, none is raised; a unit alone has its tables."""
    tables = clinic(130, 3)
    bare = tables.take(np.flatnonzero((tables.counts("labs") == 0) & (tables.counts("visits") == 0)))
    few = tables.take(np.arange(3))
    for drawn in (bare, few):
        evaluation = evaluate_linked(compare(drawn), quick=True)
        assert evaluation.score("fidelity.integrity").value == 0
        assert all(
            any(said in f.reason for said in ("however", "has no width", "no answer")) or f.metric in TOO_FEW_PEOPLE
            for f in evaluation.failures
        )


def test_a_failure_is_listed_and_changes_no_other_score(compare, clinic, monkeypatch):
    def unlucky(comparison, rng):
        raise MetricError("a metric must be lucky; however: it was not")

    spec = LinkedMetricSpec(name="fidelity.unlucky", labels={}, measure=unlucky)
    one = LINKED_METRICS["fidelity.fan_outs"]
    monkeypatch.setattr(linked_metric_registry, "LINKED_METRICS", {spec.name: spec, one.name: one})
    evaluation = evaluate_linked(compare(clinic(130, 3)))
    assert [(f.metric, f.reason) for f in evaluation.failures] == [
        ("fidelity.unlucky", "a metric must be lucky; however: it was not")
    ]
    assert evaluation.score("fidelity.fan_out_ks").value >= 0


def test_a_holdout_that_was_trained_on_is_said(compare, clinic):
    """Half of the published test players of baseball were trained on: the floor of classifiers fell to .44."""
    train, own = clinic(150, 1), clinic(120, 2)
    mixed = compare(clinic(130, 3), train=train, holdout=train.take(np.arange(40)))
    assert known_units(mixed) == 40
    assert known_units(compare(clinic(130, 3), train=train, holdout=own)) == 0  # the same keys, other people
    first = evaluate_linked(mixed, quick=True).failures[0]
    assert (first.metric, "40 have the key and the rows of a training unit" in first.reason) == ("holdout", True)


def test_a_spec_stands_in_a_section_and_measures_one_way():
    with pytest.raises(ValueError, match="must begin with one of fidelity"):
        LinkedMetricSpec(name="luck", labels={}, measure=lambda c, r: ([], {}))
    with pytest.raises(ValueError, match="either `measure` or `for_schema`"):
        LinkedMetricSpec(name="fidelity.luck", labels={})
    assert LinkedMetricSpec(name="copying.x", labels={}, measure=lambda c, r: ([], {})).section == "copying"
    gone = LinkedMetricSpec(name="copying.x", labels={}, measure=lambda c, r: ([], {}), library="no_such_library")
    assert gone.metrics(None, MetricOptions()) == {}


def test_sides_must_have_units_and_one_schema(clinic, hospital):
    train, holdout = clinic(150, 1), clinic(120, 2)
    with pytest.raises(TableError, match="synthetic tables must have at least two units; however: 1"):
        LinkedEvaluationData(train=train, holdout=holdout, synthetic=train.take(np.array([0])))
    with pytest.raises(TableError, match="must be of one schema; however: that of the holdout tables is another"):
        LinkedEvaluationData(train=train, holdout=hospital(60, 2), synthetic=train)


def test_fewer_units_are_looked_at_when_asked(compare, clinic):
    c = compare(clinic(130, 3)).sampled(50, np.random.default_rng(0))
    assert [side.size for side in (c.known, c.real, c.drawn)] == [50, 50, 50]
    assert c.like.size == 50


def test_sdmetrics_stands_beside_ours(compare, clinic):
    """The numbers are those of its own report of the same tables."""
    pytest.importorskip("sdmetrics")
    from sdmetrics.reports import QualityReport

    c = compare(clinic(130, 3))
    scores, _ = multi_table_report(c, np.random.default_rng(0))
    found = {s.metric: s for s in scores}
    sides = []
    for t in (c.holdout, c.synthetic):
        frames = {
            n: f.reset_index(names="row").drop(columns=[k for k in ("id", "visit", "n") if k in f])
            for n, f in t.frames.items()
        }
        for name, owner in t.owners.items():
            frames[name]["owner row"] = owner
        sides.append(frames)
    report = QualityReport()
    report.real_correlation_threshold = report.real_association_threshold = 0.0
    report.generate(*sides, metadata(c.schema), verbose=False)
    assert found["fidelity.sdmetrics.quality"].value == pytest.approx(report.get_score())
    for score in scores:
        assert score.low <= score.value <= score.high
        assert score.reference > 0.7


def test_sdmetrics_draws_no_rows_by_itself(compare, clinic, monkeypatch):
    """Its tables are thinned before it would; whatever else has drawn from numpy changes nothing."""
    pytest.importorskip("sdmetrics")
    from sdmetrics.reports.single_table._properties import base
    from sdmetrics.reports.utils import DEFAULT_NUM_ROWS_SUBSAMPLE

    assert multi_table_page.REPORT_ROWS <= DEFAULT_NUM_ROWS_SUBSAMPLE
    monkeypatch.setattr(base, "DEFAULT_NUM_ROWS_SUBSAMPLE", 200)
    monkeypatch.setattr(multi_table_page, "REPORT_ROWS", 200)
    drawn = []
    monkeypatch.setattr(pd.DataFrame, "sample", lambda frame, *of, **how: drawn.append(of) or frame)
    scores, _ = multi_table_report(compare(clinic(130, 3)), np.random.default_rng(0))
    assert all(math.isfinite(score.value) for score in scores)
    assert not drawn


def test_sdmetrics_has_a_number_for_a_table_without_rows(compare, clinic):
    pytest.importorskip("sdmetrics")
    tables = clinic(130, 3)
    bare = tables.take(np.flatnonzero(tables.counts("labs") == 0))
    evaluation = evaluate_linked(compare(bare))
    assert all(f.metric != "fidelity.integrity" for f in evaluation.failures)
    assert 0 < evaluation.score("fidelity.sdmetrics.quality").value < 1


def test_what_sdmetrics_cannot_score_is_a_failure_in_our_words(compare, clinic, monkeypatch):
    pytest.importorskip("sdmetrics")
    from sdmetrics.reports import QualityReport

    def fails(*_of, **_how):
        raise ValueError("p0001")

    monkeypatch.setattr(QualityReport, "generate", fails)
    with pytest.raises(MetricError, match=r"SDMetrics must be able to score the tables; .* raised a ValueError$"):
        multi_table_report(compare(clinic(130, 3)), np.random.default_rng(0))


def test_a_fault_of_ours_is_not_laid_at_the_door_of_sdmetrics(compare, clinic, monkeypatch):
    pytest.importorskip("sdmetrics")

    def fails(_side):
        raise KeyError("a column")

    monkeypatch.setattr(multi_table_page, "_frames", fails)
    with pytest.raises(KeyError):
        multi_table_report(compare(clinic(130, 3)), np.random.default_rng(0))


def test_the_evaluation_never_imports_torch():
    code = "import sys, synthkit.metrics.linked.linked_runner\nassert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120)


def test_replacing_a_side_is_a_new_comparison(compare, clinic):
    c = compare(clinic(130, 3))
    assert replace(c, synthetic=c.holdout).drawn.size == c.real.size
