"""The loader of rows that lie encoded on disk: batches in a keyed order, a part of the units held back; no budget."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from synthkit.encoding.keyed_permutation import KeyedPermutation, keyed_uniform
from synthkit.encoding.layout import Layout, Rows
from synthkit.engine.coded_table import CodedTable
from synthkit.privacy.access.exact_loader import HELD_BACK, SMALLEST, exact_step, made_step
from synthkit.runtime.seeds import Seeds
from synthkit.training.loader import Batching, M, Step

MOST_HELD = 50_000  # rows held back that are looked at: a mean over them is known to a thousandth of its spread
MOST_COUNTED = 200_000  # rows that a network may count before it is trained
_SCAN_ROWS = 1_000_000  # rows whose units are looked at together


@dataclass(frozen=True)
class CodedLoader:
    """Training rows on disk: an epoch is a keyed permutation of their numbers, and each batch is read by itself.

    Args:
        table: the encoded rows.
        layout: whose slot is which.
        held: rows held back, None if the table is too small for that.
        held_key: key by which units are held back; empty where none are.
        device: where batches go.
    """

    table: CodedTable
    layout: Layout
    held: Rows | None
    held_key: str
    device: torch.device

    @classmethod
    def of(cls, table: CodedTable, layout: Layout, seeds: Seeds, device: torch.device) -> CodedLoader:
        """Hold back a twentieth of the units, by a keyed draw of each."""
        key = f"held back/{seeds.of('held back')}"
        if table.rows < SMALLEST:
            return cls(table, layout, None, "", device)
        found, many = list[NDArray[np.int64]](), 0
        order = KeyedPermutation(table.rows, f"order of rows held back/{seeds.of('held back')}")
        for start in range(0, table.rows, _SCAN_ROWS):
            places = np.arange(start, min(start + _SCAN_ROWS, table.rows))
            index = order(places)
            mine = index[_is_held(table, index, key)]
            found.append(mine)
            many += len(mine)
            if many >= MOST_HELD:
                break
        held = np.concatenate(found)[:MOST_HELD]
        if not len(held) or len(held) == table.rows:
            return cls(table, layout, None, "", device)
        return cls(table, layout, table.take(held).to(device), key, device)

    @property
    def n(self) -> float:
        """Rows to learn from, those held back left out by their share."""
        return float(self.table.rows if self.held is None else round(self.table.rows * (1 - HELD_BACK)))

    @property
    def rows(self) -> Rows:
        """Rows a network may count before it is trained: all, or 200,000 of them in a keyed order."""
        order = KeyedPermutation(self.table.rows, f"counted/{self.held_key}")
        index = order(np.arange(min(self.table.rows, MOST_COUNTED)))
        return self.table.take(self._learned(index)).to(self.device)

    @property
    def planned_steps(self) -> int | None:
        """None: a model says how many."""
        return None

    def steps(
        self,
        module: M,
        loss: Callable[[M, Rows], Tensor],
        optimizer: torch.optim.Optimizer,
        batching: Batching,
        *,
        at_once: Callable[[], int] | None = None,
    ) -> Iterator[Callable[[], float]]:
        """Exact steps on batches in the keyed order."""
        for rows, step in self.batches(optimizer, batching):
            size = batching.batch_size if at_once is None else at_once()
            yield partial(made_step, step, module, loss, rows, size)

    def batches(self, optimizer: torch.optim.Optimizer, batching: Batching) -> Iterator[tuple[Rows, Step]]:
        """Batches, epoch after epoch, each with a function that makes one step and returns the mean loss."""
        size = min(batching.batch_size, int(self.n))

        def step(loss: Tensor | Iterable[Tensor]) -> float:
            return exact_step(optimizer, loss, size)

        for made, index in enumerate(self.order(batching, size)):
            if made >= batching.start:
                yield self.table.take(index).to(self.device), step

    def order(self, batching: Batching, size: int) -> Iterator[NDArray[np.int64]]:
        """Numbers of the rows of each batch, from the first on. **Shape**: -> (size,)."""
        root = int(torch.randint(2**62, (1,), generator=batching.generator))
        waiting, epoch, place = np.empty(0, dtype=np.int64), 0, 0
        order = KeyedPermutation(self.table.rows, f"{root}/{epoch}")
        for _ in range(batching.steps):
            while len(waiting) < size:
                if place >= self.table.rows:
                    epoch, place = epoch + 1, 0
                    order = KeyedPermutation(self.table.rows, f"{root}/{epoch}")
                ahead = min(place + max(4 * size, 4096), self.table.rows)
                waiting = np.concatenate([waiting, self._learned(order(np.arange(place, ahead)))])
                place = ahead
            yield waiting[:size]
            waiting = waiting[size:]

    def validation(self) -> Rows | None:
        """The rows held back."""
        return self.held

    def _learned(self, index: NDArray[np.int64]) -> NDArray[np.int64]:
        """Those of some rows that are not held back."""
        return index if self.held is None else index[~_is_held(self.table, index, self.held_key)]


def _is_held(table: CodedTable, index: NDArray[np.int64], key: str) -> NDArray[np.bool_]:
    """Whether the unit of each row is held back. **Shape**: (k,) -> (k,)."""
    units = index.astype(np.uint64) if table.units is None else np.asarray(table.units[index])
    return keyed_uniform(units, key) < HELD_BACK
