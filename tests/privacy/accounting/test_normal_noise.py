"""The normal noise of a plan, against what its laws say."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from synthkit.privacy.accounting.charge import Charge
from synthkit.privacy.accounting.composed_plan import ComposedPlan
from synthkit.privacy.accounting.events import (
    Concentrated,
    DiscreteGaussian,
    NonPrivate,
    ReportNoisyMax,
    SparseHistogram,
    StackedGaussian,
)
from synthkit.privacy.accounting.normal_noise import NormalNoise, is_normal, normal_rho

STACK, COUNTS = StackedGaussian(noise_multiplier=4.0), DiscreteGaussian(sigma=10.0)
CHOICE = ReportNoisyMax(sensitivity=1.0, scale=5.0)


def charged(*spent, times=1):
    return tuple(Charge(what="x", spent=each, times=times) for each in spent)


def plan(reserve, *inside):
    return ComposedPlan(delta=1e-5, charges=charged(reserve), inside=charged(*inside))


def test_mu_is_that_of_one_answer_as_far_apart():
    """One patient moves two answers by 1 / 4 and 1 / 10 of their noise: an optimal test is as good as at their root."""
    noise = NormalNoise.of((plan(Concentrated(rho=0.1), STACK, COUNTS, CHOICE),))
    assert noise.mu == pytest.approx(math.hypot(1 / 4, 1 / 10))
    rng = np.random.default_rng(1)
    odds = [rng.normal([m * 1 / 4, m * 1 / 10], 1.0, (200_000, 2)) @ [1 / 4, 1 / 10] for m in (0, 1)]
    cut = noise.mu**2 / 2
    seen = stats.norm.ppf((odds[1] > cut).mean()) - stats.norm.ppf((odds[0] > cut).mean())
    assert seen == pytest.approx(noise.mu, abs=0.02)


def test_of_what_may_be_spent_the_share_is_told():
    noise = NormalNoise.of((plan(Concentrated(rho=0.1), STACK, CHOICE),))
    assert noise.share == pytest.approx((1 / 32) / 0.1)


def test_tables_told_several_times_count_as_often():
    assert normal_rho(charged(COUNTS, times=9)) == pytest.approx(9 / 200)


def test_plans_add_up():
    one = plan(Concentrated(rho=0.1), STACK)
    assert NormalNoise.of((one, one)).mu == pytest.approx(math.sqrt(2) / 4)


@pytest.mark.parametrize("parts", [(), (plan(STACK),), (plan(NonPrivate()),)])
def test_of_what_is_no_reserve_nothing_is_said(parts):
    assert NormalNoise.of(parts) is None


@pytest.mark.parametrize(
    ("spent", "normal"),
    [(STACK, True), (SparseHistogram(sigma=2.0, threshold=9), True), (CHOICE, False), (NonPrivate(), False)],
)
def test_choices_and_exact_answers_are_no_normal_noise(spent, normal):
    assert is_normal(spent) is normal
