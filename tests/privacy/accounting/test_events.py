"""Records of mechanisms: what they refuse, the forms of their numbers, the tail of a sparse histogram."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from synthkit.errors import ConfigError
from synthkit.privacy.accounting.charge import Charge
from synthkit.privacy.accounting.events import (
    EVENTS_BY_NAME,
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
    StackedGaussian,
    parameters,
)

SOUND = {
    Gaussian: {"sensitivity": 1.0, "sigma": 2.0},
    DiscreteGaussian: {"sigma": 2.0, "change": 1, "cells": 1},
    StackedGaussian: {"noise_multiplier": 2.0},
    Laplace: {"sensitivity": 1.0, "scale": 2.0},
    DiscreteLaplace: {"scale": 2.0, "change": 1},
    PoissonSubsampledGaussian: {"noise_multiplier": 1.0, "rate": 0.1, "steps": 9},
    ReportNoisyMax: {"sensitivity": 1.0, "scale": 9.0, "picks": 2},
    SparseHistogram: {"sigma": 2.0, "threshold": 20},
    StableHistogram: {"scale": 2.0, "threshold": 20},
    Concentrated: {"rho": 0.1, "delta": 0.0},
    NonPrivate: {},
}
WHOLE = [(k, n) for k, values in SOUND.items() for n, v in values.items() if isinstance(v, int)]
REAL = [(k, n) for k, values in SOUND.items() for n, v in values.items() if isinstance(v, float) and v > 0]


def test_all_kinds_are_known_and_told_apart():
    assert list(SOUND) == list(EVENTS_BY_NAME.values())
    assert {kind: record.kind for kind, record in EVENTS_BY_NAME.items()} == {kind: kind for kind in EVENTS_BY_NAME}


@pytest.mark.parametrize("record", SOUND)
def test_a_record_says_its_numbers_and_does_not_change(record):
    event = record(**SOUND[record])
    assert parameters(event) == SOUND[record]
    for name in SOUND[record]:
        with pytest.raises(AttributeError):
            setattr(event, name, 3)


@pytest.mark.parametrize(("record", "name"), REAL)
@pytest.mark.parametrize("wrong", [0, -1.0, math.inf, math.nan, True, "2", None])
def test_scales_and_rates_are_finite_and_above_zero(record, name, wrong):
    with pytest.raises(ConfigError, match=f"`{name}` of {record.kind} must be a finite number above 0; however: "):
        record(**SOUND[record] | {name: wrong})


@pytest.mark.parametrize(("record", "name"), WHOLE)
@pytest.mark.parametrize("wrong", [0, -1, 1.5, 2.0, True, "2", None])
def test_counts_are_whole_and_at_least_one(record, name, wrong):
    with pytest.raises(ConfigError, match=f"`{name}` of {record.kind} must be a whole number of 1 or more; however: "):
        record(**SOUND[record] | {name: wrong})


def test_numbers_of_other_libraries_take_one_form():
    event = DiscreteGaussian(sigma=np.float32(2), change=np.int64(3))
    assert event == DiscreteGaussian(sigma=2.0, change=3)
    assert [type(value) for value in parameters(event).values()] == [float, int, int]
    assert type(Charge(what="x", spent=event, times=np.int32(4)).times) is int


def test_a_rate_is_a_probability():
    with pytest.raises(
        ConfigError, match=r"`rate` of poisson-subsampled-gaussian must be a probability .*; however: 1.5"
    ):
        PoissonSubsampledGaussian(noise_multiplier=1, rate=1.5, steps=1)


def test_a_threshold_hides_single_units():
    for record, scale in ((SparseHistogram, "sigma"), (StableHistogram, "scale")):
        with pytest.raises(ConfigError, match=rf"`threshold` of {record.kind} must be 2 or more, .*; however: 1"):
            record(**{scale: 1}, threshold=1)


@pytest.mark.parametrize("wrong", [-0.1, 1.0, math.nan, None, "", False, [], "0.1"])
def test_a_reserve_may_fail_with_a_probability_only(wrong):
    with pytest.raises(ConfigError, match="`delta` of concentrated must be"):
        Concentrated(rho=1, delta=wrong)


@pytest.mark.parametrize(("scale", "threshold"), [(0.3, 2), (1.0, 14), (7.5, 120)])
def test_the_failure_of_a_stable_histogram_is_the_tail_of_the_discrete_laplace_law(scale, threshold):
    tail = stats.dlaplace.sf(threshold - 2, 1 / scale)  # P[Z >= threshold - 1]
    assert StableHistogram(scale=scale, threshold=threshold).failure == pytest.approx(tail, rel=1e-9)


@pytest.mark.parametrize(("sigma", "threshold"), [(0.5, 2), (1.0, 6), (7.5, 40)])
def test_the_failure_of_a_sparse_histogram_is_the_tail_of_the_discrete_normal_law(sigma, threshold):
    z = np.arange(-900, 901)
    weights = np.exp(-(z**2) / (2 * sigma**2))
    tail = weights[z >= threshold - 1].sum() / weights.sum()
    assert SparseHistogram(sigma=sigma, threshold=threshold).failure == pytest.approx(tail, rel=1e-9)


def test_the_failures_of_histograms_are_the_deltas_of_opendp():
    dp = pytest.importorskip("opendp.prelude")
    dp.enable_features("contrib")
    count = dp.t.make_count_by(dp.vector_domain(dp.atom_domain(T=str)), dp.symmetric_distance())
    for scale, threshold in ((1.0, 14), (4.0, 60)):
        epsilon, delta = (count >> dp.m.then_laplace_threshold(scale=scale, threshold=threshold)).map(1)
        ours = StableHistogram(scale=scale, threshold=threshold + 1)  # theirs tells what is above the threshold
        assert epsilon == pytest.approx(1 / ours.scale)
        assert ours.failure == pytest.approx(delta, rel=1e-6)
    one = dp.map_domain(dp.atom_domain(T=str), dp.atom_domain(T="i32"))
    for sigma, threshold in ((1.0, 5), (9.0, 50)):
        metric = dp.l02inf_distance(dp.absolute_distance(T="i32"))
        made = dp.m.make_gaussian_threshold(one, metric, scale=sigma, threshold=threshold)
        rho, delta = made.map((1, 1, 1))  # by a normal tail, which bounds the exact one
        normal = SparseHistogram(sigma=sigma, threshold=threshold + 1)
        assert rho == pytest.approx(1 / (2 * normal.sigma**2))
        assert normal.failure <= delta <= SparseHistogram(sigma=sigma, threshold=threshold).failure


@pytest.mark.parametrize("wrong", [0, 1.0, True])
def test_a_charge_is_made_a_whole_number_of_times(wrong):
    with pytest.raises(ConfigError, match="`times` of a charge must be a whole number of 1 or more; however: "):
        Charge(what="histogram of age", spent=Gaussian(sensitivity=1, sigma=1), times=wrong)


@pytest.mark.parametrize("wrong", [3.0, None, "gaussian", Gaussian])
def test_a_charge_names_a_mechanism(wrong):
    with pytest.raises(ConfigError, match=r"a charge must name a mechanism of gaussian, .*; however: "):
        Charge(what="histogram of age", spent=wrong)
