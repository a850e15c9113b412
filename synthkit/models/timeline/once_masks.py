"""Rows that happen once: which levels a slot may still take, so that no combination comes twice."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import prod

import numpy as np

from synthkit.encoding.arrays import Bools, Ints
from synthkit.encoding.plain_numbers import plain_condition
from synthkit.encoding.units.learned_table import LearnedTable
from synthkit.encoding.units.payload_coding import PayloadCoding
from synthkit.errors import UnsupportedError
from synthkit.schema import Condition

MOST_COMBINATIONS = 2**16


@dataclass
class OnceMask:
    """Combinations of levels that a unit, or an owner, has had.

    Args:
        slots: slots of the columns that together come once, in the order in which they are drawn.
        sizes: their numbers of levels.
        when: slots of the conditions under which the rule holds, with the levels that may meet them.
        by_owner: whether combinations come once an owner; once a unit otherwise.
        by_moment: whether they come once a moment, of an owner.
        last: the slot of all these that is drawn last.
        used: what was had. **Shape**: (B, product of sizes).
    """

    slots: tuple[int, ...]
    sizes: tuple[int, ...]
    when: Mapping[int, Bools]
    by_owner: bool
    by_moment: bool
    last: int
    used: Bools = field(init=False)

    def begin(self, units: int) -> None:
        """Nothing was had yet."""
        self.used = np.zeros((units, prod(self.sizes)), dtype=bool)

    def free(self, units: Ints) -> Ints:
        """How many rows there can still be. **Shape**: (n,) -> (n,)."""
        if self.when or self.by_moment:
            return np.full(len(units), np.iinfo(np.int32).max)
        return np.asarray((~self.used[units]).sum(axis=1))

    def allowed(self, slot: int, units: Ints, cat: Ints) -> Bools | None:
        """Levels that a slot may take, None if all. **Shape**: int, (n,), levels so far (n, D) -> (n, K)."""
        if slot == self.last and slot in self.when:
            met = self._met(cat, but=slot)[:, None] & self.when[slot]
            return np.asarray(~(met & self._had(slot, units, cat)))
        if slot not in self.slots or (self.when and slot != self.last):
            return None
        had = self._had(slot, units, cat)
        return np.asarray(~(had & self._met(cat, but=-1)[:, None]))

    def note(self, units: Ints, cat: Ints) -> None:
        """Take note of rows. **Shape**: (n,), (n, D)."""
        at, met = self._at(cat), self._met(cat, but=-1)
        self.used[units[met], at[met]] = True

    def forget(self, units: Ints) -> None:
        """A new owner is open, or a new moment has come."""
        self.used[units] = False

    def _at(self, cat: Ints) -> Ints:
        """Numbers of the combinations of rows. **Shape**: (n, D) -> (n,)."""
        at = np.zeros(len(cat), dtype=np.int64)
        for slot, size in zip(self.slots, self.sizes, strict=True):
            at = at * size + cat[:, slot]
        return at

    def _had(self, slot: int, units: Ints, cat: Ints) -> Bools:
        """Whether all combinations that are left with a level of a slot were had.

        A slot that is none of those that come once leaves the one combination of the others.

        **Shape**: int, (n,), levels so far (n, D) -> (n, K), or (n, 1).
        """
        if slot not in self.slots:
            return self.used[units, self._at(cat)][:, None]
        k = self.slots.index(slot)
        tree = self.used[units].reshape(len(units), *self.sizes)
        for before in range(k):
            tree = tree[np.arange(len(units)), cat[:, self.slots[before]]]
        return np.asarray(tree.reshape(len(units), self.sizes[k], -1).all(axis=2))

    def _met(self, cat: Ints, *, but: int) -> Bools:
        out = np.ones(len(cat), dtype=bool)
        for slot, marked in self.when.items():
            if slot != but:
                out &= marked[cat[:, slot]]
        return out


def once_masks(each: LearnedTable, coding: PayloadCoding) -> list[OnceMask]:
    """What comes once in a table: by its rules, and in its key."""
    out = [_mask(rule.of, rule.when, each, coding, by_owner=False) for rule in each.once]
    if each.distinct and not set(each.numbered) & set(each.table.key) and not _fresh_key(each):
        out.append(_mask(each.distinct, {}, each, coding, by_owner=True))
    return out


def _fresh_key(each: LearnedTable) -> bool:
    """Whether a part of the key is made fresh, so that the others need not differ."""
    linked = {c for link in each.table.links for c in link.columns}
    return any(c not in linked and c not in each.schema.columns and c not in each.table.moments for c in each.table.key)


def _mask(
    of: tuple[str, ...], when: Mapping[str, Condition], each: LearnedTable, coding: PayloadCoding, *, by_owner: bool
) -> OnceMask:
    """A mask of columns with levels; with the moment of the row among them, it begins anew with each moment.

    Raises:
        UnsupportedError: a column has none, or they have too many together.
    """
    layout, members = coding.layout, coding.encoder.recoding.columns
    moment = each.timed and each.start in (each.table.key if by_owner else of)
    slots = [_slot(column, each, coding) for column in of if not (moment and column == each.start)]
    met = {}
    for column, condition in when.items():
        name = next(n for n, group in members.items() if column in group)
        asked = plain_condition(coding.encoder.schema.columns[column], condition)
        met[coding.slot(column)] = np.asarray(coding.encoder.codecs[name].meets(asked, column)[1])
    slots.sort(key=lambda slot: (slot != coding.series_slot, slot))
    sizes = tuple(layout.sizes[slot] for slot in slots)
    if prod(sizes) > MOST_COMBINATIONS:
        msg = f"`once` must speak of {MOST_COMBINATIONS:,} combinations at most; however: `{each.name}` has more"
        raise UnsupportedError(f"{msg}. Take a column out")
    drawn = sorted({*slots, *met}, key=lambda slot: (slot != coding.series_slot, slot))
    last = drawn[-1] if drawn else -1
    return OnceMask(slots=tuple(slots), sizes=sizes, when=met, by_owner=by_owner, by_moment=moment, last=last)


def _slot(column: str, each: LearnedTable, coding: PayloadCoding) -> int:
    """The one slot of a column with levels.

    Raises:
        UnsupportedError: it has none.
    """
    encoder = coding.encoder
    alone = column in encoder.codecs and encoder.recoding.columns[column] == (column,)
    if not alone or encoder.codecs[column].residual_count:
        msg = f"`once` must speak of columns with levels; however: `{each.name}.{column}` has none by itself"
        raise UnsupportedError(f"{msg}. Take it out of the rule, or declare its levels")
    return coding.slot(column)
