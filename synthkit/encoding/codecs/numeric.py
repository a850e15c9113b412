"""Numbers as a coarse level, a fine level inside it and a residual, fitted from a histogram.

Every number falls in a *cell*: a point (a value many rows share) or an interval. Cells stand in order of their position
and are grouped into coarse levels of about equal mass; a value heavy enough is a level by itself (an atom). So a
laboratory value written on a lattice, a cost with a spike at zero and a smooth measurement are one and the same codec.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar, Self

import numpy as np
import pandas as pd

from synthkit.encoding.arrays import Bools, Cells, Floats, Ints, Numbers, Residuals
from synthkit.encoding.cell_cutting import coarse_levels, intervals, point_floor
from synthkit.encoding.codecs.codec import Codec, JsonObject, NumberCells
from synthkit.encoding.coded_columns import CodedColumn
from synthkit.encoding.coding import Coding
from synthkit.encoding.histogram_query import Histogram
from synthkit.encoding.layout import Slot, checked_groups
from synthkit.encoding.own_values import FIRST_OWN_CODE
from synthkit.encoding.plain_numbers import plain_atoms, plain_bounds
from synthkit.encoding.smoothing import log_shares
from synthkit.errors import EncodingError
from synthkit.schema import Condition, Numeric, Schema
from synthkit.schema.columns import Level

LATTICE_SHARE = 0.9  # share of rows on single values from which on a column is a lattice
UNSEEN_NATS = 100.0  # a value outside all cells is taken only where nothing else is left


@dataclass(frozen=True, kw_only=True)
class NumericCodec(Codec):
    """Reversible coding of one numeric column.

    Args:
        low, high: bounds of the cells; equal for a point, half-open otherwise. **Shape**: (m,), by position.
        group: coarse level of each cell, non-decreasing. **Shape**: (m,).
        mass: rows in each cell. **Shape**: (m,).
        missing: rows without a value, or None if the column is never missing.
        decimals: digits kept, None if unrestricted.
        minimum, maximum: declared bounds, None where open.
        step: what all numbers are multiples of, where that is not a unit of the last decimal.

    Example:
        >>> codec = fit(np.array([0.0, 1.0, 2.0]), np.array([90, 5, 5]), 0, decimals=0)
        >>> cat, num = codec.encode(np.array([0.0, 2.0]))
        >>> codec.decode(cat, num).tolist()
        [0.0, 2.0]
    """

    residual_count: ClassVar[int] = 1
    low: Numbers
    high: Numbers
    group: Ints
    mass: Ints
    missing: int | None
    decimals: int | None = None
    minimum: float | None = None
    maximum: float | None = None
    step: float | None = None

    @property
    def unit(self) -> float:
        """How far neighbouring values are apart, 0 off a grid."""
        if self.step is not None:
            return self.step
        return 0.0 if self.decimals is None else 10.0**-self.decimals

    @property
    def levels(self) -> int:
        """Coarse levels, missing included."""
        return self._groups + (self.missing is not None)

    @property
    def _groups(self) -> int:
        return int(self.group[-1]) + 1 if len(self.group) else 0

    @property
    def last(self) -> Numbers:
        """Largest value of each cell. **Shape**: (m,)."""
        if self.decimals is None:
            return np.maximum(self.low, np.nextafter(self.high, -np.inf))
        return np.maximum(self.low, np.round(self.high - self.unit, self.decimals))

    @property
    def _starts(self) -> Ints:
        return np.searchsorted(self.group, np.arange(self._groups + 1)).astype(np.int64)

    @property
    def _fine(self) -> int:
        return int(np.diff(self._starts).max(initial=1))

    @property
    def level_counts(self) -> Floats:
        """Rows at each coarse level, missing included. **Shape**: (K,)."""
        coarse = np.bincount(self.group, weights=self.mass, minlength=self.levels).astype(np.float64)
        if self.missing is not None:
            coarse[-1] = self.missing
        return coarse

    def slots(self, name: str, at: int = 0) -> list[Slot]:
        """The coarse slot and, where some level has several cells, the fine one; `at` is the coarse one's index."""
        single = self.mass[self.low == self.high].sum()
        slots = [
            Slot(
                name=name,
                size=self.levels,
                ordinal=True,
                missing=self.missing is not None,
                parent=None,
                prior=log_shares(self.level_counts),
                lattice=self._fine == 1 and bool(single >= LATTICE_SHARE * self.mass.sum()),
            )
        ]
        if self._fine > 1:
            prior = np.full((self.levels, self._fine), -np.inf, dtype=np.float32)
            for g, (a, b) in enumerate(zip(self._starts[:-1], self._starts[1:], strict=True)):
                if b - a > 1:
                    prior[g, : b - a] = log_shares(self.mass[a:b])
            slots.append(
                Slot(name=f"{name}:fine", size=self._fine, ordinal=True, missing=False, parent=at, prior=prior)
            )
        return slots

    def encode_column(self, cells: pd.DataFrame) -> tuple[Ints, Residuals]:
        """Codes of the one column. **Shape**: n rows -> (n, 1 or 2), (n, 1)."""
        levels, residual = self.encode(self.read(cells.iloc[:, 0]))
        return levels, residual[:, None]

    def decode_column(self, levels: Ints, residuals: Residuals) -> tuple[Cells, ...]:
        """Numbers of codes. **Shape**: (n, 1 or 2), (n, 1) -> (n,)."""
        return (self.decode(levels, residuals[:, 0]),)

    def encode(self, x: Numbers) -> tuple[Ints, Residuals]:
        """Codes of values. **Shape**: (n,) -> (n, 1 or 2) levels and (n,) residuals in [0, 1).

        Raises:
            EncodingError: values are missing although the column never is, or there is no cell.
        """
        absent = self.absent(x)
        if absent.any() and self.missing is None:
            msg = (
                f"every value must be present; however: {int(absent.sum())} are missing. "
                "Declare the column `nullable: true`"
            )
            raise EncodingError(msg)
        cell = self.cells(np.where(absent, 0, x))
        coarse = np.where(absent, self.levels - 1, self.group[cell]) if len(self.group) else np.zeros(len(x), np.int64)
        fine = np.where(absent, 0, cell - self._starts[self.group[cell]]) if len(self.group) else coarse
        residual = self._residual(x, cell) if len(self.group) else np.zeros(len(x))
        cat = np.stack([coarse, fine] if self._fine > 1 else [coarse], axis=1)
        return cat.astype(np.int64), np.where(absent, 0.5, residual).astype(np.float32)

    def read(self, values: pd.Series) -> Numbers:
        """The numbers of a coded column, NaN where one is missing. **Shape**: (n,) -> (n,)."""
        return values.to_numpy(dtype=np.float64, na_value=np.nan)

    def absent(self, x: Numbers) -> Bools:
        """Where no value is. **Shape**: (n,) -> (n,)."""
        return np.asarray(np.isnan(x))

    def cells(self, x: Numbers) -> Ints:
        """The cell of each value, the nearest where none holds it. **Shape**: (n,) -> (n,)."""
        points = np.flatnonzero(self.low == self.high)
        spans = np.flatnonzero(self.low < self.high)
        if not len(self.low):
            return np.zeros(len(x), dtype=np.int64)
        out, outside = np.zeros(len(x), dtype=np.int64), np.full(len(x), np.inf)
        if len(spans):
            k = np.clip(np.searchsorted(self.low[spans], x, side="right") - 1, 0, len(spans) - 1)
            here, after = spans[k], spans[np.minimum(k + 1, len(spans) - 1)]
            outside = np.maximum(self.low[here] - x, x - self.high[here])  # above 0 where no span holds x
            out = np.where((outside > 0) & (np.abs(self.low[after] - x) < outside), after, here)
            outside = np.maximum(self.low[out] - x, x - self.high[out])
        if len(points):
            at = self.low[points]
            right = np.clip(np.searchsorted(at, x), 0, len(points) - 1)
            left = np.clip(right - 1, 0, len(points) - 1)
            near = np.where(np.abs(at[left] - x) <= np.abs(at[right] - x), left, right)
            # on a grid of d decimals 0.1 + 0.2 is 0.3; off a grid a point is met exactly, or is nearer than any span
            slack = 0.5 * self.unit
            out = np.where(np.abs(at[near] - x) <= np.maximum(outside, slack), points[near], out)
        return out.astype(np.int64)

    def _residual(self, x: Numbers, cell: Ints) -> Floats:
        low, width = self.low[cell], self.high[cell] - self.low[cell]
        middle = 0.5 * self.unit
        inside = np.clip(x - low + middle, 0.0, width)  # before dividing: a width may be the smallest number there is
        u = np.where(width > 0, inside / np.where(width > 0, width, 1.0), 0.5)
        return np.clip(u, 0.0, np.nextafter(np.float32(1.0), np.float32(0.0)))

    def decode(self, cat: Ints, num: Residuals) -> Numbers:
        """Values of codes, NaN for missing. **Shape**: (n, 1 or 2) and (n,) -> (n,)."""
        coarse = cat[:, 0]
        absent = coarse >= self._groups
        if not self._groups:
            return np.full(len(cat), np.nan)
        group = np.minimum(coarse, self._groups - 1)
        fine = cat[:, 1] if cat.shape[1] > 1 else 0
        starts = self._starts
        cell = np.minimum(starts[group] + fine, starts[group + 1] - 1)
        low, high = self.low[cell], self.high[cell]
        x = low + num.astype(np.float64) * (high - low)
        if self.decimals is not None:
            scale = 10.0**self.decimals if self.step is None else 1 / self.step
            x = np.where(high > low, np.minimum(np.floor(x * scale + 1e-6) / scale, high - 1 / scale), low)
            x = np.round(x, self.decimals)
        else:  # the last residual of a narrow cell must not round up into the next one
            x = np.minimum(x, self.last[cell])
        x = np.clip(x, self.minimum if self.minimum is not None else -np.inf, self.maximum)
        return np.where(absent, np.nan, x)

    def log_steps(self, x: Numbers) -> Floats:
        """Log of how many values share the cell of each (off a grid, of its width). **Shape**: (n,) -> (n,).

        The probability of a cell divided by it is that of the value. A value no cell holds counts as `UNSEEN_NATS`, so
        that it weighs next to nothing beside any other; a missing one stands for itself.
        """
        if not len(self.low):
            return np.zeros(len(x))
        known = np.nan_to_num(np.asarray(x, dtype=np.float64))
        cell = self.cells(known)
        slack = 0.5 * self.unit
        inside = (self.low[cell] - slack <= known) & (known <= self.last[cell] + slack)
        step = self.unit or 1.0
        width = self.high[cell] - self.low[cell]
        steps = np.where(width > 0, np.log(np.where(width > 0, width, 1.0) / step), 0.0)
        return np.where(np.isnan(x), 0.0, np.where(inside, steps, UNSEEN_NATS))

    def log_width(self, cells: pd.DataFrame, *, graded: bool = False) -> Floats:
        """`log_steps` of the one column.

        Graded, a value outside all cells counts as log n + log R + 2 log(1 + d / R): n the rows, R how many values lie
        between the lowest and the highest cell, d how many beyond them. **Shape**: n rows -> (n,).
        """
        x = self.read(cells.iloc[:, 0])
        inside = self.log_steps(x)
        if not graded or not len(self.low):
            return inside
        step = self.unit or 1.0
        low, high = self.span
        reach = max(high - low, step)
        beyond = np.maximum(np.maximum(low - x, x - high), 0.0)
        rows = max(int(self.level_counts.sum()), 1)
        outside = np.log(rows) + np.log(reach / step) + 2 * np.log1p(beyond / reach)
        return np.where(inside == UNSEEN_NATS, outside, inside)

    @property
    def span(self) -> tuple[float, float]:
        """Ends of all cells but those of own values in a column of gaps, where there are others."""
        here = self.low > FIRST_OWN_CODE
        here = here if here.any() else ~here
        return float(self.low[here].min()), float(self.high[here].max())

    def unseen(self, cells: pd.DataFrame) -> tuple[Bools, tuple[Level | None, ...]]:
        """Missing cells where none ever was, and a value of the heaviest cell. **Shape**: n rows -> (n,)."""
        absent = cells.iloc[:, 0].isna().to_numpy()
        usual = self.low[self.mass.argmax()].item() if len(self.low) else None
        return absent if self.missing is None else np.zeros(len(cells), dtype=bool), (usual,)

    def published_keys(self, schema: Schema, column: str) -> dict[str, object]:
        """Bounds to which decoded numbers are kept."""
        kind, bounds = schema.columns[column], {"min": self.minimum, "max": self.maximum}
        lattice = kind.lattice if isinstance(kind, Numeric) else None
        return {
            key: bound if lattice is None else float(lattice.written(np.array([bound]))[0])
            for key, bound in bounds.items()
            if bound is not None
        }

    @property
    def number_cells(self) -> NumberCells | None:
        """These cells, if there is one."""
        return self if len(self.low) else None

    @property
    def whole(self) -> bool:
        """Whether bounds are whole steps, which may lie anywhere."""
        return False

    def meets(self, condition: Condition, column: str = "") -> tuple[Bools, Bools]:
        """Which coarse levels surely, and which possibly, meet a condition. **Shape**: two of (K,) bool."""
        del column
        surely, possibly = np.zeros(self.levels, dtype=bool), np.zeros(self.levels, dtype=bool)
        if condition.missing is True:
            surely[self._groups :] = possibly[self._groups :] = True
            return surely, possibly
        bottom = -np.inf if condition.min is None else condition.min
        top = np.inf if condition.max is None else condition.max
        last = self.last
        inside = (self.low >= bottom) & (last <= top)
        touched = (last >= bottom) & (self.low <= top)
        if condition.in_ is not None:
            wanted = np.array([float(v) for v in condition.in_ if not isinstance(v, str)])
            inside &= (self.low == last) & np.isin(self.low, wanted)
            touched &= ((wanted[:, None] >= self.low) & (wanted[:, None] <= last)).any(axis=0)
        groups = np.arange(self._groups)
        surely[: self._groups] = [inside[self.group == g].all() for g in groups]
        possibly[: self._groups] = [touched[self.group == g].any() for g in groups]
        return surely, possibly

    def to_dict(self) -> JsonObject:
        """Plain data for JSON."""
        arrays = {k: getattr(self, k).tolist() for k in ("low", "high", "group", "mass")}
        more = {} if self.step is None else {"step": self.step}
        return arrays | {k: getattr(self, k) for k in ("missing", "decimals", "minimum", "maximum")} | more

    @classmethod
    def from_dict(cls, data: JsonObject) -> Self:
        """Read what `to_dict` gave."""
        read = {k: np.array(data[k], dtype=np.int64 if k == "mass" else np.float64) for k in ("low", "high", "mass")}
        return cls(**data | read | {"group": checked_groups(data["group"])})


def fit_column(column: CodedColumn, histogram: Histogram, coding: Coding) -> NumericCodec:
    """Fit a codec to the histogram of a column of numbers, or of gaps between them."""
    kind = column.column
    assert isinstance(kind, Numeric)
    x = histogram.cells[column.name].to_numpy(dtype=np.float64, na_value=np.nan)
    order = np.argsort(x)[: int((~np.isnan(x)).sum())]
    fitted = fit(
        x[order],
        histogram.counts[order],
        column.missing(histogram),
        decimals=column.decimals,
        step=column.step,
        atoms=column.own if column.gapped else plain_atoms(kind),
        cuts=column.cuts,
        coding=coding,
    )
    low, high = (None, None) if column.gapped else plain_bounds(kind)
    return replace(fitted, minimum=low, maximum=high)


def fit(
    values: Numbers,
    counts: Ints,
    missing: int | None,
    *,
    decimals: int | None = None,
    step: float | None = None,
    atoms: tuple[float, ...] = (),
    cuts: tuple[float, ...] = (),
    coding: Coding | None = None,
) -> NumericCodec:
    """Fit a codec to a histogram of distinct values.

    Args:
        values: distinct values, in increasing order. **Shape**: (v,).
        counts: rows that have each. **Shape**: (v,).
        missing: rows without a value, None if that cannot happen.
        decimals: digits behind the point, None if unrestricted.
        step: what values are multiples of, where that is not a unit of the last decimal.
        atoms: values to be levels by themselves whatever their mass.
        cuts: values no cell and no group may straddle (bounds of row rules).
        coding: how finely to cut.
    """
    coding = coding or Coding()
    total = int(counts.sum()) + (missing or 0)
    share = 0.0 if len(values) <= coding.exact else coding.heavy
    heavy = counts >= max(share * total, coding.rare)
    heavy |= np.isin(values, np.array(atoms, dtype=values.dtype))
    floor = point_floor(counts[~heavy], coding)
    point = heavy | (counts >= floor)
    unit = step or (0.0 if decimals is None else 10.0**-decimals)
    low, high = intervals(values[~point], counts[~point], unit, cuts, coding, int(point.sum()))
    alone = np.concatenate([heavy[point], np.zeros(len(low), dtype=bool)])
    low, high = np.concatenate([values[point], low]), np.concatenate([values[point], high])
    order = np.lexsort((high, (low + high) / 2))
    low, high, alone = low[order], high[order], alone[order]
    none = np.zeros(len(low), dtype=np.int64)
    cells = NumericCodec(
        low=low,
        high=high,
        group=none,
        mass=none,
        missing=missing,
        decimals=decimals,
        step=step,
    )
    mass = np.bincount(cells.cells(values), weights=counts, minlength=len(low)).astype(np.int64)
    return replace(cells, mass=mass, group=coarse_levels(low, mass, alone, cuts, coding))
