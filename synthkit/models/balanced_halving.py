"""Half of the rows of a draw, taken so that its tables of one and two slots stay those of the whole."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

ROW_PAIRS_AT_ONCE = 64  # pairs of rows that are decided at once; what they do to each other is not seen
MOST_TABLES = 400  # tables of two slots that are kept even; random ones where there are more


def balanced_half(levels: Tensor, sizes: list[int], alone: int, generator: torch.Generator) -> Tensor:
    r"""One row of each two neighbours, chosen so that what is taken and what is left come out with equal tables.

    Of rows 2 i and 2 i + 1 the one is taken of whose cells too few were taken so far: with w the surplus of each cell,
    over the root of its rows, row x is taken rather than y where $\sum_c w_c(x) < \sum_c w_c(y)$. Whether all choices
    or the opposite ones are made is one toss, so that each row is taken with a probability of one half: the law of the
    rows is unchanged. The nearer to each other two neighbours are, the less is left to be evened out.

    Args:
        levels: of an even number of rows. **Shape**: (2 n, d).
        sizes: levels of every slot. **Shape**: (d,).
        alone: how many slots, the last, count by themselves and in no table of two.
        generator: of tosses and of the tables where there are too many.

    Returns:
        Rows that are taken, rising. **Shape**: (n,).

    References:
        Alweiss, Liu and Sawhney, "Discrepancy Minimization via a Self-Balancing Walk", 2021. Dwivedi and Mackey,
        "Kernel Thinning", 2021. NOTE[DIFF] The sign of the inner product decides, not a toss that leans to it.

    Example:
        >>> rows = torch.tensor([[0, 1], [1, 0]]).repeat(5000, 1)
        >>> half = balanced_half(rows, [2, 2], 0, torch.Generator().manual_seed(0))
        >>> bool((rows[half].sum(dim=0) - 2500).abs().max() <= 64)
        True
    """
    cells = _Cells(levels.numpy(), sizes, alone, generator)
    n = len(levels) // 2
    root = np.zeros(cells.number)
    for at in cells.blocks(2 * ROW_PAIRS_AT_ONCE):
        np.add.at(root, at, 1.0)
    root = 1 / np.sqrt(root + 1)
    surplus, taken, start = np.zeros(cells.number), np.zeros(n, dtype=np.int64), 0
    tosses = torch.rand(n, generator=generator).numpy() < 0.5
    for at in cells.blocks(2 * ROW_PAIRS_AT_ONCE):
        front, back, many = at[0::2], at[1::2], len(at) // 2
        lead = surplus[front].sum(axis=1) - surplus[back].sum(axis=1)
        second = np.where(np.abs(lead) > 1e-9, lead > 0, tosses[start : start + many])
        sign = np.where(second, -1.0, 1.0)[:, None]
        np.add.at(surplus, front, sign * root[front])
        np.add.at(surplus, back, -sign * root[back])
        taken[start : start + many] = second
        start += many
    return torch.from_numpy(2 * np.arange(n) + taken)


class _Cells:
    """The cells of each row in tables of two slots, of a slot and itself, and of slots alone."""

    def __init__(self, levels: NDArray[np.int64], sizes: list[int], alone: int, generator: torch.Generator) -> None:
        together = len(sizes) - alone
        first, second = np.triu_indices(together)
        if len(first) > MOST_TABLES + together:
            kept = torch.randperm(len(first), generator=generator)[:MOST_TABLES].numpy()
            kept = np.union1d(kept, np.flatnonzero(first == second))
            first, second = first[kept], second[kept]
        starts = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
        self._levels, self._starts = levels, starts[:-1]
        self._first, self._second, self._together = first, second, together
        self._side = int(starts[together])
        self.number = self._side**2 + int(starts[-1]) - self._side

    def blocks(self, rows: int) -> Iterator[NDArray[np.int64]]:
        """Cells of so many rows at a time. **Shape**: (rows, tables)."""
        for at in range(0, len(self._levels), rows):
            here = self._levels[at : at + rows] + self._starts
            pairs = here[:, self._first] * self._side + here[:, self._second]
            yield np.concatenate([pairs, here[:, self._together :] - self._side + self._side**2], axis=1)
