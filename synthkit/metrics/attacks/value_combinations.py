"""Combinations of values as integer codes, equal in all tables that are compared."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from synthkit.metrics.stats.binning import numbers, quantile_edges
from synthkit.schema.columns import Discrete, level_keys

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from synthkit.schema import Schema

COMBINATION_BINS = 20  # of a quantity; one with fewer distinct values keeps them apart


def column_codes(
    frames: Sequence[pd.DataFrame],
    schema: Schema,
    name: str,
    cut_on: pd.DataFrame | None = None,
    bins: int = COMBINATION_BINS,
) -> list[NDArray[np.int64]]:
    """Number of the value of every cell of a column, the same number in all frames for the same value.

    Levels are kept apart. Quantities are cut into at most `bins` parts that hold about equal shares of `cut_on`;
    without it every value counts for itself. Missing is a value.

    **Shape**: frames of n, m, ... rows -> (n,), (m,), ...
    """
    if isinstance(schema.columns[name], Discrete):
        found = np.concatenate([np.asarray(level_keys(frame[name]), dtype=object) for frame in frames])
    else:
        found = np.concatenate([numbers(frame[name]) for frame in frames])
        if cut_on is not None:
            x = numbers(cut_on[name])
            edges = quantile_edges(*np.unique(x[~np.isnan(x)], return_counts=True), bins)
            found = np.where(np.isnan(found), np.nan, np.searchsorted(edges, found, side="right"))
    codes = np.asarray(pd.factorize(found, use_na_sentinel=False)[0], dtype=np.int64)
    return split(codes, frames)


def joint(columns: Sequence[Sequence[NDArray[np.int64]]]) -> list[NDArray[np.int64]]:
    """Number of the combination of several columns' values. **Shape**: columns of (n,), (m,), ... -> (n,), (m,), ...

    Example:
        >>> columns = [[np.array([0, 0, 1]), np.array([0])], [np.array([0, 1, 0]), np.array([1])]]
        >>> [code.tolist() for code in joint(columns)]
        [[0, 1, 2], [1]]
    """
    sizes = [len(part) for part in columns[0]]
    code = np.zeros(sum(sizes), dtype=np.int64)
    for column in columns:
        each = np.concatenate(column)
        code = np.asarray(pd.factorize(code * (int(each.max(initial=0)) + 1) + each)[0], dtype=np.int64)
    return np.split(code, np.cumsum(sizes)[:-1])


def combinations(
    frames: Sequence[pd.DataFrame],
    schema: Schema,
    names: Sequence[str],
    cut_on: pd.DataFrame | None = None,
    bins: int = COMBINATION_BINS,
) -> list[NDArray[np.int64]]:
    """`joint` of the `column_codes` of several columns."""
    return joint([column_codes(frames, schema, name, cut_on, bins) for name in names])


def split(values: NDArray[np.int64], frames: Sequence[pd.DataFrame]) -> list[NDArray[np.int64]]:
    """Values of all rows of all frames, a piece a frame again."""
    return np.split(values, np.cumsum([len(frame) for frame in frames])[:-1])


def times(codes: NDArray[np.int64], of: NDArray[np.int64]) -> NDArray[np.int64]:
    """How often each of `codes` occurs in `of`. **Shape**: (n,), (m,) -> (n,)."""
    size = max(int(codes.max(initial=-1)), int(of.max(initial=-1))) + 1
    return np.asarray(np.bincount(of, minlength=size)[codes], dtype=np.int64)
