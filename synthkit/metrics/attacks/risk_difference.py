"""Risk difference: how much more often something holds of members than of people who were not in the data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import stats as distributions

from synthkit.metrics.stats import intervals

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, kw_only=True)
class RiskDifference:
    """Shares of members and of non-members, and their difference with its interval.

    Args:
        at: members' share minus non-members' share.
        members: share of members.
        non_members: share of non-members.
        counts: number of members and of non-members.
    """

    at: intervals.Interval
    members: float
    non_members: float
    counts: tuple[int, int]

    @classmethod
    def of(cls, holds: NDArray[np.bool_], member: NDArray[np.bool_], *, looks: int = 1) -> RiskDifference:
        """Count and compare; with several `looks` all their intervals hold together (Bonferroni).

        **Shape**: (n,), (n,), one entry a person.
        """
        z = float(distributions.norm.isf(0.025 / looks))
        hits = [int(holds[side].sum()) for side in (member, ~member)]
        sizes = (int(member.sum()), int((~member).sum()))
        shares = [hit / size if size else 0.0 for hit, size in zip(hits, sizes, strict=True)]
        at = intervals.newcombe(hits[0], sizes[0], hits[1], sizes[1], z=z)
        return cls(at=at, members=shares[0], non_members=shares[1], counts=sizes)

    @property
    def normalised(self) -> float:
        """Excess as a share of what non-members' share leaves to gain: (p1 - p0) / (1 - p0)."""
        left = 1 - self.non_members
        return (self.members - self.non_members) / left if left > 0 else 0.0

    def plain(self) -> dict[str, float]:
        """As data of a panel."""
        return {
            "excess": self.at.value,
            "low": self.at.low,
            "high": self.at.high,
            "members": self.members,
            "non_members": self.non_members,
        }


def coin_p_value(holds: NDArray[np.bool_], member: NDArray[np.bool_], pair: NDArray[np.int64] | None = None) -> float:
    """Probability that as many members or more are concerned if coins alone decided who is a member.

    Exact. Given for whom something holds, members among people with a coin each are a draw without replacement
    (Fisher's test). Of a pair one is the member: pairs of whom it holds for both or neither say nothing, of the others
    each is a coin (the sign test). Someone whose partner is not looked at has a coin of his own.

    **Shape**: (n,), (n,), and (n,) pair numbers or None -> one number.

    References:
        On the Interpretation of Chi-Squared from Contingency Tables (Fisher, 1922); Note on the Sampling Error of the
        Difference Between Correlated Proportions or Percentages (McNemar, 1947).

    Example:
        >>> coin_p_value(np.array([True, True, False, False]), np.array([True, True, False, False])) == 1 / 6
        True
    """
    among = np.arange(len(member)) if pair is None else pair
    _, place, sizes = np.unique(among, return_inverse=True, return_counts=True)
    alone = sizes[place] < 2
    holders = np.bincount(place, weights=holds & ~alone)
    decided = holds & ~alone & (holders[place] == 1)
    draws = _draws(int(alone.sum()), int((holds & alone).sum()), int((member & alone).sum()))
    tosses = distributions.binom.pmf(np.arange(int(decided.sum()) + 1), int(decided.sum()), 0.5)
    hits = int((holds & member & alone).sum()) + int((decided & member).sum())
    return float(min(1.0, np.convolve(draws, tosses)[hits:].sum()))


def _draws(people: int, holders: int, members: int) -> NDArray[np.float64]:
    """Probabilities of 0, 1, ... holders among the members, drawn without replacement."""
    if people == 0:
        return np.ones(1)
    return np.asarray(distributions.hypergeom.pmf(np.arange(holders + 1), people, holders, members))
