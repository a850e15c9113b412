"""Tables of levels that are made from parameters: norms by the parameters of what is learned by the table."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from synthkit.errors import UnsupportedError
from synthkit.privacy.dpsgd.gradient_factors import MAX_TEMPORARY_NUMBERS, Lookup, Matrix, squared
from synthkit.privacy.dpsgd.unit_batches import Units
from synthkit.training.layers.gated_blocks import LevelEmbedding


@dataclass(frozen=True)
class Kernel:
    """Row v of a table is coarse[v] E[v] + Phi[v] U_slot(v), so that levels of one slot share parameters.

    The gradient by (E, U) of a row with gradient g_v by the table is coarse[v] g_v and sum_v Phi[v] g_v^T: inner
    products are k(v, w) <g_v, h_w> with k(v, w) = [v = w] coarse[v]^2 + [one slot] <Phi[v], Phi[w]>.

    **Shape**: `coarse` (V,), `phi` (V, c), `slot` (V,); `curved`, the slots with a Phi that is not zero; H is `width`.
    """

    coarse: Tensor
    phi: Tensor
    slot: Tensor
    curved: frozenset[int]
    width: int

    @classmethod
    def of(cls, levels: LevelEmbedding) -> Kernel:
        """That of one module."""
        sizes, longest = levels._sizes, levels.phi.shape[1]
        phi = [F.pad(levels.phi[j, : min(k, longest)], (0, 0, 0, max(k - longest, 0))) for j, k in enumerate(sizes)]
        slot = torch.arange(len(sizes), device=levels.phi.device).repeat_interleave(
            torch.tensor(sizes, device=levels.phi.device)
        )
        curved = frozenset(j for j, part in enumerate(phi) if bool(part.any()))
        return cls(levels.coarse[:, 0], torch.cat(phi), slot, curved, levels.smooth.shape[2])

    def factors(self, x: Tensor, rows: Tensor) -> Tensor:
        """Factors by the parameters of factors by some rows of the table; of one slot each, where there are several.

        **Shape**: (G, B, T, k), (G, k) -> (G, B, T, k + s c).
        """
        parts = [x * self.coarse[rows][:, None, None]]
        slot = self.slot[rows]
        if len(rows) > 1:
            curved = self.curved.intersection(slot[:, 0].tolist())
            return torch.cat([*parts, torch.matmul(x, self.phi[rows][:, None])], dim=-1) if curved else parts[0]
        for j in self.curved.intersection(torch.unique_consecutive(slot).tolist()):
            here = torch.nonzero(slot[0] == j).ravel()
            parts.append(x[..., here] @ self.phi[rows[0, here]])
        return torch.cat(parts, dim=-1)


@dataclass(frozen=True)
class LevelLookup(Lookup):
    """Rows of a table made from parameters, each column of the lookup in a slot of its own."""

    kernel: Kernel | None = None

    def squares(self, units: Units) -> tuple[Tensor, Tensor]:
        """See `GradientFactors`."""
        kernel = self.kernel
        if kernel is None:
            return super().squares(units)
        slots = kernel.slot[self.index]
        if not bool((slots == slots[:1]).all()) or len(torch.unique(slots[0])) < slots.shape[1]:
            msg = (
                "each column of a lookup in a table of levels must stay in a slot of its own; however: one does not. "
                "Look slots up one a column"
            )
            raise UnsupportedError(msg)
        diagonal = kernel.coarse.square() + squared(kernel.phi)
        own = (diagonal[self.index] * squared(self.right)).sum(dim=1)
        out = bound = units.sums(own)
        if units.single or not slots.shape[1]:
            return out, bound
        out, (t, h), c = out.clone(), self.right.shape[1:], kernel.phi.shape[1]
        for block in units.blocks():
            m = block.rows.shape[1]
            apart = m * (c + h) > c * h  # written out, the gradient of a unit is smaller than what meets what
            held = t * (m * (c + h) + (c * h if apart else m * m))
            for some in torch.split(
                torch.arange(len(block.units), device=own.device), max(1, MAX_TEMPORARY_NUMBERS // held)
            ):
                rows, real = block.rows[some], block.real[some]
                right = torch.where(real[..., None, None], self.right[rows].float(), 0.0).transpose(1, 2)
                index = self.index[rows].transpose(1, 2)
                out[block.units[some]] = (_written_out if apart else _met)(kernel, index, right)
        return out, bound * units.counts


def _met(kernel: Kernel, index: Tensor, right: Tensor) -> Tensor:
    """Squared norms by unit, by what each two rows have in common. **Shape**: (u, T, m), (u, T, m, H) -> (u,)."""
    phi = kernel.phi[index]
    same = (index[..., None] == index[..., None, :]) * kernel.coarse[index].square()[..., None]
    met: Tensor = (torch.matmul(phi, phi.mT) + same) * torch.matmul(right, right.mT)
    return met.sum(dim=(1, 2, 3))


def _written_out(kernel: Kernel, index: Tensor, right: Tensor) -> Tensor:
    """The same from the gradients themselves: by U of each slot, and by the E that the unit has met."""
    smooth = torch.matmul(kernel.phi[index].mT, right).square().sum(dim=(1, 2, 3))
    size = len(kernel.coarse)
    keys, at = torch.unique(
        torch.arange(len(index), device=index.device)[:, None, None] * size + index, return_inverse=True
    )
    free = torch.zeros(len(keys), right.shape[-1], dtype=torch.float32, device=right.device)
    free.index_add_(0, at.flatten(), (right * kernel.coarse[index][..., None]).flatten(0, 2))
    unit = torch.div(keys, size, rounding_mode="floor")
    return smooth.index_add(0, unit, squared(free))


def through(matrix: Matrix, kernel: Kernel, rows: Tensor, *, left: bool) -> Matrix:
    """The same product by a part of a table; `left` where the table's levels are on that side. **Shape**: (G, k)."""
    a, b = matrix.left.float(), matrix.right.float()
    met = (kernel.factors(a, rows), b) if left else (a, kernel.factors(b, rows))
    return Matrix(matrix.left, matrix.right, met)
