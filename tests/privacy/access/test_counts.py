"""Counts of slots: exact ones against numpy, noisy ones against their law, charges before draws."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from scipy import stats

from synthkit.errors import BudgetExceededError, ConfigError
from synthkit.privacy.access.counts import ExactCounting, NoisyCounting
from synthkit.privacy.accounting.charge import Charge
from synthkit.privacy.accounting.events import Concentrated, DiscreteGaussian, ReportNoisyMax
from synthkit.privacy.accounting.zcdp import PrivacyFilter, cost

SIZES = (3, 4, 2, 5)
CAT = np.random.default_rng(0).integers(0, SIZES, size=(500, 4))
SCOPES = [s for w in (1, 2, 3) for s in itertools.combinations(range(4), w)]


def noisy(rho=1.0, cat=CAT, pay=lambda charge: None):
    return NoisyCounting.of(cat, SIZES, rho, pay)


@pytest.mark.parametrize("scope", SCOPES)
def test_exact_tables_are_numpys(scope):
    counting = ExactCounting.of(CAT, SIZES)
    (told,) = counting.measure([scope], math.inf)
    edges = [np.arange(SIZES[j] + 1) - 0.5 for j in scope]
    assert told.scope == scope
    assert told.sigma == 0
    assert np.array_equal(told.counts, np.histogramdd(CAT[:, list(scope)], edges)[0])


def test_exact_counting_costs_what_no_budget_pays():
    counting = ExactCounting.of(CAT, SIZES)
    assert counting.rho == math.inf
    assert counting.sizes == SIZES


def test_pooled_levels_are_counted_together():
    groups = [np.array([0, 0, 1]), np.arange(4), np.array([0, 0]), np.array([2, 1, 0, 1, 2])]
    new = np.stack([group[CAT[:, j]] for j, group in enumerate(groups)], axis=1)
    for counting in (ExactCounting.of(CAT, SIZES), noisy(1e9)):
        pooled = counting.pooled(groups)
        assert pooled.sizes == (2, 4, 1, 3)
        direct = ExactCounting.of(new, pooled.sizes)
        (told,), (wanted,) = pooled.measure([(0, 3)], 1e9), direct.measure([(0, 3)], 1e9)
        assert np.array_equal(told.counts, wanted.counts)


def test_the_worst_are_those_with_the_largest_score():
    counting = ExactCounting.of(CAT, SIZES)
    scopes = list(itertools.combinations(range(4), 2))
    expected = [table.counts.astype(float) for table in counting.measure(scopes, 1.0)]
    expected[3][0, 0] += 40
    expected[1][1, 1] -= 30
    assert counting.worst(scopes, iter(expected), [0.0] * 6, many=2, rho=1.0) == [scopes[3], scopes[1]]
    assert counting.worst(scopes, iter(expected), [0, 0, 0, 20, 0, 0], many=1, rho=1.0) == [scopes[1]]
    for_sure = noisy().worst(scopes, iter(expected), [0.0] * 6, many=2, rho=1e4)
    assert for_sure == [scopes[3], scopes[1]]


def test_noise_is_gaussian_of_the_variance_that_was_paid():
    rho = 0.02  # sigma 5
    told = noisy().measure([(0, 1, 3)] * 60, rho)
    assert told[0].sigma == pytest.approx(5, rel=1e-6)
    exact = ExactCounting.of(CAT, SIZES).measure([(0, 1, 3)], 1.0)[0].counts
    noise = np.concatenate([(t.counts - exact).ravel() for t in told])
    assert noise.dtype == np.int64
    assert abs(noise.mean()) < 5 * 4.5 / math.sqrt(len(noise))
    low, high = stats.chi2.ppf([1e-5, 1 - 1e-5], len(noise)) / len(noise)
    assert low < noise.var() / 25 < high
    assert stats.kstest(noise + np.random.default_rng(1).uniform(-0.5, 0.5, len(noise)), "norm", (0, 5)).pvalue > 1e-5


def test_choices_follow_the_exponential_mechanism():
    """rho = 1/2: probability proportional to exp(score)."""
    cat = np.zeros((1, 4), dtype=int)
    counting = noisy(cat=cat)
    scopes = [(0,), (1,), (2,)]
    exact = [t.counts.astype(float) for t in ExactCounting.of(cat, SIZES).measure(scopes, 1.0)]
    chosen = [counting.worst(scopes, iter(exact), [0.0, -1.0, 1.0], many=1, rho=0.5)[0] for _ in range(3000)]
    counts = [chosen.count(s) for s in scopes]
    law = np.exp([0.0, 1.0, -1.0])
    assert stats.chisquare(counts, 3000 * law / law.sum()).pvalue > 1e-5
    assert stats.chisquare(counts, np.full(3, 1000)).pvalue < 1e-5


def test_charges_come_before_draws():
    """What cannot be paid is not drawn, and not even counted."""

    class EmptyError(Exception):
        pass

    def refuse(charge):
        raise EmptyError

    counting = noisy(pay=refuse)
    with pytest.raises(EmptyError):
        counting.measure([(0,)], 0.1)
    touched = []
    with pytest.raises(EmptyError):
        counting.worst([(0,)], (touched.append(1) or np.zeros(3) for _ in range(1)), [0.0], many=1, rho=0.1)
    assert not touched
    assert "_pairs" not in vars(counting.tables)


def test_charges_say_what_was_told_and_how_often():
    charges = []
    counting = noisy(pay=charges.append)
    counting.measure([(0,), (1,)], 0.1)
    pooled = counting.pooled([np.zeros(k, dtype=int) for k in SIZES])
    pooled.worst([(0, 1), (1, 2), (0, 2)], [np.zeros((1, 1))] * 3, [0.0] * 3, many=2, rho=0.2)
    assert [type(charge.spent) for charge in charges] == [DiscreteGaussian, ReportNoisyMax]
    assert [charge.times for charge in charges] == [2, 1]
    assert cost(charges[0].spent).rho == pytest.approx(0.1, rel=1e-6)
    assert cost(charges[1].spent).rho == pytest.approx(2 * 0.2, rel=1e-6)


def test_a_reserve_refuses_before_anything_is_counted():
    spent = PrivacyFilter(reserve=Concentrated(rho=0.25))

    def pay(charge: Charge) -> None:
        nonlocal spent
        spent = spent.admit((charge,))

    counting = noisy(pay=pay)
    counting.measure([(0,), (1,)], 0.1)
    with pytest.raises(BudgetExceededError):
        counting.worst([(0, 1), (0, 2)], [np.zeros((3, 4)), np.zeros((3, 2))], [0.0, 0.0], many=1, rho=0.06)
    with pytest.raises(BudgetExceededError):
        counting.measure([(0, 1)], 0.06)
    assert "_pairs" not in vars(counting.tables)
    assert spent.left().rho == pytest.approx(0.05, rel=1e-6)


def test_more_choices_than_candidates_are_refused():
    with pytest.raises(ConfigError, match="there must be 2 candidates"):
        noisy().worst([(0,)], [np.zeros(3)], [0.0], many=2, rho=0.1)


def test_noise_differs_from_call_to_call_and_knows_no_seed():
    np.random.seed(0)  # noqa: NPY002 - a seed that must not matter
    one = noisy().measure([(1, 3)], 1e-3)[0].counts
    np.random.seed(0)  # noqa: NPY002
    assert not np.array_equal(one, noisy().measure([(1, 3)], 1e-3)[0].counts)


@pytest.mark.parametrize("rho", [0.0, -1.0, math.inf, math.nan])
def test_a_noisy_answer_must_be_paid_for(rho):
    with pytest.raises(ConfigError, match="price of a noisy answer must be positive and finite"):
        noisy().measure([(0,)], rho)
    with pytest.raises(ConfigError, match="price of a noisy answer must be positive and finite"):
        noisy().worst([(0,)], [np.zeros(3)], [0.0], many=1, rho=rho)


def test_one_row_changes_a_score_by_one_at_most():
    """The sensitivity that is charged, over every row that might be added and any expectation."""
    rng = np.random.default_rng(2)
    for scope in ((0, 1), (1, 3), (0, 1, 2)):
        shape = [SIZES[j] for j in scope]
        expected = rng.uniform(0, 60, shape)
        before = np.abs(expected - ExactCounting.of(CAT, SIZES).measure([scope], 1.0)[0].counts).sum()
        for row in itertools.product(*map(range, SIZES)):
            more = ExactCounting.of(np.vstack([CAT, row]), SIZES).measure([scope], 1.0)[0].counts
            assert abs(np.abs(expected - more).sum() - before) <= 1 + 1e-9
