"""Columns as small integers, cut once where the training table says; all total variations count these codes."""

from __future__ import annotations

import itertools
import math
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from synthkit.schema.columns import Datetime, Discrete, Numeric, level_keys
from synthkit.schema.datetimes import iso_day

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from synthkit.schema import Schema

QUANTILE_BINS = 10
KEPT_LEVELS = 10  # most frequent levels of a column, which keep a code of their own; the rarer ones are pooled


@dataclass(frozen=True, kw_only=True)
class Cuts:
    """How one column becomes codes: 0..k-1 its bins or levels, then `other`, `missing` and `novel`.

    Args:
        labels: what each code means, as a person reads it; the last three are other, missing and novel.
        edges: for quantities, the k-1 places between two bins, none of them a value of the reference.
        levels: for levels, the key and code of each level of the reference; rare ones share the code of `other`.
    """

    labels: tuple[str, ...]
    edges: NDArray[np.float64] | None = None
    levels: Mapping[Hashable, int] | None = None

    @property
    def size(self) -> int:
        """Number of codes."""
        return len(self.labels)

    def codes(self, values: pd.Series) -> NDArray[np.intp]:
        """Code of every cell. **Shape**: (n,) -> (n,)."""
        if self.edges is not None:
            codes = np.searchsorted(self.edges, ordered(values), side="right")
            return np.where(values.isna().to_numpy(), self.size - 2, codes)
        codes, uniques = pd.factorize(level_keys(values), use_na_sentinel=True)
        novel = self.size - 1
        table = np.array([*((self.levels or {}).get(key, novel) for key in uniques), self.size - 2], dtype=np.intp)
        return table[codes]


@dataclass(frozen=True)
class Binning:
    """Cuts of every learned column, fitted on a reference table."""

    cuts: Mapping[str, Cuts]

    @classmethod
    def fit(
        cls, reference: pd.DataFrame, schema: Schema, *, bins: int = QUANTILE_BINS, levels: int = KEPT_LEVELS
    ) -> Binning:
        """Cut quantities at about equal shares of `reference`, and keep its `levels` most frequent levels apart."""
        return cls(
            {
                name: _level_cuts(reference[name], levels)
                if isinstance(schema.columns[name], Discrete)
                else _quantile_cuts(reference[name], bins)
                for name in schema.described
            }
        )

    @classmethod
    def equal_width(cls, reference: pd.DataFrame, schema: Schema, *, bins: int = 10) -> Binning:
        """Cut the range of `reference` into `bins` equal widths, as numpy does, and keep every level apart."""
        return cls(
            {
                name: _level_cuts(reference[name], len(reference) + 1)
                if isinstance(schema.columns[name], Discrete)
                else _width_cuts(reference[name], bins)
                for name in schema.described
            }
        )

    @property
    def sizes(self) -> tuple[int, ...]:
        """Number of codes of each column."""
        return tuple(cuts.size for cuts in self.cuts.values())

    def codes(self, frame: pd.DataFrame) -> NDArray[np.intp]:
        """Codes of a table, a row a column of it. **Shape**: n rows, d columns -> (d, n)."""
        return np.stack([cuts.codes(frame[name]) for name, cuts in self.cuts.items()])


def numbers(values: pd.Series) -> NDArray[np.float64]:
    """A column of quantities or moments as floats (moments in microseconds), missing cells as nan."""
    if pd.api.types.is_datetime64_any_dtype(values):
        stamps = values.dt.tz_convert(None) if getattr(values.dtype, "tz", None) is not None else values
        micro = stamps.astype("datetime64[us]").astype("int64").to_numpy().astype(float)
        return np.where(values.isna().to_numpy(), np.nan, micro)
    return np.asarray(pd.to_numeric(values, errors="coerce").to_numpy(dtype=float, na_value=np.nan))


def ordered(values: pd.Series) -> NDArray[Any]:
    """The same with moments as whole numbers, of which floats would round the late ones; missing ones are the smallest.

    **Shape**: (n,) -> (n,).
    """
    if pd.api.types.is_datetime64_dtype(values):
        return values.to_numpy(dtype="datetime64[us]").astype(np.int64)
    return numbers(values)


def quantities(schema: Schema) -> tuple[str, ...]:
    """Learned columns that are numbers or moments."""
    return tuple(c for c in schema.described if isinstance(schema.columns[c], Numeric | Datetime))


def discrete(schema: Schema) -> tuple[str, ...]:
    """Learned columns that have levels."""
    return tuple(c for c in schema.described if isinstance(schema.columns[c], Discrete))


def tuples(columns: int, k: int, limit: int, rng: np.random.Generator, *, drawn: int = 300) -> list[tuple[int, ...]]:
    """All k-tuples of column numbers, or `drawn` random ones if there are more than `limit`."""
    if math.comb(columns, k) <= limit:
        return list(itertools.combinations(range(columns), k))
    chosen: set[tuple[int, ...]] = set()
    while len(chosen) < drawn:
        chosen.add(tuple(sorted(rng.choice(columns, k, replace=False).tolist())))
    return sorted(chosen)


def combined(codes: NDArray[np.intp], sizes: tuple[int, ...], columns: tuple[int, ...]) -> NDArray[np.intp]:
    """One code a row for the combination of some columns. **Shape**: (d, n) -> (n,)."""
    code: NDArray[np.intp] = codes[columns[0]]
    for c in columns[1:]:
        code = code * sizes[c] + codes[c]
    return code


def cells(sizes: tuple[int, ...], columns: tuple[int, ...]) -> int:
    """Number of codes `combined` can give."""
    return math.prod(sizes[c] for c in columns)


def _quantile_cuts(values: pd.Series, bins: int) -> Cuts:
    distinct, counts = np.unique(ordered(values[values.notna()]), return_counts=True)
    edges = quantile_edges(distinct, counts, bins)
    is_time = pd.api.types.is_datetime64_any_dtype(values)
    labels = _interval_labels(distinct, edges, is_time=is_time)
    return Cuts(labels=(*labels, "other", "missing", "novel"), edges=edges)


def _width_cuts(values: pd.Series, bins: int) -> Cuts:
    x = numbers(values)
    x = x[~np.isnan(x)]
    edges = width_edges(x, bins) if len(x) else np.empty(0)
    return Cuts(labels=(*(f"bin {k + 1}" for k in range(len(edges) + 1)), "other", "missing", "novel"), edges=edges)


def width_edges(x: NDArray[np.float64], bins: int) -> NDArray[np.float64]:
    """Places between bins of equal width, those of numpy; fewer where floats so far from nought do not tell them apart.

    **Shape**: (n,) with n > 0 -> at most (bins - 1,).

    Example:
        >>> width_edges(np.array([0.0, 4.0]), 4).tolist(), width_edges(np.full(3, 1e16), 10).tolist()
        ([1.0, 2.0, 3.0], [])
    """
    low, high = float(x.min()), float(x.max())
    low, high = (low - 0.5, high + 0.5) if low == high else (low, high)
    edges = np.unique(np.linspace(low, high, bins + 1))
    return np.asarray(edges[(edges > edges[0]) & (edges < edges[-1])])


def quantile_edges(distinct: NDArray[Any], counts: NDArray[np.intp], bins: int) -> NDArray[Any]:
    """Places between neighbouring values that come nearest to equal shares; mirrored values give mirrored places.

    Where two places are equally near to the middle both are taken, so that there may be one bin more.

    Of whole numbers the edge is the smallest that belongs to the bin after it. A value never lies on another edge,
    so spikes stay whole and a bin is empty of the reference nowhere.

    **Shape**: (k,) sorted values and their counts -> at most (bins,) places.
    """
    if len(distinct) < 2:
        return np.empty(0)
    left, right = distinct[:-1], distinct[1:]
    between: NDArray[Any] = right - (right - left) // 2 if distinct.dtype.kind == "i" else (left + right) / 2
    if len(distinct) <= bins:
        return between
    share = np.cumsum(counts) / counts.sum()  # share[j]: rows up to value j; a cut at share 0 or 1 is no cut
    share = np.append(0.0, share)
    wanted = np.arange(1, bins) / bins
    distance = np.abs(share[None, :] - wanted[:, None])
    distance += 1e-9 * np.abs(
        share - 0.5
    )  # of two equally near cuts the more central, so that a mirror changes nothing
    nearest = np.flatnonzero((distance <= distance.min(axis=1, keepdims=True) + 1e-12).any(axis=0))
    nearest = nearest[(nearest > 0) & (nearest < len(distinct))]
    return np.asarray(between[nearest - 1])


def _interval_labels(distinct: NDArray[np.float64], edges: NDArray[np.float64], *, is_time: bool) -> list[str]:
    if not len(distinct):
        return ["any"]

    def write(value: float) -> str:
        return iso_day(value) if is_time else f"{value:.6g}"

    firsts = np.append(distinct[0], distinct[np.searchsorted(distinct, edges)] if len(edges) else [])
    lasts = np.append(distinct[np.searchsorted(distinct, edges) - 1] if len(edges) else [], distinct[-1])
    return [
        write(a) if write(a) == write(b) else f"{write(a)} – {write(b)}" for a, b in zip(firsts, lasts, strict=True)
    ]


def _level_cuts(values: pd.Series, keep: int) -> Cuts:
    keys = level_keys(values)
    counts = pd.Series(keys[keys.notna()]).value_counts()
    order = sorted(counts.index, key=lambda key: (-counts[key], str(key)))
    kept = order if len(order) <= keep + 1 else order[:keep]  # a single rare level needs no pool
    codes = {key: min(i, len(kept)) for i, key in enumerate(order)}
    return Cuts(labels=(*map(label, kept), "other", "missing", "novel"), levels=codes)


def label(key: Hashable) -> str:
    """A level's key as a person writes it: 1.0 becomes 1, and a long code keeps all its digits.

    Example:
        >>> label(1.0), label(0.1), label(185345009.0), label("E11")
        ('1', '0.1', '185345009', 'E11')
    """
    if not isinstance(key, float):
        return str(key)
    return str(int(key)) if key.is_integer() else f"{key:.15g}"
