"""A run, an evaluation of tables and a comparison take the user's own baselines by name in their configuration."""

from __future__ import annotations

import json

import pytest

from synthkit.errors import ConfigError
from synthkit.metrics.result import Evaluation
from synthkit.pipeline.compare.compare_models import compare
from synthkit.pipeline.evaluate_tables import evaluate_tables
from synthkit.pipeline.run_config import RunConfig
from synthkit.pipeline.synthesize import fit, synthesize
from synthkit.schema import Schema

SCHEMA = Schema(
    columns={
        "age": {"kind": "numeric", "min": 0, "max": 120},
        "ward": {"kind": "categorical", "levels": list("ABC")},
        "died": {"kind": "boolean", "levels": [0, 1]},
    },
    targets=[{"column": "died", "task": "binary"}],
)
OWN = {"svm": {"estimator": "sklearn.svm.LinearSVC", "C": 0.5}, "tree": "sklearn.tree.DecisionTreeClassifier"}


@pytest.fixture(scope="module")
def table():
    import numpy as np
    import pandas as pd

    rng = np.random.default_rng(1)
    age = rng.normal(60, 15, 500).clip(1, 119)
    died = rng.random(500) < 1 / (1 + np.exp(-(age - 60) / 5))
    return pd.DataFrame({"age": age, "ward": rng.choice(list("ABC"), 500), "died": died.astype(int)})


def test_a_run_scores_them_and_says_so(table, tmp_path):
    (tmp_path / "run.yaml").write_text("model: independent\nquick: true\nseed: 3\nbaselines: " + json.dumps(OWN))
    run = synthesize(table, SCHEMA, config=RunConfig.of(tmp_path / "run.yaml"))
    assert {s.metric for s in run.evaluation.scores if "baseline" in s.metric} == {
        f"utility.died.{name}.{score}" for name in OWN for score in ("baseline_tstr", "baseline_loss")
    }
    assert run.facts["config"]["baselines"] == OWN
    assert "Your baseline: train synthetic, test real" in run.report.html


def test_a_run_without_any_says_nothing_of_them(table):
    made = fit(table, SCHEMA, config=RunConfig(model="independent", quick=True, seed=3))
    assert "baselines" not in made.facts["config"]


def test_tables_made_elsewhere_are_judged_by_them(table):
    config = RunConfig(quick=True, seed=1, baselines=OWN)
    found = evaluate_tables(table[:200], table[200:350], [table[350:]], SCHEMA, config=config).evaluation
    assert found.score("utility.died.svm.baseline_tstr").value > 0.7


def test_a_comparison_scores_them_for_every_model(table, tmp_path):
    config = RunConfig(quick=True, seed=1, baselines={"svm": OWN["svm"]})
    compare(table, SCHEMA, models=["independent"], out=tmp_path / "c", config=config)
    (saved,) = (tmp_path / "c").rglob("evaluation.json")
    assert Evaluation.from_json(saved.read_text(encoding="utf-8")).score("utility.died.svm.baseline_loss")


@pytest.mark.parametrize(
    ("baselines", "message"),
    [
        ({"x": "no_such_package.Forest"}, "must be importable"),
        ({"x": "sklearn.svm.LinearSVR"}, "no target is regression"),
    ],
)
def test_they_are_refused_before_any_work(table, baselines, message, tmp_path):
    config = RunConfig(model="independent", baselines=baselines)
    with pytest.raises(ConfigError, match=message):
        synthesize(table, SCHEMA, config=config)
    with pytest.raises(ConfigError, match=message):
        evaluate_tables(table, table, [table], SCHEMA, config=config)
    with pytest.raises(ConfigError, match=message):
        compare(table, SCHEMA, models=["independent"], out=tmp_path / "c", config=config)
    assert not list(tmp_path.iterdir())
