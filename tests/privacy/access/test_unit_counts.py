"""Counts of rows by units that have many: against counts by hand, neighbours, and the reserve they are drawn from."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from synthkit.errors import BudgetExceededError, ConfigError
from synthkit.privacy.access.counts import ExactCounting
from synthkit.privacy.access.unit_counts import UnitCounting
from synthkit.privacy.accounting.charge import Charge
from synthkit.privacy.accounting.events import Concentrated, ReportNoisyMax, StackedGaussian
from synthkit.privacy.accounting.zcdp import PrivacyFilter, cost

SIZES, BOUND = (3, 4, 2), 40
RNG = np.random.default_rng(0)
OWNER = np.repeat(np.arange(300), RNG.integers(1, 12, 300))
CAT = RNG.integers(0, SIZES, size=(len(OWNER), 3))
SCOPES = [s for w in (1, 2, 3) for s in itertools.combinations(range(3), w)]
SURE = 1e9


def counting(rho=SURE, cat=CAT, owner=OWNER, pay=lambda charge: None):
    return UnitCounting.of(cat, owner, SIZES, bound=BOUND, rho=rho, pay=pay)


def reserve(rho):
    """An account as the ledger keeps it, and what is left of it."""
    state = [PrivacyFilter(reserve=Concentrated(rho=rho))]

    def pay(charge: Charge) -> None:
        state[0] = state[0].admit((charge,))

    return pay, lambda: state[0].left().rho


def test_tables_are_those_of_all_rows_where_nobody_is_clipped_much():
    told = counting().measure(SCOPES, SURE)
    exact = ExactCounting.of(CAT, SIZES).measure(SCOPES, 1.0)
    for ours, theirs in zip(told, exact, strict=True):
        assert ours.scope == theirs.scope
        np.testing.assert_allclose(ours.counts / ours.counts.sum(), theirs.counts / len(CAT), atol=0.02)


def test_tables_of_different_calls_count_the_same_rows():
    here = counting()
    totals = [t.counts.sum() for scope in SCOPES for t in here.measure([scope], SURE)]
    np.testing.assert_allclose(totals, here.rows, rtol=0.01)
    assert here.rows == pytest.approx(np.minimum(np.bincount(OWNER), here.most).sum(), rel=1e-3)


def test_what_is_spent_is_the_price_and_no_more():
    pay, left = reserve(1.0)
    here = counting(rho=1.0, pay=pay)
    assert left() == pytest.approx(here.rho, rel=1e-6)
    here.measure(SCOPES, 0.1 * here.rho / len(SCOPES))
    assert left() == pytest.approx(0.9 * here.rho, rel=1e-6)
    here.worst(SCOPES, [np.zeros(1)] * len(SCOPES), [0.0] * len(SCOPES), many=2, rho=0.2 * here.rho)
    assert left() == pytest.approx(0.5 * here.rho, rel=1e-6)
    with pytest.raises(BudgetExceededError):
        here.measure(SCOPES, here.rho)


def test_charges_say_what_was_bought():
    charges = []
    here = counting(rho=1.0, pay=charges.append)
    here.measure([(0,), (1, 2)], 0.1)
    kinds = [type(charge.spent) for charge in charges]
    assert kinds == [ReportNoisyMax, StackedGaussian, ReportNoisyMax, StackedGaussian]
    assert sum(cost(charge.spent).rho for charge in charges[2:]) == pytest.approx(0.2, rel=1e-6)


def test_nothing_is_counted_before_it_is_paid():
    class EmptyError(Exception):
        pass

    def refuse(charge):
        raise EmptyError

    paid = counting()
    poor = UnitCounting(**{**{k: getattr(paid, k) for k in paid.__dataclass_fields__}, "pay": refuse})
    touched = []
    with pytest.raises(EmptyError):
        poor.measure([(0,)], 0.1)
    with pytest.raises(EmptyError):
        poor.worst([(0,)], (touched.append(1) or np.zeros(3) for _ in range(1)), [0.0], many=1, rho=0.1)
    with pytest.raises(EmptyError):
        counting(pay=refuse)
    assert not touched


def test_the_noise_of_a_table_does_not_depend_on_how_many_are_bought_for_the_same_price_each():
    one = counting().measure([(0, 1)], 50.0)[0].sigma
    both = [t.sigma for t in counting().measure([(0, 1)] * 9, 50.0)]
    assert max(both) == pytest.approx(min(both))
    assert both[0] == pytest.approx(one, rel=0.25)


@pytest.mark.parametrize("unit", [0, 7, 299])
def test_one_unit_moves_the_score_of_a_table_by_what_is_charged_at_most(unit):
    """With L as it was bought, for every scope and any table expected."""
    whole = counting()
    stay = unit != OWNER
    less = UnitCounting(
        **{
            **{k: getattr(whole, k) for k in whole.__dataclass_fields__},
            "tables": ExactCounting.of(CAT[stay], SIZES).tables,
            "owner": OWNER[stay],
            "weight": whole.weight[stay],
        }
    )
    for scope in SCOPES:
        with_, without = whole._weighed(scope), less._weighed(scope)
        for expected in (np.zeros_like(with_), RNG.gamma(1.0, 40.0, with_.shape)):
            moved = abs(np.abs(expected - with_).sum() - np.abs(expected - without).sum())
            assert moved <= whole.most * (1 + 1e-9)


def test_the_worst_are_those_with_the_largest_score():
    here = counting(rho=1e12)
    scopes = list(itertools.combinations(range(3), 2))
    expected = [here._weighed(scope) for scope in scopes]
    expected[2] = expected[2] + 60.0
    expected[0] = expected[0] + 30.0
    assert here.worst(scopes, iter(expected), [0.0] * 3, many=2, rho=1e8) == [scopes[2], scopes[0]]


def test_no_tables_cost_nothing():
    assert counting(pay=lambda charge: None).measure([], 0.1) == []


@pytest.mark.parametrize("rho", [0.0, -1.0, math.inf, math.nan])
def test_prices_are_above_zero_and_finite(rho):
    here = counting()
    with pytest.raises(ConfigError, match="must be positive and finite"):
        here.measure([(0,)], rho)
    with pytest.raises(ConfigError, match="the price of a noisy answer must be positive and finite"):
        here.worst([(0,)], [np.zeros(3)], [0.0], many=1, rho=rho)


def test_few_units_and_none_are_counted_too():
    for units in (0, 1, 2):
        here = UnitCounting.of(CAT[:units], np.arange(units), SIZES, bound=BOUND, rho=1.0, pay=lambda charge: None)
        assert all(np.isfinite(t.counts).all() for t in here.measure(SCOPES, 0.1))
        assert here.rows >= 1
