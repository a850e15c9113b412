"""Sums that hold in every row of a frame: one column is what others add up to, to the last digit.

Looked for among runs of columns beside the total, and among any two or three where columns are few.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from synthkit.schema.columns import Column, Numeric
from synthkit.schema.expressions.grammar import quote_column
from synthkit.schema.expressions.result_kinds import kind_of_column
from synthkit.schema.number_cells import numbers

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

MIN_ROWS_FOR_SUMS = 50  # fewer complete rows tell no sum
MIN_DISTINCT_TOTALS = 5  # distinct totals, and more: a total that hardly varies is a sum of much
MIN_SHARE_OF_TERMS = 0.02  # of rows in which each part is there and not nought, or it adds nothing
MAX_SUMMED_RUN = 60
MAX_COLUMNS_FOR_PAIRS = 40  # columns up to which any two of them are tried, wherever they stand
MAX_COLUMNS_FOR_TRIPLES = 16  # the same for any three
_SAMPLED_SUM_ROWS = 32  # rows of a first look
_MAX_SUM = 2**53
_MAX_SUM_DECIMALS = 6


@dataclass(frozen=True)
class Sum:
    """One column that is the sum of others.

    Args:
        total: the column.
        parts: what adds up to it, in the table's order.
    """

    total: str
    parts: tuple[str, ...]

    @property
    def expression(self) -> str:
        """The sum as an expression."""
        return " + ".join(map(quote_column, self.parts))


@dataclass(frozen=True)
class _Wholes:
    """Columns of numbers as whole multiples of one step. **Shape**: (columns, n) each."""

    names: tuple[str, ...]
    cells: NDArray[np.int64]
    absent: NDArray[np.bool_]


def find_sums(frame: pd.DataFrame, columns: Mapping[str, Column]) -> tuple[Sum, ...]:
    """Sums found in a frame, in the order of their totals; none is computed from itself.

    At least 50 rows have all numbers and five different totals, each part is something else than nought in a fiftieth
    of them, and a total is missing where a part is and nowhere else.

    Args:
        frame: the rows.
        columns: the drafted kinds.

    Example:
        >>> import pandas as pd
        >>> a, b = np.arange(60) % 7, np.arange(60) % 4
        >>> frame = pd.DataFrame({"a": a, "b": b, "all": a + b})
        >>> [found.expression for found in find_sums(frame, {name: Numeric(decimals=0) for name in frame})]
        ['a + b']
    """
    wholes = _wholes(frame, columns)
    found: dict[str, Sum] = {}
    for k in range(len(wholes.names)):
        if not _varies(wholes, k):
            continue
        for parts in _candidates(wholes, k):
            one = Sum(wholes.names[k], tuple(wholes.names[j] for j in parts))
            if _holds(wholes, k, parts) and not _circular(one, found):
                found[one.total] = one
                break
    return tuple(found.values())


def _circular(one: Sum, found: Mapping[str, Sum]) -> bool:
    """Whether a part is computed from the total already."""
    stack, seen = list(one.parts), set[str]()
    while stack:
        name = stack.pop()
        if name == one.total:
            return True
        if name in found and name not in seen:
            seen.add(name)
            stack += found[name].parts
    return False


def _wholes(frame: pd.DataFrame, columns: Mapping[str, Column]) -> _Wholes:
    """Columns of numbers with few decimals, brought to the finest step of them all."""
    kept: list[tuple[str, NDArray[np.float64], int]] = []
    for name, column in columns.items():
        digits = _digits(column)
        if digits is None:
            continue
        x = numbers(frame[name])
        here = x[~np.isnan(x)]
        if len(here) and np.isfinite(here).all() and here.min() < here.max():
            kept.append((name, x, digits))
    scale = 10.0 ** max((digits for _, _, digits in kept), default=0)
    kept = [each for each in kept if np.nanmax(np.abs(each[1])) * scale < _MAX_SUM / MAX_SUMMED_RUN]
    table = np.array([x for _, x, _ in kept]).reshape(len(kept), len(frame))
    absent = np.isnan(table)
    cells = np.rint(np.where(absent, 0.0, table) * scale).astype(np.int64)
    return _Wholes(tuple(name for name, _, _ in kept), cells, absent)


def _digits(column: Column) -> int | None:
    """Decimals of a column that can be a part of a sum, None if it cannot."""
    if isinstance(column, Numeric):
        return column.decimals if column.decimals is not None and column.decimals <= _MAX_SUM_DECIMALS else None
    levels = getattr(column, "levels", None) or ()
    whole = bool(levels) and all(isinstance(level, int) and not isinstance(level, bool) for level in levels)
    return 0 if whole and kind_of_column("", column) == "number" else None


def _candidates(wholes: _Wholes, k: int) -> Iterator[tuple[int, ...]]:
    """Parts that add up to a column in the rows of a first look, runs beside it first."""
    complete = np.flatnonzero(~wholes.absent[k])
    some = np.flatnonzero(wholes.cells[k] != 0)  # rows of noughts alone, of which a long table may be full, tell no sum
    rows = np.concatenate([each[:: max(len(each) // _SAMPLED_SUM_ROWS, 1)] for each in (complete, some)])
    cells, total = wholes.cells[:, rows], wholes.cells[k, rows]
    if not len(rows):
        return
    for beside in (range(k - 1, max(k - MAX_SUMMED_RUN, 0) - 1, -1), range(k + 1, min(k + MAX_SUMMED_RUN, len(cells)))):
        run = np.cumsum(cells[list(beside)], axis=0) if len(beside) else cells[:0]
        for at in np.flatnonzero((run == total).all(axis=1)):
            if at >= 1:
                yield tuple(sorted(beside[: at + 1]))
    others = [j for j in range(len(cells)) if j != k]
    if len(others) <= MAX_COLUMNS_FOR_PAIRS:
        yield from _adding(cells, total, combinations(others, 2))
    if len(others) <= MAX_COLUMNS_FOR_TRIPLES:
        yield from _adding(cells, total, combinations(others, 3))


def _adding(
    cells: NDArray[np.int64], total: NDArray[np.int64], chosen: Iterator[tuple[int, ...]]
) -> Iterator[tuple[int, ...]]:
    """Those of some choices of columns that add up to a total."""
    every = np.array(list(chosen), dtype=np.int64)
    if len(every):
        added = cells[every].sum(axis=1)
        yield from (tuple(map(int, every[at])) for at in np.flatnonzero((added == total).all(axis=1)))


def _varies(wholes: _Wholes, k: int) -> bool:
    """Whether a column has rows and values enough to be a total."""
    total = wholes.cells[k][~wholes.absent[k]]
    return len(total) >= MIN_ROWS_FOR_SUMS and len(np.unique(total)) >= MIN_DISTINCT_TOTALS


def _holds(wholes: _Wholes, k: int, parts: Sequence[int]) -> bool:
    """Whether the sum holds in every row, and is more than chance."""
    mine = list(parts)
    lacking = wholes.absent[mine].any(axis=0)
    if (lacking != wholes.absent[k]).any():
        return False
    there = ~lacking
    total, cells = wholes.cells[k][there], wholes.cells[mine][:, there]
    if (cells.sum(axis=0) != total).any():
        return False
    adds = (cells != 0).sum(axis=1) >= MIN_SHARE_OF_TERMS * len(total)
    varies = (cells != cells[:, :1]).any(axis=1)
    return bool(adds.all() and varies.all())
