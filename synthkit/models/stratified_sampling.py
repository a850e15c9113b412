"""Draws that are spread evenly: as many of each kind as its law asks, up to one, in an order that tells nothing."""

from __future__ import annotations

import torch
from torch import Tensor

INSIDE = 1 - 1e-9  # the largest position: rounding must not carry it into the next group


def resampled(shares: Tensor, n: int, generator: torch.Generator) -> Tensor:
    """Kinds in rising order, each floor or ceiling of n times its share. **Shape**: (K,) -> (n,)."""
    at = (torch.arange(n, dtype=torch.float64) + torch.rand((), generator=generator, dtype=torch.float64)) / max(n, 1)
    total = shares.double().cumsum(0)
    return torch.searchsorted(total / total[-1], at.clamp(max=INSIDE), right=True).clamp(max=len(shares) - 1)


def stratified(laws: Tensor, group: Tensor, generator: torch.Generator) -> Tensor:
    """A level a row from the law of its group, spread evenly within each group.

    The m rows of a group take one position each from the m equal parts of [0, 1), in an order that is fresh with each
    call: without that order two slots drawn for the same groups would rise together.

    Args:
        laws: law of each group; what each sums to does not matter. **Shape**: (G, K).
        group: of each row. **Shape**: (n,).
        generator: of order and positions, on the processor.

    **Shape**: -> (n,).
    """
    n, (groups, size) = len(group), laws.shape
    order = torch.argsort(group.double() + torch.rand(n, generator=generator, dtype=torch.float64))
    many = torch.bincount(group, minlength=groups)
    first = many.cumsum(0) - many
    rank = torch.empty(n, dtype=torch.float64)
    rank[order] = (torch.arange(n) - first[group[order]]).double()
    at = (rank + torch.rand(n, generator=generator, dtype=torch.float64)) / many[group]
    total = laws.double().cumsum(dim=1)
    line = (total / total[:, -1:] + torch.arange(groups)[:, None]).flatten()
    found = torch.searchsorted(line, at.clamp(max=INSIDE) + group, right=True)
    return (found - group * size).clamp(0, size - 1)
