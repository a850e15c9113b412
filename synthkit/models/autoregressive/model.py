r"""Autoregressive model of all slots in any order: the flagship.

log p(x) = sum_j log p(x_j | x_i, i before j), for whatever order is wanted; every conditional is trained at every step.
The first layer of slot j is a sum of value vectors, s_j = q_j + sum_{i before j} T[x_i], so that while sampling one
running sum serves all slots and adding a column costs one gather.

References:
    Uria, Murray, Larochelle: A deep and tractable density estimator (2014), for training over random orders.
    Germain et al.: MADE (2015), for the masked first layer.
    Tiwald et al.: TabularARGN (2025), for any-order discretised tables.

NOTE[DIFF]: orders are drawn per row rather than per batch, and mixed half and half with the table's own; numbers have
two levels and a base measure; value vectors are smooth along ordinal slots.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from typing import Any, ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor

from synthkit.encoding.codecs.numeric import Coding
from synthkit.encoding.layout import Admissible, Given, Layout, Rows, Training
from synthkit.models.base import TrainingLog, draw, residuals
from synthkit.models.dpsgd_settings import Descending, agree, descent
from synthkit.privacy.dpsgd.dpsgd_plan import Descent, PrivateTraining
from synthkit.training.callbacks import Watch
from synthkit.training.layers.gated_blocks import fast_dtype
from synthkit.training.layers.masked_network import Conditionals, Partial, Sizes
from synthkit.training.loop import Plan, seeded, train
from synthkit.training.matrix_precision import fast_matrices

SMALL = 20_000  # rows below which a table is small
WIDE = 256  # slots from which on a table is wide: each row tells more, and fewer rows at once do
MANY = 1_000  # levels without an order from which on a table has many: codes of diagnoses, drugs, places
CHUNK = 8192  # rows sampled at once: the working set stays in cache


@dataclass(frozen=True, kw_only=True)
class AutoregressiveConfig:
    """Settings of the autoregressive model; the defaults were measured, see docs/models.md.

    Args:
        width: H, length of value vectors; at most 65,536 / slots, but 32.
        hidden: M, gated units a slot and block; at most half of H where that is less than asked for.
        blocks: L, gated blocks.
        dropout: share of gated units dropped while training; 0.2, or 0.4 below 20,000 rows, if not given.
        input_dropout: share of known values hidden from a row while training.
        canonical: share of rows trained in the table's own order, the rest in a random one; 0.75, or 0.5 below 20,000
            rows, if not given.
        learning_rate: peak rate.
        weight_decay: decoupled decay, in units of the rate; 3, or 10 below 20,000 rows, if not given.
        batch_size: rows a step; at most 2^25 / slots^2, but 32: the orders of a step hold slots^2 numbers a row.
        steps: optimizer steps; chosen from the numbers of rows and of levels if not given.
    """

    width: int = 128
    hidden: int = 64
    blocks: int = 1
    dropout: float | None = None
    input_dropout: float = 0.1
    canonical: float | None = None
    learning_rate: float = 4e-3
    weight_decay: float | None = None
    batch_size: int = 512
    steps: int | None = None

    def __post_init__(self) -> None:
        shares = {"dropout": self.dropout, "input_dropout": self.input_dropout, "canonical": self.canonical}
        wrong = [f"{name} {x:g} (from 0 to 1)" for name, x in shares.items() if x is not None and not 0 <= x <= 1]
        counts = {
            k: getattr(self, k) for k in ("width", "hidden", "batch_size", "steps") if getattr(self, k) is not None
        }
        wrong += [f"{name} {x} (at least 1)" for name, x in counts.items() if x < 1]
        rates = {"learning_rate": self.learning_rate, "weight_decay": self.weight_decay or 0.0, "blocks": self.blocks}
        wrong += [f"{name} {x:g} (not negative)" for name, x in rates.items() if x < 0]
        if wrong:
            msg = f"settings must lie in their ranges; however: {', '.join(wrong)}"
            raise ValueError(msg)

    @property
    def sizes(self) -> Sizes:
        """Those of the network."""
        return Sizes(
            width=self.width,
            hidden=self.hidden,
            blocks=self.blocks,
            dropout=self.dropout or 0.0,
            input_dropout=self.input_dropout,
        )

    def narrowed(self, slots: int) -> AutoregressiveConfig:
        """The settings for so many slots: beyond 512 a narrower network, beyond 256 fewer rows at once.

        Memory grows with slots times width times hidden, and with rows times the square of slots.
        """
        width = min(self.width, max(32, 2**16 // slots // 8 * 8))
        hidden = self.hidden if width == self.width else min(self.hidden, width // 2)
        return replace(self, width=width, hidden=hidden, batch_size=min(self.batch_size, max(32, 2**25 // slots**2)))

    def settled(self, n: float, levels: int = 0, slots: int = 0) -> AutoregressiveConfig:
        """The settings with everything left open chosen for n rows, levels without an order, and slots.

        Small tables need a firmer hand, many levels a longer one, and many slots a shorter one.
        """
        small = n < SMALL
        return replace(
            self,
            dropout=(0.4 if small else 0.2) if self.dropout is None else self.dropout,
            weight_decay=(10.0 if small else 3.0) if self.weight_decay is None else self.weight_decay,
            canonical=(0.5 if small else 0.75) if self.canonical is None else self.canonical,
            steps=default_steps(n, self.batch_size, levels, slots) if self.steps is None else self.steps,
        )


@dataclass(frozen=True, kw_only=True)
class PrivateAutoregressiveConfig(Descending, AutoregressiveConfig):
    """Settings under a privacy budget: a small network, large batches, several orders of a row at once.

    Noise regularises, so that nothing is dropped or decayed. Arguments as of `AutoregressiveConfig` and `Descending`.
    """

    width: int = 32
    hidden: int = 16
    dropout: float | None = 0.0
    input_dropout: float = 0.0
    canonical: float | None = 0.75
    learning_rate: float = 1e-2
    weight_decay: float | None = 0.0
    batch_size: int = 2048
    steps: int = 500
    clip: float = 0.3
    copies: int = 2

    def narrowed(self, slots: int) -> PrivateAutoregressiveConfig:
        """As they are: the batches of a training under a budget are part of its account."""
        del slots
        return self


class Autoregressive:
    """Any-order autoregressive model: conditional draws are native, the probability of a row is exact.

    What row rules forbid is left out slot by slot while drawing; `log_prob` is the law before that.

    Args:
        layout: the slots.
        config: settings.
    """

    coding: ClassVar[Coding] = Coding(ties=3)
    Config: ClassVar[type[AutoregressiveConfig]] = AutoregressiveConfig
    Private: ClassVar[type[PrivateAutoregressiveConfig]] = PrivateAutoregressiveConfig

    def __init__(self, layout: Layout, config: AutoregressiveConfig | None = None) -> None:
        self.layout = layout
        self._config = config or AutoregressiveConfig()
        with seeded(0, torch.device("cpu")):
            self._network = Conditionals(layout, self._config.sizes).eval()

    @classmethod
    def descent(cls, config: PrivateAutoregressiveConfig, public: float | None = None) -> Descent:
        """The plan of a training under a budget: see `descending.descent`."""
        return descent(config, public)

    def fit(self, training: Training | PrivateTraining, seed: int, watch: Watch | None = None) -> TrainingLog:
        """Train every conditional at once over random and canonical orders.

        Args:
            training: the door.
            seed: of initial weights; without a budget of batches, orders and dropout as well.
            watch: who is told.

        Raises:
            ConfigError: there is a budget and the settings are not for it, or the other way round.
        """
        agree("autoregressive", self._config, training)
        slots = len(self.layout.slots)
        config = self._config = self._config.narrowed(slots).settled(training.n, self._codes(), slots)
        with seeded(seed, training.device):
            self._network = Conditionals(self.layout, config.sizes).to(training.device)
        plan = Plan(
            steps=config.steps or 1,
            batch_size=config.batch_size,
            learning_rate=config.learning_rate,
            weight_decay=config.weight_decay or 0.0,
        )
        curve = train(self._network, _loss(config.canonical or 0.0), training, plan, seed, watch)
        return TrainingLog(**asdict(curve))

    @torch.no_grad()
    def sample(self, n: int, generator: torch.Generator) -> Rows:
        """Draw n rows in the table's own order. **Shape**: Rows of n."""
        unknown = torch.full((n, len(self.layout.slots)), -1, dtype=torch.long)
        return self.sample_given(Given(unknown, {}), generator)

    @torch.no_grad()
    def sample_given(self, given: Given, generator: torch.Generator, *, tries: int | None = None) -> Rows:
        """Complete rows: what is known comes first in the order, then what is known in part, then the rest.

        Exact: each unknown slot is drawn from its conditional given all known ones. Where several slots of a row are
        known in part, each is drawn inside its admissible set in turn, which is exact for one such slot.

        **Shape**: Given of n -> Rows of n.
        """
        del tries
        if not len(given):
            return Rows(given.cat, residuals(0, self.layout, generator))
        with fast_matrices():
            parts = [
                self._complete(given[slice(start, start + CHUNK)], generator) for start in range(0, len(given), CHUNK)
            ]
        return Rows.cat_rows(parts)

    def _complete(self, given: Given, generator: torch.Generator) -> Rows:
        net, layout = self._network, self.layout
        device = net.query.device
        given = given.to(device)
        n, known = len(given), given.known()
        num = residuals(n, layout, generator).to(device)
        row = Partial(given.cat.clamp(min=0), known.clone(), num)
        cat = row.cat
        admissible = Admissible(layout, n, given, device)
        learned = net.learned()
        s = self._known_sum(given, learned.values)
        for j in range(known.shape[1]):
            admissible.settle(j, given.cat[:, j])
        for j in self._sequence(given):
            here = known[:, j]
            if bool(here.all()):
                continue
            logits = net.logits(j, s, row, learned, fast_dtype(device))
            p = torch.softmax(logits, dim=1)
            mask = admissible.mask(j)
            if mask is not None:
                left = p * mask
                p = torch.where(
                    left.sum(dim=1, keepdim=True) > 0, left, torch.where(mask.any(1, keepdim=True), mask.float(), p)
                )
            level = torch.where(here, cat[:, j], draw(p, generator))
            applies = net.applies(j, cat)
            if applies is not None:
                level = torch.where(applies, level, 0)
            cat[:, j], row.have[:, j] = level, True
            admissible.settle(j, level)
            fresh = ~here if applies is None else applies & ~here
            z = learned.values[level + net.offsets[j]]
            s = s + (z if bool(fresh.all()) else torch.where(fresh[:, None], z, 0.0))
        return Rows(cat, num)

    @torch.no_grad()
    def log_prob_given(self, rows: Rows, given: Given, aim: Tensor) -> Tensor:
        """Exact log-probability of the slots in `aim` given the known ones, nats.

        **Shape**: Rows of n, Given of n, `aim` (n, d) bool -> (n,).
        """
        net = self._network
        cat = rows.cat.long().clamp(min=0).to(net.query.device)
        learned = net.learned()
        row = Partial(cat, given.known().to(cat.device), _positions(rows, cat.device))
        s = self._known_sum(given.to(cat.device), learned.values)
        out = torch.zeros(len(cat), device=cat.device)
        for j in torch.nonzero(aim.any(dim=0)).ravel().tolist():
            here = aim[:, j].to(cat.device)
            applies = net.applies(j, cat)
            here = here if applies is None else here & applies
            logits = net.logits(j, s, row, learned, torch.float32)  # a probability is asked for: exact
            log = F.log_softmax(logits, dim=1).gather(1, cat[:, j : j + 1]).squeeze(1)
            out = out + torch.where(here, log, 0.0)
            s = s + torch.where(here[:, None], learned.values[cat[:, j] + net.offsets[j]], 0.0)
            row.have[:, j] |= here
        return out

    def _codes(self) -> int:
        """How many levels without an order there are in all columns together."""
        return sum(slot.size for slot in self.layout.slots if not slot.ordinal)

    def _known_sum(self, given: Given, table: Tensor) -> Tensor:
        """Sum of the value vectors of what is known. **Shape**: (n, H)."""
        known = given.known()
        if not bool(known.any()):
            return table.new_zeros(len(given), table.shape[1])
        z = self._network.vectors(given.cat.clamp(min=0), table)
        return (z * known[..., None]).sum(dim=1)

    def _sequence(self, given: Given) -> list[int]:
        """Slots in the order in which they are drawn: partly known ones first, coarse before fine."""
        order = list(range(len(self.layout.slots)))
        first = set(given.allowed) | {j for j in order if self.layout.slots[j].parent in given.allowed}
        return sorted(order, key=lambda j: (j not in first, j))

    @torch.no_grad()
    def log_prob(self, rows: Rows) -> Tensor:
        """Exact log-probability of the levels in the table's own order, nats. **Shape**: Rows of n -> (n,)."""
        return -self._losses(rows).sum(dim=1)

    @torch.no_grad()
    def surprise(self, rows: Rows, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Minus the log-probability, and minus the terms of the chain: of each slot given those before it.

        **Shape**: Rows of n -> (n,), (n, d).
        """
        del generator
        parts = self._losses(rows)
        return parts.sum(dim=1), parts

    def _losses(self, rows: Rows) -> Tensor:
        d = len(self.layout.slots)
        before = torch.ones(d, d, dtype=torch.bool, device=self._network.query.device).tril(-1)[None]
        cat, num = rows.cat.long().to(before.device), _positions(rows, before.device)
        parts = [slice(start, start + 1024) for start in range(0, max(len(cat), 1), 1024)]
        return torch.cat(
            [self._network.losses(cat[p], before, None if num is None else num[p]) for p in parts], dim=1
        ).T

    def tensors(self) -> dict[str, Tensor]:
        """Weights, without what follows from the layout."""
        return {k: v.detach().cpu().contiguous() for k, v in self._network.named_parameters()}

    def load_tensors(self, tensors: dict[str, Tensor], device: torch.device) -> None:
        """Take back what `tensors` gave, to draw on `device`."""
        self._network.load_state_dict(tensors, strict=False)
        self._network.to(device).eval()

    def config(self) -> dict[str, Any]:
        """Settings as plain data."""
        return asdict(self._config)


def default_steps(n: float, batch_size: int, levels: int = 0, slots: int = 0) -> int:
    """Twenty epochs, 35 where levels are many and 50 of a small table; 300 to 2,000 steps, or 4,500 where they are.

    A wide table needs fewer epochs, and fewer steps at least, by the share of 256 slots in its own. Early stopping may
    end it sooner.
    """
    many, wide = levels >= MANY, min(1.0, WIDE / max(slots, 1))
    epochs = wide * (50 if n < SMALL else 35 if many else 20)
    return int(min(max(epochs * n / batch_size, 300 * wide), 4500 if many else 2000))


def _loss(canonical: float) -> Callable[[Conditionals, Rows], Tensor]:
    """Loss of each row in the orders it is trained in; in the table's own when it is judged."""

    def loss(module: Conditionals, rows: Rows) -> Tensor:
        cat = rows.cat.long()
        if module.training:
            return module.nll(cat, module.orders(len(cat), canonical, cat.device), rows.num)
        d = cat.shape[1]
        return module.nll(cat, torch.ones(d, d, dtype=torch.bool, device=cat.device).tril(-1)[None], rows.num)

    return loss


def _positions(rows: Rows, device: torch.device) -> Tensor | None:
    """Positions inside cells, None where rows come without."""
    return rows.num.to(device) if rows.num.shape[1] else None
