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
from dataclasses import asdict
from typing import Any, ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor

from synthkit.encoding.coding import Coding
from synthkit.encoding.layout import ConstraintMask, Given, Layout, Rows, TrainingLoader
from synthkit.models.autoregressive.config import AutoregressiveConfig, PrivateAutoregressiveConfig
from synthkit.models.base import TrainingLog, draw, residuals
from synthkit.models.dpsgd_settings import agree, descent
from synthkit.privacy.dpsgd.dpsgd_plan import DPSGDPlan, PrivateTraining
from synthkit.training.callbacks import TrainingCallbacks
from synthkit.training.layers.gated_blocks import fast_dtype
from synthkit.training.layers.masked_network import MaskedNetwork, Partial
from synthkit.training.loop import TrainingPlan, seeded, train
from synthkit.training.matrix_precision import fast_matrices

CHUNK = 8192  # rows sampled at once: the working set stays in cache


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
            self._network = MaskedNetwork(layout, self._config.sizes).eval()

    @classmethod
    def descent(cls, config: PrivateAutoregressiveConfig, public: float | None = None) -> DPSGDPlan:
        """The plan of a training under a budget: see `descending.descent`."""
        return descent(config, public)

    def fit(
        self, training: TrainingLoader | PrivateTraining, seed: int, watch: TrainingCallbacks | None = None
    ) -> TrainingLog:
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
            self._network = MaskedNetwork(self.layout, config.sizes).to(training.device)
        plan = TrainingPlan(
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
        admissible = ConstraintMask(layout, n, given, device)
        learned = net.learned()
        s = self._known_sum(given, learned.values)
        for j in range(known.shape[1]):
            admissible.observe(j, given.cat[:, j])
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
            admissible.observe(j, level)
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


def _loss(canonical: float) -> Callable[[MaskedNetwork, Rows], Tensor]:
    """Loss of each row in the orders it is trained in; in the table's own when it is judged."""

    def loss(module: MaskedNetwork, rows: Rows) -> Tensor:
        cat = rows.cat.long()
        if module.training:
            return module.nll(cat, module.orders(len(cat), canonical, cat.device), rows.num)
        d = cat.shape[1]
        return module.nll(cat, torch.ones(d, d, dtype=torch.bool, device=cat.device).tril(-1)[None], rows.num)

    return loss


def _positions(rows: Rows, device: torch.device) -> Tensor | None:
    """Positions inside cells, None where rows come without."""
    return rows.num.to(device) if rows.num.shape[1] else None
