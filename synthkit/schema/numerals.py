"""Numbers as people write them, with a decimal comma, groups of digits or a unit: read, and written back."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ConfigDict, model_validator

from synthkit.later import Later

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from synthkit.schema.table import Schema
else:
    np, pd = Later("numpy"), Later("pandas")

BLANKS = " \u00a0\u2009\u202f"  # blank, no-break, thin, and narrow no-break: one is read where another is declared
QUOTES = "'\u2019"
SIGNS = "+-\u2212"
NO_NUMBER = ""  # what a text becomes that is no number: nobody reads it as one, and it is not missing
AROUND = f"\t\r\n{BLANKS}"  # what may stand beside a number or a word
_BLANK = f"[{AROUND}]*"
_KEEPS = "0123456789.," + SIGNS + QUOTES


class Numerals(BaseModel):
    r"""How the numbers of a column are written as text.

    Args:
        decimal: sign between whole numbers and fraction, `.` or `,`.
        thousands: sign between groups of three digits: `.`, `,`, `'`, `’`, a blank, or a no-break or thin one.
        prefix: text before every number, such as the sign of a currency.
        suffix: text behind every number, such as a unit with the blank before it.
        percent: whether a `%` stands behind every number; `12%` is the number 12.
        trailing_zeros: whether every number is written with all its `decimals`, as 1.50 is.
        missing: texts that mean a missing cell; the first is written for one, and "" leaves the cell empty.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    decimal: Literal[".", ","] = "."
    thousands: Literal[".", ",", "'", "\u2019", " ", "\u00a0", "\u2009", "\u202f"] | None = None
    prefix: str | None = None
    suffix: str | None = None
    percent: bool = False
    trailing_zeros: bool = False
    missing: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _can_be_read(self) -> Numerals:
        problem = ""
        if self.decimal == self.thousands:
            problem = f"`decimal` and `thousands` must differ; however: both are {self.decimal!r}"
        elif self.percent and self.suffix is not None:
            problem = "a number ends in `percent` or a `suffix`; however: both are given. Write % into the suffix"
        elif self.trailing_zeros and not self._digits:
            problem = "`trailing_zeros` fill up `decimals`; however: none are declared. Declare how many there are"
        for key, beside in (("prefix", -1), ("suffix", 0)):
            text = getattr(self, key)
            if text is not None and (not text.strip(AROUND) or text.strip(AROUND)[beside] in _KEEPS):
                problem = f"`{key}` must be text that can be told from the digits beside it; however: {text!r}"
        numbers = [word for word in self.missing if self._number(word) is not None]
        if numbers:
            problem = f"`missing` must list texts that are no numbers; however: {', '.join(map(repr, numbers))}"
        if len(set(self.missing)) < len(self.missing):
            problem = "`missing` must list each text once; however: one stands twice"
        if problem:
            raise ValueError(problem)
        return self

    @property
    def _digits(self) -> int | None:
        """Digits behind the point, None if unrestricted."""
        return getattr(self, "decimals", None)

    @property
    def written(self) -> bool:
        """Whether numbers are written in another way than plainly, so that their cells are texts."""
        return any(getattr(self, key) != field.default for key, field in Numerals.model_fields.items())

    @property
    def sentence(self) -> str:
        """What a cell must be, in words, with a number that nobody has."""
        some = 1234.5 if self._digits is None or self._digits else 1234
        return f"a number, finite, written like {self.text(some)}"

    @property
    def ending(self) -> str:
        """What stands behind a number."""
        return "%" if self.percent else self.suffix or ""

    @property
    def pattern(self) -> str:
        """Regular expression, RE2, of a whole text that is a number; its groups are the signs and the digits."""
        return _pattern(self.decimal, self.thousands, self.prefix or "", self.ending)

    @property
    def words(self) -> str:
        """Regular expression, RE2, of a whole text that means a missing cell."""
        return f"{_BLANK}(?:{'|'.join(re.escape(word.strip(AROUND)) for word in self.missing)}){_BLANK}"

    @property
    def between(self) -> str | None:
        """Regular expression, RE2, of the sign between groups of digits."""
        return None if self.thousands is None else _class(self.thousands)

    def _number(self, text: str) -> str | None:
        """A text as a plain one that Python reads, None if it is no number written this way."""
        found = re.fullmatch(self.pattern, text)
        if found is None or (found[1] and found[2]):
            return None
        digits = found[3]
        if self.between is not None:
            digits = re.sub(self.between, "", digits)
        minus = (found[1] or found[2]) not in ("", "+")
        return "-" * minus + digits.replace(self.decimal, ".")

    def cell(self, cell: Any) -> Any:
        """A cell as it is read on: None if it is missing, a plain text of digits; `NO_NUMBER` if it is none of both.

        What is no text is left as it is.

        Example:
            >>> from synthkit.schema import Numeric
            >>> column = Numeric(decimal=",", thousands=".", missing=["?"])
            >>> [column.cell(cell) for cell in ("1.234,5", "1.5", "?", 7)]
            ['1234.5', '', None, 7]
        """
        if not isinstance(cell, str):
            return cell
        if cell.strip(AROUND) in [word.strip(AROUND) for word in self.missing]:
            return None
        number = self._number(cell)
        return NO_NUMBER if number is None else number

    def text(self, number: float) -> str:
        """A number as it is written in this column.

        Example:
            >>> from synthkit.schema import Numeric
            >>> Numeric(decimal=",", thousands=".", suffix=" mg").text(-1234.5)
            '-1.234,5 mg'
        """
        if not np.isfinite(number):
            return str(number)
        whole, _, fraction = _plain(abs(number)).partition(".")
        if self.trailing_zeros:
            fraction = fraction.ljust(self._digits or 0, "0")
        if self.thousands is not None:
            whole = f"{int(whole):,}".replace(",", self.thousands)
        digits = f"{whole}{self.decimal}{fraction}" if fraction else whole
        return f"{'-' if number < 0 else ''}{self.prefix or ''}{digits}{self.ending}"


def read(values: pd.Series, how: Numerals) -> pd.Series:
    """The cells of a column with every text as a plain number, see `Numerals.cell`. **Shape**: (n,) -> (n,).

    Example:
        >>> from synthkit.schema import Numeric
        >>> read(pd.Series(["1,5", "n/a", None]), Numeric(decimal=",", missing=["n/a"])).tolist()
        ['1.5', None, None]
    """
    if not how.written or not _holds_text(values):
        return values
    codes, cells = pd.factorize(values.astype(object), use_na_sentinel=True)
    table = np.empty(len(cells) + 1, dtype=object)
    table[:-1] = [how.cell(cell) for cell in cells]
    return pd.Series(table[codes], index=values.index, name=values.name, dtype=object)


def write(values: pd.Series, how: Numerals) -> pd.Series:
    """Numbers as texts, missing ones as the first text that means it, None if that is "". **Shape**: (n,) -> (n,).

    Example:
        >>> from synthkit.schema import Numeric
        >>> write(pd.Series([1.5, None]), Numeric(decimal=",", missing=["n/a"])).tolist()
        ['1,5', 'n/a']
    """
    codes, numbers = pd.factorize(values, use_na_sentinel=True)
    table = np.empty(len(numbers) + 1, dtype=object)
    table[:-1] = [how.text(number) for number in numbers]
    table[-1] = (how.missing[0] if how.missing else None) or None
    return pd.Series(table[codes], index=values.index, name=values.name, dtype=object)


def as_written(frame: pd.DataFrame, schema: Schema, dtypes: Mapping[str, str]) -> pd.DataFrame:
    """A frame with its numbers written as the schema says, but for columns that are to hold numbers.

    Args:
        frame: in canonical dtypes.
        schema: the declared meaning.
        dtypes: names of the dtypes the columns are to have, where they are known.
    """
    out = {}
    for name in frame:
        column = schema.columns.get(str(name))
        told = isinstance(column, Numerals) and column.written and not _is_number(dtypes.get(str(name), "object"))
        out[name] = write(frame[name], column) if told and isinstance(column, Numerals) else frame[name]
    return pd.DataFrame(out, index=frame.index, copy=False)


def _is_number(dtype: str) -> bool:
    try:
        return bool(pd.api.types.is_numeric_dtype(pd.api.types.pandas_dtype(dtype)))
    except TypeError:
        return False


def _holds_text(values: pd.Series) -> bool:
    """Whether a column may hold texts."""
    dtype = values.dtype.categories.dtype if isinstance(values.dtype, pd.CategoricalDtype) else values.dtype
    return bool(pd.api.types.is_object_dtype(dtype) or pd.api.types.is_string_dtype(dtype))


def _plain(number: float) -> str:
    """Digits of a number not below nought, as few as tell it from all others, never with an exponent."""
    if isinstance(number, int | np.integer):
        return str(int(number))
    return np.format_float_positional(float(number), trim="-")


@lru_cache(maxsize=256)
def _pattern(decimal: str, thousands: str | None, prefix: str, ending: str) -> str:
    sign, point, whole = f"[{re.escape(SIGNS)}]?", re.escape(decimal), "[0-9]+"
    if thousands is not None:
        whole = f"(?:[0-9]{{1,3}}(?:{_class(thousands)}[0-9]{{3}})+|[0-9]+)"
    digits = f"(?:{whole}(?:{point}[0-9]*)?|{point}[0-9]+)(?:[eE][+-]?[0-9]+)?"
    return f"{_BLANK}({sign}){_loose(prefix)}({sign})({digits}){_loose(ending)}{_BLANK}"


def _class(sign: str) -> str:
    """Expression of a sign between groups: what looks alike is read alike."""
    alike = next((signs for signs in (BLANKS, QUOTES) if sign in signs), sign)
    return f"[{alike}]" if len(alike) > 1 else re.escape(alike)


def _loose(text: str) -> str:
    """Expression of what stands beside a number: the blanks around it may be there or not."""
    parts = [re.escape(part) for part in re.split(f"[{AROUND}]+", text) if part]
    return f"{_BLANK}{_BLANK.join(parts)}{_BLANK}" if parts else ""
