"""Steps as rows of a flat table: their own slots, and coarse copies of what came before, for models that count.

The event of a step (what happens, after which gap) stands beside the event before it, the unit's own row, the open
owner, what is owed. The row of a table stands beside its unit, its owner, the row before it and the last of its series.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from synthkit.encoding.arrays import Bools, Ints
from synthkit.encoding.layout import Layout, Slot
from synthkit.encoding.units.event_coding import EventCoding
from synthkit.encoding.units.sequences import Grouped, Sequences, states
from synthkit.encoding.units.step_state import StepState
from synthkit.encoding.units.unit_clock import MISSING_TICK
from synthkit.encoding.units.unit_encoder import step_times
from synthkit.encoding.units.unit_frames import UnitFrames

GROUPS, KIND_GROUPS = 8, 32  # of a context, and of what happened before
PLACES = np.array([1, 2, 3, 4, 6, 10, 20])  # rows of the owner before, cut here
PASSED = 6  # parts of the time of the owner that are over
OWED = 3  # rows owed that are told apart, and that or more
UNIT, OWNER, ROW_BEFORE, TWIN, EVENT, STEP_MARKS = "unit", "owner ", "before", "twin", "event", "marks"
EVENTS = "(events)"  # the flat table of what happens next, among those of tables
Sources = Mapping[str, Ints]  # codes of what a step stands beside, -1 for none. **Shape**: (n, D) each


@dataclass(frozen=True, kw_only=True)
class ContextSlot:
    """One coarse copy of a slot of something else.

    Args:
        source: what it is copied from.
        slot: the slot there.
        groups: group of each of its levels; one more stands for none. **Shape**: (K,).
    """

    source: str
    slot: int
    groups: Ints

    @property
    def size(self) -> int:
        """Groups, none included."""
        return int(self.groups.max(initial=-1)) + 2

    def codes(self, sources: Sources) -> Ints:
        """Group of each step. **Shape**: -> (n,)."""
        level = sources[self.source][:, self.slot]
        return np.where(level < 0, self.size - 1, self.groups[np.maximum(level, 0)])


@dataclass(frozen=True, kw_only=True)
class FlatSteps:
    """The columns of one flat table.

    Args:
        own: levels of its own slots; these come first.
        contexts: what they stand beside as long as their owner is open.
        slots: which slot of the coding each own one is.
        memories: what came before them, each beside the own slot that it bears on.
    """

    own: tuple[int, ...]
    contexts: tuple[ContextSlot, ...]
    slots: tuple[int, ...] = ()
    memories: tuple[tuple[int, ContextSlot], ...] = ()

    @property
    def sizes(self) -> tuple[int, ...]:
        """Levels of all columns."""
        return (*self.own, *(each.size for each in self.contexts), *(each.size for _, each in self.memories))

    @property
    def mixed_sizes(self) -> tuple[int, ...]:
        """Levels of the columns that a mixture has."""
        return self.sizes[: self.mixed]

    @property
    def mixed(self) -> int:
        """Columns that a mixture has: all but what came before."""
        return len(self.own) + len(self.contexts)

    @property
    def remembered(self) -> tuple[tuple[int, int], ...]:
        """Each own slot with the column of what came before it."""
        return tuple((j, self.mixed + k) for k, (j, _) in enumerate(self.memories))

    def before(self, sources: Sources) -> Ints:
        """Codes of what came before. **Shape**: -> (n, M)."""
        n = len(next(iter(sources.values())))
        found = [each.codes(sources) for _, each in self.memories]
        return np.stack(found, axis=1) if found else np.zeros((n, 0), dtype=np.int64)

    def beside(self, sources: Sources) -> Ints:
        """Codes of the contexts. **Shape**: -> (n, C)."""
        n = len(next(iter(sources.values())))
        return (
            np.stack([each.codes(sources) for each in self.contexts], axis=1)
            if self.contexts
            else np.zeros((n, 0), int)
        )

    def of_source(self, source: str) -> tuple[int, ...]:
        """Columns that are copied from one source."""
        return tuple(len(self.own) + k for k, each in enumerate(self.contexts) if each.source == source)


class StepLayouts(Protocol):
    """The slots of units: of their own rows, of events, and of the rows of each table; who owns whom."""

    @property
    def root(self) -> Layout:
        """Slots of a unit."""
        ...

    @property
    def events(self) -> EventCoding:
        """Slots of an event."""
        ...

    @property
    def payloads(self) -> Mapping[str, Layout]:
        """Slots of a row of each table that has an owner, in order."""
        ...

    @property
    def owners(self) -> Mapping[str, str]:
        """The table that owns each."""
        ...

    @property
    def known(self) -> Mapping[str, int | None]:
        """By table, the slot that tells its series."""
        ...


@dataclass(frozen=True, kw_only=True)
class StepContexts:
    """The flat tables of a coding of units: one of events, one a table of rows.

    Args:
        layout: the slots.
    """

    layout: StepLayouts

    @property
    def tables(self) -> tuple[str, ...]:
        """Tables that have an owner, in order."""
        return tuple(self.layout.payloads)

    @property
    def owning(self) -> tuple[str, ...]:
        """Those of them that own others."""
        return tuple(name for name in self.tables if name in self.layout.owners.values())

    @property
    def kinds(self) -> Ints:
        """Where types with the levels of their series begin among all of them, and the end. **Shape**: (T + 1,)."""
        series = self.layout.events.series
        return np.cumsum([0, *(len(series.get(name, [0])) for name in self.tables)]).astype(np.int64)

    @property
    def gaps(self) -> int:
        """Levels of a gap with its share; one more stands for a gap that is forced."""
        events = self.layout.events
        return events.a_share + len(events.edges) - 1

    def events(self) -> FlatSteps:
        """What happens, and after which gap."""
        events = self.layout.events
        shares = [events.series.get(n, np.array([events.types[t]])) for t, n in enumerate(self.tables)]
        kind = ContextSlot(source=EVENT, slot=0, groups=_commonest(np.concatenate([*shares, np.zeros(0)]), KIND_GROUPS))
        gap = ContextSlot(source=EVENT, slot=1, groups=self._gap_groups())
        marks = tuple(
            ContextSlot(source=STEP_MARKS, slot=k, groups=np.arange(size)) for k, size in enumerate(self._mark_sizes())
        )
        owners = tuple(c for n in self.owning for c in self._copies(OWNER + n, n))
        contexts = (*marks, *self._copies(UNIT, None), *owners)
        memories = ((0, kind), (0, gap), (1, kind), (1, gap))
        return FlatSteps(own=(int(self.kinds[-1]), self.gaps + 1), contexts=contexts, slots=(0, 1), memories=memories)

    def rows(self, name: str) -> FlatSteps:
        """The rows of a table."""
        layout, above = self.layout.payloads[name], self.layout.owners[name]
        coarse = list(layout.coarse)
        sources = (ROW_BEFORE, TWIN) if self.layout.known[name] is not None else (ROW_BEFORE,)
        memories = tuple((coarse.index(c.slot), c) for source in sources for c in self._copies(source, name))
        contexts = [
            *(self._copies(OWNER + above, above) if above in self.tables else ()),
            *self._copies(UNIT, None),
            ContextSlot(source=EVENT, slot=1, groups=self._gap_groups()),
            ContextSlot(source=STEP_MARKS, slot=1, groups=np.arange(self._mark_sizes()[1])),
        ]
        own = tuple(max(layout.sizes[j], 1) for j in coarse)  # a table without rows has slots without levels
        return FlatSteps(own=own, contexts=tuple(contexts), slots=tuple(coarse), memories=memories)

    def _mark_sizes(self) -> list[int]:
        tables = len(self.tables)
        return [tables + 1, len(PLACES) + 1, PASSED + 1, *[OWED + 1] * tables]

    def _gap_groups(self) -> Ints:
        """A group for each level that is no share, a few for shares; the forced ones last. **Shape**: (gaps + 1,)."""
        first, cells = self.layout.events.a_share, len(self.layout.events.edges) - 1
        share = first + np.arange(cells) * min(GROUPS, cells) // max(cells, 1)
        groups = np.concatenate([np.arange(first), share])
        return np.append(groups, groups.max() + 1)

    def _copies(self, source: str, table: str | None) -> tuple[ContextSlot, ...]:
        """Coarse copies of the slots of a unit, or of a row of a table."""
        layout = self.layout.root if table is None else self.layout.payloads[table]
        known = None if table is None else self.layout.known[table]
        return tuple(
            ContextSlot(source=source, slot=j, groups=_grouped(layout.slots[j]))
            for j in layout.coarse
            if not (source == TWIN and j == known) and layout.slots[j].size > 1
        )

    def event_codes(self, event: Ints) -> Ints:
        """Kind and gap of events, -1 for none. **Shape**: (n, E) -> (n, 2)."""
        events, table = self.layout.events, event[:, 0]
        kind = self.kinds[table]
        for name, slot in events.series_slots.items():
            kind = np.where(table == self.tables.index(name), kind + event[:, slot], kind)
        level, cell = event[:, events.gap_slot], event[:, events.gap_slot + 1]
        gap = np.where(level == events.a_share, events.a_share + cell, level)
        none = table < 0
        return np.stack([np.where(none, -1, kind), np.where(none, -1, gap)], axis=1)

    def marks(self, state: StepState) -> Ints:
        """What is known of where steps stand, in few levels. **Shape**: -> (n, 3 + T)."""
        whole = np.where(state.last == MISSING_TICK, -1, state.last - state.first)
        timed = (whole >= 0) & (state.now != MISSING_TICK)
        passed = np.where(timed, state.now - state.first, 0) * PASSED // np.maximum(whole, 1)
        parts = [
            state.owner,
            np.searchsorted(PLACES, state.place, side="right"),
            np.where(timed, np.clip(passed, 0, PASSED - 1), PASSED),
        ]
        return np.column_stack([*parts, np.clip(state.owed, 0, OWED)]).astype(np.int64)


@dataclass(frozen=True, kw_only=True)
class CodedSteps:
    """Steps in a flat table.

    Args:
        cat: levels of all columns. **Shape**: (n, own and contexts).
        unit: number of the unit of each. **Shape**: (n,).
    """

    cat: Ints
    unit: Ints


def coded_events(contexts: StepContexts, sequences: Sequences, frames: UnitFrames) -> CodedSteps:
    """The events of all steps beside what came before them."""
    flat = contexts.events()
    own = contexts.event_codes(sequences.event.numpy().astype(np.int64))
    before = _shifted(own, sequences.offsets)
    sources = {
        EVENT: before,
        STEP_MARKS: _marks(contexts, sequences, frames),
        UNIT: sequences.roots.cat.numpy()[_unit(sequences)],
        **{
            OWNER + name: _codes(sequences, name, np.where(_are(name, contexts, sequences), sequences.owner, -1))
            for name in contexts.owning
        },
    }
    own[:, 1] = np.where(sequences.free, own[:, 1], contexts.gaps)
    return CodedSteps(
        cat=np.concatenate([own, flat.beside(sources), flat.before(sources)], axis=1), unit=_unit(sequences)
    )


def coded_rows(contexts: StepContexts, sequences: Sequences, frames: UnitFrames, name: str) -> CodedSteps:
    """The rows of a table beside what came before them."""
    flat, above = contexts.rows(name), contexts.layout.owners[name]
    step = np.flatnonzero(sequences.table == contexts.tables.index(name))
    cat = sequences.payload[name].cat.numpy().astype(np.int64)[sequences.row[step]]
    unit = _unit(sequences)[step]
    before = np.where(np.r_[False, unit[1:] == unit[:-1]], np.r_[-1, step[:-1]], -1) if len(step) else step
    event = contexts.event_codes(sequences.event.numpy()[step].astype(np.int64))
    event[:, 1] = np.where(sequences.free[step], event[:, 1], contexts.gaps)
    sources = {
        ROW_BEFORE: _codes(sequences, name, before),
        TWIN: _codes(sequences, name, sequences.twin[step]),
        UNIT: sequences.roots.cat.numpy()[unit],
        EVENT: event,
        STEP_MARKS: _marks(contexts, sequences, frames)[step],
        **({OWNER + above: _codes(sequences, above, sequences.owner[step])} if above in contexts.tables else {}),
    }
    own = cat[:, list(flat.slots)]
    return CodedSteps(cat=np.concatenate([own, flat.beside(sources), flat.before(sources)], axis=1), unit=unit)


def _unit(sequences: Sequences) -> Ints:
    return np.repeat(np.arange(len(sequences)), sequences.lengths)


def _are(name: str, contexts: StepContexts, sequences: Sequences) -> Bools:
    """Whether the owner of each step is a row of a table. **Shape**: (steps,)."""
    owner = sequences.owner
    return np.asarray((owner >= 0) & (sequences.table[np.maximum(owner, 0)] == contexts.tables.index(name)))


def _codes(sequences: Sequences, name: str, steps: Ints) -> Ints:
    """Codes of steps that are rows of one table, -1 for none. **Shape**: (n,) -> (n, D)."""
    cat = sequences.payload[name].cat.numpy().astype(np.int64)
    if not len(cat):
        return np.full((len(steps), cat.shape[1]), -1)
    row = np.where(steps >= 0, sequences.row[np.maximum(steps, 0)], 0)
    return np.where((steps < 0)[:, None], -1, cat[row])


def _shifted(codes: Ints, offsets: Ints) -> Ints:
    """Codes of the step before in the unit, -1 for none. **Shape**: (steps, k) -> same."""
    out = np.concatenate([np.full((1, codes.shape[1]), -1), codes[:-1]]) if len(codes) else codes.copy()
    first = offsets[:-1][np.diff(offsets) > 0]
    out[first] = -1
    return out


def _marks(contexts: StepContexts, sequences: Sequences, frames: UnitFrames) -> Ints:
    """See `StepContexts.marks`, of all steps."""
    grouped = Grouped(frames, contexts.tables)
    times = step_times(frames, grouped)
    whole, none = slice(0, int(sequences.offsets[-1])), np.zeros(int(sequences.offsets[-1]), dtype=np.int64)
    return contexts.marks(states(frames, grouped, times, none, 1, whole, none))


def _grouped(slot: Slot) -> Ints:
    """Groups of the levels of a slot: neighbours of equal share where they have an order. **Shape**: (K,)."""
    share = np.exp(slot.prior.astype(np.float64))
    known = share[: slot.size - slot.missing]
    if len(known) <= GROUPS:
        return np.arange(slot.size)
    if slot.ordinal:
        middle = (known.cumsum() - known / 2) / known.sum()
        groups = np.unique(np.minimum((middle * GROUPS).astype(np.int64), GROUPS - 1), return_inverse=True)[1]
    else:
        groups = _commonest(known, GROUPS)
    return np.append(groups, groups.max() + 1) if slot.missing else groups


def _commonest(share: Ints, most: int) -> Ints:
    """The commonest levels alone, the others together. **Shape**: (K,) -> (K,)."""
    rank = np.empty(len(share), dtype=np.int64)
    rank[np.argsort(-share, kind="stable")] = np.arange(len(share))
    return np.minimum(rank, most - 1)
