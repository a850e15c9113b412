"""The network of diffusion: from what is seen of a row to logits of its names and to its scores."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from synthkit.encoding.layout import Slot
from synthkit.training.layers.gated_blocks import LevelEmbedding, fast_dtype, keep, normal

BUMPS = 12  # Gaussians along a score, beside the score itself
WAVES = 16  # pairs of waves along the time
MOMENTS = 8  # hats along the time


class TimedBlock(nn.Module):
    """s <- s + dropout(a * silu(g)) W2 with (a, g) = normal(s) W1 + T(time) + b: the time opens and shuts the gates.

    Args:
        width: H.
        hidden: gated units M.
        dropout: share of gated units dropped.
    """

    def __init__(self, width: int, hidden: int, dropout: float) -> None:
        super().__init__()
        self.enter = nn.Parameter(torch.randn(width, 2 * hidden) / math.sqrt(width))
        self.moment = nn.Parameter(torch.randn(2 * WAVES, 2 * hidden) * 0.1)
        self.bias = nn.Parameter(torch.zeros(2 * hidden))
        self.leave = nn.Parameter(torch.randn(hidden, width) * 0.5 / math.sqrt(hidden))
        self.dropout = dropout

    def forward(self, s: Tensor, waves: Tensor) -> Tensor:
        """**Shape**: (B, H), (B, 2 * 16) -> (B, H)."""
        enter, leave, moment, bias = (w.to(s.dtype) for w in (self.enter, self.leave, self.moment, self.bias))
        a, g = torch.addmm(torch.addmm(bias, waves, moment), normal(s), enter).chunk(2, dim=-1)
        gated = a * F.silu(g)
        if self.training and self.dropout:
            gated = gated * keep(gated.shape, self.dropout, gated.dtype, gated.device)
        return torch.addmm(s, gated, leave)


class Denoiser(nn.Module):
    """A residual network over the sum of what is seen: h = sum of value vectors + curves of scores + waves of time.

    A masked name adds nothing. Logits start at the log-shares of the levels and scores at 0; beside the network, what
    the scores tell of each other on a straight line is a matrix that changes with time, sum_m hat_m(t) A_m: were
    they jointly Gaussian, it would be all there is to learn.

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
        self.values = LevelEmbedding(names, width, free=0.3, smooth=0.2) if names else None
        self.heads = LevelEmbedding(names, width, free=0.0, smooth=0.0) if names else None
        priors = [torch.from_numpy(slot.prior) for slot in names]
        self.bias = nn.Parameter(torch.cat(priors) if priors else torch.zeros(0))
        self.curves = nn.Parameter(torch.randn(scores * (BUMPS + 1), width) * 0.3)
        self.held = nn.Parameter(torch.randn(scores, width) * 0.1)
        self.moment = nn.Parameter(torch.randn(2 * WAVES, width) * 0.2)
        self.query = nn.Parameter(torch.zeros(width))
        self.blocks: list[TimedBlock] = [TimedBlock(width, hidden, dropout) for _ in range(blocks)]
        for k, block in enumerate(self.blocks):
            self.add_module(f"block_{k}", block)
        self.leave = nn.Parameter(torch.zeros(width, scores))
        self.leave_bias = nn.Parameter(torch.zeros(scores))
        self.straight_bias = nn.Parameter(torch.zeros(MOMENTS * scores, scores))
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
        waves = torch.cat([angle.cos(), angle.sin()], dim=1)
        s, waves = (h + waves @ self.moment).to(dtype), waves.to(dtype)
        for block in self.blocks:
            s = block(s, waves)
        return normal(s)

    def score(self, state: Tensor, scores: Tensor, time: Tensor) -> Tensor:
        """What the scores are told. **Shape**: (B, H), (B, b), (B,) -> (B, b)."""
        at = time[:, None] * (MOMENTS - 1) - torch.arange(MOMENTS, device=time.device)
        hats = (1 - at.abs()).clamp(min=0)
        straight = (hats[:, :, None] * scores[:, None, :]).flatten(1) @ self.straight_bias
        return (state @ self.leave.to(state.dtype)).float() + self.leave_bias + straight

    def tables(self) -> tuple[Tensor | None, list[Tensor], list[Tensor]]:
        """Value vectors of all levels, heads and biases by name: the same for every row."""
        if self.values is None or self.heads is None:
            return None, [], []
        heads = list(torch.split(self.heads(), list(self.sizes)))
        return self.values(), heads, list(torch.split(self.bias, list(self.sizes)))
