"""What an attacker gains: against closed forms of normal and Laplace noise, and figures known by hand."""

from __future__ import annotations

import math
from statistics import NormalDist

import pytest

from synthkit.privacy.accounting.charge import Charge
from synthkit.privacy.accounting.composed_plan import ComposedPlan
from synthkit.privacy.accounting.events import Concentrated, Gaussian, Laplace, NonPrivate, PoissonSubsampledGaussian
from synthkit.privacy.accounting.tradeoff import Tradeoff

NORMAL = NormalDist()
RATES = (0.001, 0.01, 0.05, 0.1, 0.3, 0.5, 0.9)


def part(event, delta=1e-5, times=1):
    return ComposedPlan(delta=delta, charges=(Charge(what="x", spent=event, times=times),))


@pytest.mark.parametrize(
    ("epsilon", "few", "many", "sure"),
    [(1, 0.027, 0.27, 0.73), (3, 0.20, 0.96, 0.95), (8, 1.0, 1.0, 1.0)],
)
def test_of_a_pair_alone_the_figures_are_those_known_by_hand(epsilon, few, many, sure):
    found = Tradeoff(epsilons=(float(epsilon),), deltas=(0.0,))
    assert found.found(0.01) == pytest.approx(few, abs=0.005)
    assert found.found(0.1) == pytest.approx(many, abs=0.005)
    assert found.posterior() == pytest.approx(sure, abs=0.005)


@pytest.mark.parametrize("mu", [0.1, 0.2687, 1.0, 2.5])
@pytest.mark.parametrize("alpha", RATES)
def test_of_normal_noise_it_is_the_power_of_the_best_test(mu, alpha):
    r"""$\Phi(\Phi^{-1}(\alpha) + \mu)$: never below it, for it is reached, and hardly above."""
    found = Tradeoff.of([part(Gaussian(sensitivity=mu, sigma=1))]).found(alpha)
    best = NORMAL.cdf(NORMAL.inv_cdf(alpha) + mu)
    assert best - 1e-9 <= found <= best * 1.02 + 1e-3


def test_normal_noise_of_epsilon_one_gives_less_than_its_pair_does():
    """1.98 % instead of the 2.7 % that epsilon = 1 alone would allow."""
    one = part(Gaussian(sensitivity=0.2687, sigma=1))
    assert one.epsilon() == pytest.approx(1.0, abs=0.01)
    assert Tradeoff.of([one]).found(0.01) == pytest.approx(0.0198, abs=2e-4)


@pytest.mark.parametrize("alpha", RATES)
def test_of_laplace_noise_it_is_the_power_of_the_best_test(alpha):
    r"""$e^\epsilon \alpha$ of few alarms, $1 - e^{-\epsilon} / 4 \alpha$, $1 - e^{-\epsilon} (1 - \alpha)$."""
    found = Tradeoff.of([part(Laplace(sensitivity=1, scale=1))]).found(alpha)
    below, middle = math.e * alpha, 1 - math.exp(-1) / (4 * alpha)
    best = below if alpha <= math.exp(-1) / 2 else middle if alpha <= 0.5 else 1 - math.exp(-1) * (1 - alpha)
    assert best - 1e-9 <= found <= best * 1.02 + 1e-3


@pytest.mark.parametrize(
    "event",
    [
        Gaussian(sensitivity=1, sigma=2),
        Concentrated(rho=0.05),
        Concentrated(rho=0.05, delta=1e-6),
        PoissonSubsampledGaussian(noise_multiplier=2.0, rate=0.1, steps=40),
    ],
)
def test_it_rises_with_the_alarms_and_lies_between_guessing_and_the_pair(event):
    one = part(event)
    curve, pair = Tradeoff.of([one]), Tradeoff(epsilons=(one.epsilon(),), deltas=(1e-5,))
    found = [curve.found(alpha) for alpha in RATES]
    assert found == sorted(found)
    assert all(alpha <= f <= pair.found(alpha) for alpha, f in zip(RATES, found, strict=True))
    assert list(curve.deltas) == sorted(curve.deltas, reverse=True)
    assert curve.posterior() == pair.posterior()


def test_of_several_plans_only_their_sum_is_known():
    """The later may have been made in view of what the former told."""
    parts = [part(Gaussian(sensitivity=1, sigma=4)), part(Gaussian(sensitivity=1, sigma=5))]
    curve = Tradeoff.of(parts)
    assert curve.epsilons == (pytest.approx(parts[0].epsilon() + parts[1].epsilon()),)
    assert curve.deltas == (2e-5,)


def test_nothing_spent_is_guessing_and_an_exact_answer_is_certainty():
    none = Tradeoff.of([])
    assert [none.found(alpha) for alpha in RATES] == pytest.approx(RATES)
    assert none.posterior() == 0.5
    exact = Tradeoff.of([part(NonPrivate(), delta=0.0)])
    assert (exact.found(0.01), exact.posterior()) == (1.0, 1.0)


def test_an_epsilon_of_thousands_is_certainty():
    """Large enough for its exponential to exceed every number."""
    huge = Tradeoff(epsilons=(2000.0,), deltas=(1e-5,))
    assert (huge.found(0.01), huge.posterior()) == (1.0, 1.0)
