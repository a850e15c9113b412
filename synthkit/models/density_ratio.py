"""The odds that a row is real, learned against a fixed generator: candidates are chosen by them."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from synthkit.encoding.layout import Layout, Rows
from synthkit.training.layers.gated_blocks import LevelEmbedding, keep, normal


class DensityRatio(nn.Module):
    """Log-odds that an encoded row is real rather than drawn.

    h = sum_j T_j[x_j]; h <- h + W2 silu(W1 normal(h) + b1); log-odds = w normal(h) + b. With as many drawn rows as real
    ones the optimum is log p_real(x) - log p_drawn(x), so that choosing among candidates with probability
    proportional to its exponential moves the drawn law to the real one.

    References:
        Azadi, Olsson, Darrell, Goodfellow, Odena: Discriminator rejection sampling (2019).

    Args:
        layout: the slots.
        width: hidden units.
        blocks: residual blocks.
        dropout: share of hidden units dropped.
    """

    def __init__(self, layout: Layout, *, width: int, blocks: int, dropout: float) -> None:
        super().__init__()
        self.layout, self.dropout = layout, dropout
        self.values = LevelEmbedding(layout.slots, width, free=0.2, smooth=0.2)
        self.bias = nn.Parameter(torch.zeros(width))
        self.within = nn.ModuleList(nn.Linear(width, width) for _ in range(2 * blocks))
        self.leave = nn.Linear(width, 1)
        nn.init.zeros_(self.leave.weight)
        nn.init.zeros_(self.leave.bias)
        self.register_buffer("offsets", torch.tensor([0, *layout.sizes[:-1]]).cumsum(0))
        self.offsets: Tensor

    def forward(self, rows: Rows) -> Tensor:
        """**Shape**: Rows of B -> (B,)."""
        cat = rows.cat.long()
        applies = self.layout.applicable(cat).float()
        h = F.embedding_bag(cat + self.offsets, self.values(), mode="sum", per_sample_weights=applies) + self.bias
        for k in range(0, len(self.within), 2):
            inner = F.silu(self.within[k](normal(h)))
            if self.training and self.dropout:
                inner = inner * keep(inner.shape, self.dropout, inner.dtype, inner.device)
            h = h + self.within[k + 1](inner)
        out: Tensor = self.leave(normal(h)).squeeze(1)
        return out
