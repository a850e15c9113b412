"""One quantile of the numbers of units, chosen in private on a public grid."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from synthkit.errors import ConfigError
from synthkit.privacy.accounting.charge import Charge
from synthkit.privacy.accounting.events import ReportNoisyMax
from synthkit.privacy.mechanisms.noise import choose


@dataclass(frozen=True, kw_only=True)
class NoisyQuantile:
    """The edge of a grid below which about a share of the units lies, by one exponential mechanism.

    An edge with b of m units at or below it, where a share p was asked for, scores -|b - p m|, which a unit moves by
    max(p, 1 - p) at most. Edges rise by equal factors, so that a small number and a large one are told as well.

    Args:
        low: smallest edge, above 0; public.
        high: largest edge, above `low`; public.
        share: p, in (0, 1).
        rho: price in zero-concentrated differential privacy, above 0 and finite.
        cells: steps of the grid.

    Raises:
        ConfigError: the edges do not rise from above 0, the share is no share, or nothing is paid.

    References:
        McSherry, Talwar: Mechanism design via differential privacy (2007). Cesar, Rogers: Bounding, concentrating, and
        truncating (2021), for its price. Andrew, Thakkar, McMahan, Ramaswamy: Differentially private learning with
        adaptive clipping (2021), for clipping at a quantile.

    Example:
        >>> asked = NoisyQuantile(low=1.0, high=1000.0, share=0.9, rho=10.0)
        >>> 850 < asked.draw(np.arange(1000.0)) < 950
        True
    """

    low: float
    high: float
    share: float
    rho: float
    cells: int = 256

    def __post_init__(self) -> None:
        if not 0 < self.low < self.high < math.inf:
            msg = f"edges must rise from above 0; however: they are {self.low} and {self.high}. Declare the most rows"
            raise ConfigError(msg)
        if not 0 < self.share < 1:
            msg = f"`share` must lie between 0 and 1; however: {self.share} came. Try 0.9"
            raise ConfigError(msg)
        if not 0 < self.rho < math.inf:
            msg = f"the price must be positive and finite; however: rho = {self.rho:g}. Take it from the plan"
            raise ConfigError(msg)

    @property
    def spent(self) -> ReportNoisyMax:
        """The choice: losses in an interval as wide as sqrt(8 rho)."""
        sensitivity = max(self.share, 1 - self.share)
        return ReportNoisyMax(sensitivity=sensitivity, scale=2 * sensitivity / math.sqrt(8 * self.rho))

    @property
    def edges(self) -> NDArray[np.float64]:
        """What can be told. **Shape**: (cells + 1,)."""
        return np.geomspace(self.low, self.high, self.cells + 1)

    def charge(self, what: str) -> Charge:
        """Price of the draw, in words and numbers; nothing is drawn."""
        return Charge(what=what, spent=self.spent)

    def draw(self, values: NDArray[np.float64]) -> float:
        """The edge; charge it first. **Shape**: (units,), one number of each unit."""
        edges = self.edges
        below = np.searchsorted(np.sort(values), edges, side="right")
        return float(edges[choose(-np.abs(below - self.share * len(values)), self.spent).values[0]])
