"""Counts of rows of which one unit may have many: every row counts, and a unit is clipped as a whole."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from synthkit.encoding.arrays import Floats, Ints
from synthkit.encoding.layout import level_dtype
from synthkit.encoding.slot_counts import MeasuredCounts, Scope, StratifiedCounting
from synthkit.privacy.access.counts import CHANGE, CodedTables, Pay, noise_scale
from synthkit.privacy.access.row_strata import RowStrata
from synthkit.privacy.accounting.charge import Charge
from synthkit.privacy.accounting.events import ReportNoisyMax
from synthkit.privacy.mechanisms.noise import choose
from synthkit.privacy.mechanisms.noisy_quantile import NoisyQuantile
from synthkit.privacy.mechanisms.stacked_counts import CountedRows, StackedCounts

CLIPPED_AT = 0.85  # quantile of the units' norms that is the clip: bias against the few beyond it, for less noise
CLIP_SHARE = 0.02  # of a price that finds the clip
STRATA_SHARE = 0.01  # of the whole budget that finds how many rows there are of units of so many
SETTLED_SHARE = 0.02  # of the whole budget that finds how many rows a unit has, and how many there are


@dataclass(frozen=True)
class UnitCounting:
    """Counts of rows by units that may have many; see `encoding.slot_counts.Counting`.

    Tables that are told together are one vector a unit, clipped to one norm, which is a noisy quantile of the norms.
    Their counts are told as those of the number of rows that was told first, so that they agree with each other. Where
    tables are chosen, rows of a unit count for L together at most, L a noisy quantile of the rows a unit has.

    Args:
        tables: coded rows and their tables.
        owner: number of the unit of each row. **Shape**: (n,).
        weight: how much a row counts where tables are chosen, min(1, L / rows of its unit). **Shape**: (n,).
        most: L, in rows.
        bound: rows that a unit has at most; public.
        rows: rows so weighed, with noise.
        rho: what may be spent in all.
        pay: called with each charge before it is drawn; it raises where the charge cannot be paid.

    References:
        Canonne, Kamath, Steinke: The discrete Gaussian for differential privacy (2020). Cesar, Rogers: Bounding,
        concentrating, and truncating (2021).
    """

    tables: CodedTables
    owner: Ints
    weight: Floats
    most: float
    bound: int
    rows: float
    rho: float
    pay: Pay

    @classmethod
    def of(
        cls, cat: NDArray[np.integer], owner: Ints, sizes: tuple[int, ...], *, bound: int, rho: float, pay: Pay
    ) -> UnitCounting:
        """Counts of coded rows, at most `bound` of each unit.

        Args:
            cat: levels, slot j in range(sizes[j]). **Shape**: (n, d).
            owner: number of the unit of each row. **Shape**: (n,).
            sizes: levels of every slot.
            bound: rows of one unit, at most; public.
            rho: what may be spent in all.
            pay: called with each charge before it is drawn.
        """
        settled = SETTLED_SHARE * rho / 2
        asked = NoisyQuantile(low=1.0, high=float(max(bound, 2)), share=CLIPPED_AT, rho=settled)
        pay(asked.charge("quantile of the rows a unit has"))
        many = np.bincount(owner).astype(np.float64)
        most = asked.draw(many[many > 0])
        counted = StackedCounts(norm=most, noise_multiplier=noise_scale(settled))
        pay(Charge(what="number of rows", spent=counted.spent))
        rows = counted.told([CountedRows(owner=owner, cell=np.zeros(len(owner), dtype=np.int64), size=1)])[0]
        return cls(
            tables=CodedTables(np.ascontiguousarray(cat.T, dtype=level_dtype(sizes)), sizes),
            owner=owner,
            weight=np.minimum(1.0, most / many[owner]),
            most=most,
            bound=bound,
            rows=max(float(rows[0]), 1.0),
            rho=rho * (1 - SETTLED_SHARE),
            pay=pay,
        )

    @property
    def sizes(self) -> tuple[int, ...]:
        """Levels of every slot."""
        return self.tables.sizes

    def pooled(self, groups: Sequence[NDArray[np.int64]]) -> UnitCounting:
        """The same rows, charged to the same account, with levels counted together. **Shape**: (K_j,) a slot."""
        return replace(self, tables=self.tables.pooled(groups))

    def measure(self, scopes: Sequence[Scope], rho: float) -> list[MeasuredCounts]:
        """Tables with one noise for all, charged before. **Shape**: t scopes -> t tables.

        Raises:
            ConfigError: the price is not above 0 and finite.
        """
        return measured_together([UnitTables(counting=self, scopes=scopes, rho=rho)])[0]

    def worst(
        self,
        scopes: Sequence[Scope],
        expected: Iterable[NDArray[np.float64]],
        allowances: Sequence[float],
        *,
        many: int,
        rho: float,
    ) -> list[Scope]:
        """Tables drawn by their scores in parts of L, charged before; one unit moves a score by 1 at most.

        Raises:
            ConfigError: the price is not above 0 and finite, or there are fewer candidates than choices.
        """
        spent = ReportNoisyMax(sensitivity=CHANGE, scale=noise_scale(rho), picks=many)
        self.pay(Charge(what="choice of tables", spent=spent))
        far = (float(np.abs(table - self._weighed(scope)).sum()) for scope, table in zip(scopes, expected, strict=True))
        scores = np.fromiter(far, dtype=np.float64, count=len(scopes)) - np.asarray(allowances, dtype=np.float64)
        return [scopes[k] for k in choose(scores / self.most, spent).values]

    def _weighed(self, scope: Scope) -> Floats:
        shape = tuple(self.sizes[j] for j in scope)
        found = np.bincount(self.tables.cells(scope), self.weight, minlength=math.prod(shape)).astype(np.float64)
        return found.reshape(shape)

    def counted(self, scope: Scope, weight: float) -> CountedRows:
        """Rows in the cells of a table; nobody may see them."""
        size = math.prod(self.sizes[j] for j in scope)
        return CountedRows(owner=self.owner, cell=self.tables.cells(scope), size=size, weight=weight)

    def agreed(self, scopes: Sequence[Scope], told: Sequence[Floats], sigma: float) -> list[MeasuredCounts]:
        """Tables as those of the number of rows that was told first."""
        part = 1 / np.array([len(table) for table in told])
        whole = float((part * [table.sum() for table in told]).sum() / part.sum())
        scale = self.rows / max(whole, 1.0)
        shapes = [tuple(self.sizes[j] for j in scope) for scope in scopes]
        return [
            MeasuredCounts(scope=scope, counts=table.reshape(shape) * scale, sigma=sigma * scale)
            for scope, shape, table in zip(scopes, shapes, told, strict=True)
        ]


@dataclass(frozen=True, kw_only=True)
class UnitTables:
    """Tables of counts that are wanted of one counting.

    Args:
        counting: of which.
        scopes: which slots are counted together.
        rho: price of each table, above 0.
    """

    counting: UnitCounting
    scopes: Sequence[Scope]
    rho: float


def measured_together(asked: Sequence[UnitTables]) -> list[list[MeasuredCounts]]:
    r"""Tables of one or several countings of the same units, with one clip and one noise for all, charged before.

    A table that costs $\rho_q$, and to which a unit brings about $L_q$ rows, is weighed by
    $w_q \propto \sqrt{\rho_q} / L_q$ in the vector of a unit, so that the noise on it is that of its price and its
    rows: a few events do not get the noise of many laboratory values. All of them together cost $\sum_q \rho_q$.

    Args:
        asked: what is wanted of each counting.

    Raises:
        ConfigError: a price is not above 0 and finite.
    """
    some = [each for each in asked if each.scopes]
    if not some:
        return [[] for _ in asked]
    for each in some:
        noise_scale(each.rho)  # refuses what is no price
    pay = some[0].counting.pay
    weight = table_weights(some)
    whole = math.fsum(each.rho * len(each.scopes) for each in some)
    least = min(w * math.sqrt(len(each.scopes)) for each, w in zip(some, weight, strict=True))
    most = math.hypot(
        *(w * math.sqrt(len(each.scopes)) * each.counting.bound for each, w in zip(some, weight, strict=True))
    )
    clip = NoisyQuantile(low=least, high=max(most, 2 * least), share=CLIPPED_AT, rho=CLIP_SHARE * whole)
    pay(clip.charge("quantile of what a unit brings to tables of counts"))
    stack = [each.counting.counted(scope, w) for each, w in zip(some, weight, strict=True) for scope in each.scopes]
    norm = clip.draw(_norms(stack))
    counts = StackedCounts(norm=norm, noise_multiplier=noise_scale((1 - CLIP_SHARE) * whole))
    pay(Charge(what=f"{len(stack)} tables of counts", spent=counts.spent))
    told = iter(counts.told(stack))
    found = {
        id(each): each.counting.agreed(each.scopes, [next(told) / w for _ in each.scopes], counts.sigma / w)
        for each, w in zip(some, weight, strict=True)
    }
    return [found.get(id(each), []) for each in asked]


def table_weights(asked: Sequence[UnitTables]) -> list[float]:
    r"""How much a row of each counting weighs among tables that are told together, $\sqrt{\rho_q} / L_q$, 1 at most.

    Args:
        asked: what is wanted of each counting.
    """
    plain = [math.sqrt(each.rho) / each.counting.most for each in asked]
    return [w / max(plain) for w in plain]


def _norms(stack: Sequence[CountedRows]) -> Floats:
    """Norms of the units that have rows."""
    units = max(int(table.owner.max(initial=-1)) for table in stack) + 1
    found = StackedCounts.norms(stack, units)
    return found[found > 0]


def stratified_counting(
    cat: NDArray[np.integer], owner: Ints, sizes: tuple[int, ...], *, bound: int, rho: float, pay: Pay
) -> StratifiedCounting:
    """Counts of coded rows beside the class of each by how many rows its unit has, and rows of each class as told.

    That units of many rows are clipped, and count for less, is made up for class by class.

    Args:
        cat: levels, slot j in range(sizes[j]). **Shape**: (n, d).
        owner: number of the unit of each row. **Shape**: (n,).
        sizes: levels of every slot.
        bound: rows of one unit, at most; public.
        rho: what may be spent in all.
        pay: called with each charge before it is drawn.
    """
    strata = RowStrata.told(owner, bound=bound, rho=STRATA_SHARE * rho, pay=pay)
    wide = np.concatenate([cat, strata.level[:, None].astype(cat.dtype)], axis=1)
    left = rho * (1 - STRATA_SHARE)
    inner = UnitCounting.of(wide, owner, (*sizes, len(strata.rows)), bound=bound, rho=left, pay=pay)
    return StratifiedCounting(inner=inner, rows=strata.rows)
