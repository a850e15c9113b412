"""What earlier numbers say about a later one, in the later one's own cells: a vote for a level, and a place.

A number that lies near another is hard to learn from the levels of that other: the two are cut differently, and which
fine level follows depends on two coarse ones at once. A link looks up where the source's value lies among the
target's cells. For the coarse slot that is a level and a quarter of it; for the fine one a place inside the coarse
level that was drawn, or so many cells before or after it. The place enters the state as a vector, and the level gets a
vote c = w . s + b, added to its logit, so that "the same again" is one weight.

References:
    Vinyals, Fortunato, Jaitly: Pointer networks (2015).
    Gu, Lu, Li, Li: Incorporating copying mechanism in sequence-to-sequence learning (2016).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from synthkit.encoding.layout import Layout, ValueLink

Ints = NDArray[np.int64]
QUARTERS = 4  # places inside a coarse level, for its slot
MARGIN = 8  # places on either side of a coarse level, for the fine slot; what is further off counts as the last


@dataclass(frozen=True)
class Places:
    """Where sources lie for some arrows. An arrow is a link seen from one slot of its target.

    **Shape**: each (B, A): `level` voted for; `votes`, whether there is a vote; `place`, index of the vector; `tells`,
    whether there is one.
    """

    level: Tensor
    votes: Tensor
    place: Tensor
    tells: Tensor

    def where(self, known: Tensor) -> Places:
        """Only what sources that are known say. **Shape**: (B or 1, A) bool."""
        return Places(self.level, self.votes & known, self.place, self.tells & known)


class Pointers(nn.Module):
    """Vectors and votes of all links of a layout.

    Args:
        layout: slots and links.
        width: length H of the states.
    """

    def __init__(self, layout: Layout, width: int) -> None:
        super().__init__()
        arrows = [(p, slot) for p in layout.links for slot in layout.slots_of(layout.columns[p.target])]
        self.slots = [slot for _, slot in arrows]
        self.sources = [p.source for p, _ in arrows]
        self.of = {j: [a for a, slot in enumerate(self.slots) if slot == j] for j in set(self.slots)}
        sizes = [QUARTERS * layout.sizes[s] if s == p.target else layout.sizes[s] + 2 * MARGIN + 1 for p, s in arrows]
        self.vectors = nn.Parameter(torch.randn(sum(sizes), width) * 0.1)
        self.weight = nn.Parameter(torch.zeros(len(arrows), width))
        self.bias = nn.Parameter(torch.zeros(len(arrows)))
        tables = {
            "slot": [slot for _, slot in arrows],
            "source": self.sources,
            "target": [p.target for p, _ in arrows],
            "fine": [slot != p.target for p, slot in arrows],
            "first": np.cumsum([0, *sizes])[:-1] if sizes else [],
            "size": [layout.sizes[slot] for _, slot in arrows],
            **_lookups(layout, [p for p, _ in arrows]),
        }
        for name, values in tables.items():
            dtype = torch.bool if name == "fine" else torch.long
            self.register_buffer(f"_{name}", torch.as_tensor(np.asarray(values), dtype=dtype), persistent=False)

    def __len__(self) -> int:
        return len(self.slots)

    def _table(self, name: str) -> Tensor:
        table: Tensor = getattr(self, f"_{name}")
        return table

    def places(self, cat: Tensor, num: Tensor | None, arrows: Tensor | slice = slice(None)) -> Places:
        """Where the sources' values lie for these arrows; in the middle of their cells without positions.

        **Shape**: (B, D), (B, r) -> (B, A).
        """
        of = {
            name: self._table(name)[arrows]
            for name in ("source", "inner", "at", "stride", "target", "fine", "size", "group_at", "start_at")
        }
        of["residual"], of["parts"] = self._table("residual")[arrows], self._table("parts")[arrows]
        inner = torch.where(of["inner"] >= 0, cat[:, of["inner"].clamp(min=0)], 0)
        part = of["parts"] // 2 if num is None else (num[:, of["residual"]] * of["parts"]).long()
        cell = self._table("cell")[of["at"] + (cat[:, of["source"]] * of["stride"] + inner) * of["parts"] + part]
        inside = cell >= 0
        group = self._table("group")[of["group_at"] + cell.clamp(min=0)]
        start, count = self._table("start"), self._table("count")
        mine = group + of["start_at"]
        quarter = QUARTERS * (cell.clamp(min=0) - start[mine]) // count[mine].clamp(min=1)
        drawn = cat[:, of["target"]] + of["start_at"]
        offset = cell - start[drawn]
        within = inside & (offset >= 0) & (offset < count[drawn])
        before, after = (-1 - offset).clamp(0, MARGIN - 1), MARGIN + (offset - count[drawn]).clamp(0, MARGIN - 1)
        outside = of["size"] + torch.where(inside, torch.where(offset < 0, before, after), 2 * MARGIN)
        level = torch.where(of["fine"], torch.where(within, offset, 0), group)
        fine, coarse = torch.where(within, offset, outside), QUARTERS * group + quarter
        place = torch.where(of["fine"], fine, coarse) + self._table("first")[arrows]
        return Places(level, torch.where(of["fine"], within, inside), place, inside | of["fine"])

    def known(self, seen: Tensor) -> Tensor:
        """Whether the slot of each arrow sees its source. **Shape**: bool (B, D, D), slot by what it sees -> (B, A)."""
        return seen[:, self._table("slot"), self._table("source")]

    def tell(self, s: Tensor, places: Places, arrows: Tensor | slice = slice(None)) -> Tensor:
        """States with the vectors of the places added. **Shape**: (B, D, H) -> (B, D, H)."""
        told = F.embedding(places.place, self.vectors) * places.tells[..., None]
        return s.index_add(1, self._table("slot")[arrows], told.to(s.dtype))

    def told(self, places: Places) -> Tensor:
        """Sum of the vectors of places of one slot. **Shape**: (B, A) -> (B, H)."""
        return (F.embedding(places.place, self.vectors) * places.tells[..., None]).sum(dim=1)

    def vote(self, j: int, logits: Tensor, state: Tensor, places: Places) -> Tensor:
        """Logits of slot j with the votes of its arrows. **Shape**: (B, K), (B, H), of A arrows -> (B, K)."""
        mine = self.of[j]
        votes = F.linear(state.float(), self.weight[mine], self.bias[mine]) * places.votes
        return logits.scatter_add(1, places.level, votes)

    def take(self, places: Places, j: int) -> Places:
        """Those of slot j among the places of all arrows."""
        mine = self.of[j]
        return Places(places.level[:, mine], places.votes[:, mine], places.place[:, mine], places.tells[:, mine])


def _lookups(layout: Layout, pointers: list[ValueLink]) -> dict[str, Ints]:
    """Tables of all arrows end to end, and where each arrow's part begins."""
    cell: list[Ints] = []
    group: list[Ints] = []
    start: list[Ints] = []
    count: list[Ints] = []
    at, stride, group_at, start_at, inner, residual, parts = [], [], [], [], [], [], []
    for p in pointers:
        at.append(sum(len(part) for part in cell))
        stride.append(p.cell.shape[1])
        parts.append(p.cell.shape[2])
        residual.append(layout.residuals.index(layout.columns[p.source]))
        group_at.append(sum(len(part) for part in group))
        start_at.append(sum(len(part) for part in start))
        slots = layout.slots_of(layout.columns[p.source])
        inner.append(slots[1] if len(slots) > 1 else -1)
        first, many = layout.cells(p.target)
        cell.append(p.cell.ravel())
        start.append(first)
        count.append(many)
        group.append(np.repeat(np.arange(len(many)), many))

    def joined(parts: list[Ints]) -> Ints:
        return np.concatenate(parts) if parts else np.zeros(0, dtype=np.int64)

    flat = {"cell": joined(cell), "group": joined(group), "start": joined(start), "count": joined(count)}
    where = {"at": at, "stride": stride, "group_at": group_at, "start_at": start_at, "inner": inner}
    where |= {"residual": residual, "parts": parts}
    return flat | {name: np.array(values, dtype=np.int64) for name, values in where.items()}
