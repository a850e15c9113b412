"""The clock of linked tables: whole ticks in which moments of all tables are told, and back."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import ceil, floor, gcd
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from synthkit.encoding.arrays import Ints
from synthkit.encoding.datetime_numbers import MISSING_STEP, as_steps, datetime_steps_of, moments_of, step_bounds
from synthkit.schema.columns import Column, Datetime, Identifier, Numeric

if TYPE_CHECKING:
    from synthkit.schema.linked import LinkedSchema

MISSING_TICK = MISSING_STEP  # of a moment that is missing
LATEST = int(np.iinfo(np.int64).max) // 4  # no bound
FINEST_DECIMALS = 6  # of numbers that say when and declare no decimals


@dataclass(frozen=True, kw_only=True)
class UnitClock:
    """In which whole numbers the tables of a schema tell time.

    Tables whose order is of the other kind (numbers beside moments), or none, have no clock: they are sequences.

    Args:
        moments: whether time is told by moments; by numbers otherwise.
        tick: microseconds of a tick, or its decimals.
        timed: tables that have the clock.
    """

    moments: bool
    tick: int
    timed: tuple[str, ...]

    @classmethod
    def of(cls, schema: LinkedSchema) -> UnitClock:
        """The finest clock that all moments of a schema fall on."""
        kinds = {
            name: schema.tables[name].columns[order.start]
            for name in schema.graph.owners
            if (order := schema.tables[name].order) is not None
        }
        moments = any(isinstance(kind, Datetime) for kind in kinds.values())
        wanted = Datetime if moments else Numeric
        timed = tuple(name for name, kind in kinds.items() if isinstance(kind, wanted))
        told: list[Column] = [
            schema.tables[n].columns[c] for n in (*timed, schema.unit) for c in schema.tables[n].moments
        ]
        if moments:
            told += [c for table in schema.tables.values() for c in table.columns.values() if isinstance(c, Datetime)]
            return cls(moments=True, tick=gcd(*(c.step for c in told if isinstance(c, Datetime))), timed=timed)
        decimals = [FINEST_DECIMALS if c.decimals is None else c.decimals for c in told if isinstance(c, Numeric)]
        return cls(moments=False, tick=max(decimals, default=0), timed=timed)

    def step(self, column: Column) -> int:
        """Ticks between two values of a column."""
        if isinstance(column, Datetime):
            return max(column.step // self.tick, 1)
        if isinstance(column, Numeric):
            return int(10 ** (self.tick - (self.tick if column.decimals is None else min(column.decimals, self.tick))))
        return 1

    def shared_step(self, *columns: Column) -> int:
        """Ticks that moments of all of some columns tell apart; numbers compare as they are.

        **Shape**: -> int.
        """
        return max(self.step(column) for column in columns) if self.moments else 1

    def tells(self, column: Column) -> bool:
        """Whether a column can be told by this clock."""
        return isinstance(column, Datetime if self.moments else Numeric) and not isinstance(column, Identifier)

    def bounds(self, column: Column) -> tuple[int, int]:
        """First and last tick that the declared bounds of a column admit; the calendar's, or none, where none are.

        Example:
            >>> from synthkit.schema import Numeric
            >>> UnitClock(moments=False, tick=1, timed=()).bounds(Numeric(min=0.25, decimals=1))[0]
            3
        """
        step = self.step(column)
        if isinstance(column, Datetime):
            first, last = step_bounds(column)
            return first * step, last * step
        low, high = (column.min, column.max) if isinstance(column, Numeric) else (None, None)
        first = -LATEST if low is None else ceil(_exact(low, self.tick) / step) * step
        last = LATEST if high is None else floor(_exact(high, self.tick) / step) * step
        return max(first, -LATEST), min(last, LATEST)

    def ticks(self, values: pd.Series, column: Column) -> Ints:
        """Values as ticks, MISSING_TICK where there is none. **Shape**: (n,) -> (n,)."""
        if isinstance(column, Datetime):
            steps = datetime_steps_of(values, column)
            return np.where(steps == MISSING_STEP, MISSING_TICK, steps * self.step(column))
        x = values.to_numpy(dtype=np.float64, na_value=np.nan) * 10.0**self.tick
        return np.where(np.isnan(x), MISSING_TICK, np.round(np.nan_to_num(x)).astype(np.int64))

    def values(self, ticks: Ints, column: Column) -> pd.Series:
        """Ticks as values of a column, in whole steps. **Shape**: (n,) -> (n,)."""
        step = self.step(column)
        if isinstance(column, Datetime):
            return moments_of(as_steps(np.where(ticks == MISSING_TICK, MISSING_STEP, ticks // step)), column)
        assert isinstance(column, Numeric)
        decimals = self.tick if column.decimals is None else min(column.decimals, self.tick)
        x = np.where(ticks == MISSING_TICK, np.nan, np.round((ticks // step * step) / 10.0**self.tick, decimals))
        return pd.Series(x)

    def to_dict(self) -> dict[str, object]:
        """Plain data for JSON."""
        return {"moments": self.moments, "tick": self.tick, "timed": list(self.timed)}


def _exact(value: float, decimals: int) -> Fraction:
    """A declared number in ticks, as it is written."""
    return Fraction(repr(value)) * int(10**decimals)


def first_step(ticks: Ints, steps: Ints | int) -> Ints:
    """The first whole step at or after each tick. **Shape**: (n,) -> (n,)."""
    return -(-ticks // steps) * steps


def last_step(ticks: Ints, steps: Ints | int) -> Ints:
    """The last whole step at or before each tick. **Shape**: (n,) -> (n,)."""
    return ticks // steps * steps
