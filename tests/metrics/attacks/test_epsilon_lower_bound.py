"""Bounds from guesses about coins: published and closed-form values, brute force, monotonicity."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from synthkit.metrics.attacks.epsilon_lower_bound import ceiling, epsilon_lower_bound, p_value


@pytest.mark.parametrize(
    ("trials", "guesses", "right", "delta", "expected"),
    [
        (1000, 100, 100, 0, 3.493),
        (1000, 100, 90, 0, 1.6308),
        (1000, 1000, 600, 0, 0.2975),
        (1000, 1000, 1000, 1e-5, 5.7823),
        (5000, 500, 400, 1e-5, 1.1952),
        (1000, 1000, 500, 0, 0.0),
    ],
)
def test_bounds_that_others_computed(trials, guesses, right, delta, expected):
    assert epsilon_lower_bound(trials, guesses, right, delta=delta) == pytest.approx(expected, abs=1e-4)


def test_all_right_is_a_closed_form():
    for r in (20, 50, 1000):
        q = 0.05 ** (1 / r)
        assert epsilon_lower_bound(r, r, r) == pytest.approx(math.log(q / (1 - q)))
        assert ceiling(r) == pytest.approx(math.log(q / (1 - q)))
    assert ceiling(1000) == pytest.approx(5.809, abs=1e-3)
    assert ceiling(0) == ceiling(1) == ceiling(4) == 0.0


def test_without_delta_it_is_a_binomial_tail():
    assert p_value(1000, 10, 9) == pytest.approx(11 / 1024)
    assert p_value(1000, 10, 9, epsilon=1.0) == pytest.approx(stats.binom.sf(8, 10, 1 / (1 + math.exp(-1))))


def test_with_delta_as_written_in_the_paper():
    """Every term by itself, in place of one array."""
    m, r, v, delta, q = 40, 12, 9, 1e-3, 0.5
    pmf = [math.comb(r, k) * q**k * (1 - q) ** (r - k) for k in range(r + 1)]
    worst = max(sum(pmf[v - i : v]) / i for i in range(1, v + 1))
    assert p_value(m, r, v, delta=delta) == pytest.approx(sum(pmf[v:]) + 2 * m * delta * worst)


@given(st.integers(1, 200), st.integers(0, 200), st.integers(0, 400), st.floats(0, 1e-3))
def test_more_right_shows_more_and_a_delta_never_more(guesses, right, more, delta):
    right = min(right, guesses)
    trials = guesses + more
    bound = epsilon_lower_bound(trials, guesses, right)
    assert 0 <= bound <= ceiling(guesses) + 1e-9
    assert epsilon_lower_bound(trials, guesses, min(right + 1, guesses)) >= bound
    assert epsilon_lower_bound(trials, guesses, right, delta=delta) <= bound + 1e-6
    assert (bound > 0) == (p_value(trials, guesses, right) < 0.05)


@pytest.mark.parametrize("wrong", [(10, 5, 6), (10, 11, 3), (10, 5, -1)])
def test_counts_that_are_none_are_refused(wrong):
    with pytest.raises(ValueError, match="right guesses must be at most guesses, and these at most trials; however"):
        p_value(*wrong)
