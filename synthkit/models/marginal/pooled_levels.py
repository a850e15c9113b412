"""Levels of a slot whose noisy counts say nothing of each by itself, counted together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from synthkit.encoding.slot_counts import MeasuredCounts

CLEAR = 3.0  # standard deviations of its noise that a level's count must exceed to stand alone


@dataclass(frozen=True)
class Pooled:
    """Levels of a slot told apart, the last one standing for all rare ones if there are any.

    Args:
        group: new level of each level. **Shape**: (K,).
        within: share of each level in its new level. **Shape**: (K,).
        told: the counts of the new levels.
    """

    group: NDArray[np.int64]
    within: NDArray[np.float64]
    told: MeasuredCounts

    @classmethod
    def of(cls, told: MeasuredCounts) -> Pooled:
        """Pool the levels whose noisy count is below three standard deviations of its noise."""
        counts = told.counts.astype(np.float64)
        rare = counts < CLEAR * told.sigma
        group = np.where(rare, int((~rare).sum()), np.cumsum(~rare) - 1).astype(np.int64)
        mass = np.ones(len(counts))
        mass[rare] = _shrunken(counts[rare], told.sigma)
        within = mass / np.bincount(group, weights=mass)[group]
        summed = np.bincount(group, weights=counts).astype(np.int64)
        return cls(group, within, MeasuredCounts(scope=told.scope, counts=summed, sigma=told.sigma))

    def beside(self, tables: Sequence[MeasuredCounts]) -> Pooled:
        r"""The same, its counts the best mean of its own and the sums of tables that tell the same levels once more.

        Each weighs as the inverse of its variance; a sum of S cells has S times that of a cell.

        Args:
            tables: of the new levels, which come first, and another slot. **Shape**: (G, S) each.
        """
        if not tables or not self.told.sigma:
            return self
        sums = [self.told.counts, *(table.counts.sum(axis=1) for table in tables)]
        variances = [self.told.sigma**2, *(table.sigma**2 * table.counts.shape[1] for table in tables)]
        weight = 1 / np.array(variances)
        mean = np.rint(weight @ np.array(sums, dtype=np.float64) / weight.sum()).astype(np.int64)
        told = MeasuredCounts(scope=self.told.scope, counts=mean, sigma=float(weight.sum() ** -0.5))
        return replace(self, told=told)


def _shrunken(counts: NDArray[np.float64], sigma: float) -> NDArray[np.float64]:
    """Noisy counts drawn towards their mean, the more the less they differ beyond their noise; all alike if none is.

    References:
        James, Stein: Estimation with quadratic loss (1961).
    """
    if not len(counts):
        return counts
    mean, spread = max(float(counts.mean()), 0.0), float(counts.var(ddof=1)) if len(counts) > 1 else 0.0
    kept = max(1 - sigma**2 / spread, 0.0) if spread else 0.0
    out = np.maximum(mean + kept * (counts - mean), 0)
    return out if out.sum() > 0 else np.ones(len(counts))
