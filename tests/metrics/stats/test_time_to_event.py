"""Survival curves and concordance against lifelines, hand-worked tables and brute force."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lifelines import KaplanMeierFitter
from lifelines.utils import concordance_index, restricted_mean_survival_time

from synthkit.metrics.stats import intervals
from synthkit.metrics.stats.time_to_event import areas_between, concordance, kaplan_meier, restricted_mean

RNG = np.random.default_rng


def people(rows: int, seed: int, *, ties: bool = True):
    """Risk, times and events; with ties, times are whole numbers and risks are too."""
    rng = RNG(seed)
    risk = rng.normal(size=rows)
    event, end = rng.exponential(10 * np.exp(-0.7 * risk)), rng.uniform(1, 30, rows)
    times = np.minimum(event, end)
    return (risk.round(), np.ceil(times), event <= end) if ties else (risk, times, event <= end)


def test_the_curve_of_six_people_by_hand():
    """Of 6 one dies at 1; of 5 none at 2, one leaves; of 4 two die at 3; of 2 one leaves at 4; the last dies at 5."""
    times, seen = np.array([1.0, 2, 3, 3, 4, 5]), np.array([1, 0, 1, 1, 0, 1], dtype=bool)
    curve = kaplan_meier(times, seen)
    np.testing.assert_allclose(curve.survival[0], [5 / 6, 5 / 6, 5 / 12, 5 / 12, 0])
    assert curve(np.array([0.0, 0.99, 1, 4.5, 9]))[0].tolist() == pytest.approx([1, 1, 5 / 6, 5 / 12, 0])
    assert restricted_mean(curve, 4)[0] == pytest.approx(1 + 2 * 5 / 6 + 5 / 12)


@pytest.mark.parametrize("ties", [True, False])
def test_curve_and_restricted_mean_are_those_of_lifelines(ties):
    _, times, seen = people(300, 1, ties=ties)
    fitted = KaplanMeierFitter().fit(times, seen)
    curve = kaplan_meier(times, seen)
    at = np.concatenate([np.linspace(0, 40, 77), curve.at])
    np.testing.assert_allclose(curve(at)[0], fitted.predict(at), atol=1e-12)
    for tau in (5.0, 12.5):
        assert restricted_mean(curve, tau)[0] == pytest.approx(restricted_mean_survival_time(fitted, t=tau))


def test_weights_repeat_people():
    _, times, seen = people(50, 2)
    weights = intervals.bootstrap_weights(np.arange(50), 4, RNG(0))
    curves = kaplan_meier(times, seen, weights)
    for k, w in enumerate(weights):
        one = kaplan_meier(np.repeat(times, w), np.repeat(seen, w))
        np.testing.assert_allclose(curves(np.arange(40.0))[k], one(np.arange(40.0))[0], atol=1e-12)


def test_the_bootstrap_of_a_restricted_mean_is_as_wide_as_its_closed_form():
    _, times, seen = people(600, 3, ties=False)
    weights = intervals.bootstrap_weights(np.arange(600), 400, RNG(0))
    greenwood = _greenwood(times, seen, 10)
    spread = restricted_mean(kaplan_meier(times, seen, weights), 10).std(ddof=1)
    assert spread == pytest.approx(np.sqrt(greenwood), rel=0.12)


def _greenwood(times, seen, tau):
    """Sum over events of (area after the event)² d / (n (n - d)), by a loop."""
    curve, total = kaplan_meier(times, seen), 0.0
    whole = restricted_mean(curve, tau)[0]
    for t in np.unique(times[seen & (times < tau)]):
        d, n = (seen & (times == t)).sum(), (times >= t).sum()
        total += (whole - restricted_mean(curve, t)[0]) ** 2 * d / (n * (n - d))
    return total


def test_areas_between_curves_by_hand():
    """One curve falls to 0 at 1, the other at 3; a third starts below and ends above: signs cancel, sizes do not."""
    yes = np.array([True])
    one, three = (kaplan_meier(np.array([t]), yes) for t in (1.0, 3.0))
    assert [float(x[0]) for x in areas_between(one, three, 4)] == [0.5, -0.5]
    half = kaplan_meier(np.array([1.0, 9.0]), np.array([True, False]))
    two = kaplan_meier(np.array([2.0, 2.0]), np.array([True, True]))
    assert [float(x[0]) for x in areas_between(half, two, 3)] == pytest.approx([1 / 3, 0])


@settings(max_examples=25, deadline=None)
@given(scale=st.floats(0.1, 10), seed=st.integers(0, 100))
def test_stretched_time_stretches_the_restricted_mean(scale, seed):
    """All times and tau times c: c times the mean; the gap, which is a share of the longest time, stays."""
    _, times, seen = people(40, seed)
    plain, stretched = kaplan_meier(times, seen), kaplan_meier(times * scale, seen)
    assert restricted_mean(stretched, 7 * scale)[0] == pytest.approx(scale * restricted_mean(plain, 7)[0])


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 1000))
def test_concordance_is_that_of_lifelines(seed):
    """With ties in times, in risks, and between events and censored times."""
    risk, times, seen = people(60, seed)
    assert concordance(risk, times, seen)[0] == pytest.approx(concordance_index(times, -risk, seen))


def test_concordance_in_blocks_and_with_weights():
    risk, times, seen = people(1300, 5)
    weights = intervals.bootstrap_weights(np.arange(1300), 2, RNG(0))
    found = concordance(risk, times, seen, weights)
    for k, w in enumerate(weights):
        again = concordance_index(np.repeat(times, w), -np.repeat(risk, w), np.repeat(seen, w))
        assert found[k] == pytest.approx(again, abs=1e-6)
    assert np.isnan(concordance(risk[:3], times[:3], np.zeros(3, dtype=bool))).all()
