"""A training by noisy steps: the plan that is fixed before a row is met, and the door that makes the steps."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, TypeVar, runtime_checkable

import torch
from torch import Tensor, nn

from synthkit.encoding.layout import Layout, Rows
from synthkit.errors import ConfigError

M = TypeVar("M", bound=nn.Module)


@dataclass(frozen=True, kw_only=True)
class DPSGDPlan:
    r"""The plan of a training under a privacy budget. Every number in it is public and none follows from the rows.

    In each of `steps` steps each unit takes part with probability `rate`. Its gradient, the sum of those of its rows,
    each the mean of `copies` looks at the row, is clipped to the norm `clip`; then noise is added.

    Args:
        rate: probability of a unit to take part in a step, in (0, 1].
        steps: how many steps, 1 or more.
        clip: most by which one unit moves the sum of gradients, above 0.
        copies: random orders of a row, or times or codes, averaged before clipping, 1 or more. They cost no privacy.

    Raises:
        ConfigError: one of them is out of its range.

    References:
        Abadi et al.: Deep learning with differential privacy (2016).
        De et al.: Unlocking high-accuracy differentially private image classification through scale (2022), for copies.

    Example:
        >>> Descent(rate=0.1, steps=500, clip=1.0, copies=4).expected(30_000)
        3000.0
    """

    rate: float
    steps: int
    clip: float
    copies: int = 1

    def __post_init__(self) -> None:
        wrong = [] if 0 < self.rate <= 1 else [f"rate {self.rate:g} (above 0, at most 1)"]
        wrong += [f"{k} {x} (at least 1)" for k, x in (("steps", self.steps), ("copies", self.copies)) if x < 1]
        wrong += [] if 0 < self.clip < math.inf else [f"clip {self.clip:g} (above 0)"]
        if wrong:
            msg = f"the plan of a private training must lie in its ranges; however: {', '.join(wrong)}. Correct it"
            raise ConfigError(msg)

    def expected(self, n: float) -> float:
        """Expected number of units in a step, of n that are public or paid for."""
        return self.rate * n


@runtime_checkable
class PrivateTraining(Protocol):
    """The door under a budget: rows are met behind it, and nothing comes back but noisy steps."""

    @property
    def layout(self) -> Layout:
        """Layout of the rows."""
        ...

    @property
    def n(self) -> float:
        """Number of units, public or paid for."""
        ...

    @property
    def device(self) -> torch.device:
        """Where the rows live."""
        ...

    @property
    def descent(self) -> DPSGDPlan:
        """The plan, charged before."""
        ...

    def validation(self) -> Rows | None:
        """None: the plan is fixed."""
        ...

    def stepping(
        self, module: M, loss: Callable[[M, Rows], Tensor], optimizer: torch.optim.Optimizer
    ) -> Callable[[], None]:
        """What makes one step each time it is called, as often as was charged.

        Args:
            module: its parameters get noisy gradients.
            loss: loss of each row; its randomness is torch's own generator, of which nothing outlasts a step.
                **Shape**: Rows of B -> (B,).
            optimizer: of these parameters.
        """
        ...
