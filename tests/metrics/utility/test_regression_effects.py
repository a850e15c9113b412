"""Effect estimates against closed forms, other libraries, and the overlap that is expected of perfect rows."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import LinearRegression, LogisticRegression

from synthkit.errors import MetricError
from synthkit.metrics.utility.prediction_task import PredictionTask
from synthkit.metrics.utility.regression_effects import Design, effects, linear, logistic, null_overlap, overlaps
from synthkit.schema import Schema, Target

RNG = np.random.default_rng


def interval_overlap(u, u_2):
    """The definition of Karr et al. for intervals of equal width: common part over width, negative if apart."""
    return (min(u[1], u_2[1]) - max(u[0], u_2[0])) / (u[1] - u[0])


@settings(max_examples=50, deadline=None)
@given(real=st.floats(-5, 5), synthetic=st.floats(-5, 5), se=st.floats(0.1, 3))
def test_the_formula_is_the_common_part_of_two_intervals(real, synthetic, se):
    reach = 1.959963984540054 * se
    expected = interval_overlap((real - reach, real + reach), (synthetic - reach, synthetic + reach))
    found = overlaps(np.array([real]), np.array([synthetic]), np.array([se**2]))[0]
    assert found == pytest.approx(expected, abs=1e-9)


def test_null_expectations_are_the_published_ones():
    """Raab, Nowok & Dibben: .797, .909, .936 and .986 for 1, 5, 10 and 200 draws."""
    assert [null_overlap(m) for m in (1, 5, 10, 200)] == pytest.approx([0.797, 0.909, 0.936, 0.986], abs=0.0006)


@pytest.mark.parametrize(("draws", "ratio", "fresh"), [(1, 1, False), (5, 1, False), (5, 0.5, False), (2, 1, True)])
def test_null_expectations_by_simulation(draws, ratio, fresh):
    """Draws of a model that fits: real estimate 0 of variance 1, synthetic ones about it; or of the law itself."""
    rng = RNG(0)
    size = 200_000
    centre = rng.normal(size=size) if fresh else np.zeros(size)
    mean = centre + rng.normal(size=(draws, size)).mean(axis=0) * np.sqrt(ratio)
    found = overlaps(np.zeros(size), mean, np.ones(size)).mean()
    assert null_overlap(draws, ratio, fresh=fresh) == pytest.approx(found, abs=0.002)


def test_logistic_is_that_of_sklearn_with_the_errors_of_the_information():
    rng = RNG(1)
    x = rng.normal(size=(800, 3))
    y = (rng.random(800) < 1 / (1 + np.exp(-(0.5 + x @ [1, -0.5, 0])))).astype(float)
    beta, covariance = logistic(x, y)
    model = LogisticRegression(C=np.inf, tol=1e-10, max_iter=1000).fit(x, y)
    np.testing.assert_allclose(beta, model.coef_[0], atol=1e-4)
    p, z = model.predict_proba(x)[:, 1], np.column_stack([np.ones(800), x])
    closed = np.linalg.inv(z.T @ (z * (p * (1 - p))[:, None]))[1:, 1:]
    np.testing.assert_allclose(covariance, closed, rtol=1e-3, atol=1e-6)


def test_one_column_is_the_log_odds_ratio_of_a_table_of_four():
    """20 of 50 against 35 of 50: log odds ratio, variance the sum of the four reciprocals."""
    x = np.repeat([0.0, 1.0], 50)[:, None]
    y = np.concatenate([np.arange(50) < 20, np.arange(50) < 35]).astype(float)
    beta, covariance = logistic(x, y)
    assert beta[0] == pytest.approx(np.log(35 / 15 * 30 / 20), rel=1e-3)
    assert covariance[0, 0] == pytest.approx(1 / 20 + 1 / 30 + 1 / 35 + 1 / 15, rel=1e-3)


def test_linear_is_that_of_sklearn_with_the_textbook_error():
    rng = RNG(2)
    x = rng.normal(size=(200, 2))
    y = 3 + x @ [1.0, -2.0] + rng.normal(size=200)
    beta, covariance = linear(x, y)
    model = LinearRegression().fit(x, y)
    np.testing.assert_allclose(beta, model.coef_, rtol=1e-4)
    z = np.column_stack([np.ones(200), x])
    left = y - model.predict(x)
    np.testing.assert_allclose(covariance, (left @ left / 197 * np.linalg.inv(z.T @ z))[1:, 1:], rtol=1e-3, atol=1e-6)


def test_separated_effects_stay_finite():
    x = np.array([-2.0, -1, 1, 2])[:, None]
    beta, covariance = logistic(x, np.array([0.0, 0, 1, 1]))
    assert np.isfinite(beta).all()
    assert covariance[0, 0] > 10  # and nobody calls it significant
    assert abs(beta[0]) < 1.96 * np.sqrt(covariance[0, 0])


def test_fits_that_fail_say_so():
    with pytest.raises(MetricError, match=r"must converge; however: it did not in 100 steps.*`exclude`"):
        logistic(np.array([[np.nan], [1.0]]), np.array([0.0, 1.0]))
    with pytest.raises(MetricError, match=r"2 columns must have more rows than that; however: 3"):
        linear(np.eye(3)[:, :2], np.arange(3.0))


def test_the_design_drops_what_says_nothing_new():
    """A copy, a constant, a rare level, the most frequent level, and a level that repeats a number."""
    rng = RNG(3)
    frame = pd.DataFrame({"a": rng.normal(size=200), "one": 1.0, "group": ["x"] * 120 + ["y"] * 75 + ["z"] * 5})
    frame["twice"], frame["flag"] = 2 * frame["a"], np.where(frame["group"] == "y", "yes", "no")
    frame["odd"] = rng.choice(["p", "secret"], 200, p=[0.7, 0.3])
    columns = {name: {"kind": "numeric"} for name in ("a", "one", "twice")}
    columns |= {"group": {"kind": "categorical", "levels": ["x", "y", "z"]}}
    columns |= {"flag": {"kind": "boolean", "levels": ["no", "yes"]}, "odd": {"kind": "categorical", "levels": ["p"]}}
    schema = Schema(columns=columns)
    design = Design.fit(frame, schema, tuple(schema.learned))
    assert design.names == ("a", "group: y", "odd: undeclared level 1")
    assert design.matrix(frame).shape == (200, 3)
    assert design.matrix(frame)[:, 1].tolist() == (frame["group"] == "y").tolist()
    with pytest.raises(MetricError, match="needs a column that differs between the training rows"):
        Design.fit(frame, schema, ("one",))


def test_a_design_has_twenty_columns_at_most():
    frame = pd.DataFrame(RNG(4).normal(size=(100, 30)), columns=[f"c{k}" for k in range(30)])
    schema = Schema(columns={name: {"kind": "numeric"} for name in frame})
    assert Design.fit(frame, schema, tuple(frame)).names == tuple(f"c{k}" for k in range(20))


def measure(compare, train, draws, k=0, seed=0):
    comparison = compare(tuple(draws), train=train)
    target = comparison.schema.targets[k]
    task = PredictionTask.of(comparison, target)
    rows = [task.rows(each, "") for each in (train, *draws)]
    (score,), panels = effects("utility.x", task, [(r.frame, r.target) for r in rows], RNG(seed))
    return score, panels["effects"][0]


@pytest.mark.parametrize("k", [0, 2])
def test_the_training_rows_themselves_overlap_whole(law, compare, k):
    score, panel = measure(compare, law(800, 1), [law(800, 1)] * 2, k)
    assert score.value == 1
    assert panel["same sign"] == 1
    assert panel["same significance"] == panel["estimates in the real interval"] == 1
    assert set(panel["names"]) <= set(score.parts)


def test_rows_drawn_from_the_real_ones_reach_the_null_expectation(law, compare):
    """Bootstrap samples of the training rows stand for draws of a model that fits: .797 on the average."""
    train, rng = law(1000, 1), RNG(5)
    found = [
        measure(compare, train, [train.sample(1000, replace=True, random_state=rng) for _ in range(m)])[0].value
        for m in (1, 5)
        for _ in range(25)
    ]
    assert np.mean(found[:25]) == pytest.approx(null_overlap(1), abs=0.03)
    assert np.mean(found[25:]) == pytest.approx(null_overlap(5), abs=0.02)


def test_independent_columns_have_other_effects(law, shuffled, compare):
    score, panel = measure(compare, law(1500, 1), [shuffled(1500, 3)])
    assert score.high < score.reference - 0.3
    age = panel["names"].index("age")
    assert panel["real_low"][age] > 0
    assert panel["synthetic_low"][age] < 0 < panel["synthetic_high"][age]
    assert panel["overlap"][age] < 0


def test_the_printed_interval_counts_synthetic_and_real_rows(law, compare):
    """Raab et al.: variance v (k/n + 1/m) for k synthetic and n real rows; v itself goes with 1/k."""
    _, whole = measure(compare, law(1500, 1), [law(1500, 3)])
    _, half = measure(compare, law(1500, 1), [law(750, 3)])
    width = [np.mean(np.subtract(p["synthetic_high"], p["synthetic_low"])) for p in (whole, half)]
    assert width[1] / width[0] == pytest.approx(np.sqrt(2 * 1.5 / 2), rel=0.1)
    assert half["expected_overlap"] == null_overlap(1, 2.0)


def test_rows_are_thinned(law, compare):
    comparison = compare(law(800, 3), train=law(800, 1))
    task = PredictionTask.of(comparison, Target(column="died", task="binary"))
    rows = [task.rows(each, "") for each in (comparison.train, *comparison.synthetic)]
    tables = [(r.frame, r.target) for r in rows]
    few, many = (effects("utility.x", task, tables, RNG(0), most=most)[1]["effects"][0] for most in (200, 800))
    width = [np.mean(np.subtract(p["real_high"], p["real_low"])) for p in (few, many)]
    assert width[0] / width[1] == pytest.approx(2, rel=0.3)
