"""Loss of the steps of whole units, such that the gradient of each unit can be clipped by itself.

The law is that of `UnitLoss`. Every weight meets every step, so that norms of gradients are known by step; what is not
there (the row of another table, an owner, a row before) is a level that nothing is known of. No unit takes part in the
numbers of another: means are summed up row by row, never as differences of sums that run through a whole batch.
"""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from synthkit.encoding.arrays import Bools, Ints
from synthkit.encoding.layout import Rows
from synthkit.encoding.units.unit_steps import EVERY_TABLE, UnitSteps
from synthkit.errors import ConfigError
from synthkit.models.timeline.network import TimelineNetwork
from synthkit.models.timeline.relatives import RelatedCodes
from synthkit.models.timeline.unit_loss import BatchSteps, UnitLoss


class StepLoss(UnitLoss):
    """What each step of some units costs, by weights that meet all of them.

    Args:
        network: the conditionals.
        rows: the steps.

    Raises:
        ConfigError: steps of a unit are left out, or stand in another order.
    """

    def __init__(self, network: TimelineNetwork, rows: UnitSteps) -> None:
        super().__init__(network, rows.sequences, None)
        self.batch = BatchSteps.of(rows.sequences, rows.units, None)
        if not np.array_equal(self.batch.step, rows.steps):
            msg = "all steps of a unit must stand together, in order; however: some are left out. Take whole units"
            raise ConfigError(msg)

    def each(self) -> Tensor:
        """Minus the log-probability of each step, nats. **Shape**: (n,)."""
        net, batch = self.network, self.batch
        event = self._index(self.sequences.event, batch.step).long()
        table = net.words.table()  # made once: its levels are looked up in slots of their own
        words = net.event_words(event, table)
        rows = F.pad(words + self._row_words(table), (0, 0, 0, 1))
        past = self._past(batch, rows)
        return self._event(batch, past, event) + self._payload(batch, self._summary(batch, rows, past, words))

    def _row_words(self, table: Tensor) -> Tensor:
        """Value vectors of the rows of all steps. **Shape**: (V + 1, H) -> (n, H)."""
        net, step = self.network, self.batch.step
        out = net.to_event.new_zeros(len(step), net.config.width)
        for t, name in enumerate(net.layout.tables):
            cat, mine = self._codes(name, np.where(self._are(t, step), step, -1)), self._tensor(self._are(t, step))
            coarse = torch.zeros(cat.shape[1], dtype=torch.bool, device=self.device)
            coarse[list(net.layout.payloads[name].coarse)] = True
            out = out + net.words(cat.clamp(min=0), mine[:, None] & coarse, net.first[t + 1], table)
        return out

    def _roots(self, batch: BatchSteps) -> Tensor:
        return self.network.root_words(self._units(batch))

    def _units(self, batch: BatchSteps) -> Tensor:
        return self._index(self.sequences.roots.cat, batch.units[batch.unit]).long()

    def _opened(self, owner: Ints) -> Tensor:
        net = self.network
        out = net.to_event.new_zeros(len(owner), net.config.width)
        for t, name in enumerate(net.layout.tables):
            above = np.where((owner >= 0) & self._are(t, np.maximum(owner, 0)), owner, -1)
            out = out + net.opened_words(t, self._codes(name, above))
        return out

    def _payload(self, batch: BatchSteps, summary: Tensor) -> Tensor:
        net, sequences, step = self.network, self.sequences, batch.step
        out = torch.zeros(len(step), device=self.device)
        for t, name in enumerate(net.layout.tables):
            mine, above = self._are(t, step), net.layout.owners[name]
            related = RelatedCodes(
                unit=self._units(batch),
                owner=self._codes(above, np.where(mine, sequences.owner[step], -1))
                if above in net.layout.payloads
                else None,
                twin=self._codes(name, np.where(mine, sequences.twin[step], -1)),
            )
            cat = self._codes(name, np.where(mine, step, -1)).clamp(min=0)
            cost = self._row(t, name, cat, net.row_context(t, summary, related))
            out = out + torch.where(self._tensor(mine), cost, 0.0)
        return out

    def _are(self, t: int, steps: Ints) -> Bools:
        """Whether steps are rows of a table. **Shape**: (n,) -> (n,)."""
        table = self.sequences.table[steps]
        return np.asarray((table == t) | (table == EVERY_TABLE))

    def _codes(self, name: str, steps: Ints) -> Tensor:
        """Codes of steps of one table, -1 for none, as where it has no rows at all. **Shape**: (n,) -> (n, D)."""
        cat = self.sequences.payload[name].cat
        if not len(cat):
            return torch.full((len(steps), cat.shape[1]), -1, device=self.device)
        return super()._codes(name, steps)

    def _running(self, rows: Tensor) -> Tensor:
        return rows

    def _mean(self, running: Tensor, end: Ints, begin: Ints) -> Tensor:
        """Means of rows, each a sum of these rows alone."""
        many = np.maximum(end - begin, 0)
        first = many.cumsum() - many
        places = np.repeat(begin - first, many) + np.arange(int(many.sum()))
        return F.embedding_bag(self._tensor(places), running, self._tensor(first), mode="mean")


def step_loss(network: TimelineNetwork, rows: Rows) -> Tensor:
    """Minus the log-probability of each step of whole units below their roots, nats. **Shape**: UnitSteps of n -> (n,).

    Args:
        network: the conditionals.
        rows: the steps of some units.

    Raises:
        ConfigError: the rows are no steps, or not those of whole units.
    """
    if not isinstance(rows, UnitSteps):
        msg = "the loss of units must be told of their steps; however: it is of plain rows. Pass `UnitSteps`"
        raise ConfigError(msg)
    return StepLoss(network, rows).each()
