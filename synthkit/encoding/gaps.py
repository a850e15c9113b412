"""Columns measured from others they may not cross: numbers by subtraction, moments in whole steps."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from synthkit.encoding.arrays import Floats, Ints, Numbers
from synthkit.encoding.datetime_numbers import FIRST_ATOM_STEP, MISSING_STEP, atom_steps, step_bounds
from synthkit.encoding.own_values import OwnValues, find_own_values
from synthkit.encoding.plain_numbers import plain_bounds, plain_decimals, plain_step
from synthkit.schema import Column, Datetime, Numeric


@dataclass(frozen=True, kw_only=True)
class Anchor:
    """A column another one may not cross.

    Args:
        column: its name.
        strict: whether equality is forbidden.
        times, per: for moments, so many steps of the measured column are `per` of its own; one of the two is 1.
        atoms: for moments, its own that lie on the far side of whatever is measured from it: as if it were missing.
    """

    column: str
    strict: bool
    times: int = 1
    per: int = 1
    atoms: tuple[int, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Gap(ABC):
    """How one column is measured from the columns it may not cross.

    Args:
        column: the measured column.
        up: whether it lies above its anchors (otherwise below).
        anchors: the columns it may not cross.
        origin: from where the gap is taken in rows where all anchors are missing.
        decimals: digits of the gap, None if unrestricted.
    """

    column: str
    up: bool
    anchors: tuple[Anchor, ...]
    origin: float
    decimals: int | None

    @property
    def sign(self) -> int:
        """+1 if the column lies above its anchors, -1 if below."""
        return 1 if self.up else -1

    def keeping(self, own: OwnValues | None) -> Gap:
        """The same gap, of which some values are coded as they are; only numbers have any."""
        del own
        return self

    @abstractmethod
    def coded(self, numbers: Mapping[str, Numbers]) -> Numbers:
        """The gap of each row. **Shape**: columns of (n,) -> (n,)."""

    @abstractmethod
    def measured(self, numbers: Mapping[str, Numbers], column: Column) -> Numbers:
        """The column of each row from its gap. **Shape**: columns of (n,) -> (n,)."""


@dataclass(frozen=True, kw_only=True)
class NumberGap(Gap):
    """How one column of numbers is measured: by subtraction, NaN where it is missing.

    Args:
        own: values that are coded as they are, whatever the anchors, in rows where they say more than the gap.
    """

    own: OwnValues | None = None

    def keeping(self, own: OwnValues | None) -> NumberGap:
        """The same gap, of which some values are coded as they are."""
        return replace(self, own=own)

    def coded(self, numbers: Mapping[str, Numbers]) -> Floats:
        """The gap of each row, or the code of its own value. **Shape**: columns of (n,) -> (n,)."""
        gap = self.distance(numbers)
        return gap if self.own is None else self.own.coded(_floats(numbers[self.column]), gap)

    def own_values(self, numbers: Mapping[str, Numbers], rare: int) -> OwnValues | None:
        """The values to be kept, told by how often each goes with each gap; None if none says more than its gaps.

        Args:
            numbers: columns of (n,), exact.
            rare: rows that must share a value, at least.
        """
        pairs = np.stack([_floats(numbers[self.column]), self.distance(numbers)])
        (x, gap), counts = np.unique(pairs[:, ~np.isnan(pairs).any(axis=0)], axis=1, return_counts=True)
        return find_own_values(x, gap, counts, pairs.shape[1], rare)

    def distance(self, numbers: Mapping[str, Numbers]) -> Floats:
        """The gap of each row. **Shape**: columns of (n,) -> (n,)."""
        gap = self.sign * (_floats(numbers[self.column]) - self._base(numbers))
        return gap if self.decimals is None else np.round(gap, self.decimals)

    def measured(self, numbers: Mapping[str, Numbers], column: Column) -> Floats:
        """The column of each row from its gap. **Shape**: columns of (n,) -> (n,)."""
        assert isinstance(column, Numeric)
        base, code = self._base(numbers), _floats(numbers[self.column])
        x = base + self.sign * code
        if self.own is not None:  # an own value on the wrong side of its anchors becomes the nearest on the right one
            kept = self.own.values_of(code)
            nearest = np.fmax(kept, base) if self.up else np.fmin(kept, base)
            x = np.where(np.isnan(kept), x, nearest)
        decimals, step = plain_decimals(column), plain_step(column)
        if decimals is not None:  # rounding must not undo what the gap ensures
            scale = 10.0**decimals if step is None else 1 / step
            away = np.ceil(x * scale - 1e-6) if self.up else np.floor(x * scale + 1e-6)
            near = np.round(x * scale)
            x = np.where(self.sign * (near / scale - base) >= 0, near, away) / scale
            x = np.round(x, decimals)
        low, high = plain_bounds(column)
        return np.clip(x, low, high) if (low, high) != (None, None) else x

    def _base(self, numbers: Mapping[str, Numbers]) -> Floats:
        """Where the gap starts in each row. **Shape**: columns of (n,) -> (n,)."""
        edges = [self._edge(anchor, _floats(numbers[anchor.column])) for anchor in self.anchors]
        base = np.fmax.reduce(edges) if self.up else np.fmin.reduce(edges)
        return np.where(np.isnan(base), self.origin, base)

    def _edge(self, anchor: Anchor, x: Floats) -> Floats:
        """The nearest number the column may take beside an anchor of value x. **Shape**: (n,) -> (n,)."""
        if not anchor.strict:
            return x
        if self.decimals is None:
            return np.nextafter(x, self.sign * np.inf)
        return np.asarray(x + self.sign * 10.0**-self.decimals)


@dataclass(frozen=True, kw_only=True)
class StepGap(Gap):
    """How one column of moments is measured: in whole steps, its own atoms by number.

    Args:
        atoms: special moments of the measured column in steps; such a cell is coded as `FIRST_ATOM_STEP` minus its
            number, whatever it is measured from, so that "still open" is one point and no gap of eight thousand years.
    """

    atoms: tuple[int, ...] = ()

    def coded(self, numbers: Mapping[str, Numbers]) -> Ints:
        """The gap of each row. **Shape**: columns of (n,) -> (n,)."""
        x = _steps(numbers[self.column])
        absent = x == MISSING_STEP
        gap = self.sign * (np.where(absent, 0, x) - self._base(numbers))
        for k, atom in enumerate(self.atoms):
            gap[x == atom] = FIRST_ATOM_STEP - k
        return np.where(absent, MISSING_STEP, gap)

    def measured(self, numbers: Mapping[str, Numbers], column: Column) -> Ints:
        """The column of each row from its gap. **Shape**: columns of (n,) -> (n,)."""
        assert isinstance(column, Datetime)
        gap = _steps(numbers[self.column])
        plain = (gap != MISSING_STEP) & (gap > FIRST_ATOM_STEP)
        x = np.where(plain, self._base(numbers) + self.sign * np.where(plain, gap, 0), MISSING_STEP)
        for k, atom in enumerate(self.atoms):
            x[gap == FIRST_ATOM_STEP - k] = atom
        return x

    def _base(self, numbers: Mapping[str, Numbers]) -> Ints:
        edges = np.stack([self._edge(anchor, _steps(numbers[anchor.column])) for anchor in self.anchors])
        far = MISSING_STEP if self.up else -(MISSING_STEP + 1)
        edges = np.where(edges == MISSING_STEP, far, edges)
        base = edges.max(axis=0) if self.up else edges.min(axis=0)
        return np.where(base == far, int(self.origin), base)

    def _edge(self, anchor: Anchor, x: Ints) -> Ints:
        absent = (x == MISSING_STEP) | np.isin(x, np.array(anchor.atoms, dtype=np.int64))
        x = np.where(absent, 0, x)
        edge = -(-x * anchor.times // anchor.per) if self.up else x * anchor.times // anchor.per
        if anchor.strict:  # a calendar of days beside one of seconds: only what is met exactly must be left
            edge = np.where(edge * anchor.per == x * anchor.times, edge + self.sign, edge)
        return np.where(absent, MISSING_STEP, edge)


def _floats(x: Numbers) -> Floats:
    return np.asarray(x, dtype=np.float64)


def _steps(x: Numbers) -> Ints:
    return np.asarray(x, dtype=np.int64)


def gap(columns: Mapping[str, Column], name: str, up: bool, compared: tuple[tuple[str, bool], ...]) -> Gap:
    """The gap of a column from those it is compared with, each with whether equality is forbidden."""
    column = columns[name]
    if isinstance(column, Datetime):
        origin = _origin(column, up)
        return StepGap(
            column=name,
            up=up,
            anchors=tuple(_anchor(columns[other], other, strict, column, up) for other, strict in compared),
            origin=origin,
            decimals=0,
            atoms=tuple(atom_steps(column).tolist()),
        )
    anchors = tuple(Anchor(column=other, strict=strict) for other, strict in compared)
    kinds = [columns[c] for c in (name, *(a.column for a in anchors))]
    digits = [plain_decimals(kind) if isinstance(kind, Numeric) else None for kind in kinds]
    decimals = None if None in digits else max(d for d in digits if d is not None)
    bound = (plain_bounds(column)[0 if up else 1] if isinstance(column, Numeric) else None) or 0.0
    return NumberGap(column=name, up=up, anchors=anchors, origin=bound, decimals=decimals)


def _origin(column: Datetime, up: bool) -> int:
    low, high = step_bounds(column)
    if up:
        return 0 if column.low is None else low
    return 0 if column.high is None else high


def _anchor(other: Column, name: str, strict: bool, column: Datetime, up: bool) -> Anchor:
    """An anchor of a column of moments.

    Its own atom says nothing of a column whose declared bound lies beyond it: the gap is taken from that bound then.
    """
    assert isinstance(other, Datetime)
    times, per = max(other.step // column.step, 1), max(column.step // other.step, 1)
    bound = column.low if up else column.high
    free = [] if bound is None else [t for t in other.points if (t < bound if up else t > bound)]
    return Anchor(column=name, strict=strict, times=times, per=per, atoms=_in_steps(free, other))


def _in_steps(atoms: list[np.datetime64], column: Datetime) -> tuple[int, ...]:
    return tuple(int(t.astype(np.int64)) // column.step for t in atoms)
