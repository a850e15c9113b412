"""Moments coded as whole steps, without a float between; see `encoding.datetime_numbers`."""

from __future__ import annotations

from dataclasses import fields
from typing import Self

import numpy as np
import pandas as pd

from synthkit.encoding.arrays import Bools, Floats, Ints, Numbers, Residuals
from synthkit.encoding.codecs import numeric
from synthkit.encoding.codecs.codec import JsonObject
from synthkit.encoding.codecs.numeric import UNSEEN_NATS, NumericCodec
from synthkit.encoding.coded_columns import CodedColumn
from synthkit.encoding.coding import Coding
from synthkit.encoding.datetime_numbers import FIRST_ATOM_STEP, MISSING_STEP, as_steps, atom_steps
from synthkit.encoding.histogram_query import Histogram
from synthkit.encoding.layout import checked_groups
from synthkit.schema import Datetime


class StepsCodec(NumericCodec):
    """Reversible coding of one column of whole steps; as `NumericCodec`, with cells whose bounds are whole numbers.

    Example:
        >>> last = np.array([0, 253402300799999999])  # microseconds from 1970 to the end of 9999
        >>> codec = fit(last, np.array([90, 10]), 0)
        >>> codec.decode(*codec.encode(last)).tolist()
        [0, 253402300799999999]
    """

    @property
    def last(self) -> Numbers:
        """Largest value of each cell. **Shape**: (m,)."""
        return np.maximum(self.low, self.high - 1)

    def read(self, values: pd.Series) -> Ints:
        """The steps of a coded column, the smallest whole number where one is missing. **Shape**: (n,) -> (n,)."""
        return as_steps(values)

    def absent(self, x: Numbers) -> Bools:
        """Where no value is. **Shape**: (n,) -> (n,)."""
        return np.asarray(x == MISSING_STEP)

    def decode(self, cat: Ints, num: Residuals) -> Ints:
        """Steps of codes, the smallest whole number for missing. **Shape**: (n, 1 or 2) and (n,) -> (n,)."""
        if not len(self.low):
            return np.full(len(cat), MISSING_STEP)
        absent = cat[:, 0] >= self._groups
        group = np.minimum(cat[:, 0], self._groups - 1)
        fine = cat[:, 1] if cat.shape[1] > 1 else 0
        cell = np.minimum(self._starts[group] + fine, self._starts[group + 1] - 1)
        inside = np.floor(num.astype(np.float64) * (self.high - self.low)[cell] + 1e-6).astype(np.int64)
        return np.where(absent, MISSING_STEP, np.minimum(self.low[cell] + inside, self.last[cell]))

    @property
    def span(self) -> tuple[float, float]:
        """Ends of all cells but those of atoms in a column of gaps, where there are others."""
        here = self.low > FIRST_ATOM_STEP
        here = here if here.any() else ~here
        return float(self.low[here].min()), float(self.high[here].max())

    @property
    def whole(self) -> bool:
        """Whether bounds are whole steps: they are."""
        return True

    def log_steps(self, x: Numbers) -> Floats:
        """Log of how many values share the cell of each; as for numbers. **Shape**: (n,) -> (n,)."""
        if not len(self.low):
            return np.zeros(len(x))
        cell = self.cells(np.where(self.absent(x), 0, x))
        held = (self.low[cell] <= x) & (x <= self.last[cell])
        steps = np.log(np.maximum(self.high - self.low, 1)[cell])
        return np.where(self.absent(x), 0.0, np.where(held, steps, UNSEEN_NATS))

    @classmethod
    def from_dict(cls, data: JsonObject) -> Self:
        """Read what `to_dict` gave."""
        read = {k: np.array(data[k], dtype=np.int64) for k in ("low", "high", "mass")}
        return cls(**data | read | {"group": checked_groups(data["group"])})


def fit_column(column: CodedColumn, histogram: Histogram, coding: Coding) -> StepsCodec:
    """Fit a codec to the histogram of a column of moments, or of gaps between them."""
    x = as_steps(histogram.cells[column.name])
    order = np.argsort(x)[int((x == MISSING_STEP).sum()) :]
    return fit(x[order], histogram.counts[order], column.missing(histogram), atoms=coded_atoms(column), coding=coding)


def coded_atoms(column: CodedColumn) -> tuple[int, ...]:
    """Steps of the atoms as they are coded; in a column of gaps they stand below all gaps, by number."""
    kind = column.column
    assert isinstance(kind, Datetime)
    if column.gapped:
        return tuple(FIRST_ATOM_STEP - k for k in range(len(kind.atoms)))
    return tuple(atom_steps(kind).tolist())


def fit(
    values: Ints,
    counts: Ints,
    missing: int | None,
    *,
    atoms: tuple[int, ...] = (),
    coding: Coding | None = None,
) -> StepsCodec:
    """Fit a codec to a histogram of distinct steps; as `numeric.fit`."""
    fitted = numeric.fit(values, counts, missing, decimals=0, atoms=atoms, coding=coding)
    return StepsCodec(**{field.name: getattr(fitted, field.name) for field in fields(fitted)})
