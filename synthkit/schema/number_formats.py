"""Numbers as people write them, with a decimal comma, groups of digits or a unit: read, and written back."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ConfigDict, model_validator

from synthkit.runtime.lazy_imports import Later
from synthkit.schema.censoring import (
    BOUND_OF_SIDE,
    CENSORING_SIGNS,
    Censored,
    Side,
    censoring_limits,
    censoring_points,
    without_censoring_sign,
)
from synthkit.schema.digits import GROUPING_QUOTES, OPTIONAL_BLANKS, SURROUNDING_BLANKS, Writing, has_powers
from synthkit.schema.digits import PLUS_AND_MINUS_SIGNS as PLUS_AND_MINUS

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
else:
    np, pd = Later("numpy"), Later("pandas")

NOT_A_NUMBER = ""  # what a text becomes that is no number: nobody reads it as one, and it is not missing
_NUMBER_CHARACTERS = f"0123456789.,{PLUS_AND_MINUS}{GROUPING_QUOTES}"


class Numerals(BaseModel):
    """How the numbers of a column are written as text.

    Args:
        decimal: sign between whole numbers and fraction, `.` or `,`.
        thousands: sign between groups of three digits: `.`, `,`, `'`, `’`, a blank, or a no-break or thin one.
        prefix: text before every number, such as the sign of a currency.
        suffix: text behind every number, such as a unit with the blank before it.
        minus: sign of numbers below nought, `-` or the longer U+2212.
        plus: whether a `+` stands before every number that is not below nought.
        percent: whether a `%` stands behind every number; `12%` is the number 12.
        trailing_zeros: whether every number is written with all its `decimals`, as 1.50 is.
        missing: texts that mean a missing cell; the first is written for one, and "" leaves the cell empty.
        censored: limits beyond which nothing else is known of a number; they are its bounds.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    decimal: Literal[".", ","] = "."
    thousands: Literal[".", ",", "'", "\u2019", " ", "\u00a0", "\u2009", "\u202f"] | None = None
    prefix: str | None = None
    suffix: str | None = None
    minus: Literal["-", "\u2212"] = "-"
    plus: bool = False
    percent: bool = False
    trailing_zeros: bool = False
    missing: tuple[str, ...] = ()
    censored: Censored | None = None

    @model_validator(mode="before")
    @classmethod
    def _with_points(cls, data: object) -> object:
        """What is censored stands where no other number can be, next to its limit: there are a bound and an atom."""
        if not isinstance(data, Mapping) or not data.get("censored"):
            return data
        found = censoring_points(data["censored"], _writing(data.get), data.get("decimals"))
        atoms = data.get("atoms") or ()
        if not isinstance(atoms, list | tuple):
            return data
        return {**data, **found, "atoms": (*atoms, *(point for point in found.values() if point not in atoms))}

    @model_validator(mode="after")
    def _can_be_read(self) -> Numerals:
        for problem in self._problems():
            raise ValueError(problem)
        return self

    def _problems(self) -> Iterator[str]:
        if self.decimal == self.thousands:
            yield f"`decimal` and `thousands` must differ; however: both are {self.decimal!r}"
        if self.percent and self.suffix is not None:
            yield "a number ends in `percent` or a `suffix`; however: both are given. Write % into the suffix"
        if self.trailing_zeros and not self._decimals:
            yield "`trailing_zeros` fill up `decimals`; however: none are declared. Declare how many there are"
        for key, beside in (("prefix", -1), ("suffix", 0)):
            text = getattr(self, key)
            apart = (
                key == "suffix"
                and text is not None
                and text[0:1] in SURROUNDING_BLANKS
                and has_powers(text.strip(SURROUNDING_BLANKS))
            )
            if text is not None and (
                not text.strip(SURROUNDING_BLANKS)
                or (text.strip(SURROUNDING_BLANKS)[beside] in _NUMBER_CHARACTERS and not apart)
            ):
                yield f"`{key}` must be text that can be told from the digits beside it; however: {text!r}"
        numbers = [word for word in self.missing if self.writing.read(word) is not None]
        if numbers:
            yield f"`missing` must list texts that are no numbers; however: {', '.join(map(repr, numbers))}"
        if len(set(self.missing)) < len(self.missing):
            yield "`missing` must list each text once; however: one stands twice"
        yield from self._unlimited()

    def _unlimited(self) -> Iterator[str]:
        found = censoring_limits(self.censored, self.writing)
        for side, limit in found.items():
            if limit is None:
                said, like = getattr(self.censored, side), CENSORING_SIGNS[side][0] + self._limit(5)
                yield f"`{side}` must be a number, or a text like {like}; however: {said!r}"
        low, high = found.get("below"), found.get("above")
        if low is not None and high is not None and low > high:
            yield f"`below` must not exceed `above`; however: {low} > {high}"

    @property
    def _decimals(self) -> int | None:
        """Digits behind the point, None if unrestricted."""
        return getattr(self, "decimals", None)

    @property
    def writing(self) -> Writing:
        """How the digits are written."""
        return _writing(lambda key: getattr(self, key))

    @property
    def written(self) -> bool:
        """Whether texts are read in another way than plainly."""
        return any(getattr(self, key) != field.default for key, field in Numerals.model_fields.items())

    @property
    def told(self) -> bool:
        """Whether numbers are written as texts: if plainly, and a missing cell as an empty one, they are not."""
        others = (key for key in Numerals.model_fields if key != "missing")
        plain = all(getattr(self, key) == Numerals.model_fields[key].default for key in others)
        return not plain or self.missing[:1] not in ((), ("",))

    @property
    def sentence(self) -> str:
        """What a cell must be, in words, with a number that nobody has."""
        some = 1234.5 if self._decimals is None or self._decimals else 1234
        beyond = "".join(f", or {text}" for _, _, text in self.beyond.values())
        return f"a number, finite, written like {self._text(some)}{beyond}"

    @property
    def words(self) -> str:
        """Regular expression, RE2, of a whole text that means a missing cell."""
        words = "|".join(re.escape(word.strip(SURROUNDING_BLANKS)) for word in self.missing)
        return f"{OPTIONAL_BLANKS}(?:{words}){OPTIONAL_BLANKS}"

    @property
    def implied(self) -> dict[str, Any]:
        """Keys that follow from the limits: bounds, and atoms among others."""
        found = censoring_points(self.censored, self.writing, self._decimals)
        return {**found, "atoms": tuple(found.values())} if found else {}

    @property
    def beyond(self) -> dict[Side, tuple[float, float, str]]:
        """Limits by side: the limit, the number that stands for all beyond it, and how that is written."""
        found: dict[Side, tuple[float, float, str]] = {}
        stand = censoring_points(self.censored, self.writing, self._decimals)
        for side, limit in censoring_limits(self.censored, self.writing).items():
            if limit is not None:
                said = getattr(self.censored, side)
                text = said if isinstance(said, str) else CENSORING_SIGNS[side][0] + self._limit(said)
                found[side] = (float(limit), stand[BOUND_OF_SIDE[side]], text)
        return found

    def cell(self, cell: object) -> Any:
        """A cell as it is read on: None if it is missing, a plain text of digits; `NOT_A_NUMBER` if it is none of both.

        What is no text is left as it is.

        Example:
            >>> from synthkit.schema import Numeric
            >>> column = Numeric(decimal=",", thousands=".", missing=["?"])
            >>> [column.cell(cell) for cell in ("1.234,5", "1.5", "?", 7)]
            ['1234.5', '', None, 7]
        """
        return self.reader()(cell)

    def reader(self) -> Callable[[Any], Any]:
        """`cell` for many cells."""
        how, words = self.writing, {word.strip(SURROUNDING_BLANKS) for word in self.missing}
        read, limits = how.reader(), [(side, *found) for side, found in self.beyond.items()]

        def cell(cell: object) -> Any:
            if not isinstance(cell, str):
                return cell
            if words and cell.strip(SURROUNDING_BLANKS) in words:
                return None
            number = read(cell)
            for side, limit, point, _ in limits:
                said = without_censoring_sign(cell, side, how)
                if said is not None and float(said) == limit:
                    return repr(int(point) if self._decimals == 0 else point)
                if number is not None and (float(number) < limit if side == "below" else float(number) > limit):
                    return NOT_A_NUMBER
            return NOT_A_NUMBER if number is None else number

        return cell

    def text(self, number: float) -> str:
        """A number as it is written in this column.

        Example:
            >>> from synthkit.schema import Numeric
            >>> Numeric(decimal=",", thousands=".", suffix=" mg").text(-1234.5)
            '-1.234,5 mg'
            >>> Numeric(decimals=1, censored={"below": 5}).text(4.9)
            '<5'
        """
        return self.writer()(number)

    def writer(self) -> Callable[[float], str]:
        """`text` for many numbers."""
        beyond = {point: text for _, point, text in self.beyond.values()}
        how, zeros = self.writing, (self._decimals or 0) if self.trailing_zeros else 0
        return lambda number: beyond.get(number) or _text(number, how, zeros)

    def _limit(self, number: float) -> str:
        """A limit as it was declared: that every number has its sign, or all its decimals, is no word on limits."""
        return _text(number, replace(self.writing, plus=""), 0)

    def _text(self, number: float) -> str:
        return _text(number, self.writing, (self._decimals or 0) if self.trailing_zeros else 0)


def _text(number: float, how: Writing, zeros: int) -> str:
    """A number that is no limit; `zeros` is how many digits it has at least behind the point."""
    if not np.isfinite(number):
        return str(number)
    plain = _plain(number)
    if zeros:
        plain += "" if "." in plain else "."
        plain += "0" * (zeros - len(plain.partition(".")[2]))
    return how.write(plain)


def _writing(get: Any) -> Writing:
    """The way of writing that keys declare, got one by one; those of no use are left out."""
    thousands, prefix, ending = get("thousands"), get("prefix"), "%" if get("percent") else get("suffix")
    texts = [text if isinstance(text, str) and text else None for text in (thousands, prefix, ending)]
    minus, plus = "\u2212" if get("minus") == "\u2212" else "-", "+" if get("plus") is True else ""
    return Writing("," if get("decimal") == "," else ".", texts[0], texts[1] or "", texts[2] or "", minus, plus)


def read_numbers(values: pd.Series, how: Numerals) -> pd.Series:
    """The cells of a column with every text as a plain number, see `Numerals.cell`. **Shape**: (n,) -> (n,).

    Example:
        >>> from synthkit.schema import Numeric
        >>> read_numbers(pd.Series(["1,5", "n/a", None]), Numeric(decimal=",", missing=["n/a"])).tolist()
        ['1.5', None, None]
    """
    if not how.written or not _holds_text(values):
        return values
    codes, cells = pd.factorize(values.astype(object), use_na_sentinel=True)
    table = np.empty(len(cells) + 1, dtype=object)
    table[:-1] = list(map(how.reader(), cells))
    return pd.Series(table[codes], index=values.index, name=values.name, dtype=object)


def write_numbers(values: pd.Series, how: Numerals) -> pd.Series:
    """Numbers as texts, missing ones as the first text that means it, None if that is "". **Shape**: (n,) -> (n,).

    Example:
        >>> from synthkit.schema import Numeric
        >>> write_numbers(pd.Series([1.5, None]), Numeric(decimal=",", missing=["n/a"])).tolist()
        ['1,5', 'n/a']
    """
    codes, numbers = pd.factorize(values, use_na_sentinel=True)
    table = np.empty(len(numbers) + 1, dtype=object)
    table[:-1] = list(map(how.writer(), numbers))
    table[-1] = (how.missing[0] if how.missing else None) or None
    return pd.Series(table[codes], index=values.index, name=values.name, dtype=object)


def _holds_text(values: pd.Series) -> bool:
    """Whether a column may hold texts."""
    dtype = values.dtype.categories.dtype if isinstance(values.dtype, pd.CategoricalDtype) else values.dtype
    return bool(pd.api.types.is_object_dtype(dtype) or pd.api.types.is_string_dtype(dtype))


def _plain(number: float) -> str:
    """Digits of a number, as few as tell it from all others, never with an exponent; nought has no sign."""
    if isinstance(number, int | np.integer):
        return str(int(number))
    return str(np.format_float_positional(float(number) + 0.0, trim="-"))
