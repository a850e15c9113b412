"""The product of marginals: the baseline whose answers are known exactly.

p(x) = prod_j p(x_j), a fine level drawn given its coarse one. What it misses is dependence, all of it; rules
still hold.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from synthkit.encoding.layout import ConstraintMask, Given, Rows
from synthkit.models.base import Capability, RowModel, TrainingLog
from synthkit.models.sampling import draw_allowed, fine_law, residuals
from synthkit.privacy.access.data_access import DataAccess
from synthkit.training.callbacks import TrainingCallbacks


@dataclass(frozen=True, kw_only=True)
class IndependentConfig:
    """Nothing to set."""


class Independent(RowModel):
    """Each column by itself, from the histograms the encoder was fitted to.

    Args:
        layout: slots with their prior log-probabilities, which are all this model needs.
    """

    Config: ClassVar[type[IndependentConfig]] = IndependentConfig
    capabilities: ClassVar[frozenset[Capability]] = frozenset(Capability) - {Capability.BUDGET}

    def fit(self, access: DataAccess, seed: int, callbacks: TrainingCallbacks | None = None) -> TrainingLog:
        """Nothing is left to learn: the marginals came with the layout."""
        del access, seed, callbacks
        return TrainingLog(steps=0, best_step=0, seconds=0.0)

    def sample_given(self, given: Given, generator: torch.Generator, *, tries: int | None = None) -> Rows:
        """Known slots stay, every other is drawn from its own marginal. **Shape**: Given of n -> Rows of n."""
        del tries
        n, device = len(given), given.cat.device
        cat = given.cat.clone()
        admissible = ConstraintMask(self.layout, n, given, device)
        for j in range(cat.shape[1]):
            admissible.observe(j, cat[:, j])
        for j, slot in enumerate(self.layout.slots):
            if slot.parent is None:
                p = torch.from_numpy(slot.prior).to(device).exp().expand(n, -1)
            else:
                p = fine_law(slot).to(device)[cat[:, slot.parent]]
            drawn = draw_allowed(p, admissible.mask(j), generator)
            cat[:, j] = torch.where(cat[:, j] >= 0, cat[:, j], drawn)
            admissible.observe(j, cat[:, j])
        return Rows(cat, residuals(n, self.layout, generator))

    def log_prob(self, rows: Rows) -> Tensor:
        """Sum of log-marginals, exactly. **Shape**: Rows of n -> (n,)."""
        return self._marginals(rows).sum(dim=1)

    def negative_log_prob(self, rows: Rows, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Minus the log-probability, and minus each log-marginal. **Shape**: Rows of n -> (n,), (n, d)."""
        del generator
        parts = -self._marginals(rows)
        return parts.sum(dim=1), parts

    def log_prob_given(self, rows: Rows, given: Given, aim: Tensor) -> Tensor:
        """Sum of the log-marginals in `aim`; what is known tells nothing. **Shape**: (n, d) bool -> (n,)."""
        del given
        return (self._marginals(rows) * aim).sum(dim=1)

    def _marginals(self, rows: Rows) -> Tensor:
        out = torch.zeros(rows.cat.shape)
        for j, slot in enumerate(self.layout.slots):
            prior = torch.from_numpy(slot.prior)
            x = rows.cat[:, j].long().clamp(min=0)
            if slot.parent is None:
                out[:, j] = prior[x]
            else:
                parent = rows.cat[:, slot.parent].long().clamp(min=0)
                out[:, j] = torch.where(torch.from_numpy(slot.applies)[parent], prior[parent, x], 0.0)
        return out

    def tensors(self) -> dict[str, Tensor]:
        """Nothing beyond the encoder."""
        return {}

    def load_tensors(self, tensors: dict[str, Tensor], device: torch.device) -> None:
        """Nothing to take back, and nothing worth another device."""
        del tensors, device
