"""Noisy counts and choices: exact laws, prices before draws, held against closed forms and OpenDP's own maps."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from synthkit.errors import ConfigError
from synthkit.privacy.accounting.events import DiscreteGaussian, DiscreteLaplace, ReportNoisyMax
from synthkit.privacy.mechanisms.noise import add_noise, choose, reach, tail

FLAKE = 1e-6
N = 50_000


def law(event, ks):
    """Probabilities of whole numbers, from the definition."""
    if isinstance(event, DiscreteLaplace):
        weights, every = np.exp(-np.abs(ks) / event.scale), np.exp(-np.abs(np.arange(-4000, 4001)) / event.scale)
    else:
        weights, every = (np.exp(-((k / event.sigma) ** 2) / 2) for k in (ks, np.arange(-4000, 4001)))
    return weights / every.sum()


def misfit(noise, event):
    """p-value of the noise under the law of the event, the tails put together."""
    edge = max(1, int(2 * np.abs(noise).mean()))
    ks = np.arange(-edge, edge + 1)
    expected = law(event, ks)
    found = np.array([(noise == k).sum() for k in ks])
    return stats.chisquare(
        np.append(found, len(noise) - found.sum()), np.append(expected, 1 - expected.sum()) * len(noise)
    ).pvalue


@pytest.mark.parametrize(
    "event",
    [DiscreteGaussian(sigma=0.5), DiscreteGaussian(sigma=7.3), DiscreteLaplace(scale=0.7), DiscreteLaplace(scale=9.0)],
    ids=str,
)
def test_noise_has_the_law_of_its_record_and_no_other(event):
    release = add_noise(np.full(N, 10**12), event)
    noise = release.values - 10**12
    assert release.spent is event
    assert misfit(noise, event) > FLAKE
    twin = DiscreteGaussian(sigma=1.1 * event.sigma) if event.kind == "discrete-gaussian" else None
    assert misfit(noise, twin or DiscreteLaplace(scale=1.1 * event.scale)) < FLAKE


@pytest.mark.parametrize("shape", [(), (0,), (4,), (2, 3), (2, 0)])
@pytest.mark.parametrize("event", [DiscreteGaussian(sigma=1.0), DiscreteLaplace(scale=1.0)], ids=str)
def test_counts_keep_their_shape(shape, event):
    values = add_noise(np.zeros(shape, np.int64), event).values
    assert values.shape == shape
    assert values.dtype == np.int64


def test_cells_get_independent_noise():
    noise = add_noise(np.zeros((2, N), np.int64), DiscreteLaplace(scale=3.0)).values
    assert stats.pearsonr(*noise).pvalue > FLAKE
    assert stats.pearsonr(noise[0, :-1], noise[0, 1:]).pvalue > FLAKE


def test_counts_of_any_order_in_memory_come_back_in_place():
    counts = np.arange(6).reshape(2, 3).T * 10**6
    assert (np.abs(add_noise(counts, DiscreteLaplace(scale=1.0)).values - counts) < 1000).all()


def test_opendp_asks_the_same_price():
    """Its privacy maps, in epsilon and rho, against the records' own definitions."""
    import opendp.prelude as dp

    dp.enable_features("contrib")
    ints = dp.vector_domain(dp.atom_domain(T="i64"))
    assert dp.m.make_laplace(ints, dp.l1_distance(T="i64"), scale=4.0).map(3) == pytest.approx(3 / 4)
    assert dp.m.make_gaussian(ints, dp.l2_distance(T="f64"), scale=4.0).map(3.0) == pytest.approx(9 / 32)
    space = dp.vector_domain(dp.atom_domain(T="f64", nan=False)), dp.linf_distance(T="f64")
    event = ReportNoisyMax(sensitivity=1.5, scale=4.0, picks=3)
    zcdp = dp.m.make_noisy_top_k(*space, dp.zero_concentrated_divergence(), k=3, scale=4.0).map(1.5)
    assert zcdp == pytest.approx(3 * event.width**2 / 8)


def test_one_choice_is_the_exponential_mechanism():
    scores, event = np.array([0.0, 1.0, 2.5, 2.5]), ReportNoisyMax(sensitivity=0.5, scale=1.3)
    found = np.bincount([choose(scores, event).values[0] for _ in range(10_000)], minlength=4)
    weights = np.exp(scores / event.scale)
    assert stats.chisquare(found, weights / weights.sum() * 10_000).pvalue > FLAKE


def test_several_choices_are_exponential_mechanisms_without_replacement():
    scores, event = np.array([0.0, 1.0, 2.0]), ReportNoisyMax(sensitivity=1.0, scale=1.0, picks=2)
    pairs = [tuple(choose(scores, event).values) for _ in range(10_000)]
    w = np.exp(scores)
    for first in range(3):
        for second in set(range(3)) - {first}:
            chance = w[first] / w.sum() * w[second] / (w.sum() - w[first])
            assert stats.binomtest(pairs.count((first, second)), len(pairs), chance).pvalue > FLAKE


def test_a_choice_tells_what_it_spent_and_each_place_once():
    event = ReportNoisyMax(sensitivity=1.0, scale=1.0, picks=4)
    release = choose(np.zeros(4), event)
    assert sorted(release.values) == [0, 1, 2, 3]
    assert release.spent is event


def test_more_picks_than_candidates_are_refused():
    with pytest.raises(ConfigError, match="there must be 3 candidates; however: 2 came"):
        choose(np.zeros(2), ReportNoisyMax(sensitivity=1.0, scale=1.0, picks=3))


@pytest.mark.parametrize("event", [DiscreteGaussian(sigma=2.5), DiscreteLaplace(scale=2.5)], ids=str)
def test_tails_are_sums_of_the_law(event):
    for k in (1, 2, 5, 30):
        assert tail(event, k) == pytest.approx(law(event, np.arange(k, 4001)).sum(), rel=1e-9)


@given(st.floats(0.05, 60), st.floats(1e-12, 0.3), st.booleans())
def test_the_reach_is_the_smallest(scale, chance, laplace):
    noise = DiscreteLaplace(scale=scale) if laplace else DiscreteGaussian(sigma=scale)
    k = reach(noise, chance)
    assert tail(noise, k) <= chance
    assert k == 1 or tail(noise, k - 1) > chance
    if laplace:
        a = math.exp(-1 / scale)
        assert a**k / (1 + a) <= chance * (1 + 1e-9)
