"""Columns of numbers as exact fractions: 0.1 + 0.2 is 0.3, and nothing is rounded before it has to be.

Numerators and denominators are whole numbers of 64 bits as long as these hold what is computed, and Python's beyond.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Whole = NDArray[Any]  # int64, or object holding Python's int
MAX_SAFE_INTEGER = 2**62  # sizes up to which a result is computed in 64 bits
_MAX_UNIQUE_DECIMAL = 10**15  # up to it a float has one decimal form of so many digits
_DECIMALS_TRIED = 7  # decimals tried before each float is read by itself


@dataclass(frozen=True)
class Exact:
    """One fraction a row.

    Args:
        top: numerators.
        bottom: denominators, above nought.
        absent: where there is no number; the fraction is 0 / 1 there.

    **Shape**: (n,) each.
    """

    top: Whole
    bottom: Whole
    absent: NDArray[np.bool_]

    @classmethod
    def constant(cls, value: Fraction, n: int) -> Exact:
        """The same number in n rows. **Shape**: -> (n,)."""
        return cls(_filled(value.numerator, n), _filled(value.denominator, n), np.zeros(n, dtype=bool))

    @classmethod
    def of(cls, values: pd.Series) -> Exact:
        """A column of numbers, each float as the shortest decimal that is read as it. **Shape**: (n,) -> (n,)."""
        absent = values.isna().to_numpy(dtype=bool)
        if pd.api.types.is_integer_dtype(values.dtype) or pd.api.types.is_bool_dtype(values.dtype):
            top = values.fillna(0).to_numpy(dtype=np.int64)
            return cls(top, _filled(1, len(top)), absent)
        x = np.where(absent, 0.0, values.to_numpy(dtype=np.float64, na_value=np.nan))
        for scale in range(_DECIMALS_TRIED):
            whole = np.rint(x * 10.0**scale)
            if (np.abs(whole) < _MAX_UNIQUE_DECIMAL).all() and (whole / 10.0**scale == x).all():
                return cls(whole.astype(np.int64), _filled(10**scale, len(x)), absent)
        each, where = np.unique(x, return_inverse=True)
        pairs = [Decimal(repr(float(v))).as_integer_ratio() for v in each]
        tops, bottoms = (_fitting(np.array([pair[k] for pair in pairs], dtype=object)) for k in (0, 1))
        return cls(tops[where], bottoms[where], absent)

    def __add__(self, other: Exact) -> Exact:
        """The sum in each row."""
        if self._one_bottom() is not None and self._one_bottom() == other._one_bottom():
            return self._made(_sum(self.top, other.top), self.bottom, other)
        top = _sum(_product(self.top, other.bottom), _product(other.top, self.bottom))
        return self._made(top, _product(self.bottom, other.bottom), other)

    def __neg__(self) -> Exact:
        """The negative in each row."""
        return Exact(_product(self.top, _filled(-1, len(self.top))), self.bottom, self.absent)

    def __sub__(self, other: Exact) -> Exact:
        """The difference in each row."""
        return self + -other

    def __mul__(self, other: Exact) -> Exact:
        """The product in each row."""
        return self._made(_product(self.top, other.top), _product(self.bottom, other.bottom), other)

    def __truediv__(self, other: Exact) -> Exact:
        """The quotient in each row, absent where the divisor is nought."""
        sign = np.where(other.top < 0, -1, 1)
        nought = (other.top == 0).astype(bool)
        divisor = np.where(nought, 1, abs(other.top))
        top = _product(_product(self.top, other.bottom), sign)
        out = self._made(top, _product(self.bottom, divisor), other)
        return out.without(nought)

    def below(self, other: Exact) -> NDArray[np.bool_]:
        """Where this is less than the other."""
        return _compared(_product(self.top, other.bottom) < _product(other.top, self.bottom))

    def equals(self, other: Exact) -> NDArray[np.bool_]:
        """Where the two are equal."""
        return _compared(_product(self.top, other.bottom) == _product(other.top, self.bottom))

    def floor(self) -> Exact:
        """The largest whole number that is not above it, in each row."""
        return Exact(self.top // self.bottom, _filled(1, len(self.top)), self.absent)

    def rounded(self, digits: int) -> Exact:
        """Rounded to decimals, halves away from nought, in each row."""
        size = _product(abs(self.top), _filled(2 * 10**digits, len(self.top)))
        doubled = _product(self.bottom, _filled(2, len(self.top)))
        whole = _sum(size, self.bottom) // doubled
        top = _product(whole, np.where(self.top < 0, -1, 1))
        return Exact(top, _filled(10**digits, len(self.top)), self.absent)

    def where(self, chosen: NDArray[np.bool_], other: Exact) -> Exact:
        """This where it is chosen, the other elsewhere."""
        parts = [np.where(chosen, a, b) for a, b in ((self.top, other.top), (self.bottom, other.bottom))]
        return Exact(parts[0], parts[1], np.where(chosen, self.absent, other.absent))

    def without(self, rows: NDArray[np.bool_]) -> Exact:
        """The same, absent in some rows as well."""
        absent = self.absent | rows
        return Exact(np.where(absent, 0, self.top), np.where(absent, 1, self.bottom), absent)

    def floats(self) -> NDArray[np.float64]:
        """The nearest floats, NaN where absent."""
        small = max(_size(self.top), _size(self.bottom)) <= 2**53
        top, bottom = (self.top, self.bottom) if small else (self.top.astype(object), self.bottom.astype(object))
        return np.where(self.absent, np.nan, np.asarray(top / bottom, dtype=np.float64))

    def _one_bottom(self) -> int | None:
        """The denominator all rows share."""
        if not len(self.bottom):
            return 1
        first = self.bottom[0]
        return int(first) if (self.bottom == first).all() else None

    def _made(self, top: Whole, bottom: Whole, other: Exact) -> Exact:
        return _shortened(Exact(top, bottom, self.absent).without(other.absent))


def _shortened(exact: Exact) -> Exact:
    """Fractions in lowest terms once they have outgrown 64 bits."""
    if _plain(exact.top, exact.bottom):
        return exact
    top, bottom = exact.top.astype(object), exact.bottom.astype(object)
    shared = np.gcd(top, bottom)
    return Exact(_fitting(top // shared), _fitting(bottom // shared), exact.absent)


def _filled(value: int, n: int) -> Whole:
    return np.full(n, value, dtype=np.int64 if abs(value) < MAX_SAFE_INTEGER else object)


def _plain(*whole: Whole) -> bool:
    return all(each.dtype != object for each in whole)


def _size(whole: Whole) -> int:
    return max(abs(int(whole.min())), abs(int(whole.max()))) if len(whole) else 0


def _fitting(whole: Whole) -> Whole:
    return whole.astype(np.int64) if _size(whole) < MAX_SAFE_INTEGER else whole


def _product(a: Whole, b: Whole) -> Whole:
    if _plain(a, b) and _size(a) * _size(b) < MAX_SAFE_INTEGER:
        return np.asarray(a * b)
    return np.asarray(a.astype(object) * b.astype(object))


def _sum(a: Whole, b: Whole) -> Whole:
    if _plain(a, b) and _size(a) + _size(b) < MAX_SAFE_INTEGER:
        return np.asarray(a + b)
    return np.asarray(a.astype(object) + b.astype(object))


def _compared(found: object) -> NDArray[np.bool_]:
    return np.asarray(found, dtype=bool)
