"""Network parts that act on all slots at once: value vectors, gated blocks and heads, each a batched product."""

from __future__ import annotations

import math

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from synthkit.encoding.layout import Slot

CENTRES = 12  # radial basis functions along an ordinal slot, plus one linear column


def basis(slot: Slot) -> Tensor:
    """Smooth functions of the level's position: Gaussians at 12 equally spaced centres, and a line.

    phi_c(v) = exp(-((v - m_c) / w)^2 / 2) with w the spacing of the centres; zero for missing and for names.

    **Shape**: (K, 13).
    """
    phi = torch.zeros(slot.size, CENTRES + 1)
    levels = slot.size - slot.missing
    if not slot.ordinal or levels < 3:
        return phi
    v = torch.arange(levels, dtype=torch.float32)
    centres = torch.linspace(0, levels - 1, CENTRES)
    width = max(float(centres[1] - centres[0]), 1.0)
    phi[:levels, :CENTRES] = torch.exp(-0.5 * ((v[:, None] - centres) / width) ** 2)
    phi[:levels, CENTRES] = 2 * v / (levels - 1) - 1
    return phi


class LevelEmbedding(nn.Module):
    """A vector for each level of each slot: free + smooth, stacked over slots.

    Row v of slot j is E[v] + Phi_j[v] U_j, with E absent for fine slots of numbers (only smoothness can be learned
    there) and Phi zero for names.

    Args:
        slots: the slots.
        width: length H of the vectors.
        free: standard deviation of E at the start.
        smooth: standard deviation of U at the start.
    """

    def __init__(self, slots: tuple[Slot, ...], width: int, *, free: float, smooth: float) -> None:
        super().__init__()
        total = sum(s.size for s in slots)
        largest = max(s.size for s in slots)
        phi = torch.zeros(len(slots), largest, CENTRES + 1)
        where = []
        for j, slot in enumerate(slots):
            phi[j, : slot.size] = basis(slot)
            where.append(j * largest + torch.arange(slot.size))
        ordinal = [j for j in range(len(slots)) if bool(phi[j].any())]
        coarse = torch.cat([torch.full((s.size, 1), float(s.parent is None or not s.ordinal)) for s in slots])
        self.free = nn.Parameter(torch.randn(total, width) * free * coarse)
        self.smooth = nn.Parameter(torch.randn(len(slots), CENTRES + 1, width) * smooth)
        self.register_buffer("phi", phi[:, : max(slots[j].size for j in ordinal)] if ordinal else phi[:, :1])
        self.register_buffer("coarse", coarse)
        self.phi: Tensor
        self.coarse: Tensor
        self._sizes = [s.size for s in slots]

    def forward(self) -> Tensor:
        """All vectors. **Shape**: (V, H), V the sum of all K."""
        curves = torch.bmm(self.phi, self.smooth)
        longest = curves.shape[1]
        parts = [
            F.pad(curve[:size], (0, 0, 0, size - longest)) if size > longest else curve[:size]
            for curve, size in zip(curves.unbind(0), self._sizes, strict=True)
        ]
        return torch.cat(parts) + self.free * self.coarse


class GatedBlock(nn.Module):
    """s <- s + dropout(a * silu(g)) W2 with (a, g) = normal(s) W1 + b, one such network a slot, all in one product.

    Args:
        slots: number of slots D.
        width: H.
        hidden: gated units M a slot.
        dropout: share of gated units dropped.
    """

    def __init__(self, slots: int, width: int, hidden: int, dropout: float) -> None:
        super().__init__()
        self.enter = nn.Parameter(torch.randn(slots, width, 2 * hidden) / math.sqrt(width))
        self.bias = nn.Parameter(torch.zeros(slots, 1, 2 * hidden))
        self.leave = nn.Parameter(torch.randn(slots, hidden, width) * 0.5 / math.sqrt(hidden))
        self.dropout = dropout

    def forward(self, s: Tensor) -> Tensor:
        """**Shape**: (D, B, H) -> (D, B, H)."""
        enter, leave, bias = (w.to(s.dtype) for w in (self.enter, self.leave, self.bias))
        a, g = torch.baddbmm(bias, normal(s), enter).chunk(2, dim=-1)
        gated = a * F.silu(g)
        if self.training and self.dropout:
            gated = gated * keep(gated.shape, self.dropout, gated.dtype, gated.device)
        return torch.baddbmm(s, gated, leave)

    def one(self, j: int, s: Tensor, dtype: torch.dtype) -> Tensor:
        """The block of slot j alone, in `dtype`, which is that of `s`. **Shape**: (B, H) -> (B, H)."""
        enter, leave, bias = (w[j].to(dtype) for w in (self.enter, self.leave, self.bias))
        a, g = torch.addmm(bias, normal(s), enter).chunk(2, dim=-1)
        return torch.addmm(s, a * F.silu(g), leave)


def normal(x: Tensor) -> Tensor:
    """(x - mean) / sd along the last axis, without weights; one fused kernel, unlike a root-mean-square norm."""
    return F.layer_norm(x, (x.shape[-1],))


def keep(shape: torch.Size, dropped: float, dtype: torch.dtype, device: torch.device) -> Tensor:
    """0 where a value is dropped, 1 / (1 - dropped) elsewhere; the share is rounded to 1/256.

    On the processor the random bytes come from a faster generator, seeded by torch's own: torch draws one number at a
    time there, which would be a tenth of a training step.
    """
    threshold = round(dropped * 256)
    if device.type == "cpu" and shape.numel():
        drawn = np.random.SFC64(int(torch.randint(2**62, (1,)))).random_raw(-(-shape.numel() // 8))
        # as small signed numbers: torch converts those in wide registers, truth values and bytes one at a time
        kept = torch.from_numpy((drawn.view(np.uint8)[: shape.numel()] >= threshold).view(np.int8)).view(shape)
    else:
        kept = torch.randint(256, shape, dtype=torch.uint8, device=device) >= threshold
    return kept.to(dtype).mul_(256 / (256 - threshold))


def fast_dtype(device: torch.device) -> torch.dtype:
    """Bfloat16 where matrix units for it are there, float32 elsewhere; weights and losses stay float32 throughout."""
    if device.type == "cuda":
        return torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float32
    capable = torch.cpu.get_capabilities() if device.type == "cpu" and hasattr(torch.cpu, "get_capabilities") else {}
    return torch.bfloat16 if capable.get("avx512_bf16") or capable.get("amx_bf16") else torch.float32
