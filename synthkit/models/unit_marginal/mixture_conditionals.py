"""Slots drawn one after the other from a mixture of products, given what is known already: exact conditionals."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
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


class MixtureConditionals:
    """Conditionals of a layout's slots under a mixture; see `models.row_completion.Conditionals`.

    The state of a row is the log-weight of each component given what is known of it; a known level adds its log-law.
    Slots the mixture does not have, fine ones, follow the law that came with the coding.

    Args:
        layout: the slots.
        laws: of the slots the mixture has, by slot. **Shape**: (K_j, components) each.
        shares: of the components. **Shape**: (components,).
    """

    def __init__(self, layout: Layout, laws: Mapping[int, Tensor], shares: Tensor) -> None:
        self.layout, self.laws, self._device = layout, dict(laws), shares.device
        self.offsets = torch.tensor([0, *layout.sizes[:-1]]).cumsum(0)
        self._fine = {j: fine_law(s) for j, s in enumerate(layout.slots) if s.parent is not None and j not in laws}
        self._applies = {j: torch.from_numpy(s.applies) for j, s in enumerate(layout.slots) if s.parent is not None}
        none = shares.new_zeros(max(layout.sizes, default=1), len(shares))
        self.values = torch.cat(
            [
                self.laws[j].clamp(min=MIN_PROBABILITY).log() if j in self.laws else none[:size]
                for j, size in enumerate(layout.sizes)
            ]
            or [none[:0]]
        )

    @property
    def device(self) -> torch.device:
        """Where they are computed."""
        return self._device

    def learned(self) -> MixtureTables:
        """Log-laws of all levels."""
        return MixtureTables(self.values)

    def logits(self, j: int, s: Tensor, row: Partial, learned: MixtureTables, dtype: torch.dtype) -> Tensor:
        """Log-law of a slot given the state of each row. **Shape**: (n, K), Partial of n -> (n, size)."""
        del learned, dtype
        parent = self.layout.slots[j].parent
        if j in self._fine and parent is not None:
            return self._fine[j][row.cat[:, parent]].clamp(min=MIN_PROBABILITY).log()
        return (torch.softmax(s, dim=1) @ self.laws[j].T).clamp(min=MIN_PROBABILITY).log()

    def applies(self, j: int, cat: Tensor) -> Tensor | None:
        """Where slot j carries information; None if everywhere. **Shape**: (n, D) -> (n,) bool."""
        parent = self.layout.slots[j].parent
        return None if parent is None else self._applies[j][cat[:, parent]]

    def vectors(self, cat: Tensor, table: Tensor) -> Tensor:
        """Log-laws of every cell, zero where a slot does not apply. **Shape**: (n, D) -> (n, D, K)."""
        return F.embedding(cat + self.offsets, table) * self.layout.applicable(cat)[..., None]


def event_laws(
    layout: Layout, kind: Tensor, gap: Tensor, kinds: Sequence[int], series: Mapping[int, int], gap_slot: int
) -> dict[int, Tensor]:
    """Laws of the slots of an event from those of its kind and its gap.

    A kind is a type with the level of its series, so that a type has the mass of its kinds, and a level of a series its
    share of that. So it is with gaps that are shares of the time left.

    Args:
        layout: slots of an event.
        kind: law of the kinds. **Shape**: (kinds, K).
        gap: law of the gaps, one that is forced left out. **Shape**: (gaps, K).
        kinds: where the kinds of each type begin, and the end.
        series: type of each slot that tells the levels of a series.
        gap_slot: slot of the gap; that of the share follows.
    """
    out = {0: torch.stack([kind[a:b].sum(dim=0) for a, b in itertools.pairwise(kinds)])}
    for slot, t in series.items():
        mine = kind[kinds[t] : kinds[t + 1]]
        out[slot] = mine / mine.sum(dim=0).clamp(min=MIN_PROBABILITY)
    whole = gap / gap.sum(dim=0).clamp(min=MIN_PROBABILITY)
    first = layout.sizes[gap_slot] - 1
    shares = whole[first:]
    out[gap_slot] = torch.cat([whole[:first], shares.sum(dim=0, keepdim=True)])
    out[gap_slot + 1] = shares / shares.sum(dim=0).clamp(min=MIN_PROBABILITY)
    return out
