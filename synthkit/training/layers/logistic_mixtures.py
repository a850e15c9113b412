r"""Log-ratios of logistic mixtures to a standard normal law on the cells of a number, with their gradient by hand.

Autograd would keep some twenty tensors of a number a cell, row and law; here the forward pass keeps three, and the
backward pass is one chain: a third of the time of a training step of a small table went into these ratios.
"""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

LOGISTIC_LAWS = 2  # of a mixture
NORMAL_LIKE = 0.55  # scale of the logistic law that is nearest to a standard normal one
SCALES = (-4.0, 2.0)  # between which the log of a scale stays, in units of the above
EVEN_SHARE = 0.003  # of the standard normal law in every mixture: no cell is out of reach


def log_ratio(state: Tensor, law: Tensor, bias: Tensor, edges: Tensor, normal: Tensor) -> Tensor:
    r"""Log-ratio of the mass that a mixture puts on each cell to that of a standard normal law, of several numbers.

    $\log((1 - \epsilon) \sum_c w_c (\sigma((b - \mu_c) / s_c) - \sigma((a - \mu_c) / s_c)) / m + \epsilon)$ for a cell
    from a to b of normal mass m; weights, means and scales are linear in the state, through a softmax and exponentials.

    **Shape**: states (S, B, H), (S, H, 3 C), (S, 3 C), borders (S, B or 1, K + 1), masses (S, B or 1, K) -> (S, B, K).
    """
    ratio: Tensor = _LogRatio.apply(state, law, bias, edges, normal)  # type: ignore[no-untyped-call]
    return ratio


class _LogRatio(torch.autograd.Function):
    """The same, for autograd; `edges` and `normal` have no gradient."""

    @staticmethod
    def forward(ctx: Any, state: Tensor, law: Tensor, bias: Tensor, edges: Tensor, normal: Tensor) -> Tensor:
        """**Shape**: as of `log_ratio`."""
        given = torch.baddbmm(bias[..., None], law.mT, state.to(law.dtype).mT)  # (S, 3 C, B)
        weight, mean, scale = given.chunk(3, dim=1)
        weight = torch.softmax(weight, dim=1)
        steep = torch.exp(-scale.clamp(*SCALES)) / NORMAL_LIKE
        # (S, C, B, K + 1): the share of each law below each border
        below = (edges[:, None] * steep[..., None]).sub_((mean * steep)[..., None]).sigmoid_()
        factor = (1 - EVEN_SHARE) / normal
        inside = below[..., 1:] - below[..., :-1]
        mass = inside[:, 0] * weight[:, 0, :, None]
        for c in range(1, LOGISTIC_LAWS):
            mass.addcmul_(inside[:, c], weight[:, c, :, None])
        share = mass.clamp_(min=0.0).mul_(factor).add_(EVEN_SHARE)
        ctx.save_for_backward(state, law, given, weight, steep, below, share, factor, edges)
        return torch.log(share)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        """**Shape**: (S, B, K) -> those of the arguments."""
        state, law, given, weight, steep, below, share, factor, edges = ctx.saved_tensors
        _, mean, scale = given.chunk(3, dim=1)
        of_mass = (gradient * factor).div_(share)
        of_below = F.pad(of_mass, (1, 0))
        of_below[..., :-1] -= of_mass  # (S, B, K + 1)
        by_law = below * of_below[:, None]
        of_weight = by_law.sum(dim=3)
        # of the arguments of the sigmoids, but for the weights
        slope = by_law.addcmul_(by_law, below, value=-1)
        level, tilt = slope.sum(dim=3), (slope * edges[:, None]).sum(dim=3)
        free = (scale >= SCALES[0]) & (scale <= SCALES[1])
        outer = weight * steep
        parts = [
            weight * (of_weight - (weight * of_weight).sum(dim=1, keepdim=True)),
            -level * outer,
            (mean * level - tilt) * outer * free,
        ]
        of_given = torch.cat(parts, dim=1)  # (S, 3 C, B)
        of_state = torch.bmm(of_given.mT, law.mT).to(state.dtype)
        return of_state, torch.bmm(of_given, state.to(law.dtype)).mT, of_given.sum(dim=2), None, None
