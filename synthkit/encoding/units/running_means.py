"""What rows of a unit were like so far, as numbers: mean and last rank of its numbers, shares of the commonest levels.

They tell who a unit is. A row of one table depends on what all rows of another said on the whole, however long ago:
value vectors of single rows are forgotten, and the mean of all rows mixes tables and series.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from synthkit.encoding.arrays import Bools, Floats, Ints
from synthkit.encoding.units.exact_terms import exact_terms
from synthkit.encoding.units.payload_coding import PayloadCoding
from synthkit.encoding.units.row_ranks import RowRanks

MOST_NUMBERS, MOST_LEVELS = 24, 24  # that are followed


@dataclass(frozen=True, kw_only=True)
class RunningMeans:
    """Which numbers and levels are followed, the commonest ones.

    Args:
        numbers: table, group of series, and number of each. **Shape**: (N, 3).
        levels: table, slot and level of each. **Shape**: (L, 3).
        shares: of those levels among the rows of their tables. **Shape**: (L,).
    """

    numbers: Ints
    levels: Ints
    shares: Floats

    @classmethod
    def of(cls, payloads: Mapping[str, PayloadCoding], types: Ints, ranks: RowRanks) -> RunningMeans:
        """The commonest numbers, and the levels that tell most rows apart.

        Args:
            payloads: coding of each table, in order.
            types: rows of each. **Shape**: (T,).
            ranks: of their numbers.
        """
        numbers = list[tuple[float, int, int, int]]()
        levels = list[tuple[float, int, int, int, float]]()
        for t, coding in enumerate(payloads.values()):
            each, layout = ranks.tables[t], coding.layout
            part = each.rows / max(int(each.rows.sum()), 1)
            numbers += [(float(part[g] * types[t]), t, g, e) for e in range(len(each.slots)) for g in range(len(part))]
            for j, slot in enumerate(layout.slots):
                known = j == coding.series_slot or j in coding.copied
                if slot.parent is not None or slot.ordinal or known or layout.columns[j].startswith("("):
                    continue
                p = np.exp(slot.prior.astype(np.float64))
                levels += [(float(types[t] * x * (1 - x)), t, j, k, float(x)) for k, x in enumerate(p)]
        numbers, levels = sorted(numbers, reverse=True)[:MOST_NUMBERS], sorted(levels, reverse=True)[:MOST_LEVELS]
        return cls(
            numbers=np.array([x[1:] for x in numbers], dtype=np.int64).reshape(-1, 3),
            levels=np.array([x[1:4] for x in levels], dtype=np.int64).reshape(-1, 3),
            shares=np.array([x[4] for x in levels], dtype=np.float64),
        )

    @property
    def followed(self) -> int:
        """M, how many are followed."""
        return len(self.numbers) + len(self.levels)

    @property
    def width(self) -> int:
        """How many features there are."""
        return self.followed + len(self.numbers)

    def told(self, t: int, cat: Ints, ranks: Floats, groups: Ints) -> tuple[Floats, Bools]:
        """What rows of one table say, and of which of what is followed. **Shape**: (n, d), (n, e), (n,) -> (n, M)."""
        n, many = len(cat), len(self.numbers)
        x, some = np.zeros((n, self.followed)), np.zeros((n, self.followed), dtype=bool)
        for k, (table, group, e) in enumerate(self.numbers):
            if table == t:
                some[:, k] = (groups == group) & ~np.isnan(ranks[:, e])
                x[:, k] = np.where(some[:, k], ranks[:, e], 0)
        for k, (table, slot, level) in enumerate(self.levels):
            if table == t:
                some[:, many + k] = True
                x[:, many + k] = (cat[:, slot] == level) - self.shares[k]
        return x, some

    def features(self, total: Floats, count: Floats, last: Floats) -> Floats:
        """Means, drawn a little towards 0, and last values. **Shape**: (n, M), (n, M), (n, N) -> (n, width)."""
        return np.concatenate([total / (count + 1), last], axis=1)

    def before(self, x: Floats, some: Bools, begin: Ints) -> Floats:
        """Features of what came before each step of some units.

        Args:
            x: what the steps say. **Shape**: (n, M).
            some: of what they say something. **Shape**: (n, M).
            begin: where the steps of the unit begin. **Shape**: (n,).

        **Shape**: -> (n, width).
        """
        n, many = len(x), len(self.numbers)
        total, count = (_sums(each, begin) for each in (x, some))
        at = np.where(some[:, :many], np.arange(1, n + 1)[:, None], 0)
        latest = np.maximum.accumulate(np.concatenate([np.zeros((1, many), dtype=np.int64), at]), axis=0)[:-1]
        values = np.concatenate([np.zeros((1, many)), x[:, :many]])
        last = np.where(latest > begin[:, None], np.take_along_axis(values, latest, axis=0), 0)
        return self.features(total, count, last)

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return {k: getattr(self, k).tolist() for k in ("numbers", "levels", "shares")}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> RunningMeans:
        """Read what `to_dict` gave."""
        whole = {k: np.array(data[k], dtype=np.int64).reshape(-1, 3) for k in ("numbers", "levels")}
        return cls(shares=np.array(data["shares"], dtype=np.float64), **whole)


def _sums(x: Floats | Bools, begin: Ints) -> Floats:
    """Sums of what stood before in the same unit. **Shape**: (n, M), (n,) -> (n, M)."""
    running = np.concatenate([np.zeros((1, x.shape[1])), exact_terms(x).cumsum(axis=0)])
    return np.asarray(running[:-1] - running[begin])
