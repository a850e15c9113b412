"""The network of a timeline: laws of the next event and of its row, given everything that came before.

What came before enters as sums of value vectors over the rows of the unit (the last two, the mean of all, of the last
eight and of those of the last moment, the last of the same series and the mean of that series), beside the rows of the
open owners and the root, and what is owed, the clocks and what the unit's values were like so far as numbers. Single
values of the owner, the unit, the last row of the series and the last event are told besides, as columns are. Sums over
prefixes are differences of running sums, so that all steps of all units are worked on at once and cost grows with the
number of rows.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from synthkit.encoding.layout import Layout, Slot
from synthkit.encoding.units.sequences import Sequences
from synthkit.models.timeline.config import TimelineConfig
from synthkit.models.timeline.relatives import RelatedCodes, Relatives, ValueSum, opened_sums
from synthkit.models.unit_layout import UnitLayout
from synthkit.training.layers.gated_blocks import LevelEmbedding, fast_dtype, keep, normal
from synthkit.training.layers.masked_network import MaskedNetwork

RECENT = 8  # rows of the shorter running mean
PAST_VECTORS, EVENT_VECTORS = 8, 3  # vectors of the history that an event sees, and that its row sees besides
STANDING = 3  # of the former: the unit, the owner, and what is above


@dataclass(frozen=True)
class Past:
    """Value vectors of what came before steps, and numbers.

    **Shape**: `vectors` (n, PAST_VECTORS, H); `numbers` (n, F); `direct` (n, H), of the open owner and the last event.
    """

    vectors: Tensor
    numbers: Tensor
    direct: Tensor


def swapped(past: Past, share: float, numbers: int) -> Past:
    """Some rows with what happened before another row, as all of them stand: swap noise.

    Units that are drawn differ from real ones more and more. A network that leans on their history alone, where the
    date tells the same, follows each of its own errors; one whose history is now and then another's asks the date too.
    **Shape**: Past of n -> Past of n.

    Args:
        past: what came before.
        share: of rows that get another's history.
        numbers: how many of the numbers, the last, are history.
    """
    n, device = len(past.numbers), past.numbers.device
    mine = torch.rand(n, device=device) >= share
    source = torch.where(mine, torch.arange(n, device=device), torch.randperm(n, device=device))
    first = past.numbers.shape[1] - numbers
    return Past(
        torch.cat([past.vectors[:, :STANDING], past.vectors[source, STANDING:]], dim=1),
        torch.cat([past.numbers[:, :first], past.numbers[source, first:]], dim=1),
        past.direct,
    )


class Mixer(nn.Module):
    """c = W1 x + W2 dropout(a * silu(g)) with (a, g) = W x + b: what is known of a step as one vector.

    Args:
        width: length of x.
        hidden: gated units.
        out: length of c.
        dropout: share of gated units dropped.
    """

    def __init__(self, width: int, hidden: int, out: int, dropout: float) -> None:
        super().__init__()
        self.enter = nn.Parameter(torch.randn(width, 2 * hidden) / math.sqrt(width))
        self.enter_bias = nn.Parameter(torch.zeros(2 * hidden))
        self.leave = nn.Parameter(torch.randn(hidden, out) * 0.5 / math.sqrt(hidden))
        self.straight = nn.Parameter(torch.randn(width, out) * 0.3 / math.sqrt(width))
        self.dropout = dropout

    def forward(self, x: Tensor) -> Tensor:
        """**Shape**: (n, width) -> (n, out)."""
        enter, bias, leave, straight = (w.to(x.dtype) for w in (self.enter, self.enter_bias, self.leave, self.straight))
        a, g = torch.addmm(bias, x, enter).chunk(2, dim=-1)
        gated = a * F.silu(g)
        if self.training and self.dropout:
            gated = gated * keep(gated.shape, self.dropout, gated.dtype, gated.device)
        return torch.mm(gated, leave) + torch.mm(x, straight)


class Words(nn.Module):
    """Value vectors of rows: the sum of those of their coarse levels; cells inside them would name the row.

    Args:
        slots: the slots.
        width: H.
    """

    def __init__(self, slots: tuple[Slot, ...], width: int) -> None:
        super().__init__()
        self.values = LevelEmbedding(slots, width, free=0.3, smooth=0.2)
        sizes = [slot.size for slot in slots]
        self.register_buffer("offsets", torch.tensor([0, *sizes[:-1]]).cumsum(0), persistent=False)
        self.offsets: Tensor
        self.width = width

    def table(self) -> Tensor:
        """All vectors, and nought behind them. **Shape**: (V + 1, H)."""
        return F.pad(self.values(), (0, 0, 0, 1))

    def forward(self, cat: Tensor, applies: Tensor, first: int, table: Tensor) -> Tensor:
        """Vectors of rows whose slots begin at number `first`. **Shape**: (n, d), (n, d) bool -> (n, H)."""
        at = torch.where(applies, cat + self.offsets[first : first + cat.shape[1]], len(table) - 1)
        return F.embedding_bag(at, table, mode="sum")


class TimelineNetwork(nn.Module):
    """Every conditional of a unit below its root.

    Args:
        layout: the slots.
        config: sizes.
    """

    def __init__(self, layout: UnitLayout, config: TimelineConfig) -> None:
        super().__init__()
        h, self.layout, self.config = config.width, layout, config
        events = layout.events.layout
        self.event = MaskedNetwork(events, config.sizes)
        paired = bool(config.pairs)
        self.payload = nn.ModuleList(
            MaskedNetwork(each, config.sizes, paired=paired) for each in layout.payloads.values()
        )
        slots = [*events.slots, *(slot for each in layout.payloads.values() for slot in each.slots)]
        self.words = Words(tuple(slots), h)
        self.roots = Words(layout.root.slots, h)
        sizes = [len(events.slots), *(len(each.slots) for each in layout.payloads.values())]
        self.first = [sum(sizes[:k]) for k in range(len(sizes))]
        self.counted = Mixer(layout.state, h // 2, h, 0.0)
        self.timed = Mixer(layout.told, h // 4, h, 0.0)
        seen = (PAST_VECTORS + 1) * h + layout.state
        self.before = Mixer(seen, config.mixed, h, config.dropout or 0.0)
        self.about = Mixer(seen + (EVENT_VECTORS + 1) * h + layout.told, config.mixed, h, config.dropout or 0.0)
        self.to_event = nn.Parameter(torch.randn(h, sizes[0] * h) * 0.5 / math.sqrt(h))
        scale = 0.5 / math.sqrt(h)
        self.to_payload = nn.ParameterList(nn.Parameter(torch.randn(h, n * h) * scale) for n in sizes[1:])
        hidden = config.input_dropout
        self.related = nn.ModuleList(
            Relatives(layout.root, layout.payloads.get(layout.owners[name]), each, h, hidden)
            for name, each in layout.payloads.items()
        )
        self.opened = opened_sums(layout.payloads, layout.owners, h, hidden)
        self.latest = ValueSum(events, tuple(range(layout.events.gap_slot + 1)), h, hidden)

    def count(self, sequences: Sequences) -> None:
        """Count what columns of the rows tell of each other, where that is asked for."""
        for t, name in enumerate(self.layout.tables):
            pairs = self.table_network(t).pairs
            if pairs is not None:
                pairs.learn(sequences.payload[name].cat.long(), self.layout.known[name])

    def table_network(self, t: int) -> MaskedNetwork:
        """Conditionals of the rows of a table."""
        network = self.payload[t]
        assert isinstance(network, MaskedNetwork)
        return network

    def event_words(self, event: Tensor, table: Tensor) -> Tensor:
        """Value vectors of events. **Shape**: (n, E) -> (n, H)."""
        out: Tensor = self.words(event, self.layout.events.layout.applicable(event), 0, table)
        return out

    def row_words(self, t: int, cat: Tensor, table: Tensor) -> Tensor:
        """Value vectors of the rows of a table. **Shape**: (n, D) -> (n, H)."""
        out: Tensor = self.words(cat, _coarse(self.table_network(t).layout, cat), self.first[t + 1], table)
        return out

    def root_words(self, cat: Tensor) -> Tensor:
        """Value vectors of units. **Shape**: (n, D) -> (n, H)."""
        seen = _coarse(self.layout.root, cat)
        if self.training and self.config.dropout:  # else what is learned is which unit it is
            seen = seen & (keep(cat.shape, self.config.dropout, torch.float32, cat.device) > 0)
        out: Tensor = self.roots(cat, seen, 0, self.roots.table())
        return out

    def opened_words(self, t: int, cat: Tensor) -> Tensor:
        """What the next event knows of open rows of a table, nought if it owns none. **Shape**: (n, D) -> (n, H)."""
        if str(t) not in self.opened:
            return self.to_event.new_zeros(len(cat), self.config.width)
        out: Tensor = self.opened[str(t)](cat)
        return out

    def latest_words(self, event: Tensor) -> Tensor:
        """What an event knows of the one before it, -1 for none. **Shape**: (n, E) -> (n, H)."""
        told = event.masked_fill(~self.layout.events.layout.applicable(event.clamp(min=0)), -1)
        out: Tensor = self.latest(told)
        return out

    def event_context(self, past: Past) -> Tensor:
        """What each slot of the next event sees. **Shape**: Past of n -> (n, E, H)."""
        c = self.before(self._input(past))
        return torch.mm(c, self.to_event.to(c.dtype)).view(len(c), -1, self.config.width) + past.direct[:, None]

    def row_summary(self, past: Past, event: Tensor, twin: Tensor, series: Tensor, told: Tensor) -> Tensor:
        """What is known of a row once its event is.

        Args:
            past: what came before.
            event: value vectors of the events. **Shape**: (n, H).
            twin: last row of the same series. **Shape**: (n, H).
            series: the mean of the series. **Shape**: (n, H).
            told: numbers. **Shape**: (n, G).

        **Shape**: -> (n, H).
        """
        x = self._input(past)
        vectors = torch.stack([event, twin, series, self.timed(told)], dim=1)
        more = torch.cat([self._thinned(normal(vectors).flatten(1)), told], dim=1).to(x.dtype)
        out: Tensor = self.about(torch.cat([x, more], dim=1))
        return out

    def row_context(self, t: int, summary: Tensor, codes: RelatedCodes) -> Tensor:
        """What each slot of a row of a table sees. **Shape**: (n, H), RelatedCodes of n -> (n, D, H)."""
        c = torch.mm(summary, self.to_payload[t].to(summary.dtype)).view(len(summary), -1, self.config.width)
        related: Tensor = self.related[t](codes)
        return c + related[:, None]

    def _input(self, past: Past) -> Tensor:
        dtype = fast_dtype(past.vectors.device) if self.training else torch.float32
        if self.training and self.config.swap_noise:
            past = swapped(past, self.config.swap_noise, self.layout.history)
        vectors = torch.cat([past.vectors, self.counted(past.numbers)[:, None]], dim=1)
        x = torch.cat([self._thinned(normal(vectors).flatten(1)), past.numbers], dim=1)
        return x.to(dtype)

    def _thinned(self, x: Tensor) -> Tensor:
        """Vectors with some of their elements left out while training, so that they do not name the unit."""
        share = self.config.dropout or 0.0
        return x * keep(x.shape, share, x.dtype, x.device) if self.training and share else x


def _coarse(layout: Layout, cat: Tensor) -> Tensor:
    """Which slots are coarse. **Shape**: (n, D) -> (n, D)."""
    coarse = torch.zeros(cat.shape[1], dtype=torch.bool, device=cat.device)
    coarse[list(layout.coarse)] = True
    return coarse.expand(cat.shape)
