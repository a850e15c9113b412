"""Telling synthetic from real rows: few rows are told apart by whoever can, and nothing told is a failure."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import cross_val_predict

from synthkit.errors import MetricError
from synthkit.metrics.fidelity import classifier_two_sample
from synthkit.metrics.fidelity.classifier_two_sample import ENOUGH_FOR_BOOSTING, c2st
from synthkit.metrics.utility.features import FeatureEncoder

RNG = np.random.default_rng


def garbage(rows, seed, law):
    frame, rng = law(rows, seed), RNG(seed)
    return frame.assign(age=rng.uniform(0, 120, rows).round(), cost=rng.uniform(0, 50, rows), ward="D")


@pytest.mark.parametrize("seed", range(3))
def test_28_rows_of_garbage_are_told_apart(law, compare, seed):
    """Where trees with leaves of 20 rows could make no cut and said .5 [.5, .5]; sklearn's linear model tells them."""
    train, holdout, rows = law(28, 10 + seed), law(28, 20 + seed), garbage(28, 30 + seed, law)
    comparison = compare(rows, train=train, holdout=holdout)
    (score,), _ = c2st(comparison, RNG(seed))
    both = pd.concat([rows, holdout], ignore_index=True)
    x = FeatureEncoder.fit(both, comparison.schema, comparison.schema.learned).linear(both)
    label = np.repeat([1, 0], 28)
    theirs = roc_auc_score(label, cross_val_predict(LogisticRegression(), x, label, cv=3, method="predict_proba")[:, 1])
    assert score.value > theirs - 0.12
    assert score.low > 0.5
    assert score.high - score.low > 0.02


def test_few_fresh_rows_are_told_apart_no_oftener_than_by_chance(law, compare):
    """The choice among classifiers has seen no row that is scored: over six tables the mean is that of a coin."""
    values = [
        c2st(compare(law(60, 300 + k), train=law(60, 100 + k), holdout=law(60, 200 + k)), RNG(k))[0][0].value
        for k in range(6)
    ]
    assert np.mean(values) == pytest.approx(0.5, abs=0.07)


def test_boosting_alone_is_asked_of_many_rows(law, compare):
    (score,), panels = c2st(
        compare(law(ENOUGH_FOR_BOOSTING, 3), train=law(ENOUGH_FOR_BOOSTING, 1), holdout=law(ENOUGH_FOR_BOOSTING, 2)),
        RNG(0),
    )
    assert panels["detection"]["learners"] == ["gradient boosting"]
    assert "by gradient boosting, 0.5" in score.note


def test_columns_are_weighed_once_a_draw_and_not_for_the_reference(law, compare, monkeypatch):
    weigh, asked = classifier_two_sample._importance, []
    monkeypatch.setattr(classifier_two_sample, "_importance", lambda *each: asked.append(1) or weigh(*each))
    c2st(compare(law(90, 3), train=law(90, 1), holdout=law(90, 2)), RNG(0))
    assert len(asked) == 1


def test_rows_without_a_difference_are_a_failure_and_not_ideal(law, compare):
    flat = law(60, 1).assign(
        age=1.0, pressure=1.0, cost=1.0, ward="A", died=0, **{"visit day": pd.Timestamp("2020-01-01")}
    )
    with pytest.raises(MetricError, match="must tell rows apart to be judged; however: gradient boosting gives all"):
        c2st(compare(flat, train=flat, holdout=flat), RNG(0))
