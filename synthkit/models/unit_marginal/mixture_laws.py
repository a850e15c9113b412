"""Laws of the next event and row as mixtures of products tell them, given coarse copies of what came before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from synthkit.encoding.arrays import Bools, Floats, Ints
from synthkit.encoding.layout import Given, Layout, Rows
from synthkit.encoding.units.step_contexts import (
    EVENT,
    OWNER,
    ROW_BEFORE,
    STEP_MARKS,
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
from synthkit.models.unit_marginal.mixture_conditionals import MixedSlot, MixtureConditionals


class FlatMixture:
    """A mixture of the columns of a flat table, and how what came before tilts its own slots.

    Args:
        flat: the columns.
        mixture: of all but what came before.
        tilts: log-factors of the levels of an own slot, by level of what came before it. **Shape**: (S_m, K_j) each.
    """

    def __init__(self, flat: FlatSteps, mixture: ProductMixture, tilts: Sequence[Tensor]) -> None:
        self.flat, self.tilts, laws = flat, tuple(each.detach() for each in tilts), mixture.laws().detach()
        self.own = [laws[mixture.slot(j)] for j in range(len(flat.own))]
        self.shares = mixture.shares().detach()
        beside = [laws[mixture.slot(len(flat.own) + k)] for k in range(len(flat.contexts))]
        self._beside = [law.clamp(min=MIN_PROBABILITY).log() for law in beside]
        self.drawn = [torch.zeros(each.shape, dtype=torch.float64) for each in self.tilts]

    def state(self, sources: Mapping[str, Ints]) -> Tensor:
        """Log-weights of the components given what steps stand beside. **Shape**: -> (n, K)."""
        codes = torch.from_numpy(self.flat.beside(sources)).to(self.shares.device)
        out = self.shares.clamp(min=MIN_PROBABILITY).log().expand(len(codes), -1)
        for k, law in enumerate(self._beside):
            out = out + law[codes[:, k]]
        return out

    def tilted(self, before: Tensor) -> dict[int, Tensor]:
        """Log-factors of the own slots of steps. **Shape**: (n, M) -> (n, K_j) each."""
        out: dict[int, Tensor] = {}
        for k, (j, _) in enumerate(self.flat.memories):
            mine = self.tilts[k][before[:, k]].to(self.shares.device)  # tilts are counted on the processor
            out[j] = out[j] + mine if j in out else mine
        return out

    def note(self, own: Tensor, before: Tensor) -> None:
        """Count what was drawn after what. **Shape**: (n, own slots), (n, M)."""
        for k, (j, _) in enumerate(self.flat.memories):
            at = before[:, k] * self.drawn[k].shape[1] + own[:, j]
            self.drawn[k] += torch.bincount(at, minlength=self.drawn[k].numel()).view(self.drawn[k].shape)


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
        events: FlatMixture,
        rows: Sequence[FlatMixture],
    ) -> None:
        self.contexts, self.events, self.rows = contexts, events, tuple(rows)
        self.device, components = events.shares.device, len(events.shares)
        self.event_net = MixtureConditionals(contexts.layout.events.layout, self._event_slots(), components)
        self.row_nets = [
            MixtureConditionals(
                payloads[name],
                {
                    j: MixedSlot(law, torch.arange(len(law), device=law.device), len(law))
                    for j, law in zip(each.flat.slots, each.own, strict=True)
                },
                components,
            )
            for name, each in zip(contexts.tables, self.rows, strict=True)
        ]

        kinds = torch.from_numpy(contexts.kinds)
        self._table_of_kind = torch.searchsorted(kinds, torch.arange(int(kinds[-1])), right=True) - 1
        often = (events.own[0] @ events.shares).double().cpu()
        self._usual = torch.zeros(len(contexts.tables), dtype=torch.float64).index_add(0, self._table_of_kind, often)

    def _event_slots(self) -> dict[int, MixedSlot]:
        """The slots of an event as its kind and its gap tell them."""
        coding, (kind, gap) = self.contexts.layout.events, self.events.own

        def looked_at(law: Tensor, group: Ints, size: int) -> MixedSlot:
            return MixedSlot(law, torch.from_numpy(group).to(law.device), size)

        kinds, at = self.contexts.kinds, np.arange(len(kind))
        of = np.searchsorted(kinds, at, side="right") - 1
        out = {0: looked_at(kind, of, len(self.contexts.tables))}
        for name, slot in coding.series_slots.items():
            t = self.contexts.tables.index(name)
            level = np.where(of == t, at - kinds[t], -1)
            out[slot] = looked_at(kind, level, int(kinds[t + 1] - kinds[t]))
        level = np.minimum(np.arange(len(gap)), coding.a_share)
        level[-1] = -1  # a gap that is forced is nobody's choice
        cell = np.arange(len(gap)) - coding.a_share
        cell = np.where((cell < 0) | (level < 0), -1, cell)
        out[coding.gap_slot] = looked_at(gap, level, coding.a_share + 1)
        out[coding.gap_slot + 1] = looked_at(gap, cell, len(coding.edges) - 1)
        return out

    def event_tilts(self, before: Tensor, owed: Tensor) -> dict[int, Tensor]:
        """Log-factors of the slots of events. **Shape**: (n, M), (n, kinds) -> (n, kinds) or (n, gaps) each."""
        found, gap = self.events.tilted(before), self.contexts.layout.events.gap_slot
        return {slot: found[0] + owed if slot < gap else found[1] for slot in self.event_net.mixed}

    def owed_tilts(self, owed: Ints) -> Tensor:
        """Log-factors of kinds by what of their table is still owed. **Shape**: (n, T) -> (n, kinds)."""
        return owed_factors(owed, self._usual).log().float().to(self.device)[:, self._table_of_kind]

    def row_tilts(self, t: int, before: Tensor) -> dict[int, Tensor]:
        """Log-factors of the slots of rows of a table. **Shape**: (n, M) -> (n, K_j) each."""
        each = self.rows[t]
        return {each.flat.slots[j]: found for j, found in each.tilted(before).items()}

    def roots(self, cat: Tensor) -> Tensor:
        """Nothing. **Shape**: (n, D) -> (n, 1)."""
        return torch.zeros(len(cat), 1, device=self.device)

    def round(self, active: Ints, roots: Tensor, chunk: UnitsSoFar) -> MixtureRound:
        """Laws of the next steps of some units."""
        del roots
        near = chunk.owners.at("step", active)
        above = chunk.owners.at("table", active)
        state = state_of(active, chunk)
        sources: dict[str, Ints] = {
            EVENT: self.contexts.event_codes(chunk.memory.event[active]),
            STEP_MARKS: self.contexts.marks(state),
            UNIT: chunk.facts.cat[torch.from_numpy(active)].numpy(),
        }
        for name in self.contexts.owning:
            t = self.contexts.tables.index(name)
            sources[OWNER + name] = _numbers(chunk.codes(t, np.where(above == t + 1, near, -1)))
        before = torch.from_numpy(self.events.flat.before(sources))
        return MixtureRound(self, self.events.state(sources), before, self.owed_tilts(state.owed))

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
            ROW_BEFORE: _numbers(chunk.rows_of(t, chunk.memory.before[units, t])),
            TWIN: _numbers(chunk.codes(t, now.twin)),
            UNIT: chunk.facts.cat[torch.from_numpy(units)].numpy(),
            EVENT: event,
            STEP_MARKS: self.contexts.marks(state_of(units, chunk)),
        }
        if above in self.contexts.tables:
            sources[OWNER + above] = _numbers(
                chunk.codes(self.contexts.tables.index(above), chunk.owners.at("step", units))
            )
        each = self.rows[t]
        before = torch.from_numpy(each.flat.before(sources))
        net = self.row_nets[t].tilted(self.row_tilts(t, before))
        out = completed(net, each.state(sources), given, generator, admit)
        each.note(out.cat[:, list(each.flat.slots)].cpu(), before)
        return out

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
        state: log-weights of the components given what they stand beside. **Shape**: (n, K).
        before: codes of what came before them. **Shape**: (n, M).
        owed: log-factors of kinds by what is still owed. **Shape**: (n, kinds).
    """

    laws: MixtureLaws
    state: Tensor
    before: Tensor
    owed: Tensor

    def event(self, given: Given, generator: torch.Generator, admit: Admit) -> Rows:
        """Events of the steps. **Shape**: Given of n -> Rows of n."""
        net = self.laws.event_net.tilted(self.laws.event_tilts(self.before, self.owed))
        return completed(net, self.state, given, generator, admit)

    def settled(
        self, event: Tensor, twin: Tensor, series: Tensor, told: Floats, forced: Bools
    ) -> tuple[Tensor, Tensor]:
        """Nothing. **Shape**: (n, E) ... -> (n, 1), (n, 1)."""
        del twin, series, told
        own = torch.from_numpy(self.laws.contexts.event_codes(event.cpu().numpy()))
        own[:, 1] = torch.where(torch.from_numpy(forced), self.laws.contexts.gaps, own[:, 1])
        self.laws.events.note(own, self.before)
        none = torch.zeros(len(self.state), 1, device=self.laws.device)
        return none, none


def completed(net: MixtureConditionals, state: Tensor, given: Given, generator: torch.Generator, admit: Admit) -> Rows:
    """Rows completed from the components that what is known makes likely."""
    context = state[:, None].expand(-1, len(net.layout.slots), -1)
    return complete_rows(net, given, generator, context=context, admit=admit)


def owed_factors(owed: Ints, usual: Tensor) -> Tensor:
    r"""How much likelier the next row is of a table because more rows of it are owed than is usual.

    Of rows that are drawn alike and of which it is known how many of each table are to come, the next is of table t
    with probability m_t / sum_s m_s, m_t being what is left of it, whatever the law they are drawn by. So the factor is
    that over p_t / sum_s p_s, over tables of which anything is left.

    Args:
        owed: m, rows of each table that the open owner still lacks. **Shape**: (n, T).
        usual: p, share of each table among all rows. **Shape**: (T,).

    **Shape**: -> (n, T), 1 where nothing is left.

    Example:
        >>> owed_factors(np.array([[3, 1, 0]]), torch.tensor([0.25, 0.25, 0.5])).tolist()
        [[1.5, 0.5, 1.0]]
    """
    left = torch.from_numpy(owed).double()
    often = torch.where(left > 0, usual.double().clamp(min=MIN_PROBABILITY), 0.0)
    factor = left * often.sum(dim=1, keepdim=True) / (often * left.sum(dim=1, keepdim=True))
    return torch.where(left > 0, factor, 1.0)


def _numbers(codes: Tensor) -> Ints:
    return np.asarray(codes.cpu().numpy(), dtype=np.int64)
