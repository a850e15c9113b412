"""The encoder of units under a budget: every number in it is public, was bought, or follows from what was."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from synthkit.encoding.arrays import Bools, Floats, Ints
from synthkit.encoding.datetime_numbers import MISSING_STEP, as_steps
from synthkit.encoding.encoder import TableEncoder
from synthkit.encoding.units.event_coding import LEAST_TIED, NO_CLOCK, EventCoding
from synthkit.encoding.units.learned_table import FIRST, LAST, LearnedTable, learned_tables
from synthkit.encoding.units.payload_coding import AS_BEFORE, AS_IN_SERIES, PayloadCoding, may_be_copied
from synthkit.encoding.units.row_ranks import MOST_RANKED, RowRanks, TableRanks, is_ranked, middle_ranks
from synthkit.encoding.units.running_means import RunningMeans
from synthkit.encoding.units.sequences import Grouped, twins
from synthkit.encoding.units.step_state import DAY, TimeScale
from synthkit.encoding.units.unit_clock import UnitClock
from synthkit.encoding.units.unit_encoder import STRETCHES, UnitEncoder, kinds_of, step_times
from synthkit.encoding.units.unit_frames import UnitFrames
from synthkit.encoding.units.value_copies import LEAST_COPIED, LEAST_COPIED_VALUES, before_rows
from synthkit.schema import Datetime
from synthkit.schema.linked import LinkedSchema

FINEST_CELLS, NOISY_CELLS = 128, 24  # of a share of the time left: as they are counted, and as they are kept
GEOMETRIC = 32  # cells from a thousandth on, at either end
CLEAR_GAP = 3.0  # standard deviations of its noise above which a table's rows are known to happen together


@dataclass(frozen=True, kw_only=True)
class UnitCountCells:
    """Cells in which steps are counted to code events and copies, all of them public.

    Args:
        names: tables that have an owner, in order.
        copied: coded columns by table that may repeat.
    """

    names: tuple[str, ...]
    copied: Mapping[str, tuple[str, ...]]

    @classmethod
    def of(cls, encoders: Mapping[str, TableEncoder], learned: Mapping[str, LearnedTable]) -> UnitCountCells:
        """The cells that follow from the coding of the tables."""
        return cls(
            names=tuple(encoders),
            copied={
                name: tuple(
                    c
                    for c in each.codecs
                    if c != learned[name].series and may_be_copied(each, c) and _values(each, c) >= LEAST_COPIED_VALUES
                )
                for name, each in encoders.items()
            },
        )

    @classmethod
    def without_copies(cls, encoders: Mapping[str, TableEncoder]) -> UnitCountCells:
        """The cells of events alone."""
        return cls(names=tuple(encoders), copied={name: () for name in encoders})

    @property
    def edges(self) -> Floats:
        """Shares of the time left between which gaps are counted. **Shape**: (FINEST_CELLS + 2 GEOMETRIC + 1,)."""
        small = np.geomspace(1e-4, 0.5 / FINEST_CELLS, GEOMETRIC)
        return np.unique(np.concatenate([[0.0], small, np.linspace(0, 1, FINEST_CELLS + 1), 1 - small, [1.0]]))

    @property
    def gap_cells(self) -> int:
        """Cells of a gap: no clock, no gap, all that is left, and a share."""
        return 3 + len(self.edges) - 1

    def types(self, frames: UnitFrames) -> Ints:
        """Table of each step, and whether it happens with the row before: 2 t, 2 t + 1. **Shape**: (steps,)."""
        times = step_times(frames, Grouped(frames, self.names))
        together = times.timed & ~times.first & (times.time == times.base)
        return np.asarray(2 * frames.order.table + together)

    def gaps(self, frames: UnitFrames) -> Ints:
        """Cell of the gap of each step, -1 where it is forced. **Shape**: (steps,)."""
        times = step_times(frames, Grouped(frames, self.names))
        gap = np.clip(times.time - times.base, 0, times.left)
        share = gap / np.maximum(times.left, 1)
        cell = 3 + np.clip(np.searchsorted(self.edges, share, side="right") - 1, 0, len(self.edges) - 2)
        cell = np.where(gap == 0, 1, np.where(gap >= times.left, 2, cell))
        cell = np.where(times.timed, cell, 0)
        return np.where(times.timed & (times.first | times.last), -1, cell)

    def copies(self, name: str, column: str, frames: UnitFrames, encoder: TableEncoder) -> Ints:
        """Whether rows repeat a value: anew, as before, as in the series; -1 without a row before. **Shape**: (n,)."""
        before, values = before_rows(name, frames), _codes(frames.frames[name], column, encoder)
        last = last_in_series(name, frames, encoder)
        again = (values == values[np.maximum(before, 0)]) & (before >= 0) if len(values) else before >= 0
        continued = (values == values[np.maximum(last, 0)]) & (last >= 0) if len(values) else last >= 0
        cell = np.where(continued, AS_IN_SERIES, np.where(again, AS_BEFORE, 0))
        return np.where(before >= 0, cell, -1)


@dataclass(frozen=True, kw_only=True)
class UnitCounts:
    """What was told of those cells, with noise.

    Args:
        types: rows of each table, and of those that happen with the row before. **Shape**: (2 T,).
        gaps: rows in each cell of the gap. **Shape**: (gap cells,).
        copies: by table and column, rows that take a value anew, as before, as in the series. **Shape**: (3,) each.
        sigma: standard deviation of the noise on each.
    """

    types: Floats
    gaps: Floats
    copies: Mapping[tuple[str, str], Floats]
    sigma: float


def noisy_unit_encoder(
    schema: LinkedSchema,
    clock: UnitClock,
    encoders: Mapping[str, TableEncoder],
    cells: UnitCountCells,
    told: UnitCounts,
) -> UnitEncoder:
    """A coding of units of which every number was bought.

    Args:
        schema: the published one.
        clock: how it tells time.
        encoders: of all tables, that of units among them.
        cells: in which steps were counted.
        told: those counts.
    """
    learned = learned_tables(schema, clock)
    plain = {name: TableEncoder.of(learned[name].schema, each.codecs) for name, each in encoders.items()}
    root = plain.pop(schema.unit)
    payloads = {name: _payload(learned[name], each, cells, told) for name, each in plain.items()}
    types = np.maximum(told.types.reshape(-1, 2).sum(axis=1), 1.0)
    events = _events(tuple(plain), payloads, types, cells, told)
    ranks = RowRanks(tables=tuple(_ranks(each, rows) for each, rows in zip(payloads.values(), types, strict=True)))
    parts = [events.series.get(n, np.array([t])) for n, t in zip(plain, types, strict=True)]
    return UnitEncoder(
        schema=schema,
        clock=clock,
        learned=learned,
        root=root,
        payloads=payloads,
        events=events,
        kinds=kinds_of(np.concatenate(parts) if parts else np.zeros(0)),
        scale=_scale(root, clock),
        ranks=ranks,
        means=RunningMeans.of(payloads, events.types, ranks),
    )


def last_in_series(name: str, frames: UnitFrames, encoder: TableEncoder) -> Ints:
    """Last row of the same series in the unit before each row, -1 for none; the row before without series."""
    series = _series(frames.learned[name], encoder)
    if series is None:
        return before_rows(name, frames)
    unit = np.searchsorted(frames.order.offsets, frames.order.step[name], side="right")
    none = np.zeros(len(frames.order.offsets) + 1, dtype=np.int64)
    return twins(unit, _codes(frames.frames[name], series, encoder, coarse=True), none)[0]


def _series(each: LearnedTable, encoder: TableEncoder) -> str | None:
    """Column of the series, if it is coded by itself and has levels."""
    name = each.series
    if name is None or (name,) not in encoder.recoding.columns.values():
        return None
    return name if len(encoder.codecs[name].level_counts) else None


def _codes(frame: object, column: str, encoder: TableEncoder, *, coarse: bool = False) -> Ints:
    """A number for the code of each row in a coded column, residual included. **Shape**: (n,)."""
    coded = encoder.recoding.forward(frame)  # type: ignore[arg-type]
    levels, residual = encoder.codecs[column].encode_column(coded[list(encoder.recoding.columns[column])])
    if coarse:
        return levels[:, 0].astype(np.int64)
    whole = np.concatenate([levels.astype(np.float64), residual.astype(np.float64)], axis=1)
    return np.unique(whole, axis=0, return_inverse=True)[1].ravel().astype(np.int64)


def _values(encoder: TableEncoder, column: str) -> int:
    """Values that a coded column tells apart at least."""
    sizes = [encoder.layout.sizes[j] for j in encoder.layout.slots_of(column)]
    return int(np.prod(sizes))


def _chance(encoder: TableEncoder, column: str) -> float:
    """How often two values of a column are equal by chance, as its coding has it."""
    slots = [encoder.layout.slots[j] for j in encoder.layout.slots_of(column)]
    p = np.exp(slots[0].prior.astype(np.float64))
    within = np.ones(len(p)) if len(slots) < 2 else np.exp(2 * slots[1].prior.astype(np.float64)).sum(axis=1)
    return float((p**2 * np.where(within > 0, np.minimum(within, 1), 1)).sum())


def _payload(each: LearnedTable, encoder: TableEncoder, cells: UnitCountCells, told: UnitCounts) -> PayloadCoding:
    """The coding of a table, with copies where clearly more rows repeat a value than do by chance."""
    series, copies, nearest = _series(each, encoder), dict[str, Ints](), dict[str, Ints]()
    size = 1 if series is None else len(encoder.codecs[series].level_counts)
    for column in cells.copied[each.name]:
        counts = np.maximum(told.copies[each.name, column], 0.0)
        rows = max(float(counts.sum()), 1.0)
        if counts[1:].sum() / rows - _chance(encoder, column) < LEAST_COPIED:
            continue
        if series is None:
            copies[column] = np.round([[counts[0] + 1, counts[1:].sum() + 1]]).astype(np.int64)
            continue
        copies[column] = np.tile(np.round(counts + 1).astype(np.int64), (size, 1))
        nearest[column] = np.full(size, AS_IN_SERIES if counts[AS_IN_SERIES] >= counts[AS_BEFORE] else AS_BEFORE)
    return PayloadCoding(encoder=encoder, copies=copies, series=series, nearest=nearest)


def _events(
    names: tuple[str, ...],
    payloads: Mapping[str, PayloadCoding],
    types: Floats,
    cells: UnitCountCells,
    told: UnitCounts,
) -> EventCoding:
    """The coding of events: gaps cut where about equally many rows lie, by what was told."""
    shares = np.maximum(told.gaps[3:], 0.0)
    filled = shares.cumsum()
    edges = cells.edges
    if filled[-1] > 0:
        wanted = np.linspace(0, 1, NOISY_CELLS + 1)[1:-1] * filled[-1]
        edges = np.unique(np.concatenate([[0.0], edges[1:][np.searchsorted(filled, wanted)], [1.0]]))
    gaps = np.maximum(np.array([told.gaps[1], told.gaps[2], told.gaps[3:].sum()]), 1.0)
    together = told.types.reshape(-1, 2)[:, 1]
    tied = (together >= LEAST_TIED * types) & (together >= CLEAR_GAP * told.sigma)
    return EventCoding(
        tables=names,
        types=np.round(types).astype(np.int64),
        tied=_clockless(tied, told, names),
        series={
            n: np.maximum(np.asarray(p.encoder.codecs[p.series].level_counts, dtype=np.float64), 0.0)
            for n, p in payloads.items()
            if p.series is not None
        },
        atoms=np.zeros(1, dtype=np.int64),
        gaps=np.round(np.concatenate([[max(told.gaps[NO_CLOCK], 1.0)], gaps])).astype(np.int64),
        edges=edges,
    )


def _clockless(tied: Bools, told: UnitCounts, names: tuple[str, ...]) -> Bools:
    """Tables whose rows may happen together; those of which too few were seen may as well. **Shape**: (T,)."""
    rows = told.types.reshape(-1, 2).sum(axis=1)
    return np.asarray(tied | (LEAST_TIED * rows < CLEAR_GAP * told.sigma))[: len(names)]


def _ranks(coding: PayloadCoding, rows: float) -> TableRanks:
    """Ranks of the levels of a table's numbers, by the shares its coding has; all series have the same."""
    ranked = [c for c in coding.encoder.codecs if is_ranked(coding, c)][:MOST_RANKED]
    slots = np.array([coding.coarse(c) for c in ranked], dtype=np.int64)
    sizes = [coding.layout.sizes[j] for j in slots]
    ranks = np.full((len(ranked), 1, max(sizes, default=1)), np.nan)
    for k, j in enumerate(slots):
        slot = coding.layout.slots[j]
        known = slot.size - slot.missing
        ranks[k, :, :known] = middle_ranks(rows * np.exp(slot.prior.astype(np.float64))[None, :known])
    series = coding.series_slot
    groups = 1 if series is None else coding.layout.sizes[series]
    return TableRanks(
        slots=slots, series=series, group=np.zeros(groups, dtype=np.int64), rows=np.array([round(rows)]), ranks=ranks
    )


def _scale(root: TableEncoder, clock: UnitClock) -> TimeScale:
    """In what times are told: between the first and the last moment that the coding of units knows."""
    ends = [_reach(root, name, clock) for name in (FIRST, LAST) if name in root.codecs]
    low = min((x[0] for x in ends), default=0.0)
    high = max((x[1] for x in ends), default=1.0)
    reach = max(high - low, 1.0)
    return TimeScale(
        typical=max(reach / 64, 1.0),
        origin=low,
        reach=reach,
        day=DAY / clock.tick if clock.moments else 0.0,
        knots=tuple(np.linspace(low, high, STRETCHES + 1).tolist()) if ends else (),
    )


def _reach(root: TableEncoder, name: str, clock: UnitClock) -> tuple[float, float]:
    """Smallest and largest moment of a coded column, in ticks; those of a gap do not count."""
    if name in {gap.column for gap in root.recoding.gaps}:
        return np.inf, -np.inf
    codec, kind = root.codecs[name], root.schema.columns[name]
    size = root.layout.sizes[root.layout.slots_of(name)[0]]
    levels = np.zeros((size, len(root.layout.slots_of(name))), dtype=np.int64)
    levels[:, 0] = np.arange(size)
    cells = codec.decode_column(levels, np.zeros((size, len(root.layout.residuals_of(name))), dtype=np.float32))[0]
    if isinstance(kind, Datetime):
        steps = as_steps(cells)
        ticks = steps[steps != MISSING_STEP] * clock.step(kind)
    else:
        numbers = np.array([np.nan if x is None else float(x) for x in cells])
        ticks = numbers[~np.isnan(numbers)] * 10.0**clock.tick
    return (float(ticks.min()), float(ticks.max())) if len(ticks) else (np.inf, -np.inf)
