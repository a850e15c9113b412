"""Columns of types that no file holds, in the nearest that files do."""

from __future__ import annotations

import numpy as np
import pandas as pd


def storable(frame: pd.DataFrame) -> pd.DataFrame:
    """The frame with sparse columns dense, periods and intervals as text, and floats of 64 bits at most.

    Example:
        >>> storable(pd.DataFrame({"x": pd.arrays.SparseArray([0, 0, 1])})).dtypes.astype(str).to_dict()
        {'x': 'int64'}
    """
    changed = {name: kept for name in frame if (kept := _kept(frame[name])) is not None}
    if not changed:
        return frame
    out = frame.assign(**{str(name): kept for name, kept in changed.items()})
    out.attrs = dict(frame.attrs)
    return out


def _kept(values: pd.Series) -> pd.Series | None:
    """The column in another type, None if it can stay."""
    dtype: object = values.dtype
    if isinstance(dtype, pd.SparseDtype):
        return pd.Series(np.asarray(values), index=values.index).astype(dtype.subtype)
    if dtype in (np.longdouble, np.clongdouble) and dtype != np.float64:
        return values.astype(np.float64)
    inner = dtype.categories.dtype if isinstance(dtype, pd.CategoricalDtype) else dtype
    if isinstance(inner, pd.PeriodDtype | pd.IntervalDtype):
        return values.astype(object).map(str, na_action="ignore")
    return None
