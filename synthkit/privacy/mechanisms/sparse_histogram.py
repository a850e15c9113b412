"""Levels nobody declared: those that enough units have, told with noise."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from synthkit.errors import ConfigError
from synthkit.privacy.accounting.events import DiscreteGaussian, SparseHistogram
from synthkit.privacy.mechanisms.noise import add_noise, reach


@dataclass(frozen=True, kw_only=True)
class NoisyLevels:
    """Levels that are told, in sorted order, with noisy counts, and the record that was to be charged before.

    **Shape**: `names` and `counts` (m,), counts from the threshold on.
    """

    names: tuple[str, ...]
    counts: NDArray[np.int64]
    spent: SparseHistogram


def sparse_histogram(*, sigma: float, delta: float) -> SparseHistogram:
    """The record with the lowest threshold that tells a level of a single unit with probability at most `delta`.

    Args:
        sigma: of the noise on the counts, above 0.
        delta: in (0, 1).

    Raises:
        ConfigError: sigma is not above 0 and finite, or delta is no probability.

    Example:
        >>> sparse_histogram(sigma=1.0, delta=1e-6)
        SparseHistogram(sigma=1.0, threshold=7)
    """
    if not 0 < delta < 1:
        msg = f"delta must lie in (0, 1); however: {delta} came. Take a share of the budget's delta"
        raise ConfigError(msg)
    return SparseHistogram(sigma=sigma, threshold=1 + reach(DiscreteGaussian(sigma=sigma), delta))


def tell_levels(names: Sequence[str], counts: NDArray[np.int64], spent: SparseHistogram) -> NoisyLevels:
    """The levels whose noisy count reaches the threshold, sorted by name, so that the order of the rows does not show.

    Args:
        names: the distinct levels that occur.
        counts: units of each, all positive, each unit by one row chosen in secret (`unit_sampling.kept`).
            **Shape**: (m,).
        spent: noise and threshold; charge it first.

    Raises:
        ConfigError: a level comes twice or without a unit, which counting rows never gives.

    References:
        Korolova, Kenthapadi, Mishra, Ntoulas: Releasing search queries and clicks privately (2009). Wilson, Zhang,
        Lam, Desfontaines, Simmons-Marengo, Gipson: Differentially private SQL with bounded user contribution (2020).

    Example:
        >>> told = tell_levels(["usual", "rare"], np.array([900, 1]), SparseHistogram(sigma=1.0, threshold=40))
        >>> told.names
        ('usual',)
    """
    if len(set(names)) < len(names) or len(names) != len(counts) or (counts < 1).any():
        msg = "levels must be distinct, each with a positive count; however: they are not. Count the rows by level"
        raise ConfigError(msg)
    noisy = add_noise(counts, DiscreteGaussian(sigma=spent.sigma)).values
    told = sorted((name, int(count)) for name, count in zip(names, noisy, strict=True) if count >= spent.threshold)
    return NoisyLevels(
        names=tuple(name for name, _ in told), counts=np.array([count for _, count in told], np.int64), spent=spent
    )
