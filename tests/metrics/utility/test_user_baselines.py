"""Baselines of the user: real scikit-learn estimators, scored beside the fixed learners and changing none of them."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.cluster import KMeans
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import r2_score, roc_auc_score
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC

from synthkit.errors import ConfigError
from synthkit.metrics.result import Failure, Score
from synthkit.metrics.runner import evaluate
from synthkit.metrics.utility.features import FeatureEncoder
from synthkit.metrics.utility.learners import LearnerPlan
from synthkit.metrics.utility.train_synthetic_test_real import utility
from synthkit.metrics.utility.user_estimators import user_estimators, user_learners
from synthkit.schema import Schema

FOREST = RandomForestClassifier(n_estimators=30, min_samples_leaf=5, n_jobs=1)
BOOSTING = ("gradient boosting",)
SEEN: list[np.ndarray] = []


def scored(comparison, target, baselines, seed=0, fixed=()):
    """Those of the user beside simple learners, and beside `fixed`, which take long."""
    found, panels = utility(
        comparison,
        np.random.default_rng(seed),
        target=next(t for t in comparison.schema.targets if t.column == target),
        learners=(*fixed, "logistic regression", "ridge regression", "dummy"),
        quick=True,
        baselines=baselines,
    )
    return {each.metric: each for each in found}, panels["utility"][0]


class Watched(RandomForestClassifier):
    """A forest that remembers what it was fitted to."""

    def fit(self, x, y):
        SEEN.append(x)
        return super().fit(x, y)


class Broken(ClassifierMixin, BaseEstimator):
    """A classifier that cannot be fitted."""

    def fit(self, x, y):
        raise KeyError("of the user's own code, with a cell: Meier")

    def predict_proba(self, x):
        return np.zeros((len(x), 2))

    def predict(self, x):
        return np.zeros(len(x))


class Column(RegressorMixin, BaseEstimator):
    """A regressor that predicts a table of one column instead of numbers."""

    def fit(self, x, y):
        return self

    def predict(self, x):
        return x[:, :1]


class Missing(RegressorMixin, BaseEstimator):
    """A regressor that does not know some rows."""

    def fit(self, x, y):
        return self

    def predict(self, x):
        return np.where(x[:, 0] > 0, np.nan, x[:, 0])


class Mute(ClassifierMixin, BaseEstimator):
    """A classifier without any score."""

    def fit(self, x, y):
        return self

    def predict(self, x):
        return np.zeros(len(x))


@pytest.mark.parametrize(
    "estimator",
    [FOREST, LinearSVC(C=0.1), make_pipeline(StandardScaler(), KNeighborsClassifier(25))],
    ids=["forest", "LinearSVC, by its decision function", "pipeline"],
)
@pytest.mark.parametrize("target", ["died", "ward"])
def test_a_classifier_is_scored_with_interval_and_reference(estimator, target, compare, law):
    found, panel = scored(compare(law(1500, 3)), target, {"mine": estimator})
    tstr, loss = (found[f"utility.{target}.mine.{score}"] for score in ("baseline_tstr", "baseline_loss"))
    assert tstr.low < tstr.value < tstr.high
    assert tstr.value > 0.55
    assert tstr.reference == tstr.parts["trtr"]
    assert loss.value == pytest.approx(tstr.reference - tstr.value)
    assert loss.low < 0.1
    assert loss.low < loss.value < loss.high
    assert [c["learner"] for c in panel["cells"]].count("mine") == 4
    assert panel["learner"] != "mine"


def test_the_figures_are_those_of_scikit_learn(compare, law):
    """A deterministic estimator fitted by hand to all rows of two draws scores what the metric says."""
    comparison = compare((law(1500, 3), law(1500, 4)))
    found, _ = scored(comparison, "died", {"plain": LogisticRegression(C=0.5, max_iter=500)})
    names = [n for n in comparison.schema.described if n != "died"]

    def by_hand(train):
        table = FeatureEncoder.fit(train, comparison.schema, names)
        model = LogisticRegression(C=0.5, max_iter=500).fit(table.linear(train), train["died"])
        scores = model.predict_proba(table.linear(comparison.holdout))[:, 1]
        return roc_auc_score(comparison.holdout["died"], scores)

    tstr = found["utility.died.plain.baseline_tstr"]
    assert tstr.value == pytest.approx(np.mean([by_hand(draw) for draw in comparison.synthetic]), abs=1e-9)
    assert tstr.reference == pytest.approx(by_hand(comparison.train), abs=1e-9)


def test_a_regressor_is_scored_by_r2(compare, law):
    comparison = compare((law(1500, 3), law(1500, 4)))
    found, _ = scored(comparison, "cost", {"plain": RandomForestRegressor(30, n_jobs=1), "not for numbers": FOREST})
    tstr = found["utility.cost.plain.baseline_tstr"]
    names = [n for n in comparison.schema.described if n != "cost"]
    table = FeatureEncoder.fit(comparison.train, comparison.schema, names)
    model = RandomForestRegressor(30, random_state=0).fit(table.linear(comparison.train), comparison.train["cost"])
    by_hand = r2_score(comparison.holdout["cost"], model.predict(table.linear(comparison.holdout)))
    assert tstr.reference == pytest.approx(by_hand, abs=0.03)  # another seed of the forest
    assert not [m for m in found if "not for numbers" in m]


def test_no_other_score_changes(compare, law):
    comparison = compare((law(600, 3), law(600, 4)), train=law(600, 1), holdout=law(600, 2))
    before, panel = scored(comparison, "died", {}, fixed=BOOSTING)
    after, more = scored(comparison, "died", {"forest": FOREST, "svc": LinearSVC()}, fixed=BOOSTING)
    assert {m: s for m, s in after.items() if "baseline_" not in m} == before
    assert more["cells"][: len(panel["cells"])] == panel["cells"]
    assert {**more, "cells": []} == {**panel, "cells": []}


def test_the_same_seed_gives_the_same_scores_and_another_one_does_not(compare, law):
    comparison = compare(law(600, 3), train=law(600, 1), holdout=law(600, 2))
    first, again, other = (scored(comparison, "died", {"forest": FOREST}, seed)[0] for seed in (1, 1, 2))
    name = "utility.died.forest.baseline_tstr"
    assert first[name] == again[name]
    assert first[name].value != other[name].value


def test_every_random_state_is_set_on_a_clone():
    given = make_pipeline(StandardScaler(), RandomForestClassifier(3, random_state=99))
    (learner,) = user_learners({"p": given}, "classification")
    made = learner.make(LearnerPlan(categorical=[], seed=5, rows=10, others=5))
    assert made[-1].random_state == 5
    assert given[-1].random_state == 99
    assert made is not given


def test_holdout_rows_are_never_learned_from(compare, law):
    """Every fit saw as many rows as train or a draw has, and no row of the holdout, whose pressures are marked."""
    SEEN.clear()
    holdout = law(700, 2)
    holdout["pressure"] = 1e6  # cut to ten spreads by the encoder, where no row of train or synthetic is
    scored(compare(law(700, 3), holdout=holdout, train=law(700, 1)), "died", {"watched": Watched(5, n_jobs=1)})
    assert len(SEEN) == 2
    assert all(x.max() < 10 for x in SEEN)


def test_an_estimator_that_raises_is_a_listed_failure(compare, law):
    comparison = compare(law(600, 3), train=law(600, 1), holdout=law(600, 2))
    found, panel = scored(comparison, "died", {"broken": Broken(), "guessing": DummyClassifier(), "forest": FOREST})
    assert found["utility.died.broken"] == Failure(metric="utility.died.broken", reason="the estimator raised KeyError")
    assert "it learned nothing" in found["utility.died.guessing"].reason
    assert isinstance(found["utility.died.forest.baseline_tstr"], Score)
    assert {"broken", "guessing"}.isdisjoint(c["learner"] for c in panel["cells"])


def test_predictions_that_are_no_numbers_are_listed_failures(compare, law):
    comparison = compare(law(600, 3), train=law(600, 1), holdout=law(600, 2))
    found, _ = scored(comparison, "cost", {"column": Column(), "missing": Missing()})
    assert "a regressor must predict one number a row" in found["utility.cost.column"].reason
    assert "a baseline must predict a number for every row" in found["utility.cost.missing"].reason


@pytest.mark.parametrize(
    ("baselines", "message"),
    [
        ({"x": 3}, "`x` is a int"),
        ({"x": RandomForestClassifier}, "`x` is the class RandomForestClassifier"),
        ({"x": StandardScaler()}, "`x` is a StandardScaler"),
        ({"x": KMeans()}, "`x` is a KMeans"),
        ({"x": Mute()}, r"`x` has neither\. Calibrate it"),
        ({"gradient boosting": FOREST}, "`gradient boosting` is empty or that of a fixed learner"),
        ({" ": FOREST}, "` ` is empty"),
        ({"x": "sklearn.ensemble.NoSuchForest"}, r"`sklearn.ensemble.NoSuchForest` is not \(AttributeError\)"),
        ({"x": "no_such_package.Forest"}, r"is not \(ModuleNotFoundError\)"),
        ({"x": "Forest"}, r"`Forest` is not \(ValueError\)"),
        ({"x": {"max_depth": 3}}, "no text under `estimator`"),
        ({"x": {"estimator": "sklearn.ensemble.RandomForestClassifier", "depht": 3}}, r"refuses them \(TypeError\)"),
    ],
)
def test_what_is_no_estimator_is_refused(baselines, message):
    with pytest.raises(ConfigError, match=message):
        user_estimators(baselines)


def test_estimators_are_imported_by_name():
    found = user_estimators(
        {"a": "sklearn.svm:LinearSVC", "b": {"estimator": "sklearn.ensemble.RandomForestRegressor", "max_depth": 3}}
    )
    assert isinstance(found["a"], LinearSVC)
    assert found["b"].max_depth == 3


def test_an_evaluation_takes_them(compare, law):
    schema = compare(law(10, 3)).schema
    schema = Schema(columns=schema.columns, targets=[t for t in schema.targets if t.column == "died"])
    comparison = compare(law(300, 3), train=law(300, 1), holdout=law(300, 2), schema=schema)
    found = evaluate(comparison, quick=True, baselines={"svc": "sklearn.svm.LinearSVC", "forest": FOREST})
    assert found.score("utility.died.svc.baseline_tstr").value > 0.55
    assert found.score("utility.died.forest.baseline_loss").reference == 0


@pytest.mark.parametrize(
    ("baseline", "message"),
    [
        (RandomForestRegressor(), "is a regressor and no target is regression"),
        (FOREST, "is a classifier and no target"),
    ],
)
def test_a_baseline_without_a_target_is_refused(baseline, message, compare, law):
    schema = Schema(columns={"age": {"kind": "numeric"}, "ward": {"kind": "categorical", "levels": list("ABCD")}})
    with pytest.raises(ConfigError, match=message):
        evaluate(compare(law(100, 3), schema=schema), baselines={"x": baseline})
