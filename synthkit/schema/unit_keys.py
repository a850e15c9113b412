"""Keys of units: which cells of the column that names the person name the same one, whatever stands in other rows.

The key is a function of the cell alone, so that adding or removing a person moves nobody else's rows. Where it is not
sure whether two spellings are one person they are taken for one: that costs detail, while taking one person for two
would break the guarantee to them.
"""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from contextlib import suppress
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from synthkit.schema.cells import NUMBER_TEXT, is_missing, is_whole_cell, read_each, read_moment
from synthkit.schema.columns import Column, Datetime
from synthkit.schema.datetimes import ISO_WRITING, MomentWriting, parse_moment

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from synthkit.schema.table import Schema

_DATE_KEY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}.*")
_MAX_KEY_DIGITS = 40  # digits of a number that is written out


def unit_keys(values: pd.Series, column: Column | None = None) -> pd.Series:
    """Key of the person that each cell names, None where it names none. **Shape**: (n,) -> (n,).

    Args:
        values: cells as they came, or keys, which stay as they are.
        column: meaning of the column; only how moments are written is looked at, never its domain.

    Example:
        >>> unit_keys(pd.Series(["7", " 07", 7.0, "A-1", "a-1 ", "", None], dtype=object)).tolist()
        ['7', '7', '7', 'a-1', 'a-1', None, None]
    """
    how = column if isinstance(column, Datetime) else ISO_WRITING
    keys, _ = read_each(values, lambda cell: unit_key(cell, how))
    return pd.Series(keys, index=values.index, name=values.name, dtype=object)


def unit_codes(frame: pd.DataFrame, schema: Schema) -> tuple[NDArray[np.int64], pd.Index]:
    """Number of each row's unit in order of first appearance, -1 where there is none, and the keys of the units.

    **Shape**: frame of n rows -> (n,), (u,).
    """
    if schema.unit is None:
        return np.arange(len(frame), dtype=np.int64), pd.RangeIndex(len(frame))
    codes, keys = pd.factorize(unit_keys(frame[schema.unit], schema.columns[schema.unit]), use_na_sentinel=True)
    return codes.astype(np.int64), pd.Index(keys, dtype=object)


def unit_key(cell: Any, how: MomentWriting = ISO_WRITING) -> str | None:
    """The key of one cell, None if it names nobody.

    - Numbers by their value: `7`, `07`, `7.0`, `7e0`, 7 and true are one; digits of all scripts count.
    - Moments by the instant: with a zone in universal time, without one as they are.
    - Other texts in compatibility form without case, blanks around, runs of blanks and invisible signs.

    Args:
        cell: of any type.
        how: moments are written.

    References:
        Unicode Standard Annex 15, Unicode normalization forms (NFKC). Unicode Standard, 3.13, default case folding.
    """
    if is_missing(cell):
        return None
    if is_whole_cell(cell):
        return _instant(_of_number(Decimal(int(cell))), how)
    if isinstance(cell, float | np.floating | Decimal):
        exact = Decimal(str(cell))
        return _instant(_of_number(exact), how) if exact.is_finite() else str(exact).casefold()
    if isinstance(cell, bytes | bytearray):
        cell = bytes(cell).decode(errors="replace")
    if not isinstance(cell, str):
        found = read_moment(cell)
        cell = str(cell) if found is None else _universal(cell, found[0])
    return _of_text(cell, how)


def _of_text(text: str, how: MomentWriting) -> str | None:
    plain = _plain(text)
    if not plain:
        return None
    if NUMBER_TEXT.fullmatch(plain):
        try:
            plain = _of_number(Decimal(plain))
        except InvalidOperation:  # an exponent of twenty digits
            return plain
    elif plain in _KEY_SYNONYMS:
        return _KEY_SYNONYMS[plain]
    return _instant(plain, how)


_KEY_SYNONYMS = {"true": "1", "false": "0", "inf": "infinity", "+inf": "infinity", "-inf": "-infinity"}


def _plain(text: str) -> str:
    """The text without what the eye does not tell apart; applied until nothing changes."""
    if text.isascii() and text.isprintable():
        return " ".join(text.casefold().split())
    before = None
    while text != before:
        before, text = text, " ".join(_visible(unicodedata.normalize("NFKC", text)).casefold().split())
    return text


def _visible(text: str) -> str:
    return "".join(map(_sign, text))


def _sign(sign: str) -> str:
    """One sign: digits in ASCII, halves of letters replaced, signs nobody sees left out."""
    if sign.isspace():
        return " "
    if sign.isdecimal():
        return str(unicodedata.decimal(sign))
    return {"Cs": "\ufffd", "Cc": "", "Cf": ""}.get(unicodedata.category(sign), sign)


def _of_number(value: Decimal) -> str:
    """A number written in one way: no sign of zero, no zeros at its ends, an exponent only where it is very long."""
    sign, digits, exponent = value.as_tuple()
    assert isinstance(exponent, int)
    bare = "".join(map(str, digits)).lstrip("0")
    short = bare.rstrip("0")
    if not short:
        return "0"
    exponent += len(bare) - len(short)
    minus = "-" if sign else ""
    if abs(exponent) + len(short) > _MAX_KEY_DIGITS:
        return f"{minus}{short}e{exponent}"
    return f"{Decimal((sign, tuple(map(int, short)), exponent)):f}"


def _instant(key: str, how: MomentWriting) -> str:
    """The same moment written in one way, if the text is one."""
    found = how.by_format(key)
    if found is None and _DATE_KEY.fullmatch(key):
        found = parse_moment(key.upper())
    return key if found is None else _universal(found, np.datetime64(found.replace(tzinfo=None), "us"))


def _universal(cell: object, wall: np.datetime64) -> str:
    """A moment in ISO 8601, in universal time if its zone is known, the day alone at midnight."""
    clock: dt.datetime = wall.astype(object)
    zone = getattr(cell, "tzinfo", None)
    shift = zone.utcoffset(cell) if zone is not None else None
    with suppress(OverflowError):  # before the first or after the last day of the calendar
        clock = clock - shift if shift is not None else clock
    return (clock.date() if clock.time() == dt.time() else clock).isoformat()
