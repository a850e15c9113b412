"""A worked model: a Chow-Liu tree fitted to counts of single slots and of pairs.

p(x) = prod_j p(x_j | x_parent(j)) over the coarse slots, along the tree of largest mutual information; a fine level is
drawn given its coarse one. Conditionals are exact: what is known of the slots below another is summed up the tree.

References:
    Chow, Liu: Approximating discrete probability distributions with dependence trees (1968).
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.sparse.csgraph import breadth_first_order, minimum_spanning_tree
from torch import Tensor

from synthkit.encoding.coding import Coding
from synthkit.encoding.layout import ConstraintMask, Given, Layout, Rows
from synthkit.encoding.slot_counts import Counting
from synthkit.models.base import Capability, CountModel, TrainingLog
from synthkit.models.sampling import draw_allowed, fine_law, residuals
from synthkit.training.callbacks import TrainingCallbacks


@dataclass(frozen=True, kw_only=True)
class ChowLiuConfig:
    """Settings of the tree.

    Args:
        singles: share of a budget that tells the single slots; the pairs have the rest, in (0, 1).
    """

    singles: float = 0.2


class ChowLiu(CountModel):
    """A tree of slots, each drawn given one other: exact probabilities and exact conditionals."""

    coding: ClassVar[Coding] = Coding(exact=24, heavy=0.04, coarse=14, fine=256)
    Config: ClassVar[type[ChowLiuConfig]] = ChowLiuConfig
    capabilities: ClassVar[frozenset[Capability]] = frozenset(Capability)

    def __init__(self, layout: Layout, config: ChowLiuConfig | None = None) -> None:
        super().__init__(layout, config)
        self._coarse = list(layout.coarse)
        self._sizes = [layout.sizes[j] for j in self._coarse]
        self._fine = {slot.parent: j for j, slot in enumerate(layout.slots) if slot.parent is not None}
        self._parents = torch.full((len(self._coarse),), -1)
        widest = max(self._sizes, default=1)
        self._laws = [torch.ones(widest, k) / k for k in self._sizes]

    def fit_counts(
        self,
        counting: Counting,
        seed: int,
        callbacks: TrainingCallbacks | None = None,
        device: torch.device | None = None,
        *,
        outcomes: Sequence[int] = (),
    ) -> TrainingLog:
        """Count every slot and every pair, keep the best tree."""
        del seed, device, outcomes
        pairs = list(itertools.combinations(range(len(self._sizes)), 2))
        share = self._config.singles if pairs else 1.0
        one, two = _price(counting.rho * share, len(self._sizes)), _price(counting.rho * (1 - share), len(pairs))
        shares = [_law(m.counts) for m in counting.measure([(j,) for j in range(len(self._sizes))], one)]
        told = counting.measure(pairs, two) if pairs else []
        joint = {m.scope: _law(m.counts) for m in told}
        self.rows = max(float(np.mean([m.counts.sum() for m in told])) if told else 1.0, 1.0)
        order, parents = _tree(joint, len(self._sizes))
        loss = 0.0
        for j in order:
            i = parents[j]
            table = shares[j][None] if i < 0 else joint[i, j] if i < j else joint[j, i].T
            law = table / np.maximum(table.sum(axis=1, keepdims=True), 1e-12)
            law = np.where(table.sum(axis=1, keepdims=True) > 0, law, shares[j])
            self._laws[j][: len(law)] = torch.from_numpy(law).float()
            self._parents[j] = i
            loss -= float((table * np.log(np.maximum(law, 1e-12))).sum())  # entropy of the slot given its parent
        (callbacks or TrainingCallbacks()).on_step(1, 1, loss)
        return TrainingLog(steps=1, planned=1, best_step=1, seconds=0.0)

    def sample_given(self, given: Given, generator: torch.Generator, *, tries: int | None = None) -> Rows:
        """Known slots stay, the others follow their law given them, exactly. **Shape**: Given of n -> Rows of n."""
        del tries
        cat, n, law = given.cat.clone(), len(given), self._upward(given)
        mask = ConstraintMask(self.layout, n, given, cat.device)
        for j in range(cat.shape[1]):
            mask.observe(j, cat[:, j])
        for k in self._order():
            j, i = self._coarse[k], int(self._parents[k])
            above = cat[:, self._coarse[i]] if i >= 0 else torch.zeros(n, dtype=torch.long)
            self._draw(j, self._laws[k][above] * law[k], cat, mask, generator)
            if j in self._fine:
                fine = self._fine[j]
                self._draw(fine, fine_law(self.layout.slots[fine])[cat[:, j]], cat, mask, generator)
        return Rows(cat, residuals(n, self.layout, generator))

    def _draw(self, j: int, law: Tensor, cat: Tensor, mask: ConstraintMask, generator: torch.Generator) -> None:
        cat[:, j] = torch.where(cat[:, j] < 0, draw_allowed(law, mask.mask(j), generator), cat[:, j])
        mask.observe(j, cat[:, j])

    def _order(self) -> list[int]:
        """Slots of the tree, each behind its parent."""
        return sorted(range(len(self._sizes)), key=lambda k: len(self._ancestors(k)))

    def _ancestors(self, k: int) -> list[int]:
        """Parents of parents up to the root; more than there are slots, if they run in a circle."""
        found = []
        while (k := int(self._parents[k])) >= 0 and len(found) <= len(self._sizes):
            found.append(k)
        return found

    def _upward(self, given: Given) -> list[Tensor]:
        """Probability of all that is known at and below a slot, given its level. **Shape**: (n, K) a coarse slot."""
        known = [
            torch.where(x[:, None] < 0, 1.0, (x[:, None] == torch.arange(k)).float())
            for x, k in zip(given.cat[:, self._coarse].T, self._sizes, strict=True)
        ]
        for k, j in enumerate(self._coarse):
            if j in given.allowed:
                sets, which = given.allowed[j]
                known[k] = known[k] * sets[which].float()
        for k in reversed(self._order()):
            if (i := int(self._parents[k])) >= 0:
                known[i] = known[i] * (known[k] @ self._laws[k][: self._sizes[i]].T)
        return known

    def _log_known(self, given: Given) -> Tensor:
        """Log-probability of all that is known of the coarse slots. **Shape**: (n,)."""
        up = self._upward(given)
        roots = [up[k] @ self._laws[k][0] for k in range(len(up)) if self._parents[k] < 0]
        return torch.stack(roots).clamp(min=1e-30).log().sum(dim=0)

    def log_prob_given(self, rows: Rows, given: Given, aim: Tensor) -> Tensor:
        """Exact: log p(known, aim) - log p(known), and fine levels given their coarse ones."""
        cat = rows.cat.long()
        both = Given(torch.where(aim, cat, given.cat), given.allowed)
        return self._log_known(both) - self._log_known(given) + (self._log_fine(cat) * aim).sum(dim=1)

    def log_prob(self, rows: Rows) -> Tensor:
        """Exact log-probability of the levels of each row, nats."""
        cat = rows.cat.long()
        return self._log_known(Given(cat, {})) + self._log_fine(cat).sum(dim=1)

    def negative_log_prob(self, rows: Rows, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Minus the log-probability, and of each slot given its parent."""
        del generator
        cat = rows.cat.long()
        parts = -self._log_fine(cat)
        for k, j in enumerate(self._coarse):
            i = int(self._parents[k])
            above = cat[:, self._coarse[i]] if i >= 0 else torch.zeros(len(cat), dtype=torch.long)
            parts[:, j] = -self._laws[k][above, cat[:, j]].clamp(min=1e-30).log()
        return parts.sum(dim=1), parts

    def _log_fine(self, cat: Tensor) -> Tensor:
        out = torch.zeros(cat.shape)
        for parent, j in self._fine.items():
            law = fine_law(self.layout.slots[j])[cat[:, parent], cat[:, j]]
            out[:, j] = law.clamp(min=1e-30).log()
        return out

    def tensors(self) -> dict[str, Tensor]:
        """The tree and the logarithms of its laws."""
        laws = {f"log_law.{k}": law.clamp(min=1e-12).log() for k, law in enumerate(self._laws)}
        return {"parents": self._parents.float(), **laws}

    def load_tensors(self, tensors: dict[str, Tensor], device: torch.device) -> None:
        """Take them back: parents are whole numbers again, and laws add up to one."""
        del device
        d = len(self._sizes)
        self._parents = tensors["parents"].round().long().clamp(-1, d - 1)
        self._laws = [torch.softmax(tensors[f"log_law.{k}"], dim=1) for k in range(d)]
        for k in range(d):
            if len(self._ancestors(k)) > d:
                self._parents[k] = -1  # no tree: somebody wrote the file by hand


def _price(rho: float, tables: int) -> float:
    return rho / max(tables, 1) * (1 - 1e-9) if math.isfinite(rho) else rho


def _law(counts: NDArray[np.int64]) -> NDArray[np.float64]:
    """Shares of cells, those that noise took below nought being 0; even ones if there is nothing else."""
    found = np.maximum(counts, 0).astype(np.float64)
    return found / found.sum() if found.sum() > 0 else np.full(counts.shape, 1 / counts.size)


def _tree(joint: dict[tuple[int, ...], NDArray[np.float64]], d: int) -> tuple[list[int], list[int]]:
    """Slots in order from a root, and the parent of each, of the tree of largest mutual information."""
    weight = np.zeros((d, d))
    for (i, j), p in joint.items():
        product = p.sum(axis=1, keepdims=True) * p.sum(axis=0, keepdims=True)
        some = p > 0
        weight[i, j] = -float((p[some] * np.log(p[some] / product[some])).sum()) - 1e-9  # least of minus: the most
    order, before = breadth_first_order(minimum_spanning_tree(weight), 0, directed=False)
    return order.tolist(), [int(i) if i >= 0 else -1 for i in before]
