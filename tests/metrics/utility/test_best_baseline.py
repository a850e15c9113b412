"""The reference of utility is the best of the candidates on real rows, and a weak one is no gain."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import brentq
from scipy.special import expit
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from synthkit.errors import MetricError
from synthkit.metrics.evaluation_data import EvaluationData
from synthkit.metrics.result import Failure, Score
from synthkit.metrics.runner import _flat_as_failure as measured_or_not
from synthkit.metrics.runner import evaluate
from synthkit.metrics.utility.best_baseline import best_on_real_rows
from synthkit.metrics.utility.learners import LEARNERS, LearnerPlan, is_constant
from synthkit.metrics.utility.non_inferiority import verdict
from synthkit.metrics.utility.prediction_task import PredictionTask
from synthkit.metrics.utility.train_synthetic_test_real import utility
from synthkit.schema import Schema

RNG = np.random.default_rng
NAMES = [f"x{k}" for k in range(6)]
SCHEMA = Schema(
    columns={**{name: {"kind": "numeric"} for name in NAMES}, "ill": {"kind": "boolean", "levels": [0, 1]}},
    targets=[{"column": "ill", "task": "binary"}],
)
QUICK = ("gradient boosting", "logistic regression", "dummy")


def rare(rows, prevalence, rng):
    """An event whose log-odds are a sum: nobody beats a logistic regression by much."""
    x = rng.normal(size=(rows, len(NAMES)))
    z = x[:, :4] @ np.array([1.6, -1.3, 1.0, 0.8])
    shift = brentq(lambda b: expit(z + b).mean() - prevalence, -25, 5)
    return pd.DataFrame(x, columns=NAMES).assign(ill=(rng.random(rows) < expit(z + shift)).astype(int))


def xor(rows, rng):
    """An event no sum of columns tells."""
    x = rng.normal(size=(rows, len(NAMES)))
    return pd.DataFrame(x, columns=NAMES).assign(ill=((x[:, 0] > 0) ^ (x[:, 1] > 0)).astype(int))


def measured(train, holdout, synthetic, learners=QUICK):
    comparison = EvaluationData(train=train, holdout=holdout, synthetic=(synthetic,), schema=SCHEMA)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        scores, panels = utility(comparison, RNG(0), target=SCHEMA.targets[0], learners=learners, quick=True)
    return {s.metric.removeprefix("utility.ill."): s for s in scores if isinstance(s, Score)}, panels["utility"][0]


@pytest.mark.parametrize("prevalence", [0.01, 0.02, 0.03])
@pytest.mark.parametrize("seed", range(2))
def test_the_reference_of_a_rare_class_is_what_sklearn_reaches(seed, prevalence):
    """Boosting at its defaults falls far behind a logistic regression here, and synthetic rows seem to gain."""
    rng = RNG(seed)
    train, holdout, fresh = rare(1_200, prevalence, rng), rare(4_000, prevalence, rng), rare(1_500, prevalence, rng)
    scores, panel = measured(train, holdout, fresh)
    linear = LogisticRegression(max_iter=200).fit(train[NAMES], train["ill"])
    best = roc_auc_score(holdout["ill"], linear.predict_proba(holdout[NAMES])[:, 1])
    assert panel["learner"] == "logistic regression"
    assert scores["trtr"].value > best - 0.02
    assert panel["non_inferiority"]["verdict"] != "WEAK REFERENCE"


def test_boosting_of_a_rare_class_is_no_worse_than_at_its_defaults():
    """Mean over tables with 12 to 36 events, on the same rows."""
    ours, usual = [], []
    for seed in range(4):
        rng = RNG(seed)
        train, holdout = rare(1_200, 0.01 + 0.005 * seed, rng), rare(4_000, 0.02, rng)
        y = train["ill"].to_numpy()
        plan = LearnerPlan.of([False] * len(NAMES), 0, y.astype(float), 2)
        models = (LEARNERS["classification"][0].make(plan), HistGradientBoostingClassifier(early_stopping=False))
        for found, model in zip((ours, usual), models, strict=True):
            model.fit(train[NAMES].to_numpy(), y)
            found.append(roc_auc_score(holdout["ill"], model.predict_proba(holdout[NAMES].to_numpy())[:, 1]))
    assert np.mean(ours) > np.mean(usual)


def test_boosting_is_the_reference_where_it_is_the_best():
    rng = RNG(5)
    scores, panel = measured(xor(1_000, rng), xor(1_000, rng), xor(1_000, rng))
    assert panel["learner"] == "gradient boosting"
    assert panel["validated"]["gradient boosting"] > 0.9 > panel["validated"]["logistic regression"]
    assert scores["trtr"].parts["logistic regression"] < 0.6


def test_the_holdout_has_no_say():
    """The choice is the same whatever the holdout is, even where another learner would win on it."""
    rng = RNG(6)
    train, fresh = xor(600, rng), xor(600, rng)
    for holdout in (xor(600, rng), rare(600, 0.3, rng)):
        assert measured(train, holdout, fresh)[1]["learner"] == "gradient boosting"


@pytest.mark.parametrize(
    ("rows", "others", "leaf", "leaves"), [(37, 18, 2, 4), (400, 100, 20, 4), (50_000, 9_000, 20, 31)]
)
def test_trees_fit_the_rows_and_are_the_usual_ones_of_many(rows, others, leaf, leaves):
    target = np.repeat([0.0, 1.0], [rows - others, others])
    settings = LearnerPlan.of([], 0, target, 2).trees
    assert (settings["min_samples_leaf"], settings["max_leaf_nodes"]) == (leaf, leaves)
    assert (settings["l2_regularization"] == 0) == (leaves == 31)


def test_a_learner_that_predicts_one_value_is_a_listed_failure():
    """Columns without a difference: nothing can be learned, and nothing is ideal."""
    rng = RNG(7)
    flat = rare(200, 0.3, rng).assign(**dict.fromkeys(NAMES, 1.0))
    with pytest.raises(MetricError, match="predicts one value for all rows after training on real rows"):
        measured(flat, flat, flat)
    with pytest.raises(MetricError, match="predicts one value for all rows after training on synthetic rows"):
        measured(rare(200, 0.3, rng), rare(200, 0.3, rng), flat)
    assert is_constant([np.zeros((3, 2)), np.zeros((2, 2))])
    assert not is_constant([np.zeros((3, 2)), np.ones((2, 2))])


def test_a_perfect_prediction_has_an_interval():
    """An AUC of 1 and a loss of 0 of a hundred events are no certainty."""
    rng = RNG(8)
    tables = [rare(400, 0.3, rng).assign(x0=lambda f: f["ill"] * 10.0) for _ in range(3)]
    scores, _ = measured(*tables)
    assert scores["trtr"].value == 1 > scores["trtr"].low > 0.9
    assert scores["gap"].low < 0 == scores["gap"].value < scores["gap"].high < 0.1


def test_synthetic_rows_that_beat_real_ones_are_a_weak_reference():
    """Real training rows whose outcomes were mixed up teach nothing; fresh rows of the law do."""
    rng = RNG(9)
    train = rare(3_000, 0.3, rng).assign(ill=lambda f: rng.permutation(f["ill"]))
    scores, panel = measured(train, rare(1_000, 0.3, rng), rare(3_750, 0.3, rng), ("logistic regression", "dummy"))
    assert scores["gap"].high < 0
    assert scores["gap"].beats_real
    assert "no gain" in scores["gap"].note
    assert panel["non_inferiority"]["verdict"] == "WEAK REFERENCE"
    assert verdict(-0.3, -0.2, redrawn=-0.1) == "WEAK REFERENCE" != verdict(-0.3, -0.2, redrawn=0.1)


def test_a_reference_needs_a_candidate():
    rng = RNG(10)
    table = rare(100, 0.3, rng)
    comparison = EvaluationData(train=table, holdout=table, synthetic=(table,), schema=SCHEMA)
    task = PredictionTask.of(comparison, SCHEMA.targets[0])
    with pytest.raises(MetricError, match="a reference needs a candidate"):
        best_on_real_rows(task, [], *(task.rows(table, where) for where in ("training", "holdout")), rng)


def test_a_figure_at_the_end_of_its_scale_is_open():
    """No score of an evaluation is certain: what has no width is listed as a failure."""
    sure = Score(metric="fidelity.x", value=0.5, low=0.5, high=0.5, goal="low")
    assert isinstance(measured_or_not(sure), Failure)
    assert measured_or_not(Score(metric="fidelity.x", value=0.5, low=0.5, high=0.6, goal="low")).low == 0.5


@pytest.mark.parametrize("rows", [28, 40])
def test_no_score_of_few_or_flat_rows_has_an_interval_without_a_width(rows):
    rng = RNG(rows)
    tables = [rare(rows, 0.4, rng) for _ in range(3)]
    for train, holdout, synthetic in (tables, [tables[0].assign(x0=1.0)] * 3, [tables[0], tables[1], tables[0]]):
        comparison = EvaluationData(train=train, holdout=holdout, synthetic=(synthetic,), schema=SCHEMA)
        found = evaluate(comparison, quick=True, workers=1)
        assert len(found.scores) > 20
        assert all(score.low < score.high for score in found.scores)
