"""Cox regression against lifelines, and what it says where there is nothing to fit."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from lifelines import CoxPHFitter

from synthkit.errors import MetricError
from synthkit.metrics.stats import cox_regression
from synthkit.metrics.stats.cox_regression import cox

RNG = np.random.default_rng


def people(rows: int, seed: int, *, ties: bool):
    """Three columns, the middle one 0 or 1, times that the first two rule, and who was seen to die."""
    rng = RNG(seed)
    x = rng.normal(size=(rows, 3))
    x[:, 1] = x[:, 1] > 0
    event = rng.exponential(10 * np.exp(-(0.8 * x[:, 0] - 0.5 * x[:, 1])))
    end = rng.uniform(1, 30, rows)
    times = np.minimum(event, end)
    return x, np.ceil(times) if ties else times, event <= end


@settings(deadline=None, max_examples=15)
@given(seed=st.integers(0, 10**6), ties=st.booleans(), ridge=st.sampled_from([0.0, 1e-4, 0.01, 0.3]))
def test_effects_and_their_covariance_are_those_of_lifelines(seed, ties, ridge):
    x, times, seen = people(300, seed, ties=ties)
    frame = pd.DataFrame(x, columns=["a", "b", "c"]).assign(t=times, e=seen)
    theirs = CoxPHFitter(penalizer=ridge).fit(frame, "t", "e", fit_options={"precision": 1e-12, "r_precision": 1e-15})
    beta, covariance = cox(x, times, seen, ridge=ridge)
    np.testing.assert_allclose(beta, theirs.params_, atol=1e-4)
    np.testing.assert_allclose(covariance, theirs.variance_matrix_, rtol=1e-3, atol=1e-6)


def test_effects_are_found_and_a_column_without_two_values_has_none():
    x, times, seen = people(2000, 6, ties=False)
    beta, covariance = cox(np.column_stack([x[:, 0], np.full(2000, 3.0), x[:, 1]]), times, seen, ridge=0.0)
    se = np.sqrt(np.diag(covariance))
    assert np.isinf(se[1])
    assert beta[1] == 0
    np.testing.assert_array_less(np.abs(beta - [0.8, 0, -0.5]), 5 * se)


def test_the_order_of_the_rows_and_the_unit_of_a_column_do_not_matter():
    x, times, seen = people(400, 3, ties=True)
    order, scale = RNG(0).permutation(400), np.array([10.0, 1.0, 0.01])
    beta, covariance = cox(x, times, seen)
    again, other = cox((x * scale)[order], times[order], seen[order])
    np.testing.assert_allclose(again * scale, beta, atol=1e-8)
    np.testing.assert_allclose(other * np.outer(scale, scale), covariance, rtol=1e-6)


def test_large_numbers_do_not_overflow():
    x, times, seen = people(300, 4, ties=False)
    far = x.copy()
    far[0, 0] = 1e6
    beta, _ = cox(far, times, seen)
    assert np.isfinite(beta).all()


@settings(deadline=None, max_examples=25)
@example(seed=3, ties=True, length=100.0)  # late rows have hazards far below those of the ones that died early
@given(seed=st.integers(0, 10**6), ties=st.booleans(), length=st.sampled_from([0.1, 1.0, 10.0, 100.0]))
def test_the_likelihood_far_from_its_top_is_the_one_of_log_sums(seed, ties, length):
    x, times, seen = people(60, seed, ties=ties)
    beta = RNG(seed).normal(size=3)
    risk = x @ (beta := beta * length / np.abs(x @ beta).max())
    expected = 0.0
    for time in np.unique(times[seen]):
        at_risk, dead = times >= time, seen & (times == time)
        for k in range(dead.sum()):  # Efron: of d that die together the k-th leaves k / d of each behind
            left = np.log(np.where(dead, 1 - k / dead.sum(), 1.0)[at_risk])
            expected -= np.logaddexp.reduce(risk[at_risk] + left)
        expected += risk[dead].sum()
    found, _, information = cox_regression._Partial.of(x, times, seen).at(beta)
    assert found == pytest.approx(expected, rel=1e-9)
    assert np.linalg.eigvalsh(information).min() > -1e-6


def test_hazards_beyond_what_numbers_hold_are_worth_nothing():
    x, times, seen = people(60, 2, ties=True)
    value, *_ = cox_regression._Partial.of(x, times, seen).at(np.array([1e4, 0.0, 0.0]))
    assert value == -np.inf


def test_without_an_event_nothing_has_an_effect():
    x, times, _ = people(60, 2, ties=True)
    np.testing.assert_array_equal(cox(x, times, np.zeros(60, dtype=bool))[0], 0)


def test_without_columns_is_a_clear_failure():
    _, times, seen = people(50, 7, ties=True)
    with pytest.raises(MetricError, match="needs a column that differs between rows; however: none"):
        cox(np.ones((50, 2)), times, seen)


def test_columns_that_say_the_same_are_a_clear_failure():
    x, times, seen = people(50, 7, ties=True)
    with pytest.raises(MetricError, match=r"must converge; however: it did not.*`exclude`"):
        cox(x[:, [0, 0]], times, seen, ridge=0.0)


def test_a_fit_that_does_not_end_is_a_clear_failure(monkeypatch):
    x, times, seen = people(50, 7, ties=True)
    monkeypatch.setattr(cox_regression, "MAX_COX_STEPS", 1)
    with pytest.raises(MetricError, match=r"must converge; however: it did not.*`exclude`"):
        cox(x, times, seen)
