"""Columns that are computed from others: in which order, what they are in each row, and where a table breaks them.

They are never learned. In a table that comes in, each cell must be what its expression gives; in one that is made, it
is computed last, so that it holds.
"""

from __future__ import annotations

from graphlib import TopologicalSorter
from typing import TYPE_CHECKING, Any

from synthkit.runtime.lazy_imports import Later
from synthkit.schema.columns import Boolean, Column, Datetime, Numeric
from synthkit.schema.expressions.grammar import Call, columns_of, parse_expression, quote_column
from synthkit.schema.expressions.result_kinds import digits
from synthkit.schema.rules import rows_obeying
from synthkit.schema.table import Schema

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

    from synthkit.schema.expressions.exact_numbers import Exact
else:  # a schema is read without them
    np, pd = Later("numpy"), Later("pandas")

DERIVED_TOLERANCE = 1e-9  # up to which a number without declared decimals is what was computed


def derived_sentence(name: str, expression: str) -> str:
    """What must hold, as an equation.

    Example:
        >>> derived_sentence("total", "a + b")
        'total = a + b'
    """
    return f"{quote_column(name)} = {' '.join(expression.split())}"


def derivation_order(schema: Schema) -> list[str]:
    """Derived columns, each behind those it is computed from."""
    uses = {
        name: [c for c in columns_of(parse_expression(e)) if c in schema.derived] for name, e in schema.derived.items()
    }
    return list(TopologicalSorter(uses).static_order())


def derived_origins(schema: Schema, name: str) -> tuple[str, ...]:
    """The columns that are no derived ones, from which a column is computed at last; itself if it is none.

    Example:
        >>> from synthkit.schema import Schema
        >>> kinds = {c: {"kind": "numeric"} for c in ("a", "b", "c", "d")}
        >>> derived_origins(Schema(columns=kinds, derived={"c": "a + b", "d": "c / a"}), "d")
        ('a', 'b')
    """
    if name not in schema.derived:
        return (name,)
    found = [
        origin for c in columns_of(parse_expression(schema.derived[name])) for origin in derived_origins(schema, c)
    ]
    return tuple(dict.fromkeys(found))


def with_derived(frame: pd.DataFrame, schema: Schema) -> pd.DataFrame:
    """The frame with every derived column computed anew, in the schema's dtypes. **Shape**: frame of n rows -> same.

    Columns that were there keep their places; new ones come last.

    Args:
        frame: all columns that are no derived ones and that these need, in the schema's dtypes.
        schema: the declared meaning.

    Example:
        >>> from synthkit.schema import Schema
        >>> kinds = {"a": {"kind": "numeric"}, "band": {"kind": "ordinal", "levels": ["low", "high"]}}
        >>> schema = Schema(columns=kinds, derived={"band": "if a < 3 then 'low' else 'high'"})
        >>> with_derived(pd.DataFrame({"a": [1.0, 5.0, None]}), schema)["band"].tolist()
        ['low', 'high', None]
    """
    if not schema.derived:
        return frame
    out = {str(name): frame[name] for name in frame.columns}
    for name in derivation_order(schema):
        needed = columns_of(parse_expression(schema.derived[name]))
        cells = pd.DataFrame({c: out[c] for c in needed}, index=frame.index)
        out[name] = _column(name, schema, cells)
    return pd.DataFrame(out, index=frame.index, copy=False)


def _column(name: str, schema: Schema, frame: pd.DataFrame) -> pd.Series:
    """One derived column in its dtype."""
    from synthkit.schema.expressions.evaluation import evaluate_expression
    from synthkit.schema.expressions.exact_numbers import Exact

    column, found = (
        schema.columns[name],
        evaluate_expression(parse_expression(schema.derived[name]), frame, schema.columns),
    )
    if isinstance(found, Exact):
        cells = _numbers(found, column)
    elif isinstance(column, Datetime):
        moments = found.cells.astype(np.int64).astype("datetime64[us]")
        cells = pd.Series(np.where(found.absent, np.datetime64("NaT", "us"), moments))
    else:
        meant: Any = found.cells
        if isinstance(column, Boolean) and meant.dtype == bool:
            false, true = column.levels
            meant = np.where(meant, np.full(len(meant), true, dtype=object), false)
        cells = pd.Series(np.where(found.absent, None, meant.astype(object)), dtype=object)
    return pd.Series(_typed(cells, column).array, index=frame.index, name=name)


def _typed(cells: pd.Series, column: Column) -> pd.Series:
    from synthkit.schema.conform import type_column

    return type_column(cells, column)[0]


def _numbers(found: Exact, column: Column) -> pd.Series:
    """Numbers to the declared decimals; whole ones without a detour through floats."""
    decimals = column.decimals if isinstance(column, Numeric) else None
    if decimals is not None:
        found = found.rounded(decimals)
    if decimals == 0 and found.top.dtype != object:
        return pd.Series(pd.arrays.IntegerArray(found.top.astype(np.int64), found.absent.copy()))
    return pd.Series(found.floats())


def derived_holds(name: str, frame: pd.DataFrame, schema: Schema) -> NDArray[np.bool_]:
    """Where a cell is what its expression gives. **Shape**: frame of n rows -> (n,) bool.

    A number may be rounded either way where it lies in the middle, and be off by a billionth where no decimals are
    declared.

    Args:
        name: a derived column.
        frame: it and the columns it is computed from, in the schema's dtypes.
        schema: the declared meaning.
    """
    from synthkit.schema.expressions.evaluation import evaluate_expression
    from synthkit.schema.expressions.exact_numbers import Exact

    column, expression = schema.columns[name], parse_expression(schema.derived[name])
    absent = frame[name].isna().to_numpy(dtype=bool)
    rounds = isinstance(expression, Call) and expression.function == "round"
    found = evaluate_expression(
        expression.of[0] if rounds and isinstance(expression, Call) else expression, frame, schema.columns
    )
    if isinstance(found, Exact):
        by = digits(expression) if isinstance(expression, Call) and rounds else None
        same = _same_numbers(Exact.of(frame[name]), found, column, by)
    else:
        same = _same_values(name, frame, schema)
    return np.asarray(np.where(absent | found.absent, absent & found.absent, same), dtype=bool)


def _same_numbers(cells: Exact, found: Exact, column: Column, by: int | None) -> NDArray[np.bool_]:
    """Where numbers are what was found; `by` is the number of decimals the expression itself rounds to."""
    decimals = column.decimals if isinstance(column, Numeric) else 0 if by is None else by
    if by is not None and (decimals is None or decimals >= by):
        return cells.equals(cells.rounded(by)) & _within_half(cells, found, by)
    if not isinstance(column, Numeric):
        return cells.equals(found if by is None else found.rounded(by))
    if decimals is not None:
        return _within_half(cells, found if by is None else found.rounded(by), decimals)
    return np.isclose(cells.floats(), found.floats(), rtol=DERIVED_TOLERANCE, atol=DERIVED_TOLERANCE, equal_nan=True)


def _within_half(cells: Exact, found: Exact, digits: int) -> NDArray[np.bool_]:
    """Where two numbers differ by half a unit of the last decimal at most."""
    from fractions import Fraction

    from synthkit.schema.expressions.exact_numbers import Exact

    away = cells - found
    size = away.where(np.asarray(away.top >= 0, dtype=bool), -away)
    half = Exact.constant(Fraction(1, 2 * 10**digits), len(size.top))
    return ~half.below(size)


def _same_values(name: str, frame: pd.DataFrame, schema: Schema) -> NDArray[np.bool_]:
    """Where texts, truths and moments are what was computed."""
    from synthkit.schema.columns import level_keys

    made = _column(name, schema, frame)
    if isinstance(schema.columns[name], Datetime):
        return np.asarray(made.to_numpy() == frame[name].to_numpy(), dtype=bool)
    return np.asarray(level_keys(made) == level_keys(frame[name]), dtype=bool)


def with_recomputed(frame: pd.DataFrame, schema: Schema) -> tuple[pd.DataFrame, dict[str, NDArray[np.bool_]]]:
    """The frame with derived cells computed where they do not hold, and where that was, by column.

    **Shape**: frame of n rows -> the same, (n,) bool each.
    """
    broken = {}
    for name in derivation_order(schema) if schema.derived else ():
        broken[name] = ~derived_holds(name, frame, schema)
        if broken[name].any():
            whole = _column(name, schema, frame)
            mixed = frame[name].astype(object).where(~broken[name], whole.astype(object))
            frame = frame.assign(**{name: whole if broken[name].all() else _typed(mixed, schema.columns[name])})
    return frame, broken


def rows_keeping_rules(frame: pd.DataFrame, schema: Schema) -> NDArray[np.bool_]:
    """Rows in which every rule holds and every derived cell is one its column admits. **Shape**: n rows -> (n,) bool.

    Args:
        frame: the described columns, derived ones computed.
        schema: the declared meaning.
    """
    good = rows_obeying(frame, schema.rules)
    for name in schema.derived:
        good &= derived_admitted(name, frame, schema)
    return good


def derived_admitted(name: str, frame: pd.DataFrame, schema: Schema) -> NDArray[np.bool_]:
    """Where a cell is one its column admits, and is there if it must be. **Shape**: frame of n rows -> (n,) bool."""
    column = schema.columns[name]
    return np.asarray(column.admits(frame[name]) & (column.nullable | frame[name].notna().to_numpy(dtype=bool)))
