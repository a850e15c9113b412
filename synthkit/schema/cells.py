"""One cell read by itself: what it says as a number, a truth, a text or a moment, whatever stands in other rows."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from uuid import UUID

import numpy as np
import pandas as pd

from synthkit.schema.datetimes import ISO_WRITING, MomentWriting
from synthkit.schema.time_zones import on_the_clock

if TYPE_CHECKING:
    from numpy.typing import NDArray

NUMBER_TEXT = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_INTEGER_CELL = re.compile(r"[+-]?[0-9]+")
_TRUTH_OF_CELL = {"true": True, "false": False, "1": True, "0": False, "1.0": True, "0.0": False}
_INVALID_CHARACTERS = re.compile(
    "[\x00\ud800-\udfff]"
)  # NUL, at which pandas ends a text, and halves of letters, which no UTF-8 has
# types of which two equal cells are the same cell; 1 and True, or two moments in two zones, are equal and are not
_PLAIN_TYPES = (str, bool, int, float, np.bool_, np.integer, np.floating)


def is_missing(cell: Any) -> bool:
    """Whether a cell is empty: None, NaN of any type, NA or NaT; a text never is.

    Example:
        >>> [is_missing(cell) for cell in (None, float("nan"), Decimal("sNaN"), "", "nan", [None])]
        [True, True, True, False, False, False]
    """
    if isinstance(cell, Decimal):
        return cell.is_nan()
    return cell is None or (pd.api.types.is_scalar(cell) and bool(pd.isna(cell)))


_READABLE_TYPES = (str, bytes, bool, int, float, np.generic, Decimal, dt.date, dt.time, pd.Period, pd.Interval, UUID)


def is_readable(cell: object) -> bool:
    """Whether a cell is missing or of a type that says something by itself; a tuple, or an object of one's own, is not.

    Example:
        >>> [is_readable(cell) for cell in ("a", 1, Decimal("1.5"), None, (1, 2), object())]
        [True, True, True, True, False, False]
    """
    return isinstance(cell, _READABLE_TYPES) or is_missing(cell)


def distinct_cells(values: pd.Series) -> tuple[NDArray[np.int64], list[object]]:
    """Number of each row's cell in a list of cells, -1 where it is missing; cells differ if their types do.

    **Shape**: (n,) -> (n,), and as many cells as there are numbers.

    Example:
        >>> distinct_cells(pd.Series([1, True, None, 1], dtype=object))
        (array([ 0,  1, -1,  0]), [1, True])
    """
    dtype = values.dtype
    if isinstance(dtype, pd.CategoricalDtype):
        codes, cells = distinct_cells(pd.Series(dtype.categories))
        return np.append(codes, -1)[values.cat.codes.to_numpy()], cells
    if isinstance(dtype, np.dtype) and dtype.kind in "biuf":
        codes, found = pd.factorize(values, use_na_sentinel=True)
        return codes.astype(np.int64), list(found)
    return _one_by_one(values.to_numpy(dtype=object))


def _one_by_one(objects: NDArray[np.object_]) -> tuple[NDArray[np.int64], list[object]]:
    """The same of cells of any type; pandas would take 1 for True, and a text for another that goes on after a NUL."""
    seen: dict[tuple[type, object], int] = {}
    codes, cells = np.full(len(objects), -1, dtype=np.int64), list[object]()
    for k, cell in enumerate(objects):
        if not isinstance(cell, str) and is_missing(cell):
            continue
        place = seen.setdefault((type(cell), cell), len(cells)) if isinstance(cell, _PLAIN_TYPES) else len(cells)
        if place == len(cells):
            cells.append(cell)
        codes[k] = place
    return codes, cells


def read_each(values: pd.Series, read: Callable[[object], object]) -> tuple[NDArray[np.object_], NDArray[np.bool_]]:
    """What every cell says by itself, None where it says nothing, and which cells are missing.

    **Shape**: (n,) -> (n,), (n,).
    """
    codes, cells = distinct_cells(values)
    table = np.empty(len(cells) + 1, dtype=object)
    for k, cell in enumerate(cells):
        table[k] = read(cell)
    return table[codes], codes < 0


def invalid_texts(values: pd.Series) -> NDArray[np.bool_]:
    r"""Where a text stands that no file holds as it is: with NUL, or with half a letter. **Shape**: (n,) -> (n,).

    Example:
        >>> invalid_texts(pd.Series(["x", "x\0y", None])).tolist()
        [False, True, False]
    """
    dtype = values.dtype
    if isinstance(dtype, pd.CategoricalDtype):
        return np.append(invalid_texts(pd.Series(dtype.categories)), False)[values.cat.codes.to_numpy()]
    if not (pd.api.types.is_object_dtype(dtype) or pd.api.types.is_string_dtype(dtype)):
        return np.zeros(len(values), dtype=bool)
    cells = values.to_numpy(dtype=object).tolist()
    try:
        if _INVALID_CHARACTERS.search("".join(cells)) is None:
            return np.zeros(len(values), dtype=bool)
    except TypeError:  # some cells are no text
        pass
    texts = [cell if isinstance(cell, str) else "" for cell in cells]
    if _INVALID_CHARACTERS.search("".join(texts)) is None:
        return np.zeros(len(values), dtype=bool)
    return np.array([_INVALID_CHARACTERS.search(text) is not None for text in texts], dtype=bool)


def is_whole_cell(cell: object) -> bool:
    """Whether a cell is a whole number or a truth; a span of time is none, though numpy takes it for one."""
    return isinstance(cell, bool | int | np.bool_ | np.integer) and not isinstance(cell, np.timedelta64)


def read_number(cell: Any) -> int | float | None:
    """A finite number, or None; text is one if it is written in ASCII digits with a point and without separators.

    Example:
        >>> [read_number(cell) for cell in (" 07 ", "1e3", True, "True", "1,234.5", "0x20", "1e400", float("inf"))]
        [7, 1000.0, 1, None, None, None, None, None]
    """
    try:
        if isinstance(cell, str):
            text = cell.strip()
            cell = float(text) if NUMBER_TEXT.fullmatch(text) else np.nan
            if _INTEGER_CELL.fullmatch(text) and np.isfinite(cell):
                return int(text)
        elif is_whole_cell(cell):
            return int(cell) if np.isfinite(float(cell)) else None
        if isinstance(cell, float | np.floating | Decimal):
            return float(cell) if np.isfinite(float(cell)) else None
    except OverflowError:
        return None
    return None


def read_truth(cell: object) -> bool | None:
    """True or false, or None: the words in any case, or 1 and 0.

    Example:
        >>> [read_truth(cell) for cell in ("TRUE", 0, "maybe", 1.0, "01")]
        [True, False, None, True, None]
    """
    if isinstance(cell, str):
        return _TRUTH_OF_CELL.get(cell.strip().lower())
    said = read_number(cell)
    return bool(said) if said in (0, 1) else None


def read_cell_text(cell: object) -> str | None:
    """The text of a scalar, or None; a whole float is written without `.0`, what files cannot hold is replaced.

    Example:
        >>> [read_cell_text(cell) for cell in (250.0, "250.00", b"V10", [250])]
        ['250', '250.00', 'V10', None]
    """
    if isinstance(cell, bytes | bytearray):
        cell = bytes(cell).decode(errors="replace")
    if isinstance(cell, float | np.floating) and float(cell).is_integer():
        cell = int(cell)
    if not pd.api.types.is_scalar(cell):
        return None
    try:
        return _INVALID_CHARACTERS.sub("\ufffd", str(cell))
    except ValueError:  # a whole number of thousands of digits
        return None


def read_moment(cell: object, how: MomentWriting = ISO_WRITING) -> tuple[np.datetime64, bool] | None:
    """A moment in microseconds as the clock of the column shows it, and whether a zone was left out; or None.

    Args:
        cell: text, date or moment; a number only if the format is digits alone.
        how: moments are written; where no zone is declared, the clock on the wall counts.

    Example:
        >>> read_moment("2020-05-01 10:00:00+02:00")
        (np.datetime64('2020-05-01T10:00:00.000000'), True)
        >>> read_moment("2020-05-01 10:00:00+02:00", MomentWriting(zone="UTC"))
        (np.datetime64('2020-05-01T08:00:00.000000'), False)
        >>> read_moment("31.12.2020", MomentWriting(format="%d.%m.%Y")), read_moment("yesterday")
        ((np.datetime64('2020-12-31T00:00:00.000000'), False), None)
    """
    found = how.moment(cell)
    zoned = found is not None and found.tzinfo is not None
    if found is not None and zoned and how.zone is not None:
        found, zoned = on_the_clock(found, how.zone), False
    return None if found is None else (np.datetime64(found.replace(tzinfo=None), "us"), zoned)
