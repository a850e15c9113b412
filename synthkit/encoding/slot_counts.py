"""Counts of slots, for models that learn from tables of a few slots and never from rows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Scope = tuple[int, ...]  # slots of a table of counts, in rising order


@dataclass(frozen=True, kw_only=True)
class MeasuredCounts:
    """A table of counts as it was told, with or without noise; noisy ones may be negative, and need not be whole.

    Args:
        scope: slots that were counted together.
        counts: rows in each combination of their levels, plus noise. **Shape**: sizes of the slots in `scope`.
        sigma: standard deviation of the noise of each cell, 0 for none.
    """

    scope: Scope
    counts: NDArray[np.int64] | NDArray[np.float64]
    sigma: float


class Counting(Protocol):
    """What a model may learn of real rows by counting them, and what each answer costs.

    Prices are in rho of zero-concentrated differential privacy (zCDP), under adding or removing one unit, which
    changes one cell of each table by one. They may depend on earlier answers as long as their sum stays within `rho`.

    References:
        Bun and Steinke, "Concentrated Differential Privacy: Simplifications, Extensions, and Lower Bounds", 2016.
    """

    @property
    def sizes(self) -> tuple[int, ...]:
        """Levels of every slot, as they are counted."""
        ...

    @property
    def rho(self) -> float:
        """What may be spent in all; infinite where answers are exact."""
        ...

    def pooled(self, groups: Sequence[NDArray[np.int64]]) -> Counting:
        """The same rows with levels counted together; what is spent through either is spent through both.

        Args:
            groups: new level of each level, one array a slot. **Shape**: (K_j,) each.
        """
        ...

    def measure(self, scopes: Sequence[Scope], rho: float) -> list[MeasuredCounts]:
        """Tables of counts, charged before they are drawn. **Shape**: t scopes -> t tables.

        Args:
            scopes: which slots to count together.
            rho: price of each table, above 0.
        """
        ...

    def worst(
        self,
        scopes: Sequence[Scope],
        expected: Iterable[NDArray[np.float64]],
        allowances: Sequence[float],
        *,
        many: int,
        rho: float,
    ) -> list[Scope]:
        """Tables whose counts are farthest from what was expected, charged before they are drawn.

        The score of a table is sum_cells |expected - counts| minus its allowance; one unit changes it by 1 at most.

        Args:
            scopes: candidates.
            expected: expected counts of each, in order. **Shape**: sizes of the slots of the scope.
            allowances: what may be missed in each, in rows. **Shape**: (t,).
            many: how many to tell, from 1 to the number of candidates.
            rho: price of each table told, above 0.
        """
        ...


@dataclass(frozen=True, kw_only=True)
class StratifiedCounting:
    """A counting whose last slot is a class of rows, of which it is known by itself how many rows it has.

    Where counts of one class come out smaller than those of another, as those of units of many rows that are clipped,
    what is learned of each class is put together again in the shares that the classes have.

    Args:
        inner: the counting, its last slot the classes.
        rows: rows of each class, above 0. **Shape**: levels of the last slot.
    """

    inner: Counting
    rows: NDArray[np.float64]

    @property
    def sizes(self) -> tuple[int, ...]:
        """Levels of every slot, the classes last."""
        return self.inner.sizes

    @property
    def rho(self) -> float:
        """What may be spent in all."""
        return self.inner.rho

    def pooled(self, groups: Sequence[NDArray[np.int64]]) -> Counting:
        """The same rows with levels counted together. **Shape**: (K_j,) a slot."""
        return self.inner.pooled(groups)

    def measure(self, scopes: Sequence[Scope], rho: float) -> list[MeasuredCounts]:
        """Tables of counts. **Shape**: t scopes -> t tables."""
        return self.inner.measure(scopes, rho)

    def worst(
        self,
        scopes: Sequence[Scope],
        expected: Iterable[NDArray[np.float64]],
        allowances: Sequence[float],
        *,
        many: int,
        rho: float,
    ) -> list[Scope]:
        """Tables whose counts are farthest from what was expected."""
        return self.inner.worst(scopes, expected, allowances, many=many, rho=rho)


@dataclass(frozen=True, kw_only=True)
class AskedCounts:
    """Tables of counts that are wanted of one counting.

    Args:
        counting: of which.
        scopes: which slots are counted together.
        rho: price of each table, above 0.
    """

    counting: Counting
    scopes: Sequence[Scope]
    rho: float


class StackedCounting(Protocol):
    """Several countings of the same units, whose tables are told together: all that a unit brings is one vector."""

    @property
    def parts(self) -> Mapping[str, Counting]:
        """The countings, by name."""
        ...

    def measure(self, asked: Sequence[AskedCounts]) -> list[list[MeasuredCounts]]:
        """Tables of several parts, or of parts that were pooled, charged before they are drawn, in order.

        Args:
            asked: what is wanted of each.
        """
        ...
