"""A round of drawing: the events of rows to come, their values, and the rows of one table so far."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from synthkit.encoding.arrays import Bools, Ints
from synthkit.encoding.layout import Rows
from synthkit.encoding.units.payload_coding import PayloadCoding
from synthkit.models.timeline.row_times import RowTime
from synthkit.models.timeline.unit_memory import Growing


@dataclass(frozen=True)
class DrawnRound:
    """Events of a round, and what is known of the rows to come. **Shape**: (n, ...) each."""

    event: Ints
    table: Ints
    space: RowTime
    time: Ints
    start: Ints
    known: Ints
    series: Ints
    twin: Ints
    words: Tensor
    summary: Tensor

    @property
    def forced(self) -> Bools:
        """Rows whose gap nobody chose: without a clock, the first and the last of their owner. **Shape**: (n,)."""
        return np.asarray(~self.space.timed | self.space.first | self.space.last)

    def take(self, mine: Ints) -> DrawnRound:
        """Those of some rows."""
        at = torch.from_numpy(mine).to(self.words.device)
        return DrawnRound(
            self.event[mine],
            self.table[mine],
            self.space.take(mine),
            self.time[mine],
            self.start[mine],
            self.known[mine],
            self.series[mine],
            self.twin[mine],
            self.words[at],
            self.summary[at],
        )


@dataclass(frozen=True, kw_only=True)
class DrawnValues:
    """Values of drawn rows, and what they mean for what comes. **Shape**: (n,) each.

    Args:
        rows: their codes.
        until: when they end, MISSING_TICK for never.
        links: what each link points to, by number.
        counts: rows of each child table that they own.
        first, last: moments of what they own in time.
    """

    rows: Rows
    until: Ints
    links: Mapping[int, Ints]
    counts: Mapping[str, Ints]
    first: Ints
    last: Ints


class TableMemory:
    """Codes of the rows of one table that were drawn, to be copied."""

    def __init__(self, cat: Growing, num: Growing) -> None:
        self.cat, self.num = cat, num

    @classmethod
    def of(cls, coding: PayloadCoding, device: torch.device) -> TableMemory:
        """Of no rows."""
        layout = coding.layout
        return cls(
            Growing(len(layout.slots), dtype=torch.long, device=device), Growing(len(layout.residuals), device=device)
        )

    def append(self, rows: Rows) -> Ints:
        """Remember rows; their numbers."""
        first = self.cat.count
        self.cat.append(rows.cat)
        self.num.append(rows.num)
        return first + np.arange(len(rows))


def redrawn(whole: DrawnValues, part: DrawnValues, at: Ints) -> DrawnValues:
    """Values with some rows drawn again."""
    where = torch.from_numpy(at)
    cat, num = whole.rows.cat.clone(), whole.rows.num.clone()
    cat[where], num[where] = part.rows.cat, part.rows.num

    def put(old: Ints, new: Ints) -> Ints:
        out = old.copy()
        out[at] = new
        return out

    return DrawnValues(
        rows=Rows(cat, num),
        until=put(whole.until, part.until),
        links={k: put(v, part.links[k]) for k, v in whole.links.items()},
        counts={k: put(v, part.counts[k]) for k, v in whole.counts.items()},
        first=put(whole.first, part.first),
        last=put(whole.last, part.last),
    )
