"""The accountant against closed forms, numerical integrals, brute force and the library's other accountant."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize, special, stats

from synthkit.privacy.accounting import accountant
from synthkit.privacy.accounting.charge import Charge
from synthkit.privacy.accounting.events import (
    Concentrated,
    DiscreteGaussian,
    DiscreteLaplace,
    Gaussian,
    Laplace,
    NonPrivate,
    PoissonSubsampledGaussian,
    ReportNoisyMax,
    SparseHistogram,
    StableHistogram,
    parameters,
)

DELTA = 1e-5


def of(event, times=1):
    return Charge(what="x", spent=event, times=times)


def epsilon(*events, delta=DELTA, grid=accountant.STATED_GRID):
    return accountant.epsilon([of(event) for event in events], delta, grid=grid)


def balle_wang(sigma, epsilon):
    """Delta of normal noise of sensitivity 1 (Balle, Wang: Improving the Gaussian mechanism, 2018, theorem 8)."""
    low, high = 1 / (2 * sigma) - epsilon * sigma, -1 / (2 * sigma) - epsilon * sigma
    return stats.norm.cdf(low) - math.exp(epsilon) * stats.norm.cdf(high)


def inverse(curve, delta=DELTA):
    return optimize.brentq(lambda e: curve(e) - delta, 0, 200)


@pytest.mark.parametrize("sigma", [0.5, 1.0, 3.7306, 20.0])
@pytest.mark.parametrize("delta", [1e-3, 1e-5, 1e-9])
def test_normal_noise_costs_what_the_closed_form_says(sigma, delta):
    exact = inverse(lambda e: balle_wang(sigma, e), delta)
    for stated in (
        epsilon(Gaussian(sensitivity=1, sigma=sigma), delta=delta),
        epsilon(*[Gaussian(sensitivity=3, sigma=6 * sigma)] * 4, delta=delta),
    ):
        assert exact <= stated + 1e-9
        assert stated == pytest.approx(exact, abs=1e-4)


def test_the_curve_of_normal_noise_is_the_closed_form():
    for e in (0.0, 0.5, 1.0, 3.0):
        stated = accountant.delta([of(Gaussian(sensitivity=1, sigma=1.3))], e)
        assert stated == pytest.approx(balle_wang(1.3, e), rel=1e-5)


@pytest.mark.parametrize("scale", [0.3, 2.0, 30.0])
def test_laplace_noise_costs_its_pure_epsilon_less_what_delta_forgives(scale):
    exact = 1 / scale + 2 * math.log1p(-DELTA)  # 1 - e^((epsilon - 1/b) / 2) = delta
    assert epsilon(Laplace(sensitivity=1, scale=scale)) == pytest.approx(exact, abs=1e-4)
    assert exact <= epsilon(Laplace(sensitivity=2, scale=2 * scale)) + 1e-9


def discrete(law, change, cells=1, reach=400):
    """Exact delta(epsilon) of whole-numbered noise, by summing over all outcomes of up to two cells."""
    z = np.arange(-reach, reach + 1)
    here, there = law(z), law(z - change)
    if cells == 2:
        here, there = np.outer(here, here).ravel(), np.outer(there, there).ravel()
    return lambda e: np.maximum(here - math.exp(e) * there, 0).sum()


@pytest.mark.parametrize(("change", "cells"), [(1, 1), (3, 1), (1, 2), (2, 2)])
def test_discrete_normal_noise_costs_what_summing_over_its_outcomes_says(change, cells):
    sigma = 4.0
    mass = np.exp(-(np.arange(-400, 401) ** 2) / (2 * sigma**2)).sum()
    exact = inverse(discrete(lambda z: np.exp(-(z**2) / (2 * sigma**2)) / mass, change, cells))
    stated = epsilon(DiscreteGaussian(sigma=sigma, change=change, cells=cells))
    assert exact - 1e-9 <= stated <= exact + 3e-4


@pytest.mark.parametrize("change", [1, 3])
def test_discrete_laplace_noise_costs_what_summing_over_its_outcomes_says(change):
    exact = inverse(discrete(lambda z: stats.dlaplace.pmf(z, 1 / 3.0), change))
    stated = epsilon(DiscreteLaplace(scale=3.0, change=change))
    assert exact - 1e-9 <= stated <= exact + 1e-4


@pytest.mark.parametrize(("moves", "change"), [((1, 1), 2), ((2, 1), 3), ((1, 1, 1), 3)])
def test_moves_of_one_group_cost_at_most_one_move_of_their_sum(moves, change):
    """The reading of `change` as an L1 norm, for both whole-numbered noises, by brute force over all outcomes."""
    z = np.arange(-40, 41)
    for law in (
        lambda z: stats.dlaplace.pmf(z, 1 / 2.0),
        lambda z: np.exp(-(z**2) / 8.0) / np.exp(-(np.arange(-40, 41) ** 2) / 8.0).sum(),
    ):
        here = there = np.ones(1)
        for move in moves:
            here, there = np.multiply.outer(here, law(z)), np.multiply.outer(there, law(z - move))
        whole = discrete(law, change, reach=40)
        for e in np.linspace(0, 2, 9):
            assert np.maximum(here - math.exp(e) * there, 0).sum() <= whole(e) + 1e-12


@pytest.mark.parametrize(("sigma", "rate"), [(0.8, 0.1), (2.0, 0.5), (1.0, 0.01)])
def test_a_step_on_a_poisson_sample_costs_what_the_closed_form_says(sigma, rate):
    """Where the mixture outweighs e^epsilon times the plain law is a half-line, and the other way round."""

    def curve(e):
        def edge(ratio):
            return sigma**2 * math.log((ratio - 1 + rate) / rate) + 0.5

        def more(x):  # mixture and plain law above x
            plain = stats.norm.sf(x / sigma)
            return (1 - rate) * plain + rate * stats.norm.sf((x - 1) / sigma), plain

        mixed, plain = more(edge(math.exp(e)))
        removed = mixed - math.exp(e) * plain
        if math.exp(-e) <= 1 - rate:
            return removed
        mixed, plain = more(edge(math.exp(-e)))
        return max(removed, (1 - plain) - math.exp(e) * (1 - mixed))

    stated = epsilon(PoissonSubsampledGaussian(noise_multiplier=sigma, rate=rate, steps=1))
    assert inverse(curve) - 1e-7 <= stated <= inverse(curve) + 1e-4


def test_many_steps_on_poisson_samples_cost_what_others_found():
    """Opacus' PRV accountant says 5.311 to 5.320 and its Rényi one 5.790 for these steps."""
    steps = PoissonSubsampledGaussian(noise_multiplier=1.1, rate=0.02, steps=2500)
    assert epsilon(steps) == pytest.approx(5.3097, abs=5e-4)
    assert epsilon(steps, grid=accountant.SEARCH_GRID) == pytest.approx(5.3106, abs=5e-4)
    assert accountant.renyi([of(steps)], DELTA) == pytest.approx(5.790, abs=5e-3)
    assert epsilon(*[PoissonSubsampledGaussian(noise_multiplier=1.1, rate=0.02, steps=1250)] * 2) == pytest.approx(
        5.3097, abs=5e-4
    )
    full = epsilon(PoissonSubsampledGaussian(noise_multiplier=9.0, rate=1.0, steps=9))
    assert full == pytest.approx(inverse(lambda e: balle_wang(3.0, e)), abs=1e-3)


@pytest.mark.parametrize(("rho", "known"), [(0.00851, 0.5), (0.03056, 1), (0.2242, 3), (1.783, 10), (0.1, 1.914)])
def test_a_reserve_costs_what_the_tight_conversion_says(rho, known):
    assert epsilon(Concentrated(rho=rho)) == pytest.approx(known, abs=2e-3)
    divergences = lambda a: rho * a + math.log1p(-1 / a) - (math.log(DELTA) + math.log(a)) / (a - 1)  # noqa: E731
    best = optimize.minimize_scalar(divergences, bounds=(1.01, 1e4), method="bounded", options={"xatol": 1e-6}).fun
    assert best - 1e-9 <= epsilon(Concentrated(rho=rho)) <= best * (1 + 1e-4)


def test_a_reserve_is_never_taken_for_normal_noise():
    """Of equal rho, normal noise is better known (1.760), a reserve is not (1.914), also beside normal noise."""
    noise = Gaussian(sensitivity=1, sigma=math.sqrt(5))
    assert epsilon(noise) == pytest.approx(1.760, abs=1e-3)
    mixed = epsilon(Concentrated(rho=0.05), Gaussian(sensitivity=1, sigma=math.sqrt(10)))
    assert mixed == pytest.approx(1.914, abs=1e-3)
    assert accountant.delta([of(Concentrated(rho=0.1))], 1.914) == pytest.approx(DELTA, rel=1e-2)
    assert "Rényi" in accountant.method([of(Concentrated(rho=0.1))])
    assert accountant.method([of(noise)]).startswith("privacy loss distributions, dp-accounting 0.6")
    assert "whichever is lower" in accountant.method([of(ReportNoisyMax(sensitivity=1, scale=2))])


@settings(max_examples=200, deadline=None)
@given(
    scores=st.lists(st.floats(-5, 5), min_size=2, max_size=6),
    seed=st.integers(0, 2**32 - 1),
    scale=st.floats(0.5, 20),
    e=st.floats(0, 3),
)
def test_a_noisy_maximum_loses_no_more_than_the_worst_pair(scores, seed, scale, e):
    """The law of the highest of scores with Gumbel noise is a softmax: its exact loss against the bound."""
    moved = np.asarray(scores) + np.random.default_rng(seed).choice([-1.0, 0.0, 1.0], len(scores))
    one, other = special.softmax(np.asarray(scores) / scale), special.softmax(moved / scale)
    bound = accountant.delta([of(ReportNoisyMax(sensitivity=1, scale=scale))], e, grid=accountant.SEARCH_GRID)
    assert np.maximum(one - math.exp(e) * other, 0).sum() <= bound + 1e-9


def test_the_worst_pair_of_a_noisy_maximum_is_reached():
    width = 1.0
    for e in (0.0, 0.3, 0.9):
        best = 0.0
        for t in np.linspace(0, width, 20_001)[1:]:  # losses t and t - width
            high = (1 - math.exp(t - width)) / (math.exp(t) - math.exp(t - width))
            best = max(
                best, high * max(math.exp(t) - math.exp(e), 0) + (1 - high) * max(math.exp(t - width) - math.exp(e), 0)
            )
        stated = accountant.delta([of(ReportNoisyMax(sensitivity=1, scale=2 / width))], e)
        assert stated == pytest.approx(best, rel=1e-3)


def test_many_picks_cost_no_more_than_their_concentration():
    picks = ReportNoisyMax(sensitivity=1, scale=20, picks=80)
    assert epsilon(picks) <= epsilon(Concentrated(rho=80 * 0.1**2 / 8)) + 1e-9
    assert epsilon(ReportNoisyMax(sensitivity=1, scale=2)) <= 1.0
    assert epsilon(*[ReportNoisyMax(sensitivity=1, scale=20, picks=40)] * 2) == epsilon(picks)


def test_a_stable_histogram_costs_its_noise_and_its_failure():
    told = StableHistogram(scale=2.0, threshold=30)
    assert epsilon(told, delta=1e-3) == pytest.approx(0.5, abs=2e-3)
    assert epsilon(told, delta=told.failure * 0.99) == math.inf
    assert epsilon(Concentrated(rho=0.1), told, delta=told.failure * 0.99) == math.inf
    # exactly: a level of one unit alone is told, or its count has noise; the worse of the two at each epsilon
    exact = max(told.failure, discrete(lambda z: stats.dlaplace.pmf(z, 0.5), 1)(0.2))
    stated = accountant.delta([of(told)], 0.2)
    assert exact <= stated <= exact + told.failure + 1e-6


def test_a_sparse_histogram_costs_its_noise_and_its_failure():
    told = SparseHistogram(sigma=4.0, threshold=20)
    noise = DiscreteGaussian(sigma=4.0)
    assert epsilon(told, delta=1e-3) == pytest.approx(epsilon(noise, delta=1e-3 - told.failure), abs=2e-3)
    assert epsilon(told, delta=told.failure * 0.99) == math.inf
    assert epsilon(Concentrated(rho=0.1), told, delta=told.failure * 0.99) == math.inf
    # exactly: a level of one unit alone is told, or its count has noise; the worse of the two at each epsilon
    mass = np.exp(-(np.arange(-400, 401) ** 2) / 32).sum()
    exact = max(told.failure, discrete(lambda z: np.exp(-(z**2) / 32) / mass, 1)(0.2))
    stated = accountant.delta([of(told)], 0.2)
    assert exact <= stated <= exact + told.failure + 1e-6


def test_an_exact_answer_costs_everything():
    assert epsilon(NonPrivate()) == epsilon(Gaussian(sensitivity=1, sigma=9), NonPrivate()) == math.inf
    assert accountant.renyi([of(NonPrivate())], DELTA) == math.inf
    assert accountant.delta([of(NonPrivate())], 5.0) == 1.0


def test_nothing_costs_nothing():
    assert accountant.epsilon([], DELTA) == accountant.renyi([], DELTA) == accountant.delta([], 1.0) == 0.0


def test_hardly_any_noise_costs_everything_at_once():
    """A bound of infinity rather than minutes on a grid of millions of losses."""
    assert epsilon(Laplace(sensitivity=1, scale=1e-9)) == math.inf
    assert epsilon(PoissonSubsampledGaussian(noise_multiplier=0.01, rate=0.5, steps=1000)) == math.inf


SOME = st.one_of(
    st.builds(Gaussian, sensitivity=st.floats(0.5, 2), sigma=st.floats(2, 50)),
    st.builds(DiscreteGaussian, sigma=st.floats(2, 50), change=st.integers(1, 2), cells=st.integers(1, 3)),
    st.builds(Laplace, sensitivity=st.floats(0.5, 2), scale=st.floats(2, 50)),
    st.builds(DiscreteLaplace, scale=st.floats(2, 50), change=st.integers(1, 2)),
    st.builds(
        PoissonSubsampledGaussian,
        noise_multiplier=st.floats(0.7, 4),
        rate=st.floats(0.001, 0.2),
        steps=st.integers(1, 200),
    ),
    st.builds(ReportNoisyMax, sensitivity=st.just(1.0), scale=st.floats(4, 50), picks=st.integers(1, 5)),
    st.builds(StableHistogram, scale=st.floats(1, 4), threshold=st.integers(80, 99)),
    st.builds(SparseHistogram, sigma=st.floats(2, 50), threshold=st.integers(400, 500)),
)
PLANS = st.lists(st.builds(Charge, what=st.just("x"), spent=SOME, times=st.integers(1, 3)), min_size=1, max_size=5)


@settings(max_examples=25, deadline=None)
@given(plan=PLANS, seed=st.randoms(use_true_random=False))
def test_the_order_of_charges_does_not_matter(plan, seed):
    other = list(plan)
    seed.shuffle(other)
    assert accountant.epsilon(plan, DELTA, grid=accountant.SEARCH_GRID) == accountant.epsilon(
        other, DELTA, grid=accountant.SEARCH_GRID
    )
    assert accountant.renyi(plan, DELTA) == accountant.renyi(other, DELTA)


@settings(max_examples=25, deadline=None)
@given(one=PLANS, other=PLANS)
def test_together_costs_no_more_than_apart_and_no_less_than_either(one, other):
    grid = accountant.SEARCH_GRID
    apart = sum(accountant.epsilon(plan, DELTA / 2, grid=grid) for plan in (one, other))
    both = accountant.epsilon(one + other, DELTA, grid=grid)
    assert both <= apart + 5e-3
    assert both >= max(accountant.epsilon(plan, DELTA, grid=grid) for plan in (one, other)) - 5e-3


@settings(max_examples=25, deadline=None)
@given(event=SOME, factor=st.floats(1.05, 3))
def test_more_noise_never_costs_more(event, factor):
    values = parameters(event)
    name = next(name for name in ("sigma", "scale", "noise_multiplier") if name in values)
    if "threshold" in values:
        values["threshold"] = math.ceil(values["threshold"] * factor) + 1
    noisier = type(event)(**values | {name: values[name] * factor})
    assert epsilon(noisier) <= epsilon(event) + 1e-4
    assert accountant.renyi([of(noisier)], DELTA) <= accountant.renyi([of(event)], DELTA) + 1e-9


@settings(max_examples=25, deadline=None)
@given(plan=PLANS)
def test_loss_distributions_are_never_above_divergences(plan):
    """The cross-check of two ways that share no code; both are bounds, the first is the tighter but for its grid."""
    assert accountant.epsilon(plan, DELTA) <= accountant.renyi(plan, DELTA) + 2e-3


@pytest.mark.parametrize("alpha", [1.5, 4.0, 32.0])
def test_divergences_of_whole_numbered_laplace_noise_are_bounded(alpha):
    """By brute force over its outcomes: the bound used is that of randomised response."""
    z = np.arange(-200, 201)
    here, there = stats.dlaplace.logpmf(z, 0.5), stats.dlaplace.logpmf(z - 1, 0.5)
    exact = special.logsumexp(alpha * here + (1 - alpha) * there) / (alpha - 1)
    bound = accountant._pure(0.5, np.array([alpha]))[0]
    keep = special.expit(0.5)
    response = math.log(keep**alpha * (1 - keep) ** (1 - alpha) + (1 - keep) ** alpha * keep ** (1 - alpha)) / (
        alpha - 1
    )
    assert bound == pytest.approx(response)
    assert exact <= bound + 1e-12  # equal, in fact, for a change of 1
