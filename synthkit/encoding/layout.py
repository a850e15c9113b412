"""Encoded rows, their layout of slots, and what row rules forbid."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor


@dataclass(frozen=True, kw_only=True)
class Slot:
    """One small integer of an encoded row.

    Args:
        name: for people: the column, or `column:fine`.
        size: number of levels K.
        ordinal: whether neighbouring levels are alike (missing, the last level, excepted).
        missing: whether the last level means "missing".
        parent: for a fine slot, the index of its coarse slot.
        prior: log-probabilities of the levels, **Shape** (K,), or (K of parent, K) for a fine slot, where a row
            of -inf throughout means that the slot does not apply: it is stored as 0 and carries no information.
        lattice: whether the levels of a number are single values, for nine rows in ten at least, not intervals.
    """

    name: str
    size: int
    ordinal: bool
    missing: bool
    parent: int | None
    prior: NDArray[np.float32]
    lattice: bool = False

    @property
    def applies(self) -> NDArray[np.bool_]:
        """For a fine slot, whether it applies under each level of its parent. **Shape**: (K of parent,)."""
        return np.asarray(np.isfinite(self.prior).any(axis=1))


@dataclass(frozen=True)
class ForbiddenCombination:
    """A forbidden conjunction: no row may have every slot named here at one of the levels marked.

    Args:
        literals: pairs of a slot's index and the marked levels, **Shape** (K,) bool.
    """

    literals: tuple[tuple[int, NDArray[np.bool_]], ...]


@dataclass(frozen=True)
class ValueLink:
    """Where the value of one number lies among the cells of another: what repeats or continues it is found there.

    Args:
        target: coarse slot of the number that is pointed into.
        source: coarse slot of the number that points.
        cell: the target's cell that holds the source's value, counted through the target's coarse levels; -1 where
            there is none. **Shape**: (K of source, largest number of cells in a level of the source, p), the last
            for p equal parts of a cell of the source.
    """

    target: int
    source: int
    cell: NDArray[np.int64]


@dataclass(frozen=True)
class Layout:
    """Which integer and which float of an encoded row belongs to whom.

    Args:
        slots: the integers, in order; a fine slot stands right behind its coarse one.
        columns: coded column of each slot.
        residuals: coded column of each float in [0, 1), a position inside a cell.
        clauses: what the row rules forbid.
        links: numbers that lie near others, see `encoding.value_links`.
    """

    slots: tuple[Slot, ...]
    columns: tuple[str, ...]
    residuals: tuple[str, ...] = ()
    clauses: tuple[ForbiddenCombination, ...] = ()
    links: tuple[ValueLink, ...] = ()

    @property
    def sizes(self) -> tuple[int, ...]:
        """K of every slot."""
        return tuple(slot.size for slot in self.slots)

    @property
    def coarse(self) -> tuple[int, ...]:
        """Indices of the slots that are no fine ones."""
        return tuple(k for k, slot in enumerate(self.slots) if slot.parent is None)

    def slots_of(self, column: str) -> tuple[int, ...]:
        """Indices of the slots of one coded column."""
        return tuple(k for k, name in enumerate(self.columns) if name == column)

    def residuals_of(self, column: str) -> tuple[int, ...]:
        """Indices of the residuals of one coded column."""
        return tuple(k for k, name in enumerate(self.residuals) if name == column)

    def cells(self, coarse: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """First cell of each level of a number's coarse slot, and how many it has. **Shape**: two of (K,)."""
        slot, slots = self.slots[coarse], self.slots_of(self.columns[coarse])
        count = np.ones(slot.size, dtype=np.int64)
        if len(slots) > 1:
            count = np.maximum(np.isfinite(self.slots[slots[1]].prior).sum(axis=1), 1)
        if slot.missing:
            count[-1] = 0
        return np.concatenate([[0], np.cumsum(count)[:-1]]), count

    def applicable(self, cat: Tensor) -> Tensor:
        """Which slots carry information. **Shape**: `cat` (n, d) -> (n, d) bool."""
        out = torch.ones_like(cat, dtype=torch.bool)
        for k, slot in enumerate(self.slots):
            if slot.parent is not None:
                out[:, k] = torch.from_numpy(slot.applies).to(cat.device)[cat[:, slot.parent].long()]
        return out


def level_dtype(sizes: Iterable[int]) -> type[np.int16 | np.int32]:
    """The smallest integers that hold every level of slots of these sizes.

    Example:
        >>> level_dtype([3, 200]).__name__, level_dtype([40_000]).__name__
        ('int16', 'int32')
    """
    return np.int16 if max(sizes, default=0) <= np.iinfo(np.int16).max else np.int32


@dataclass(frozen=True)
class Rows:
    """Encoded rows.

    **Shape**: `cat` (n, d) small integers, slot j in range(K_j); `num` (n, r) float32 in [0, 1).
    """

    cat: Tensor
    num: Tensor

    def __len__(self) -> int:
        return int(self.cat.shape[0])

    def __getitem__(self, index: Tensor | slice) -> Rows:
        return Rows(self.cat[index], self.num[index])

    def to(self, device: str | torch.device) -> Rows:
        """The same rows on another device."""
        return Rows(self.cat.to(device), self.num.to(device))

    @staticmethod
    def cat_rows(parts: list[Rows]) -> Rows:
        """Rows of several parts, one after the other."""
        return Rows(torch.cat([p.cat for p in parts]), torch.cat([p.num for p in parts]))


@dataclass(frozen=True)
class Given:
    """What is known of rows that are to be completed.

    Args:
        cat: known levels, -1 where unknown. **Shape**: (n, d).
        allowed: for slots that are known only in part (one member of a combination, "anything but missing"):
            a table of admissible level sets and the one that applies to each row. **Shape**: (p, K) bool and (n,).
    """

    cat: Tensor
    allowed: dict[int, tuple[Tensor, Tensor]]

    def __len__(self) -> int:
        return int(self.cat.shape[0])

    def __getitem__(self, index: Tensor | slice) -> Given:
        return Given(self.cat[index], {k: (table, which[index]) for k, (table, which) in self.allowed.items()})

    def to(self, device: str | torch.device) -> Given:
        """The same on another device."""
        moved = {k: (table.to(device), which.to(device)) for k, (table, which) in self.allowed.items()}
        return Given(self.cat.to(device), moved)

    def known(self) -> Tensor:
        """Which slots are fully known. **Shape**: (n, d) bool."""
        return self.cat >= 0


class ConstraintMask:
    """Which levels a slot may still take while rows are being drawn, slot by slot, in any order.

    Clauses forbid; `given` restricts. Where nothing would be left the restriction by `given` yields first (a cell
    that must be missing stays missing), then the clauses (rows that break a rule are mended by the caller).
    """

    def __init__(self, layout: Layout, n: int, given: Given | None, device: torch.device) -> None:
        self._by_slot: dict[int, list[tuple[int, Tensor]]] = {}
        self._observed: list[dict[int, Tensor]] = [{} for _ in layout.clauses]
        self._lengths = [len(c.literals) for c in layout.clauses]
        for k, clause in enumerate(layout.clauses):
            for slot, marked in clause.literals:
                self._by_slot.setdefault(slot, []).append((k, torch.from_numpy(marked).to(device)))
        self._given = given
        self._n = n

    def observe(self, slot: int, levels: Tensor) -> None:
        """Take note of what `slot` was drawn as. **Shape**: `levels` (n,); -1 where it has not been."""
        for k, marked in self._by_slot.get(slot, ()):
            self._observed[k][slot] = marked[levels.clamp(min=0)] & (levels >= 0)

    def mask(self, slot: int) -> Tensor | None:
        """True for admissible levels, or None if all are. **Shape**: (n, K) bool."""
        forbidden: Tensor | None = None
        for k, marked in self._by_slot.get(slot, ()):
            others = [marked_rows for s, marked_rows in self._observed[k].items() if s != slot]
            if len(others) == self._lengths[k] - 1:
                rows = (
                    torch.stack(others).all(dim=0)
                    if others
                    else torch.ones(self._n, dtype=torch.bool, device=marked.device)
                )
                if bool(rows.any()):
                    here = rows[:, None] & marked
                    forbidden = here if forbidden is None else forbidden | here
        admissible = None if forbidden is None else ~forbidden
        if self._given is None or slot not in self._given.allowed:
            return admissible
        table, which = self._given.allowed[slot]
        wanted = table.to(which.device)[which]
        if admissible is None:
            return wanted
        both = admissible & wanted
        return torch.where(both.any(dim=1, keepdim=True), both, admissible)


def checked_groups(groups: Sequence[int]) -> NDArray[np.int64]:
    """Groups of cells as they were saved: each is the one before or the next, so there are no more than cells.

    Raises:
        ValueError: one is left out, or they go down.
    """
    read = np.array(groups, dtype=np.int64)
    if not np.isin(np.diff(read, prepend=0), (0, 1)).all():
        msg = "groups of cells must follow each other; however: one is left out, or they go down"
        raise ValueError(msg)
    return read
