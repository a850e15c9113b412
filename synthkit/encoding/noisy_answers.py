"""What a codec may learn of a column under a budget: counts with noise, bounds and names that were paid for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import pandas as pd

from synthkit.encoding.arrays import Floats, Ints
from synthkit.encoding.histogram_query import QueryKind


@dataclass(frozen=True, kw_only=True)
class NoisyColumnCounts:
    """Counts of the cells of a column, with noise.

    Args:
        counts: whole numbers, which may be negative. **Shape**: (size,).
        sigma: standard deviation of the noise on each.
    """

    counts: Ints
    sigma: float


class NoisyAnswers(Protocol):
    """What a codec may learn of its column under a budget. Each question is paid for before its answer is drawn.

    The functions given say of each row by itself what it counts as; they see the rows, and nothing of them comes back
    but noisy counts. One row of each unit is counted, so that a unit moves one count of each answer by 1.
    """

    @property
    def kinds(self) -> frozenset[QueryKind]:
        """The questions that were planned, each to be asked once."""
        ...

    def counts(self, kind: QueryKind, cell: Callable[[pd.DataFrame], Ints], size: int) -> NoisyColumnCounts:
        """Rows in each cell.

        Args:
            kind: the question that was planned.
            cell: the cell of each row, -1 for a row that is not counted. **Shape**: n rows -> (n,).
            size: number of cells.
        """
        ...

    def bounds(
        self, numbers: Callable[[pd.DataFrame], Floats], exponents: tuple[int, int] | None = None
    ) -> tuple[float, float]:
        """Powers of two between which nearly all numbers lie.

        Args:
            numbers: the number of each row, NaN for a row that is not counted. **Shape**: n rows -> (n,).
            exponents: of the smallest and the largest power; -20 and 40 if not given.
        """
        ...

    def levels(self, names: Callable[[pd.DataFrame], Sequence[str | None]]) -> dict[str, int]:
        """Names that enough rows share, with their noisy counts, sorted by name.

        Args:
            names: the name of each row, None for a row that is not counted. **Shape**: n rows -> n names.
        """
        ...
