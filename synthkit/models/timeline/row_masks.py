"""Which levels rows of one table may take, given what came before: copies, links, rows that happen once."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from synthkit.encoding.arrays import Bools, Ints
from synthkit.encoding.layout import Rows
from synthkit.encoding.units.learned_table import MOST_BACK, LearnedTable, pointer
from synthkit.encoding.units.payload_coding import ANEW, AS_BEFORE, PayloadCoding
from synthkit.encoding.units.unit_clock import MISSING_TICK
from synthkit.encoding.units.unit_order import LinkReach
from synthkit.models.timeline.drawn_round import DrawnRound
from synthkit.models.timeline.units_so_far import UnitsSoFar


class RowMasks:
    """Which levels rows of one table may take.

    Args:
        t: number of the table.
        units: whose rows. **Shape**: (n,).
        now: their events.
        chunk: what came before.
        coding: of the table.
    """

    def __init__(self, t: int, units: Ints, now: DrawnRound, chunk: UnitsSoFar, coding: PayloadCoding) -> None:
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
        out = torch.from_numpy(self.coding.taken(slot, cat.cpu().numpy())).to(cat.device)
        out[:, ANEW] = True
        for k in range(1, size):
            out[:, k] &= torch.from_numpy(self.sources[k] >= 0).to(cat.device)
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
        """Rows in which a copied value has its source's place inside its cell; what was not copied says so."""
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


def candidates(k: int, each: LearnedTable, units: Ints, now: DrawnRound, chunk: UnitsSoFar) -> tuple[Bools, Ints, Ints]:
    """Which of the last rows a link may point to, their numbers and their ends. **Shape**: (n, 31) each."""
    if each.table.links[k].to == chunk.encoder.schema.unit:
        own = np.where(np.arange(MOST_BACK) == 0, chunk.units[units][:, None], -1)
        return own >= 0, own, np.full(own.shape, MISSING_TICK)
    to = chunk.encoder.tables.index(each.table.links[k].to)
    rows = chunk.pointed[to]
    reach = LinkReach.of(k, each, chunk.encoder.learned[each.table.links[k].to], chunk.encoder.clock)
    start, until = rows.start[units], rows.until[units]
    fits = (rows.row[units] >= 0) & reach.fits(start, until, now.start[:, None])
    bounds = chunk.times[chunk.encoder.tables.index(each.name)].bounds
    if bounds.must_end and each.table.links[k].to in each.within:  # the row can still end inside of it
        fits &= (until == MISSING_TICK) | (until >= bounds.until_low)
    return fits, rows.row[units], until


def _link_mask(k: int, each: LearnedTable, units: Ints, now: DrawnRound, chunk: UnitsSoFar, size: int) -> Bools:
    """How many rows back a link may point."""
    fits, _, _ = candidates(k, each, units, now, chunk)
    many = fits.sum(axis=1)
    out: Bools = np.arange(size) <= many[:, None]
    link = each.table.links[k]
    if not any(each.table.columns[c].nullable for c in link.columns):
        out[:, 0] = many == 0
    return out
