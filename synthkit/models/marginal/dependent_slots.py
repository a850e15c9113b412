"""Slots that another slot all but determines: found in noisy tables and drawn from the noisy conditional.

A mixture of products smears a function of a slot over its components; a table of the two that was measured with noise
says it nearly exactly. So a dependent slot, or follower, leaves the mixture and is drawn given its determinant, or
leader:

    p(x) = sum_k pi_k prod_{j no follower} P_k,j(x_j) prod_{b follows a} P(b | a).

All of it is made of what was measured already and costs nothing.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from synthkit.models.product_mixture import MIN_PROBABILITY

EXPLAINED = 0.95  # of what is not the commonest level of a follower, the part its leader must tell, at least
VARIED = 0.05  # share of rows that have not the commonest level of a follower, at least: constants follow everything
NOISE_ALONE = 0.001  # how likely any cell of a table of empty cells is believed, at most
MIXTURE_SHARE = 1e-6  # share of rows that are left to the mixture's own conditional, so that nothing is impossible

Levels = Mapping[
    int, tuple[Tensor, Tensor]
]  # of slots known to lie in a set: sets (p, K) and which one a row's is (n,)


@dataclass(frozen=True, kw_only=True)
class DependentSlot:
    """A slot and the one that determines it.

    Args:
        slot: the one that is drawn.
        leader: the one it is drawn given.
        law: its law under each level of the leader. **Shape**: (K of leader, K of slot), rows adding up to 1.
    """

    slot: int
    leader: int
    law: NDArray[np.float64]


def believed(counts: NDArray[np.float64], sigma: float) -> NDArray[np.bool_]:
    """Which cells of a noisy table exceed what its noise alone reaches in any of them.

    Y_ab > sigma z, where Phi(z) = 1 - `NOISE_ALONE` / cells: a table of many cells asks more of each (Bonferroni), else
    an empty cell of a large table is soon taken for a level that its leader allows.

    Args:
        counts: noisy table. **Shape**: any.
        sigma: of the noise of each cell.

    Returns:
        **Shape**: as `counts`.

    References:
        Dunn, "Multiple Comparisons among Means", 1961.

    Example:
        >>> believed(np.array([[3.5, 9.0]]), 1.0).tolist()
        [[True, True]]
        >>> bool(believed(np.full((40, 40), 4.0), 1.0).any())
        False
    """
    return np.asarray(counts > sigma * NormalDist().inv_cdf(1 - NOISE_ALONE / counts.size))


def determined(counts: NDArray[np.float64], sigma: float) -> float:
    """How much of one slot another one tells: by what part errors of guessing it fall, 1 for a function.

    lambda = 1 - (n - sum_a max_b Y_ab) / (n - max_b sum_a Y_ab), where levels a without a clear cell count as errors
    and one standard deviation of the noise of n is added to them.

    Args:
        counts: noisy table. **Shape**: (K of leader, K of slot).
        sigma: of the noise of each cell.

    Returns:
        0 where the slot hardly varies.

    References:
        Goodman and Kruskal, "Measures of Association for Cross Classifications", 1954.

    Example:
        >>> determined(np.array([[900.0, 0.0], [0.0, 600.0]]), 1.0) > 0.99
        True
        >>> determined(np.array([[900.0, 300.0], [300.0, 600.0]]), 1.0) < 0.4
        True
    """
    best, n = counts.max(axis=1), counts.sum()
    spread = n - counts.sum(axis=0).max()
    if n <= 0 or spread < VARIED * n:
        return 0.0
    missed = n - best[believed(counts, sigma).any(axis=1)].sum() + sigma * math.sqrt(counts.size)
    return float(1 - missed / spread)


def conditional(counts: NDArray[np.float64], sigma: float, own: NDArray[np.float64]) -> NDArray[np.float64]:
    """The law of a follower under each level of its leader: clear cells as they were told, the rest the mixture's.

    Args:
        counts: noisy table. **Shape**: (K of leader, K of slot).
        sigma: of the noise of each cell.
        own: the mixture's own conditional. **Shape**: as `counts`.
    """
    clear = np.where(believed(counts, sigma), counts, 0.0)
    total = clear.sum(axis=1, keepdims=True)
    left = float(np.clip(1 - clear.sum() / max(counts.sum(), 1.0), MIXTURE_SHARE, 1 - EXPLAINED))
    told = (1 - left) * clear / np.where(total > 0, total, 1.0) + left * own
    return np.asarray(np.where(total > 0, told, own))


def found(
    tables: Iterable[tuple[int, int, NDArray[np.float64], float]], own: Mapping[tuple[int, int], NDArray[np.float64]]
) -> list[DependentSlot]:
    """The followers among the pairs that were told, the surest first; nobody follows a follower.

    Args:
        tables: two slots, their noisy counts, and the standard deviation of the noise.
        own: the mixture's joint law of each of these pairs.
    """
    directed = [
        (determined(counts, sigma), slot, leader, counts, sigma, joint)
        for a, b, table, sigma in tables
        for slot, leader, counts, joint in ((b, a, table, own[a, b]), (a, b, table.T, own[a, b].T))
    ]
    out: list[DependentSlot] = []
    for explained, slot, leader, counts, sigma, joint in sorted(directed, key=lambda d: (-d[0], -d[1])):
        leaders, followers = {f.leader for f in out}, {f.slot for f in out}
        if explained < EXPLAINED or slot in leaders | followers or leader in followers:
            continue
        alone = joint / np.maximum(joint.sum(axis=1, keepdims=True), MIN_PROBABILITY)
        out.append(DependentSlot(slot=slot, leader=leader, law=conditional(counts, sigma, alone)))
    return out


class DependentSlots:
    """The followers of a fitted model, as tensors of a size that the slots alone decide.

    Args:
        sizes: levels of every slot.

    **Shape**: `leaders` (C,), -1 for those who follow nobody; `laws` (D, largest K): a row for each level of a
    follower, a column for each of its leader.
    """

    def __init__(self, sizes: Sequence[int]) -> None:
        self._sizes = tuple(sizes)
        self._starts = [sum(self._sizes[:j]) for j in range(len(self._sizes))]
        self.leaders = torch.full((len(self._sizes),), -1, dtype=torch.long)
        self.laws = torch.zeros(sum(self._sizes), max(self._sizes, default=0))

    def take(self, followers: Iterable[DependentSlot]) -> None:
        """Have these followers and no others."""
        self.leaders.fill_(-1)
        self.laws.zero_()
        for f in followers:
            self.leaders[f.slot] = f.leader
            rows = slice(self._starts[f.slot], self._starts[f.slot] + self._sizes[f.slot])
            self.laws[rows, : self._sizes[f.leader]] = torch.from_numpy(f.law.T).float()

    def tensors(self) -> dict[str, Tensor]:
        """Leaders and laws, by name."""
        return {"leaders": self.leaders.clone(), "followers": self.laws.clone()}

    def load(self, tensors: Mapping[str, Tensor]) -> None:
        """Take back what `tensors` gave."""
        self.leaders, self.laws = tensors["leaders"].clone(), tensors["followers"].clone()

    def of(self, leader: int) -> list[int]:
        """Who follows a slot."""
        return torch.nonzero(self.leaders == leader)[:, 0].tolist()

    @property
    def order(self) -> list[int]:
        """All slots, leaders before followers."""
        return sorted(range(len(self._sizes)), key=lambda j: int(self.leaders[j]) >= 0)

    def law(self, slot: int) -> Tensor:
        """Law of a follower under each level of its leader. **Shape**: (K of leader, K of slot)."""
        rows = slice(self._starts[slot], self._starts[slot] + self._sizes[slot])
        return self.laws[rows, : self._sizes[int(self.leaders[slot])]].T

    def told(self, leader: int, cat: Tensor, allowed: Levels) -> Tensor | None:
        """How likely what is known of its followers is under each level of a leader; None where nothing is.

        Args:
            leader: a slot.
            cat: known levels, -1 where unknown. **Shape**: (n, C).
            allowed: slots known to lie in a set.

        **Shape**: -> (n, K of leader).
        """
        out = torch.ones(len(cat), self._sizes[leader], device=cat.device)
        asked = [b for b in self.of(leader) if b in allowed or bool((cat[:, b] >= 0).any())]
        for b in asked:
            law = self.law(b).to(cat.device)
            known = cat[:, b] >= 0
            part = torch.ones_like(out)
            if b in allowed:
                sets, which = allowed[b]
                part = (sets.to(law.dtype) @ law.T)[which]
            out = out * torch.where(known[:, None], law.T[cat[:, b].clamp(min=0)], part)
        return out if asked else None
