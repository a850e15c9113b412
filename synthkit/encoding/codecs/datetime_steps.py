"""Moments as whole numbers: counted from 1970 in the one unit a column declares, and coded without a float between.

A float of microseconds is exact up to the year 2255 only, and nanoseconds end in 2262; whole numbers of 64 bits hold
every microsecond of the years 1 to 9999. A missing moment is the smallest whole number, as it is in numpy.
"""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from synthkit.encoding.codecs import numeric
from synthkit.encoding.codecs.numeric import UNSEEN, Coding, NumericCodec
from synthkit.encoding.layout import in_steps
from synthkit.schema.datetimes import EARLIEST_MICROSECOND, LATEST_MICROSECOND, read_datetimes

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from synthkit.schema import Datetime

NONE = int(np.iinfo(np.int64).min)  # a missing moment
ATOM = -(2**61)  # code of the first atom in a column of gaps: farther off than any two moments are apart


class StepsCodec(NumericCodec):
    """Reversible coding of one column of whole steps; as `NumericCodec`, with cells whose bounds are whole numbers.

    Example:
        >>> last = np.array([0, 253402300799999999])  # microseconds from 1970 to the end of 9999
        >>> codec = fit(last, np.array([90, 10]), 0)
        >>> codec.decode(*codec.encode(last)).tolist()
        [0, 253402300799999999]
    """

    @property
    def last(self) -> Any:
        """Largest value of each cell. **Shape**: (m,)."""
        return np.maximum(self.low, self.high - 1)

    def read(self, values: pd.Series) -> Any:
        """The steps of a coded column, the smallest whole number where one is missing. **Shape**: (n,) -> (n,)."""
        return whole(values)

    def absent(self, x: Any) -> NDArray[np.bool_]:
        """Where no value is. **Shape**: (n,) -> (n,)."""
        return np.asarray(x == NONE)

    def decode(self, cat: NDArray[np.int64], num: NDArray[np.float32]) -> Any:
        """Steps of codes, the smallest whole number for missing. **Shape**: (n, 1 or 2) and (n,) -> (n,)."""
        if not len(self.low):
            return np.full(len(cat), NONE)
        absent = cat[:, 0] >= self._groups
        group = np.minimum(cat[:, 0], self._groups - 1)
        fine = cat[:, 1] if cat.shape[1] > 1 else 0
        cell = np.minimum(self._starts[group] + fine, self._starts[group + 1] - 1)
        inside = np.floor(num.astype(np.float64) * (self.high - self.low)[cell] + 1e-6).astype(np.int64)
        return np.where(absent, NONE, np.minimum(self.low[cell] + inside, self.last[cell]))

    def log_steps(self, x: Any) -> NDArray[np.float64]:
        """Log of how many values share the cell of each; as for numbers. **Shape**: (n,) -> (n,)."""
        if not len(self.low):
            return np.zeros(len(x))
        cell = self.cells(np.where(self.absent(x), 0, x))
        held = (self.low[cell] <= x) & (x <= self.last[cell])
        steps = np.log(np.maximum(self.high - self.low, 1)[cell])
        return np.where(self.absent(x), 0.0, np.where(held, steps, UNSEEN))

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> StepsCodec:
        """Read what `to_dict` gave."""
        read = {k: np.array(data[k], dtype=np.int64) for k in ("low", "high", "mass")}
        return cls(**data | read | {"group": in_steps(data["group"])})


def fit(
    values: NDArray[np.int64],
    counts: NDArray[np.int64],
    missing: int | None,
    *,
    atoms: tuple[int, ...] = (),
    coding: Coding | None = None,
) -> StepsCodec:
    """Fit a codec to a histogram of distinct steps; as `numeric.fit`."""
    fitted: Any = numeric.fit(values, counts, missing, decimals=0, atoms=atoms, coding=coding)  # type: ignore[arg-type]
    return StepsCodec(**{field.name: getattr(fitted, field.name) for field in fields(fitted)})


def steps(values: pd.Series, column: Datetime) -> NDArray[np.int64]:
    """Moments as whole steps of the column's precision since 1970. **Shape**: (n,) -> (n,).

    Example:
        >>> from synthkit.schema import Datetime
        >>> steps(pd.Series(np.array(["9999-12-31", "NaT"], dtype="datetime64[us]")), Datetime(precision="day"))[0]
        np.int64(2932896)
    """
    return of(read_datetimes(values, column), column)


def of(t: NDArray[np.datetime64], column: Datetime) -> NDArray[np.int64]:
    """The same of moments that were read. **Shape**: (n,) -> (n,)."""
    micro = t.astype("datetime64[us]").astype(np.int64)
    return np.where(np.isnat(t), NONE, micro // column.step)


def ends(column: Datetime) -> tuple[int, int]:
    """First and last step that a column admits beside its atoms: declared bounds moved inwards, else the calendar."""
    low, high = column.ends
    first, last = (int(t.astype(np.int64)) for t in (low, high))
    return -(-first // column.step), last // column.step


def calendar(column: Datetime) -> tuple[int, int]:
    """First and last step of the years 1 to 9999."""
    return -(-EARLIEST_MICROSECOND // column.step), LATEST_MICROSECOND // column.step


def outward(x: NDArray[np.int64]) -> NDArray[np.float64]:
    """Steps as floats that are not nearer to 0 than the steps. **Shape**: (n,) -> (n,)."""
    size = np.abs(x)
    near = size.astype(np.float64)
    return np.sign(x) * np.where(near.astype(np.int64) < size, np.nextafter(near, np.inf), near)


def points(column: Datetime) -> NDArray[np.int64]:
    """The column's atoms in steps, in their order. **Shape**: (atoms,)."""
    return of(column.points, column)


def moments_of(x: Any, column: Datetime) -> pd.Series:
    """Whole steps as moments inside the declared bounds, else the calendar; atoms come back exactly.

    **Shape**: (n,) -> (n,).
    """
    x = whole(x)
    t = (np.clip(x, *ends(column)) * column.step).astype("datetime64[us]")
    for at, atom in zip(points(column), column.points, strict=True):
        t[x == at] = atom
    t[x == NONE] = np.datetime64("NaT")
    return pd.Series(t)


def whole(x: Any) -> NDArray[np.int64]:
    """Steps from what holds them: a coded column, decoded cells, or the floats of models of before. **Shape**: (n,)."""
    if isinstance(x, pd.Series):
        if pd.api.types.is_float_dtype(x.dtype):
            return whole(x.to_numpy(dtype=np.float64, na_value=np.nan))
        return np.asarray(x.to_numpy(dtype=np.int64, na_value=NONE))
    if x.dtype.kind == "f":
        return np.where(np.isnan(x), NONE, np.round(np.nan_to_num(x)).astype(np.int64))
    return np.asarray(x, dtype=np.int64)


def coded(x: NDArray[np.int64]) -> pd.Series:
    """Steps as a coded column, in which missing ones are missing. **Shape**: (n,) -> (n,)."""
    absent = x == NONE
    return pd.Series(pd.arrays.IntegerArray(np.where(absent, 0, x), absent))
