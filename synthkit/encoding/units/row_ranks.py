"""Numbers of rows as ranks: where a value stands among those of its column, or of its column in its series."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from synthkit.encoding.arrays import Floats, Ints
from synthkit.encoding.units.exact_terms import exact_terms
from synthkit.encoding.units.learned_table import pointer
from synthkit.encoding.units.payload_coding import PayloadCoding, coarse_levels
from synthkit.encoding.units.unit_frames import UnitFrames

MOST_RANKED, MOST_GROUPS = 8, 32  # numbers of a table; series with ranks of their own, the others share theirs
RANKED_ROWS, BORROWED_ROWS = 50_000, 20.0  # rows that are looked at; rows of the whole column that each series borrows


@dataclass(frozen=True, kw_only=True)
class TableRanks:
    """Ranks of the levels of one table's numbers.

    Args:
        slots: coarse slots of the numbers. **Shape**: (e,).
        series: slot that tells series apart, None for none.
        group: which ranks each series has. **Shape**: (S,).
        rows: rows of each group that were looked at. **Shape**: (G,).
        ranks: of each level, of mean 0 and variance 1; nan where the value is missing. **Shape**: (e, G, K).
    """

    slots: Ints
    series: int | None
    group: Ints
    rows: Ints
    ranks: Floats

    def groups(self, cat: Ints) -> Ints:
        """Group of each row. **Shape**: (n, d) -> (n,)."""
        return np.zeros(len(cat), dtype=np.int64) if self.series is None else self.group[cat[:, self.series]]

    def of(self, cat: Ints, width: int) -> Floats:
        """Ranks of the numbers of rows, nan where there is none. **Shape**: (n, d) -> (n, width)."""
        out, group = np.full((len(cat), width), np.nan), self.groups(cat)
        for k, slot in enumerate(self.slots):
            out[:, k] = self.ranks[k, group, cat[:, slot]]
        return out

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        arrays = {k: getattr(self, k).tolist() for k in ("slots", "group", "rows")}
        ranks = self.ranks.astype(object)
        ranks[np.isnan(self.ranks)] = None
        return arrays | {"series": self.series, "ranks": ranks.tolist()}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> TableRanks:
        """Read what `to_dict` gave."""
        arrays = {k: np.array(data[k], dtype=np.int64) for k in ("slots", "group", "rows")}
        return cls(ranks=np.array(data["ranks"], dtype=np.float64), series=data["series"], **arrays)


def fit_ranks(name: str, frames: UnitFrames, coding: PayloadCoding) -> TableRanks:
    """The ranks that the rows of a table suggest; of many rows some, evenly spaced."""
    encoder, frame = coding.encoder, frames.frames[name]
    frame = frame.iloc[np.unique(np.linspace(0, max(len(frame) - 1, 0), min(len(frame), RANKED_ROWS)).astype(int))]
    coded = encoder.recoding.forward(frame)
    pointers = {pointer(k) for k in frames.learned[name].linked}
    ranked = [c for c in encoder.codecs if c not in pointers and is_ranked(coding, c)][:MOST_RANKED]
    group, series = np.zeros(1, dtype=np.int64), np.zeros(len(frame), dtype=np.int64)
    if coding.series is not None:
        series = coarse_levels(encoder, coding.series, coded)
        many = np.bincount(series, minlength=coding.layout.sizes[coding.slot(coding.series)])
        place = np.empty_like(many)
        place[np.argsort(-many, kind="stable")] = np.arange(len(many))
        group = np.minimum(place, MOST_GROUPS - 1)
    groups = int(group.max()) + 1
    slots = np.array([coding.coarse(c) for c in ranked], dtype=np.int64)
    sizes = [coding.layout.sizes[j] for j in slots]
    ranks = np.full((len(ranked), groups, max(sizes, default=1)), np.nan)
    for k, column in enumerate(ranked):
        counts = np.zeros((groups, sizes[k]))
        np.add.at(counts, (group[series], coarse_levels(encoder, column, coded)), 1)
        missing = coding.layout.slots[slots[k]].missing
        known = counts[:, : sizes[k] - missing]
        ranks[k, :, : known.shape[1]] = middle_ranks(known)
    rows = np.bincount(group[series], minlength=groups)
    return TableRanks(slots=slots, series=coding.series_slot, group=group, rows=rows, ranks=ranks)


def is_ranked(coding: PayloadCoding, column: str) -> bool:
    """Whether the levels of a coded column have an order."""
    slot = coding.layout.slots[coding.coarse(column)]
    return slot.ordinal and slot.size - slot.missing > 2


def middle_ranks(counts: Floats) -> Floats:
    """Middle ranks of levels, of mean 0 and variance 1. **Shape**: (G, K) -> (G, K)."""
    whole = counts.sum(axis=0)
    counts = counts + BORROWED_ROWS * (whole + 1e-9) / (whole + 1e-9).sum()
    ends = counts.cumsum(axis=1)
    return np.asarray(((ends - counts / 2) / ends[:, -1:] - 0.5) * np.sqrt(12))


@dataclass(frozen=True, kw_only=True)
class RowRanks:
    """Ranks of the numbers of all tables that have an owner, in order.

    Args:
        tables: of each.
    """

    tables: tuple[TableRanks, ...]

    @property
    def width(self) -> int:
        """Most numbers of a table."""
        return max((len(each.slots) for each in self.tables), default=0)

    def echoes(self, ranks: Floats, twin: Ints, place: Ints) -> Floats:
        """Ranks of the last row of the same series, and their mean in the series so far, 0 for none.

        Args:
            ranks: of all steps. **Shape**: (n, width).
            twin: last step of the same series, -1 for none. **Shape**: (n,).
            place: place of each step among all sorted by unit and series. **Shape**: (n,).

        **Shape**: -> (n, 2 width).
        """
        order = np.empty_like(place)
        order[place] = np.arange(len(place))
        both = np.concatenate([np.nan_to_num(ranks), ~np.isnan(ranks)], axis=1)[order]
        before = np.concatenate([np.zeros((1, both.shape[1])), exact_terms(both).cumsum(axis=0)])
        at = np.arange(len(order))
        begin = np.maximum.accumulate(np.where(twin[order] < 0, at, 0)) if len(at) else at
        return echo(np.nan_to_num(ranks[twin]) * (twin >= 0)[:, None], (before[at] - before[begin])[place])


def echo(last: Floats, total: Floats) -> Floats:
    """Ranks of a last row, and the mean of those before, drawn a little towards 0. **Shape**: (n, e), (n, 2 e)."""
    e = last.shape[1]
    return np.concatenate([last, total[:, :e] / (total[:, e:] + 1)], axis=1)
