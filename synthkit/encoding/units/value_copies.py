"""Which values rows repeat: those of the row before in their unit, or of the last row of their series."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from synthkit.encoding.arrays import Bools, Floats, Ints
from synthkit.encoding.units.payload_coding import AS_BEFORE, AS_IN_SERIES, PayloadCoding, coarse_levels, may_be_copied
from synthkit.encoding.units.sequences import twins
from synthkit.encoding.units.unit_frames import UnitFrames

LEAST_COPIED, LEAST_COPIED_VALUES = 0.1, 12  # excess share of rows that repeat a value; distinct values of its column


@dataclass(frozen=True)
class EqualRows:
    """Rows that are equal to a source in one column, and that have the source at all. **Shape**: (n,) each."""

    equal: Bools
    there: Bools

    def share(self, series: Ints, size: int) -> Floats:
        """Share of rows with the source that are equal to it, by level of the series. **Shape**: (n,) -> (S,)."""
        many = np.bincount(series[self.there], minlength=size)
        return np.asarray(np.bincount(series[self.equal], minlength=size) / np.maximum(many, 1))


def with_copies(draft: PayloadCoding, name: str, frames: UnitFrames) -> PayloadCoding:
    """The coding of a table, with the copies that its rows suggest."""
    frame, before, encoder = frames.frames[name], before_rows(name, frames), draft.encoder
    if len(frame) < 2:
        return draft
    coded, copies, nearest = encoder.recoding.forward(frame), dict[str, Ints](), dict[str, Ints]()
    levels, size, last = np.zeros(len(frame), dtype=np.int64), 1, before
    if draft.series is not None:
        levels = coarse_levels(encoder, draft.series, coded)
        size = draft.layout.sizes[draft.slot(draft.series)]
        unit = np.searchsorted(frames.order.offsets, frames.order.step[name], side="right")
        last = twins(unit, levels, np.zeros(len(frames.order.offsets) + 1, dtype=np.int64))[0]
    for column in encoder.codecs:
        if column == draft.series or not may_be_copied(encoder, column):
            continue
        values = np.unique(coded[column].astype("string").fillna("").to_numpy(dtype=str), return_inverse=True)[1]
        shares = np.bincount(values) / len(values)
        back, series = (EqualRows((values == values[np.maximum(s, 0)]) & (s >= 0), s >= 0) for s in (before, last))
        excess = max(e.equal.sum() / max(int(e.there.sum()), 1) for e in (back, series)) - float((shares**2).sum())
        if excess < LEAST_COPIED or len(shares) < LEAST_COPIED_VALUES:
            continue
        if draft.series is None:
            copies[column] = np.bincount(back.equal, minlength=2)[None]
            continue
        wins = back.share(levels, size) > series.share(levels, size)
        nearest[column] = np.where(wins, AS_BEFORE, AS_IN_SERIES)
        first = np.where(back.equal, AS_BEFORE, 0)
        first = np.where(series.equal & ~(back.equal & wins[levels]), AS_IN_SERIES, first)
        copies[column] = np.zeros((size, AS_IN_SERIES + 1), dtype=np.int64)
        np.add.at(copies[column], (levels, first), 1)
    return replace(draft, copies=copies, nearest=nearest)


def before_rows(name: str, frames: UnitFrames) -> Ints:
    """Row of the same table before each row in its unit, -1 for none. **Shape**: (n,)."""
    order = frames.order
    unit = np.searchsorted(order.offsets, order.step[name], side="right")
    same = np.zeros(len(unit), dtype=bool)
    same[1:] = unit[1:] == unit[:-1]
    return np.where(same, np.arange(len(unit)) - 1, -1)
