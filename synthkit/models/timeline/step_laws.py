"""What a sampler asks of a model of units: the law of the next event, and of its row, given all that came before."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import torch
from torch import Tensor

from synthkit.encoding.arrays import Bools, Floats, Ints
from synthkit.encoding.layout import Given, Rows
from synthkit.models.row_completion import Admit

if TYPE_CHECKING:
    from synthkit.models.timeline.drawn_round import DrawnRound
    from synthkit.models.timeline.units_so_far import UnitsSoFar


class RoundLaws(Protocol):
    """Laws of the next steps of some units."""

    def event(self, given: Given, generator: torch.Generator, admit: Admit) -> Rows:
        """Events of the steps. **Shape**: Given of n -> Rows of n."""
        ...

    def settled(
        self, event: Tensor, twin: Tensor, series: Tensor, told: Floats, forced: Bools
    ) -> tuple[Tensor, Tensor]:
        """What is kept of the steps once their events are known.

        Args:
            event: levels of the events. **Shape**: (n, E).
            twin: vector of the last row of the same series. **Shape**: (n, H).
            series: mean vector of the series. **Shape**: (n, H).
            told: what is known of the steps as numbers. **Shape**: (n, G).
            forced: steps whose gap nobody chose. **Shape**: (n,).

        **Shape**: -> (n, H), vectors of the events, and (n, ...), what rows are drawn from.
        """
        ...


class StepLaws(Protocol):
    """Laws of everything below units.

    Attributes:
        width: H, of the vectors that are remembered of rows.
        device: where they are computed.
    """

    width: int
    device: torch.device

    def roots(self, cat: Tensor) -> Tensor:
        """Vectors of units. **Shape**: (n, D) -> (n, H)."""
        ...

    def round(self, active: Ints, roots: Tensor, chunk: UnitsSoFar) -> RoundLaws:
        """Laws of the next steps of some units. **Shape**: (n,), (B, H)."""
        ...

    def row(
        self,
        t: int,
        units: Ints,
        now: DrawnRound,
        chunk: UnitsSoFar,
        given: Given,
        generator: torch.Generator,
        admit: Admit,
    ) -> Rows:
        """Rows of one table given their events. **Shape**: Given of n -> Rows of n."""
        ...

    def row_vectors(self, t: int, cat: Tensor) -> Tensor:
        """Vectors of the rows of a table. **Shape**: (n, D) -> (n, H)."""
        ...

    def opened(self, t: int, cat: Tensor) -> Tensor:
        """What the next event knows of open rows of a table. **Shape**: (n, D) -> (n, H)."""
        ...
