"""Draws of noisy counts and noisy choices, exact by OpenDP; a record of `events` says what is drawn, and costs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from synthkit.errors import ConfigError
from synthkit.privacy.accounting.events import DiscreteGaussian, DiscreteLaplace, ReportNoisyMax, StackedGaussian
from synthkit.privacy.mechanisms.noise_tails import laplace_tail, normal_tail

Noise = DiscreteGaussian | DiscreteLaplace


@dataclass(frozen=True, kw_only=True)
class NoisyAnswer:
    """What may be told, and the record that was to be charged before it was drawn.

    Args:
        values: noisy counts in the shape of the exact ones, or places of the chosen candidates (picks,), best first.
        spent: the mechanism, with its scale and sensitivity.
    """

    values: NDArray[np.int64]
    spent: Noise | StackedGaussian | ReportNoisyMax


def add_noise(counts: NDArray[np.int64], spent: Noise | StackedGaussian, norm: float = 1.0) -> NoisyAnswer:
    """Counts plus whole-numbered noise, exactly distributed, random as the operating system is.

    **Shape**: any -> the same.

    Args:
        counts: exact counts, of which one unit moves no more than `spent` says.
        spent: the noise; charge it first.
        norm: of stacked counts, by how much one unit moves all of them together, in Euclidean norm.

    References:
        Canonne, Kamath, Steinke: The discrete Gaussian for differential privacy (2020). Ghosh, Roughgarden,
        Sundararajan: Universally utility-maximizing privacy mechanisms (2009).

    Example:
        >>> release = add_noise(np.array([3, 0, 9]), DiscreteLaplace(scale=0.01))
        >>> release.values, release.spent.scale
        (array([3, 0, 9]), 0.01)
    """
    flat = np.ascontiguousarray(counts, np.int64).reshape(-1)
    noise = DiscreteGaussian(sigma=spent.noise_multiplier * norm) if isinstance(spent, StackedGaussian) else spent
    noisy = np.array(measurement(noise)(flat) if len(flat) else [], np.int64)
    return NoisyAnswer(values=noisy.reshape(counts.shape), spent=spent)


def choose(scores: NDArray[np.float64], spent: ReportNoisyMax) -> NoisyAnswer:
    """The candidates with the highest scores after Gumbel noise: exponential mechanisms without replacement.

    **Shape**: (candidates,) -> (picks,), places of candidates, best first.

    Args:
        scores: finite numbers, each of which one unit moves by at most the sensitivity of `spent`.
        spent: the noise and how many are picked; charge it first.

    Raises:
        ConfigError: there are fewer candidates than picks.

    References:
        McSherry, Talwar: Mechanism design via differential privacy (2007). Durfee, Rogers: Practical differentially
        private top-k selection with pay-what-you-get composition (2019).

    Example:
        >>> choose(np.array([0.0, 900.0, 1.0]), ReportNoisyMax(sensitivity=1.0, scale=2.0)).values
        array([1])
    """
    if len(scores) < spent.picks:
        msg = f"there must be {spent.picks} candidates; however: {len(scores)} came. Pick fewer"
        raise ConfigError(msg)
    chosen = measurement(spent)(np.ascontiguousarray(scores, np.float64))
    return NoisyAnswer(values=np.array(chosen, np.int64), spent=spent)


def tail(noise: Noise, k: int) -> float:
    """P(noise >= k) for k >= 1."""
    return laplace_tail(noise.scale, k) if isinstance(noise, DiscreteLaplace) else normal_tail(noise.sigma, k)


@lru_cache(maxsize=256)
def reach(noise: Noise, chance: float) -> int:
    """Smallest k >= 1 that the noise reaches with probability at most `chance`, by bisection."""
    low, high = 0, 1
    while tail(noise, high) > chance:
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if tail(noise, middle) > chance else (low, middle)
    return high


@lru_cache(maxsize=256)
def measurement(spent: Noise | ReportNoisyMax) -> Callable[[NDArray[Any]], list[int]]:
    """OpenDP's function that draws a record, built once; it holds public numbers only, and no state of a generator."""
    import opendp.prelude as dp

    dp.enable_features("contrib")
    ints = dp.vector_domain(dp.atom_domain(T="i64"))
    made: Callable[[NDArray[Any]], list[int]]
    if isinstance(spent, DiscreteGaussian):
        made = dp.m.make_gaussian(ints, dp.l2_distance(T="f64"), scale=spent.sigma)
    elif isinstance(spent, DiscreteLaplace):
        made = dp.m.make_laplace(ints, dp.l1_distance(T="i64"), scale=spent.scale)
    else:
        space = dp.vector_domain(dp.atom_domain(T="f64", nan=False)), dp.linf_distance(T="f64")
        made = dp.m.make_noisy_top_k(*space, dp.zero_concentrated_divergence(), k=spent.picks, scale=spent.scale)
    return made
