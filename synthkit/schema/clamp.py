"""Cells outside the declared domain mapped into it, each by itself: no other row is looked at."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from synthkit.schema.columns import Column, Datetime, Identifier, Numeric
from synthkit.schema.conform import refuse, type_column
from synthkit.schema.derived import with_recomputed
from synthkit.schema.typed_columns import TypedColumns, rounded_faults
from synthkit.schema.violations import Violation

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from synthkit.schema.table import Schema


def clamp(frame: pd.DataFrame, schema: Schema) -> tuple[pd.DataFrame, dict[str, int]]:
    """The frame in canonical dtypes with every present cell in its domain, and the number of cells changed by column.

    Numbers and moments move to the nearest admissible value (bound, number of decimals); levels that are not
    declared and codes that do not match become missing; derived cells that do not hold are computed. Missing cells, row
    rules, identifiers and the unit, whose persons a bound would make one, are left alone.

    Args:
        frame: any frame; it is not changed.
        schema: the declared meaning.

    Returns:
        The frame, and the counts of the columns that had such cells.

    Raises:
        SchemaError: cells cannot be typed, or have an undeclared level or code in a column that is not nullable;
            lists all such columns.

    Example:
        >>> from synthkit.schema import Schema
        >>> schema = Schema(columns={"age": {"kind": "numeric", "min": 0, "max": 120, "decimals": 0}})
        >>> mapped, changed = clamp(pd.DataFrame({"age": [61.0, 130.0, 44.4]}), schema)
        >>> mapped["age"].tolist(), changed
        ([61, 120, 44], {'age': 2})
    """
    clamped, counts = clamp_typed(TypedColumns.of(frame, schema), schema)
    return clamped.frame, counts


def clamp_typed(columns: TypedColumns, schema: Schema) -> tuple[TypedColumns, dict[str, int]]:
    """As `clamp`, of a frame that the schema has typed already; a column that changes is typed anew, no other.

    Raises:
        SchemaError: as `clamp`.
    """
    typed = columns.fitting()
    outside = {
        name: ~column.admits(typed[name])
        for name, column in schema.columns.items()
        if not isinstance(column, Identifier) and name != schema.unit and name not in schema.derived
    }
    refuse(
        [
            Violation.at((name,), "a declared level or code", bad, remedy=_UNDECLARED_LEVEL_REMEDY)
            for name, bad in outside.items()
            if bad.any()
            and not isinstance(schema.columns[name], Numeric | Datetime)
            and not schema.columns[name].nullable
        ]
    )
    mapped = typed.copy()
    for name, bad in outside.items():
        if bad.any():
            mapped[name], _, _ = type_column(_mapped(typed[name], schema.columns[name], bad), schema.columns[name])
    mapped, broken = with_recomputed(mapped, schema)
    counts = {name: int(bad.sum()) for name, bad in {**outside, **broken}.items() if bad.any()}
    return replace(columns, frame=mapped, rounded=tuple(rounded_faults(mapped, schema))), counts


_UNDECLARED_LEVEL_REMEDY = "add the levels to the schema, or set `nullable: true` so that such cells become missing"


def _mapped(values: pd.Series, column: Column, outside: NDArray[np.bool_]) -> pd.Series:
    if isinstance(column, Numeric):
        nearest = _nearest(values[outside].to_numpy(dtype=float), column)
        mapped = values.copy()
        mapped[outside] = nearest.astype(np.int64) if pd.api.types.is_integer_dtype(values.dtype) else nearest
        return mapped
    if isinstance(column, Datetime):
        t = values.to_numpy(dtype="datetime64[us]")
        return pd.Series(np.where(outside, np.clip(t, *column.ends), t), name=values.name)
    return values.mask(outside)


def _nearest(x: NDArray[np.float64], column: Numeric) -> NDArray[np.float64]:
    """The admissible number closest to each; bounds move inwards to the grid of the decimals."""
    low = -np.inf if column.min is None else column.min
    high = np.inf if column.max is None else column.max
    if (lattice := column.lattice) is not None:
        return lattice.inside(x, low, high)
    if column.decimals is not None:
        grid = 10.0**column.decimals
        x = np.round(x, column.decimals)
        low = math.ceil(low * grid - 1e-9) / grid if math.isfinite(low) else low
        high = math.floor(high * grid + 1e-9) / grid if math.isfinite(high) else high
    return np.clip(x, low, high)
