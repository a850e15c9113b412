"""Steps of whole units as the rows of a batch: their numbers, and the encoded units they are looked up in."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from synthkit.encoding.arrays import Ints
from synthkit.encoding.layout import Layout, Rows, Slot
from synthkit.encoding.units.sequences import Sequences

EVERY_TABLE = -1  # table of a made-up step that is a row of each of them
_STEP = Slot(name="step", size=1, ordinal=False, missing=False, parent=None, prior=np.zeros(1, np.float32))
STEPS_LAYOUT = Layout((_STEP,), ("step",))  # of numbers of steps, whose levels nobody asks for


@dataclass(frozen=True)
class UnitSteps(Rows):
    """Rows of which each is one step; all steps of a unit stand together, in order.

    **Shape**: `cat` (n, 1), numbers of steps.

    Args:
        sequences: the units.
    """

    sequences: Sequences

    @classmethod
    def of(cls, sequences: Sequences) -> UnitSteps:
        """All steps of some units."""
        steps = torch.arange(int(sequences.offsets[-1]))[:, None]
        return cls(steps, torch.zeros(len(steps), 0), sequences)

    def __getitem__(self, index: Tensor | slice) -> UnitSteps:
        return replace(self, cat=self.cat[index], num=self.num[index])

    def to(self, device: str | torch.device) -> UnitSteps:
        """The same numbers on another device; the units stay where they are."""
        return replace(self, cat=self.cat.to(device), num=self.num.to(device))

    @property
    def owner(self) -> Ints:
        """Number of the unit of each step. **Shape**: (n,)."""
        return np.asarray(np.searchsorted(self.sequences.offsets, self.steps, side="right") - 1, dtype=np.int64)

    @property
    def steps(self) -> Ints:
        """Number of each step. **Shape**: (n,)."""
        return self.cat[:, 0].cpu().numpy().astype(np.int64)

    @property
    def units(self) -> Ints:
        """Numbers of the units whose steps these are, one after the other; a unit may come again. **Shape**: (B,)."""
        steps, owner = self.steps, self.owner
        first = np.r_[True, (owner[1:] != owner[:-1]) | (steps[1:] != steps[:-1] + 1)][: len(steps)]
        return np.asarray(owner[first], dtype=np.int64)
