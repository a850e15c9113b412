"""The lattice on which a column's numbers lie: multiples of a step, and how each was shortened before it was written.

A probability of .824 that SAS kept in three bytes reads .823974609 in a file of text, its neighbours .822998046 and
.824951171: a table of such numbers has a thousand values, not a continuum. Numbers are learned and drawn as multiples
of the step, and written as the table writes them.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Literal

from synthkit.runtime.lazy_imports import Later
from synthkit.schema.number_cells import MAX_WHOLE_FLOAT

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
else:  # a schema is read without them
    np = Later("numpy")

StoredAs = Literal["half", "single", "sas3", "sas4", "sas5", "sas6", "sas7"]
Storage = tuple[StoredAs | None, int | None, int | None]  # how kept, significant digits, decimals
NOT_SHORTENED: Storage = (None, None, None)
SHORTENING_KEYS = ("stored_as", "significant_digits", "written_decimals")
LATTICE_KEYS = ("step", *SHORTENING_KEYS)
_SAS_BYTES: Mapping[str, int] = {f"sas{n}": n for n in range(3, 8)}
_CLOSE = 1e-12  # of a number: what is nearer is the same


@dataclass(frozen=True, kw_only=True)
class Lattice:
    r"""Numbers $w(k s)$ for whole k: a step s, and w that shortens and writes it.

    w keeps ks as a float of 16 (`half`) or 32 bits (`single`), to the nearest, or cuts a float of 64 bits off behind n
    bytes (SAS, LENGTH n: the fraction keeps 8n - 12 bits); then it is written with so many significant digits, and then
    with so many behind the point, halves away from nought.

    Args:
        step: distance of neighbours before they are shortened, above 0.
        stored_as: how they were kept; as floats of 64 bits if not given.
        significant_digits: of the written number; all if not given.
        written_decimals: digits behind its point, at most; all if not given.

    References:
        SAS Institute: SAS Language Reference, Concepts: Numerical accuracy in SAS software.
        IEEE: Standard for floating-point arithmetic, 754 (2019).

    Example:
        >>> kept = Lattice(step=0.001, stored_as="sas3", significant_digits=9, written_decimals=9)
        >>> kept.written(np.array([0.824])).tolist(), kept.plain(np.array([0.823974609])).tolist()
        ([0.823974609], [0.824])
    """

    step: float
    stored_as: StoredAs | None = None
    significant_digits: int | None = None
    written_decimals: int | None = None

    @property
    def storage(self) -> Storage:
        """How numbers were shortened: those of one storage keep their order."""
        return self.stored_as, self.significant_digits, self.written_decimals

    @property
    def shortens(self) -> bool:
        """Whether what is written may differ from the multiple of the step."""
        return self.storage != NOT_SHORTENED

    @property
    def sentence(self) -> str:
        """What a number must be, in words.

        Example:
            >>> Lattice(step=0.1, stored_as="half").sentence
            'a multiple of 0.1 (stored as half)'
        """
        said = {
            "stored as {}": self.stored_as,
            "{} significant digits": self.significant_digits,
            "{} decimals at most": self.written_decimals,
        }
        how = ", ".join(words.format(value) for words, value in said.items() if value is not None)
        return f"a multiple of {self.step:g}{f' ({how})' if how else ''}"

    @property
    def decimals(self) -> int:
        """Digits behind the point of the step, and so of all its multiples."""
        return max(-int(Decimal(repr(self.step)).normalize().as_tuple().exponent), 0)

    def plain(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        """The multiple of the step that each written number stands for, the nearest off the lattice.

        **Shape**: (n,) -> (n,), NaN where it is NaN.
        """
        distinct, places = np.unique(x, return_inverse=True)
        return np.asarray(self._told(distinct)[0][places.reshape(x.shape)])

    def written(self, plain: NDArray[np.float64]) -> NDArray[np.float64]:
        """The numbers as the table writes them. **Shape**: (n,) -> (n,), NaN where it is NaN."""
        distinct, places = np.unique(plain, return_inverse=True)
        return np.asarray(self._written(self._multiple(self._times(distinct)))[places.reshape(plain.shape)])

    def holds(self, x: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Whether a number lies on the lattice, up to a rounding error. **Shape**: (n,) -> (n,)."""
        distinct, places = np.unique(x, return_inverse=True)
        return np.asarray(self._told(distinct)[1][places.reshape(x.shape)])

    def first_from(self, bound: float) -> float:
        """The smallest multiple of the step that is not written below a bound."""
        return self._end(bound, 1)

    def last_until(self, bound: float) -> float:
        """The largest multiple of the step that is not written above a bound."""
        return self._end(bound, -1)

    def inside(self, x: NDArray[np.float64], low: float, high: float) -> NDArray[np.float64]:
        """The written number nearest to each, between bounds that are infinite where open. **Shape**: (n,) -> (n,)."""
        first = self.first_from(low) if math.isfinite(low) else low
        last = self.last_until(high) if math.isfinite(high) else high
        return self.written(np.clip(self.plain(x), first, last))

    def _end(self, bound: float, sign: int) -> float:
        """Bisection over the multiples: writing keeps their order."""
        if abs(bound) / self.step >= MAX_WHOLE_FLOAT / 4:
            return bound
        centre = round(bound / self.step)
        reach = 2
        while sign * self._at(centre + sign * reach) < sign * bound and reach < MAX_WHOLE_FLOAT / 4:
            reach *= 2
        inside, outside = centre + sign * reach, centre - sign * reach
        while sign * self._at(outside) >= sign * bound:
            outside -= sign * reach
        while abs(inside - outside) > 1:
            middle = (inside + outside) // 2
            inside, outside = (middle, outside) if sign * self._at(middle) >= sign * bound else (inside, middle)
        return float(self._multiple(np.array([float(inside)]))[0])

    def _at(self, k: int) -> float:
        return float(self._written(self._multiple(np.array([float(k)])))[0])

    def _times(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        """How many steps a number is from nought, to the nearest; as it is where floats have no such steps."""
        with np.errstate(over="ignore", invalid="ignore"):
            return np.asarray(np.round(x / self.step))

    def _multiple(self, k: NDArray[np.float64]) -> NDArray[np.float64]:
        """The float nearest to so many steps. **Shape**: (n,) -> (n,)."""
        step = Fraction(repr(self.step))
        return np.asarray(k * step.numerator / step.denominator + 0.0)  # no sign of zero

    def _told(self, distinct: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        """The multiple each number stands for, and whether it is written so; a neighbour where two are written alike.

        **Shape**: (n,) -> (n,), (n,).
        """
        near = self._times(distinct)
        plain, held = self._multiple(near), np.isnan(distinct)
        for k in (0, 1, -1) if self.shortens else (0,):
            left = np.flatnonzero(~held)
            at = self._multiple(near[left] + k)
            with np.errstate(invalid="ignore"):
                same = np.isclose(self._written(at), distinct[left], rtol=_CLOSE, atol=1e-9 * self.step)
            plain[left[same]], held[left[same]] = at[same], True
        return plain, held

    def _written(self, plain: NDArray[np.float64]) -> NDArray[np.float64]:
        kept = stored(plain, self.stored_as)
        if self.significant_digits is None and self.written_decimals is None:
            return kept
        write = self._writer()
        return np.array([write(float(v)) for v in kept], dtype=np.float64)

    def _writer(self) -> Callable[[float], float]:
        digits, places = self.significant_digits, self.written_decimals
        unit = None if places is None else Decimal(1).scaleb(-places)

        def write(x: float) -> float:
            if not math.isfinite(x) or x == 0:
                return x
            text = repr(x) if digits is None else f"{x:.{digits - 1}e}"
            said = Decimal(text)
            exponent = said.as_tuple().exponent
            if unit is None or places is None or not isinstance(exponent, int) or -exponent <= places:
                return float(said)
            return float(said.quantize(unit, rounding=ROUND_HALF_UP))

        return write


def stored(x: NDArray[np.float64], how: StoredAs | None) -> NDArray[np.float64]:
    """Numbers as they come back from where they were kept. **Shape**: (n,) -> (n,).

    Example:
        >>> [float(stored(np.array([0.1]), how)[0]) for how in ("half", "sas3")]
        [0.0999755859375, 0.0999908447265625]
    """
    with np.errstate(over="ignore", invalid="ignore"):
        if how == "half":
            return x.astype(np.float16).astype(np.float64)
        if how == "single":
            return x.astype(np.float32).astype(np.float64)
    if how is None:
        return x
    cut = 64 - 8 * _SAS_BYTES[how]
    bits = np.ascontiguousarray(x, dtype=np.float64).view(np.uint64)
    return np.asarray(np.where(np.isfinite(x), (bits >> np.uint64(cut) << np.uint64(cut)).view(np.float64), x))
