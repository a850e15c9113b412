"""Tables of counts of people with many rows: all that one person brings is one vector, clipped as a whole."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from synthkit.errors import ConfigError
from synthkit.privacy.accounting.events import StackedGaussian
from synthkit.privacy.mechanisms.noise import add_noise

COUNT_GRID = 64  # parts of a row that are counted: coarser would round much away, finer would gain nothing

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class CountedRows:
    """Rows that fall into the cells of one table of counts.

    Args:
        owner: number of the unit that each row belongs to. **Shape**: (n,).
        cell: where it is counted, -1 for nowhere. **Shape**: (n,).
        size: cells of the table.
        weight: how much a row counts; public, above 0.

    Raises:
        ConfigError: the weight is not above 0, or a cell is beyond the table.
    """

    owner: Ints
    cell: Ints
    size: int
    weight: float = 1.0

    def __post_init__(self) -> None:
        if not 0 < self.weight < np.inf:
            msg = f"`weight` of a table must be above 0 and finite; however: {self.weight} came. Leave the table out"
            raise ConfigError(msg)
        if self.cell.max(initial=-1) >= self.size or self.cell.min(initial=0) < -1:
            msg = f"a cell must be one of {self.size}, or -1; however: there are others. Correct the codes"
            raise ConfigError(msg)

    def by_unit(self) -> tuple[Ints, Ints, Floats]:
        """Units, their cells and what they bring to each. **Shape**: (m,) each, m combinations that occur."""
        here = self.cell >= 0
        key, rows = np.unique(self.owner[here] * self.size + self.cell[here], return_counts=True)
        return key // self.size, key % self.size, self.weight * rows


@dataclass(frozen=True, kw_only=True)
class StackedCounts:
    r"""What every unit brings to several tables together, v_u, clipped to one norm and told with one noise.

    $\sum_u v_u \min(1, C / \lVert v_u \rVert_2) + Z$: one unit moves all numbers by C at most in Euclidean norm,
    however many rows and tables it is in, so that all of them together cost $\rho = C^2 / 2 \sigma^2$. The vectors are
    floored on a grid, which makes no norm larger, so that the noise can be the exact discrete one.

    Args:
        norm: C, in rows, above 0; public or bought.
        noise_multiplier: sigma / C, above 0.

    References:
        Canonne, Kamath, Steinke: The discrete Gaussian for differential privacy (2020). Wilson, Zhang, Lam,
        Desfontaines, Simmons-Marengo, Gipson: Differentially private SQL with bounded user contribution (2020).

    Example:
        >>> rows = CountedRows(owner=np.array([0, 0, 0, 1]), cell=np.array([2, 2, 0, 1]), size=3)
        >>> StackedCounts(norm=1.0, noise_multiplier=0.001).told([rows])[0].round(1)
        array([0.4, 1. , 0.9])
    """

    norm: float
    noise_multiplier: float

    @property
    def sigma(self) -> float:
        """Standard deviation of the noise of each cell, in rows."""
        return self.noise_multiplier * self.norm

    @property
    def spent(self) -> StackedGaussian:
        """The mechanism, to be charged before the counts are told."""
        return StackedGaussian(noise_multiplier=self.noise_multiplier)

    def clipped(self, tables: Sequence[CountedRows]) -> list[Ints]:
        """Clipped counts of each table in parts of a row, exact: nobody may see them. **Shape**: (size,) each."""
        units, cells, brought = self._stack(tables)
        whole = np.sqrt(np.bincount(units, brought**2)) if len(units) else np.zeros(0)
        scale = np.minimum(1.0, self.norm / np.maximum(whole, 1e-300))
        parts = np.floor(brought * scale[units] * COUNT_GRID).astype(np.int64)
        within = np.bincount(units, parts.astype(np.float64) ** 2) if len(units) else np.zeros(0)
        parts[(within > (self.norm * COUNT_GRID) ** 2)[units]] -= 1  # where rounding went up: any part less is enough
        sizes = [table.size for table in tables]
        total = np.bincount(cells, np.maximum(parts, 0), minlength=sum(sizes)).astype(np.int64)
        return np.split(total, np.cumsum(sizes)[:-1])

    def told(self, tables: Sequence[CountedRows]) -> list[Floats]:
        """Counts of each table, in rows, with noise that was charged before. **Shape**: (size,) each."""
        parts = self.clipped(tables)
        noisy = add_noise(np.concatenate(parts), self.spent, self.norm * COUNT_GRID).values / COUNT_GRID
        return np.split(noisy, np.cumsum([len(part) for part in parts])[:-1])

    @staticmethod
    def norms(tables: Sequence[CountedRows], units: int) -> Floats:
        """Euclidean norm of what each unit brings to all tables; nobody may see them. **Shape**: (units,)."""
        owner, _, brought = StackedCounts._stack(tables)
        return np.sqrt(np.bincount(owner, brought**2, minlength=units))

    @staticmethod
    def _stack(tables: Sequence[CountedRows]) -> tuple[Ints, Ints, Floats]:
        """Units, cells of all tables one below the other, and what they bring to each."""
        found = [table.by_unit() for table in tables]
        first = np.cumsum([0, *(table.size for table in tables)])
        units, cells, brought = zip(*found, strict=True)
        return (
            np.concatenate(units),
            np.concatenate([cell + first[k] for k, cell in enumerate(cells)]),
            np.concatenate(brought),
        )
