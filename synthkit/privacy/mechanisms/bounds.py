"""Bounds of a number nobody declared: noisy counts on a public grid of powers of two."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from synthkit.errors import ConfigError
from synthkit.privacy.accounting.charge import Charge
from synthkit.privacy.accounting.events import DiscreteGaussian
from synthkit.privacy.mechanisms.noise import Noise, add_noise, reach


@dataclass(frozen=True, kw_only=True)
class Bounds:
    """Powers of two, or 0, between which the numbers lie as far as noise lets see.

    Args:
        low: lower bound.
        high: upper bound, above `low`.
        spent: the noise, which was to be charged before.
    """

    low: float
    high: float
    spent: Noise


@dataclass(frozen=True, kw_only=True)
class LogBounds:
    """The outermost cells that count of a noisy histogram: ... [-4, -2) [-2, -1) ... 0 ... (1, 2] (2, 4] and so on.

    A cell counts where its noisy count reaches a level that an empty grid reaches anywhere with probability `miss`;
    if none does, the fullest one counts alone. All that follows the noise is free: the price is that of the noise.
    Each unit brings one row, which is in one cell.

    Args:
        noise: on the counts; one unit changes one of them by 1.
        smallest: exponent of the cell next to 0; numbers nearer to 0 count as 0.
        largest: exponent of the outermost cell; numbers beyond it are counted in it.
        miss: how often an empty grid may show a bound, in (0, 1).

    Raises:
        ConfigError: the noise is for more than one row, the exponents do not rise, or `miss` is no probability.

    References:
        Wilson, Zhang, Lam, Desfontaines, Simmons-Marengo, Gipson: Differentially private SQL with bounded user
        contribution (2020), on automatic bounds. NOTE[DIFF]: both signs and 0 are cells of one histogram.

    Example:
        >>> from synthkit.privacy.accounting.events import DiscreteLaplace
        >>> found = LogBounds(noise=DiscreteLaplace(scale=1.0)).draw(np.repeat([3.0, 90.0], 500))
        >>> found.low, found.high
        (2.0, 128.0)
    """

    noise: Noise
    smallest: int = -20
    largest: int = 40
    miss: float = 1e-3

    def __post_init__(self) -> None:
        moved = self.noise.change * (self.noise.cells if isinstance(self.noise, DiscreteGaussian) else 1)
        if moved != 1:
            msg = f"each unit must bring one row; however: the noise is for {moved}. Choose one row of each unit first"
            raise ConfigError(msg)
        if self.smallest >= self.largest:
            msg = f"exponents must rise; however: they run from {self.smallest} to {self.largest}. Give the small first"
            raise ConfigError(msg)
        if not 0 < self.miss < 1:
            msg = f"`miss` must lie in (0, 1); however: {self.miss} came. Try 0.001"
            raise ConfigError(msg)

    @property
    def edges(self) -> NDArray[np.float64]:
        """Edges of all cells, from the most negative. **Shape**: (cells + 1,)."""
        powers = np.ldexp(1.0, np.arange(self.smallest, self.largest + 1))
        return np.concatenate([-powers[::-1], powers])

    @property
    def level(self) -> int:
        """Smallest noisy count by which a cell counts."""
        return reach(self.noise, self.miss / (len(self.edges) - 1))

    def charge(self, what: str) -> Charge:
        """Price of one draw, in words and numbers; nothing is drawn."""
        return Charge(what=what, spent=self.noise)

    def counts(self, values: NDArray[np.float64]) -> NDArray[np.int64]:
        """Numbers in each cell, exact; missing ones are left out. **Shape**: (n,) -> (cells,)."""
        values = values[~np.isnan(values)]
        mantissa, exponent = np.frexp(np.clip(np.abs(values), 2.0**self.smallest, 2.0**self.largest))
        cell = exponent - (mantissa == 0.5) - self.smallest  # 2^k is the upper end of its cell
        middle = self.largest - self.smallest
        return np.bincount(middle + np.where(values < 0, -cell, cell), minlength=2 * middle + 1)

    def draw(self, values: NDArray[np.float64]) -> Bounds:
        """Bounds of the numbers. **Shape**: (n,), one of each unit; missing ones are left out."""
        noisy = add_noise(self.counts(values), self.noise).values
        seen = np.flatnonzero(noisy >= self.level)
        first, last = (seen[0], seen[-1]) if len(seen) else (noisy.argmax(), noisy.argmax())
        middle = self.largest - self.smallest
        low = 0.0 if first == middle else float(self.edges[first])
        high = 0.0 if last == middle and low < 0 else float(self.edges[last + 1])
        return Bounds(low=low, high=high, spent=self.noise)
