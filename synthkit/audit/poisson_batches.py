"""Whether batches are a Poisson sample: sizes, shares of units, independence over steps and between units."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from synthkit.errors import ConfigError

FLAKE = 1e-6  # how often a right sampler may be called broken by one check


@dataclass(frozen=True, kw_only=True)
class BatchCheck:
    """A test of one property that a right sampler has.

    Args:
        what: the property.
        p_value: how often a right sampler looks as wrong by chance.
    """

    what: str
    p_value: float

    @property
    def verdict(self) -> Literal["holds", "broken"]:
        """`broken` where chance would do it once in a million."""
        return "broken" if self.p_value < FLAKE else "holds"


def audit_batches(masks: NDArray[np.bool_], rate: float) -> tuple[BatchCheck, ...]:
    """Checks of the batches of a training; approximate, for 100 steps and units or more.

    - the mean size is n q; sizes scatter by n q (1 - q), neither less (a fixed size) nor more;
    - how often a unit takes part scatters by T q (1 - q), neither less (epochs of a shuffled table) nor more;
    - taking part in a step says nothing of the next one, nor of the neighbour in the table.

    **Shape**: (T steps, n units).

    Args:
        masks: who took part. INTERNAL where the table is real.
        rate: probability q, in (0, 1).

    Raises:
        ConfigError: the rate is not in (0, 1), or there are fewer than two steps or units.

    References:
        Chua, Ghazi, Kamath, Kumar, Manurangsi, Sinha, Zhang: How private are DP-SGD implementations? (2024).
    """
    if not 0 < rate < 1:
        msg = f"the rate must lie in (0, 1); however: {rate} came. Nothing is to be checked where all take part"
        raise ConfigError(msg)
    steps, units = masks.shape
    if min(steps, units) < 2:
        msg = f"there must be two steps and two units; however: there are {steps} and {units}. Record more"
        raise ConfigError(msg)
    unlike = np.asarray(masks - rate, np.float64)
    return (
        BatchCheck(what="mean size of batches", p_value=_sum(unlike.sum(), masks.size, rate)),
        BatchCheck(what="scatter of sizes of batches", p_value=_scatter(masks.sum(axis=1), units, rate)),
        BatchCheck(what="scatter of how often a unit takes part", p_value=_scatter(masks.sum(axis=0), steps, rate)),
        BatchCheck(what="independence of a step and the next", p_value=_together(unlike[1:], unlike[:-1], rate)),
        BatchCheck(
            what="independence of neighbours in the table", p_value=_together(unlike[:, 1:], unlike[:, :-1], rate)
        ),
    )


def _sum(total: float, n: int, rate: float) -> float:
    """Two-sided p-value of a sum of n centred coins."""
    return float(2 * stats.norm.sf(abs(total) / math.sqrt(n * rate * (1 - rate))))


def _scatter(counts: NDArray[np.int64], n: int, rate: float) -> float:
    """Two-sided p-value of squared deviations of independent binomial counts, by a chi-square law.

    Over s^2 = n q (1 - q) each has mean 1 and variance v = 2 + (1 - 6 q (1 - q)) / s^2; so 2 / v times their sum is
    nearly chi-square with 2 / v degrees a count.
    """
    s2 = n * rate * (1 - rate)
    weight = 2 / (2 + (1 - 6 * rate * (1 - rate)) / s2)
    law = stats.chi2(weight * len(counts))
    total = weight * float(np.square(counts - n * rate).sum()) / s2
    return float(2 * min(law.cdf(total), law.sf(total)))


def _together(first: NDArray[np.float64], second: NDArray[np.float64], rate: float) -> float:
    """Two-sided p-value of the sum of products of centred coins: they are uncorrelated, of variance (q (1 - q))^2."""
    total = float(np.vdot(first, second))
    return float(2 * stats.norm.sf(abs(total) / (rate * (1 - rate) * math.sqrt(first.size))))
