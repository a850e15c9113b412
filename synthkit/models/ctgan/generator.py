"""Generator and discriminator of the conditional GAN, and the penalty that keeps the discriminator smooth."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from synthkit.training.layers.gated_blocks import normal

SHARP = 0.2  # temperature of the relaxed draws


class Generator(nn.Module):
    """Noise and condition to scores and logits: a residual network.

    h <- h + W2 silu(W1 normal(h) + b1); scores and logits = W normal(h) + b, where b starts at the log-shares.

    Args:
        scores: number of scores b.
        priors: log-shares of each name's levels.
        noise: length of the noise vector.
        width: hidden units.
        blocks: residual blocks.
    """

    def __init__(self, scores: int, priors: Sequence[Tensor], *, noise: int, width: int, blocks: int) -> None:
        super().__init__()
        self.scores, self.sizes, self.noise = scores, tuple(len(p) for p in priors), noise
        total = sum(self.sizes)
        self.enter = nn.Linear(noise + total, width)
        self.within = nn.ModuleList(nn.Linear(width, width) for _ in range(2 * blocks))
        self.leave = nn.Linear(width, scores + total)
        with torch.no_grad():
            self.leave.bias[:scores] = 0.0
            for at, prior in zip(self.slices(), priors, strict=True):
                self.leave.bias[scores + at.start : scores + at.stop] = prior.clamp(min=-12.0)

    def slices(self) -> list[slice]:
        """Where each name's levels stand among all. **Shape**: a slices of range(V)."""
        ends = torch.tensor([0, *self.sizes]).cumsum(0).tolist()
        return [slice(a, b) for a, b in pairwise(ends)]

    def forward(self, noise: Tensor, condition: Tensor) -> tuple[Tensor, Tensor]:
        """**Shape**: (B, z), (B, V) -> scores (B, b), logits (B, V)."""
        h = self.enter(torch.cat([noise, condition], dim=1))
        for k in range(0, len(self.within), 2):
            h = h + self.within[k + 1](F.silu(self.within[k](normal(h))))
        out = self.leave(normal(h))
        return out[:, : self.scores], out[:, self.scores :]


class Discriminator(nn.Module):
    """How real a pack of rows looks: each number as its score and through soft modes, each name as a vector.

    Args:
        scores: number of scores b.
        names: length V of all names together.
        pack: rows judged together.
        width: hidden units.
        layers: hidden layers.
        modes: Gaussians over the scores through which each is seen beside itself; 0 for none.
        dropout: share of hidden units dropped.
    """

    def __init__(
        self, scores: int, names: int, *, pack: int, width: int, layers: int, modes: int, dropout: float
    ) -> None:
        super().__init__()
        self.scores, self.pack, self.dropout = scores, pack, dropout
        self.register_buffer("centres", torch.linspace(-2.0, 2.0, modes) if modes else torch.empty(0))
        self.centres: Tensor
        length = scores * (1 + modes) + 2 * names
        sizes = [length * pack] + [width] * layers
        self.within = nn.ModuleList(nn.Linear(a, b) for a, b in pairwise(sizes))
        self.leave = nn.Linear(width, 1)

    def forward(self, rows: Tensor, condition: Tensor) -> Tensor:
        """**Shape**: (B, b + V), (B, V) -> (B / pack,)."""
        parts = [rows, condition]
        if len(self.centres):
            z = rows[:, : self.scores, None]
            spacing = float(self.centres[1] - self.centres[0])
            parts.append(torch.exp(-0.5 * ((z - self.centres) / spacing) ** 2).flatten(1))
        x = torch.cat(parts, dim=1)
        x = x.reshape(len(x) // self.pack, -1)
        for layer in self.within:
            x = F.leaky_relu(layer(x), 0.2)
            if self.training and self.dropout:
                x = F.dropout(x, self.dropout)
        out: Tensor = self.leave(x).squeeze(1)
        return out


def relaxed(logits: Tensor, sizes: Sequence[int], noise: Tensor) -> Tensor:
    """Nearly one-hot draws of every name that let gradients through, softmax((logits + Gumbel noise) / 0.2).

    References:
        Jang, Gu, Poole: Categorical reparameterization with Gumbel-softmax (2017).

    **Shape**: (B, V), (B, V) uniform in (0, 1) -> (B, V).
    """
    if not sizes:
        return logits
    gumbel = -torch.log(-torch.log(noise.clamp(1e-9, 1 - 1e-7)))
    parts = torch.split((logits + gumbel) / SHARP, list(sizes), dim=1)
    return torch.cat([torch.softmax(part, dim=1) for part in parts], dim=1)


def steepness(critic: Discriminator, rows: Tensor, condition: Tensor) -> Tensor:
    """Squared length of the discriminator's gradient by each pack of rows.

    **Shape**: (B, b + V), (B, V) -> (B / pack,).
    """
    rows = rows.detach().requires_grad_(True)
    (slope,) = torch.autograd.grad(critic(rows, condition).sum(), rows, create_graph=True)
    return slope.reshape(len(slope) // critic.pack, -1).square().sum(dim=1)
