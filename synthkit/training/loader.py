"""The loader through which a model trains on real rows: batches and steps, with or without a privacy budget."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol, TypeVar

import torch
from torch import Tensor, nn

from synthkit.encoding.layout import Layout, Rows

M = TypeVar("M", bound=nn.Module)
Step = Callable[[Tensor | Iterable[Tensor]], float]  # takes the loss of the rows of a batch, makes one step


@dataclass(frozen=True)
class Batching:
    """Which batches a training asks for.

    Args:
        batch_size: rows a step, 1 or more.
        steps: how many there are in all.
        generator: of the order of rows, without a budget.
        start: steps made before, 0 to `steps`.
    """

    batch_size: int
    steps: int
    generator: torch.Generator
    start: int = 0


class TrainingLoader(Protocol):
    """What a model gets to see of real rows while it trains."""

    @property
    def layout(self) -> Layout:
        """Layout of the rows."""
        ...

    @property
    def n(self) -> float:
        """Number of rows, or of units under a budget: public or paid for."""
        ...

    @property
    def device(self) -> torch.device:
        """Where the rows live."""
        ...

    @property
    def rows(self) -> Rows | None:
        """Rows of the steps, to be counted; None under a budget, where they stay behind the loader."""
        ...

    @property
    def planned_steps(self) -> int | None:
        """Steps that were charged and are all made; None where there is no budget, and a model says how many."""
        ...

    def steps(
        self,
        module: M,
        loss: Callable[[M, Rows], Tensor],
        optimizer: torch.optim.Optimizer,
        batching: Batching,
        *,
        at_once: Callable[[], int] | None = None,
    ) -> Iterator[Callable[[], float]]:
        """Functions from step `batching.start` on, each of which makes one step when called and returns the mean loss.

        Under a budget the step is a noisy one and the loss stays behind the loader: it returns a number that is none.

        Args:
            module: its parameters are trained.
            loss: loss of each row; its randomness is torch's own generator. **Shape**: Rows of B -> (B,).
            optimizer: of these parameters.
            batching: which batches there are.
            at_once: how many rows of a batch are worked on at once; all if not given.
        """
        ...

    def batches(self, optimizer: torch.optim.Optimizer, batching: Batching) -> Iterator[tuple[Rows, Step]]:
        """Batches from step `batching.start` on, each with a function that takes their loss and makes one step.

        The loss has **Shape** (B,). It may come in parts, one after the other: then only what one part needs is held
        in memory at once.

        Raises:
            UnsupportedError: there is a budget, under which rows stay behind the loader.
        """
        ...

    def validation(self) -> Rows | None:
        """Rows held back from the steps, to stop early; None where a fixed plan must be run."""
        ...


def parts(rows: Rows, size: int) -> Iterator[Rows]:
    """A batch in parts; whole if it is no larger, so that nothing is copied."""
    if len(rows) <= size:
        yield rows
        return
    for start in range(0, len(rows), size):
        yield rows[slice(start, start + size)]
