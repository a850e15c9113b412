"""Cells of several numbers side by side, so that their laws are worked out in one go."""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn


class CellsOfNumbers(nn.Module):
    """Borders and normal masses of the cells of several slots, filled up to the largest: empty cells of mass 1.

    Args:
        slots: their indices.
        parents: their coarse slots if they are fine ones.
        edges: borders of each slot. **Shape**: (K + 1,), or (K of parent, K + 1).
        normal: normal masses. **Shape**: (K,), or (K of parent, K).
    """

    def __init__(
        self, slots: tuple[int, ...], parents: tuple[int | None, ...], edges: list[Tensor], normal: list[Tensor]
    ) -> None:
        super().__init__()
        self.slots, self.sizes = slots, [table.shape[-1] for table in normal]
        self._parents = [parent for parent in parents if parent is not None]
        tables = [table.reshape(-1, table.shape[-1]) for table in normal]
        borders, longest = [table.reshape(-1, table.shape[-1]) for table in edges], max(self.sizes)
        spare = [longest - size for size in self.sizes]
        # a border that is repeated has an empty cell behind it
        whole = [torch.cat([x, x[:, -1:].expand(-1, k)], dim=1) for x, k in zip(borders, spare, strict=True)]
        starts = np.cumsum([0, *(len(table) for table in tables)])[:-1]
        filled = [F.pad(table, (0, k), value=1.0) for table, k in zip(tables, spare, strict=True)]
        self.register_buffer("_edges", torch.cat(whole), persistent=False)
        self.register_buffer("_normal", torch.cat(filled), persistent=False)
        self.register_buffer("_starts", torch.from_numpy(starts)[:, None], persistent=False)
        self._edges: Tensor
        self._normal: Tensor
        self._starts: Tensor

    def cells(self, cat: Tensor) -> tuple[Tensor, Tensor]:
        """Borders and masses under the levels of rows. **Shape**: (B, D) -> (S, B or 1, K + 1), (S, B or 1, K)."""
        if not self._parents:
            return self._edges[:, None], self._normal[:, None]
        at = self._starts + cat[:, self._parents].T
        return F.embedding(at, self._edges), F.embedding(at, self._normal)
