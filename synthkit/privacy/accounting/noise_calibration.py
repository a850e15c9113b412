"""What a plan may cost, and how little noise it needs so that all of it together stays inside that."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from synthkit.errors import BudgetExceededError, ConfigError
from synthkit.privacy.accounting import accountant
from synthkit.privacy.accounting.charge import Charge

Plan = Callable[[float], Sequence[Charge]]

NOISE_TOLERANCE = 1e-5  # the noise found is at most about this much more than needed, relatively
REACH = 2.0**40  # no plan is searched beyond this much noise, or below its inverse


@dataclass(frozen=True, kw_only=True)
class EpsilonDelta:
    """What a plan may cost.

    Args:
        epsilon: 0 or more.
        delta: 0 or more.
    """

    epsilon: float
    delta: float

    def part(self, share: float) -> EpsilonDelta:
        """A share of it, in (0, 1].

        Example:
            >>> EpsilonDelta(epsilon=1.0, delta=1e-6).part(0.5)
            EpsilonDelta(epsilon=0.5, delta=5e-07)
        """
        return EpsilonDelta(epsilon=share * self.epsilon, delta=share * self.delta)


def smallest_noise(plan: Plan, *, epsilon: float, delta: float) -> float:
    r"""The smallest scale at which everything in a plan together stays inside its budget.

    $\min \{ s : \epsilon(\text{plan}(s), \delta) \le \epsilon \}$, all charges composed jointly.
    What the plan does besides (histograms before the training, say) belongs into it: its share follows from its own
    noise, and the free scale makes room for it. Never above the budget, by no tolerance.

    Args:
        plan: all charges at a noise scale above 0, of which more never costs more. Besides noise multipliers it may be
            the inverse of a share, as in `Concentrated(rho=1 / (2 * s**2))`.
        epsilon: what the plan may cost, above 0.
        delta: at which delta, in (0, 1).

    Returns:
        The noise scale, too large by one part in 100,000 at most where cost changes without leaps.

    Raises:
        BudgetExceededError: what has no free scale costs more than the budget by itself.
        ConfigError: the plan does not depend on its noise.

    Example:
        >>> from synthkit.privacy.accounting.events import Gaussian
        >>> once = lambda s: [Charge(what="histogram of age", spent=Gaussian(sensitivity=1, sigma=s))]
        >>> round(smallest_noise(once, epsilon=1, delta=1e-5), 3)
        3.731
    """

    def cost(noise: float, grid: float) -> float:
        return accountant.epsilon(plan(noise), delta, grid=grid)

    low, high = _bracket(lambda noise: cost(noise, accountant.SEARCH_GRID) <= epsilon, epsilon, delta)
    near = _root(lambda noise: cost(noise, accountant.SEARCH_GRID) / epsilon, low, high, 20 * NOISE_TOLERANCE)
    low = high = near
    step = 1 + 50 * NOISE_TOLERANCE
    while cost(high, accountant.STATED_GRID) > epsilon:
        low, high, step = high, high * step, step**2
    while low == high or cost(low, accountant.STATED_GRID) <= epsilon:
        high, low, step = low, low / step, step**2
    found = _root(lambda noise: cost(noise, accountant.STATED_GRID) / epsilon, low, high, NOISE_TOLERANCE)
    step = 1 + NOISE_TOLERANCE / 4
    while cost(found, accountant.STATED_GRID) > epsilon:  # a root is met from either side, a budget from below only
        found, step = min(found * step, high), step**2
    return found


def _bracket(fits: Callable[[float], bool], epsilon: float, delta: float) -> tuple[float, float]:
    """Two noise scales, one twice the other, of which only the larger fits."""
    high = 1.0
    while not fits(high):
        high *= 2
        if high > REACH:
            msg = (
                f"a plan must fit epsilon {epsilon:g} at delta {delta:g} with enough noise; however: its part without "
                "the free scale costs more by itself. Give that part more noise, or raise the budget"
            )
            raise BudgetExceededError(msg)
    low = high / 2
    while fits(low):
        low, high = low / 2, low
        if low < 1 / REACH:
            msg = (
                f"a plan must cost more with less noise; however: it fits epsilon {epsilon:g} with hardly any. "
                "Make its charges depend on the noise scale"
            )
            raise ConfigError(msg)
    return low, high


def _root(share: Callable[[float], float], low: float, high: float, close: float) -> float:
    """Noise at which the share of the budget crosses 1, by Brent's method in logarithms."""
    from scipy.optimize import brentq

    def gap(logarithm: float) -> float:
        return math.log(min(max(share(math.exp(logarithm)), 1e-6), 1e6))

    return math.exp(brentq(gap, math.log(low), math.log(high), xtol=close))
