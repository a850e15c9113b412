"""Concentrated differential privacy: what each mechanism costs in it, and a filter for steps that depend on answers."""

from __future__ import annotations

import math
from dataclasses import dataclass

from synthkit.errors import BudgetExceededError, UnsupportedError
from synthkit.privacy.accounting.charge import Charge
from synthkit.privacy.accounting.events import (
    Concentrated,
    DiscreteGaussian,
    DiscreteLaplace,
    Event,
    Gaussian,
    Laplace,
    NonPrivate,
    PoissonSubsampledGaussian,
    ReportNoisyMax,
    SparseHistogram,
    StableHistogram,
    StackedGaussian,
)

RESERVE_ROUNDING = 1e-9  # shares of a reserve may exceed it by this much, relatively; the accountant charges it


@dataclass(frozen=True, kw_only=True)
class ZCDPCost:
    r"""A loss in concentrated differential privacy: $\delta$-approximately $\rho$-zCDP.

    Args:
        rho: 0 or more, infinite for an exact answer.
        delta: probability that the mechanism tells everything, in [0, 1].
    """

    rho: float
    delta: float = 0.0


def cost(event: Event) -> ZCDPCost:
    r"""What one run of a mechanism costs.

    Normal noise, discrete too: $\Delta_2^2 / 2 \sigma^2$. Pure $\epsilon$: $\epsilon^2 / 2$. Losses in an interval of
    width $\epsilon$: $\epsilon^2 / 8$ for each pick.

    Raises:
        UnsupportedError: steps on Poisson samples, of which no useful cost is known.

    References:
        Bun, Steinke: Concentrated differential privacy (2016). Canonne, Kamath, Steinke: The discrete Gaussian for
        differential privacy (2020). Cesar, Rogers: Bounding, concentrating, and truncating (2021), for picks.

    Example:
        >>> round(cost(DiscreteGaussian(sigma=10)).rho, 9)
        0.005
    """
    match event:
        case Gaussian(sensitivity=sensitivity, sigma=sigma):
            rho = (sensitivity / sigma) ** 2 / 2
        case DiscreteGaussian(sigma=sigma, change=change, cells=cells):
            rho = cells * (change / sigma) ** 2 / 2
        case StackedGaussian(noise_multiplier=multiplier):
            rho = multiplier**-2 / 2
        case SparseHistogram(sigma=sigma):
            rho = 1 / (2 * sigma**2)
        case ReportNoisyMax(picks=picks):
            rho = picks * event.width**2 / 8
        case Laplace() | DiscreteLaplace() | StableHistogram():
            rho = pure(event) ** 2 / 2
        case Concentrated():
            rho = event.rho * (1 + RESERVE_ROUNDING)
        case NonPrivate():
            rho = math.inf
        case PoissonSubsampledGaussian():
            msg = (
                "every step of an adaptive plan must have a cost in zCDP; however: steps on Poisson samples have none "
                "that is of use. Fix their number, rate and noise before the first draw and charge them in the plan"
            )
            raise UnsupportedError(msg)
    return ZCDPCost(rho=rho, delta=failure(event))


def pure(event: Laplace | DiscreteLaplace | StableHistogram) -> float:
    """Epsilon of noise that has a pure one (of a stable histogram: but for its failure)."""
    match event:
        case Laplace(sensitivity=sensitivity, scale=scale):
            return sensitivity / scale
        case DiscreteLaplace(scale=scale, change=change):
            return change / scale
        case StableHistogram(scale=scale):
            return 1 / scale


def failure(event: Event) -> float:
    """Probability with which one run tells everything."""
    match event:
        case SparseHistogram() | StableHistogram():
            return event.failure
        case Concentrated():
            return event.delta * (1 + RESERVE_ROUNDING)
        case _:
            return 0.0


@dataclass(frozen=True, kw_only=True)
class PrivacyFilter:
    """A reserve and what was drawn from it: each step is admitted or refused before it is made.

    Args:
        reserve: the total, fixed in advance and charged whole.
        drawn: the steps so far.

    References:
        Feldman, Zrnic: Individual privacy accounting via a Rényi filter (2021). Whitehouse, Ramdas, Rogers, Wu:
        Fully-adaptive composition in differential privacy (2023).
    """

    reserve: Concentrated
    drawn: tuple[Charge, ...] = ()

    def spent(self) -> ZCDPCost:
        """Costs of the steps so far, together: rho and delta add."""
        each = [(charge.times, cost(charge.spent)) for charge in self.drawn]
        return ZCDPCost(
            rho=math.fsum(times * one.rho for times, one in each),
            delta=math.fsum(times * one.delta for times, one in each),
        )

    def left(self) -> ZCDPCost:
        """What may still be drawn."""
        spent = self.spent()
        return ZCDPCost(rho=max(0.0, self.reserve.rho - spent.rho), delta=max(0.0, self.reserve.delta - spent.delta))

    def admit(self, steps: tuple[Charge, ...]) -> PrivacyFilter:
        """The filter after more steps, all or none.

        Raises:
            BudgetExceededError: with them the reserve would be exceeded.
            UnsupportedError: a step has no cost in zCDP.
        """
        after = PrivacyFilter(reserve=self.reserve, drawn=self.drawn + steps)
        total, most = after.spent(), cost(self.reserve)
        if total.rho > most.rho or total.delta > most.delta:
            left = self.left()
            msg = (
                f"adaptive steps must fit their reserve; however: {', '.join(step.what for step in steps)} would bring "
                f"rho to {total.rho:.6g} of {self.reserve.rho:.6g} and delta to {total.delta:.3g} of "
                f"{self.reserve.delta:.3g}. Nothing was drawn; {left.rho:.6g} of rho is left: use more noise"
            )
            raise BudgetExceededError(msg)
        return after
