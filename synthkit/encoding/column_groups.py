"""Columns as a handful of groups each, so that tables of pairs stay small; told from slots, without decoding."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from synthkit.encoding.encoder import TableEncoder
from synthkit.encoding.layout import Layout

MOST_GROUPS_OF_A_COLUMN = 10  # of a column, besides "other" and "missing"
Codes = NDArray[np.int16]


@dataclass(frozen=True, kw_only=True)
class ColumnGroups:
    """Which group of a column each level of its slot, or of its coarse and fine slot, belongs to.

    Args:
        column: name of the column.
        slots: index of the slot, or of the coarse and the fine one.
        groups: group of each level. **Shape**: (K,), or (K, K of the fine slot).
    """

    column: str
    slots: tuple[int, ...]
    groups: Codes

    @property
    def size(self) -> int:
        """Number of groups."""
        return int(self.groups.max(initial=0)) + 1

    def codes(self, cat: NDArray[np.integer]) -> Codes:
        """Group of every row. **Shape**: `cat` (n, d) levels of all slots -> (n,)."""
        return np.asarray(self.groups[tuple(cat[:, slot] for slot in self.slots)])


def groupings(encoder: TableEncoder) -> tuple[ColumnGroups, ...]:
    """One grouping a learned column (a gap stands for the column that is coded as one), in order of the slots.

    Up to 10 levels keep a group each. Of more, those with an order are cut at about equal shares of the training rows,
    and of those without the 10 most frequent keep a group and the others share one. Missing is a group by itself.
    """
    out: list[ColumnGroups] = []
    for name, codec in encoder.codecs.items():
        slots, members = encoder.layout.slots_of(name), encoder.recoding.columns[name]
        if len(members) == 1:
            out.append(ColumnGroups(column=name, slots=slots, groups=_of_slots(encoder.layout, slots)))
            continue
        every = np.arange(encoder.layout.sizes[slots[0]])[:, None]
        no_residuals = np.empty((len(every), 0), dtype=np.float32)
        for column, cells in zip(members, codec.decode_column(every, no_residuals), strict=True):
            keys = [str(type(v)) + str(v) for v in cells]
            _, level = np.unique(keys, return_inverse=True)
            share = np.bincount(level, weights=codec.level_counts).astype(np.float64)
            out.append(ColumnGroups(column=column, slots=slots[:1], groups=_most_frequent(share)[level]))
    return tuple(out)


def coded(cat: NDArray[np.integer], groupings: tuple[ColumnGroups, ...]) -> Codes:
    """Groups of all columns. **Shape**: (n, d) levels -> (number of groupings, n)."""
    out = np.empty((len(groupings), len(cat)), dtype=np.int16)
    for k, grouping in enumerate(groupings):
        out[k] = grouping.codes(cat)
    return out


def _of_slots(layout: Layout, slots: tuple[int, ...]) -> Codes:
    """Groups of the levels of one column, from the shares that stand in the layout."""
    coarse = layout.slots[slots[0]]
    share = np.exp(coarse.prior.astype(np.float64))
    if len(slots) > 1:
        share = share[:, None] * np.exp(layout.slots[slots[1]].prior.astype(np.float64))
        none = ~layout.slots[slots[1]].applies
        share[none, 0] = np.exp(coarse.prior[none])  # a slot that does not apply is stored as 0
    present = share[: len(share) - coarse.missing]
    alone = np.flatnonzero(present.ravel() > 0)
    out = np.zeros(share.shape, dtype=np.int16)
    cut = _equal_shares if coarse.ordinal else _most_frequent
    inside = np.zeros(present.size, dtype=np.int16)
    inside[alone] = cut(present.ravel()[alone])
    out[: len(present)] = inside.reshape(present.shape)
    if coarse.missing:
        out[-1] = int(inside.max(initial=-1)) + 1 if len(alone) else 0
    return out


def _most_frequent(share: NDArray[np.float64]) -> Codes:
    """The MOST_GROUPS_OF_A_COLUMN most frequent levels alone, the others together. **Shape**: (K,) -> (K,)."""
    rank = np.empty(len(share), dtype=np.int16)
    rank[np.argsort(-share, kind="stable")] = np.minimum(np.arange(len(share)), MOST_GROUPS_OF_A_COLUMN)
    return rank


def _equal_shares(share: NDArray[np.float64]) -> Codes:
    """Neighbouring levels together, groups of about equal share. **Shape**: (K,) -> (K,)."""
    if len(share) <= MOST_GROUPS_OF_A_COLUMN:
        return np.arange(len(share), dtype=np.int16)
    middle = (np.cumsum(share) - share / 2) / share.sum()
    group = np.minimum((middle * MOST_GROUPS_OF_A_COLUMN).astype(np.int16), MOST_GROUPS_OF_A_COLUMN - 1)
    return np.unique(group, return_inverse=True)[1].astype(np.int16)
