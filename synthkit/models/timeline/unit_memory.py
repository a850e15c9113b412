"""What a sampler remembers of rows it has drawn: their vectors, when they were, and the last of each kind and table."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from synthkit.encoding.arrays import Bools, Floats, Ints
from synthkit.encoding.units.learned_table import MOST_BACK
from synthkit.encoding.units.row_ranks import echo
from synthkit.encoding.units.running_means import RunningMeans
from synthkit.encoding.units.unit_clock import MISSING_TICK
from synthkit.models.timeline.network import RECENT


class Growing:
    """Rows of a tensor that is appended to."""

    def __init__(self, *shape: int, dtype: torch.dtype = torch.float32, device: torch.device | None = None) -> None:
        self._rows = torch.zeros((64, *shape), dtype=dtype, device=device)
        self.count = 0

    def append(self, more: Tensor) -> None:
        """Put rows behind the others."""
        needed = self.count + len(more)
        if needed > len(self._rows):
            room = self._rows.new_zeros((max(needed, 2 * len(self._rows)), *self._rows.shape[1:]))
            room[: self.count] = self._rows[: self.count]
            self._rows = room
        self._rows[self.count : needed] = more
        self.count = needed

    def at(self, index: Ints) -> Tensor:
        """Some rows; nought for -1. **Shape**: (n,) -> (n, ...)."""
        found = self._rows[torch.from_numpy(np.maximum(index, 0)).to(self._rows.device)]
        none = torch.from_numpy(index < 0).to(found.device)
        return found.masked_fill(none.view(-1, *[1] * (found.dim() - 1)), 0)


@dataclass
class UnitMemory:
    """What came before in each of B units.

    Args:
        units: B.
        width: H.
        series: types, and levels of series, of all tables.
        counters: kinds that are counted.
        slots: of an event.
        tables: T.
        levels: how deep rows can own rows.
        ranked: most numbers of a table.
        means: what is followed of a unit.
        device: of vectors.
    """

    units: int
    width: int
    series: int
    counters: int
    slots: int
    tables: int
    levels: int
    ranked: int
    means: RunningMeans
    device: torch.device
    vectors: Growing = field(init=False)
    sums: Growing = field(init=False)

    def __post_init__(self) -> None:
        b = self.units
        self.vectors = Growing(self.width, device=self.device)  # of steps
        self.sums = Growing(self.width, device=self.device)  # of the series up to a step
        self.opened = Growing(self.width, device=self.device)  # what steps that own rows tell of their next event
        self.ranks = Growing(self.ranked, dtype=torch.float64)  # of steps, 0 for none
        self.rank_sums = Growing(2 * self.ranked, dtype=torch.float64)  # of the series up to a step, and how many
        self.followed = np.zeros((2, b, self.means.followed))  # sums and counts
        self.latest_ranks = np.zeros((b, len(self.means.numbers)))
        self.above = np.empty(0, dtype=np.int64)  # step of the owner of each step
        self.time = np.empty(0, dtype=np.int64)
        self.rank = np.empty(0, dtype=np.int64)  # steps of the series up to a step
        self.row = np.empty(0, dtype=np.int64)  # row of its table, as drawn
        self.index = np.zeros(b, dtype=np.int64)
        self.total = torch.zeros(b, self.width, device=self.device)
        self.recent = torch.zeros(b, RECENT, self.width, device=self.device)
        self.last = np.full((b, 2), -1)  # steps
        self.moment_begin = np.zeros((self.levels, b), dtype=np.int64)
        self.moment_total = torch.zeros(self.levels, b, self.width, device=self.device)
        self.twin = np.full((b, self.series), -1)
        self.happened = np.zeros((b, self.counters), dtype=np.int64)
        self.latest = np.zeros((b, self.counters), dtype=np.int64)
        self.event = np.full((b, self.slots), -1)  # the last one
        self.before = np.full((b, self.tables), -1)  # last row of each table, as drawn

    def past(self, units: Ints, roots: Tensor, near: Ints, level: Ints) -> Tensor:
        """Vectors of what came before the next step of some units. **Shape**: (n,), (B, H), (n,), (n,) -> (n, 8, H)."""
        at = torch.from_numpy(units).to(self.device)
        index = torch.from_numpy(self.index[units]).to(self.device)[:, None].float()
        over = np.where(near >= 0, self.above[np.maximum(near, 0)], -1) if len(self.above) else near
        further = np.where(over >= 0, self.above[np.maximum(over, 0)], -1) if len(self.above) else near
        parts = [
            roots[at],
            self.vectors.at(near),
            self.vectors.at(over) + self.vectors.at(further),
            self.vectors.at(self.last[units, 0]),
            self.vectors.at(self.last[units, 1]),
            self.total[at] / index.clamp(min=1),
            self.recent[at].sum(dim=1) / index.clamp(min=1, max=RECENT),
            self._of_moment(units, level),
        ]
        return torch.stack(parts, dim=1)

    def run(self, units: Ints, level: Ints) -> Ints:
        """Steps since the last moment began at which open owners had rows. **Shape**: (n,), (n,) -> (n,)."""
        return self.index[units] - self.moment_begin[level, units]

    def _of_moment(self, units: Ints, level: Ints) -> Tensor:
        at = (torch.from_numpy(level).to(self.device), torch.from_numpy(units).to(self.device))
        many = torch.from_numpy(np.maximum(self.run(units, level), 1)).to(self.device)[:, None].float()
        return (self.total[at[1]] - self.moment_total[at]) / many

    def begin_moment(self, units: Ints, level: Ints) -> None:
        """What comes next in some units happens at a new moment of the owner at a level."""
        at = (torch.from_numpy(level).to(self.device), torch.from_numpy(units).to(self.device))
        self.moment_total[at] = self.total[at[1]]
        self.moment_begin[level, units] = self.index[units]

    def series_of(self, units: Ints, series: Ints) -> tuple[Ints, Tensor, Tensor, Ints]:
        """Last step of a series, its vector, the mean of the series, and how many there were."""
        twin = self.twin[units, series]
        rank = np.where(twin >= 0, self.rank[np.maximum(twin, 0)], 0) if len(self.rank) else np.zeros_like(twin)
        many = torch.from_numpy(np.maximum(rank, 1)).to(self.device)[:, None].float()
        return twin, self.vectors.at(twin), self.sums.at(twin) / many, rank

    def means_of(self, units: Ints) -> Floats:
        """What the rows of some units were like. **Shape**: (n,) -> (n, width)."""
        total, count = self.followed[:, units]
        return self.means.features(total, count, self.latest_ranks[units])

    def echo_of(self, twin: Ints) -> Floats:
        """Ranks of the last rows of series, and their means. **Shape**: (n,) -> (n, 2 ranked)."""
        return echo(self.ranks.at(twin).numpy(), self.rank_sums.at(twin).numpy())

    def follow(self, units: Ints, ranks: Floats, told: tuple[Floats, Bools], twin: Ints) -> None:
        """Remember what a row of each of some units says as numbers, before it is appended."""
        values = torch.from_numpy(np.nan_to_num(ranks))
        both = torch.cat([values, torch.from_numpy(~np.isnan(ranks)).double()], dim=1)
        self.rank_sums.append(self.rank_sums.at(twin) + both)
        self.ranks.append(values)
        x, some = told
        many = self.latest_ranks.shape[1]
        self.followed[0, units] += x
        self.followed[1, units] += some
        self.latest_ranks[units] = np.where(some[:, :many], x[:, :many], self.latest_ranks[units])

    def append(
        self, units: Ints, vectors: Tensor, series: Ints, kind: Ints, time: Ints, above: Ints, table: Ints, row: Ints
    ) -> Ints:
        """Remember a step of each of some units; the numbers of the steps. **Shape**: (n,), (n, H), (n,) ..."""
        twin, _, _, rank = self.series_of(units, series)
        step = self.vectors.count + np.arange(len(units))
        self.sums.append(self.sums.at(twin) + vectors)
        self.vectors.append(vectors)
        self.above = np.concatenate([self.above, above])
        self.time = np.concatenate([self.time, time])
        self.rank = np.concatenate([self.rank, rank + 1])
        self.row = np.concatenate([self.row, row])
        at = torch.from_numpy(units).to(self.device)
        self.total[at] += vectors
        self.recent[at, torch.from_numpy(self.index[units] % RECENT).to(self.device)] = vectors
        self.index[units] += 1
        self.last[units, 1], self.last[units, 0] = self.last[units, 0], step
        self.twin[units, series] = step
        self.happened[units, kind] += 1
        self.latest[units, kind] = time
        self.before[units, table] = row
        return step


class PointedRows:
    """The last rows of a table that links point to, in each of B units. **Shape**: (B, 31) each."""

    def __init__(self, units: int) -> None:
        self.row = np.full((units, MOST_BACK), -1)
        self.start = np.full((units, MOST_BACK), MISSING_TICK)
        self.until = np.full((units, MOST_BACK), MISSING_TICK)

    def append(self, units: Ints, row: Ints, start: Ints, until: Ints) -> None:
        """Remember a row of each of some units. **Shape**: (n,) each."""
        for array, values in ((self.row, row), (self.start, start), (self.until, until)):
            array[units, 1:] = array[units, :-1]
            array[units, 0] = values
