"""Rows chosen from a pool so that one- and two-way tables match targets: raking, sampling, exchanges.

Everything happens on encoded rows; only what is kept is ever decoded. No row is taken twice.

References:
    Deming, Stephan: On a least squares adjustment of a sampled frequency table when the expected marginal totals are
    known (1940), for raking.
    Deville, Sarndal, Sautory: Generalized raking procedures in survey sampling (1993), for bounded weights.
    Rosen: On sampling with probability proportional to size (1997), for Pareto sampling.
    Voas, Williamson: An evaluation of the combinatorial optimisation approach to the creation of synthetic
    microdata (2000), for exchanges.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import numpy as np
import torch
from numpy.typing import NDArray

from synthkit.encoding.column_groups import Codes, ColumnGroups, coded
from synthkit.encoding.layout import Rows
from synthkit.encoding.raking_margins import RakingMargins
from synthkit.errors import UnsupportedError
from synthkit.synthesizer.margin_shrinkage import shrunk

if TYPE_CHECKING:
    from synthkit.models.base import RowModel

POOL_FACTOR = 3  # rows drawn for each that is kept
POOLS = {"ctgan": 4}  # of models that need more: a GAN's pairs are farther from the targets (docs/models.md)
MAX_ROWS_PER_POOL = 50_000  # rows kept from one pool; bounds the memory
SWEEPS = 2  # of raking
FACTOR_RANGE = (0.2, 5.0)  # of one factor
DAMPING = 0.7  # power of each factor
CAP = 5.0  # of a weight, in means
BLOCK = 1_000  # pool rows looked at between two exchanges
EXCHANGE_SHARE = 0.1  # of the chosen rows of a block that may be exchanged at once
NEAR_ENOUGH = 0.25  # exchanges end when tables are as near as this many sampling errors of the targets

RakeTarget = Literal[
    "population", "sample"
]  # what the measured tables tell of the people behind them, or they themselves
Floats = NDArray[np.float64]
Chosen = NDArray[np.bool_]
Change = NDArray[np.float32]


def pool_for(model: str) -> int:
    """Rows that raked draws of a model take for each one kept."""
    return POOLS.get(model, POOL_FACTOR)


def draw(
    model: RowModel,
    n: int,
    targets: RakingMargins | None,
    generator: torch.Generator,
    rng: np.random.Generator,
    *,
    pool: int = POOL_FACTOR,
    to: RakeTarget = "population",
) -> Rows:
    """Draw pools from a model and keep n rows that match the targets, in memory for 50,000 of them at a time.

    Args:
        model: what draws.
        n: rows to keep.
        targets: tables to match.
        generator: of the draws.
        rng: of the choice.
        pool: rows drawn for each that is kept, 1 or more.
        to: which targets, see `select`.

    Raises:
        UnsupportedError: there are no tables to match.

    **Shape**: -> Rows of n.
    """
    if targets is None:
        msg = (
            "`rake` needs tables measured at fit; however: this model was fitted without. "
            "Fit again with `Synthesizer(..., margins=True)`"
        )
        raise UnsupportedError(msg)
    parts = max(1, -(-n // MAX_ROWS_PER_POOL))
    kept = []
    for part in range(parts):
        wanted = n * (part + 1) // parts - n * part // parts
        rows = model.sample(pool * wanted, generator)
        chosen = select(coded(rows.cat.cpu().numpy(), targets.groupings), wanted, targets, rng, to=to)
        kept.append(rows[torch.from_numpy(chosen).to(rows.cat.device)])
    return Rows.cat_rows(kept)


def select(
    codes: Codes, n: int, targets: RakingMargins, rng: np.random.Generator, *, to: RakeTarget = "population"
) -> NDArray[np.int64]:
    """Which n rows of a pool together match the targets best, none of them twice.

    Args:
        codes: groups of every pool row. **Shape**: (number of groupings, m), m >= n.
        n: rows to choose.
        targets: tables to match; they may contradict each other.
        rng: of the choice.
        to: whether the targets are shrunk to what they tell of the population, or are those of the sample itself.

    **Shape**: -> (n,) increasing positions in the pool.
    """
    tables = Cells.of(targets)
    if not 0 < n < codes.shape[1] or not tables.tables or targets.rows <= 0:
        return np.flatnonzero(sample(np.ones(codes.shape[1]), n, rng))
    tables = tables.shrunk(codes, targets) if to == "population" else tables
    return np.flatnonzero(exchange(codes, sample(rake(codes, tables), n, rng), tables, rng))


@dataclass(frozen=True, kw_only=True)
class Cells:
    """Targets laid out for counting: cells of all tables in one vector, pooled cells as one.

    Args:
        tables: of which one or two columns each is.
        first, second, stride, offset: the cell of a row in table t is first * stride + second + offset, `second` the
            number of columns where there is none. **Shape**: (t,).
        cell: kept cell of each cell. **Shape**: (total cells,).
        share: of each kept cell. **Shape**: (kept cells,).
        bounds: first kept cell of each table, and their number. **Shape**: (t + 1,).
        slack: total variation that sampling error and noise of the targets explain, summed over tables.
    """

    tables: tuple[tuple[int, ...], ...]
    first: NDArray[np.int64]
    second: NDArray[np.int64]
    stride: NDArray[np.int32]
    offset: NDArray[np.int32]
    cell: NDArray[np.int64]
    share: Floats
    bounds: NDArray[np.int64]
    slack: float

    @classmethod
    def of(cls, targets: RakingMargins) -> Cells:
        """Lay out; the pooled cell of a table holds what the others leave, which noise may have made too little."""
        sizes, groups = targets.sizes, [g.size for g in targets.groupings]
        edges = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
        cell, shares, bounds, slack = np.empty(edges[-1], dtype=np.int64), [], [0], 0.0
        for k in range(len(sizes)):
            share = targets.shares[edges[k] : edges[k + 1]]
            rare = np.isnan(share)
            kept = np.clip(share[~rare], 0.0, None)
            left = [max(0.0, 1.0 - float(kept.sum()))] if rare.any() else []
            at = np.where(rare, len(kept), np.cumsum(~rare) - 1)
            cell[edges[k] : edges[k + 1]] = bounds[-1] + at
            both = np.concatenate([kept, left])
            shares.append(both / (both.sum() or 1.0))
            bounds.append(bounds[-1] + len(both))
            slack += _slack(shares[-1], targets.rows, float(targets.sigma[k]))
        return cls(
            tables=targets.tables,
            first=np.array([t[0] for t in targets.tables], dtype=np.int64),
            second=np.array([t[1] if len(t) > 1 else len(groups) for t in targets.tables], dtype=np.int64),
            stride=np.array([groups[t[1]] if len(t) > 1 else 1 for t in targets.tables], dtype=np.int32),
            offset=edges[:-1].astype(np.int32),
            cell=cell,
            share=np.concatenate(shares) if shares else np.empty(0),
            bounds=np.array(bounds, dtype=np.int64),
            slack=slack,
        )

    def shrunk(self, codes: Codes, targets: RakingMargins) -> Cells:
        """The same tables with what chance explains taken out of their targets: see `margin_shrinkage`.

        A pooled cell's target is dealt to the cells in it as the pool's rows are.

        **Shape**: codes of the pool (d, m), m at least 1.
        """
        pool = [_counted(codes, table, targets.groupings) for table in self.tables]
        asked = []
        for start, made in zip(self.offset, pool, strict=True):
            at = self.cell[start : start + made.size]
            kept = at - at.min()
            members, rows = np.bincount(kept), np.bincount(kept, weights=made.ravel())
            evenly, by_rows = 1 / members[kept], made.ravel() / np.where(rows > 0, rows, 1.0)[kept]
            part = np.where(rows[kept] > 0, by_rows, evenly)
            asked.append((self.share[at] * part).reshape(made.shape))
        found = shrunk(pool, asked, self.tables, rows=targets.rows, sigma=targets.sigma)
        flat = np.concatenate([grid.ravel() for grid in found])
        share = np.bincount(self.cell, weights=flat, minlength=len(self.share))
        return replace(self, share=share.astype(np.float64))

    def cells(self, codes: Codes) -> NDArray[np.int32]:
        """Cell of every row in every table. **Shape**: (d + 1, n), the last row zero -> (t, n)."""
        first, second = codes[self.first].astype(np.int32), codes[self.second]
        return np.asarray(first * self.stride[:, None] + second + self.offset[:, None])

    def counts(self, cells: NDArray[np.int32]) -> Floats:
        """Rows in every kept cell. **Shape**: (t, n) -> (kept cells,)."""
        raw = np.bincount(cells.ravel(), minlength=len(self.cell))
        return np.asarray(np.bincount(self.cell, weights=raw, minlength=len(self.share)), dtype=np.float64)


def _counted(codes: Codes, table: tuple[int, ...], groupings: Sequence[ColumnGroups]) -> Floats:
    """Shares of the rows in the cells of one table. **Shape**: (d, m) -> (K,) or (K_1, K_2)."""
    shape = tuple(groupings[k].size for k in table)
    flat = np.ravel_multi_index(tuple(codes[k].astype(np.intp) for k in table), shape)
    counts = np.bincount(flat, minlength=int(np.prod(shape)))
    return np.asarray(counts.reshape(shape) / codes.shape[1])


def _slack(share: Floats, rows: float, sigma: float) -> float:
    """Expected total variation of a table from the truth: sampling of its rows, and noise."""
    variance = share * (1 - share) / max(rows, 1.0) + (sigma / max(rows, 1.0)) ** 2
    return float(np.sqrt(2 / np.pi) * np.sqrt(variance).sum() / 2)


def rake(codes: Codes, tables: Cells, *, sweeps: int = SWEEPS) -> Floats:
    """Weights of the pool's rows under which its tables come near the targets, with mean 1 and then cut at 5.

    Table by table, w <- w * clip(target / current, 0.2, 5)^0.7: iterative proportional fitting, damped.

    **Shape**: codes (d, m) -> (m,).
    """
    m = codes.shape[1]
    weights = np.ones(m)
    for _ in range(sweeps if m else 0):
        for k, (first, *rest) in enumerate(tables.tables):
            flat = codes[first].astype(np.intp)
            if rest:
                flat = flat * int(tables.stride[k]) + codes[rest[0]]
            a, b = tables.bounds[k], tables.bounds[k + 1]
            raw = np.bincount(flat, weights)
            cell = tables.cell[tables.offset[k] : tables.offset[k] + len(raw)] - a
            now = np.bincount(cell, raw, minlength=b - a)
            with np.errstate(divide="ignore", invalid="ignore"):  # cells the pool does not reach
                ratio = np.nan_to_num(tables.share[a:b] * now.sum() / now, nan=1.0)
            weights *= (np.clip(ratio, *FACTOR_RANGE) ** DAMPING)[cell][flat]
        weights = np.minimum(weights * (m / weights.sum()), CAP)
    return weights


def sample(weights: Floats, n: int, rng: np.random.Generator) -> Chosen:
    """Choose n rows, each with a probability nearly in proportion to its weight and at most 1: Pareto sampling.

    **Shape**: (m,) positive weights -> (m,) bool, min(n, m) of them true.
    """
    m = len(weights)
    if n == 0 or n >= m:
        return np.full(m, n > 0)
    p, sure = weights * (n / weights.sum()), np.zeros(m, dtype=bool)
    while (p[~sure] > 1).any():  # each round makes one more row sure, or ends
        sure |= p > 1
        p = np.where(sure, 1.0, weights * ((n - sure.sum()) / weights[~sure].sum()))
    u = rng.random(m)
    chosen = np.zeros(m, dtype=bool)
    chosen[np.argpartition(u * (1 - p) / ((1 - u) * p), n)[:n]] = True
    return chosen


def exchange(codes: Codes, chosen: Chosen, tables: Cells, rng: np.random.Generator) -> Chosen:
    """Exchange chosen rows for others of the pool while that lowers the weighted squared error of the tables.

    The error is the sum over cells of (count - n target)^2 / sqrt(n target). The pool is gone through once, in blocks
    at random; in each the rows that would gain most by leaving are paired with those that would by coming.

    **Shape**: codes (d, m), chosen (m,) bool -> (m,) bool, as many of them true.
    """
    m, n = codes.shape[1], int(chosen.sum())
    chosen = chosen.copy()
    codes = np.concatenate([codes, np.zeros((1, m), dtype=codes.dtype)])
    kept, error = np.flatnonzero(chosen), -n * tables.share
    for start in range(0, n, BLOCK):
        error += tables.counts(tables.cells(codes[:, kept[start : start + BLOCK]]))
    price = 1 / np.sqrt(np.maximum(n * tables.share, 1.0))
    order, size = rng.permutation(m), int(np.clip(m // 20, 50, BLOCK))
    for start in range(0, m, size):
        if np.abs(error).sum() / 2 <= NEAR_ENOUGH * n * tables.slack:
            break
        block = order[start : start + size]
        inside, outside = block[chosen[block]], block[~chosen[block]]
        slope = 2 * price * error
        there, here = tables.cells(codes[:, inside]), tables.cells(codes[:, outside])
        leaving = (price - slope)[tables.cell].astype(np.float32)[there].sum(axis=0)
        coming = (price + slope)[tables.cell].astype(np.float32)[here].sum(axis=0)
        a, b = _pairs(leaving, coming)
        chosen[inside[a]], chosen[outside[b]] = False, True
        error += tables.counts(here[:, b]) - tables.counts(there[:, a])
    return chosen


def _pairs(leaving: Change, coming: Change) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Rows to leave and rows to come, best with best, as long as both together lower the error.

    **Shape**: change of the error by each row (a,) and (b,) -> positions (k,) and (k,).
    """
    k = min(len(leaving), len(coming), max(1, int(EXCHANGE_SHARE * len(leaving))))
    out, back = np.argsort(leaving, kind="stable")[:k], np.argsort(coming, kind="stable")[:k]
    good = leaving[out] + coming[back] < 0
    return out[good], back[good]
