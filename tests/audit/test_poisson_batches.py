"""A Poisson sampler passes; batches that only look like one are called broken, each by the property it lacks."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from synthkit.audit.poisson_batches import audit_batches
from synthkit.errors import ConfigError
from synthkit.privacy.mechanisms.unit_sampling import PoissonSampling

UNITS, STEPS, RATE = 2000, 200, 0.1
SIZE = int(UNITS * RATE)


def broken(masks, rate=RATE):
    return {check.what for check in audit_batches(masks, rate) if check.verdict == "broken"}


def of(batches):
    masks = np.zeros((len(batches), UNITS), bool)
    for mask, batch in zip(masks, batches, strict=True):
        mask[batch] = True
    return masks


@pytest.mark.parametrize("rate", [0.1, 0.5, 0.9])
def test_our_sampler_passes(rate):
    masks = np.stack(list(PoissonSampling(rate=rate, steps=STEPS).masks(UNITS)))
    assert broken(masks, rate) == set()


def test_p_values_of_a_right_sampler_are_spread_evenly():
    """A generator that is not ours; 5 properties of 200 trainings, Kolmogorov and Smirnov."""
    rng = np.random.default_rng(5)
    trainings = [audit_batches(rng.random((60, 700)) < 0.2, 0.2) for _ in range(200)]
    for checks in zip(*trainings, strict=True):
        assert stats.kstest([check.p_value for check in checks], "uniform").pvalue > 1e-4, checks[0].what


def test_batches_of_a_shuffled_table_are_broken():
    """Sizes are fixed, and each unit comes once an epoch."""
    rng = np.random.default_rng(5)
    epochs = [rng.permutation(UNITS).reshape(-1, SIZE) for _ in range(STEPS * SIZE // UNITS)]
    assert broken(of(np.concatenate(epochs))) >= {
        "scatter of sizes of batches",
        "scatter of how often a unit takes part",
        "independence of a step and the next",
    }


def test_batches_of_a_fixed_size_are_broken():
    rng = np.random.default_rng(5)
    masks = of([rng.choice(UNITS, SIZE, replace=False) for _ in range(STEPS)])
    assert broken(masks) == {"scatter of sizes of batches"}


def test_one_batch_again_and_again_is_broken():
    mask = next(PoissonSampling(rate=RATE, steps=1).masks(UNITS))
    assert "independence of a step and the next" in broken(np.tile(mask, (STEPS, 1)))


def test_blocks_of_neighbours_are_broken():
    rng = np.random.default_rng(5)
    masks = np.repeat(rng.random((STEPS, UNITS // 10)) < RATE, 10, axis=1)
    assert "independence of neighbours in the table" in broken(masks)


def test_another_rate_is_broken():
    masks = np.stack(list(PoissonSampling(rate=1.1 * RATE, steps=STEPS).masks(UNITS)))
    assert "mean size of batches" in broken(masks)


def test_units_that_come_more_often_than_others_are_broken():
    rng = np.random.default_rng(5)
    masks = rng.random((STEPS, UNITS)) < np.where(np.arange(UNITS) % 2, 1.5, 0.5) * RATE
    assert "scatter of how often a unit takes part" in broken(masks)


def test_batches_that_are_never_empty_are_broken():
    """A loader that redraws an empty batch, at a rate where a third would be."""
    rng = np.random.default_rng(5)
    masks = rng.random((100_000, 2)) < 0.4
    assert "mean size of batches" in broken(masks[masks.any(axis=1)], 0.4)


@pytest.mark.parametrize("rate", [0.0, 1.0])
def test_a_rate_with_nothing_to_check_is_refused(rate):
    with pytest.raises(ConfigError, match=rf"must lie in \(0, 1\); however: {rate} came"):
        audit_batches(np.zeros((5, 5), bool), rate)


@pytest.mark.parametrize("shape", [(1, 5), (5, 1)])
def test_a_single_step_or_unit_is_refused(shape):
    with pytest.raises(ConfigError, match="there must be two steps and two units; however: there are"):
        audit_batches(np.zeros(shape, bool), 0.5)
