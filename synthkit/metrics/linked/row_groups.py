"""Group arithmetic on sorted rows: the row before, places, sums by group; no loop over rows or groups."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

NONE_BEFORE = -1


def previous_rows(*keys: NDArray[np.intp]) -> NDArray[np.intp]:
    """Position of the row before among the rows with equal keys, -1 for the first. **Shape**: (n,) each -> (n,).

    Example:
        >>> previous_rows(np.array([0, 0, 1, 0, 1])).tolist()
        [-1, 0, -1, 1, 2]
    """
    n = len(keys[0])
    order = np.lexsort((np.arange(n), *reversed(keys)))
    same = np.ones(max(n - 1, 0), dtype=bool)
    for key in keys:
        same &= key[order[1:]] == key[order[:-1]]
    before = np.full(n, NONE_BEFORE)
    before[order[1:][same]] = order[:-1][same]
    return before


def places(groups: NDArray[np.intp]) -> NDArray[np.intp]:
    """Place of each row among the rows of its group, from 0; equal groups stand together. **Shape**: (n,) -> (n,).

    Example:
        >>> places(np.array([3, 3, 3, 5, 5])).tolist()
        [0, 1, 2, 0, 1]
    """
    index = np.arange(len(groups))
    first = np.append(True, groups[1:] != groups[:-1])[: len(groups)]
    return index - np.maximum.accumulate(np.where(first, index, 0))


def gathered(values: NDArray[np.float64], rows: NDArray[np.intp]) -> NDArray[np.float64]:
    """Values of other rows, nan where there is no such row (-1). **Shape**: (n,) or (n, d), (m,) -> (m,) or (m, d)."""
    if not len(values):
        return np.full((len(rows), *values.shape[1:]), np.nan)
    taken = values[np.maximum(rows, 0)].astype(float)
    taken[rows < 0] = np.nan
    return taken


def group_mean(values: NDArray[np.float64], groups: NDArray[np.intp], size: int) -> NDArray[np.float64]:
    """Mean by group without missing values, nan where there is none. **Shape**: (n,), (n,) -> (size,)."""
    seen = ~np.isnan(values)
    count = np.bincount(groups[seen], minlength=size)
    with np.errstate(invalid="ignore"):
        return np.asarray(np.bincount(groups[seen], weights=values[seen], minlength=size) / count)


def group_sd(values: NDArray[np.float64], groups: NDArray[np.intp], size: int) -> NDArray[np.float64]:
    """Standard deviation by group (n - 1), nan with fewer than two values. **Shape**: (n,), (n,) -> (size,)."""
    seen = ~np.isnan(values)
    x, at = values[seen], groups[seen]
    count = np.bincount(at, minlength=size).astype(float)
    centred = x - group_mean(x, at, size)[at]
    squares = np.bincount(at, weights=centred**2, minlength=size)
    return np.where(count > 1, np.sqrt(squares / np.maximum(count - 1, 1)), np.nan)


def group_extremes(
    values: NDArray[np.float64], groups: NDArray[np.intp], size: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Least and largest value by group, nan where there is none. **Shape**: (n,), (n,) -> (size,), (size,)."""
    low, high = np.full(size, np.inf), np.full(size, -np.inf)
    seen = ~np.isnan(values)
    order = np.argsort(groups[seen], kind="stable")
    x, at = values[seen][order], groups[seen][order]
    if len(x):
        starts = np.flatnonzero(np.append(True, at[1:] != at[:-1]))
        low[at[starts]], high[at[starts]] = np.minimum.reduceat(x, starts), np.maximum.reduceat(x, starts)
    return np.where(np.isinf(low), np.nan, low), np.where(np.isinf(high), np.nan, high)


def group_last(values: NDArray[np.float64], groups: NDArray[np.intp], size: int) -> NDArray[np.float64]:
    """Last value by group that is not missing, nan where there is none. **Shape**: (n,), (n,) -> (size,)."""
    seen = np.flatnonzero(~np.isnan(values))
    last = np.full(size, -1)
    np.maximum.at(last, groups[seen], seen)
    return gathered(values, last)


def group_distinct(codes: NDArray[np.intp], groups: NDArray[np.intp], size: int) -> NDArray[np.float64]:
    """Number of different codes by group, those below 0 left out. **Shape**: (n,), (n,) -> (size,)."""
    seen = codes >= 0
    if not seen.any():
        return np.zeros(size)
    width = int(codes.max()) + 1
    pairs = np.unique(groups[seen].astype(np.int64) * width + codes[seen])
    return np.bincount(pairs // width, minlength=size).astype(float)


def lexicographic(
    groups: NDArray[np.intp], times: NDArray[np.float64], other_groups: NDArray[np.intp], other: NDArray[np.float64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Whole numbers that sort as (group, time) does, for two sets of rows at once. **Shape**: (n,), (m,).

    A missing time comes after all others of its group.
    """
    both = np.concatenate([times, other])
    distinct, rank = np.unique(both, return_inverse=True)
    width = len(distinct) + 1
    keys = np.concatenate([groups, other_groups]).astype(np.int64) * width + rank
    return keys[: len(times)], keys[len(times) :]
