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

from collections.abc import Sequence

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from synthkit.encoding.layout import Layout
from synthkit.training.layers.cells_of_numbers import CellsOfNumbers
from synthkit.training.layers.logistic_mixtures import LOGISTIC_LAWS, log_ratio

FARTHEST_SCORE = 4.5  # scores stay inside +- this
ABOUT_AS_MANY = 1.4  # cells of slots whose laws are worked out at once, the most by the fewest


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
        self.register_buffer("_middle_of", self._middles(layout), persistent=False)
        self._middle_of: Tensor  # scores of the middles of all levels, in the column of their number
        self._placed = [k for k, fine in enumerate(self.fine) if fine is not None]
        self._flat_edges()
        self._sizes = layout.sizes
        self._groups = self._alike()
        for k, group in enumerate(self._groups):
            self.add_module(f"group_{k}", group)

    def _table(self, name: str, k: int) -> Tensor:
        table: Tensor = getattr(self, f"{name}_{k}")
        return table

    def _middles(self, layout: Layout) -> Tensor:
        out = torch.zeros(sum(layout.sizes), len(self.coarse))
        starts = np.concatenate([[0], np.cumsum(layout.sizes)])
        for k, j in enumerate(self.coarse):
            out[starts[j] : starts[j + 1], k] = self.middles(k)
        return out

    def _flat_edges(self) -> None:
        """Borders inside the coarse levels of all numbers that have fine slots, end to end, less their middles."""
        tables = [self._table("fine_edges", k) - self.middles(k)[:, None] for k in self._placed]
        starts = np.cumsum([0, *(table.numel() for table in tables)])[:-1]
        flat = torch.cat([table.ravel() for table in tables]) if tables else torch.zeros(0)
        where = {
            "start": starts,
            "stride": [table.shape[1] for table in tables],
            "coarse": [self.coarse[k] for k in self._placed],
            "fine": [self.fine[k] for k in self._placed],
            "residual": [self._residual[k] for k in self._placed],
            "number": self._placed,
        }
        self.register_buffer("_inner_edges", flat, persistent=False)
        self._inner_edges: Tensor
        for name, values in where.items():
            self.register_buffer(f"_placed_{name}", torch.tensor(values, dtype=torch.long), persistent=False)

    def _alike(self) -> list[CellsOfNumbers]:
        """Slots of numbers whose cells are about as many, fine ones apart; those without a cell are never told."""
        fine = sorted((j for j in self.fine if j is not None), key=self._cells)
        groups: list[list[int]] = [fine] if fine else []
        bound = 0.0
        for j in sorted(filter(self._cells, self.coarse), key=self._cells):
            if self._cells(j) > bound:
                groups.append([])
                bound = ABOUT_AS_MANY * self._cells(j)
            groups[-1].append(j)
        return [CellsOfNumbers(tuple(slots), *self._of(slots)) for slots in groups]

    def _cells(self, j: int) -> int:
        kind = "coarse" if j in self.coarse else "fine"
        return self._table(f"{kind}_normal", self.number[j]).shape[-1]

    def _of(self, slots: list[int]) -> tuple[tuple[int | None, ...], list[Tensor], list[Tensor]]:
        """Coarse slots of these if they are fine ones, and tables of their borders and masses."""
        parents = tuple(None if j in self.coarse else self.coarse[self.number[j]] for j in slots)
        kinds = ["coarse" if parent is None else "fine" for parent in parents]
        edges, normal = (
            [self._table(f"{kind}_{what}", self.number[j]) for kind, j in zip(kinds, slots, strict=True)]
            for what in ("edges", "normal")
        )
        return parents, edges, normal

    def middles(self, k: int) -> Tensor:
        """Scores of the middles of the coarse levels of number k, 0 of "missing". **Shape**: (K,)."""
        edges = self._table("coarse_edges", k)
        middle = (edges[:-1] + edges[1:]) / 2
        return F.pad(middle, (0, len(self._table("fine_edges", k)) - len(middle)))

    def levels(self) -> Tensor:
        """Vectors of the scores of all levels of all slots: those of coarse levels of numbers. **Shape**: (V, H)."""
        return self._middle_of @ self.vectors

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

    def tell(self, z: Tensor, cat: Tensor, num: Tensor | None) -> Tensor:
        """Value vectors of cells with the places of numbers inside their coarse levels added, in place.

        **Shape**: (B, D, H), levels (B, D), positions (B, r) -> (B, D, H).
        """
        if not self._placed:
            return z
        names = ("start", "stride", "coarse", "fine", "residual", "number")
        of: dict[str, Tensor] = {name: getattr(self, f"_placed_{name}") for name in names}
        at = of["start"] + cat[:, of["coarse"]] * of["stride"] + cat[:, of["fine"]]
        low, high = self._inner_edges[at], self._inner_edges[at + 1]
        offset = low + (0.5 if num is None else num[:, of["residual"]]) * (high - low)  # (B, numbers)
        place = offset[..., None] * self.vectors[of["number"]]
        return z.index_add_(1, of["fine"], place.to(z.dtype))

    def log_ratio(self, j: int, state: Tensor, parent: Tensor | None) -> Tensor:
        """Log-ratio of the mixture to a standard normal law on each level of slot j, 0 for "missing".

        **Shape**: states (B, H), for a fine slot the coarse levels (B,) -> (B, K).
        """
        k, at = self.number[j], slice(self._law_at[j], self._law_at[j] + 1)
        kind, rows = ("coarse", None) if parent is None else ("fine", parent)
        edges, normal = (self._table(f"{kind}_{what}", k)[rows][None] for what in ("edges", "normal"))
        ratio = log_ratio(state[None], self.law[at], self.law_bias[at], edges, normal)[0]
        return F.pad(ratio, (0, self._sizes[j] - ratio.shape[1]))

    def log_ratios(self, states: Sequence[Tensor], cat: Tensor) -> dict[int, Tensor]:
        """The same of all slots of numbers, those of about as many levels at once.

        **Shape**: states (B, H) of all slots, levels (B, D) -> by slot, (B, K).
        """
        out: dict[int, Tensor] = {}
        for group in self._groups:
            at = torch.tensor([self._law_at[j] for j in group.slots], device=cat.device)
            edges, normal = group.cells(cat)
            laws = self.law.index_select(0, at), self.law_bias.index_select(0, at)
            ratios = log_ratio(torch.stack([states[j] for j in group.slots]), *laws, edges, normal).unbind(0)
            for j, cells, ratio in zip(group.slots, group.sizes, ratios, strict=True):
                out[j] = F.pad(ratio[:, :cells], (0, self._sizes[j] - cells))
        return out


def _normal_mass(edges: Tensor) -> Tensor:
    below = torch.special.ndtr(edges.double())
    mass: Tensor = (below[..., 1:] - below[..., :-1]).clamp(min=1e-7).float()
    return mass


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
