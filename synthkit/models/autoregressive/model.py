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

from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor

from synthkit.encoding.coding import Coding
from synthkit.encoding.layout import Given, Rows
from synthkit.models.autoregressive.config import AutoregressiveConfig
from synthkit.models.base import Capability, NetworkModel
from synthkit.models.row_completion import complete_rows, known_sum
from synthkit.models.sampling import residuals
from synthkit.training.layers.masked_network import MaskedNetwork, Partial
from synthkit.training.matrix_precision import fast_matrices

COUNTED_TENSORS = (".source", ".told")  # beside the weights
AUTOREGRESSIVE_CHUNK = 8192  # rows sampled at once: the working set stays in cache


class Autoregressive(NetworkModel):
    """Any-order autoregressive model: conditional draws are native, the probability of a row is exact.

    What row rules forbid is left out slot by slot while drawing; `log_prob` is the law before that.

    Args:
        layout: the slots.
        config: settings.
    """

    coding: ClassVar[Coding] = Coding(links=3)
    Config: ClassVar[type[AutoregressiveConfig]] = AutoregressiveConfig
    capabilities: ClassVar[frozenset[Capability]] = frozenset(Capability)
    _config: AutoregressiveConfig
    _network: MaskedNetwork

    def build(self) -> MaskedNetwork:
        """Every conditional of every slot in one network."""
        config = self._config
        paired, scored = bool(config.pairs), bool(config.scores)
        return MaskedNetwork(self.layout, config.sizes, paired=paired, both_ways=paired, scored=scored)

    def resolved(self, n: float) -> AutoregressiveConfig:
        """Narrower for many slots; the rest chosen for n rows and for the number of levels without an order."""
        slots = self.layout.slots
        codes = sum(slot.size for slot in slots if not slot.ordinal)
        return self._config.narrowed(len(slots)).settled(n, codes, len(slots))

    def count(self, network: MaskedNetwork, rows: Rows) -> None:
        """Count what columns tell of each other, where that is asked for."""
        for pairs in (network.pairs, network.pairs_behind):
            if pairs is not None:
                pairs.learn(rows.cat.long(), leave_one_out=True)

    def loss(self, network: MaskedNetwork, rows: Rows) -> Tensor:
        """Loss of each row in the orders it is trained in; in the table's own when it is judged."""
        cat = rows.cat.long()
        if network.training:
            orders = network.orders(len(cat), self._config.canonical or 0.0, cat.device)
            return network.nll(cat, orders, rows.num)
        d = cat.shape[1]
        return network.nll(cat, torch.ones(d, d, dtype=torch.bool, device=cat.device).tril(-1)[None], rows.num)

    def tensors(self) -> dict[str, Tensor]:
        """Weights, and what was counted."""
        buffers = self._network.named_buffers()
        counted = {k: v.cpu().contiguous() for k, v in buffers if k.startswith("pairs") and k.endswith(COUNTED_TENSORS)}
        return super().tensors() | counted

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
                complete_rows(self._network, given[slice(start, start + AUTOREGRESSIVE_CHUNK)], generator)
                for start in range(0, len(given), AUTOREGRESSIVE_CHUNK)
            ]
        return Rows.cat_rows(parts)

    @torch.no_grad()
    def log_prob_given(self, rows: Rows, given: Given, aim: Tensor) -> Tensor:
        """Exact log-probability of the slots in `aim` given the known ones, nats.

        **Shape**: Rows of n, Given of n, `aim` (n, d) bool -> (n,).
        """
        net = self._network
        cat = rows.cat.long().clamp(min=0).to(net.query.device)
        learned = net.learned()
        row = Partial(cat, given.known().to(cat.device), _positions(rows, cat.device))
        s = known_sum(net, given.to(cat.device), learned.values, row.num)
        out = torch.zeros(len(cat), device=cat.device)
        for j in torch.nonzero(aim.any(dim=0)).ravel().tolist():
            here = aim[:, j].to(cat.device)
            applies = net.applies(j, cat)
            here = here if applies is None else here & applies
            logits = net.logits(j, s, row, learned, torch.float32)  # a probability is asked for: exact
            log = F.log_softmax(logits, dim=1).gather(1, cat[:, j : j + 1]).squeeze(1)
            out = out + torch.where(here, log, 0.0)
            z, place = learned.values[cat[:, j] + net.offsets[j]], net.place(j, cat, row.num)
            s = s + torch.where(here[:, None], z if place is None else z + place, 0.0)
            row.have[:, j] |= here
        return out

    @torch.no_grad()
    def log_prob(self, rows: Rows) -> Tensor:
        """Exact log-probability of the levels in the table's own order, nats. **Shape**: Rows of n -> (n,)."""
        return -self._losses(rows).sum(dim=1)

    @torch.no_grad()
    def negative_log_prob(self, rows: Rows, generator: torch.Generator) -> tuple[Tensor, Tensor]:
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


def _positions(rows: Rows, device: torch.device) -> Tensor | None:
    """Positions inside cells, None where rows come without."""
    return rows.num.to(device) if rows.num.shape[1] else None
