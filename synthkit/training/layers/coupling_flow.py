"""A learned density in continuous space that can be both asked and drawn from: affine couplings over a Gaussian."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

LOG_2PI = math.log(2 * math.pi)
STEEPEST = 2.0  # largest log-scale of one coupling


def log_normal(z: Tensor, log_scale: Tensor | float = 0.0) -> Tensor:
    """Log-density of standardised z under scales, summed over the last axis. **Shape**: (..., L) -> (...)."""
    return -(0.5 * (z.square() + LOG_2PI) + log_scale).sum(dim=-1)


class Coupling(nn.Module):
    """Half of the coordinates shifted and scaled by functions of the other half.

    b = (y - t(a)) exp(-l(a)), a unchanged; l = 2 tanh(. / 2), and t = l = 0 at the start.

    Args:
        size: number of coordinates.
        hidden: units of the two inner layers.
        kept: the coordinates that stay as they are, as a mask. **Shape**: (size,) bool.
    """

    def __init__(self, size: int, hidden: int, kept: Tensor) -> None:
        super().__init__()
        here, there = torch.nonzero(kept).ravel(), torch.nonzero(~kept).ravel()
        self.inner = nn.Sequential(nn.Linear(len(here), hidden), nn.SiLU(), nn.Linear(hidden, hidden), nn.SiLU())
        self.outer = nn.Linear(hidden, 2 * len(there))
        nn.init.zeros_(self.outer.weight)
        nn.init.zeros_(self.outer.bias)
        self.register_buffer("here", here)
        self.register_buffer("back", torch.cat([here, there]).argsort())
        self.register_buffer("there", there)
        self.here: Tensor
        self.there: Tensor
        self.back: Tensor

    def _shift_and_scale(self, a: Tensor) -> tuple[Tensor, Tensor]:
        shift, scale = self.outer(self.inner(a)).chunk(2, dim=1)
        return shift, STEEPEST * torch.tanh(scale / STEEPEST)

    def forward(self, z: Tensor) -> tuple[Tensor, Tensor]:
        """Towards the Gaussian, and the log-determinant. **Shape**: (B, L) -> (B, L), (B,)."""
        a = z[:, self.here]
        shift, scale = self._shift_and_scale(a)
        b = (z[:, self.there] - shift) * torch.exp(-scale)
        return torch.cat([a, b], dim=1)[:, self.back], -scale.sum(dim=1)

    def inverse(self, u: Tensor) -> Tensor:
        """Back from the Gaussian. **Shape**: (B, L) -> (B, L)."""
        a = u[:, self.here]
        shift, scale = self._shift_and_scale(a)
        return torch.cat([a, u[:, self.there] * torch.exp(scale) + shift], dim=1)[:, self.back]


class Flow(nn.Module):
    """log p(z) = log N(f(z); 0, 1) + log |det df/dz|, f a chain of couplings; the standard Gaussian at the start.

    Which half a coupling keeps is drawn once, from a fixed seed; the next one keeps the other half.

    Args:
        size: L, number of coordinates.
        couplings: length of the chain; with none, the Gaussian.
        hidden: units of the inner layers.

    References:
        Dinh, Sohl-Dickstein, Bengio: Density estimation using Real NVP (2017).
    """

    def __init__(self, size: int, couplings: int, hidden: int) -> None:
        super().__init__()
        self.size = size
        self.chain: list[Coupling] = []
        generator = torch.Generator().manual_seed(0)
        kept = torch.zeros(size, dtype=torch.bool)
        for k in range(couplings if size > 1 else 0):
            if k % 2 == 0:
                kept = torch.zeros(size, dtype=torch.bool)
                kept[torch.randperm(size, generator=generator)[: size // 2]] = True
            else:
                kept = ~kept
            self.chain.append(Coupling(size, hidden, kept))
            self.add_module(f"coupling_{k}", self.chain[-1])

    def log_prob(self, z: Tensor) -> Tensor:
        """Log-density, nats. **Shape**: (B, L) -> (B,)."""
        volume = torch.zeros(len(z), device=z.device)
        for coupling in self.chain:
            z, more = coupling(z)
            volume = volume + more
        return log_normal(z) + volume

    def sample(self, n: int, generator: torch.Generator, device: torch.device) -> Tensor:
        """Draw n points. **Shape**: (n, L)."""
        u = torch.randn((n, self.size), generator=generator, device=generator.device).to(device)
        for coupling in reversed(self.chain):
            u = coupling.inverse(u)
        return u
