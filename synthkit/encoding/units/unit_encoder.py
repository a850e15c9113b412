"""The encoder of units: linked tables as sequences of small integers.

Values are coded by histograms. Gaps, times, copies, ranks and what follows a series are read from the rows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from synthkit.encoding.arrays import Bools, Floats, Ints
from synthkit.encoding.coding import Coding
from synthkit.encoding.encoder import TableEncoder
from synthkit.encoding.histogram_query import Ask
from synthkit.encoding.layout import Rows
from synthkit.encoding.units.event_coding import LEAST_TIED, EventCoding, fit_event_coding
from synthkit.encoding.units.learned_table import LearnedTable, learned_tables, pointer
from synthkit.encoding.units.payload_coding import PayloadCoding
from synthkit.encoding.units.row_ranks import RowRanks, TableRanks, fit_ranks
from synthkit.encoding.units.running_means import RunningMeans
from synthkit.encoding.units.sequences import Grouped, Sequences, StepTimes, of_owner, portions, states, twins
from synthkit.encoding.units.step_state import DAY, TimeScale, row_features
from synthkit.encoding.units.unit_clock import MISSING_TICK, UnitClock
from synthkit.encoding.units.unit_frames import UnitFrames
from synthkit.encoding.units.unit_order import UnitOrder
from synthkit.encoding.units.value_copies import before_rows, with_copies
from synthkit.tables.linked_tables import LinkedTables

if TYPE_CHECKING:
    from synthkit.schema.linked import LinkedSchema

MOST_KINDS, HASHED_KINDS = 48, 8  # kinds of events that are counted each, and together
STEPS_AT_ONCE = 2**16
STRETCHES = 16  # of time, in each of which equally many rows happen


@dataclass(frozen=True, kw_only=True)
class UnitEncoder:
    """A fitted, reversible coding of linked tables.

    Args:
        schema: meaning of the tables.
        clock: how they tell time.
        learned: what is learned of each.
        root: coding of the units.
        payloads: coding of each table that has an owner, in order.
        events: coding of what happens next.
        kinds: which counter each type, or level of its series, belongs to. **Shape**: (types and levels,).
        scale: in what times are told.
        ranks: of the numbers of rows.
        means: what is followed of a unit.
    """

    schema: LinkedSchema
    clock: UnitClock
    learned: Mapping[str, LearnedTable]
    root: TableEncoder
    payloads: Mapping[str, PayloadCoding]
    events: EventCoding
    kinds: Ints
    scale: TimeScale
    ranks: RowRanks
    means: RunningMeans

    @classmethod
    def fit(
        cls,
        frames: UnitFrames,
        schema: LinkedSchema,
        clock: UnitClock,
        root: TableEncoder,
        ask: Callable[[str], Ask],
        coding: Coding,
        *,
        copies: bool = True,
    ) -> UnitEncoder:
        """Fit the coding of every table to histograms; that of events, copies, ranks and times to the rows.

        Args:
            frames: the units; their gaps, times, repeats, ranks and series are looked at here.
            schema: what the tables mean.
            clock: how they tell time.
            root: coding of the units.
            ask: answers queries about a table's learned columns.
            coding: how finely numbers are cut.
            copies: whether values that rows repeat point at them.
        """
        names = tuple(schema.graph.owners)
        plain = {name: TableEncoder.fit(frames.learned[name].schema, ask(name), coding) for name in names}
        payloads = {n: _payload(n, frames, plain[n], copies=copies) for n in names}
        grouped = Grouped(frames, names)
        times = step_times(frames, grouped)
        free = times.timed & ~times.first & ~times.last
        types = {name: len(frames.frames[name]) for name in names}
        series = {
            n: np.asarray(p.encoder.codecs[p.series].level_counts, dtype=np.float64)
            for n, p in payloads.items()
            if p.series is not None
        }
        gap, left = times.time - times.base, times.left
        tied = _tied(times, frames.order.table, len(names))
        events = fit_event_coding(types, tied, series, gap[free], left[free], int((~times.timed).sum()))
        ranks = RowRanks(tables=tuple(fit_ranks(n, frames, p) for n, p in payloads.items()))
        flat = np.concatenate([series.get(n, np.array([float(types[n])])) for n in names]) if names else np.zeros(0)
        return cls(
            schema=schema,
            clock=clock,
            learned=frames.learned,
            root=root,
            payloads=payloads,
            events=events,
            kinds=kinds_of(flat),
            scale=_scale(times, gap[free], clock),
            ranks=ranks,
            means=RunningMeans.of(payloads, events.types, ranks),
        )

    @property
    def tables(self) -> tuple[str, ...]:
        """Those that have an owner, in order."""
        return tuple(self.payloads)

    @property
    def counters(self) -> int:
        """How many kinds of events are counted."""
        return int(self.kinds.max(initial=0)) + 1

    def series_offset(self, table: int) -> int:
        """Where the levels of a table's series begin among all types and levels."""
        return sum(len(self.events.series.get(n, [0])) for n in self.tables[:table])

    def frames(self, tables: LinkedTables) -> UnitFrames:
        """What is learned of linked tables; rows they share are not those that were shared in training."""
        none = {name: np.empty(0, dtype=np.int64) for name in tables.shared}
        out = UnitFrames.of(tables, self.learned, self.clock, none)
        frames = dict(out.frames)
        for name, coding in self.payloads.items():
            for k, kind in self.learned[name].linked.items():
                if kind == "shared":
                    codec = coding.encoder.codecs[pointer(k)]
                    strange, usual = codec.unseen(frames[name][[pointer(k)]])
                    frames[name] = frames[name].assign(**{pointer(k): frames[name][pointer(k)].mask(strange, usual[0])})
        return replace(out, frames=frames)

    def encode(self, frames: UnitFrames) -> Sequences:
        """Encode units.

        Raises:
            EncodingError: a column holds values without a code; the message names it.
        """
        order, names = frames.order, self.tables
        grouped = Grouped(frames, names)
        times = step_times(frames, grouped)
        gap = np.clip(times.time - times.base, 0, times.left)
        plain = {name: self.payloads[name].encoder.encode(frames.frames[name]) for name in names}
        series = self._series(plain, order.table, order.row)
        twin, place, rank = twins(grouped.unit, series, order.offsets)
        payload = {n: self._widened(n, plain[n], frames, twin) for n in names}
        moment = grouped.moments(times.time, times.timed)
        event = self._event(times, gap, payload, order.table, order.row)
        age = np.where(twin >= 0, times.time - times.time[np.maximum(twin, 0)], 0)
        ranked = self._ranked(payload, order.table, order.row)
        echoes = self.ranks.echoes(ranked, twin, place + order.offsets[grouped.unit])
        told = np.concatenate([row_features(self.scale, times.time, gap, times.left - gap, rank, age), echoes], axis=1)
        state = self._states(frames, grouped, times, self.kinds[series], moment)
        past = self._past(order, ranked, payload)
        return Sequences(
            offsets=order.offsets,
            table=order.table,
            row=order.row,
            owner=order.owner,
            event=torch.from_numpy(event.astype(np.int32)),
            free=times.timed & ~times.first & ~times.last,
            state=torch.from_numpy(np.concatenate([state, past], axis=1)),
            told=torch.from_numpy(_half(told)),
            payload=payload,
            twin=twin,
            twin_place=place,
            twin_rank=rank,
            moment=moment,
            roots=self.root.encode(frames.frames[self.schema.unit]),
        )

    def _states(self, frames: UnitFrames, grouped: Grouped, times: StepTimes, kind: Ints, moment: Ints) -> Floats:
        """Features of what was known before each step, some units at a time. **Shape**: (steps, F) float16."""
        parts = []
        for _, part in portions(frames.order.offsets, STEPS_AT_ONCE):
            state = states(frames, grouped, times, kind, self.counters, part, moment)
            parts.append(_half(state.features(self.scale)))
        return np.concatenate(parts) if parts else np.zeros((0, 1), dtype=np.float16)

    def _ranked(self, payload: Mapping[str, Rows], table: Ints, row: Ints) -> Floats:
        """Ranks of the numbers of each step. **Shape**: (steps, width)."""
        out = np.full((len(table), self.ranks.width), np.nan)
        for t, name in enumerate(self.tables):
            mine = table == t
            out[mine] = self.ranks.tables[t].of(payload[name].cat.numpy(), self.ranks.width)[row[mine]]
        return out

    def _past(self, order: UnitOrder, ranked: Floats, payload: Mapping[str, Rows]) -> Floats:
        """What the rows before each step were like, some units at a time. **Shape**: (steps, width) float16."""
        parts = []
        for units, part in portions(order.offsets, STEPS_AT_ONCE):
            x = np.zeros((part.stop - part.start, self.means.followed))
            some = np.zeros(x.shape, dtype=bool)
            for t, name in enumerate(self.tables):
                mine = np.flatnonzero(order.table[part] == t)
                cat = payload[name].cat.numpy()[order.row[part][mine]]
                x[mine], some[mine] = self.means.told(t, cat, ranked[part][mine], self.ranks.tables[t].groups(cat))
            begin = np.repeat(order.offsets[:-1][units], np.diff(order.offsets)[units]) - part.start
            parts.append(_half(self.means.before(x, some, begin)))
        return np.concatenate(parts) if parts else np.zeros((0, self.means.width), dtype=np.float16)

    def _series(self, plain: Mapping[str, Rows], table: Ints, row: Ints) -> Ints:
        """Number of the type, or level of its series, of each step among all of them."""
        out = np.zeros(len(table), dtype=np.int64)
        for t, name in enumerate(self.tables):
            mine, coding = table == t, self.payloads[name]
            level: Any = 0
            if coding.series is not None:
                slot = coding.encoder.layout.slots_of(coding.series)[0]
                level = plain[name].cat[:, slot].numpy()[row[mine]]
            out[mine] = self.series_offset(t) + level
        return out

    def _widened(self, name: str, rows: Rows, frames: UnitFrames, twin: Ints) -> Rows:
        """Encoded rows of a table with their copy slots."""
        order = frames.order
        step = order.step[name]
        last = twin[step]
        return self.payloads[name].widen(rows, before_rows(name, frames), np.where(last >= 0, order.row[last], -1))

    def _event(self, times: StepTimes, gap: Ints, payload: Mapping[str, Rows], table: Ints, row: Ints) -> Ints:
        """Levels of the event slots. **Shape**: (steps, slots)."""
        events = self.events
        out = np.zeros((len(table), len(events.layout.slots)), dtype=np.int64)
        out[:, 0] = table
        for name, slot in events.series_slots.items():
            mine = table == self.tables.index(name)
            at = self.payloads[name].series_slot
            assert at is not None
            out[mine, slot] = payload[name].cat[:, at].numpy()[row[mine]]
        out[:, events.gap_slot], out[:, events.gap_slot + 1] = events.told(gap, times.left, times.timed)
        return out

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON; the schema travels beside it."""
        return {
            "classes": self.learned[self.schema.unit].classes,
            "root": self.root.to_dict(),
            "payloads": {name: each.to_dict() for name, each in self.payloads.items()},
            "events": self.events.to_dict(),
            "kinds": self.kinds.tolist(),
            "scale": asdict(self.scale),
            "ranks": [each.to_dict() for each in self.ranks.tables],
            "means": self.means.to_dict(),
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any], schema: LinkedSchema) -> UnitEncoder:
        """Read what `to_dict` gave."""
        clock = UnitClock.of(schema)
        learned = learned_tables(schema, clock, int(data["classes"]))
        return cls(
            schema=schema,
            clock=clock,
            learned=learned,
            root=TableEncoder.from_dict(data["root"], learned[schema.unit].schema),
            payloads={n: PayloadCoding.from_dict(d, learned[n].schema) for n, d in data["payloads"].items()},
            events=EventCoding.from_dict(data["events"]),
            kinds=np.array(data["kinds"], dtype=np.int64),
            scale=TimeScale(**data["scale"] | {"knots": tuple(data["scale"]["knots"])}),
            ranks=RowRanks(tables=tuple(map(TableRanks.from_dict, data["ranks"]))),
            means=RunningMeans.from_dict(data["means"]),
        )


def step_times(frames: UnitFrames, grouped: Grouped) -> StepTimes:
    """When the steps of units happen."""
    order, names = frames.order, grouped.names
    n = len(order.table)
    time, floor = np.zeros(n, dtype=np.int64), np.full(n, MISSING_TICK)
    timed = np.zeros(n, dtype=bool)
    for name in names:
        each, when, step = frames.learned[name], frames.times[name], order.step[name]
        time[step], timed[step] = when.start, each.timed
        if not each.overlaps and len(step) > 1:
            same = order.owner[step[1:]] == order.owner[step[:-1]]
            same &= grouped.unit[step[1:]] == grouped.unit[step[:-1]]
            floor[step[1:]] = np.where(same, when.until[:-1], MISSING_TICK)
    root = next(each.name for each in frames.learned.values() if each.owner is None)
    time = np.where(
        time == MISSING_TICK,
        np.where(frames.spans[root][0] == MISSING_TICK, 0, frames.spans[root][0])[grouped.unit],
        time,
    )
    before = grouped.latest(timed)
    last = np.zeros(n, dtype=np.int64)
    last[timed] = of_owner(frames, grouped, slice(None), 1)[timed]
    base = np.maximum(np.where(before >= 0, time[np.maximum(before, 0)], time), floor)
    base = np.where(timed, np.minimum(base, time), time)
    total = grouped.before(timed)
    owned = np.bincount(grouped.group, weights=timed, minlength=grouped.group.max(initial=0) + 1)[grouped.group]
    return StepTimes(
        time=time,
        base=base,
        left=np.where(timed, np.maximum(last - base, 0), 0),
        timed=timed,
        first=timed & (before < 0),
        last=timed & (total + 1 == owned),
        before=before,
    )


def _payload(name: str, frames: UnitFrames, encoder: TableEncoder, *, copies: bool) -> PayloadCoding:
    """The coding of a table, with the copies that its rows suggest."""
    each = frames.learned[name]
    series = each.series if each.series is not None and (each.series,) in encoder.recoding.columns.values() else None
    if series is not None and not len(encoder.codecs[series].level_counts):  # of no rows no series can be told
        series = None
    draft = PayloadCoding(encoder=encoder, copies={}, series=series)
    return with_copies(draft, name, frames) if copies else draft


def _half(features: Floats) -> Floats:
    """The same in float16, whose ends stand for what lies beyond them: nothing overflows, so nothing is warned of."""
    most = float(np.finfo(np.float16).max)
    return np.asarray(np.clip(features, -most, most).astype(np.float16))


def _tied(times: StepTimes, table: Ints, tables: int) -> Bools:
    """Tables whose rows happen together with the row before of their owner, or too few to tell. **Shape**: (T,)."""
    later = times.timed & ~times.first
    together = later & (times.time == times.base)
    rows, tied = (np.bincount(table[some], minlength=tables) for some in (later, together))
    return np.asarray((tied >= LEAST_TIED * rows) | (LEAST_TIED * rows < 1))


def kinds_of(counts: Floats) -> Ints:
    """A counter for each of the commonest kinds, the others hashed into a few."""
    rank = np.empty(len(counts), dtype=np.int64)
    rank[np.argsort(-counts, kind="stable")] = np.arange(len(counts))
    return np.where(rank < MOST_KINDS, rank, MOST_KINDS + np.arange(len(counts)) % HASHED_KINDS)


def _scale(times: StepTimes, gap: Ints, clock: UnitClock) -> TimeScale:
    """In what the times of these steps are told."""
    told = times.time[times.timed]
    low, high = (float(told.min()), float(told.max())) if len(told) else (0.0, 1.0)
    some = gap[gap > 0]
    typical = float(np.median(some)) if len(some) else max((high - low) / 10, 1.0)
    return TimeScale(
        typical=max(typical, 1.0),
        origin=low,
        reach=max(high - low, 1.0),
        day=DAY / clock.tick if clock.moments else 0.0,
        knots=tuple(np.unique(np.quantile(told, np.linspace(0, 1, STRETCHES + 1))).tolist()) if len(told) else (),
    )
