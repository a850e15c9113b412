"""Values of the rows a row is related to, each as good as a column of its own: of its owner, its unit, its series."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from synthkit.encoding.layout import Layout
from synthkit.training.layers.gated_blocks import LevelEmbedding, keep


@dataclass(frozen=True)
class RelatedCodes:
    """Codes of the rows that rows of one table are related to, -1 where there is none.

    **Shape**: (n, slots of the layout of each).

    Args:
        unit: of the unit.
        owner: of the owner, None where that is the unit.
        twin: of the last row of the same series.
    """

    unit: Tensor
    owner: Tensor | None
    twin: Tensor


class ValueSum(nn.Module):
    """Sum of vectors of some levels of a row, nought for no row.

    Args:
        layout: of the row.
        chosen: its slots that count.
        width: H.
        dropped: share of levels that are hidden while training.
    """

    def __init__(self, layout: Layout, chosen: tuple[int, ...], width: int, dropped: float) -> None:
        super().__init__()
        slots = tuple(layout.slots[j] for j in chosen)
        self.values = LevelEmbedding(slots, width, free=0.1, smooth=0.1)
        sizes = [slot.size for slot in slots]
        self.register_buffer("offsets", torch.tensor([0, *sizes[:-1]]).cumsum(0), persistent=False)
        self.register_buffer("chosen", torch.tensor(chosen), persistent=False)
        self.offsets: Tensor
        self.chosen: Tensor
        self.dropped = dropped

    def forward(self, cat: Tensor) -> Tensor:
        """**Shape**: (n, d) -> (n, H)."""
        cat, table = cat[:, self.chosen], self.values()
        seen = cat >= 0
        if self.training and self.dropped:
            seen = seen & (keep(cat.shape, self.dropped, table.dtype, cat.device) > 0)
        at = torch.where(seen, cat + self.offsets, len(table))
        return F.embedding_bag(at, F.pad(table, (0, 0, 0, 1)), mode="sum")


class Relatives(nn.Module):
    """What rows of one table know of single values of the rows they are related to, whichever is drawn.

    Args:
        unit: slots of the unit.
        owner: slots of the owner's table, None where that is the unit.
        own: slots of the table itself.
        width: H.
        dropped: share of values that are hidden while training.
    """

    def __init__(self, unit: Layout, owner: Layout | None, own: Layout, width: int, dropped: float) -> None:
        super().__init__()
        names = tuple(j for j in unit.coarse if not unit.slots[j].ordinal)  # numbers would tell which unit it is
        self.unit = ValueSum(unit, names, width, dropped) if names else None
        self.owner = None if owner is None else ValueSum(owner, owner.coarse, width, dropped)
        self.twin = ValueSum(own, own.coarse, width, dropped)

    def forward(self, codes: RelatedCodes) -> Tensor:
        """**Shape**: codes of n rows -> (n, H)."""
        out: Tensor = self.twin(codes.twin)
        out = out if self.unit is None else out + self.unit(codes.unit)
        return out if self.owner is None or codes.owner is None else out + self.owner(codes.owner)


def opened_sums(payloads: Mapping[str, Layout], owners: Mapping[str, str], width: int, dropped: float) -> nn.ModuleDict:
    """One sum for each table that owns others, by its number: what the next event knows of an open row."""
    names = list(payloads)
    return nn.ModuleDict(
        {
            str(names.index(n)): ValueSum(payloads[n], payloads[n].coarse, width, dropped)
            for n in names
            if n in owners.values()
        }
    )
