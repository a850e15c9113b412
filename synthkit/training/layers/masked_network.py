"""Every slot's law given any subset of the others, all of them from one sum of value vectors."""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from synthkit.encoding.layout import Layout
from synthkit.training.layers.gated_blocks import GatedBlock, LevelEmbedding, fast_dtype, keep, normal
from synthkit.training.layers.link_votes import Pointers
from synthkit.training.layers.number_scores import NumberScores
from synthkit.training.layers.pair_tables import PairTables

LAW_ROWS = 8192  # rows whose laws are worked out at once: fewer are slower, more no faster
ALIKE = 32  # slots of equally many levels, at least, that share one product


@dataclass(frozen=True, kw_only=True)
class Sizes:
    """Sizes of the network: see `models.autoregressive.config.AutoregressiveConfig`."""

    width: int
    hidden: int
    blocks: int
    dropout: float
    input_dropout: float


class MaskedNetwork(nn.Module):
    """Conditionals of every slot given any subset of the others.

    Args:
        layout: the slots.
        sizes: of the network.
        paired: whether laws of slots given one other are counted and added, for tables of few rows.
        both_ways: whether laws given a slot behind are added too, where the one before is not known.
        scored: whether numbers are told and drawn by their normal scores as well, for tables of few rows.
    """

    def __init__(
        self,
        layout: Layout,
        sizes: Sizes,
        *,
        paired: bool = False,
        both_ways: bool = False,
        scored: bool = False,
    ) -> None:
        super().__init__()
        slots, h = layout.slots, sizes.width
        self.layout, self.sizes = layout, sizes
        self.values = LevelEmbedding(slots, h, free=0.3, smooth=0.2)
        self.query = nn.Parameter(torch.randn(len(slots), h) * 0.3)
        self.blocks: list[GatedBlock] = [
            GatedBlock(len(slots), h, sizes.hidden, sizes.dropout) for _ in range(sizes.blocks)
        ]
        for k, block in enumerate(self.blocks):
            self.add_module(f"block_{k}", block)
        self.heads = LevelEmbedding(slots, h, free=0.0, smooth=0.0)
        self.pointers = Pointers(layout, h) if layout.links else None
        self.pairs = PairTables(layout) if paired else None
        self.pairs_behind = PairTables(layout, behind=True) if both_ways else None
        self.scores = NumberScores(layout, h) if scored and layout.residuals else None
        coarse = torch.cat([torch.from_numpy(s.prior) if s.parent is None else torch.zeros(s.size) for s in slots])
        self.bias = nn.Parameter(coarse)
        for j, slot in enumerate(slots):
            if slot.parent is not None:
                self.register_buffer(f"base_{j}", torch.from_numpy(slot.prior).clamp(min=-30.0))
                self.register_buffer(f"applies_{j}", torch.from_numpy(slot.applies))
        offsets = torch.tensor([0, *layout.sizes[:-1]]).cumsum(0)
        self.register_buffer("offsets", offsets)
        self.offsets: Tensor
        self._orders = _order_units(layout)
        spoken_for = {*(self.pointers.of if self.pointers else ()), *(self.scores.number if self.scores else ())}
        self._alike = {} if paired else _alike(layout, spoken_for)

    @property
    def device(self) -> torch.device:
        """Where it is computed."""
        return self.query.device

    @property
    def rows_at_once(self) -> int | None:
        """Rows whose laws are worked out at once; all of them on a GPU."""
        return LAW_ROWS if self.device.type == "cpu" else None

    def base(self, j: int, parent: Tensor) -> Tensor:
        """Log base measure of a fine slot under each row's coarse level. **Shape**: (B,) -> (B, K)."""
        table: Tensor = getattr(self, f"base_{j}")
        return table[parent]

    def applies(self, j: int, cat: Tensor) -> Tensor | None:
        """Where slot j carries information; None if everywhere. **Shape**: (B, D) -> (B,) bool."""
        parent = self.layout.slots[j].parent
        if parent is None:
            return None
        table: Tensor = getattr(self, f"applies_{j}")
        return table[cat[:, parent]]

    def vectors(self, cat: Tensor, table: Tensor) -> Tensor:
        """Value vector of every cell, zero where a slot does not apply. **Shape**: (B, D) -> (B, D, H)."""
        return F.embedding(cat + self.offsets, table) * self.layout.applicable(cat)[..., None]

    def place(self, j: int, cat: Tensor, num: Tensor | None) -> Tensor | None:
        """What is added to a state beside its value vector once slot j is known. **Shape**: (B, D) -> (B, H)."""
        return None if self.scores is None else self.scores.place(j, cat, num)

    def _values(self) -> Tensor:
        """Value vectors of all levels, with the scores of those of numbers. **Shape**: (V, H)."""
        table: Tensor = self.values()
        return table if self.scores is None else table + self.scores.levels()

    def orders(self, n: int, canonical: float, device: torch.device) -> Tensor:
        """Whether slot i precedes slot j in the order of row b, at [b, j, i]; the table's own for a share of rows.

        **Shape**: (n, D, D) bool.
        """
        unit, d = self._orders.to(device), len(self._orders)
        keys = torch.rand(n, int(unit.max()) + 1, device=device)
        own_order = torch.rand(n, 1, device=device) < canonical
        own = torch.arange(keys.shape[1], device=device, dtype=keys.dtype)
        position = torch.where(own_order, own, keys)[:, unit]
        tie = torch.arange(d, device=device)
        before = position[:, None, :] < position[:, :, None]
        same = (unit[None, :] == unit[:, None]) & (tie[None, :] < tie[:, None])
        return before | same

    def states(self, s: Tensor) -> Tensor:
        """States after all blocks, normalised. **Shape**: (D, B, H) -> (D, B, H)."""
        for block in self.blocks:
            s = block(s)
        return normal(s)

    def nll(self, cat: Tensor, before: Tensor, num: Tensor | None = None) -> Tensor:
        """Negative log-probability of each row in its order, nats. **Shape**: (B, D), bool (B or 1, D, D) -> (B,)."""
        return self.losses(cat, before, num).sum(dim=0)

    def losses(self, cat: Tensor, before: Tensor, num: Tensor | None = None, context: Tensor | None = None) -> Tensor:
        """What each slot adds to it, 0 where it does not apply. **Shape**: (B, D), (B or 1, D, D) -> (D, B).

        Args:
            cat: levels.
            before: which slots precede which.
            num: positions inside cells.
            context: what else is known of a row, as each slot sees it. **Shape**: (B, D, H).
        """
        table = self._values()
        dtype = fast_dtype(cat.device) if self.training else table.dtype
        seen = informative = self.layout.applicable(cat)
        if self.training and self.sizes.input_dropout:
            seen = seen & (keep(cat.shape, self.sizes.input_dropout, dtype, cat.device) > 0)
        z = F.embedding(cat + self.offsets, table).to(dtype)
        z = z if self.scores is None else self.scores.tell(z, cat, num)
        # hiding a cell from a row is a zero in the order matrix: no pass over all vectors is needed
        before = before & seen[:, None, :]
        s = torch.matmul(before.view(torch.int8).to(dtype), z) + self.query.to(dtype)
        s = s if context is None else s + context.to(dtype)
        pointers, places = self.pointers, None
        if pointers is not None:
            places = pointers.places(cat, num).where(pointers.known(before))
            s = pointers.tell(s, places)
        states, table = self.states(s.transpose(0, 1).contiguous()), self.heads().to(dtype)
        heads, biases = (torch.split(each, list(self.layout.sizes)) for each in (table, self.bias))
        out = self._together(states, table, cat)
        # taken apart at once: the gradient of one slot taken alone is a whole tensor, nought but for that slot
        alone, told = states.unbind(0), self._told_by(cat, before)
        ratios = {} if self.scores is None else self.scores.log_ratios(alone, cat)
        for j, slot in enumerate(self.layout.slots):
            if j in out:
                continue
            logits = torch.mm(alone[j], heads[j].T).float() + biases[j]
            if pointers is not None and places is not None and j in pointers.of:
                logits = pointers.vote(j, logits, alone[j], pointers.take(places, j))
            parent = None if slot.parent is None else cat[:, slot.parent]
            logits = logits + ratios[j] if j in ratios else logits
            fixed = self._fixed(j, parent, told, cat)
            logits = logits if fixed is None else logits + fixed
            loss = F.cross_entropy(logits, cat[:, j], reduction="none")
            out[j] = loss if parent is None else torch.where(informative[:, j], loss, 0.0)
        return torch.stack([out[j] for j in range(len(out))])

    def _tables(self) -> tuple[PairTables, ...]:
        """Counted tables, the one that speaks first in front."""
        return tuple(pairs for pairs in (self.pairs, self.pairs_behind) if pairs is not None)

    @torch.no_grad()
    def _told_by(self, cat: Tensor, before: Tensor) -> list[tuple[PairTables, Tensor, Tensor | None]]:
        """Levels by which counted tables tell of all slots, and what a row itself brought to them while training.

        **Shape**: (B, D), bool (B or 1, D, D) -> of each table (B, D), (B, D).
        """
        told: list[tuple[PairTables, Tensor, Tensor | None]] = []
        spoken = torch.zeros_like(cat, dtype=torch.bool)
        for pairs in self._tables():
            at = pairs.told_by(cat, before).masked_fill(spoken, pairs.width - 1)
            spoken = spoken | (at < pairs.width - 1)
            told.append((pairs, at.T.contiguous().T, pairs.own_parts(cat, at) if self.training else None))
        return told

    @torch.no_grad()
    def _fixed(
        self, j: int, parent: Tensor | None, told: list[tuple[PairTables, Tensor, Tensor | None]], cat: Tensor
    ) -> Tensor | None:
        """What is added to the logits of slot j and is not learned: base measures and counted tables.

        **Shape**: levels of the parent (B,), of all slots (B, D) -> (B, K).
        """
        fixed = None if parent is None else self.base(j, parent)
        for pairs, at, own in told:
            law = pairs.laws(j, at[:, j])
            if law is None:
                continue
            if own is not None:
                law.scatter_add_(1, cat[:, j : j + 1], own[:, j : j + 1])
            fixed = law if fixed is None else fixed + law
        return fixed

    def _together(self, states: Tensor, heads: Tensor, cat: Tensor) -> dict[int, Tensor]:
        """What slots that are alike add, one product for all: a wide table has hundreds, each too small for its own.

        **Shape**: (D, B, H), (K of all, H), (B, D) -> by slot, (B,).
        """
        out: dict[int, Tensor] = {}
        for size, slots in self._alike.items():
            levels = self.offsets[slots][:, None] + torch.arange(size, device=cat.device)
            logits = torch.bmm(states[slots], heads[levels].mT).float() + self.bias[levels][:, None]
            loss = F.cross_entropy(logits.flatten(0, 1), cat[:, slots].T.flatten(), reduction="none")
            out |= zip(slots, loss.view(len(slots), -1).unbind(0), strict=True)
        return out

    def logits(self, j: int, s: Tensor, row: Partial, learned: LearnedTables, dtype: torch.dtype) -> Tensor:
        """Logits of one slot given what rows have; states and products in `dtype`, as while training.

        **Shape**: sum of value vectors (B, H), Partial of B -> (B, K).
        """
        state, pointers, places = s + self.query[j], self.pointers, None
        if pointers is not None and j in pointers.of:
            arrows = torch.tensor(pointers.of[j], device=s.device)
            sources = [pointers.sources[a] for a in pointers.of[j]]
            places = pointers.places(row.cat, row.num, arrows).where(row.have[:, sources])
            state = state + pointers.told(places)
        state = state.to(dtype)
        for block in self.blocks:
            state = block.one(j, state, dtype)
        state = normal(state)
        out = torch.mm(state, learned.heads[j].to(dtype).T).float() + learned.biases[j]
        if pointers is not None and places is not None:
            out = pointers.vote(j, out, state, places)
        slot, known = self.layout.slots[j], row.have
        parent = None if slot.parent is None else row.cat[:, slot.parent]
        if self.scores is not None and j in self.scores.number:
            out = out + self.scores.log_ratio(j, state, parent)
        tables = self._tables()
        for k, pairs in enumerate(tables):
            out = pairs.add(j, out, row.cat, known)
            known = known if k + 1 == len(tables) else known & ~pairs.speaks(j, known)[:, None]
        return out if parent is None else out + self.base(j, parent)

    def learned(self) -> LearnedTables:
        """Tables that are the same for every row, worked out once."""
        sizes = list(self.layout.sizes)
        return LearnedTables(self._values(), torch.split(self.heads(), sizes), torch.split(self.bias, sizes))


@dataclass(frozen=True)
class Partial:
    """Rows that are being drawn: levels (B, D), which of them count (B, D) bool, positions inside cells (B, r)."""

    cat: Tensor
    have: Tensor
    num: Tensor | None


@dataclass(frozen=True)
class LearnedTables:
    """Value vectors (V, H), heads (K, H) and biases (K,) of each slot."""

    values: Tensor
    heads: tuple[Tensor, ...]
    biases: tuple[Tensor, ...]


def _alike(layout: Layout, pointed: Container[int], least: int = ALIKE) -> dict[int, list[int]]:
    """Slots of equally many levels that nothing but their state speaks for, by that number, where they are many."""
    sizes: dict[int, list[int]] = {}
    for j, slot in enumerate(layout.slots):
        if slot.parent is None and j not in pointed:
            sizes.setdefault(slot.size, []).append(j)
    return {size: slots for size, slots in sizes.items() if len(slots) >= least}


def _order_units(layout: Layout) -> Tensor:
    """Which coded column each slot belongs to: orders permute columns, coarse and fine stay together."""
    seen = {name: k for k, name in enumerate(dict.fromkeys(layout.columns))}
    return torch.tensor([seen[name] for name in layout.columns])
