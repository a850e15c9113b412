"""Exact tables of slots of rows that lie encoded on disk: counted part by part, the rows never together in memory."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from synthkit.encoding.slot_counts import Scope
from synthkit.engine.coded_table import CodedTable


@dataclass(frozen=True, kw_only=True)
class StoredTables:
    """Tables of some slots of a coded table; see `SlotTables`.

    Args:
        table: the encoded rows.
        slots: which of their slots are counted.
        sizes: levels of each, as they are counted.
        groups: level of each stored level, a slot; None where they are counted as they are. **Shape**: (K_j,) each.
    """

    table: CodedTable
    slots: tuple[int, ...]
    sizes: tuple[int, ...]
    groups: tuple[NDArray[np.int64], ...] | None = None

    @classmethod
    def of_slots(cls, table: CodedTable, slots: tuple[int, ...]) -> StoredTables:
        """Tables of some slots as they are stored."""
        return cls(table=table, slots=slots, sizes=tuple(table.sizes[j] for j in slots))

    def of(self, scope: Scope) -> NDArray[np.int64]:
        """Exact counts. **Shape**: sizes of the slots in `scope`."""
        return self._pairs[scope] if len(scope) == 2 else self._counted([scope])[scope]

    def pooled(self, groups: Sequence[NDArray[np.int64]]) -> StoredTables:
        """The same rows with levels counted together. **Shape**: (K_j,) a slot."""
        before = self.groups or tuple(np.arange(size) for size in self.sizes)
        joined = tuple(np.asarray(new)[old] for old, new in zip(before, groups, strict=True))
        return replace(self, groups=joined, sizes=tuple(int(group.max()) + 1 for group in groups))

    @cached_property
    def _pairs(self) -> dict[Scope, NDArray[np.int64]]:
        """Tables of all pairs, of one pass: they are asked for again and again."""
        return self._counted(list(itertools.combinations(range(len(self.sizes)), 2)))

    def _counted(self, scopes: Sequence[Scope]) -> dict[Scope, NDArray[np.int64]]:
        out = {scope: np.zeros(math.prod(self.sizes[j] for j in scope), dtype=np.int64) for scope in scopes}
        for part in self.table.slots(self.slots):
            codes = [np.ascontiguousarray(part[:, j], dtype=np.int64) for j in range(len(self.slots))]
            if self.groups is not None:
                codes = [group[code] for group, code in zip(self.groups, codes, strict=True)]
            for scope, total in out.items():
                flat = np.zeros(len(part), dtype=np.int64)
                for j in scope:
                    flat = flat * self.sizes[j] + codes[j]
                np.add(total, np.bincount(flat, minlength=len(total)), out=total)
        return {scope: total.reshape([self.sizes[j] for j in scope]) for scope, total in out.items()}
