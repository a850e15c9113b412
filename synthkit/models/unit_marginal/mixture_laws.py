"""Laws of the next event and row as mixtures of products tell them, given coarse copies of what came before."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from synthkit.encoding.arrays import Floats, Ints
from synthkit.encoding.layout import Given, Layout, Rows
from synthkit.encoding.units.step_contexts import (
    BEFORE,
    EVENT,
    MARKS,
    OWNER,
    TWIN,
    UNIT,
    FlatSteps,
    StepContexts,
)
from synthkit.models.product_mixture import MIN_PROBABILITY, ProductMixture
from synthkit.models.row_completion import Admit, complete_rows
from synthkit.models.timeline.drawn_round import DrawnRound
from synthkit.models.timeline.network_laws import state_of
from synthkit.models.timeline.units_so_far import UnitsSoFar
from synthkit.models.unit_marginal.mixture_conditionals import MixtureConditionals, event_laws


class FlatMixture:
    """A mixture of the columns of a flat table, with the part that knows contexts.

    Args:
        flat: the columns.
        mixture: of them.
    """

    def __init__(self, flat: FlatSteps, mixture: ProductMixture) -> None:
        self.flat, laws = flat, mixture.laws().detach()
        self.own = [laws[mixture.slot(j)] for j in range(len(flat.own))]
        self.shares = mixture.shares().detach()
        beside = [laws[mixture.slot(len(flat.own) + k)] for k in range(len(flat.contexts))]
        self._beside = [law.clamp(min=MIN_PROBABILITY).log() for law in beside]

    def state(self, sources: Mapping[str, Ints]) -> Tensor:
        """Log-weights of the components given what steps stand beside. **Shape**: -> (n, K)."""
        codes = torch.from_numpy(self.flat.beside(sources)).to(self.shares.device)
        out = self.shares.clamp(min=MIN_PROBABILITY).log().expand(len(codes), -1)
        for k, law in enumerate(self._beside):
            out = out + law[codes[:, k]]
        return out


class MixtureLaws:
    """Laws of mixtures; see `models.timeline.step_laws.StepLaws`.

    Args:
        contexts: the flat tables.
        payloads: slots of the rows of each table.
        events: the mixture of what happens next.
        rows: those of the rows of each table, in order.
    """

    width = 1  # nothing is remembered as vectors

    def __init__(
        self,
        contexts: StepContexts,
        payloads: Mapping[str, Layout],
        events: ProductMixture,
        rows: Mapping[str, ProductMixture],
    ) -> None:
        self.contexts = contexts
        self._events = FlatMixture(contexts.events(), events)
        self._rows = [FlatMixture(contexts.rows(name), rows[name]) for name in contexts.tables]
        self.device = self._events.shares.device
        self.event_net = MixtureConditionals(contexts.layout.events.layout, self._event_laws(), self._events.shares)
        self.row_nets = [
            MixtureConditionals(payloads[name], dict(zip(each.flat.slots, each.own, strict=True)), each.shares)
            for name, each in zip(contexts.tables, self._rows, strict=True)
        ]

    def _event_laws(self) -> dict[int, Tensor]:
        coding, (kind, gap) = self.contexts.layout.events, self._events.own
        series = {slot: self.contexts.tables.index(name) for name, slot in coding.series_slots.items()}
        return event_laws(coding.layout, kind, gap[:-1], self.contexts.kinds.tolist(), series, coding.gap_slot)

    def state(self, t: int, sources: Mapping[str, Ints]) -> Tensor:
        """Log-weights of the components of a table's rows given what they stand beside. **Shape**: -> (n, K)."""
        return self._rows[t].state(sources)

    def roots(self, cat: Tensor) -> Tensor:
        """Nothing. **Shape**: (n, D) -> (n, 1)."""
        return torch.zeros(len(cat), 1, device=self.device)

    def round(self, active: Ints, roots: Tensor, chunk: UnitsSoFar) -> MixtureRound:
        """Laws of the next steps of some units."""
        del roots
        near = chunk.owners.at("step", active)
        above = chunk.owners.at("table", active)
        sources: dict[str, Ints] = {
            EVENT: self.contexts.event_codes(chunk.memory.event[active]),
            MARKS: self.contexts.marks(state_of(active, chunk)),
            UNIT: chunk.facts.cat[torch.from_numpy(active)].numpy(),
        }
        for name in self.contexts.owning:
            t = self.contexts.tables.index(name)
            sources[OWNER + name] = _numbers(chunk.codes(t, np.where(above == t + 1, near, -1)))
        return MixtureRound(self, self._events.state(sources), len(active))

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
        above = self.contexts.layout.owners[self.contexts.tables[t]]
        event = self.contexts.event_codes(now.event)
        event[:, 1] = np.where(now.forced, self.contexts.gaps, event[:, 1])
        sources: dict[str, Ints] = {
            BEFORE: _numbers(chunk.rows_of(t, chunk.memory.before[units, t])),
            TWIN: _numbers(chunk.codes(t, now.twin)),
            UNIT: chunk.facts.cat[torch.from_numpy(units)].numpy(),
            EVENT: event,
            MARKS: self.contexts.marks(state_of(units, chunk)),
        }
        if above in self.contexts.tables:
            sources[OWNER + above] = _numbers(
                chunk.codes(self.contexts.tables.index(above), chunk.owners.at("step", units))
            )
        return completed(self.row_nets[t], self.state(t, sources), given, generator, admit)

    def row_vectors(self, t: int, cat: Tensor) -> Tensor:
        """Nothing. **Shape**: (n, D) -> (n, 1)."""
        del t
        return torch.zeros(len(cat), 1, device=self.device)

    def opened(self, t: int, cat: Tensor) -> Tensor:
        """Nothing. **Shape**: (n, D) -> (n, 1)."""
        return self.row_vectors(t, cat)


@dataclass(frozen=True)
class MixtureRound:
    """Laws of the next steps of some units; see `RoundLaws`.

    Args:
        laws: of all steps.
        state: log-weights of the components given what came before. **Shape**: (n, K).
        many: n.
    """

    laws: MixtureLaws
    state: Tensor
    many: int

    def event(self, given: Given, generator: torch.Generator, admit: Admit) -> Rows:
        """Events of the steps. **Shape**: Given of n -> Rows of n."""
        return completed(self.laws.event_net, self.state, given, generator, admit)

    def settled(self, event: Tensor, twin: Tensor, series: Tensor, told: Floats) -> tuple[Tensor, Tensor]:
        """Nothing. **Shape**: (n, E) ... -> (n, 1), (n, 1)."""
        del event, twin, series, told
        none = torch.zeros(self.many, 1, device=self.laws.device)
        return none, none


def completed(net: MixtureConditionals, state: Tensor, given: Given, generator: torch.Generator, admit: Admit) -> Rows:
    """Rows completed from the components that what is known makes likely."""
    context = state[:, None].expand(-1, len(net.layout.slots), -1)
    return complete_rows(net, given, generator, context=context, admit=admit)


def _numbers(codes: Tensor) -> Ints:
    return np.asarray(codes.cpu().numpy(), dtype=np.int64)
