"""Cells of any column as floats, and whether numbers have no more decimals than declared."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from synthkit.runtime.lazy_imports import Later

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray
else:  # a schema is read without them
    np, pd = Later("numpy"), Later("pandas")

MAX_WHOLE_FLOAT = 2**53  # beyond it a float no longer tells neighbouring whole numbers apart


def numbers(values: pd.Series) -> NDArray[np.float64]:
    """Every cell as a float, NaN where it is missing or no number; **Shape**: (n,) -> (n,)."""
    dtype = values.dtype
    if pd.api.types.is_numeric_dtype(dtype) and not pd.api.types.is_complex_dtype(dtype):
        return values.to_numpy(dtype=float, na_value=np.nan)
    codes, uniques = pd.factorize(values, use_na_sentinel=True)
    table = np.array([_number(u) for u in uniques] + [np.nan])
    return np.asarray(table[codes])


def rounded(x: NDArray[np.float64], decimals: int, slack: float = 0.0) -> NDArray[np.bool_]:
    """True where a number has no more than `decimals` digits behind the point, up to `slack`.

    **Shape**: (n,) -> (n,).
    """
    large = np.abs(x) >= MAX_WHOLE_FLOAT / 2
    small = np.where(large, 0.0, x)
    return np.asarray(large | np.isclose(small, np.round(small, decimals), rtol=1e-12, atol=slack))


def _number(cell: object) -> float:
    if isinstance(cell, str | bool | int | float | np.number | np.bool_ | Decimal) and not isinstance(
        cell, np.complexfloating
    ):
        try:
            return float(cell)
        except (ValueError, OverflowError):
            return np.nan
    return np.nan
