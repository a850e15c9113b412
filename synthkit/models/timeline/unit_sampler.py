"""Draws everything below units: all units advance together, one row each a round."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import count

import numpy as np
import torch
from torch import Tensor

from synthkit.encoding.arrays import Ints
from synthkit.encoding.layout import Given, Rows
from synthkit.encoding.units.begun_units import BegunUnits
from synthkit.encoding.units.drawn_units import DrawnUnits, RoundRows, joined
from synthkit.encoding.units.root_facts import RootFacts
from synthkit.encoding.units.step_state import row_features
from synthkit.encoding.units.unit_clock import LATEST, MISSING_TICK
from synthkit.encoding.units.unit_encoder import UnitEncoder
from synthkit.models.timeline.drawn_round import DrawnRound, DrawnValues, TableMemory
from synthkit.models.timeline.event_masks import EventMasks
from synthkit.models.timeline.once_masks import OnceMask, once_masks
from synthkit.models.timeline.open_owners import OpenOwners
from synthkit.models.timeline.row_drawing import RowDrawing
from synthkit.models.timeline.row_places import RowPlaces
from synthkit.models.timeline.row_times import RowTime, TableTimes, moments, room
from synthkit.models.timeline.step_laws import RoundLaws, StepLaws
from synthkit.models.timeline.unit_memory import PointedRows, UnitMemory
from synthkit.training.matrix_precision import fast_matrices

UNITS_AT_ONCE, DRAWN_AT_ONCE = 4096, 300_000  # units, and about how many rows they may own together


@torch.no_grad()
def draw_below(
    encoder: UnitEncoder,
    laws: StepLaws,
    facts: RootFacts,
    generator: torch.Generator,
    begun: BegunUnits | None = None,
    told: Callable[[int, int], None] | None = None,
) -> DrawnUnits:
    """Draw everything below units.

    Args:
        encoder: the coding.
        laws: of what comes next.
        facts: what is known of the units.
        generator: of the draws.
        begun: what has happened to the units already.
        told: called with how many of the rows right below the units are drawn, and how many there are.
    """
    done, whole = 0, int(facts.owed.sum())
    order = np.argsort(facts.owed.sum(axis=1), kind="stable")
    drawn: dict[str, list[RoundRows]] = {name: [] for name in encoder.tables}
    drawing = RowDrawing(encoder, laws, generator, [0 for _ in encoder.tables])
    with fast_matrices():
        for units in _chunks(order, facts.owed.sum(axis=1), encoder):
            chunk = UnitChunk(drawing, facts.take(units), units, begun)
            for left in chunk.draw(drawn):
                if told is not None and whole:
                    told(done + int(facts.owed[units].sum()) - left, whole)
            done += int(facts.owed[units].sum())
    links = encoder.schema.tables
    to = {
        (n, k): links[n].links[k].to
        for n in encoder.tables
        for k, kind in encoder.learned[n].linked.items()
        if kind == "earlier"
    }
    empty = {
        name: Rows(torch.zeros((0, len(p.layout.slots)), dtype=torch.long), torch.zeros((0, len(p.layout.residuals))))
        for name, p in encoder.payloads.items()
    }
    return joined(drawn, encoder.schema.graph.owners, encoder.schema.unit, to, empty)


def _chunks(order: Ints, owed: Ints, encoder: UnitEncoder) -> list[Ints]:
    """Units that are drawn together: of about equally many rows, and not too many in all."""
    deep = len(encoder.tables) > len(encoder.schema.graph.children(encoder.schema.unit))
    weight = np.cumsum((owed[order] + 1) * (4 if deep else 1))
    out, start = [], 0
    while start < len(order):
        before = weight[start - 1] if start else 0
        stop = int(np.searchsorted(weight, before + DRAWN_AT_ONCE, side="right"))
        stop = min(max(stop, start + 1), start + UNITS_AT_ONCE)
        out.append(order[start:stop])
        start = stop
    return out


class UnitChunk:
    """Units that advance together.

    Args:
        drawing: draws the rows of a table.
        facts: of the units.
        units: their numbers among all.
        begun: what has happened to them already.
    """

    def __init__(self, drawing: RowDrawing, facts: RootFacts, units: Ints, begun: BegunUnits | None) -> None:
        self.begun = begun
        encoder = drawing.encoder
        names, b = encoder.tables, len(units)
        graph = encoder.schema.graph
        self.drawing, self.encoder, self.facts, self.units = drawing, encoder, facts, units
        self.laws, self.device = drawing.laws, drawing.laws.device
        self.owners = OpenOwners(1 + max((graph.depth(n) for n in names), default=0), b, len(names))
        self.owners.owed[0] = facts.owed
        self.owners.arrays["row"][0] = units
        told = {"now": facts.first, "first": facts.first, "last": facts.last, "born": facts.born, "gone": facts.gone}
        for name, values in told.items():
            self.owners.arrays[name][0] = values
        total = encoder.series_offset(len(names))
        self.memory = UnitMemory(
            units=b,
            width=self.laws.width,
            series=total,
            counters=encoder.counters,
            slots=len(encoder.events.layout.slots),
            tables=len(names),
            levels=self.owners.levels,
            ranked=encoder.ranks.width,
            means=encoder.means,
            device=self.device,
        )
        self.times = [TableTimes.of(encoder.learned[name], encoder.clock, names) for name in names]
        self.once: list[list[OnceMask]] = [once_masks(encoder.learned[n], encoder.payloads[n]) for n in names]
        for mask in (m for masks in self.once for m in masks):
            mask.begin(b)
        pointed = {link.to for n in names for link in encoder.schema.tables[n].links if link.kind == "earlier"}
        self.pointed = {names.index(name): PointedRows(b) for name in pointed if name in names}
        self.places = RowPlaces.among(encoder)
        self.possible = np.ones((0, len(names)), dtype=bool)
        self.tables = [TableMemory.of(encoder.payloads[name], self.device) for name in names]
        self.roots = self.laws.roots(facts.cat.to(self.device))

    def draw(self, drawn: Mapping[str, list[RoundRows]]) -> Iterator[int]:
        """Draw all rows, round by round; after each how many rows right below the units are left."""
        for k in count():
            active = self._active()
            if not len(active):
                return
            self._round(k, active, drawn)
            yield int(self.owners.owed[0].sum())

    def room(self, active: Ints, table: Ints) -> RowTime:
        """Where the next rows of units may lie. **Shape**: (n,), (n,) -> (n,) each."""
        space = room(self.owners, active, table, self.times, self.facts.ends)
        return self.places.fitted(active, table, space, self.times, self.pointed)

    def _active(self) -> Ints:
        """Units that still owe rows. Rows for which there is no place any more are not owed. **Shape**: -> (n,)."""
        owners = self.owners
        while True:
            active = owners.close()
            self.possible = self.places.able(active, owners, self.times, self.facts.ends, self.pointed)
            for t, mask in ((t, mask) for t, masks in enumerate(self.once) for mask in masks):
                self.possible[:, t] &= mask.free(active) > 0
            lacking = ~(self.possible & (owners.owed_now(active) > 0)).any(axis=1)
            stuck = active[lacking & (self._known(active) < 0)]
            if not len(stuck):
                return active
            owners.owed[owners.level[stuck], stuck] = 0

    def _round(self, k: int, active: Ints, drawn: Mapping[str, list[RoundRows]]) -> None:
        """One row of each of some units."""
        encoder, owners, memory = self.encoder, self.owners, self.memory
        laws = self.laws.round(active, self.roots, self)
        known = self._known(active)
        event, space, gap = self._events(active, laws, known)
        table = event[:, 0]
        start = moments(space, gap, table, self.times, owners.at("start", active))
        if self.begun is not None:
            start = np.where(known >= 0, self.begun.start[np.maximum(known, 0)], start)
        begin = self.facts.first[active]
        time = np.where(start == MISSING_TICK, np.where(begin == MISSING_TICK, 0, begin), start)
        series = np.array([encoder.series_offset(t) for t in range(len(encoder.tables))])[table]
        for name, slot in encoder.events.series_slots.items():
            mine = table == encoder.tables.index(name)
            series[mine] += event[mine, slot]
        twin, last, mean, rank = memory.series_of(active, series)
        age = (
            np.where(twin >= 0, time - memory.time[np.maximum(twin, 0)], 0) if len(memory.time) else np.zeros_like(time)
        )
        gap = np.where(space.timed, np.clip(time - space.base, 0, None), 0)
        told = row_features(encoder.scale, time, gap, np.maximum(space.left - gap, 0), rank, age)
        told = np.concatenate([told, memory.echo_of(twin)], axis=1)
        level, cell = encoder.events.told(gap, space.left, space.timed)
        at = encoder.events.gap_slot
        event[:, at], event[:, at + 1] = level, cell
        forced = ~space.timed | space.first | space.last
        words, summary = laws.settled(torch.from_numpy(event).to(self.device), last, mean, told, forced)
        self._rows(k, active, DrawnRound(event, table, space, time, start, known, series, twin, words, summary), drawn)

    def codes(self, t: int, steps: Ints) -> Tensor:
        """Codes of steps that are rows of one table, -1 for none. **Shape**: (n,) -> (n, D)."""
        rows = self.memory.row[np.maximum(steps, 0)] if len(self.memory.row) else np.zeros_like(steps)
        return self.rows_of(t, np.where(steps >= 0, rows, -1))

    def rows_of(self, t: int, rows: Ints) -> Tensor:
        """Codes of rows of one table as they were drawn, -1 for none. **Shape**: (n,) -> (n, D)."""
        cat = self.tables[t].cat.at(np.maximum(rows, 0))
        return cat.masked_fill(torch.from_numpy(rows < 0).to(cat.device)[:, None], -1)

    def _known(self, active: Ints) -> Ints:
        """Step of the beginning that comes next in each unit, -1 where it is over. **Shape**: (n,) -> (n,)."""
        if self.begun is None:
            return np.full(len(active), -1)
        offsets, unit = self.begun.sequences.offsets, self.units[active]
        step = offsets[unit] + self.memory.index[active]
        return np.where(step < offsets[unit + 1], step, -1)

    def _events(self, active: Ints, laws: RoundLaws, known: Ints) -> tuple[Ints, RowTime, Ints]:
        """Types, series and gaps of the next rows of units, and where in time they may lie."""
        events, masks = self.encoder.events, EventMasks(self, active)
        unknown = torch.full((len(active), len(events.layout.slots)), -1)
        if self.begun is not None and (known >= 0).any():
            some = torch.from_numpy(np.flatnonzero(known >= 0))
            unknown[some, : events.gap_slot] = self.begun.sequences.event[known[known >= 0], : events.gap_slot].long()
        rows = laws.event(Given(unknown, {}), self.drawing.generator, masks.admit)
        event, at = rows.cat.cpu().numpy().copy(), events.gap_slot
        space = self.room(active, event[:, 0])
        inside = torch.rand(len(active), generator=self.drawing.generator).numpy()
        return event, space, events.gap_of(event[:, at], event[:, at + 1], space.left, inside)

    def _rows(self, k: int, active: Ints, now: DrawnRound, drawn: Mapping[str, list[RoundRows]]) -> None:
        """Values of the rows of a round, and what follows from them."""
        for t in np.unique(now.table).tolist():
            mine = np.flatnonzero(now.table == t)
            units, name = active[mine], self.encoder.tables[t]
            each = now.take(mine)
            for mask in self.once[t]:
                if mask.by_moment:
                    floor = self.owners.floor[self.owners.level[units], units, t]
                    mask.forget(units[each.time != floor])
            row = self.drawing.rows(t, units, each, self)
            self._note(t, units, row)
            number = self.drawing.drawn[t] + np.arange(len(units))
            drawn[name].append(
                RoundRows(
                    unit=self.units[units],
                    round=k,
                    rows=row.rows.to("cpu"),
                    owner=self.owners.at("row", units),
                    start=each.start,
                    until=row.until,
                    links=row.links,
                )
            )
            self.drawing.drawn[t] += len(units)
            self._remember(t, units, each, row, number)

    def _note(self, t: int, units: Ints, row: DrawnValues) -> None:
        """What came once has come."""
        for mask in self.once[t]:
            mask.note(units, row.rows.cat.cpu().numpy())

    def _remember(self, t: int, units: Ints, each: DrawnRound, row: DrawnValues, number: Ints) -> None:
        """Rows become part of what came before; those that own rows are open."""
        owners, learned = self.owners, self.encoder.learned[self.encoder.tables[t]]
        vectors = each.words + self.laws.row_vectors(t, row.rows.cat.to(self.device))
        above = owners.at("step", units)
        local = self.tables[t].append(row.rows)
        moment = each.time if learned.timed else np.full(len(units), MISSING_TICK)
        new = (owners.at("place", units) == 0) | (owners.at("moment", units) != moment)
        self.memory.begin_moment(units[new], owners.level[units[new]])
        owners.put("moment", units, moment)
        kind = self.encoder.kinds[each.series]
        cat, ranked = row.rows.cat.cpu().numpy(), self.encoder.ranks
        ranks, groups = ranked.tables[t].of(cat, ranked.width), ranked.tables[t].groups(cat)
        self.memory.follow(units, ranks, self.encoder.means.told(t, cat, ranks, groups), each.twin)
        self.memory.event[units] = each.event
        self.memory.opened.append(self.laws.opened(t, row.rows.cat.to(self.device)))
        step = self.memory.append(units, vectors, each.series, kind, each.time, above, np.full(len(units), t), local)
        at = owners.level[units]
        owners.owed[at, units, t] -= 1
        owners.had[units, t] += 1
        owners.put("place", units, owners.at("place", units) + 1)
        if learned.timed:
            owners.put("now", units, each.time)
            owners.put("timed", units, 1)
            floor = each.time + (self.times[t].step if learned.strict else 0)
            ended = (row.until != MISSING_TICK) & (not learned.overlaps)
            owners.floor[at, units, t] = np.where(ended, np.maximum(row.until, floor), floor)
        if t in self.pointed:
            self.pointed[t].append(units, number, each.start, row.until)
        if learned.children:
            self._open(t, units, each, row, step, number)

    def _open(self, t: int, units: Ints, each: DrawnRound, row: DrawnValues, step: Ints, number: Ints) -> None:
        """Open rows that own others."""
        names = self.encoder.tables
        owed = np.zeros((len(units), len(names)), dtype=np.int64)
        for child, many in row.counts.items():
            c = names.index(child)
            most = self.encoder.learned[child].table.max_rows_per_unit
            free = np.full(len(units), LATEST) if most is None else np.maximum(most - self.owners.had[units, c], 0)
            if self.times[c].after_owner:
                start = self.times[c].earliest(each.start)
                free = np.where(start > self.facts.ends[units, c], 0, free)
            for mask in self.once[c]:
                if mask.by_owner:
                    mask.forget(units)
                free = np.minimum(free, mask.free(units))
            owed[:, c] = np.minimum(many, free)
        values: dict[str, Ints | int] = {
            "table": t + 1,
            "step": step,
            "row": number,
            "place": 0,
            "timed": 0,
            "start": each.start,
            "until": row.until,
            "now": np.where(row.first == MISSING_TICK, each.time, row.first),
            "first": row.first,
            "last": row.last,
        }
        self.owners.open(units, values, owed)
        self.memory.begin_moment(units, self.owners.level[units])
