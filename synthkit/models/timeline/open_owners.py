"""The rows whose own rows are being drawn: one stack a unit, and what is owed, bounded and due at each level of it."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from synthkit.encoding.arrays import Bools, Ints
from synthkit.encoding.units.unit_clock import LATEST, MISSING_TICK


@dataclass
class OpenOwners:
    """A stack of open owners for each of B units, level 0 the unit itself.

    **Shape**: (levels, B) each, but `owed` and `floor` (levels, B, T), and `had`, rows so far, (B, T).

    Args:
        levels: how deep rows can own rows.
        units: B.
        tables: T, those that have an owner.
    """

    levels: int
    units: int
    tables: int
    level: Ints = field(init=False)
    owed: Ints = field(init=False)
    had: Ints = field(init=False)
    floor: Ints = field(init=False)
    arrays: dict[str, Ints] = field(init=False)

    def __post_init__(self) -> None:
        shape = (self.levels, self.units)
        self.level = np.zeros(self.units, dtype=np.int64)
        self.owed = np.zeros((*shape, self.tables), dtype=np.int64)
        self.had = np.zeros((self.units, self.tables), dtype=np.int64)
        self.floor = np.full((*shape, self.tables), MISSING_TICK)
        names = (
            "table",
            "step",
            "row",
            "now",
            "first",
            "last",
            "place",
            "start",
            "until",
            "timed",
            "moment",
            "born",
            "gone",
        )
        empty = {"step": -1, "now": MISSING_TICK, "first": MISSING_TICK, "last": MISSING_TICK}
        empty |= dict.fromkeys(("start", "until", "born", "gone"), MISSING_TICK)
        self.arrays = {name: np.full(shape, empty.get(name, 0)) for name in names}

    def at(self, name: str, units: Ints) -> Ints:
        """An array at the open level of some units. **Shape**: (n,) -> (n,)."""
        return np.asarray(self.arrays[name][self.level[units], units])

    def put(self, name: str, units: Ints, values: Ints | int) -> None:
        """Write an array at the open level of some units."""
        self.arrays[name][self.level[units], units] = values

    def owed_now(self, units: Ints) -> Ints:
        """Rows that the open owners still lack. **Shape**: (n,) -> (n, T)."""
        return np.asarray(self.owed[self.level[units], units])

    def close(self) -> Ints:
        """Close owners that lack nothing; the units that still do. **Shape**: -> (n,)."""
        lacking = self.owed.sum(axis=2)
        for _ in range(self.levels):
            done = (self.level > 0) & (lacking[self.level, np.arange(self.units)] == 0)
            self.level -= done
        return np.flatnonzero(lacking[self.level, np.arange(self.units)] > 0)

    def open(self, units: Ints, values: dict[str, Ints | int], owed: Ints) -> None:
        """Open rows, which owe so many. **Shape**: (n,), (n,) each, (n, T)."""
        self.level[units] += 1
        at = self.level[units]
        for name, each in values.items():
            self.arrays[name][at, units] = each
        self.owed[at, units] = owed
        self.floor[at, units] = MISSING_TICK

    def bounds(self, units: Ints, within: Bools) -> tuple[Ints, Ints]:
        """Moments between which rows must lie that happen inside some tables. **Shape**: (n,), (1 + T,) -> two of (n,).

        Args:
            units: whose rows.
            within: whether a row must lie inside an open owner of each table; that of units comes first.
        """
        low, high = np.full(len(units), -LATEST), np.full(len(units), LATEST)
        for level in range(self.levels):
            here = (self.level[units] >= level) & within[self.arrays["table"][level, units]]
            names = ("start", "until") if level else ("born", "gone")
            start, until = (self.arrays[name][level, units] for name in names)
            low = np.where(here & (start != MISSING_TICK), np.maximum(low, start), low)
            high = np.where(here & (until != MISSING_TICK), np.minimum(high, until), high)
        return low, high
