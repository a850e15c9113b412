"""What is known before a step: what is owed, the clocks, how often each kind has happened; and as numbers."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from synthkit.encoding.arrays import Floats, Ints
from synthkit.encoding.units.unit_clock import MISSING_TICK

DAY = 86_400_000_000.0  # microseconds
CYCLES = (365.25, 7.0, 1.0)  # days
HISTORY_FEATURES = 3  # of a kind of event: how often it happened, whether it never did, how long ago
FEW = 4  # usual gaps by which the time left may differ from what is owed, and be told apart


@dataclass(frozen=True, kw_only=True)
class TimeScale:
    """In what times are told to a network.

    Args:
        typical: a gap, in ticks.
        origin, reach: ticks at which time begins, and how far it goes.
        day: ticks of a day; 0 where time is told by numbers.
        knots: ticks between which about equally many rows happen, in order.
    """

    typical: float
    origin: float
    reach: float
    day: float
    knots: tuple[float, ...] = ()

    def length(self, ticks: Ints | Floats) -> Floats:
        """Times on a scale of logarithms, log(1 + t / typical); 0 where there is none. **Shape**: (n,) -> (n,)."""
        t = np.where(ticks == MISSING_TICK, 0, ticks).astype(np.float64)
        return np.sign(t) * np.log1p(np.abs(t) / self.typical)

    def moment(self, ticks: Ints) -> list[Floats]:
        """Where a moment lies, and in which part of the year, the week and the day.

        How much of each stretch between two knots is over is told too: what changes at some date, a code or a way of
        care, is one step of one of these numbers, and hardly one of the whole.
        """
        t = np.where(ticks == MISSING_TICK, self.origin, ticks).astype(np.float64)
        out = [(t - self.origin) / self.reach]
        out += [np.clip((t - a) / ((b - a) or 1.0), 0, 1) for a, b in pairwise(self.knots)]  # told knots may be one
        if self.day:
            for days in CYCLES:
                angle = 2 * np.pi * (t / self.day / days % 1)
                out += [np.sin(angle), np.cos(angle)]
        return out


@dataclass(frozen=True, kw_only=True)
class StepState:
    """Everything that is known before a step but the rows themselves.

    **Shape**: (n,) each, but `owed` and `owed_unit` (n, T), `happened` and `latest` (n, kinds).

    Args:
        owed: rows of each table that the open owner still lacks.
        owed_unit: rows that the unit itself still lacks.
        owner: number of the open owner's table, 0 for the unit.
        now: moment of the last row of the open owner, or its own.
        first, last: of what the open owner owns in time.
        begin, end: of what the unit owns in time.
        index: steps before.
        place: rows of the open owner before.
        run: steps since the last moment at which the open owner had rows began.
        happened: how often each kind happened.
        latest: when it last did.
    """

    owed: Ints
    owed_unit: Ints
    owner: Ints
    now: Ints
    first: Ints
    last: Ints
    begin: Ints
    end: Ints
    index: Ints
    place: Ints
    run: Ints
    happened: Ints
    latest: Ints

    def __len__(self) -> int:
        return len(self.index)

    def features(self, scale: TimeScale) -> Floats:
        """The state as numbers of about the size of one; what happened stands last. **Shape**: (n, F)."""
        owed = self.owed.astype(np.float32)
        age = np.where(self.happened > 0, self.now[:, None] - self.latest, 0)
        parts = [
            np.stack(self._clocks(scale), axis=1),
            np.log1p(owed),
            self.owed == 0,
            self.owed == 1,
            self.owed == 2,
            self.owed == 3,
            np.log1p(self.owed_unit),
            self.owed_unit == 0,
            np.eye(self.owed.shape[1] + 1)[self.owner],
            np.log1p(self.happened) / 2,
            self.happened == 0,
            scale.length(np.where(self.now[:, None] == MISSING_TICK, 0, age)) / 2,
        ]
        return np.concatenate(parts, axis=1).astype(np.float32)

    def _clocks(self, scale: TimeScale) -> list[Floats]:
        """How much time has passed and is left, how many steps, and how much time there is for each row owed.

        Where gaps are few-valued a row more or less than usual gaps would fill decides, which logarithms do not show.
        """
        owed = self.owed.sum(axis=1)
        timed = (self.last != MISSING_TICK) & (self.now != MISSING_TICK)
        left = np.where(timed, self.last - self.now, 0)
        whole = np.where(timed, self.last - self.first, 0)
        passed = np.where(timed, self.now - self.first, 0)
        begun = (self.begin != MISSING_TICK) & (self.now != MISSING_TICK)
        return [
            *scale.moment(self.now),
            timed.astype(np.float32),
            scale.length(left),
            scale.length(whole),
            scale.length(passed),
            passed / np.maximum(whole, 1),
            scale.length(np.where(begun, self.now - self.begin, 0)),
            scale.length(np.where(begun, self.end - self.now, 0)),
            np.log1p(self.index) / 2,
            np.log1p(self.place) / 2,
            np.log1p(owed),
            scale.length(left) - np.log1p(owed),
            scale.length(left / np.maximum(owed, 1)),
            np.clip(left / scale.typical - owed, -FEW, FEW) / FEW,
            timed & (left == 0),
            np.minimum(self.run, 8) / 4,
            self.run == 0,
            self.run == 1,
            self.run == 2,
        ]


def row_features(scale: TimeScale, time: Ints, gap: Ints, left: Ints, rank: Ints, age: Ints) -> Floats:
    """What is known of a row beside its event: when, how long after, how often its series was before, how long ago.

    **Shape**: (n,) each -> (n, F).
    """
    columns = [
        *scale.moment(time),
        scale.length(gap),
        scale.length(left),
        np.log1p(rank) / 2,
        rank == 0,
        scale.length(np.where(rank > 0, age, 0)),
    ]
    return np.stack(columns, axis=1).astype(np.float32)
