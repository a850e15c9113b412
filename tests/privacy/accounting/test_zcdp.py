"""Costs in concentrated differential privacy against other libraries and brute force; the filter of a reserve."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import special

from synthkit.errors import BudgetExceededError, UnsupportedError
from synthkit.privacy.accounting.charge import Charge
from synthkit.privacy.accounting.events import (
    Concentrated,
    DiscreteGaussian,
    Gaussian,
    Laplace,
    NonPrivate,
    PoissonSubsampledGaussian,
    ReportNoisyMax,
    SparseHistogram,
    StableHistogram,
)
from synthkit.privacy.accounting.zcdp import PrivacyFilter, ZCDPCost, cost


def of(event, times=1):
    return Charge(what="pair", spent=event, times=times)


def test_normal_noise_costs_what_opendp_says():
    dp = pytest.importorskip("opendp.prelude")
    dp.enable_features("contrib")
    space = dp.vector_domain(dp.atom_domain(T="i64")), dp.l2_distance(T=float)
    for sigma, change in ((10.0, 1), (3.0, 2)):
        rho = dp.m.make_gaussian(*space, scale=sigma).map(float(change))
        assert cost(DiscreteGaussian(sigma=sigma, change=change)).rho == pytest.approx(rho)
        assert cost(Gaussian(sensitivity=change, sigma=sigma)).rho == pytest.approx(rho)
        assert cost(DiscreteGaussian(sigma=sigma, change=change, cells=3)).rho == pytest.approx(3 * rho)


@given(st.lists(st.floats(-5, 5), min_size=2, max_size=6), st.floats(0.5, 20), st.floats(1.01, 50), st.integers(0, 999))
def test_a_noisy_maximum_costs_no_more_than_its_concentration(scores, scale, order, seed):
    moved = np.asarray(scores) + np.random.default_rng(seed).choice([-1.0, 0.0, 1.0], len(scores))
    one, other = special.log_softmax(np.asarray(scores) / scale), special.log_softmax(moved / scale)
    divergence = special.logsumexp(order * one + (1 - order) * other) / (order - 1)
    assert divergence <= order * cost(ReportNoisyMax(sensitivity=1, scale=scale)).rho + 1e-9


def test_other_costs():
    assert cost(Laplace(sensitivity=1, scale=4)) == ZCDPCost(rho=1 / 32)
    for told in (SparseHistogram(sigma=4, threshold=30), StableHistogram(scale=4, threshold=60)):
        assert cost(told) == ZCDPCost(rho=1 / 32, delta=told.failure)
    assert cost(ReportNoisyMax(sensitivity=1, scale=4, picks=5)).rho == pytest.approx(5 * 0.5**2 / 8)
    assert cost(NonPrivate()).rho == math.inf


def test_steps_on_poisson_samples_have_no_cost():
    with pytest.raises(UnsupportedError, match="must have a cost in zCDP; however: steps on Poisson samples have none"):
        cost(PoissonSubsampledGaussian(noise_multiplier=1, rate=0.1, steps=3))


def test_a_filter_admits_up_to_its_total_and_refuses_before_it_is_exceeded():
    start = PrivacyFilter(reserve=Concentrated(rho=0.1))
    half = start.admit((of(Gaussian(sensitivity=1, sigma=math.sqrt(10))),))
    assert (half.spent().rho, start.spent().rho) == (pytest.approx(0.05), 0.0)
    full = half.admit((of(Gaussian(sensitivity=1, sigma=math.sqrt(20)), times=2),))
    assert full.left().rho == pytest.approx(0.0, abs=1e-12)
    with pytest.raises(
        BudgetExceededError, match=r"adaptive steps must fit their reserve; however: pair would bring rho"
    ):
        full.admit((of(Gaussian(sensitivity=1, sigma=300)),))
    with pytest.raises(BudgetExceededError, match=r"rho to inf of 0.1"):
        start.admit((of(NonPrivate()),))


def test_a_filter_counts_what_may_fail_too():
    told = SparseHistogram(sigma=20, threshold=100)
    with pytest.raises(BudgetExceededError, match=r"delta to .* of 0\."):
        PrivacyFilter(reserve=Concentrated(rho=1)).admit((of(told),))
    reserve = PrivacyFilter(reserve=Concentrated(rho=1, delta=told.failure * 2))
    assert reserve.admit((of(told, times=2),)).left().delta == 0.0


@given(st.lists(st.floats(0.01, 1), min_size=1, max_size=60), st.floats(1e-3, 10))
def test_shares_of_a_reserve_are_never_refused_for_rounding(weights, rho):
    """Sigma of each share is rounded, and so is their sum: the reserve is charged a billionth more instead."""
    shares = np.asarray(weights) / sum(weights) * rho
    steps = tuple(of(Gaussian(sensitivity=1, sigma=math.sqrt(1 / (2 * share)))) for share in shares)
    assert PrivacyFilter(reserve=Concentrated(rho=rho)).admit(steps).left().rho <= 1e-9 * rho
    assert cost(Concentrated(rho=rho)).rho >= math.fsum(cost(step.spent).rho for step in steps)
