"""What one use of a weight adds to the gradient of each row, never written out: its norms by unit, its weighted sum."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from synthkit.privacy.dpsgd.unit_batches import Units

MAX_TEMPORARY_NUMBERS = 1 << 24  # numbers a temporary may hold


class GradientFactors(Protocol):
    """Gradients of B rows by one weight, as factors."""

    def squares(self, units: Units) -> tuple[Tensor, Tensor]:
        """Of each unit, the squared norm of the sum of its rows' gradients, and what bounds its rounding error.

        **Shape**: -> (U,), (U,).
        """
        ...

    def total(self, weight: Tensor, keep: Tensor | None) -> Tensor:
        """Sum of the gradients of all rows, weighted; rows that are not kept are left out, whatever they hold.

        **Shape**: (B,), (B,) bool -> that of the weight.
        """
        ...

    def dense(self, rows: Tensor) -> Tensor:
        """The gradients of some rows, written out. **Shape**: (b,) -> (b, n)."""
        ...


@dataclass(frozen=True)
class Matrix:
    r"""A product: the gradient of row b by the matrix g is sum_t left[g, b, t] right[g, b, t]^T.

        |sum over rows of a unit|^2 = sum_{r, s} <left_r, left_s> <right_r, right_s>

    Of units of many rows the sum itself is written out instead, which is less then. Where the matrix is itself a linear
    function of parameters, `met` are the factors by those.

    **Shape**: `left` (G, B, T, I), `right` (G, B, T, O), `met` the same with other I and O.

    References:
        Goodfellow: Efficient per-example gradient computations (2015), for one row.
        Li, Tramer, Liang, Hashimoto: Large language models can be strong differentially private learners (2022), for T.
        Bu, Wang, Zha, Karypis: Differentially private optimization on large model at small cost (2023), for one pass.
        Bu, Mao, Xu: Scalable and efficient training of large convolutional neural networks with differential privacy
        (2022), for choosing what is less.
    """

    left: Tensor
    right: Tensor
    met: tuple[Tensor, Tensor] | None = None

    def squares(self, units: Units) -> tuple[Tensor, Tensor]:
        """See `GradientFactors`."""
        left, right = self.met or (self.left, self.right)
        own = (squared(left) * squared(right)).sum(dim=(0, 2))
        bound = units.sums(own)
        if units.single and left.shape[2] == 1:
            return bound, bound
        if left.shape[2] > 1:  # the places of one row meet each other
            a, b = left.float(), right.float()
            own = (torch.matmul(a, a.mT) * torch.matmul(b, b.mT)).sum(dim=(0, 2, 3))
        out = units.sums(own)
        for block in units.blocks():
            size, (i, o) = block.rows.shape[1] * left.shape[2], (left.shape[3], right.shape[3])
            apart = size * (i + o) > i * o  # written out, the gradient of a unit is smaller than what meets what
            held = left.shape[0] * (size * (i + o) + (i * o if apart else size * size))
            for some in torch.split(
                torch.arange(len(block.units), device=left.device), max(1, MAX_TEMPORARY_NUMBERS // max(held, 1))
            ):
                rows, real = block.rows[some], block.real[some].repeat_interleave(left.shape[2], dim=1)
                a, b = (torch.where(real[..., None], x[:, rows].float().flatten(2, 3), 0.0) for x in (left, right))
                met = torch.matmul(a.mT, b).square() if apart else torch.matmul(a, a.mT) * torch.matmul(b, b.mT)
                out[block.units[some]] = met.sum(dim=(0, 2, 3))
        return out, bound * left.shape[2] * units.counts

    def total(self, weight: Tensor, keep: Tensor | None) -> Tensor:
        """See `GradientFactors`."""
        scale = weight[:, None, None]
        left, right = (_kept(x.float(), keep, 1) for x in (self.left, self.right))
        if left.shape[3] < right.shape[3]:
            left = left * scale
        else:
            right = right * scale
        return torch.bmm(left.flatten(1, 2).mT, right.flatten(1, 2))

    def dense(self, rows: Tensor) -> Tensor:
        """See `GradientFactors`."""
        return torch.einsum("gbti,gbto->bgio", self.left[:, rows].float(), self.right[:, rows].float()).flatten(1)


@dataclass(frozen=True)
class Vector:
    """Something added or scaled: the gradients by row, written out. **Shape**: `rows` (P, B, n)."""

    rows: Tensor

    def squares(self, units: Units) -> tuple[Tensor, Tensor]:
        """See `GradientFactors`."""
        bound = units.sums(squared(self.rows).sum(dim=0))
        if units.single:
            return bound, bound
        return squared(units.sums(self.rows.float(), 1)).sum(dim=0), bound * units.counts

    def total(self, weight: Tensor, keep: Tensor | None) -> Tensor:
        """See `GradientFactors`."""
        return torch.matmul(weight, _kept(self.rows.float(), keep, 1))

    def dense(self, rows: Tensor) -> Tensor:
        """See `GradientFactors`."""
        return self.rows[:, rows].float().transpose(0, 1).flatten(1)


@dataclass(frozen=True)
class Lookup:
    """Rows of a table: level `index[b, t]` has gradient `right[b, t]`. **Shape**: (B, T), (B, T, H); `size` levels."""

    index: Tensor
    right: Tensor
    size: int

    def squares(self, units: Units) -> tuple[Tensor, Tensor]:
        """See `GradientFactors`."""
        own = squared(self.right)
        bound = units.sums(own.sum(dim=1))
        if units.single and self.index.shape[1] == 1:
            return bound, bound
        keys, at = torch.unique(units.of[:, None] * self.size + self.index, return_inverse=True)
        if len(keys) == own.numel():  # no unit looks up one level twice
            return bound, bound
        met = torch.zeros(len(keys), self.right.shape[2], dtype=torch.float32, device=own.device)
        met.index_add_(0, at.flatten(), self.right.float().flatten(0, 1))
        out = torch.zeros(units.count, dtype=torch.float32, device=own.device)
        out.index_add_(0, torch.div(keys, self.size, rounding_mode="floor"), squared(met))
        return out, bound * self.index.shape[1] * units.counts

    def total(self, weight: Tensor, keep: Tensor | None) -> Tensor:
        """See `GradientFactors`."""
        right = _kept(self.right.float(), keep, 0) * weight[:, None, None]
        out = torch.zeros(self.size, right.shape[2], dtype=torch.float32, device=right.device)
        return out.index_add_(0, self.index.flatten(), right.flatten(0, 1))

    def dense(self, rows: Tensor) -> Tensor:
        """See `GradientFactors`."""
        out = torch.zeros(len(rows), self.size, self.right.shape[2], dtype=torch.float32, device=self.right.device)
        at = torch.arange(len(rows), device=rows.device)[:, None].expand(-1, self.index.shape[1])
        return out.index_put_((at, self.index[rows]), self.right[rows].float(), accumulate=True).flatten(1)


def squared(x: Tensor) -> Tensor:
    """Squared length along the last axis, in float32."""
    length: Tensor = torch.linalg.vector_norm(x, dim=-1, dtype=torch.float32)
    return length.square()


def _kept(x: Tensor, keep: Tensor | None, dim: int) -> Tensor:
    if keep is None:
        return x
    shape = [1] * x.dim()
    shape[dim] = len(keep)
    return torch.where(keep.view(shape), x, 0.0)
