"""How much of what was spent is normal noise, and its mu in Gaussian differential privacy."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from synthkit.privacy.accounting import zcdp
from synthkit.privacy.accounting.charge import Charge
from synthkit.privacy.accounting.composed_plan import ComposedPlan
from synthkit.privacy.accounting.events import (
    Concentrated,
    DiscreteGaussian,
    Event,
    Gaussian,
    SparseHistogram,
    StackedGaussian,
)

NORMAL_KINDS = (Gaussian, DiscreteGaussian, StackedGaussian, SparseHistogram)


@dataclass(frozen=True, kw_only=True)
class NormalNoise:
    r"""The normal noise of a plan: all of it together is one answer of $\mu = \sqrt{2 \rho}$.

    An answer with normal noise that one unit moves by $\Delta$ in Euclidean norm is told from its neighbour as well as
    $N(0, 1)$ from $N(\mu, 1)$ with $\mu = \Delta / \sigma$; of several the squares add. Choices and noisy quantiles are
    exponential mechanisms, whose losses are no normal law: they are not part of it.

    Args:
        rho: what normal noise costs, in zero-concentrated differential privacy.
        whole: what may be spent in all.

    References:
        Dong, Roth, Su: Gaussian differential privacy (2022). Bun, Steinke: Concentrated differential privacy (2016).

    Example:
        >>> noise = NormalNoise(rho=0.02, whole=0.025)
        >>> noise.mu, round(noise.share, 9)
        (0.2, 0.8)
    """

    rho: float
    whole: float

    @classmethod
    def of(cls, parts: Sequence[ComposedPlan]) -> NormalNoise | None:
        """Of plans that are reserves of which all was drawn inside; None of others, and of no plan."""
        reserves = [charge for part in parts for charge in part.charges]
        if not reserves or not all(isinstance(charge.spent, Concentrated) for charge in reserves):
            return None
        whole = math.fsum(charge.times * zcdp.cost(charge.spent).rho for charge in reserves)
        return cls(rho=normal_rho(charge for part in parts for charge in part.inside), whole=whole)

    @property
    def mu(self) -> float:
        r"""$\sqrt{2 \rho}$."""
        return math.sqrt(2 * self.rho)

    @property
    def share(self) -> float:
        """Of what may be spent, the part that normal noise costs."""
        return self.rho / self.whole


def is_normal(spent: Event) -> bool:
    """Whether a mechanism adds normal noise, and tells nothing else."""
    return isinstance(spent, NORMAL_KINDS)


def normal_rho(charges: Iterable[Charge]) -> float:
    """What the normal noise among charges costs, in zero-concentrated differential privacy.

    Example:
        >>> round(normal_rho([Charge(what="counts", spent=DiscreteGaussian(sigma=10.0), times=4)]), 9)
        0.02
    """
    return math.fsum(each.times * zcdp.cost(each.spent).rho for each in charges if is_normal(each.spent))
