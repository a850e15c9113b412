"""How often a drafted line holds, and how often it would hold by chance."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

SHUFFLES_SEED = 20_111  # what holds by chance is found by shuffling, the same every time


@dataclass(frozen=True)
class Evidence:
    """Shares of what was looked at in which something holds.

    Args:
        held: cases in which it holds.
        cases: cases that were looked at.
        chance: share in which it would hold if what it ties together were shuffled.

    Example:
        >>> str(Evidence(held=99, cases=100, chance=0.31))
        'holds in 99.0% of 100, 31.0% by chance'
    """

    held: int
    cases: int
    chance: float

    @classmethod
    def of(cls, holds: NDArray[np.bool_], by_chance: NDArray[np.bool_]) -> Evidence:
        """Evidence of cases and of shuffled ones. **Shape**: (cases,), (any,)."""
        return cls(int(holds.sum()), len(holds), float(by_chance.mean()) if len(by_chance) else 0.0)

    @property
    def share(self) -> float:
        """Share of the cases in which it holds; 0 if there are none."""
        return self.held / self.cases if self.cases else 0.0

    def beyond_chance(self, least: float, *, gap: float = 0.05) -> bool:
        """Whether it holds often enough, and more often than by chance."""
        return self.share >= least and self.share - self.chance >= gap * (1 - self.chance) and self.chance < 1

    def __str__(self) -> str:
        """The shares in words."""
        return f"holds in {self.share:.1%} of {self.cases:,}, {self.chance:.1%} by chance"


def shuffled(n: int) -> NDArray[np.intp]:
    """An order of n things, the same every time. **Shape**: (n,)."""
    return np.random.default_rng(SHUFFLES_SEED).permutation(n)
