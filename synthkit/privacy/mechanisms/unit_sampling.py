"""Which units take part in a step and which of their rows are looked at: independent draws nobody can repeat."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from synthkit.errors import ConfigError
from synthkit.privacy.mechanisms.rng import bernoulli, order


@dataclass(frozen=True, kw_only=True)
class PoissonSampling:
    """Each unit takes part in each step with probability `rate`, whoever else does; an empty batch is a batch.

    The rate and the steps are public. The number of units and the masks are not: they are arguments and answers of
    calls, and nothing of them is kept.

    Args:
        rate: probability q, in (0, 1].
        steps: how many batches, at least 1.

    Raises:
        ConfigError: the rate or the steps are out of range.

    References:
        Deep learning with differential privacy (Abadi, Chu, Goodfellow, McMahan, Mironov, Talwar, Zhang, 2016).
        How private are DP-SGD implementations? (Chua, Ghazi, Kamath, Kumar, Manurangsi, Sinha, Zhang, 2024).

    Example:
        >>> [mask.shape for mask in PoissonSampling(rate=0.1, steps=2).masks(50)]
        [(50,), (50,)]
    """

    rate: float
    steps: int

    def __post_init__(self) -> None:
        if not 0 < self.rate <= 1:
            msg = f"a sampling rate must lie in (0, 1]; however: {self.rate} came. Divide the batch by a public n"
            raise ConfigError(msg)
        if self.steps < 1:
            msg = f"there must be a step; however: {self.steps} were asked for. Ask for one or more"
            raise ConfigError(msg)

    def masks(self, units: int) -> Iterator[NDArray[np.bool_]]:
        """Who takes part, step after step. **Shape**: `steps` masks (units,)."""
        for _ in range(self.steps):
            yield bernoulli(units, self.rate)


def kept(units: NDArray[np.int64], most: int) -> NDArray[np.bool_]:
    """At most `most` rows of each unit, any of its rows as likely as any other, each unit by itself.

    **Shape**: units (n,), the number of each row's unit -> (n,).

    Args:
        units: whose row it is.
        most: rows of one unit that may be looked at, at least 1; a public number.

    Raises:
        ConfigError: no row may be looked at.

    Example:
        >>> kept(np.array([4, 9, 4, 4]), 1).sum()
        np.int64(2)
    """
    if most < 1:
        msg = f"a row of each unit must be kept; however: at most {most} was asked for. Ask for one or more"
        raise ConfigError(msg)
    shuffled = order(len(units))
    sorted_ = shuffled[np.argsort(units[shuffled], kind="stable")]
    owner = units[sorted_]
    first = np.r_[True, owner[1:] != owner[:-1]][: len(owner)]
    place = np.arange(len(owner)) - np.maximum.accumulate(np.where(first, np.arange(len(owner)), 0))
    out = np.zeros(len(units), bool)
    out[sorted_[place < most]] = True
    return out
