"""Guesses about canaries: against closed forms, by simulation of runs whose loss is known, and never above it."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from synthkit.audit.one_run_epsilon import epsilon_of_guesses
from synthkit.errors import ConfigError


@pytest.mark.parametrize("guesses", [50, 200, 1000])
def test_guesses_that_are_all_right_have_a_closed_form(guesses):
    """(e^eps / (1 + e^eps))^r = 1e-4."""
    p = 1e-4 ** (1 / guesses)
    assert epsilon_of_guesses(guesses, guesses, guesses, 0.0) == pytest.approx(math.log(p / (1 - p)), abs=1e-4)


@pytest.mark.parametrize(("right", "guesses"), [(60, 80), (700, 1000)])
def test_without_delta_it_is_clopper_and_pearsons(right, guesses):
    p = stats.binomtest(right, guesses).proportion_ci(1 - 2e-4, method="exact").low
    assert epsilon_of_guesses(right, guesses, guesses, 0.0) == pytest.approx(math.log(p / (1 - p)), abs=1e-4)


def test_a_delta_explains_a_part():
    bounds = [epsilon_of_guesses(90, 100, 1000, delta) for delta in (0.0, 1e-7, 1e-6, 1e-5, 1e-3)]
    assert bounds == sorted(bounds, reverse=True)
    assert bounds[-1] < bounds[0]


def test_more_right_guesses_say_more_and_more_canaries_less():
    found = [epsilon_of_guesses(k, 100, 200, 1e-8) for k in (50, 80, 90, 100)]
    assert found == sorted(found)
    assert found[0] == 0
    assert epsilon_of_guesses(90, 100, 100_000, 1e-7) < epsilon_of_guesses(90, 100, 100, 1e-7)


def test_answers_of_a_known_loss_show_no_more_than_it():
    """Each coin is told rightly with probability e / (1 + e): epsilon is 1 exactly."""
    rng = np.random.default_rng(5)
    right = rng.binomial(400, 1 / (1 + math.exp(-1)), size=300)
    found = np.array([epsilon_of_guesses(int(k), 400, 400, 1e-12, confidence=0.9) for k in right])
    assert (found > 1).mean() < 0.15
    assert np.median(found) > 0.75


@pytest.mark.parametrize("numbers", [(5, 4, 9), (1, 9, 5), (0, 0, 3), (-1, 2, 3)])
def test_numbers_that_cannot_be_are_refused(numbers):
    with pytest.raises(ConfigError, match=r"among the canaries; however: .* came"):
        epsilon_of_guesses(*numbers, 1e-6)
