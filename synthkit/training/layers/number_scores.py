r"""Numbers as normal scores inside a network of levels: where a known number lies, and a smooth law of an unknown one.

A number is cut into coarse levels and fine ones, of which a network knows nothing but that neighbours are alike. Its
normal score $z = \Phi^{-1}(u)$ of the rank u says exactly where it lies, and what is nearly linear in scores (a total
and its parts, two measurements of one thing) is learned at once. A known number enters the state as $z v$. An unknown
one gets, beside free logits, the log-ratio of the mass that a mixture of logistic laws puts on each of its cells to
the mass of a standard normal law:

$$\log\Bigl((1 - \epsilon) \sum_c w_c \frac{\sigma((b - \mu_c) / s_c) - \sigma((a - \mu_c) / s_c)}{\Phi(b) - \Phi(a)}
+ \epsilon\Bigr)$$

for a cell from score a to score b.

References:
    Salimans, Karpathy, Chen, Kingma: PixelCNN++ (2017), for discretised mixtures of logistic laws.
"""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from synthkit.encoding.layout import Layout

FARTHEST_SCORE = 4.5  # scores stay inside +- this
LOGISTIC_LAWS = 2  # of a mixture
NORMAL_LIKE = 0.55  # scale of the logistic law that is nearest to a standard normal one
SCALES = (-4.0, 2.0)  # between which the log of a scale stays, in units of the above
EVEN_SHARE = 0.003  # of the standard normal law in every mixture: no cell is out of reach


class NumberScores(nn.Module):
    """Scores of all numbers of a layout, vectors by which they are told, and mixtures by which they are drawn.

    Args:
        layout: the slots; its numbers are the columns with a residual.
        width: length H of the states.
    """

    def __init__(self, layout: Layout, width: int) -> None:
        super().__init__()
        columns = tuple(dict.fromkeys(layout.residuals))
        slots = [layout.slots_of(name) for name in columns]
        self.coarse = tuple(of[0] for of in slots)
        self.fine = tuple(of[1] if len(of) > 1 else None for of in slots)
        self.number = {slot: k for k, of in enumerate(slots) for slot in of}
        self._law_at = {slot: k for k, slot in enumerate(self.number)}
        self._residual = tuple(layout.residuals.index(name) for name in columns)
        self.vectors = nn.Parameter(torch.randn(len(columns), width) * 0.3)
        self.law = nn.Parameter(torch.zeros(len(self.number), width, 3 * LOGISTIC_LAWS))
        start = torch.zeros(len(self.number), 3 * LOGISTIC_LAWS)
        start[:, LOGISTIC_LAWS : 2 * LOGISTIC_LAWS] = torch.linspace(-0.3, 0.3, LOGISTIC_LAWS)
        self.law_bias = nn.Parameter(start)
        for k, of in enumerate(slots):
            for name, scores in zip(("coarse", "fine"), _edges(layout, of), strict=True):
                self.register_buffer(f"{name}_edges_{k}", scores, persistent=False)
                self.register_buffer(f"{name}_normal_{k}", _normal_mass(scores), persistent=False)

    def _table(self, name: str, k: int) -> Tensor:
        table: Tensor = getattr(self, f"{name}_{k}")
        return table

    def middles(self, k: int) -> Tensor:
        """Scores of the middles of the coarse levels of number k, 0 of "missing". **Shape**: (K,)."""
        edges = self._table("coarse_edges", k)
        middle = (edges[:-1] + edges[1:]) / 2
        return F.pad(middle, (0, len(self._table("fine_edges", k)) - len(middle)))

    def levels(self, sizes: tuple[int, ...]) -> Tensor:
        """Vectors of the scores of all levels of all slots: those of coarse levels of numbers. **Shape**: (V, H)."""
        parts = [self.vectors.new_zeros(size, 1) for size in sizes]
        which = torch.zeros(len(sizes), dtype=torch.long, device=self.vectors.device)
        for k, j in enumerate(self.coarse):
            parts[j], which[j] = self.middles(k)[:, None], k
        repeats = torch.tensor(sizes, device=which.device)
        return torch.cat(parts) * self.vectors[which].repeat_interleave(repeats, dim=0)

    def offset(self, j: int, cat: Tensor, num: Tensor | None) -> Tensor | None:
        """Score of a number less that of the middle of its coarse level; None if slot j is not its fine slot.

        **Shape**: levels (B, D), positions inside cells (B, r), in the middle if not given -> (B,).
        """
        k = self.number.get(j)
        if k is None or self.fine[k] != j:
            return None
        level, cell, edges = cat[:, self.coarse[k]], cat[:, j], self._table("fine_edges", k)
        low, high = edges[level, cell], edges[level, cell + 1]
        inside = 0.5 if num is None else num[:, self._residual[k]]
        score: Tensor = low + inside * (high - low) - self.middles(k)[level]
        return score

    def place(self, j: int, cat: Tensor, num: Tensor | None) -> Tensor | None:
        """What a number's place inside its coarse level adds to a state, once its fine slot j is known.

        **Shape**: (B, D), (B, r) -> (B, H), None for other slots.
        """
        offset = self.offset(j, cat, num)
        return None if offset is None else offset[:, None] * self.vectors[self.number[j]]

    def places(self, cat: Tensor, num: Tensor | None) -> Tensor:
        """The same of all slots, zero for other slots. **Shape**: (B, D), (B, r) -> (B, D, H)."""
        nothing, which = self.vectors.new_zeros(len(cat)), torch.zeros(cat.shape[1], dtype=torch.long)
        offsets = []
        for j in range(cat.shape[1]):
            offset = self.offset(j, cat, num)
            offsets.append(nothing if offset is None else offset)
            which[j] = 0 if offset is None else self.number[j]
        return torch.stack(offsets, dim=1)[..., None] * self.vectors[which.to(cat.device)]

    def log_ratio(self, j: int, state: Tensor, parent: Tensor | None) -> Tensor:
        """Log-ratio of the mixture to a standard normal law on each level of slot j, 0 for "missing".

        **Shape**: states (B, H), for a fine slot the coarse levels (B,) -> (B, K).
        """
        k, at = self.number[j], self._law_at[j]
        weight, mean, scale = torch.addmm(self.law_bias[at], state.float(), self.law[at]).chunk(3, dim=1)
        scale = NORMAL_LIKE * torch.exp(scale.clamp(*SCALES))
        if parent is not None:
            edges, normal = (self._table(f"fine_{what}", k)[parent] for what in ("edges", "normal"))
            return _log_ratio(edges, normal, weight, mean, scale)
        ratio = _log_ratio(self._table("coarse_edges", k), self._table("coarse_normal", k), weight, mean, scale)
        return F.pad(ratio, (0, len(self._table("fine_edges", k)) - ratio.shape[1]))


def _normal_mass(edges: Tensor) -> Tensor:
    below = torch.special.ndtr(edges.double())
    mass: Tensor = (below[..., 1:] - below[..., :-1]).clamp(min=1e-7).float()
    return mass


def _log_ratio(edges: Tensor, normal: Tensor, weight: Tensor, mean: Tensor, scale: Tensor) -> Tensor:
    """**Shape**: (K + 1) or (B, K + 1), (K) or (B, K), each (B, C) -> (B, K)."""
    below = torch.sigmoid((edges.unsqueeze(-2) - mean[..., None]) / scale[..., None])  # (B, C, K + 1)
    total = torch.bmm(torch.softmax(weight, dim=1)[:, None], below).squeeze(1)
    mass = (total[:, 1:] - total[:, :-1]).clamp(min=0.0)
    return torch.log((1 - EVEN_SHARE) * mass / normal + EVEN_SHARE)


def _edges(layout: Layout, slots: tuple[int, ...]) -> tuple[Tensor, Tensor]:
    """Scores at the borders of the coarse levels that are no "missing", and of the cells inside every coarse level.

    **Shape**: (levels + 1,), (K, largest number of cells + 1).
    """
    coarse = layout.slots[slots[0]]
    share = np.exp(coarse.prior.astype(np.float64))[: coarse.size - coarse.missing]
    rank = np.concatenate([[0.0], np.cumsum(share)]) / max(share.sum(), 1e-12)
    within = np.ones((len(share), 1))
    if len(slots) > 1:
        within = np.exp(layout.slots[slots[1]].prior[: len(share)].astype(np.float64))
        within[within.sum(axis=1) == 0, 0] = 1.0
    part = np.cumsum(within, axis=1) / within.sum(axis=1, keepdims=True)
    inner = np.zeros((coarse.size, within.shape[1] + 1))
    inner[: len(share)] = rank[:-1, None] + np.pad(part, ((0, 0), (1, 0))) * np.diff(rank)[:, None]
    return _score(rank), _score(inner)


def _score(rank: NDArray[np.float64]) -> Tensor:
    score: Tensor = torch.special.ndtri(torch.from_numpy(np.clip(rank, 1e-9, 1 - 1e-9)))
    return score.clamp(-FARTHEST_SCORE, FARTHEST_SCORE).float()
