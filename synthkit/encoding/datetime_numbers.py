"""Moments as whole numbers: counted from 1970 in the one unit a column declares.

A float of microseconds is exact up to the year 2255 only, and nanoseconds end in 2262; whole numbers of 64 bits hold
every microsecond of the years 1 to 9999. A missing moment is the smallest whole number, as it is in numpy.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from synthkit.encoding.arrays import Cells, Floats, Ints
from synthkit.schema import Datetime
from synthkit.schema.datetimes import EARLIEST_MICROSECOND, LATEST_MICROSECOND, read_datetimes

MISSING_STEP = int(np.iinfo(np.int64).min)
FIRST_ATOM_STEP = -(2**61)  # of the first atom in a column of gaps: farther off than any two moments are apart


def datetime_steps_of(values: pd.Series, column: Datetime) -> Ints:
    """Moments as whole steps of the column's precision since 1970. **Shape**: (n,) -> (n,).

    Example:
        >>> last = pd.Series(np.array(["9999-12-31", "NaT"], dtype="datetime64[us]"))
        >>> int(datetime_steps_of(last, Datetime(precision="day"))[0])
        2932896
    """
    return steps_of_moments(read_datetimes(values, column), column)


def steps_of_moments(t: NDArray[np.datetime64], column: Datetime) -> Ints:
    """The same of moments that were read. **Shape**: (n,) -> (n,)."""
    micro = t.astype("datetime64[us]").astype(np.int64)
    return np.where(np.isnat(t), MISSING_STEP, micro // column.step)


def step_bounds(column: Datetime) -> tuple[int, int]:
    """First and last step that a column admits beside its atoms: declared bounds moved inwards, else the calendar."""
    low, high = column.ends
    first, last = (int(t.astype(np.int64)) for t in (low, high))
    return -(-first // column.step), last // column.step


def calendar_steps(column: Datetime) -> tuple[int, int]:
    """First and last step of the years 1 to 9999."""
    return -(-EARLIEST_MICROSECOND // column.step), LATEST_MICROSECOND // column.step


def outward_floats(x: Ints) -> Floats:
    """Steps as floats that are not nearer to 0 than the steps. **Shape**: (n,) -> (n,)."""
    size = np.abs(x)
    near = size.astype(np.float64)
    return np.sign(x) * np.where(near.astype(np.int64) < size, np.nextafter(near, np.inf), near)


def atom_steps(column: Datetime) -> Ints:
    """The column's atoms in steps, in their order. **Shape**: (atoms,)."""
    return steps_of_moments(column.points, column)


def moments_of(x: Cells, column: Datetime) -> pd.Series:
    """Whole steps as moments inside the declared bounds, else the calendar; atoms come back exactly.

    **Shape**: (n,) -> (n,).
    """
    x = as_steps(x)
    t = (np.clip(x, *step_bounds(column)) * column.step).astype("datetime64[us]")
    for at, atom in zip(atom_steps(column), column.points, strict=True):
        t[x == at] = atom
    t[x == MISSING_STEP] = np.datetime64("NaT")
    return pd.Series(t)


def as_steps(x: Cells) -> Ints:
    """Steps from what holds them: a coded column, decoded cells, or the floats of models of before. **Shape**: (n,)."""
    if isinstance(x, pd.Series):
        if pd.api.types.is_float_dtype(x.dtype):
            return as_steps(x.to_numpy(dtype=np.float64, na_value=np.nan))
        return np.asarray(x.to_numpy(dtype=np.int64, na_value=MISSING_STEP))
    if x.dtype.kind == "f":
        return np.where(np.isnan(x), MISSING_STEP, np.round(np.nan_to_num(x)).astype(np.int64))
    return np.asarray(x, dtype=np.int64)


def nullable_steps(x: Ints) -> pd.Series:
    """Steps as a coded column, in which missing ones are missing. **Shape**: (n,) -> (n,)."""
    absent = x == MISSING_STEP
    return pd.Series(pd.arrays.IntegerArray(np.where(absent, 0, x), absent))
