"""Draws the values of rows of one table given their events, with what copies, links, rules and owners allow."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from synthkit.encoding.arrays import Bools, Ints
from synthkit.encoding.layout import Given, Rows
from synthkit.encoding.units.learned_table import FIRST, LAST, OTHER, LearnedTable, pointer, rows_of
from synthkit.encoding.units.payload_coding import AS_BEFORE, PayloadCoding
from synthkit.encoding.units.unit_clock import MISSING_TICK
from synthkit.encoding.units.unit_decoder import obeying
from synthkit.encoding.units.unit_encoder import UnitEncoder
from synthkit.encoding.units.unit_order import may_point, points_inside
from synthkit.errors import SchemaError
from synthkit.models.row_completion import complete_rows
from synthkit.models.timeline.network import TimelineNetwork
from synthkit.models.timeline.open_owners import LATEST
from synthkit.models.timeline.row_times import RowTime, ends_of
from synthkit.models.timeline.unit_memory import Growing
from synthkit.training.layers.masked_network import LearnedTables

if TYPE_CHECKING:
    from synthkit.encoding.units.begun_units import BegunUnits
    from synthkit.models.timeline.unit_sampler import _Chunk

ROUNDS_OF_REDRAWS = 40  # how often rows that break a rule are drawn again


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

    def take(self, mine: Ints) -> DrawnRound:
        """Those of some rows."""
        at = torch.from_numpy(mine).to(self.words.device)
        space = RowTime(*(getattr(self.space, name)[mine] for name in RowTime.__dataclass_fields__))
        return DrawnRound(
            self.event[mine], self.table[mine], space, self.time[mine], self.start[mine], self.known[mine], self.series[mine], self.twin[mine],
            self.words[at], self.summary[at],
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


@dataclass
class RowDrawing:
    """Draws rows table by table.

    Args:
        encoder: the coding.
        network: the laws.
        generator: of the draws.
        words: value vectors of all levels.
        event_tables, row_tables: tables of the networks, worked out once.
        drawn: rows of each table drawn so far.
    """

    encoder: UnitEncoder
    network: TimelineNetwork
    generator: torch.Generator
    words: Tensor
    event_tables: LearnedTables
    row_tables: list[LearnedTables]
    drawn: list[int]

    @classmethod
    def of(cls, encoder: UnitEncoder, network: TimelineNetwork, generator: torch.Generator) -> RowDrawing:
        """For a network as it is."""
        many = range(len(encoder.tables))
        tables = [network.table_network(t).learned() for t in many]
        return cls(encoder, network, generator, network.words.table(), network.event.learned(), tables, [0 for _ in many])

    def rows(self, t: int, units: Ints, now: DrawnRound, chunk: _Chunk) -> DrawnValues:
        """Rows of one table, one for each of some units, which obey the rules of the table.

        Raises:
            SchemaError: rows still break a rule after 40 rounds.
        """
        name = self.encoder.tables[t]
        whole = self._once(t, units, now, chunk)
        good = self._good(name, whole, now)
        for _ in range(ROUNDS_OF_REDRAWS):
            if good.all():
                return whole
            again = np.flatnonzero(~good)
            part = self._once(t, units[again], now.take(again), chunk)
            whole = _with(whole, part, again)
            good[again] = self._good(name, part, now.take(again))
        if not good.all():
            msg = (
                f"rows of `{name}` must be able to obey all rules; however: after {ROUNDS_OF_REDRAWS} rounds "
                f"{int((~good).sum())} of {len(good)} still break one. Check whether rules contradict each other"
            )
            raise SchemaError(msg)
        return whole

    def _good(self, name: str, drawn: DrawnValues, now: DrawnRound) -> Bools:
        each = self.encoder.learned[name]
        if each.check is None:
            return np.ones(len(now.time), dtype=bool)
        return obeying(each, self.encoder, drawn.rows, now.start, drawn.until)

    def _once(self, t: int, units: Ints, now: DrawnRound, chunk: _Chunk) -> DrawnValues:
        """Rows drawn once."""
        name = self.encoder.tables[t]
        coding, net = self.encoder.payloads[name], self.network.table_network(t)
        known = torch.full((len(units), len(coding.layout.slots)), -1)
        if coding.series_slot is not None:
            slot = self.encoder.events.series_slots[name]
            known[:, coding.series_slot] = torch.from_numpy(now.event[:, slot])
        begun = chunk.begun
        some = np.flatnonzero(now.known >= 0)
        if begun is not None and len(some):
            rows = begun.sequences.payload[name][torch.from_numpy(begun.sequences.row[now.known[some]])]
            told = torch.from_numpy(self._told(name))
            known[torch.from_numpy(some)[:, None], told] = rows.cat[:, told].long()
        masks = RowMasks(t, units, now, chunk, coding)
        drawn = complete_rows(
            net, Given(known, {}), self.generator, context=self.network.row_context(t, now.summary),
            admit=masks.admit, learned=self.row_tables[t],
        )
        drawn = masks.copied(drawn)
        if begun is not None and len(some):
            drawn.num[torch.from_numpy(some)] = rows.num
        return self._meant(t, units, now, chunk, drawn)

    def _told(self, name: str) -> Ints:
        """Slots of a row that has happened which are known: all but how many rows it owns, and when."""
        coding, each = self.encoder.payloads[name], self.encoder.learned[name]
        open_ = {*(rows_of(c) for c in each.children), FIRST, LAST}
        gone = {n for n, members in coding.encoder.recoding.columns.items() if open_ & set(members)}
        return np.array([j for j, c in enumerate(coding.layout.columns) if c not in gone], dtype=np.int64)

    def _meant(self, t: int, units: Ints, now: DrawnRound, chunk: _Chunk, rows: Rows) -> DrawnValues:
        """What the codes of rows mean for what comes after them."""
        name = self.encoder.tables[t]
        each, coding, n = self.encoder.learned[name], self.encoder.payloads[name], len(units)
        wanted = [rows_of(c) for c in each.children] + ([FIRST, LAST] if each.has_span else [])
        wanted += [] if each.until is None else [each.until]
        read = coding.numbers(rows, tuple(wanted)) if wanted else {}
        links, inside = _links(t, units, now, chunk, rows, each, coding)
        until = np.full(n, MISSING_TICK)
        if each.until is not None:
            owed = chunk.owners.owed_now(units)[:, t]
            more = (owed > 1) & (not each.overlaps)
            latest = chunk.owners.at("last", units)
            until = ends_of(now.time, read[each.until], now.space, latest, chunk.times[t], more, inside)
        counts = {c: np.nan_to_num(read[rows_of(c)]).astype(np.int64).clip(min=0) for c in each.children}
        if chunk.begun is not None:
            until, counts = _as_begun(chunk.begun, now.known, until, counts)
        first, last = _span(each, now, until, read, counts, chunk, units)
        return DrawnValues(rows=rows, until=until, links=links, counts=counts, first=first, last=last)


def _as_begun(
    begun: BegunUnits, known: Ints, until: Ints, counts: Mapping[str, Ints]
) -> tuple[Ints, dict[str, Ints]]:
    """Ends and numbers of rows of what has happened already: as they are, or more where an owner is still open."""
    some, at = known >= 0, np.maximum(known, 0)
    if not some.any():
        return until, dict(counts)
    until = np.where(some, begun.until[at], until)
    open_ = begun.open[at]
    row = np.where(some, begun.sequences.row[at], 0)
    out = {}
    for child, drawn in counts.items():
        so_far = begun.counts(child, row)
        out[child] = np.where(some, np.where(open_, np.maximum(drawn, so_far), so_far), drawn)
    return until, out


def _span(
    each: LearnedTable, now: DrawnRound, until: Ints, read: Mapping[str, np.ndarray], counts: Mapping[str, Ints],
    chunk: _Chunk, units: Ints,
) -> tuple[Ints, Ints]:
    """First and last moment of what rows own."""
    n = len(now.time)
    if not each.has_span:
        return np.full(n, MISSING_TICK), np.full(n, MISSING_TICK)
    base = now.time if each.timed else np.zeros(n, dtype=np.int64)
    clock = chunk.encoder.clock
    unit = 1.0 if each.timed else clock.step(each.schema.columns[FIRST]) if clock.moments else 10.0**clock.tick
    spans = [np.nan_to_num(read[name] * unit, nan=0.0).astype(np.int64) + base for name in (FIRST, LAST)]
    ends = chunk.facts.ends[np.ix_(units, [chunk.encoder.tables.index(c) for c in each.timed_children])].min(axis=1)
    high = np.minimum(ends, LATEST if not _all_within(each, chunk) else np.where(until == MISSING_TICK, LATEST, until))
    many = np.sum([counts[c] for c in each.timed_children], axis=0)
    first = np.minimum(spans[0], high)
    last = np.where(many > 1, np.maximum(np.minimum(spans[1], high), first), first)  # one row is first and last
    some = many > 0
    if chunk.begun is not None and (now.known >= 0).any():
        begun, known = chunk.begun, now.known >= 0
        row = np.where(known, begun.sequences.row[np.maximum(now.known, 0)], 0)
        low, high = (x[row] for x in begun.frames.spans[each.name])
        known &= high != MISSING_TICK
        first, last = np.where(known, low, first), np.where(known, np.maximum(last, high), last)
    return np.where(some, first, MISSING_TICK), np.where(some, last, MISSING_TICK)


def _all_within(each: LearnedTable, chunk: _Chunk) -> bool:
    return all(each.name in chunk.encoder.learned[c].within for c in each.timed_children)


class RowMasks:
    """Which levels rows of one table may take.

    Args:
        t: number of the table.
        units: whose rows. **Shape**: (n,).
        now: their events.
        chunk: what came before.
        coding: of the table.
    """

    def __init__(self, t: int, units: Ints, now: DrawnRound, chunk: _Chunk, coding: PayloadCoding) -> None:
        self.t, self.units, self.now, self.chunk, self.coding = t, units, now, chunk, coding
        self.each: LearnedTable = chunk.encoder.learned[chunk.encoder.tables[t]]
        memory, self.table = chunk.memory, chunk.tables[t]
        before = memory.before[units, t]
        twin = np.where(now.twin >= 0, memory.row[np.maximum(now.twin, 0)], -1) if len(memory.row) else now.twin
        self.sources = {AS_BEFORE: before, AS_BEFORE + 1: twin}
        self.cats = {k: self.table.cat.at(rows) for k, rows in self.sources.items()}
        self.of = {slot: at for at, (slots, _) in coding.copied.items() for slot in slots}
        self.links = {coding.slot(pointer(k)): k for k, kind in self.each.linked.items() if kind == "earlier"}
        self.until = None if self.each.until is None else coding.slot(self.each.until)

    def admit(self, slot: int, cat: Tensor, mask: Tensor | None) -> Tensor | None:
        """Levels that may be taken, beside what the layout allows. **Shape**: int, (n, D), (n, K) -> (n, K)."""
        size = self.coding.layout.sizes[slot]
        if slot in self.coding.copied:
            return self._copy(slot, cat, size)
        if slot in self.of:
            mask = self._value(slot, cat, mask, size)
        if slot in self.links:
            mask = self._both(mask, _link_mask(self.links[slot], self.each, self.units, self.now, self.chunk, size))
        if slot == self.until and self.coding.layout.slots[slot].missing and not self.each.overlaps:
            some = np.ones((len(self.units), size), dtype=bool)
            some[:, -1] = self.chunk.owners.owed_now(self.units)[:, self.t] <= 1
            mask = self._both(mask, some)
        for once in self.chunk.once[self.t]:
            allowed = once.allowed(slot, self.units, cat.cpu().numpy())
            if allowed is not None:
                mask = self._both(mask, allowed)
        return mask

    @staticmethod
    def _both(mask: Tensor | None, other: Bools) -> Tensor:
        tensor = torch.from_numpy(np.ascontiguousarray(other))
        return tensor if mask is None else mask & tensor.to(mask.device)

    def _copy(self, slot: int, cat: Tensor, size: int) -> Tensor:
        """A value may be taken from a row that is there."""
        out = torch.ones((len(cat), size), dtype=torch.bool, device=cat.device)
        for k in range(1, size):
            out[:, k] = torch.from_numpy(self.sources[k] >= 0).to(cat.device)
            once = self._free(slot, cat, k)
            out[:, k] &= once
        return out

    def _free(self, slot: int, cat: Tensor, k: int) -> Tensor:
        """Where rules about rows that happen once let the value of a source be taken again."""
        value = self.coding.copied[slot][0][0]
        out = torch.ones(len(cat), dtype=torch.bool, device=cat.device)
        for once in self.chunk.once[self.t]:
            allowed = once.allowed(value, self.units, cat.cpu().numpy())
            if allowed is not None:
                level = self.cats[k][:, value].cpu().numpy()
                out &= torch.from_numpy(allowed[np.arange(len(level)), level]).to(cat.device)
        return out

    def _value(self, slot: int, cat: Tensor, mask: Tensor | None, size: int) -> Tensor | None:
        """Of a value that is copied the one level it has, where the layout lets it."""
        chosen = cat[:, self.of[slot]]
        if not bool((chosen > 0).any()):
            return mask
        out = torch.ones((len(cat), size), dtype=torch.bool, device=cat.device) if mask is None else mask
        for k, source in self.cats.items():
            only = torch.nn.functional.one_hot(source[:, slot], size).bool()
            fits = (chosen == k) & (out & only).any(dim=1)
            out = torch.where(fits[:, None], only, out)
        return out

    def copied(self, rows: Rows) -> Rows:
        """Rows in which a copied value has its source's place inside its cell; what was not copied after all says so."""
        cat, num = rows.cat, rows.num.clone()
        for at, (slots, residual) in self.coding.copied.items():
            for k in range(1, self.coding.layout.sizes[at]):
                mine = cat[:, at] == k
                same = mine & (cat[:, list(slots)] == self.cats[k][:, list(slots)]).all(dim=1)
                cat[:, at] = torch.where(mine & ~same, 0, cat[:, at])
                if residual is not None:
                    there = self.table.num.at(self.sources[k])
                    num[:, residual] = torch.where(same, there[:, residual], num[:, residual])
        return Rows(cat, num)


def _candidates(k: int, each: LearnedTable, units: Ints, now: DrawnRound, chunk: _Chunk) -> tuple[Bools, Ints, Ints]:
    """Which of the last rows a link may point to, their numbers and their ends. **Shape**: (n, 31) each."""
    to = chunk.encoder.tables.index(each.table.links[k].to)
    rows = chunk.pointed[to]
    timed = chunk.encoder.learned[each.table.links[k].to].timed and each.timed
    start, until = rows.start[units], rows.until[units]
    fits = (rows.row[units] >= 0) & may_point(
        start, until, now.start[:, None], open_=points_inside(k, each), timed=timed
    )
    return fits, rows.row[units], until


def _link_mask(k: int, each: LearnedTable, units: Ints, now: DrawnRound, chunk: _Chunk, size: int) -> Bools:
    """How many rows back a link may point."""
    fits, _, _ = _candidates(k, each, units, now, chunk)
    many = fits.sum(axis=1)
    out = np.arange(size) <= many[:, None]
    link = each.table.links[k]
    if not any(each.table.columns[c].nullable for c in link.columns):
        out[:, 0] = many == 0
    return out


def _links(
    t: int, units: Ints, now: DrawnRound, chunk: _Chunk, rows: Rows, each: LearnedTable, coding: PayloadCoding
) -> tuple[dict[int, Ints], Ints]:
    """What the links of rows point to, and by when they must end for it. **Shape**: (n,) each."""
    del t
    links, inside = dict[int, Ints](), np.full(len(units), LATEST)
    for k, kind in each.linked.items():
        level = rows.cat[:, coding.slot(pointer(k))].cpu().numpy()
        if kind != "earlier":
            links[k] = level if kind == "peer" else _hub_of(coding, pointer(k))[level]
            continue
        fits, number, until = _candidates(k, each, units, now, chunk)
        hit = fits & (fits.cumsum(axis=1) == level[:, None])
        at, some = hit.argmax(axis=1), hit.any(axis=1) & (level > 0)
        links[k] = np.where(some, number[np.arange(len(at)), at], -1)
        end = until[np.arange(len(at)), at]
        if each.table.links[k].to in each.within:
            inside = np.where(some & (end != MISSING_TICK), np.minimum(inside, end), inside)
    return links, inside


def _hub_of(coding: PayloadCoding, name: str) -> Ints:
    """The shared row that each level of a link stands for: its number, -2 for another, -1 for none. **Shape**: (K,)."""
    size = coding.layout.sizes[coding.slot(name)]
    texts = coding.encoder.codecs[name].decode_column(np.arange(size)[:, None], np.empty((size, 0), np.float32))[0]
    return np.array([-1 if t is None else -2 if t == OTHER else int(t) for t in texts], dtype=np.int64)


def _with(whole: DrawnValues, part: DrawnValues, at: Ints) -> DrawnValues:
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
