"""What an attacker gains at most: how many of those in a table can be told at a given rate of false alarms."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from synthkit.privacy.accounting import accountant
from synthkit.privacy.accounting.composed_plan import ComposedPlan, total

TRADEOFF_STEPS = 24  # epsilons between 0 and the total at which the curve is told
LARGEST = 700.0  # the exponential of more is beyond every number


@dataclass(frozen=True, kw_only=True)
class Tradeoff:
    r"""Pairs $(\epsilon, \delta)$ that a ledger satisfies, all of them at once.

    Of those in the table at most $\beta(\alpha) = \min_\epsilon \min(e^\epsilon \alpha + \delta,\ 1 - e^{-\epsilon}
    (1 - \delta - \alpha))$ are told by any test that accuses a share $\alpha$ of those outside.

    Args:
        epsilons: rising.
        deltas: one each, falling.

    References:
        Kairouz, Oh, Viswanath: The composition theorem for differential privacy (2015). Dong, Roth, Su: Gaussian
        differential privacy (2022).

    Example:
        >>> pure = Tradeoff(epsilons=(1.0,), deltas=(0.0,))
        >>> round(pure.found(0.01), 3), round(pure.found(0.1), 2), round(pure.posterior(), 2)
        (0.027, 0.27, 0.73)
    """

    epsilons: tuple[float, ...]
    deltas: tuple[float, ...]

    @classmethod
    def of(cls, parts: Sequence[ComposedPlan]) -> Tradeoff:
        """The curve of plans: a whole one where there is one plan, else the point at which they are added."""
        epsilon, delta = total(parts)
        if not parts or math.isinf(epsilon):
            return cls(epsilons=(), deltas=()) if parts else cls(epsilons=(0.0,), deltas=(0.0,))
        if len(parts) > 1:
            return cls(epsilons=(epsilon,), deltas=(delta,))
        grid = [float(e) for e in np.linspace(0, epsilon, TRADEOFF_STEPS + 1)[1:-1]]
        deltas = [accountant.delta(parts[0].charges, e, grid=accountant.SEARCH_GRID) for e in grid]
        return cls(epsilons=(*grid, epsilon), deltas=(*deltas, delta))

    def found(self, alpha: float) -> float:
        """The largest share of those in the table that can be told. **Shape**: number in [0, 1] -> number in [0, 1].

        Args:
            alpha: share of those outside who are accused wrongly.
        """
        above = [math.exp(min(e, LARGEST)) * alpha + d for e, d in zip(self.epsilons, self.deltas, strict=True)]
        below = [1 - math.exp(-e) * (1 - d - alpha) for e, d in zip(self.epsilons, self.deltas, strict=True)]
        return float(min([1.0, *above, *below]))

    def posterior(self) -> float:
        r"""The surest an attacker can become of whom they gave even odds, but for a probability of delta.

        $e^\epsilon / (1 + e^\epsilon)$ at the last epsilon; 1 without a bound.
        """
        return 1 / (1 + math.exp(-self.epsilons[-1])) if self.epsilons else 1.0
