"""How often a drafted line holds, and how often it would hold by chance."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

NEARLY_ALWAYS = 0.98  # share from which what breaks a line is taken for a mistake in the rows
_MOST_DIGITS = 12
TO_MEND = "; mend "  # stands in each note of rows that break a drafted line
SHUFFLES_SEED = 20_111  # what holds by chance is found by shuffling, the same every time


@dataclass(frozen=True)
class Evidence:
    """Shares of what was looked at in which something holds.

    Args:
        held: cases in which it holds.
        cases: cases that were looked at.
        chance: share in which it would hold if what it ties together were shuffled; None if that was not measured.

    Example:
        >>> str(Evidence(held=99, cases=100, chance=0.31))
        'holds in 99.0% of 100, 31.0% by chance'
    """

    held: int
    cases: int
    chance: float | None

    @classmethod
    def of(cls, holds: NDArray[np.bool_], by_chance: NDArray[np.bool_]) -> Evidence:
        """Evidence of cases and of shuffled ones. **Shape**: (cases,), (any,)."""
        return cls(int(holds.sum()), len(holds), float(by_chance.mean()) if len(by_chance) else None)

    @property
    def share(self) -> float:
        """Share of the cases in which it holds; 0 if there are none."""
        return self.held / self.cases if self.cases else 0.0

    def beyond_chance(self, least: float, *, gap: float = 0.05) -> bool:
        """Whether it holds often enough, and more often than by chance, where that was measured."""
        chance = self.chance or 0.0
        return self.share >= least and self.share - chance >= gap * (1 - chance) and chance < 1

    @property
    def nearly_always(self) -> bool:
        """Whether it holds in all cases, or in nearly all and more often than by chance."""
        return self.share == 1.0 or self.beyond_chance(NEARLY_ALWAYS)

    def __str__(self) -> str:
        """The shares in words."""
        measured = "" if self.chance is None else f", {self.chance:.1%} by chance"
        return f"holds in {percent(self.held, self.cases)} of {self.cases:,}{measured}"

    def said(self, otherwise: str = "take the line out", *, case: str = "row") -> str:
        """The shares in words, and what to do about cases in which it does not hold.

        Args:
            otherwise: what to do if these are no mistakes.
            case: what one case is called.

        Example:
            >>> Evidence(held=652, cases=653, chance=0.487).said()
            'holds in 99.8% of 653, 48.7% by chance: 1 row breaks it; mend it, or take the line out'
        """
        broken = self.cases - self.held
        if not broken:
            return str(self)
        what = f"1 {case} breaks it{TO_MEND}it" if broken == 1 else f"{broken:,} {case}s break it{TO_MEND}them"
        return f"{self}: {what}, or {otherwise}"


def percent(held: int, cases: int) -> str:
    """A share in percent, to as many decimals as it takes to tell nearly all from all; 0 if there are no cases.

    Example:
        >>> percent(99, 100), percent(6378, 6381), percent(5, 5)
        ('99.0%', '99.95%', '100.0%')
    """
    share, digits = held / cases if cases else 0.0, 1
    while held < cases and digits < _MOST_DIGITS and f"{share:.{digits}%}".startswith("100"):
        digits += 1
    return f"{share:.{digits}%}"


def shuffled(n: int) -> NDArray[np.intp]:
    """An order of n things, the same every time. **Shape**: (n,)."""
    return np.random.default_rng(SHUFFLES_SEED).permutation(n)
