"""Cells as moments: microseconds on the clock of the table, in years 1 to 9999, whatever holds them, and back."""

from __future__ import annotations

import datetime as dt
import re
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Final

from pydantic import BaseModel, ConfigDict, Field, model_validator

from synthkit.runtime.lazy_imports import Later
from synthkit.schema.datetime_formats import TWO_DIGIT_YEAR_PIVOT, Format, format_of
from synthkit.schema.time_zones import at_clock_time, on_the_clock, zone

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray
else:  # a schema is read without them
    np, pd = Later("numpy"), Later("pandas")

PRECISION_STEPS: Final = {
    "day": 86_400_000_000,
    "hour": 3_600_000_000,
    "minute": 60_000_000,
    "second": 1_000_000,
    "millisecond": 1_000,
    "microsecond": 1,
}  # microseconds in one step of a precision, coarsest first
_UNIX_EPOCH = dt.datetime(1970, 1, 1)
_MICROSECOND = dt.timedelta(microseconds=1)
_TRAILING_ZEROS = re.compile(r"\.0+$")  # what a table of floats leaves behind a whole number
_MAX_DATETIME_NUMBER = 10**17  # more digits no moment has
_PERIOD_UNITS: Final = {
    "D": "D",
    "h": "h",
    "min": "m",
    "s": "s",
    "ms": "ms",
    "us": "us",
}  # of pandas, and the unit of numpy
EARLIEST_MICROSECOND: Final = (
    dt.datetime.min - _UNIX_EPOCH
) // _MICROSECOND  # of the calendar, in microseconds since 1970
LATEST_MICROSECOND: Final = (dt.datetime.max - _UNIX_EPOCH) // _MICROSECOND


class MomentWriting(BaseModel):
    """How the moments of a column are written as text.

    Args:
        format: how the moments are written as text, in directives such as `%d.%m.%Y %H:%M`; ISO 8601 is read as well.
        zone: zone whose clock the column shows: UTC, an offset such as +01:00, or a name such as Europe/Berlin. Texts
            and cells that name another are converted, and written back with the offset, or the Z, of the `format`.
        pivot: first of the hundred years that a year of two digits means; 1969 if not given.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    format: str | None = None
    zone: str | None = None
    pivot: Annotated[int, Field(ge=1, le=9900)] | None = None

    @model_validator(mode="after")
    def _can_be_read(self) -> MomentWriting:
        how = self.written_as
        if how is not None and how.gaps:
            msg = f"`format` must hold a whole moment; however: in {self.format!r} {'; '.join(how.gaps)}"
            raise ValueError(f"{msg}. Name what is left out, or take out what needs it")
        if self.zone is not None:
            zone(self.zone)
        if self.pivot is not None and (how is None or how.window == (1, 9999)):
            msg = "`pivot` is for a `format` with years of two digits; however: there is no `%y`. Take it out"
            raise ValueError(msg)
        if how is not None and how.zoned and self.zone is None:
            msg = (
                f"moments with an offset are shown on one clock; however: the format {self.format!r} has an offset and "
                "no `zone` is given. Name it, such as `zone: UTC` or `zone: Europe/Berlin`"
            )
            raise ValueError(msg)
        return self

    @property
    def written_as(self) -> Format | None:
        """The format, None for ISO 8601."""
        return None if self.format is None else format_of(self.format, self.pivot or TWO_DIGIT_YEAR_PIVOT)

    @property
    def sentence(self) -> str:
        """What a cell must be, in words."""
        how = "as ISO 8601" if self.format is None else f"as {self.format}"
        return f"a moment written {how}" + (", without a time zone" if self.zone is None else "")

    def micro(self, cell: object) -> int | None:
        """One cell in microseconds since 1970, None if it is no moment.

        Example:
            >>> MomentWriting(format="%Y%m%d").micro(19700102)
            86400000000
        """
        found = self.moment(cell)
        if found is None:
            return None
        if found.tzinfo is not None:
            shown = None if self.zone is None else on_the_clock(found, self.zone)
            return None if shown is None else (shown - _UNIX_EPOCH) // _MICROSECOND
        return (found - _UNIX_EPOCH) // _MICROSECOND

    def moment(self, cell: object) -> dt.datetime | None:
        """What one cell says, with its zone if it says one; None if it is no moment."""
        if isinstance(cell, str):
            return self.parse(cell.strip())
        if isinstance(cell, pd.Timestamp):
            return cell.to_pydatetime(warn=False)
        if isinstance(cell, dt.datetime):
            return cell
        if isinstance(cell, dt.date):
            return dt.datetime(cell.year, cell.month, cell.day)
        if isinstance(cell, np.datetime64 | pd.Period):
            t = _begins(cell) if isinstance(cell, pd.Period) else cell
            return t.astype("datetime64[us]").item() if in_calendar(t) else None
        whole = self._whole(cell)
        return None if whole is None else self.by_format(str(whole))

    def parse(self, text: str) -> dt.datetime | None:
        """The moment a text names: by the format, else by ISO 8601."""
        found = self.by_format(text)
        digits = self.written_as is not None and self.written_as.width is not None and text.isdigit()
        return found if found is not None or digits else parse_moment(text)  # 19991231 is no day of %d%m%Y

    def by_format(self, text: str) -> dt.datetime | None:
        """The moment a text names by the format; of digits alone, those may stand that a number would have."""
        how = self.written_as
        if how is None:
            return None
        if how.width is not None:
            text = _TRAILING_ZEROS.sub("", text)
            lost = how.names[0] != "Y" and len(text) == how.width - 1  # 1022020 is 01022020
            text = f"0{text}" if lost else text
        found = how.read(text)
        # a Z that is no more than a letter: nobody named a clock
        return found.replace(tzinfo=None) if found is not None and how.universal and self.zone is None else found

    def _whole(self, cell: object) -> int | None:
        """A whole number, where moments may be stored as such."""
        if self.written_as is None or self.written_as.width is None or isinstance(cell, bool | np.timedelta64):
            return None
        if isinstance(cell, np.integer | np.floating):  # of half a precision, some cannot be compared
            cell = cell.item() if isinstance(cell, np.integer) else float(cell)
        if not isinstance(cell, int | float | Decimal) or (isinstance(cell, Decimal) and not cell.is_finite()):
            return None
        return int(cell) if 0 <= cell < _MAX_DATETIME_NUMBER and cell == int(cell) else None

    def text(self, micro: int) -> str:
        """Microseconds since 1970, in the calendar, as they are written."""
        moment, how = _UNIX_EPOCH + micro * _MICROSECOND, self.written_as
        if how is None:
            return (moment.date() if moment.time() == dt.time() else moment).isoformat()
        if self.zone is not None and (how.zoned or how.universal):
            moment = at_clock_time(moment, self.zone, universal=how.universal)
        return how.write(moment)


ISO_WRITING: Final = MomentWriting()


def read_datetimes(values: pd.Series, how: MomentWriting | None = None) -> NDArray[np.datetime64]:
    """Every cell as a moment in microseconds, NaT where it is missing or none; **Shape**: (n,) -> (n,).

    Numbers are no moments unless the format is digits alone, and neither is anything with a time zone where the column
    has none.

    Args:
        values: cells of any dtype.
        how: how they are written; ISO 8601 if not given.
    """
    how = how or ISO_WRITING
    if pd.api.types.is_datetime64_dtype(values.dtype):
        return values.to_numpy(dtype="datetime64[us]")
    if isinstance(values.dtype, pd.DatetimeTZDtype) and how.zone is not None:
        return _on_clock(values, how.zone)
    no_number = how.written_as is None or how.written_as.width is None or pd.api.types.is_bool_dtype(values.dtype)
    if isinstance(values.dtype, pd.DatetimeTZDtype) or (pd.api.types.is_numeric_dtype(values.dtype) and no_number):
        return np.full(len(values), np.datetime64("NaT", "us"))
    codes, uniques = pd.factorize(values, use_na_sentinel=True)
    return np.asarray(_table([how.micro(cell) for cell in uniques])[codes])


def _on_clock(values: pd.Series, name: str) -> NDArray[np.datetime64]:
    """Moments of another zone on the clock of this one."""
    universal = values.dt.tz_convert("UTC").dt.tz_localize(None).to_numpy(dtype="datetime64[us]")
    codes, uniques = pd.factorize(universal, use_na_sentinel=True)
    shown = [on_the_clock(t.replace(tzinfo=dt.UTC), name) for t in uniques.astype("datetime64[us]").tolist()]
    return np.asarray(_table([None if t is None else (t - _UNIX_EPOCH) // _MICROSECOND for t in shown])[codes])


def _table(found: list[int | None]) -> NDArray[np.datetime64]:
    """Microseconds of distinct cells as moments, and NaT for the missing one behind them."""
    nat = np.iinfo(np.int64).min
    return np.array([nat if m is None else m for m in found] + [nat], dtype=np.int64).view("datetime64[us]")


def write_datetimes(values: pd.Series, how: MomentWriting) -> pd.Series:
    """Moments as texts, None for missing ones; each distinct one is written once. **Shape**: (n,) -> (n,).

    Example:
        >>> days = pd.Series(np.array(["0001-01-02", "NaT"], dtype="datetime64[us]"))
        >>> write_datetimes(days, MomentWriting(format="%d.%m.%Y")).tolist()
        ['02.01.0001', None]
    """
    codes, uniques = pd.factorize(values.to_numpy(dtype="datetime64[us]"), use_na_sentinel=True)
    table = np.empty(len(uniques) + 1, dtype=object)
    table[:-1] = [how.text(int(m)) for m in uniques.astype("datetime64[us]").astype(np.int64)]
    return pd.Series(table[codes], index=values.index, name=values.name, dtype=object)


def as_numbers(texts: pd.Series) -> pd.Series:
    """Texts of digits as whole numbers, as tables store 20210304. **Shape**: (n,) -> (n,)."""
    absent = texts.isna().to_numpy(dtype=bool)
    cells = np.array([0 if gone else int(text) for text, gone in zip(texts, absent, strict=True)], dtype=np.int64)
    return pd.Series(pd.arrays.IntegerArray(cells, absent), index=texts.index, name=texts.name)


def with_zone(values: pd.Series, how: MomentWriting) -> pd.Series:
    """Moments with the zone whose clock shows them, as frames may store them. **Shape**: (n,) -> (n,)."""
    if how.zone is None:
        return values
    first = np.ones(len(values), dtype=bool)  # of an hour that the clock shows twice
    out: pd.Series = values.dt.tz_localize(zone(how.zone), ambiguous=first, nonexistent="shift_forward")
    return out


def _begins(period: pd.Period) -> np.datetime64:
    """The moment at which a day, or a part of one, begins; of longer periods, which are no moments, none."""
    unit = _PERIOD_UNITS.get(period.freqstr)
    none = np.datetime64("NaT", "us")
    return none if unit is None else np.array([period.ordinal]).astype(f"datetime64[{unit}]")[0]


def is_moment(dtype: pd.PeriodDtype) -> bool:
    """Whether periods are days or parts of one, and so the moments at which they begin; a month is more than one.

    Example:
        >>> is_moment(pd.PeriodDtype("h")), is_moment(pd.PeriodDtype("M"))
        (True, False)
    """
    return dtype.freq.freqstr in _PERIOD_UNITS


def parse_moment(text: str) -> dt.datetime | None:
    """The moment a text names in ISO 8601, None if it names none."""
    try:
        return dt.datetime.fromisoformat(text)
    except ValueError:
        return None


def declared_moment(key: str, text: str) -> int:
    """A bound or atom of a schema in microseconds since 1970.

    Raises:
        ValueError: the text is no moment in ISO 8601, or has a time zone.
    """
    found = parse_moment(text.strip())
    if found is None or found.tzinfo is not None:
        msg = f"`{key}` must be a moment in ISO 8601 without a time zone; however: {text!r}. Write 2026-01-31"
        raise ValueError(msg)
    return (found - _UNIX_EPOCH) // _MICROSECOND


def in_calendar(t: np.datetime64) -> bool:
    """Whether a moment lies in the years 1 to 9999."""
    year = 0 if np.isnat(t) else int(t.astype("datetime64[Y]").astype(int)) + 1970
    return dt.MINYEAR <= year <= dt.MAXYEAR


def iso_text(t: np.datetime64) -> str:
    """A moment in ISO 8601, the day alone at midnight.

    Example:
        >>> iso_text(np.datetime64("9999-12-31", "us"))
        '9999-12-31'
    """
    return ISO_WRITING.text(int(t.astype("datetime64[us]").astype(np.int64)))


def iso_day(micro: float) -> str:
    """The day of a number of microseconds since 1970; what rounding moved out of the calendar is its last day.

    Example:
        >>> iso_day(float(LATEST_MICROSECOND))
        '9999-12-31'
    """
    return str(
        np.datetime64(min(max(int(micro), EARLIEST_MICROSECOND), LATEST_MICROSECOND), "us").astype("datetime64[D]")
    )
