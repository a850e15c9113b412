"""Laws of the next event and row as the network of a timeline tells them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from synthkit.encoding.arrays import Bools, Floats, Ints
from synthkit.encoding.layout import Given, Rows
from synthkit.encoding.units.step_state import StepState
from synthkit.models.row_completion import Admit, complete_rows
from synthkit.models.timeline.drawn_round import DrawnRound
from synthkit.models.timeline.network import Past, TimelineNetwork
from synthkit.models.timeline.relatives import RelatedCodes
from synthkit.models.timeline.units_so_far import UnitsSoFar
from synthkit.training.layers.masked_network import LearnedTables


class NetworkLaws:
    """Laws of a network as it is, its tables worked out once; see `StepLaws`.

    Args:
        network: the conditionals.
    """

    def __init__(self, network: TimelineNetwork) -> None:
        self.network, self.width = network, network.config.width
        self.device = network.to_event.device
        self.words = network.words.table()
        self.event_tables = network.event.learned()
        self._row_tables: list[LearnedTables] = [
            network.table_network(t).learned() for t in range(len(network.layout.tables))
        ]

    def roots(self, cat: Tensor) -> Tensor:
        """Value vectors of units. **Shape**: (n, D) -> (n, H)."""
        return self.network.root_words(cat)

    def round(self, active: Ints, roots: Tensor, chunk: UnitsSoFar) -> NetworkRound:
        """Laws of the next steps of some units."""
        owners, memory = chunk.owners, chunk.memory
        near = owners.at("step", active)
        vectors = memory.past(active, roots, near, owners.level[active])
        before = torch.from_numpy(memory.event[active]).to(self.device)
        direct = memory.opened.at(near) + self.network.latest_words(before)
        numbers = torch.from_numpy(_numbers(active, chunk)).to(self.device)
        return NetworkRound(self, Past(vectors, numbers, direct))

    def row(
        self,
        t: int,
        units: Ints,
        now: DrawnRound,
        chunk: UnitsSoFar,
        given: Given,
        generator: torch.Generator,
        admit: Admit,
    ) -> Rows:
        """Rows of one table given their events. **Shape**: Given of n -> Rows of n."""
        context = self.network.row_context(t, now.summary, self._related(t, units, now, chunk))
        net, learned = self.network.table_network(t), self._row_tables[t]
        return complete_rows(net, given, generator, context=context, admit=admit, learned=learned)

    def _related(self, t: int, units: Ints, now: DrawnRound, chunk: UnitsSoFar) -> RelatedCodes:
        """Codes of the rows that rows to come are related to."""
        encoder = chunk.encoder
        above = encoder.schema.graph.owners[encoder.tables[t]]
        return RelatedCodes(
            unit=chunk.facts.cat[torch.from_numpy(units)].to(self.device).long(),
            owner=chunk.codes(encoder.tables.index(above), chunk.owners.at("step", units))
            if above in encoder.tables
            else None,
            twin=chunk.codes(t, now.twin),
        )

    def row_vectors(self, t: int, cat: Tensor) -> Tensor:
        """Value vectors of the rows of a table. **Shape**: (n, D) -> (n, H)."""
        return self.network.row_words(t, cat, self.words)

    def opened(self, t: int, cat: Tensor) -> Tensor:
        """What the next event knows of open rows of a table. **Shape**: (n, D) -> (n, H)."""
        return self.network.opened_words(t, cat)


@dataclass(frozen=True)
class NetworkRound:
    """Laws of the next steps of some units; see `RoundLaws`.

    Args:
        laws: of all steps.
        past: what came before these.
    """

    laws: NetworkLaws
    past: Past

    def event(self, given: Given, generator: torch.Generator, admit: Admit) -> Rows:
        """Events of the steps. **Shape**: Given of n -> Rows of n."""
        network = self.laws.network
        context = network.event_context(self.past)
        return complete_rows(
            network.event, given, generator, context=context, admit=admit, learned=self.laws.event_tables
        )

    def settled(
        self, event: Tensor, twin: Tensor, series: Tensor, told: Floats, forced: Bools
    ) -> tuple[Tensor, Tensor]:
        """Value vectors of the events, and what rows are drawn from. **Shape**: (n, E) ... -> (n, H), (n, H)."""
        del forced
        network = self.laws.network
        words = network.event_words(event, self.laws.words)
        numbers = torch.from_numpy(bounded(told)).to(self.laws.device)
        return words, network.row_summary(self.past, words, twin, series, numbers)


def state_of(active: Ints, chunk: UnitsSoFar) -> StepState:
    """What is known before the next step of units but the rows themselves. **Shape**: (n,)."""
    owners, memory, facts = chunk.owners, chunk.memory, chunk.facts
    return StepState(
        owed=owners.owed_now(active),
        owed_unit=owners.owed[0, active],
        owner=owners.at("table", active),
        now=owners.at("now", active),
        first=owners.at("first", active),
        last=owners.at("last", active),
        begin=facts.first[active],
        end=facts.last[active],
        index=memory.index[active],
        place=owners.at("place", active),
        run=memory.run(active, owners.level[active]),
        happened=memory.happened[active],
        latest=memory.latest[active],
    )


def _numbers(active: Ints, chunk: UnitsSoFar) -> Floats:
    """What is known before the next step of units, as numbers. **Shape**: (n,) -> (n, F)."""
    features = state_of(active, chunk).features(chunk.encoder.scale)
    return bounded(np.concatenate([features, chunk.memory.means_of(active)], axis=1))


def bounded(numbers: Floats) -> Floats:
    """Numbers within the ends of float16, in which a network is told them while it learns. **Shape**: any -> the same.

    Under a budget noise may place moments ages apart, and squares of such numbers would overflow.

    Example:
        >>> bounded(np.array([0.5, -4.5e15])).tolist()
        [0.5, -65504.0]
    """
    most = float(np.finfo(np.float16).max)
    return np.asarray(np.clip(numbers, -most, most).astype(np.float32))
