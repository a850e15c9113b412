"""The loader without a budget: shuffled batches of real rows and exact steps."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from synthkit.encoding.layout import Layout, Rows
from synthkit.runtime.seeds import Seeds
from synthkit.training.loader import Batching, M, Step, parts

HELD_BACK = 0.05  # share of the units kept from the steps, for early stopping
SMALLEST = 200  # with fewer rows than this none are held back


@dataclass(frozen=True)
class ExactLoader:
    """Training rows without a budget: shuffled batches and an exact step.

    Args:
        rows: rows to learn from, resident on their device.
        held: rows held back, None if the table is too small for that.
        layout: whose slot is which.
    """

    rows: Rows
    held: Rows | None
    layout: Layout

    @classmethod
    def of(cls, rows: Rows, layout: Layout, units: pd.Series | None, seeds: Seeds, device: torch.device) -> ExactLoader:
        """Hold back a twentieth of the units, at random, and put everything on the device."""
        rows = rows.to(device)
        if len(rows) < SMALLEST:
            return cls(rows, None, layout)
        owner = np.arange(len(rows)) if units is None else pd.factorize(units, use_na_sentinel=False)[0]
        drawn = seeds.numpy("held back").random(int(owner.max()) + 1) < HELD_BACK
        held = torch.from_numpy(drawn[owner]).to(device)
        if not bool(held.any()) or bool(held.all()):
            return cls(rows, None, layout)
        return cls(rows[~held], rows[held], layout)

    @property
    def n(self) -> float:
        """Rows to learn from."""
        return float(len(self.rows))

    @property
    def device(self) -> torch.device:
        """Where the rows live."""
        return self.rows.cat.device

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
        """Exact steps on shuffled batches."""
        for rows, step in self.batches(optimizer, batching):
            size = batching.batch_size if at_once is None else at_once()
            yield partial(made_step, step, module, loss, rows, size)

    def batches(self, optimizer: torch.optim.Optimizer, batching: Batching) -> Iterator[tuple[Rows, Step]]:
        """Shuffled batches, epoch after epoch, each with a function that makes one step and returns the mean loss."""
        size = min(batching.batch_size, len(self.rows))

        def step(loss: Tensor | Iterable[Tensor]) -> float:
            return exact_step(optimizer, loss, size)

        order = torch.empty(0, dtype=torch.long)
        for made in range(batching.steps):
            if len(order) < size:
                order = torch.cat([order, torch.randperm(len(self.rows), generator=batching.generator)])
            batch, order = order[:size], order[size:]
            if made >= batching.start:
                yield self.rows[batch.to(self.device)], step

    def validation(self) -> Rows | None:
        """The rows held back."""
        return self.held


def made_step(step: Step, module: M, loss: Callable[[M, Rows], Tensor], rows: Rows, size: int) -> float:
    """One step on a batch, `size` rows of it worked on at once; its mean loss."""
    return step(loss(module, part) for part in parts(rows, size))


def exact_step(optimizer: torch.optim.Optimizer, loss: Tensor | Iterable[Tensor], size: int) -> float:
    """One step down the mean of a loss, which may come in parts; that mean.

    Args:
        optimizer: makes it.
        loss: of the rows of a batch. **Shape**: (B,), or parts of it.
        size: B.
    """
    optimizer.zero_grad(set_to_none=True)
    total = 0.0
    for part in [loss] if isinstance(loss, Tensor) else loss:
        share = part.mean() if len(part) == size else part.sum() / size
        torch.autograd.backward(share)
        total += float(share.detach())
    optimizer.step()
    return total
