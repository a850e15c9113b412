"""Utility on laws whose answers are known."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss, r2_score, roc_auc_score

from synthkit.errors import MetricError
from synthkit.metrics.utility.features import FeatureEncoder
from synthkit.metrics.utility.learners import LEARNERS, predictions
from synthkit.metrics.utility.prediction_task import PredictionTask
from synthkit.metrics.utility.train_synthetic_test_real import utility
from synthkit.schema import Schema, Target

RNG = np.random.default_rng
FAST = ("gradient boosting", "logistic regression", "ridge regression", "dummy")


def run(comparison, k, learners=FAST, *, quick=True):
    """Without a curve of sample sizes, which `test_learning_curve.py` is about."""
    target = comparison.schema.targets[k]
    scores, panels = utility(comparison, RNG(0), target=target, learners=learners, quick=quick)
    return {score.metric: score for score in scores}, panels["utility"][0]


def test_fresh_rows_are_as_useful_as_real_ones(law, compare):
    scores, panel = run(compare(law(1500, 3)), 0, learners=None, quick=False)
    gap = scores["utility.died.gap"]
    assert gap.low - 0.01 <= 0 <= gap.high + 0.01
    assert gap.value == pytest.approx(scores["utility.died.trtr"].value - scores["utility.died.tstr"].value)
    assert scores["utility.died.tstr"].parts["dummy"] == 0.5
    assert {cell["learner"] for cell in panel["cells"]} == {k.name for k in LEARNERS["classification"]}
    assert len(panel["cells"]) == 4 * 5
    for cell in panel["cells"]:
        assert cell["low"] <= cell["value"] <= cell["high"]


@pytest.mark.parametrize(("k", "name", "floor"), [(0, "died", 0.5), (1, "ward", 0.5), (2, "cost", 0.0)])
def test_independent_columns_teach_nothing(law, shuffled, compare, k, name, floor):
    """TSTR falls to what a guess scores; the real cell does not."""
    scores, _ = run(compare(shuffled(1500, 3)), k)
    tstr, trtr = scores[f"utility.{name}.tstr"], scores[f"utility.{name}.trtr"]
    assert tstr.value < floor + 0.07
    assert trtr.value > floor + 0.07
    assert scores[f"utility.{name}.gap"].low > 0


def test_logistic_cell_is_what_sklearn_says(law, compare):
    """An independent fit on the same inputs gives the same AUROC, log-loss and Brier score."""
    comparison = compare(law(1500, 3))
    scores, _ = run(comparison, 0)
    names = [c for c in comparison.schema.learned if c != "died"]
    train, holdout = comparison.train.iloc[:0], comparison.holdout
    task = PredictionTask.of(comparison, comparison.schema.targets[0])
    train = task.trials(comparison, RNG(0))[0].train.frame
    table = FeatureEncoder.fit(train, comparison.schema, names)
    model = LogisticRegression(max_iter=200).fit(table.linear(train), train["died"])
    p = model.predict_proba(table.linear(holdout))[:, 1]
    parts = scores["utility.died.trtr"].parts
    assert parts["logistic regression"] == pytest.approx(roc_auc_score(holdout["died"], p))
    assert parts["logistic regression, log-loss"] == pytest.approx(log_loss(holdout["died"], p), rel=1e-6)
    assert parts["logistic regression, Brier"] == pytest.approx(((p - holdout["died"]) ** 2).mean())


def test_quality_agrees_with_sklearn(law, compare):
    comparison, rng = compare(law(300, 3)), RNG(1)
    one = np.ones((1, 300), dtype=np.uint16)
    y, x = rng.normal(size=300), rng.normal(size=300)
    task = PredictionTask.of(comparison, comparison.schema.targets[2])
    assert task.quality(y, x[:, None], one)[0] == pytest.approx(r2_score(y, x))
    task = PredictionTask.of(comparison, comparison.schema.targets[1])
    classes, p = rng.integers(0, 4, 300), rng.dirichlet(np.ones(4), 300)
    expected = roc_auc_score(classes, p, multi_class="ovr", average="macro")
    assert task.quality(classes.astype(float), p, one)[0] == pytest.approx(expected)


def test_several_draws_are_averaged_and_their_spread_counts(law, shuffled, compare):
    good, bad = law(1500, 3), shuffled(1500, 4)
    scores, _ = run(compare((good, bad)), 0, learners=("gradient boosting",))
    one, _ = run(compare(good), 0, learners=("gradient boosting",))
    gap = scores["utility.died.gap"]
    assert gap.value > 0.05
    assert gap.high - gap.low > 2 * (one["utility.died.gap"].high - one["utility.died.gap"].low)
    assert "mean of 2 draws" in scores["utility.died.tstr"].note


def test_inputs_come_from_the_training_rows_only(law, schema):
    """An unknown level and a missing number become harmless inputs, and a test row changes no scale."""
    train, test = law(200, 1), law(50, 2)
    test.loc[0, "ward"], test.loc[0, "cost"] = "E", 1e9
    table = FeatureEncoder.fit(train, schema, ["cost", "pressure", "ward"])
    assert table.linear(test).shape == (50, 2 + 2 + 4)
    assert np.abs(table.linear(test)).max() == 10
    assert table.linear(test)[0, 4:].sum() == 0
    assert np.isnan(table.trees(test)[0, 2])
    assert table.trees(test)[0, 0] == 1e9


def test_excluded_columns_and_the_target_are_no_inputs(law, compare):
    comparison = compare(law(100, 3))
    target = Target(column="died", task="binary", exclude=("age", "cost"))
    assert PredictionTask.of(comparison, target).names == ("pressure", "ward", "visit day")


def test_a_class_the_training_rows_lack_is_never_predicted(law, schema):
    frame = law(200, 1)
    learner = next(k for k in LEARNERS["classification"] if k.name == "logistic regression")
    target = (frame["died"].to_numpy() * 2).astype(float)  # classes 0 and 2 of three
    (p,) = predictions(learner, frame, target, [frame], schema, ["age"], 3, RNG(0))
    assert p.shape == (200, 3)
    assert (p[:, 1] == 0).all()
    np.testing.assert_allclose(p.sum(axis=1), 1)


def test_one_class_is_a_clear_failure(law, compare):
    synthetic = law(100, 3).assign(died=0)
    with pytest.raises(MetricError, match="two different values to be predicted; however: the synthetic rows"):
        run(compare(synthetic), 0)


def test_a_fifth_that_lacks_a_class_is_a_clear_failure(law, compare):
    """One event in the draw: it is in one of the two parts, whichever, and the other has one class."""
    synthetic = law(100, 3).assign(died=0)
    synthetic.loc[17, "died"] = 1
    with pytest.raises(MetricError, match=r"two different values among the synthetic rows trained on .*; however"):
        run(compare(synthetic), 0)


def test_nothing_to_learn_from_is_a_clear_failure(law, compare):
    schema = Schema(
        columns={"died": {"kind": "boolean", "levels": [0, 1]}}, targets=[{"column": "died", "task": "binary"}]
    )
    with pytest.raises(MetricError, match="`exclude` leaves none"):
        run(compare(law(100, 3), schema=schema), 0)


def test_units_widen_the_interval(law, compare, schema):
    """Four copies of every holdout patient are no more evidence than one."""
    columns = {"pid": {"kind": "identifier"}} | {c: k.model_dump() for c, k in schema.columns.items()}
    with_unit = Schema(columns=columns, unit="pid", targets=[t.model_dump() for t in schema.targets])
    holdout = law(400, 2).assign(pid=np.arange(400))
    holdout = pd.concat([holdout] * 4, ignore_index=True)
    tables = [law(800, k).assign(pid=np.arange(800)) for k in (1, 3)]
    plain, _ = run(compare(tables[1], train=tables[0], holdout=holdout), 0, learners=("gradient boosting",))
    units, _ = run(
        compare(tables[1], train=tables[0], holdout=holdout, schema=with_unit), 0, learners=("gradient boosting",)
    )
    width = [s["utility.died.trtr"].high - s["utility.died.trtr"].low for s in (plain, units)]
    assert width[1] == pytest.approx(2 * width[0], rel=0.3)
