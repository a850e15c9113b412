"""Cells as moments: microseconds on the clock of the table, in years 1 to 9999, whatever holds them."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any, Final

from synthkit.later import Later

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray
else:  # a schema is read without them
    np, pd = Later("numpy"), Later("pandas")

STEPS: Final = {
    "day": 86_400_000_000,
    "hour": 3_600_000_000,
    "minute": 60_000_000,
    "second": 1_000_000,
    "millisecond": 1_000,
    "microsecond": 1,
}  # microseconds in one step of a precision, coarsest first
_EPOCH = dt.datetime(1970, 1, 1)
FIRST: Final = (dt.datetime.min - _EPOCH) // dt.timedelta(microseconds=1)  # of the calendar, in microseconds since 1970
LAST: Final = (dt.datetime.max - _EPOCH) // dt.timedelta(microseconds=1)


def moments(values: pd.Series, pattern: str | None) -> NDArray[np.datetime64]:
    """Every cell as a moment in microseconds, NaT where it is missing or none; **Shape**: (n,) -> (n,).

    Numbers are no moments, and neither is anything with a time zone: tables hold local time.
    """
    if pd.api.types.is_datetime64_dtype(values.dtype):
        return values.to_numpy(dtype="datetime64[us]")
    if pd.api.types.is_numeric_dtype(values.dtype):
        return np.full(len(values), np.datetime64("NaT", "us"))
    codes, uniques = pd.factorize(values, use_na_sentinel=True)
    table = np.array([_moment(u, pattern) for u in uniques] + [np.datetime64("NaT")], dtype="datetime64[us]")
    return np.asarray(table[codes])


def parse_moment(text: str, pattern: str | None) -> dt.datetime | None:
    """The moment a text names under a strptime pattern, ISO 8601 if it is None; None if it names none."""
    try:
        return dt.datetime.strptime(text, pattern) if pattern else dt.datetime.fromisoformat(text)
    except ValueError:
        return None


def declared_moment(key: str, text: str) -> int:
    """A bound or atom of a schema in microseconds since 1970.

    Raises:
        ValueError: the text is no moment in ISO 8601, or has a time zone.
    """
    found = parse_moment(text.strip(), None)
    if found is None or found.tzinfo is not None:
        msg = f"`{key}` must be a moment in ISO 8601 without a time zone; however: {text!r}. Write 2026-01-31"
        raise ValueError(msg)
    return (found - _EPOCH) // dt.timedelta(microseconds=1)


def in_calendar(t: np.datetime64) -> bool:
    """Whether a moment lies in the years 1 to 9999."""
    year = int(t.astype("datetime64[Y]").astype(int)) + 1970
    return dt.MINYEAR <= year <= dt.MAXYEAR


def written(t: np.datetime64) -> str:
    """A moment in ISO 8601, the day alone at midnight.

    Example:
        >>> written(np.datetime64("9999-12-31", "us"))
        '9999-12-31'
    """
    day = t.astype("datetime64[D]")
    return str(day if day == t else t).removesuffix(".000000")


def day(micro: float) -> str:
    """The day of a number of microseconds since 1970; what rounding moved out of the calendar is its last day.

    Example:
        >>> day(float(LAST))
        '9999-12-31'
    """
    return str(np.datetime64(min(max(int(micro), FIRST), LAST), "us").astype("datetime64[D]"))


def _moment(cell: Any, pattern: str | None) -> np.datetime64:
    """One distinct cell, NaT if it is none; the standard library knows the years before 1678 and after 2262."""
    if isinstance(cell, str):
        text = cell.strip()
        cell = (parse_moment(text, pattern) if pattern else None) or parse_moment(text, None)
    if isinstance(cell, dt.datetime):
        return np.datetime64("NaT", "us") if cell.tzinfo else np.datetime64(cell.replace(tzinfo=None), "us")
    if isinstance(cell, np.datetime64):
        return cell.astype("datetime64[us]") if in_calendar(cell) else np.datetime64("NaT", "us")
    return np.datetime64(cell, "us") if isinstance(cell, dt.date) else np.datetime64("NaT", "us")
