"""Encoded units: every row a step, with its codes, what was known before it, and where its relatives stand."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from torch import Tensor

from synthkit.encoding.arrays import Bools, Ints
from synthkit.encoding.layout import Rows
from synthkit.encoding.units.step_state import StepState
from synthkit.encoding.units.unit_clock import MISSING_TICK
from synthkit.encoding.units.unit_frames import UnitFrames


@dataclass(frozen=True, kw_only=True)
class Sequences:
    """The steps of units, one after the other.

    Args:
        offsets: where the steps of each unit begin, and the end. **Shape**: (units + 1,).
        table: number of the table of each step. **Shape**: (steps,).
        row: row of that table. **Shape**: (steps,).
        owner: step of the owner, -1 for the unit. **Shape**: (steps,).
        event: levels of the event slots. **Shape**: (steps, slots).
        free: whether the gap was not forced, as it is for the first and the last row in time. **Shape**: (steps,).
        state: features of what was known before. **Shape**: (steps, F).
        told: features of what is known once the event is. **Shape**: (steps, G).
        payload: encoded rows of each table.
        twin: last step of the same series in the unit, -1 for none. **Shape**: (steps,).
        twin_place: place of the step among those of its unit sorted by series. **Shape**: (steps,).
        twin_rank: steps of the series before. **Shape**: (steps,).
        moment: first step of the last moment at which the owner had rows, itself for none. **Shape**: (steps,).
        roots: encoded rows of the units.
    """

    offsets: Ints
    table: Ints
    row: Ints
    owner: Ints
    event: Tensor
    free: Bools
    state: Tensor
    told: Tensor
    payload: Mapping[str, Rows]
    twin: Ints
    twin_place: Ints
    twin_rank: Ints
    moment: Ints
    roots: Rows

    def __len__(self) -> int:
        return len(self.offsets) - 1

    @property
    def lengths(self) -> Ints:
        """Steps of each unit. **Shape**: (units,)."""
        return np.diff(self.offsets)


@dataclass(frozen=True, kw_only=True)
class StepTimes:
    """When steps happen. **Shape**: (steps,) each.

    Args:
        time: of the step.
        base: moment from which its gap is told.
        left: ticks from there to the last moment of its owner.
        timed, first, last: whether it is told by the clock; whether it is the first or the last such row of its owner.
        before: last step of the same owner that is told by the clock, -1 for none.
    """

    time: Ints
    base: Ints
    left: Ints
    timed: Bools
    first: Bools
    last: Bools
    before: Ints


class Grouped:
    """Steps sorted by owner, to ask what happened before among the rows of one owner.

    Args:
        frames: the units.
        names: tables that have an owner, in order.
    """

    def __init__(self, frames: UnitFrames, names: tuple[str, ...]) -> None:
        order, self.frames, self.names = frames.order, frames, names
        self.unit = np.repeat(np.arange(len(order.offsets) - 1), np.diff(order.offsets))
        units = len(order.offsets) - 1
        self.group = np.where(order.owner >= 0, units + order.owner, self.unit)
        self.sorted = np.argsort(self.group, kind="stable")
        self.back = np.empty_like(self.sorted)
        self.back[self.sorted] = np.arange(len(self.sorted))
        here = self.group[self.sorted]
        self.start = np.searchsorted(here, here)

    def before(self, marked: Bools | Ints) -> Ints:
        """How much of something the rows of the same owner had before each step. **Shape**: (steps, ...) -> same."""
        inside = marked[self.sorted].astype(np.int64)
        total = np.concatenate([np.zeros((1, *inside.shape[1:]), dtype=np.int64), inside.cumsum(axis=0)])
        return np.asarray((total[:-1] - total[self.start])[self.back])

    def moments(self, time: Ints, timed: Bools) -> Ints:
        """First step of the last moment at which the same owner had rows before each step; itself for none.

        Rows without a clock happen at one moment. **Shape**: (steps,), (steps,) -> (steps,).
        """
        value = np.where(timed, time, np.iinfo(np.int64).min)[self.sorted]
        at = np.arange(len(value))
        new = np.ones(len(value), dtype=bool)
        new[1:] = (value[1:] != value[:-1]) | (self.start[1:] == at[1:])
        begin = np.maximum.accumulate(np.where(new, at, 0)) if len(at) else at
        before = np.concatenate([[0], begin[:-1]]) if len(at) else at
        found = np.where(at > self.start, self.sorted[before], self.sorted)
        return np.asarray(found[self.back])

    def latest(self, marked: Bools) -> Ints:
        """Last marked step of the same owner before each, -1 for none. **Shape**: (steps,) -> (steps,)."""
        at = np.where(marked[self.sorted], np.arange(len(self.sorted)), -1)
        last = np.concatenate([[-1], np.maximum.accumulate(at)[:-1]]) if len(at) else at
        last = np.where(last >= self.start, last, -1)
        return np.where(last >= 0, self.sorted[last], -1)[self.back]

    @cached_property
    def top(self) -> Ints:
        """The step right below the unit that each step belongs to at last. **Shape**: (steps,)."""
        return top_steps(self.frames.order.owner)

    @cached_property
    def place(self) -> Ints:
        """Rows of the same owner before each step. **Shape**: (steps,)."""
        return self.before(np.ones(len(self.group), dtype=bool))

    @cached_property
    def owed(self) -> Ints:
        """Rows of each table that the owner of each step still lacks before it. **Shape**: (steps, T)."""
        order, frames = self.frames.order, self.frames
        out = np.zeros((len(order.table), len(self.names)), dtype=np.int64)
        above = np.where(order.owner >= 0, order.table[order.owner], -1)
        above_row = np.where(order.owner >= 0, order.row[order.owner], self.unit)
        for t, child in enumerate(self.names):
            owner = frames.learned[child].owner
            number = self.names.index(owner) if owner in self.names else -1
            mine = above == number
            out[mine, t] = frames.counts[child][above_row[mine]]
        return np.asarray(out - self.before(np.eye(len(self.names), dtype=np.int64)[order.table]))


def top_steps(owner: Ints) -> Ints:
    """The step right below the unit that each step belongs to at last. **Shape**: (steps,) -> (steps,)."""
    top = np.arange(len(owner))
    while (owner[top] >= 0).any():
        top = np.where(owner[top] >= 0, owner[top], top)
    return top


def twins(unit: Ints, series: Ints, offsets: Ints) -> tuple[Ints, Ints, Ints]:
    """Of each step: the last of its series in the unit, its place when sorted by series, and how many came before.

    **Shape**: (steps,), (steps,) -> three of (steps,).
    """
    order = np.lexsort((np.arange(len(unit)), series, unit))
    place = np.empty_like(order)
    place[order] = np.arange(len(order))
    same = np.zeros(len(order), dtype=bool)
    same[1:] = (unit[order][1:] == unit[order][:-1]) & (series[order][1:] == series[order][:-1])
    begin = np.maximum.accumulate(np.where(same, 0, np.arange(len(order)))) if len(order) else order
    last = np.where(same, np.roll(order, 1), -1)
    return last[place], place - offsets[unit], (np.arange(len(order)) - begin)[place]


def states(
    frames: UnitFrames, grouped: Grouped, times: StepTimes, kind: Ints, kinds: int, part: slice, moment: Ints
) -> StepState:
    """What was known before some steps, which are those of whole units."""
    order, learned = frames.order, frames.learned
    unit, at = grouped.unit[part], np.arange(len(order.table))[part]
    base = order.offsets[unit]
    top, owed = grouped.top[part], grouped.owed
    owed_unit = owed[top] - (top != at)[:, None] * np.eye(owed.shape[1], dtype=np.int64)[order.table[top]]
    root = next(each for each in learned.values() if each.owner is None).name
    span = [of_owner(frames, grouped, part, k) for k in (0, 1)]
    before = times.before[part]
    above = np.where(order.owner[part] >= 0, times.time[order.owner[part]], frames.spans[root][0][unit])
    now = np.where(before >= 0, times.time[np.maximum(before, 0)], np.where(span[0] != MISSING_TICK, span[0], above))
    happened, latest = _happened(
        kind[part], times.time[part], at - at[0] if len(at) else at, base - (at[0] if len(at) else 0), kinds
    )
    return StepState(
        owed=owed[part],
        owed_unit=owed_unit,
        owner=np.where(order.owner[part] >= 0, order.table[order.owner[part]] + 1, 0),
        now=now,
        first=span[0],
        last=span[1],
        begin=frames.spans[root][0][unit],
        end=frames.spans[root][1][unit],
        index=at - base,
        place=grouped.place[part],
        run=at - moment[part],
        happened=happened,
        latest=latest,
    )


def portions(offsets: Ints, most: int) -> Iterator[tuple[slice, slice]]:
    """Units and their steps: as many units at a time as have so many steps together, at least one."""
    start = 0
    while start < len(offsets) - 1:
        stop = max(int(np.searchsorted(offsets, offsets[start] + most, side="right")) - 1, start + 1)
        yield slice(start, stop), slice(int(offsets[start]), int(offsets[stop]))
        start = stop


def of_owner(frames: UnitFrames, grouped: Grouped, part: slice, k: int) -> Ints:
    """First (0) or last (1) moment of what the owner of each step owns."""
    order, names = frames.order, grouped.names
    root = next(each for each in frames.learned.values() if each.owner is None).name
    out = frames.spans[root][k][grouped.unit[part]].copy()
    owner = order.owner[part]
    for t, name in enumerate(names):
        mine = (owner >= 0) & (order.table[np.maximum(owner, 0)] == t)
        out[mine] = frames.spans[name][k][order.row[owner[mine]]]
    return np.asarray(out)


def _happened(kind: Ints, time: Ints, at: Ints, base: Ints, kinds: int) -> tuple[Ints, Ints]:
    """How often each kind happened before each step of its unit, and when it last did. **Shape**: (n, kinds) each."""
    n = len(kind)
    hit = np.zeros((n + 1, kinds), dtype=np.int32)
    hit[at + 1, kind] = 1
    count = hit.cumsum(axis=0)
    last = np.maximum.accumulate(np.where(hit > 0, np.arange(n + 1)[:, None], 0), axis=0)[:-1]  # step + 1, 0 for none
    happened = count[:-1] - count[base]
    when = np.concatenate([[0], time])
    return np.asarray(happened, dtype=np.int64), np.where(happened > 0, when[last], 0)
