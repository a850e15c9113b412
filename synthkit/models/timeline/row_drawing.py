"""Draws the values of rows of one table given their events, with what copies, links, rules and owners allow."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch

from synthkit.encoding.arrays import Bools, Ints
from synthkit.encoding.layout import Given, Rows
from synthkit.encoding.units.begun_units import BegunUnits
from synthkit.encoding.units.learned_table import FIRST, LAST, LearnedTable, pointer, rows_of
from synthkit.encoding.units.moment_bounds import owned_between
from synthkit.encoding.units.payload_coding import PayloadCoding
from synthkit.encoding.units.shared_tables import hub_numbers
from synthkit.encoding.units.unit_clock import LATEST, MISSING_TICK
from synthkit.encoding.units.unit_decoder import obeying
from synthkit.encoding.units.unit_encoder import UnitEncoder
from synthkit.errors import SchemaError
from synthkit.models.timeline.drawn_round import DrawnRound, DrawnValues, redrawn
from synthkit.models.timeline.row_masks import RowMasks, candidates
from synthkit.models.timeline.row_times import ends_of
from synthkit.models.timeline.step_laws import StepLaws
from synthkit.models.timeline.units_so_far import UnitsSoFar

ROUNDS_OF_REDRAWS = 40  # how often rows that break a rule are drawn again


@dataclass
class RowDrawing:
    """Draws rows table by table.

    Args:
        encoder: the coding.
        laws: of what comes next.
        generator: of the draws.
        drawn: rows of each table drawn so far.
    """

    encoder: UnitEncoder
    laws: StepLaws
    generator: torch.Generator
    drawn: list[int]

    def rows(self, t: int, units: Ints, now: DrawnRound, chunk: UnitsSoFar) -> DrawnValues:
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
            whole = redrawn(whole, part, again)
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

    def _once(self, t: int, units: Ints, now: DrawnRound, chunk: UnitsSoFar) -> DrawnValues:
        """Rows drawn once."""
        name = self.encoder.tables[t]
        coding = self.encoder.payloads[name]
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
        drawn = self.laws.row(t, units, now, chunk, Given(known, {}), self.generator, masks.admit)
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

    def _meant(self, t: int, units: Ints, now: DrawnRound, chunk: UnitsSoFar, rows: Rows) -> DrawnValues:
        """What the codes of rows mean for what comes after them."""
        name = self.encoder.tables[t]
        each, coding, n = self.encoder.learned[name], self.encoder.payloads[name], len(units)
        wanted = [rows_of(c) for c in each.children] + ([FIRST, LAST] if each.has_span else [])
        wanted += [] if each.until is None else [each.until]
        read = coding.numbers(rows, tuple(wanted)) if wanted else {}
        links, inside = _links(units, now, chunk, rows, each, coding)
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


def _as_begun(begun: BegunUnits, known: Ints, until: Ints, counts: Mapping[str, Ints]) -> tuple[Ints, dict[str, Ints]]:
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
    each: LearnedTable,
    now: DrawnRound,
    until: Ints,
    read: Mapping[str, np.ndarray],
    counts: Mapping[str, Ints],
    chunk: UnitsSoFar,
    units: Ints,
) -> tuple[Ints, Ints]:
    """First and last moment of what rows own."""
    n = len(now.time)
    if not each.has_span:
        return np.full(n, MISSING_TICK), np.full(n, MISSING_TICK)
    base = now.time if each.timed else np.zeros(n, dtype=np.int64)
    clock = chunk.encoder.clock
    told = [np.nan_to_num(read[name], nan=0.0) for name in (FIRST, LAST)]
    if each.stay is not None:
        end = _end_of_stay(each, until, chunk, units)
        begin = base + np.round(told[0] * np.maximum(end - base, 0)).astype(np.int64)
        spans = [begin, begin + np.round(told[1] * np.maximum(end - begin, 0)).astype(np.int64)]
    else:
        unit = 1.0 if each.timed else clock.step(each.schema.columns[FIRST]) if clock.moments else 10.0**clock.tick
        spans = [base + (x * unit).astype(np.int64) for x in told]
    children = np.array([chunk.encoder.tables.index(c) for c in each.timed_children])
    ends = chunk.facts.ends[units[:, None], children].min(axis=1)
    high = np.minimum(ends, LATEST if not _all_within(each, chunk) else np.where(until == MISSING_TICK, LATEST, until))
    owned: list[Ints] = [counts[c] for c in each.timed_children]
    many = np.stack(owned).sum(axis=0)
    some = np.stack(owned, axis=1) > 0
    low, latest = owned_between([chunk.times[c].bounds for c in children], some)
    high = np.minimum(high, latest)
    first = np.minimum(np.maximum(spans[0], low), high)
    last = np.where(many > 1, np.maximum(np.minimum(spans[1], high), first), first)  # one row is first and last
    if chunk.begun is not None and (now.known >= 0).any():
        begun, known = chunk.begun, now.known >= 0
        row = np.where(known, begun.sequences.row[np.maximum(now.known, 0)], 0)
        low, high = (x[row] for x in begun.frames.spans[each.name])
        known &= high != MISSING_TICK
        first, last = np.where(known, low, first), np.where(known, np.maximum(last, high), last)
    return np.where(many > 0, first, MISSING_TICK), np.where(many > 0, last, MISSING_TICK)


def _end_of_stay(each: LearnedTable, until: Ints, chunk: UnitsSoFar, units: Ints) -> Ints:
    """When the stay ends that what rows own lies inside of: their own end, or that of an open owner."""
    if each.stay == each.name:
        return np.where(until == MISSING_TICK, LATEST, until)
    within = np.array([False, *(name == each.stay for name in chunk.encoder.tables)])
    return chunk.owners.bounds(units, within)[1]


def _all_within(each: LearnedTable, chunk: UnitsSoFar) -> bool:
    return all(each.name in chunk.encoder.learned[c].within for c in each.timed_children)


def _links(
    units: Ints, now: DrawnRound, chunk: UnitsSoFar, rows: Rows, each: LearnedTable, coding: PayloadCoding
) -> tuple[dict[int, Ints], Ints]:
    """What the links of rows point to, and by when they must end for it. **Shape**: (n,) each."""
    links, inside = dict[int, Ints](), np.full(len(units), LATEST)
    for k, kind in each.linked.items():
        level = rows.cat[:, coding.slot(pointer(k))].cpu().numpy()
        if kind != "earlier":
            links[k] = level if kind == "peer" else _hub_of(coding, pointer(k))[level]
            continue
        fits, number, until = candidates(k, each, units, now, chunk)
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
    return hub_numbers(texts)
