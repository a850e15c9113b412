"""Expressions computed on columns: whole columns at once, exactly, and a missing cell makes missing what needs it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import reduce
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from synthkit.schema.columns import Column
from synthkit.schema.datetimes import read_datetimes
from synthkit.schema.expressions.exact_numbers import Exact
from synthkit.schema.expressions.grammar import (
    Binary,
    Call,
    ColumnName,
    ConditionalExpression,
    Expression,
    Number,
    Signed,
    Text,
    Truth,
    fold_expression,
)
from synthkit.schema.expressions.result_kinds import Kind, digits, kind_of_column

MICROSECONDS_PER_DAY = 86_400_000_000  # microseconds


@dataclass(frozen=True)
class Values:
    """Texts, truths or moments (in microseconds), one a row.

    Args:
        cells: what they are, anything where absent.
        absent: where there is none.

    **Shape**: (n,) each.
    """

    cells: NDArray[Any]
    absent: NDArray[np.bool_]

    def where(self, chosen: NDArray[np.bool_], other: Values) -> Values:
        """This where it is chosen, the other elsewhere."""
        return Values(np.where(chosen, self.cells, other.cells), np.where(chosen, self.absent, other.absent))

    def without(self, rows: NDArray[np.bool_]) -> Values:
        """The same, absent in some rows as well."""
        return Values(self.cells, self.absent | rows)


Computed = Exact | Values


def evaluate_expression(expression: Expression, frame: pd.DataFrame, columns: Mapping[str, Column]) -> Computed:
    """What an expression is in each row. **Shape**: frame of n rows -> n values.

    Args:
        expression: one that `kind_of` has found sound.
        frame: the columns it names, in the schema's dtypes.
        columns: what they mean.

    Example:
        >>> from synthkit.schema import Numeric
        >>> from synthkit.schema.expressions.grammar import parse_expression
        >>> cells = pd.DataFrame({"a": [0.1, None], "b": [0.2, 1.0]})
        >>> evaluate_expression(parse_expression("a + b"), cells, {"a": Numeric(), "b": Numeric()}).floats().tolist()
        [0.3, nan]
    """
    n = len(frame)
    there = np.zeros(n, dtype=bool)

    def made(part: Expression, of: tuple[Computed, ...]) -> Computed:
        if isinstance(part, Number):
            return Exact.constant(part.value, n)
        if isinstance(part, Text | Truth):
            return Values(np.full(n, part.value, dtype=bool if isinstance(part, Truth) else object), there)
        if isinstance(part, ColumnName):
            return cells_of(frame[part.column], kind_of_column(part.column, columns[part.column]))
        if isinstance(part, Signed):
            return _signed(part, of[0])
        if isinstance(part, ConditionalExpression):
            return _chosen(*of)
        return _called(part, of) if isinstance(part, Call) else _binary(part, *of)

    return fold_expression(expression, made)


def cells_of(values: pd.Series, kind: Kind) -> Computed:
    """The cells of a column as an expression takes them. **Shape**: (n,) -> n values."""
    absent = values.isna().to_numpy(dtype=bool)
    if kind == "number":
        return Exact.of(values)
    if kind == "moment":
        return Values(np.where(absent, 0, read_datetimes(values, None).astype(np.int64)), absent)
    if kind == "truth":
        return Values(values.where(~absent, other=False).to_numpy(dtype=bool), absent)
    return Values(np.where(absent, "", values.to_numpy(dtype=object)), absent)


def _signed(part: Signed, of: Computed) -> Computed:
    if isinstance(of, Exact):
        return -of
    return Values(~of.cells.astype(bool), of.absent) if part.sign == "not" else of


def _chosen(condition: Computed, then: Computed, otherwise: Computed) -> Computed:
    assert isinstance(condition, Values)
    yes = condition.cells.astype(bool)
    if isinstance(then, Exact) and isinstance(otherwise, Exact):
        return then.where(yes, otherwise).without(condition.absent)
    assert isinstance(then, Values)
    assert isinstance(otherwise, Values)
    return then.where(yes, otherwise).without(condition.absent)


def _binary(part: Expression, left: Computed, right: Computed) -> Computed:
    assert isinstance(part, Binary)
    sign, absent = part.sign, left.absent | right.absent
    if isinstance(left, Exact) and isinstance(right, Exact):
        arithmetic = {"+": Exact.__add__, "-": Exact.__sub__, "*": Exact.__mul__, "/": Exact.__truediv__}
        if sign in arithmetic:
            return arithmetic[sign](left, right)
        return Values(_held(sign, left.below(right), left.equals(right)), absent)
    assert isinstance(left, Values)
    assert isinstance(right, Values)
    if sign in ("and", "or"):
        a, b = left.cells.astype(bool), right.cells.astype(bool)
        return Values(a & b if sign == "and" else a | b, absent)
    if sign == "-":
        days = np.where(absent, 0, left.cells - right.cells)
        return Exact(days, np.full(len(days), MICROSECONDS_PER_DAY, dtype=np.int64), absent)
    equal = np.asarray(left.cells == right.cells, dtype=bool)
    below = np.asarray(left.cells < right.cells, dtype=bool) if sign not in ("=", "!=") else equal
    return Values(_held(sign, below, equal), absent)


def _held(sign: str, below: NDArray[np.bool_], equal: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Whether a comparison holds, by whether the left side is less and whether the two are equal."""
    held = {"<": below, "<=": below | equal, ">": ~(below | equal), ">=": ~below, "=": equal, "!=": ~equal}
    return held[sign]


def _called(part: Call, of: tuple[Computed, ...]) -> Computed:
    if part.function in ("min", "max"):
        return reduce(lambda a, b: _further(a, b, lower=part.function == "min"), of)
    number = of[0]
    assert isinstance(number, Exact)
    if part.function == "floor":
        return number.floor()
    if part.function == "ceil":
        return -(-number).floor()
    if part.function == "abs":
        return number.where(np.asarray(number.top >= 0, dtype=bool), -number)
    return number.rounded(digits(part))


def _further(a: Computed, b: Computed, *, lower: bool) -> Computed:
    """The lower or the upper of two in each row, absent where one is."""
    absent = a.absent | b.absent
    if isinstance(a, Exact) and isinstance(b, Exact):
        return a.where(a.below(b) if lower else b.below(a), b).without(absent)
    assert isinstance(a, Values)
    assert isinstance(b, Values)
    first = a.cells < b.cells if lower else a.cells > b.cells
    return a.where(np.asarray(first, dtype=bool), b).without(absent)
