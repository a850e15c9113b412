"""Beginnings of units that are to be continued: what has happened already, and which owners are still open."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from synthkit.encoding.arrays import Bools, Ints
from synthkit.encoding.units.sequences import Sequences
from synthkit.encoding.units.unit_frames import UnitFrames


@dataclass(frozen=True, kw_only=True)
class BegunUnits:
    """What has happened to units so far.

    Args:
        frames: what is learned of them.
        sequences: the same, encoded.
        tables: names of those that have an owner, in order.
    """

    frames: UnitFrames
    sequences: Sequences
    tables: tuple[str, ...]

    @cached_property
    def open(self) -> Bools:
        """Steps to which more may still belong: the last of each unit, and its owners. **Shape**: (steps,)."""
        sequences = self.sequences
        out = np.zeros(int(sequences.offsets[-1]), dtype=bool)
        at = sequences.offsets[1:][sequences.lengths > 0] - 1
        while len(at):
            out[at] = True
            at = sequences.owner[at]
            at = at[at >= 0]
        return out

    @cached_property
    def start(self) -> Ints:
        """When each step happens, in ticks. **Shape**: (steps,)."""
        return self._times("start")

    @cached_property
    def until(self) -> Ints:
        """When each step ends. **Shape**: (steps,)."""
        return self._times("until")

    def _times(self, name: str) -> Ints:
        out = np.zeros(int(self.sequences.offsets[-1]), dtype=np.int64)
        for table in self.tables:
            out[self.frames.order.step[table]] = getattr(self.frames.times[table], name)
        return out

    def counts(self, child: str, rows: Ints) -> Ints:
        """Rows of a child table that rows of its owner have so far. **Shape**: (n,) -> (n,)."""
        return self.frames.counts[child][rows]
