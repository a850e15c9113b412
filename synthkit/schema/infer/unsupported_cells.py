"""Cells that would not come out as they went in: lists, complex numbers, long decimals, bytes that are no text."""

from __future__ import annotations

import datetime as dt
import math
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from numpy.typing import NDArray

REPRESENTABLE_DECIMAL = "a decimal of at most 15 digits, which a number of 64 bits holds"
FINITE_NUMBER = "a number, finite and without units or thousands separators"
UNSUPPORTED_REMEDY = "turn the cells into texts, numbers or moments, one value a cell, or leave the column out"
_SUPPORTED_TYPES = (
    *(str, bool, int, float, Decimal, dt.date, dt.time, pd.Period, pd.Interval),
    *(np.bool_, np.integer, np.floating, np.datetime64, type(None), type(pd.NA), type(pd.NaT)),
)
_PLAIN_INFERRED_TYPES = frozenset(
    (
        "string",
        "integer",
        "floating",
        "mixed-integer-float",
        "boolean",
        "date",
        "datetime",
        "datetime64",
        "time",
        "empty",
    )
)


def find_unsupported(values: pd.Series, *, numeric: bool) -> tuple[NDArray[np.bool_], str]:
    """Cells that cannot be kept as they are, and what must hold instead; the sentence names types, never a cell.

    Args:
        values: unpacked cells.
        numeric: whether they are to be read as numbers.

    Example:
        >>> bad, rule = find_unsupported(pd.Series([[1], "a"]), numeric=False)
        >>> bad.tolist(), rule
        ([True, False], 'a cell of a type that is given back; however: list')
    """
    none = np.zeros(len(values), dtype=bool)
    if pd.api.types.is_complex_dtype(values.dtype):
        return ~none, _sentence(["complex"])
    if not pd.api.types.is_object_dtype(values.dtype):
        return none, ""
    seen = pd.api.types.infer_dtype(values, skipna=True)
    if seen in _PLAIN_INFERRED_TYPES and not (numeric and seen == "integer" and not _all_finite(values)):
        return none, ""
    strange = _where(values, lambda cell: not isinstance(cell, _SUPPORTED_TYPES) or isinstance(cell, np.timedelta64))
    if strange.any():
        return strange, _sentence(sorted({type(cell).__name__ for cell in values[strange]}))
    long = _where(values, lambda cell: isinstance(cell, Decimal) and not _held(cell))
    if long.any():
        return long, REPRESENTABLE_DECIMAL
    return _where(values, lambda cell: numeric and isinstance(cell, int) and not _finite(cell)), FINITE_NUMBER


def _where(values: pd.Series, test: Any) -> NDArray[np.bool_]:
    return np.fromiter((bool(test(cell)) for cell in values), dtype=bool, count=len(values))


def _sentence(types: list[str]) -> str:
    return f"a cell of a type that is given back; however: {', '.join(types)}"


def _held(cell: Decimal) -> bool:
    """Whether a float holds the decimal to its last digit; not a number is a missing cell, unless it signals."""
    if not cell.is_finite():
        return not cell.is_snan()
    return math.isfinite(float(cell)) and Decimal(repr(float(cell))) == cell


def _all_finite(whole: pd.Series) -> bool:
    """Whether a float can stand for each of many whole numbers, asked of all at once."""
    try:
        return bool(np.isfinite(whole.dropna().to_numpy(dtype=float)).all())
    except OverflowError:
        return False


def _finite(cell: int) -> bool:
    try:
        return math.isfinite(float(cell))
    except OverflowError:
        return False
