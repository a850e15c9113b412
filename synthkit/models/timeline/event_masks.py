"""Which events may come next: tables that are owed rows, series that have not been, gaps that fit."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from synthkit.encoding.arrays import Bools, Ints
from synthkit.models.timeline.row_times import gap_masks
from synthkit.models.timeline.units_so_far import UnitsSoFar


class EventMasks:
    """Levels that the events of some units may take.

    Args:
        chunk: what came before.
        active: the units. **Shape**: (n,).
    """

    def __init__(self, chunk: UnitsSoFar, active: Ints) -> None:
        self._chunk, self._active = chunk, active
        events, tables = chunk.encoder.events, chunk.encoder.tables
        self._series = {slot: tables.index(name) for name, slot in events.series_slots.items()}
        owed = chunk.owners.owed_now(active) > 0
        free = owed & chunk.possible
        some = free.any(axis=1, keepdims=True)  # all but what is known to have happened
        self._timed = np.array([t.each.timed for t in chunk.times], dtype=bool)
        self._owed = _in_turn(np.where(some, free, owed), self._timed)

    def admit(self, slot: int, cat: Tensor, mask: Tensor | None) -> Tensor | None:
        """Levels that may be taken. **Shape**: int, levels so far (n, E), (n, K) -> (n, K)."""
        chunk = self._chunk
        if slot == 0:
            return torch.from_numpy(self._owed).to(cat.device)
        if slot in self._series:
            return self._series_mask(self._series[slot], cat, mask)
        if slot == chunk.encoder.events.gap_slot:
            table = cat[:, 0].cpu().numpy()
            space = chunk.room(self._active, table)
            due = chunk.owners.owed_now(self._active) > np.eye(len(chunk.times), dtype=np.int64)[table]
            return torch.from_numpy(gap_masks(chunk.encoder.events, space, table, due & self._timed)).to(cat.device)
        return mask

    def _series_mask(self, t: int, cat: Tensor, mask: Tensor | None) -> Tensor | None:
        """Series that a table may still have, where rows happen once."""
        chunk, n = self._chunk, len(self._active)
        coding = chunk.encoder.payloads[chunk.encoder.tables[t]]
        slot = coding.series_slot
        assert slot is not None
        blank = np.zeros((n, len(coding.layout.slots)), dtype=np.int64)
        for once in chunk.once[t]:
            allowed = once.allowed(slot, self._active, blank)
            if allowed is not None:
                tensor = torch.from_numpy(allowed | (cat[:, 0].cpu().numpy() != t)[:, None]).to(cat.device)
                mask = tensor if mask is None else mask & tensor
        return mask


def _in_turn(owed: Bools, timed: Bools) -> Bools:
    """Tables without a clock come first, one after the other. **Shape**: (n, T), (T,) -> (n, T)."""
    still = owed & ~timed
    turn = still & (still.cumsum(axis=1) == 1)
    return np.where(still.any(axis=1, keepdims=True), turn, owed)
