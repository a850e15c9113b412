"""Counts of slots with a price: exact ones where there is no budget, noisy ones charged before they are drawn."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from synthkit.encoding.layout import level_dtype
from synthkit.encoding.slot_counts import MeasuredCounts, Scope
from synthkit.errors import ConfigError
from synthkit.privacy.accounting.charge import Charge
from synthkit.privacy.accounting.events import DiscreteGaussian, ReportNoisyMax
from synthkit.privacy.mechanisms.noise import add_noise, choose

Pay = Callable[[Charge], None]  # puts a charge down before anything is drawn; raises if it cannot be paid
CHANGE = 1.0  # most by which one unit, one row of it, changes a table (one cell) or the score of one
UP = 1 + 1e-9  # noise is larger by so much than its price asks, so that rounding never makes it smaller


class SlotTables(Protocol):
    """Exact tables of the slots of some rows, wherever these lie."""

    @property
    def sizes(self) -> tuple[int, ...]:
        """Levels of every slot."""
        ...

    def of(self, scope: Scope) -> NDArray[np.int64]:
        """Exact counts. **Shape**: sizes of the slots in `scope`."""
        ...

    def pooled(self, groups: Sequence[NDArray[np.int64]]) -> SlotTables:
        """The same rows with levels counted together. **Shape**: (K_j,) a slot."""
        ...


def table_errors(
    tables: SlotTables, scopes: Sequence[Scope], expected: Iterable[NDArray[np.float64]], allowances: Sequence[float]
) -> NDArray[np.float64]:
    """Score of every candidate: sum_cells |expected - counts| minus its allowance. **Shape**: (t,)."""
    far: Iterator[float] = (
        float(np.abs(table - tables.of(scope)).sum()) for scope, table in zip(scopes, expected, strict=True)
    )
    return np.fromiter(far, dtype=np.float64, count=len(scopes)) - np.asarray(allowances, dtype=np.float64)


@dataclass(frozen=True)
class CodedTables:
    """Coded rows, and tables of them.

    Args:
        codes: levels of every slot. **Shape**: (d, n).
        sizes: levels of every slot.
    """

    codes: NDArray[np.integer]
    sizes: tuple[int, ...]

    def of(self, scope: Scope) -> NDArray[np.int64]:
        """Exact counts. **Shape**: sizes of the slots in `scope`."""
        if len(scope) == 2:
            return self._pairs[scope]
        return self._count(scope)

    def _count(self, scope: Scope) -> NDArray[np.int64]:
        shape = tuple(self.sizes[j] for j in scope)
        return np.bincount(self.cells(scope), minlength=math.prod(shape)).reshape(shape)

    def cells(self, scope: Scope) -> NDArray[np.int64]:
        """The cell of each row in a table, its last slot running fastest. **Shape**: (n,)."""
        flat = np.zeros(self.codes.shape[1], dtype=np.int64)
        for j in scope:
            flat *= self.sizes[j]
            flat += self.codes[j]
        return flat

    @cached_property
    def _pairs(self) -> dict[Scope, NDArray[np.int64]]:
        """Tables of all pairs: they are asked for again and again."""
        return {scope: self._count(scope) for scope in itertools.combinations(range(len(self.sizes)), 2)}

    def pooled(self, groups: Sequence[NDArray[np.int64]]) -> CodedTables:
        """The same rows with levels counted together. **Shape**: (K_j,) a slot."""
        codes = np.stack([group.astype(self.codes.dtype)[row] for group, row in zip(groups, self.codes, strict=True)])
        return CodedTables(codes, tuple(int(group.max()) + 1 for group in groups))


@dataclass(frozen=True)
class ExactCounting:
    """Counts without noise: whoever hands this out has charged an infinite loss.

    Args:
        tables: rows and their tables; see `of`.
    """

    tables: SlotTables

    @classmethod
    def of(cls, cat: NDArray[np.integer], sizes: tuple[int, ...]) -> ExactCounting:
        """Counts of coded rows. **Shape**: `cat` (n, d) levels, slot j in range(sizes[j])."""
        return cls(CodedTables(np.ascontiguousarray(cat.T, dtype=level_dtype(sizes)), sizes))

    @property
    def sizes(self) -> tuple[int, ...]:
        """Levels of every slot."""
        return self.tables.sizes

    @property
    def rho(self) -> float:
        """Infinite."""
        return math.inf

    def pooled(self, groups: Sequence[NDArray[np.int64]]) -> ExactCounting:
        """The same rows with levels counted together. **Shape**: (K_j,) new levels a slot."""
        return replace(self, tables=self.tables.pooled(groups))

    def measure(self, scopes: Sequence[Scope], rho: float) -> list[MeasuredCounts]:
        """Exact tables; the price is not asked. **Shape**: t scopes -> t tables."""
        del rho
        return [MeasuredCounts(scope=scope, counts=self.tables.of(scope), sigma=0.0) for scope in scopes]

    def worst(
        self,
        scopes: Sequence[Scope],
        expected: Iterable[NDArray[np.float64]],
        allowances: Sequence[float],
        *,
        many: int,
        rho: float,
    ) -> list[Scope]:
        """Tables with the largest scores, the largest first; the price is not asked."""
        del rho
        scores = table_errors(self.tables, scopes, expected, allowances)
        return [scopes[k] for k in np.argsort(-scores, kind="stable")[:many]]


@dataclass(frozen=True)
class NoisyCounting:
    """Counts with discrete Gaussian noise, tables chosen by the exponential mechanism; random as the system is.

    A table told for rho has noise of variance 1 / (2 rho). A table chosen for rho comes with probability
    proportional to exp(score sqrt(2 rho)), those chosen before left out: an exponential mechanism of epsilon
    sqrt(8 rho), which is epsilon^2 / 8 of zCDP.

    Args:
        tables: rows and their tables, one row a unit; see `of`.
        rho: what may be spent in all.
        pay: called with each charge before it is drawn; it raises where the charge cannot be paid. The prices of a fit
            add up to `rho`, however its tables are chosen, so that one reserve of it in the ledger covers them.

    References:
        Canonne, Kamath and Steinke, "The Discrete Gaussian for Differential Privacy", 2020.
        Cesar and Rogers, "Bounding, Concentrating, and Truncating: Unifying Privacy Loss Composition for Data
        Analytics", 2021.
    """

    tables: CodedTables
    rho: float
    pay: Pay

    @classmethod
    def of(cls, cat: NDArray[np.integer], sizes: tuple[int, ...], rho: float, pay: Pay) -> NoisyCounting:
        """Counts of coded rows, one row a unit. **Shape**: `cat` (n, d) levels, slot j in range(sizes[j])."""
        return cls(CodedTables(np.ascontiguousarray(cat.T, dtype=level_dtype(sizes)), sizes), rho, pay)

    @property
    def sizes(self) -> tuple[int, ...]:
        """Levels of every slot."""
        return self.tables.sizes

    def pooled(self, groups: Sequence[NDArray[np.int64]]) -> NoisyCounting:
        """The same rows, charged to the same account, with levels counted together. **Shape**: (K_j,) a slot."""
        return replace(self, tables=self.tables.pooled(groups))

    def measure(self, scopes: Sequence[Scope], rho: float) -> list[MeasuredCounts]:
        """Tables with noise of variance 1 / (2 rho), charged before. **Shape**: t scopes -> t tables.

        Raises:
            ConfigError: the price is not above 0 and finite.
        """
        sigma = noise_scale(rho)
        spent = DiscreteGaussian(sigma=sigma)
        self.pay(Charge(what="table of counts", spent=spent, times=len(scopes)))
        return [
            MeasuredCounts(scope=scope, counts=add_noise(self.tables.of(scope), spent).values, sigma=sigma)
            for scope in scopes
        ]

    def worst(
        self,
        scopes: Sequence[Scope],
        expected: Iterable[NDArray[np.float64]],
        allowances: Sequence[float],
        *,
        many: int,
        rho: float,
    ) -> list[Scope]:
        """Tables drawn by their scores, charged before.

        Raises:
            ConfigError: the price is not above 0 and finite, or there are fewer candidates than choices.
        """
        scale = noise_scale(rho)
        spent = ReportNoisyMax(sensitivity=CHANGE, scale=scale, picks=many)
        self.pay(Charge(what="choice of tables", spent=spent))
        scores = table_errors(self.tables, scopes, expected, allowances)
        return [scopes[k] for k in choose(scores, spent).values]


def noise_scale(rho: float) -> float:
    """Scale of noise, of counts as of scores, at which one answer costs rho.

    Raises:
        ConfigError: nothing is paid.
    """
    if not 0 < rho < math.inf:
        msg = f"the price of a noisy answer must be positive and finite; however: rho = {rho:g}. Take it from the plan"
        raise ConfigError(msg)
    return CHANGE * math.sqrt(1 / (2 * rho)) * UP
