"""The smallest noise of a plan: against the exact calibration of normal noise, and joint, preprocessing included."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synthkit.errors import BudgetExceededError, ConfigError
from synthkit.privacy.accounting import accountant
from synthkit.privacy.accounting.charge import Charge
from synthkit.privacy.accounting.events import (
    Concentrated,
    DiscreteGaussian,
    Gaussian,
    Laplace,
    PoissonSubsampledGaussian,
    ReportNoisyMax,
    SparseHistogram,
)
from synthkit.privacy.accounting.noise_calibration import smallest_noise

DELTA = 1e-5
HISTOGRAMS = [Charge(what="histogram", spent=DiscreteGaussian(sigma=20), times=15)]


def training(noise, rate=0.02, steps=2500):
    return Charge(what="steps", spent=PoissonSubsampledGaussian(noise_multiplier=noise, rate=rate, steps=steps))


@settings(max_examples=8, deadline=None)
@given(epsilon=st.floats(0.2, 10), delta=st.sampled_from([1e-4, 1e-6, 1e-9]), times=st.integers(1, 9))
def test_normal_noise_is_calibrated_as_by_the_closed_form(epsilon, delta, times):
    library = pytest.importorskip("dp_accounting")
    exact = library.get_sigma_gaussian(epsilon, delta) * math.sqrt(times)
    found = smallest_noise(
        lambda s: [Charge(what="x", spent=Gaussian(sensitivity=1, sigma=s), times=times)], epsilon=epsilon, delta=delta
    )
    assert exact * (1 - 1e-6) <= found <= exact * (1 + 1e-3)


def test_a_known_value():
    """3.830 is what dp-accounting's own calibration gives for these steps at epsilon 1, on a grid of 1e-4."""
    found = smallest_noise(lambda s: [training(s)], epsilon=1, delta=DELTA)
    assert found == pytest.approx(3.830, abs=2e-3)
    assert accountant.epsilon([training(found)], DELTA) <= 1
    assert accountant.epsilon([training(found * 0.999)], DELTA) > 1


def test_preprocessing_before_training_changes_the_noise_of_training():
    alone = smallest_noise(lambda s: [training(s)], epsilon=3, delta=DELTA)
    both = smallest_noise(lambda s: [*HISTOGRAMS, training(s)], epsilon=3, delta=DELTA)
    assert both > alone * 1.005
    assert accountant.epsilon([*HISTOGRAMS, training(both)], DELTA) <= 3
    # splitting epsilon and adding, as others do, needs more noise still
    spent = accountant.epsilon(HISTOGRAMS, DELTA / 2)
    split = smallest_noise(lambda s: [training(s)], epsilon=3 - spent, delta=DELTA / 2)
    assert split > both * 1.05


@pytest.mark.parametrize("epsilon", [0.3, 1.0, 8.0])
def test_everything_with_one_free_scale_meets_the_budget_from_below(epsilon):
    def plan(s):
        scale = s * 20
        return [
            Charge(what="levels", spent=SparseHistogram(sigma=scale, threshold=2 + math.ceil(7 * scale)), times=2),
            Charge(what="histograms", spent=DiscreteGaussian(sigma=scale, cells=2), times=10),
            Charge(what="count", spent=Laplace(sensitivity=1, scale=scale)),
            Charge(what="pairs", spent=ReportNoisyMax(sensitivity=1, scale=scale, picks=5)),
        ]

    found = smallest_noise(plan, epsilon=epsilon, delta=DELTA)
    assert epsilon * 0.995 <= accountant.epsilon(plan(found), DELTA) <= epsilon


@pytest.mark.parametrize(("epsilon", "rho"), [(0.5, 0.00851), (1, 0.03056), (3, 0.2242), (10, 1.783)])
def test_a_reserve_is_calibrated_to_the_known_rho(epsilon, rho):
    found = smallest_noise(
        lambda s: [Charge(what="adaptive", spent=Concentrated(rho=1 / (2 * s**2)))], epsilon=epsilon, delta=DELTA
    )
    assert 1 / (2 * found**2) == pytest.approx(rho, rel=1e-3)


def test_a_fixed_part_that_alone_exceeds_the_budget_is_refused():
    with pytest.raises(BudgetExceededError, match=r"its part without the free scale costs more by itself"):
        smallest_noise(
            lambda s: [*HISTOGRAMS, Charge(what="x", spent=Laplace(sensitivity=1, scale=s))], epsilon=0.1, delta=DELTA
        )


def test_a_plan_without_a_free_scale_is_refused():
    with pytest.raises(ConfigError, match=r"a plan must cost more with less noise; however: it fits epsilon 9"):
        smallest_noise(lambda _: HISTOGRAMS, epsilon=9, delta=DELTA)
