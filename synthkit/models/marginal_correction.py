"""Marginals set right after training: scores through their own distribution, names by a shift of their logits."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

KNOTS = 257  # of the map of each score, from -4 to 4
SHIFT_ROUNDS = 20  # of the shifts


class Marginals(nn.Module):
    """Monotone maps of scores and shifts of logits after which a large draw has the marginals the layout knows.

    A score z becomes s with Phi(s) = F(z), F its distribution in the draw; the logits of a name get the d for which the
    mean of softmax(logits + d) is the known law. Dependence between columns is not touched.

    Args:
        scores: number of scores b.
        names: length V of all names together.
    """

    def __init__(self, scores: int, names: int) -> None:
        super().__init__()
        self.register_buffer("knots", torch.linspace(-4.0, 4.0, KNOTS).repeat(scores, 1))
        self.register_buffer("shift", torch.zeros(names))
        self.knots: Tensor
        self.shift: Tensor

    @torch.no_grad()
    def settle(self, scores: Tensor, logits: Tensor, priors: Sequence[Tensor], kinds: Sequence[int | None]) -> None:
        """Learn maps and shifts from a draw.

        Args:
            scores: of the draw. **Shape**: (n, b).
            logits: of the draw. **Shape**: (n, V).
            priors: log-shares of each name's levels.
            kinds: for each score the name that says, by its level 0, that there is one; None if there always is.
        """
        parts, shifts, present = torch.split(logits, [len(p) for p in priors], dim=1), [], []
        for part, prior in zip(parts, priors, strict=True):
            target = torch.log_softmax(prior.to(part.device), dim=0)
            shift = torch.zeros_like(target)
            for _ in range(SHIFT_ROUNDS):
                shift = shift + target - torch.softmax(part + shift, dim=1).mean(dim=0).clamp(min=1e-9).log()
            shifts.append(shift)
            present.append(torch.softmax(part + shift, dim=1)[:, 0])
        if shifts:
            self.shift.copy_(torch.cat(shifts))
        for k, kind in enumerate(kinds):
            weights = torch.ones(len(scores), device=scores.device) if kind is None else present[kind]
            self.knots[k] = _quantiles(scores[:, k], weights)

    def scores(self, raw: Tensor) -> Tensor:
        """Scores of the known law. **Shape**: (n, b) -> (n, b)."""
        z = raw.T.contiguous()
        right = torch.searchsorted(self.knots, z).clamp(1, KNOTS - 1)
        low, high = self.knots.gather(1, right - 1), self.knots.gather(1, right)
        inside = ((z - low) / (high - low).clamp(min=1e-9)).clamp(0, 1)
        return (-4 + (right - 1 + inside) * 8 / (KNOTS - 1)).T

    def logits(self, raw: Tensor) -> Tensor:
        """Logits of the known law. **Shape**: (n, V) -> (n, V)."""
        return raw + self.shift


def _quantiles(values: Tensor, weights: Tensor) -> Tensor:
    """Weighted quantiles at the probabilities Phi(-4 ... 4). **Shape**: (n,), (n,) -> (knots,)."""
    ordered, index = values.sort()
    mass = weights[index].double().cumsum(0)
    middle = (mass - 0.5 * weights[index]) / mass[-1]
    wanted = torch.special.ndtr(torch.linspace(-4.0, 4.0, KNOTS, dtype=torch.float64, device=values.device))
    right = torch.searchsorted(middle, wanted).clamp(1, len(middle) - 1)
    low, high = middle[right - 1], middle[right]
    inside = ((wanted - low) / (high - low).clamp(min=1e-12)).clamp(0, 1).float()
    out: Tensor = torch.lerp(ordered[right - 1], ordered[right], inside)
    return out
