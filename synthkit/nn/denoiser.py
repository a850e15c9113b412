"""The network of diffusion: from what is seen of a row to logits of its names and to its scores."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from synthkit.encode.rows import Slot
from synthkit.nn.blocks import GatedBlock, Levels, fast_dtype, normal

BUMPS = 12  # Gaussians along a score, beside the score itself
WAVES = 16  # pairs of waves along the time


class Denoiser(nn.Module):
    """A residual network over the sum of what is seen: h = sum of value vectors + curves of scores + waves of time.

    A masked name adds nothing. Logits start at the log-shares of the levels and scores at 0.

    Args:
        names: the names, as slots.
        scores: number of scores b.
        width: H, length of the state.
        hidden: M, gated units a block.
        blocks: number of blocks.
        dropout: share of gated units dropped while training.
    """

    def __init__(
        self, names: tuple[Slot, ...], scores: int, *, width: int, hidden: int, blocks: int, dropout: float
    ) -> None:
        super().__init__()
        self.names, self.scores, self.width = names, scores, width
        self.sizes = tuple(slot.size for slot in names)
        self.values = Levels(names, width, free=0.3, smooth=0.2) if names else None
        self.heads = Levels(names, width, free=0.0, smooth=0.0) if names else None
        priors = [torch.from_numpy(slot.prior) for slot in names]
        self.bias = nn.Parameter(torch.cat(priors) if priors else torch.zeros(0))
        self.curves = nn.Parameter(torch.randn(scores * (BUMPS + 1), width) * 0.3)
        self.held = nn.Parameter(torch.randn(scores, width) * 0.1)
        self.moment = nn.Parameter(torch.randn(2 * WAVES, width) * 0.2)
        self.query = nn.Parameter(torch.zeros(width))
        self.blocks: list[GatedBlock] = [GatedBlock(1, width, hidden, dropout) for _ in range(blocks)]
        for k, block in enumerate(self.blocks):
            self.add_module(f"block_{k}", block)
        self.leave = nn.Parameter(torch.zeros(width, scores))
        self.leave_bias = nn.Parameter(torch.zeros(scores))
        self.register_buffer("offsets", torch.tensor([0, *self.sizes[:-1]]).cumsum(0)[: len(names)], persistent=False)
        self.register_buffer("centres", torch.linspace(-2.75, 2.75, BUMPS), persistent=False)
        self.register_buffer("rates", torch.linspace(0, math.log(50.0), WAVES).exp() * math.pi, persistent=False)
        self.offsets: Tensor
        self.centres: Tensor
        self.rates: Tensor

    def seen(self, cat: Tensor, shown: Tensor, table: Tensor | None) -> Tensor:
        """Sum of the value vectors of the names that are shown. **Shape**: (B, a), (B, a) bool, (V, H) -> (B, H)."""
        if table is None:
            return torch.zeros(len(cat), self.width, device=cat.device)
        return F.embedding_bag(cat + self.offsets, table, mode="sum", per_sample_weights=shown.to(table.dtype))

    def state(self, seen: Tensor, scores: Tensor, held: Tensor, time: Tensor) -> Tensor:
        """State of each row after all blocks, normalised.

        Args:
            seen: what `seen` gave. **Shape**: (B, H).
            scores: noisy scores, scaled to variance 1. **Shape**: (B, b).
            held: which of them are known and free of noise. **Shape**: (B, b) bool.
            time: of each row, in [0, 1]. **Shape**: (B,).

        **Shape**: -> (B, H).
        """
        dtype = fast_dtype(seen.device)
        h = self.query + seen
        if self.scores:
            bumps = torch.exp(-2.0 * (scores[:, :, None] - self.centres) ** 2)
            inputs = torch.cat([scores[:, :, None], bumps], dim=2).flatten(1)
            h = h + (inputs.to(dtype) @ self.curves.to(dtype)).float() + held.to(h.dtype) @ self.held
        angle = time[:, None] * self.rates
        h = h + torch.cat([angle.cos(), angle.sin()], dim=1) @ self.moment
        s = h.to(dtype)[None]
        for block in self.blocks:
            s = block(s)
        return normal(s[0])

    def score(self, state: Tensor) -> Tensor:
        """What the scores are told. **Shape**: (B, H) -> (B, b)."""
        return (state @ self.leave.to(state.dtype)).float() + self.leave_bias

    def tables(self) -> tuple[Tensor | None, list[Tensor], list[Tensor]]:
        """Value vectors of all levels, heads and biases by name: the same for every row."""
        if self.values is None or self.heads is None:
            return None, [], []
        heads = list(torch.split(self.heads(), list(self.sizes)))
        return self.values(), heads, list(torch.split(self.bias, list(self.sizes)))
