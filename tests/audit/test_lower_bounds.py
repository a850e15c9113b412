"""Lower bounds of losses: against scipy's own intervals, laws whose loss is known, and never above them."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from synthkit.audit.lower_bounds import LossBound, at_least, at_most, delta_seen, epsilon_seen, mu_of_odds, mu_seen


@pytest.mark.parametrize("hits", [0, 1, 37, 99, 100])
def test_bounds_are_clopper_and_pearsons(hits):
    interval = stats.binomtest(hits, 100).proportion_ci(1 - 2e-3, method="exact")
    assert at_least(np.array([hits]), 100, 1e-3)[0] == pytest.approx(interval.low)
    assert at_most(np.array([hits]), 100, 1e-3)[0] == pytest.approx(interval.high)


@pytest.mark.parametrize(("mu", "n"), [(0.3, 300_000), (1.0, 100_000), (2.5, 100_000)])
def test_mu_of_normal_scores_is_seen(mu, n):
    rng = np.random.default_rng(1)  # a small loss takes more draws to be seen
    without = rng.normal(size=n)
    for joined in (rng.normal(mu, size=n), rng.normal(-mu, size=n)):
        assert 0.8 * mu < mu_seen(without, joined) <= mu


@pytest.mark.parametrize("epsilon", [0.5, 1.0, 2.0])
def test_epsilon_of_laplace_scores_is_seen(epsilon):
    rng = np.random.default_rng(1)
    without = rng.laplace(scale=1 / epsilon, size=100_000)
    for joined in (rng.laplace(1, 1 / epsilon, size=100_000), rng.laplace(-1, 1 / epsilon, size=100_000)):
        assert 0.8 * epsilon < epsilon_seen(without, joined) <= epsilon


def test_what_only_one_table_can_give_counts_in_both_roles():
    zeros, ones = np.zeros(2000), np.ones(2000)
    assert epsilon_seen(zeros, ones) == epsilon_seen(ones, zeros) == pytest.approx(4.6, abs=0.1)
    assert epsilon_seen(zeros, np.repeat([0.0, 1.0], 1000)) > 3


def test_a_delta_is_taken_off_what_it_explains():
    rng = np.random.default_rng(1)
    leaked = np.where(rng.random(20_000) < 0.01, 9.0, 0.0)
    assert epsilon_seen(np.zeros(20_000), leaked) > 1
    assert epsilon_seen(np.zeros(20_000), leaked, delta=0.02) == 0


def test_the_same_law_shows_nothing_in_three_hundred_audits():
    """At confidence .9 a tenth may; far fewer do, as two bounds are both wrong seldom."""
    rng = np.random.default_rng(1)
    wrong = sum(epsilon_seen(rng.normal(size=200), rng.normal(size=200), 0.9) > 0 for _ in range(300))
    assert wrong <= 30
    same = sum(mu_seen(rng.normal(size=200), rng.normal(0.5, size=200), 0.9) > 0.5 for _ in range(300))
    assert same <= 30


def test_delta_is_bounded_from_below():
    assert delta_seen(0, 10) == 0
    low = stats.binomtest(50, 1000).proportion_ci(1 - 2e-4, method="exact").low
    assert delta_seen(50, 1000) == pytest.approx(low)


@pytest.mark.parametrize(
    ("measured", "tight", "verdict"),
    [
        (1.01, True, "broken"),
        (1.01, False, "broken"),
        (0.8, True, "holds"),
        (0.79, True, "loose"),
        (0.1, False, "holds"),
    ],
)
def test_verdicts(measured, tight, verdict):
    assert LossBound(what="x", measure="mu", claim=1.0, measured=measured, tight=tight).verdict == verdict


def test_more_confidence_says_less():
    rng = np.random.default_rng(1)
    a, b = rng.normal(size=1000), rng.normal(1, size=1000)
    bounds = [mu_seen(a, b, confidence) for confidence in (0.9, 0.99, 0.9999)]
    assert bounds == sorted(bounds, reverse=True)
    assert all(math.isfinite(bound) for bound in bounds)


@pytest.mark.parametrize("mu", [1.0, 3.0])
def test_mu_of_odds_is_seen_without_looking_for_a_threshold(mu):
    rng = np.random.default_rng(1)
    without, joined = (rng.normal(sign * mu**2 / 2, mu, size=20_000) for sign in (-1, 1))
    assert 0.85 * mu < mu_of_odds(without, joined) <= mu
    assert mu_of_odds(joined, without) == 0
