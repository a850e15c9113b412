"""Calibration of probabilities that are right, too bold, too high; against sklearn without a penalty."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score

from synthkit.errors import MetricError
from synthkit.metrics.stats import intervals
from synthkit.metrics.utility.probability_calibration import expected_calibration_error, figures, logit, recalibration
from synthkit.metrics.utility.train_synthetic_test_real import utility

RNG = np.random.default_rng


def law(rows, seed, spread=1.5):
    """True log-odds, and the events they give."""
    rng = RNG(seed)
    x = rng.normal(0.3, spread, rows)
    return x, (rng.random(rows) < 1 / (1 + np.exp(-x))).astype(float)


@pytest.mark.parametrize(("scale", "shift"), [(1, 0), (2, 0), (0.5, 0), (1, 1), (2, -1)])
def test_the_map_from_said_to_true_is_found(scale, shift):
    """Right probabilities: slope 1, intercept 0. Log-odds doubled: slope a half. Shifted by 1: intercept -1."""
    x, y = law(40_000, 1)
    (a, b), replicates = recalibration(scale * x + shift, y, intervals.bootstrap_weights(np.arange(40_000), 50, RNG(0)))
    se = replicates.std(axis=0, ddof=1)
    assert abs(b - 1 / scale) < 4 * se[1]
    assert abs(a + shift / scale) < 4 * se[0]
    assert se.max() < 0.05


def test_it_is_the_logistic_regression_of_sklearn():
    x, y = law(500, 2)
    model = LogisticRegression(C=np.inf, tol=1e-10, max_iter=1000).fit(x[:, None], y)
    (a, b), _ = recalibration(x, y)
    assert (a, b) == pytest.approx((model.intercept_[0], model.coef_[0, 0]), abs=1e-5)


def test_one_step_replicates_are_nearly_those_of_whole_fits():
    x, y = law(800, 3)
    weights = intervals.bootstrap_weights(np.arange(800), 20, RNG(0))
    beta, quick = recalibration(x, y, weights)
    whole = np.array([recalibration(np.repeat(x, w), np.repeat(y, w))[0] for w in weights])
    assert np.abs(quick - whole).max() < 0.15 * (whole - beta).std(axis=0).min() * 3
    assert quick.std(axis=0, ddof=1) == pytest.approx(whole.std(axis=0, ddof=1), rel=0.1)


def test_bootstrap_errors_are_those_of_the_information():
    """Closed form: the inverse of the observed information."""
    x, y = law(3000, 4)
    beta, replicates = recalibration(x, y, intervals.bootstrap_weights(np.arange(3000), 600, RNG(0)))
    p = 1 / (1 + np.exp(-(beta[0] + beta[1] * x)))
    z = np.stack([np.ones(3000), x], axis=1)
    closed = np.linalg.inv(z.T @ (z * (p * (1 - p))[:, None]))
    assert replicates.std(axis=0, ddof=1) == pytest.approx(np.sqrt(np.diag(closed)), rel=0.12)


def test_calibration_error_by_hand():
    """Ten bins of two: in each the mean is .5 from what is seen, or nothing is."""
    p = np.repeat(np.arange(10) / 10 + 0.05, 2)
    y = np.tile([0.0, 1.0], 10)
    assert expected_calibration_error(y, p) == pytest.approx(np.abs(0.5 - p).mean())
    assert expected_calibration_error(np.array([0.0, 0, 0, 1]), np.full(4, 0.75)) == pytest.approx(0.5)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 1000), levels=st.integers(1, 30))
def test_calibration_error_does_not_depend_on_the_order_of_rows(seed, levels):
    rng = RNG(seed)
    p, y = rng.integers(0, levels, 60) / levels, rng.integers(0, 2, 60).astype(float)
    order = rng.permutation(60)
    found = expected_calibration_error(y, p)
    assert expected_calibration_error(y[order], p[order]) == pytest.approx(found)
    assert 0 <= found <= 1


def test_right_probabilities_have_a_small_error():
    x, y = law(20_000, 5)
    p = 1 / (1 + np.exp(-x))
    found = figures(y, p)
    assert found["ECE"] < 0.02
    assert found["AUPRC"] == pytest.approx(average_precision_score(y, p))
    assert found["calibration slope"] == pytest.approx(1, abs=0.06)
    assert figures(y, 1 / (1 + np.exp(-3 * x)))["ECE"] > 0.08


def test_guesses_have_no_slope():
    y = np.array([0.0, 1, 0, 1])
    assert set(figures(y, np.full(4, 0.5))) == {"AUPRC", "ECE"}
    with pytest.raises(MetricError, match="needs predictions that differ; however: all rows have the same"):
        recalibration(np.zeros(4), y)


def test_separated_events_have_no_slope():
    with pytest.raises(MetricError, match=r"overlap; however: they are separated.*`exclude`"):
        recalibration(np.array([-2.0, -1, 1, 2]), np.array([0.0, 0, 1, 1]))


def test_certain_predictions_stay_finite():
    assert np.isfinite(logit(np.array([0.0, 1.0]))).all()


def test_scores_of_a_target(request, compare):
    """Synthetic rows whose labels are sharper than the real law teach too bold probabilities: a smaller slope."""
    draw = request.getfixturevalue("law")
    bold = draw(1500, 3)
    risk = 0.08 * (bold["age"] - 60) + (bold["ward"] == "C") * 1.5
    bold["died"] = (risk > 0).astype(int)
    found = {}
    for name, synthetic in (("fresh", draw(1500, 3)), ("bold", bold)):
        comparison = compare(synthetic)
        scores, panels = utility(comparison, RNG(0), target=comparison.schema.targets[0], quick=True)
        found[name] = {s.metric.removeprefix("utility.died."): s for s in scores}
    fresh, bold = found["fresh"], found["bold"]
    assert bold["calibration_slope"].high < fresh["calibration_slope"].low
    assert fresh["calibration_slope"].reference == pytest.approx(bold["calibration_slope"].reference, rel=0.05)
    parts = fresh["tstr"].parts
    (named,) = {name for name in ("gradient boosting", "logistic regression") if f" of {name}, " in fresh["tstr"].note}
    assert parts[f"{named}, calibration slope"] == pytest.approx(fresh["calibration_slope"].value)
    assert parts[f"{named}, calibration intercept"] == pytest.approx(fresh["calibration_intercept"].value)
    assert {"gradient boosting, ECE", "gradient boosting, AUPRC", "logistic regression, ECE"} <= set(parts)
    (panel,) = panels["calibration"]
    assert len(panel["real"]["observed"]) == len(panel["real"]["predicted"]) == 10


def test_without_an_event_there_is_no_precision():
    assert "AUPRC" not in figures(np.zeros(40), np.linspace(0.1, 0.9, 40))
