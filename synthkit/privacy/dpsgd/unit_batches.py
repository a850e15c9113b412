"""Rows and the units they belong to: sums over a unit, pairs of its rows, and parts of a batch that cut no unit."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from synthkit.errors import ConfigError


@dataclass(frozen=True)
class Block:
    """Units of about as many rows, two or more.

    **Shape**: `units` (u,); `rows` (u, m), of each unit its rows; `real` (u, m) bool, False where there are fewer than
    m and row 0 stands in.
    """

    units: Tensor
    rows: Tensor
    real: Tensor


class Units:
    """Which unit each row belongs to.

    Args:
        of: any number that is the same for rows of one unit. **Shape**: (B,).
    """

    def __init__(self, of: Tensor) -> None:
        names, self.of, self.counts = torch.unique(of, return_inverse=True, return_counts=True)
        self.count = len(names)
        self.single = self.count == len(of)
        self.largest = int(self.counts.max()) if self.count else 0

    def sums(self, x: Tensor, dim: int = 0) -> Tensor:
        """Sums over the rows of each unit along an axis. **Shape**: (.., B, ..) -> (.., U, ..)."""
        shape = list(x.shape)
        shape[dim] = self.count
        return torch.zeros(shape, dtype=x.dtype, device=x.device).index_add_(dim, self.of, x)

    def blocks(self) -> list[Block]:
        """Units of more than one row, by powers of two of their number of rows."""
        order = torch.argsort(self.of, stable=True)
        first = torch.cumsum(self.counts, 0) - self.counts
        out = []
        most = 2
        while self.largest > most // 2:
            chosen = torch.nonzero((self.counts > most // 2) & (self.counts <= most)).ravel()
            if len(chosen):
                step = torch.arange(min(most, self.largest), device=self.of.device)
                real = step < self.counts[chosen, None]
                rows = order[torch.where(real, first[chosen, None] + step, 0)]
                out.append(Block(chosen, rows, real))
            most *= 2
        return out


def parts(units: Tensor, size: int) -> Iterator[Tensor]:
    """Rows of a batch in parts of at most `size` that cut no unit; a larger unit is a part of its own.

    **Shape**: (B,) -> indices of rows, B in all.

    Example:
        >>> [part.tolist() for part in parts(torch.tensor([7, 3, 7, 5]), 2)]
        [[1, 3], [0, 2]]
    """
    order = torch.argsort(units, stable=True)
    ends = torch.cumsum(torch.unique(units, return_counts=True)[1], 0)
    start = 0
    while start < len(order):
        fits = int(torch.searchsorted(ends, start + size, right=True))
        first = int(torch.searchsorted(ends, start, right=True))
        end = int(ends[max(fits - 1, first)])
        yield order[start:end]
        start = end


def clip_norm(clip: float) -> float:
    """The norm that gradients of units are clipped to, as it came.

    Raises:
        ConfigError: it is not positive and finite.
    """
    if not 0 < clip < float("inf"):
        msg = f"a clip norm must be positive and finite; however: {clip} came. Gradients of a row are often near 1"
        raise ConfigError(msg)
    return clip


def learned(module: nn.Module) -> list[nn.Parameter]:
    """Parameters that require gradients: those that a private step moves.

    Raises:
        ConfigError: one is coarser than float32, in which no norm can be promised.
    """
    parameters = [p for p in module.parameters() if p.requires_grad]
    coarse = sorted({str(p.dtype) for p in parameters if torch.finfo(p.dtype).eps > torch.finfo(torch.float32).eps})
    if coarse:
        msg = (
            f"weights must be float32 or finer where norms are promised; however: some are {', '.join(coarse)}. "
            "Make the network with torch's usual default dtype"
        )
        raise ConfigError(msg)
    return parameters
