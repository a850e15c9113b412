"""Slots drawn one after the other from a mixture of products, given what is known already and what came before."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from synthkit.encoding.layout import Layout
from synthkit.models.product_mixture import MIN_PROBABILITY
from synthkit.models.sampling import fine_law
from synthkit.training.layers.masked_network import Partial


@dataclass(frozen=True)
class MixtureTables:
    """Log-laws of the levels of all slots, one below the other. **Shape**: `values` (V, K)."""

    values: Tensor


@dataclass(frozen=True)
class MixedSlot:
    """How a slot of a layout is told by one slot of a mixture.

    A slot may be a coarser or a finer look at one of the mixture: the type of an event is told by its kind, which is
    the type with the level of its series, and so is that level.

    Args:
        law: of the mixture's slot. **Shape**: (K_m, components).
        group: level of this slot that each level there belongs to, -1 for none. **Shape**: (K_m,).
        size: levels of this slot.
    """

    law: Tensor
    group: Tensor
    size: int

    @property
    def whole(self) -> bool:
        """Whether it is the mixture's slot itself."""
        levels = torch.arange(self.size, device=self.group.device)
        return self.size == len(self.group) and bool((self.group == levels).all())

    def summed(self, p: Tensor) -> Tensor:
        """Mass of this slot's levels. **Shape**: (K_m, n) -> (size, n)."""
        if self.whole:
            return p
        out = p.new_zeros(self.size + 1, p.shape[1])
        return out.index_add(0, torch.where(self.group < 0, self.size, self.group), p)[: self.size]

    def shares(self) -> Tensor:
        """Law of this slot in each component, among what belongs to it. **Shape**: (size, components)."""
        mass = self.summed(self.law)
        return mass / mass.sum(dim=0).clamp(min=MIN_PROBABILITY)


class MixtureConditionals:
    """Conditionals of a layout's slots under a mixture; see `models.row_completion.Conditionals`.

    The state of a row is the log-weight of each component given what is known of it; a known level adds its log-law.
    What came before a row tilts the law of a slot by a factor for each level. Slots the mixture does not have, fine
    ones, follow the law that came with the coding.

    Args:
        layout: the slots.
        mixed: of the slots the mixture tells, by slot.
        tilts: log-factors of the levels of the mixture's slot, by slot, for each row. **Shape**: (n, K_m) each.
    """

    rows_at_once: int | None = None  # tilts are those of all rows

    def __init__(
        self, layout: Layout, mixed: Mapping[int, MixedSlot], components: int, tilts: Mapping[int, Tensor] | None = None
    ) -> None:
        self.layout, self.mixed, self.components, self.tilts = layout, dict(mixed), components, tilts or {}
        device = next((each.law.device for each in mixed.values()), torch.device("cpu"))
        self.offsets = torch.tensor([0, *layout.sizes[:-1]], device=device).cumsum(0)
        fine = [j for j, slot in enumerate(layout.slots) if slot.parent is not None]
        self._fine = {j: fine_law(layout.slots[j]).to(device) for j in fine if j not in mixed}
        self._applies = {j: torch.from_numpy(layout.slots[j].applies).to(device) for j in fine}
        none = torch.zeros(max(layout.sizes, default=1), components, device=device)
        logs = [
            self.mixed[j].shares().clamp(min=MIN_PROBABILITY).log()[:size] if j in self.mixed else none[:size]
            for j, size in enumerate(layout.sizes)
        ]
        self.values = torch.cat([*logs, none[:0]])

    def tilted(self, tilts: Mapping[int, Tensor]) -> MixtureConditionals:
        """The same for rows of which it is known what came before. **Shape**: (n, K_m) each."""
        out = object.__new__(MixtureConditionals)
        out.__dict__.update({**self.__dict__, "tilts": tilts})
        return out

    @property
    def device(self) -> torch.device:
        """Where they are computed."""
        return self.values.device

    def learned(self) -> MixtureTables:
        """Log-laws of all levels."""
        return MixtureTables(self.values)

    def logits(self, j: int, s: Tensor, row: Partial, learned: MixtureTables, dtype: torch.dtype) -> Tensor:
        """Log-law of a slot given the state of each row. **Shape**: (n, K), Partial of n -> (n, size)."""
        del learned, dtype
        parent = self.layout.slots[j].parent
        if j in self._fine and parent is not None:
            return self._fine[j][row.cat[:, parent]].clamp(min=MIN_PROBABILITY).log()
        mixed = self.mixed[j]
        p = torch.softmax(s, dim=1) @ mixed.law.T
        if j in self.tilts:
            p = p * self.tilts[j].exp()
        return mixed.summed(p.T).T.clamp(min=MIN_PROBABILITY).log()

    def applies(self, j: int, cat: Tensor) -> Tensor | None:
        """Where slot j carries information; None if everywhere. **Shape**: (n, D) -> (n,) bool."""
        parent = self.layout.slots[j].parent
        return None if parent is None else self._applies[j][cat[:, parent]]

    def place(self, j: int, cat: Tensor, num: Tensor | None) -> Tensor | None:
        """None: a value vector says it all."""
        del j, cat, num
        return None

    def vectors(self, cat: Tensor, table: Tensor) -> Tensor:
        """Log-laws of every cell, zero where a slot does not apply. **Shape**: (n, D) -> (n, D, K)."""
        return F.embedding(cat + self.offsets, table) * self.layout.applicable(cat)[..., None]
