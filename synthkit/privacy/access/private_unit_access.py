"""Access to linked tables under a budget: everything is charged before the first draw, every answer has noise."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import torch

from synthkit.encoding.arrays import Floats
from synthkit.encoding.encoder import TableEncoder
from synthkit.encoding.slot_counts import Counting
from synthkit.encoding.units.learned_table import LearnedTable, learned_tables
from synthkit.encoding.units.noisy_unit_encoder import UnitCountCells, UnitCounts, noisy_unit_encoder
from synthkit.encoding.units.step_contexts import EVENTS, CodedSteps, FlatSteps, StepContexts, coded_events, coded_rows
from synthkit.encoding.units.unit_classes import UnitClasses
from synthkit.encoding.units.unit_clock import UnitClock
from synthkit.encoding.units.unit_encoder import UnitEncoder
from synthkit.encoding.units.unit_frames import UnitFrames
from synthkit.encoding.units.unit_steps import STEPS_LAYOUT, UnitSteps
from synthkit.errors import ConfigError, UnsupportedError
from synthkit.privacy.access.bounded_units import bounded_units, most_rows
from synthkit.privacy.access.catalogued_levels import with_catalogued_levels, with_stand_ins
from synthkit.privacy.access.counts import noise_scale
from synthkit.privacy.access.dummy_units import dummy_units
from synthkit.privacy.access.encoder_budget import encoder_queries
from synthkit.privacy.access.linked_counts import NoisyLinkedCounts
from synthkit.privacy.access.private_curator import PrivateCurator
from synthkit.privacy.access.private_loader import TRIED, PrivateLoader
from synthkit.privacy.access.unit_access import UnitBatches, UnitFitPlan
from synthkit.privacy.access.unit_budget import UnitBudget
from synthkit.privacy.access.unit_counts import CLIP_SHARE, CLIPPED_AT, UnitCounting
from synthkit.privacy.accounting.budget_plan import FAILING, affordable
from synthkit.privacy.accounting.charge import Charge
from synthkit.privacy.accounting.ledger import Ledger
from synthkit.privacy.mechanisms.noisy_quantile import NoisyQuantile
from synthkit.privacy.mechanisms.stacked_counts import CountedRows, StackedCounts
from synthkit.schema.domain_mapping import into_domain
from synthkit.schema.linked import LinkedSchema
from synthkit.schema.linked.public_tables import declared_tables
from synthkit.schema.public_domain import Declared, declared_domain
from synthkit.training.loader import TrainingLoader

EVENT_SLOTS = 6  # what an event counts as beside the slots of rows, when counts are priced
ROOT_SLOTS = 4  # and a unit, besides its own slots
NO_BATCHES = (
    "under a privacy budget rows of units stay behind the access; however: batches are asked for. "
    "Use marginal, or timeline with settings of a private training"
)
PUBLIC = "schema: lines that somebody answers for"  # who declares what is learned: each line was asked about before


class PrivateUnitAccess:
    """Noisy answers about linked tables, inside what is left of a budget; see `UnitAccess`.

    A unit is one row of the table of units with all rows of its tree, within the public bounds on its rows.

    Args:
        tables: the training tables, as they came.
        schema: what they mean; lines that were read off the data are bought, or refused.
        ledger: the ledger of the tables, with a budget.
        device: where a model computes.

    Raises:
        SchemaError: lines of the schema are not public and cannot be bought, or a link has no bound.
        UnsupportedError: rows of other units, or tables that are not public, are pointed to.
    """

    def __init__(
        self,
        tables: Mapping[str, pd.DataFrame],
        schema: LinkedSchema,
        ledger: Ledger,
        device: torch.device | str = "cpu",
    ) -> None:
        self._public = with_catalogued_levels(declared_tables(schema), tables)
        self._tables: Mapping[str, pd.DataFrame] = dict(tables)
        self._catalogues = {name: tables[name] for name in schema.graph.references}
        self._clock = UnitClock.of(self._public)
        self._declared = {name: _declared(each) for name, each in learned_tables(self._public, self._clock).items()}
        self._plan: UnitFitPlan | None = None
        self._budget: UnitBudget | None = None
        self._frames: UnitFrames | None = None
        self._curators: dict[str, PrivateCurator] = {}
        self._encoder: UnitEncoder | None = None
        self.classes: UnitClasses | None = None
        self.ledger = ledger
        self.device = torch.device(device)

    @property
    def private(self) -> bool:
        """Yes."""
        return True

    @property
    def encoder(self) -> UnitEncoder:
        """The fitted encoder.

        Raises:
            ConfigError: none is fitted yet.
        """
        if self._encoder is None:
            msg = "an encoder must be fitted before units are encoded; however: none is. Call fit_encoder()"
            raise ConfigError(msg)
        return self._encoder

    @property
    def budget(self) -> UnitBudget:
        """What is spent on what.

        Raises:
            ConfigError: nothing is charged yet, or the tables were given up.
        """
        return self._open()[2]

    def units(self) -> float | None:
        """None: the budget is not spent on the choice of a model."""
        return None

    def reserve(self, plan: UnitFitPlan) -> None:
        """Charge the whole fit.

        Raises:
            BudgetExceededError: nothing is left of the budget; nothing was drawn.
            SchemaError: a table is missing or not declared, or has other columns than are declared.
            UnsupportedError: the model needs rows to be classed or trained on.
        """
        if plan.classes > 1:
            msg = "under a privacy budget units have no latent classes; however: some are asked for. Set `classes` to 1"
            raise UnsupportedError(msg)
        learned = learned_tables(self._public, self._clock)
        tables, self._tables = bounded_units(self._tables, self._public), {}
        frames = UnitFrames.of(tables, learned, self._clock)
        mapped = {name: into_domain(frame, self._declared[name].schema) for name, frame in frames.frames.items()}
        self._frames = replace(frames, frames=mapped)
        owner = {name: tables.units[name].astype(np.int64) for name in mapped}
        self._curators = {name: PrivateCurator(mapped[name], owner[name], self._declared[name]) for name in mapped}
        asked = {name: encoder_queries(self._declared[name], counted=True) for name in mapped}
        asked = {name: tuple(q for q in each if q.kind != "rows") for name, each in asked.items()}
        failing = any(query.kind == "levels" for each in asked.values() for query in each)
        terms = self.ledger.budget
        public_n = None if terms is None or terms.public_n is None else float(terms.public_n)
        dpsgd = None if plan.dpsgd is None else plan.dpsgd(public_n)
        with self.ledger.alone():
            left = self.ledger.left()
            delta = FAILING * left.delta if failing else 0.0
            if dpsgd is None:
                budget = UnitBudget.of(asked, affordable(left, delta), delta)
            else:
                budget = UnitBudget.trained(asked, left, delta, dpsgd, root_share=plan.root_share)
            self.ledger.charge(budget.charges(), delta=left.delta)
        self._plan, self._budget = plan, budget

    def fit_encoder(self) -> UnitEncoder:
        """A coding of all tables of which every number is public or paid for."""
        frames, plan, budget = self._open()
        coded: dict[str, TableEncoder] = {}
        for name, curator in self._curators.items():
            coding = plan.root if name == self._public.unit else plan.coding
            coded[name] = curator.encoder(budget.coding[name], coding, self._pay)
        below = {name: each for name, each in coded.items() if name != self._public.unit}
        cells = UnitCountCells.of(below, frames.learned) if plan.copies else UnitCountCells.without_copies(below)
        told = self._placed(cells, below, frames)
        schema = _published(self._public, frames.learned, coded)
        schema = with_stand_ins(schema, self._catalogues)
        self._encoder = noisy_unit_encoder(schema, self._clock, coded, cells, told)
        return self._encoder

    def _placed(self, cells: UnitCountCells, coded: Mapping[str, TableEncoder], frames: UnitFrames) -> UnitCounts:
        """Types, gaps and repeats of rows, told with one clip and one noise."""
        _, _, budget = self._open()
        unit = np.repeat(np.arange(len(frames.order.offsets) - 1), np.diff(frames.order.offsets))
        rows = {name: unit[frames.order.step[name]] for name in coded}
        stack = [
            CountedRows(owner=unit, cell=cells.types(frames), size=2 * len(coded)),
            CountedRows(owner=unit, cell=cells.gaps(frames), size=cells.gap_cells),
        ]
        pairs = [(name, column) for name in coded for column in cells.copied[name]]
        stack += [CountedRows(owner=rows[n], cell=cells.copies(n, c, frames, coded[n]), size=3) for n, c in pairs]
        bounds = most_rows(self._public)
        most = math.hypot(sum(bounds[n] for n in coded), *(bounds[n] for n, _ in pairs)) * math.sqrt(2)
        told, sigma = self._stacked(stack, max(most, 2.0), budget.placed, "types, gaps and repeats of rows")
        return UnitCounts(types=told[0], gaps=told[1], copies=dict(zip(pairs, told[2:], strict=True)), sigma=sigma)

    def _stacked(self, stack: Sequence[CountedRows], most: float, rho: float, what: str) -> tuple[list[Floats], float]:
        """Tables of counts with one clip and one noise, and its standard deviation."""
        clip = NoisyQuantile(low=1.0, high=most, share=CLIPPED_AT, rho=CLIP_SHARE * rho)
        self._pay(clip.charge(f"quantile of what a unit brings to {what}"))
        units = max((int(table.owner.max(initial=-1)) for table in stack), default=-1) + 1
        norms = StackedCounts.norms(stack, units)
        counts = StackedCounts(norm=clip.draw(norms[norms > 0]), noise_multiplier=noise_scale((1 - CLIP_SHARE) * rho))
        self._pay(Charge(what=what, spent=counts.spent))
        return counts.told(stack), counts.sigma

    def root(self) -> PrivateRoot:
        """Counts of the units' own rows."""
        _, _, budget = self._open()
        curator, encoder = self._curators[self._public.unit], self.encoder.root
        coarse, rho = list(encoder.layout.coarse), budget.counts * self._share_of_root()
        return PrivateRoot(encoder, lambda: curator.counting(encoder, coarse, rho, self._pay))

    def _share_of_root(self) -> float:
        """Share of the price of all counts that counts the units' own rows: that of their slots among all slots.

        A few more are added to theirs: how many rows there are of everything hangs on them.
        """
        _, plan, budget = self._open()
        if budget.noisy is not None:
            return 1.0  # what is below is learned from gradients
        if plan.root_share is not None:
            return plan.root_share
        root = len(self.encoder.root.layout.coarse) + ROOT_SLOTS
        rows = sum(len(each.layout.coarse) for each in self.encoder.payloads.values())
        return root / (root + EVENT_SLOTS * len(self.encoder.tables) + rows)

    def below(self, contexts: StepContexts) -> NoisyLinkedCounts:
        """Counts of the steps of units in flat tables, told together; the last look at the tables.

        Args:
            contexts: what steps stand beside.
        """
        frames, _, budget = self._open()
        names = self.encoder.tables
        if not names:  # units alone: nothing happens to them
            self._frames, self._curators = None, {}
            return NoisyLinkedCounts({})
        sequences = self.encoder.encode(self._coded(frames))
        bounds = most_rows(self._public)
        parts: dict[str, tuple[FlatSteps, Callable[[], CodedSteps], int]] = {
            name: (contexts.rows(name), lambda n=name: coded_rows(contexts, sequences, frames, n), bounds[name])  # type: ignore[misc]
            for name in names
        }
        whole = sum(bounds[name] for name in names)
        parts = {EVENTS: (contexts.events(), lambda: coded_events(contexts, sequences, frames), whole), **parts}
        slots = {name: len(flat.own) + len(flat.memories) for name, (flat, _, _) in parts.items()}
        slots[EVENTS] *= len(names)  # all tables happen by one law
        left, whole = budget.counts * (1 - self._share_of_root()), sum(slots.values())
        out = {}
        for name, (flat, coded, bound) in parts.items():
            steps, rho = coded(), left * slots[name] / whole
            out[name] = UnitCounting.of(steps.cat, steps.unit, flat.sizes, bound=bound, rho=rho, pay=self._pay)
        self._frames, self._curators = None, {}
        return NoisyLinkedCounts(out)

    def training(self, n: float) -> PrivateLoader:
        """The loader that makes the noisy steps which were charged, on the steps of units; the last look at the tables.

        Args:
            n: number of units, declared or paid for.

        Raises:
            ConfigError: no training was charged, or n is not positive.
        """
        frames, _, budget = self._open()
        if budget.noisy is None:
            msg = "a training must be charged before its first step; however: counts were. Reserve a plan with `dpsgd`"
            raise ConfigError(msg)
        sequences, bounds = self.encoder.encode(self._coded(frames)), most_rows(self._public)
        rows = UnitSteps.of(sequences)
        loader = PrivateLoader(
            rows,
            rows.owner,
            STEPS_LAYOUT,
            budget.noisy,
            n=n,
            most=max(sum(bounds[name] for name in self.encoder.tables), 1),
            device=self.device,
            tried=UnitSteps.of(dummy_units(TRIED, self.encoder)),
        )
        self._frames, self._curators = None, {}
        return loader

    def _coded(self, frames: UnitFrames) -> UnitFrames:
        """The frames as the published schema learns them."""
        return replace(frames, learned=self.encoder.learned)

    def batches(self) -> UnitBatches:
        """None.

        Raises:
            UnsupportedError: always.
        """
        raise UnsupportedError(NO_BATCHES)

    def shared(self) -> dict[str, pd.DataFrame]:
        """None: tables that units share are refused under a budget."""
        return {}

    def _open(self) -> tuple[UnitFrames, UnitFitPlan, UnitBudget]:
        """The units, once everything is charged.

        Raises:
            ConfigError: nothing is charged yet, or the tables were given up.
        """
        if self._frames is None or self._plan is None or self._budget is None:
            msg = "answers under a budget must be charged before they are drawn; however: they are not. Call reserve()"
            raise ConfigError(msg)
        return self._frames, self._plan, self._budget

    def _pay(self, charge: Charge) -> None:
        """Draw inside the reserve."""
        self.ledger.draw_inside([charge])


@dataclass(frozen=True)
class PrivateRoot:
    """What may be learned of the units' own rows.

    Args:
        encoder: of them.
        count: hands out counts of their coarse slots.
    """

    encoder: TableEncoder
    count: Callable[[], Counting]

    def counts(self) -> Counting:
        """Counts of the coarse slots."""
        return self.count()

    def batches(self) -> TrainingLoader:
        """None.

        Raises:
            UnsupportedError: always.
        """
        raise UnsupportedError(NO_BATCHES)


def _declared(each: LearnedTable) -> Declared:
    """What is learned of a table, with what is not known of it; who answers for its lines was asked before."""
    return declared_domain(each.schema.model_copy(update={"declared_by": PUBLIC}))


def _published(
    public: LinkedSchema, learned: Mapping[str, LearnedTable], coded: Mapping[str, TableEncoder]
) -> LinkedSchema:
    """The public schema with the levels and bounds that were bought, marked `paid`."""
    tables = dict(public.tables)
    for name, each in learned.items():
        bought = coded[name].schema.columns
        values = {
            c: bought[c]
            for c, kind in tables[name].columns.items()
            if c in bought and type(bought[c]) is type(kind) and c not in each.offsets
        }
        tables[name] = tables[name].model_copy(update={"columns": {**tables[name].columns, **values}})
    return public.model_copy(update={"tables": tables})
