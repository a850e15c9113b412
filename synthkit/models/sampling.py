"""Draws that models share: levels from laws, inside what is allowed, fine levels under coarse ones, positions."""

from __future__ import annotations

import torch
from torch import Tensor

from synthkit.encoding.layout import Layout, Slot


def residuals(n: int, layout: Layout, generator: torch.Generator) -> Tensor:
    """Uniform positions inside cells. **Shape**: (n, r) in [0, 1)."""
    return torch.rand((n, len(layout.residuals)), generator=generator, device=generator.device)


def even(n: int, generator: torch.Generator) -> Tensor:
    """Numbers of which each is uniform in [0, 1), and one lies in each of n equal parts, in random order.

    Shares of what is drawn by them are nearer to their expectation than by independent ones: Latin hypercube sampling,
    slot by slot. **Shape**: (n,).

    References:
        McKay, Beckman, Conover: A comparison of three methods for selecting values of input variables in the analysis
        of output from a computer code (1979).

    Example:
        >>> (even(4, torch.Generator().manual_seed(0)) * 4).long().sort().values
        tensor([0, 1, 2, 3])
    """
    where = torch.rand(n, generator=generator, device=generator.device, dtype=torch.float64)
    part = torch.randperm(n, generator=generator, device=generator.device)
    u = ((part + where) / max(n, 1)).float()
    one = torch.ones_like(u)
    return torch.minimum(u, torch.nextafter(one, torch.zeros_like(one)))  # in float32 the last can round to 1


def draw(probabilities: Tensor, generator: torch.Generator) -> Tensor:
    """One level a row by inversion of the cumulative law. **Shape**: (n, K), rows summing to anything > 0 -> (n,)."""
    total = probabilities.cumsum(dim=1)
    mass = total[:, -1:]
    u = even(len(total), generator)[:, None].to(total.device) * mass
    # in float32 u can meet the mass exactly; below it no level without mass can be drawn
    u = torch.minimum(u, torch.nextafter(mass, torch.zeros_like(mass)))
    return torch.searchsorted(total, u, right=True).squeeze(1)


def draw_allowed(probabilities: Tensor, mask: Tensor | None, generator: torch.Generator) -> Tensor:
    """One level a row among those that are allowed: see `allowed`. **Shape**: (n, K), (n, K) -> (n,)."""
    return draw(allowed(probabilities, mask), generator)


def allowed(probabilities: Tensor, mask: Tensor | None) -> Tensor:
    """Laws with no mass where it is not allowed; one without any mass left is even over what is allowed.

    Where nothing at all is allowed the law stays as it is: the row is mended later.

    **Shape**: (n, K), (n, K) bool or None -> (n, K).
    """
    if mask is None:
        return probabilities
    left = probabilities * mask
    some = mask.any(dim=1, keepdim=True)
    return torch.where(left.sum(dim=1, keepdim=True) > 0, left, torch.where(some, mask.float(), probabilities))


def fine_law(slot: Slot) -> Tensor:
    """Law of a fine level under each coarse one; where the slot does not apply it is stored as 0.

    **Shape**: (K of parent, K).
    """
    prior = torch.from_numpy(slot.prior).exp()
    prior[prior.sum(dim=1) == 0, 0] = 1.0
    return prior
