"""Edges of bins with about equally many rows, chosen in private between declared bounds."""

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
class Edges:
    """Edges of bins, rising, the declared bounds first and last.

    Args:
        values: the edges. **Shape**: (at most parts + 1,), fewer where a bin would be narrower than a cell of the grid.
        spent: the choice, made `times` times by each row; it was to be charged before.
        times: how often.
    """

    values: NDArray[np.float64]
    spent: ReportNoisyMax
    times: int


@dataclass(frozen=True, kw_only=True)
class Quantiles:
    """Quantiles by halving: the middle one is chosen by a noisy maximum, then those of the rows on either side of it.

    An edge c of a public grid that leaves b of m rows below it, where a share p was asked for, scores -|b - p m|,
    which a row moves by at most max(p, 1 - p). A row is on one side only, so each of the ceil(log2 parts) levels costs
    one choice of width epsilon / levels, not one a quantile. Each unit brings one row.

    Args:
        low: declared lower bound; smaller numbers count as it.
        high: declared upper bound; larger numbers count as it.
        parts: bins wanted, at least 2.
        epsilon: of all levels together, positive.
        cells: cells of equal width in the grid, at least `parts`.

    Raises:
        ConfigError: the bounds do not rise, or parts, cells or epsilon are out of range.

    References:
        Kaplan, Schnapp, Stemmer: Differentially private approximate quantiles (2022). NOTE[DIFF]: edges of
        a grid instead of the line.

    Example:
        >>> bins = Quantiles(low=0.0, high=1.0, parts=4, epsilon=20.0)
        >>> bins.draw(np.linspace(0, 1, 10_000)).values.round(1)
        array([0. , 0.2, 0.5, 0.8, 1. ])
    """

    low: float
    high: float
    parts: int
    epsilon: float
    cells: int = 1024

    def __post_init__(self) -> None:
        if not 0 < self.epsilon < math.inf:
            msg = f"epsilon must be positive and finite; however: {self.epsilon} came. Take a share of the budget"
            raise ConfigError(msg)
        if not -math.inf < self.low < self.high < math.inf:
            msg = (
                f"bounds must be finite and rise; however: they are {self.low} and {self.high}. Declare `min` and `max`"
            )
            raise ConfigError(msg)
        if not 2 <= self.parts <= self.cells:
            msg = (
                f"there must be at least 2 parts and a cell for each; however: {self.parts} parts and {self.cells} "
                "cells were asked for. Ask for fewer parts or more cells"
            )
            raise ConfigError(msg)

    @property
    def levels(self) -> int:
        """How often a row takes part in a choice."""
        return (self.parts - 1).bit_length()

    @property
    def grid(self) -> NDArray[np.float64]:
        """Edges that can be chosen, and the bounds. **Shape**: (cells + 1,)."""
        return np.linspace(self.low, self.high, self.cells + 1)

    def _choice(self, sensitivity: float) -> ReportNoisyMax:
        return ReportNoisyMax(sensitivity=sensitivity, scale=2 * sensitivity * self.levels / self.epsilon)

    def charge(self, what: str) -> Charge:
        """Price of one draw: `levels` choices; nothing is drawn."""
        return Charge(what=what, spent=self._choice(1.0), times=self.levels)

    def draw(self, values: NDArray[np.float64]) -> Edges:
        """Edges of the bins. **Shape**: (n,), one of each unit; missing ones are left out."""
        grid = self.grid
        inside = np.clip(values[~np.isnan(values)], self.low, self.high)
        cells = np.clip(np.searchsorted(grid, inside, side="right") - 1, 0, self.cells - 1)
        below = np.concatenate([[0], np.bincount(cells, minlength=self.cells).cumsum()])
        chosen = self._halve(below, 0, self.cells, self.parts)
        return Edges(values=grid[[0, *chosen, self.cells]], spent=self._choice(1.0), times=self.levels)

    def _halve(self, below: NDArray[np.int64], start: int, stop: int, parts: int) -> list[int]:
        """Edges between two edges that cut what lies between into `parts`; fewer where no edge is left."""
        if parts < 2 or stop - start < 2:
            return []
        left = parts // 2
        share = left / parts
        within = below[start : stop + 1] - below[start]
        scores = -np.abs(within[1:-1] - share * within[-1])
        cut = start + 1 + int(choose(scores, self._choice(max(share, 1 - share))).values[0])
        return [*self._halve(below, start, cut, left), cut, *self._halve(below, cut, stop, parts - left)]
