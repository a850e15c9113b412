"""What a model is: a module over encoded rows that can be fitted and drawn from, and what else it may be able to do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol, runtime_checkable

import torch
from torch import Tensor

from synthkit.encoding.coding import Coding
from synthkit.encoding.layout import Given, Layout, Rows, TrainingLoader
from synthkit.encoding.slot_counts import Counting
from synthkit.training.callbacks import TrainingCallbacks


@dataclass(frozen=True, kw_only=True)
class TrainingLog:
    """What training went through; post-noise or public values only.

    Args:
        steps: optimizer steps made.
        planned: steps that schedules were laid out over; a fit asked for so many steps is the same fit.
        best_step: the step whose weights were kept.
        seconds: time it took.
        memory: bytes it takes at most, as estimated before it began.
        at: steps at which the losses below were taken.
        train: mean training loss since the previous one, nats a row. **Shape**: as `at`.
        validation: loss of the rows held back, None if there were none. **Shape**: as `at`.
    """

    steps: int
    best_step: int
    seconds: float
    at: tuple[int, ...] = ()
    train: tuple[float, ...] = ()
    validation: tuple[float, ...] | None = None
    planned: int | None = None
    memory: int | None = None


class RowModel(Protocol):
    """A generative model of encoded rows; it knows no tables and no epsilon."""

    coding: ClassVar[Coding]
    Config: ClassVar[type[Any]]

    def __init__(self, layout: Layout, config: Any = None) -> None: ...

    @property
    def layout(self) -> Layout:
        """Layout of the rows it was made for."""
        ...

    def sample(self, n: int, generator: torch.Generator) -> Rows:
        """Draw n rows."""
        ...

    def tensors(self) -> dict[str, Tensor]:
        """Everything learned, by name."""
        ...

    def load_tensors(self, tensors: dict[str, Tensor], device: torch.device) -> None:
        """Take back what `tensors` gave, to draw on `device`."""
        ...

    def config(self) -> dict[str, Any]:
        """Settings as plain data."""
        ...


@runtime_checkable
class HasSteps(Protocol):
    """A model that learns from batches of rows, step by step."""

    def fit(self, training: TrainingLoader, seed: int, watch: TrainingCallbacks | None = None) -> TrainingLog:
        """Learn from what comes through the door."""
        ...


@runtime_checkable
class HasCounts(Protocol):
    """A model that learns from tables of counts and never from rows.

    Attributes:
        rows: number of units as it was told; None before a fit.
    """

    rows: float | None

    def fit_counts(
        self,
        counting: Counting,
        seed: int,
        watch: TrainingCallbacks | None = None,
        device: torch.device | None = None,
        *,
        outcomes: Sequence[int] = (),
    ) -> TrainingLog:
        """Learn from counts of the coarse slots, in the order of the layout; spends all it is given.

        Args:
            counting: answers, until what may be spent is spent.
            seed: of everything random but noise.
            watch: who is told of each step.
            device: where to fit.
            outcomes: which of the counted slots are to be predicted.
        """
        ...


@runtime_checkable
class HasGiven(Protocol):
    """A model that completes partly known rows natively, without drawing rows and throwing them away."""

    def sample_given(self, given: Given, generator: torch.Generator, *, tries: int | None = None) -> Rows:
        """Draw each row from the law of the unknown slots given the known ones.

        Args:
            given: what is known.
            generator: of the draws.
            tries: completions of a row among which a model chooses that cannot draw from that law itself; its own
                number if not given.
        """
        ...


@runtime_checkable
class HasLogProbGiven(Protocol):
    """A model that knows the probability of some slots given others."""

    def log_prob_given(self, rows: Rows, given: Given, aim: Tensor) -> Tensor:
        """Log-probability of some slots given the known ones, nats. **Shape**: `aim` (n, d) bool -> (n,)."""
        ...


@runtime_checkable
class HasLogProb(Protocol):
    """A model whose log-probability of a row is exact."""

    def log_prob(self, rows: Rows) -> Tensor:
        """Log-probability of the levels of each row, nats. **Shape**: (n,)."""
        ...


@runtime_checkable
class HasSurprise(Protocol):
    """A model that says how improbable a row is, exactly or by a bound, and which of its slots make it so."""

    def surprise(self, rows: Rows, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Minus the log-probability of each row, nats, and the part of each slot. **Shape**: (n,), (n, d).

        The parts add up to the whole where the model is a chain; with latent codes the rest is what the code costs.
        """
        ...


def residuals(n: int, layout: Layout, generator: torch.Generator) -> Tensor:
    """Uniform positions inside cells. **Shape**: (n, r) in [0, 1)."""
    return torch.rand((n, len(layout.residuals)), generator=generator, device=generator.device)


def draw(probabilities: Tensor, generator: torch.Generator) -> Tensor:
    """One level a row by inversion of the cumulative law. **Shape**: (n, K), rows summing to anything > 0 -> (n,)."""
    total = probabilities.cumsum(dim=1)
    mass = total[:, -1:]
    u = torch.rand((len(total), 1), generator=generator, device=generator.device).to(total.device) * mass
    # in float32 u can meet the mass exactly; below it no level without mass can be drawn
    u = torch.minimum(u, torch.nextafter(mass, torch.zeros_like(mass)))
    return torch.searchsorted(total, u, right=True).squeeze(1)
