"""Stored types that what is drawn could not have again: times of day, periods, intervals, bytes of one length."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from synthkit.schema.columns import Column, Datetime, Identifier, Numeric
from synthkit.schema.datetimes import is_moment
from synthkit.schema.patterns import pattern_alphabets

if TYPE_CHECKING:
    from numpy.typing import NDArray

_FIXED_SIZE_BINARY = re.compile(r"fixed_size_binary\[(\d+)\]")
_TIME_TYPE = re.compile(r"\btime(32|64)\[")
_INTERVAL_TEXT = re.compile(r"[\[(][^,]+, [^,]+[\])]")
_TYPE_NAMES = {"time": "times of day", "period": "periods", "interval": "intervals", "bytes": "bytes of one length"}
_TYPE_NAMES |= {"several": "times of day, periods or intervals beside other cells"}
_TYPE_REMEDIES = {
    "time": "give minutes since midnight as numbers",
    "period": "give the moment at which each begins (`.dt.to_timestamp()`)",
    "interval": "give both ends as numbers, each in a column of its own",
    "bytes": "give them as texts, such as their hexadecimal digits",
    "several": "turn all of them into texts, numbers or moments",
}


@dataclass(frozen=True)
class Unrestorable:
    """Cells that a drawn column could not be given back as.

    Args:
        where: they are.
        what: they are, in words.
        why: they cannot be given back.
        remedy: what to do.
    """

    where: NDArray[np.bool_]
    what: str
    why: str
    remedy: str


def find_unrestorable(values: pd.Series, column: Column, arrow: str = "") -> Unrestorable | None:
    """The cells of a column if what is drawn could not be stored as they are, else None.

    Args:
        values: cells as they are stored.
        column: what they are read as.
        arrow: Arrow type of the file they came from, where the dtype does not tell it.

    Example:
        >>> found = find_unrestorable(pd.Series([dt.time(7, 30), None]), Identifier())
        >>> found.where.tolist(), found.what, found.why
        ([True, False], 'times of day', 'the fresh values of an identifier are texts')
    """
    kind, dtype = _stored(values, arrow)
    why = _why(kind, dtype, column) if kind else ""
    if not why:
        return None
    where = values.notna().to_numpy(dtype=bool)
    return Unrestorable(where, _TYPE_NAMES[kind], why, f"{_TYPE_REMEDIES[kind]}, or leave the column out")


def _stored(values: pd.Series, arrow: str) -> tuple[str, Any]:
    """What the cells are, and the dtype or the length that says more of it; empty for all that has no such trouble."""
    dtype: Any = values.dtype
    if found := _FIXED_SIZE_BINARY.search(arrow or str(dtype)):
        return "bytes", int(found[1])
    if isinstance(dtype, pd.CategoricalDtype):
        return _stored(pd.Series(dtype.categories), "")
    if pd.api.types.is_object_dtype(dtype):
        return _objects(values)
    if isinstance(dtype, pd.PeriodDtype | pd.IntervalDtype):
        return ("period" if isinstance(dtype, pd.PeriodDtype) else "interval"), dtype
    return ("time" if _TIME_TYPE.search(str(dtype)) else ""), None


def _objects(values: pd.Series) -> tuple[str, object]:
    """The same of cells of any type."""
    seen = pd.api.types.infer_dtype(values, skipna=True)
    if seen in ("period", "interval"):
        held: object = pd.array(list(values.dropna())).dtype
        return (seen, held) if isinstance(held, pd.PeriodDtype | pd.IntervalDtype) else ("several", None)
    mixed = seen in ("mixed", "mixed-integer") and any(isinstance(c, dt.time | pd.Period | pd.Interval) for c in values)
    return ("several" if mixed else "time" if seen == "time" else ""), None


def _why(kind: str, dtype: Any, column: Column) -> str:
    """Why what is drawn cannot be stored so, empty if it can."""
    if kind == "several":
        return "a column is drawn as one type"
    if kind == "bytes" and isinstance(column, Datetime | Numeric):
        return "moments and numbers have no such length"
    if isinstance(column, Datetime):  # other kinds are no moments, which is asked elsewhere
        return "only days and parts of a day are moments" if kind == "period" and not is_moment(dtype) else ""
    if isinstance(column, Identifier):
        letters = pattern_alphabets(column.pattern or "") if kind == "bytes" and column.faker is None else []
        fits = len(letters) == dtype and all(map(str.isascii, letters))
        of_that = " of another length, unless a `pattern` has it" if kind == "bytes" else ""
        return "" if fits else f"the fresh values of an identifier are texts{of_that}"
    strange = [level for level in getattr(column, "levels", None) or () if not _says(kind, dtype, level)]
    return f"{len(strange):,} of the declared levels are none" if strange else ""


def _says(kind: str, dtype: Any, level: Any) -> bool:
    """Whether a declared level is the text of such a cell."""
    if not isinstance(level, str):
        return False
    if kind == "bytes":
        return len(level.encode()) == int(dtype)
    if kind == "interval":
        return _INTERVAL_TEXT.fullmatch(level) is not None
    try:
        if kind == "time":
            dt.time.fromisoformat(level)
        else:
            pd.Period(level, freq=dtype.freq)
    except ValueError:
        return False
    return True
