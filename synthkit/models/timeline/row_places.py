"""Where a row can be: after the one before if moments tell rows apart, and where what it must point to is there."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from synthkit.encoding.arrays import Bools, Ints
from synthkit.encoding.units.moment_bounds import MomentBounds
from synthkit.encoding.units.unit_clock import LATEST, MISSING_TICK
from synthkit.encoding.units.unit_encoder import UnitEncoder
from synthkit.encoding.units.unit_order import LinkReach
from synthkit.models.timeline.open_owners import OpenOwners
from synthkit.models.timeline.row_times import RowTime, TableTimes, room
from synthkit.models.timeline.unit_memory import PointedRows


@dataclass(frozen=True)
class RowPlaces:
    """By number of the table, the tables whose rows its own must point to, and which of them they may.

    Args:
        of: number of the table pointed to, and the reach, of each such link.
        strict: tables whose rows of one owner happen at different moments.
        bounded: tables whose moments have declared bounds, or units that begin at one.
    """

    of: dict[int, list[tuple[int, LinkReach]]]
    strict: tuple[int, ...]
    bounded: tuple[int, ...]

    @classmethod
    def among(cls, encoder: UnitEncoder) -> RowPlaces:
        """Those of a schema."""
        names, found = encoder.tables, dict[int, list[tuple[int, LinkReach]]]()
        for t, name in enumerate(names):
            each = encoder.learned[name]
            for k, kind in each.linked.items():
                link = each.table.links[k]
                if (
                    kind == "earlier"
                    and link.to in names
                    and not any(each.table.columns[c].nullable for c in link.columns)
                ):
                    reach = LinkReach.of(k, each, encoder.learned[link.to], encoder.clock)
                    found.setdefault(t, []).append((names.index(link.to), reach))
        strict = tuple(t for t, name in enumerate(names) if encoder.learned[name].strict)
        bounds = [MomentBounds.of(encoder.learned[name], encoder.clock) for name in names]
        placed = encoder.schema.tables[encoder.schema.unit].order is not None  # no row before its unit begins
        bounded = [t for t, name in enumerate(names) if encoder.learned[name].timed and (placed or bounds[t].declared)]
        return cls(found, strict, tuple(bounded))

    def able(
        self, units: Ints, owners: OpenOwners, times: list[TableTimes], ends: Ints, pointed: dict[int, PointedRows]
    ) -> Bools:
        """Whether the next row of each table has a moment, and rows to point to. **Shape**: (n,) -> (n, T)."""
        out = np.ones((len(units), len(times)), dtype=bool)
        for t in {*self.of, *self.strict, *self.bounded}:
            space = room(owners, units, np.full(len(units), t), times, ends)
            if t in self.of:
                out[:, t] = self._fitted(t, units, space, times[t], pointed)[1]
            if t in self.strict or t in self.bounded:
                out[:, t] &= times[t].earliest(space.low) <= space.high
        return out

    def fitted(
        self, units: Ints, table: Ints, space: RowTime, times: list[TableTimes], pointed: dict[int, PointedRows]
    ) -> RowTime:
        """Where rows may lie that point to all rows they must. **Shape**: (n,), (n,) -> (n,) each."""
        low, high, close = space.low.copy(), space.high.copy(), space.close.copy()
        for t in self.of:
            mine = np.flatnonzero(table == t)
            if len(mine):
                part, _ = self._fitted(t, units[mine], space.take(mine), times[t], pointed)
                low[mine], high[mine], close[mine] = part.low, part.high, part.close
        return replace(space, low=low, high=high, close=close)

    def _fitted(
        self, t: int, units: Ints, space: RowTime, times: TableTimes, pointed: dict[int, PointedRows]
    ) -> tuple[RowTime, Bools]:
        """Where rows of one table may lie, and whether there is anything to point to. **Shape**: (n,) each."""
        able = np.ones(len(units), dtype=bool)
        for to, reach in self.of.get(t, ()):
            begin, end, there = _reached(units, reach, pointed[to])
            low = np.maximum(begin, np.maximum(space.low, np.where(space.timed, space.base, -LATEST))[:, None])
            fits = there & (times.earliest(low) <= np.minimum(end, space.high[:, None]))
            if times.bounds.must_end:
                fits &= end >= times.bounds.until_low
            best = np.where(fits, np.minimum(end, LATEST), -LATEST).argmax(axis=1)  # goes on longest, then the last
            rows = np.arange(len(units))
            able &= fits[rows, best]
            held = fits[rows, best]
            space = replace(
                space,
                low=np.where(held, np.maximum(space.low, begin[rows, best]), space.low),
                high=np.where(held, np.minimum(space.high, end[rows, best]), space.high),
                close=np.where(held, np.minimum(space.close, end[rows, best]), space.close),
            )
        return space, able


def _reached(units: Ints, reach: LinkReach, rows: PointedRows) -> tuple[Ints, Ints, Bools]:
    """Between which moments each of the last rows may be pointed to; whether it is there. **Shape**: (n, 31) each."""
    begin, end = rows.start[units], rows.until[units]
    begin = np.where((begin == MISSING_TICK) | ~np.bool_(reach.timed and reach.begun), -LATEST, begin)
    end = np.where((end == MISSING_TICK) | ~np.bool_(reach.timed and reach.open), LATEST, end)
    return begin, end, rows.row[units] >= 0
