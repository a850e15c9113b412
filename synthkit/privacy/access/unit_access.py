"""What a fit may learn of linked tables: histograms by table, and batches of whole units; exact, each look charged."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import pandas as pd
import torch

from synthkit.encoding.arrays import Ints
from synthkit.encoding.coding import Coding
from synthkit.encoding.constraints import Recoding
from synthkit.encoding.encoder import TableEncoder, count
from synthkit.encoding.histogram_query import Ask, Histogram, Query
from synthkit.encoding.layout import Layout, Rows, Slot
from synthkit.encoding.slot_counts import Counting, StackedCounting
from synthkit.encoding.units.learned_table import learned_tables
from synthkit.encoding.units.sequences import Sequences
from synthkit.encoding.units.shared_tables import remade
from synthkit.encoding.units.step_contexts import EVENTS, StepContexts, coded_events, coded_rows
from synthkit.encoding.units.unit_classes import UnitClasses
from synthkit.encoding.units.unit_clock import UnitClock
from synthkit.encoding.units.unit_encoder import UnitEncoder
from synthkit.encoding.units.unit_frames import UnitFrames
from synthkit.errors import ConfigError, UnsupportedError
from synthkit.privacy.access.counts import ExactCounting
from synthkit.privacy.access.data_access import DataAccess, FitPlan
from synthkit.privacy.access.exact_access import ExactAccess
from synthkit.privacy.access.exact_loader import ExactLoader
from synthkit.privacy.access.linked_counts import ExactLinkedCounts
from synthkit.privacy.access.private_loader import PrivateLoader
from synthkit.privacy.accounting.charge import Charge
from synthkit.privacy.accounting.events import NonPrivate
from synthkit.privacy.accounting.ledger import Ledger
from synthkit.privacy.dpsgd.dpsgd_plan import DPSGDPlan
from synthkit.runtime.seeds import Seeds
from synthkit.schema.linked import LinkedSchema
from synthkit.tables.linked_tables import LinkedTables
from synthkit.training.loader import TrainingLoader

HELD_STEPS = 20_000  # rows of the units held back, at most: more would tell nothing new


@dataclass(frozen=True, kw_only=True)
class UnitFitPlan:
    """What a fit of linked tables is going to ask.

    Args:
        coding: how finely the model wants its numbers cut.
        root: the same for the units' own rows.
        classes: latent classes of units, 1 for none.
        copies: whether values that rows repeat are to point at them.
        root_share: under a budget, the share of what the coding leaves that counts the units' own rows; if not given,
            that of their slots among all, or beside a training a fixed one.
        dpsgd: under a budget, the plan of a training, given the number of units if it is public; None for a model that
            learns from counts alone.
    """

    coding: Coding
    root: Coding
    classes: int = 1
    copies: bool = True
    root_share: float | None = None
    dpsgd: Callable[[float | None], DPSGDPlan] | None = None


@dataclass(frozen=True, kw_only=True)
class UnitBatches:
    """Encoded units, and a loader whose rows are numbers of units.

    Args:
        sequences: the encoded units.
        loader: hands out batches of numbers; one row a unit.
        numbers: the unit that each number stands for. **Shape**: (units,).
    """

    sequences: Sequences
    loader: TrainingLoader
    numbers: Ints


class RootAccess(Protocol):
    """What may be learned of the units' own rows."""

    @property
    def encoder(self) -> TableEncoder:
        """Their coding."""
        ...

    def counts(self) -> Counting:
        """Counts of the coarse slots."""
        ...

    def batches(self) -> TrainingLoader:
        """The loader of the encoded rows.

        Raises:
            UnsupportedError: there is a budget.
        """
        ...


class UnitAccess(Protocol):
    """The one way from real units to a fitted model of linked tables.

    In order: `reserve`, `fit_encoder`, then `root` for the units' own rows and `batches` for everything below them.
    """

    @property
    def private(self) -> bool:
        """Whether there is a budget, so that answers have noise."""
        ...

    @property
    def device(self) -> torch.device:
        """Where a model computes."""
        ...

    @property
    def encoder(self) -> UnitEncoder:
        """The fitted encoder."""
        ...

    @property
    def classes(self) -> UnitClasses | None:
        """How units are put into latent classes; None if they are not."""
        ...

    def units(self) -> float | None:
        """How many units there are; None under a budget, which is not spent on that."""
        ...

    def reserve(self, plan: UnitFitPlan) -> None:
        """Charge what must be charged before the first answer."""
        ...

    def fit_encoder(self) -> UnitEncoder:
        """Fit the coding of all tables to histograms, and to the gaps, times, repeats and ranks of their rows."""
        ...

    def shared(self) -> dict[str, pd.DataFrame]:
        """Rows of shared tables that enough units point to, and one in place of all others."""
        ...

    def root(self) -> RootAccess:
        """Access to the units' own rows: their values, how many rows they own, when these begin and end."""
        ...

    def below(self, contexts: StepContexts) -> StackedCounting:
        """Counts of the steps of units in flat tables, for a model that learns from nothing else.

        Args:
            contexts: what steps stand beside.
        """
        ...

    def batches(self) -> UnitBatches:
        """Whole units, encoded.

        Raises:
            UnsupportedError: there is a budget, under which rows stay behind the access.
        """
        ...

    def training(self, n: float) -> PrivateLoader:
        """Under a budget, the loader of the steps of units, which makes the noisy steps that were charged.

        Args:
            n: number of units, declared or paid for.

        Raises:
            UnsupportedError: there is no budget.
            ConfigError: no training was charged.
        """
        ...


class ExactUnitAccess:
    """Exact answers about linked tables; see `UnitAccess`.

    Args:
        tables: the training units.
        ledger: where every look is written down.
        seeds: for the order of batches, the choice of units held back, and latent classes.
        device: where a model computes.
    """

    def __init__(self, tables: LinkedTables, ledger: Ledger, seeds: Seeds, device: torch.device | str = "cpu") -> None:
        self._tables, self._ledger, self._seeds = tables, ledger, seeds
        self._plan = UnitFitPlan(coding=Coding(), root=Coding())
        self._encoder: UnitEncoder | None = None
        self._frames: UnitFrames | None = None
        self._root: ExactAccess | None = None
        self._batches: UnitBatches | None = None
        self.classes: UnitClasses | None = None
        self.schema: LinkedSchema = tables.schema
        self.device = torch.device(device)

    @property
    def private(self) -> bool:
        """No."""
        return False

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

    def units(self) -> float:
        """How many units there are, charged before it is told."""
        self._charge("number of units")
        return float(len(self._tables.frames[self.schema.unit]))

    def reserve(self, plan: UnitFitPlan) -> None:
        """Nothing is charged beforehand."""
        self._plan = plan

    def fit_encoder(self) -> UnitEncoder:
        """The coding that the training units suggest."""
        clock, plan = UnitClock.of(self.schema), self._plan
        learned = learned_tables(self.schema, clock, plan.classes if plan.classes > 1 else 0)
        frames = UnitFrames.of(self._tables, learned, clock)
        if plan.classes > 1:
            self._charge("latent classes of units, from their aggregates")
            self.classes = UnitClasses.fit(frames, plan.classes, self._seeds.numpy("classes"))
            frames = frames.with_classes(self.schema.unit, self.classes.of(frames))
        self._frames = frames
        self._root = self._root_access(frames)
        root = self._root.fit_encoder()
        self._charge("gaps between rows, times, how often rows repeat a value, and ranks of numbers by series")
        self._encoder = UnitEncoder.fit(frames, self.schema, clock, root, self._ask, plan.coding, copies=plan.copies)
        return self._encoder

    def _root_access(self, frames: UnitFrames) -> ExactAccess:
        unit = self.schema.unit
        access = ExactAccess(frames.frames[unit], frames.learned[unit].schema, self._ledger, self._seeds, self.device)
        access.reserve(FitPlan(coding=self._plan.root, margins=False))
        return access

    def _ask(self, table: str) -> Ask:
        """Histograms of the learned columns of a table, charged before they are counted."""
        assert self._frames is not None
        coded = Recoding.of(self._frames.learned[table].schema).forward(self._frames.frames[table])

        def ask(queries: Sequence[Query]) -> list[Histogram]:
            if queries:
                self._charge(*(f"histogram of {table}: {', '.join(query.columns)}" for query in queries))
            return [count(coded, query) for query in queries]

        return ask

    def root(self) -> DataAccess:
        """Access to the units' own rows.

        Raises:
            ConfigError: no encoder is fitted yet.
        """
        found = self._root if self.encoder else None
        assert found is not None
        return found

    def batches(self) -> UnitBatches:
        """Whole units, charged before they are handed out, some of them held back for early stopping."""
        if self._batches is None:
            self._charge("all training units")
            assert self._frames is not None
            sequences = self.encoder.encode(self._frames)
            self._batches = _batches(sequences, self._seeds, self.device)
        return self._batches

    def training(self, n: float) -> PrivateLoader:
        """None.

        Raises:
            UnsupportedError: always.
        """
        del n
        msg = "steps are noisy where there is a budget; however: there is none. Train on `batches`"
        raise UnsupportedError(msg)

    def below(self, contexts: StepContexts) -> ExactLinkedCounts:
        """Exact counts of the steps of units in flat tables, charged before they are handed out.

        Args:
            contexts: what steps stand beside.
        """
        self._charge("counts of all rows of units")
        assert self._frames is not None
        frames, sequences = self._frames, self.encoder.encode(self._frames)
        flat = {EVENTS: (contexts.events(), coded_events(contexts, sequences, frames))}
        flat |= {n: (contexts.rows(n), coded_rows(contexts, sequences, frames, n)) for n in self.encoder.tables}
        return ExactLinkedCounts({n: ExactCounting.of(steps.cat, f.sizes) for n, (f, steps) in flat.items()})

    def shared(self) -> dict[str, pd.DataFrame]:
        """Rows of shared tables that enough units point to, and one in place of all others; charged before."""
        assert self._frames is not None
        if self._tables.shared:
            self._charge("rows of shared tables that five units or more point to")
        return {
            name: remade(name, self.schema, self._tables.shared, self._frames.hubs, self._seeds.numpy(f"shared {name}"))
            for name in self._tables.shared
        }

    def _charge(self, *whats: str) -> None:
        """Put down what is about to be told exactly.

        Raises:
            BudgetExceededError: there is a budget, which an exact answer always exceeds.
        """
        self._ledger.charge([Charge(what=what, spent=NonPrivate()) for what in whats])


def _batches(sequences: Sequences, seeds: Seeds, device: torch.device) -> UnitBatches:
    """Numbers of units in batches; number 0 is a unit of usual length, by which memory is told."""
    n, lengths = len(sequences), sequences.lengths
    numbers = np.arange(n)
    if n:
        usual = int(np.argsort(lengths, kind="stable")[(3 * n) // 4])
        numbers[0], numbers[usual] = usual, 0
    rows = Rows(torch.arange(n, dtype=torch.int32)[:, None], torch.zeros(n, 0))
    slot = Slot(name="unit", size=max(n, 1), ordinal=False, missing=False, parent=None, prior=np.zeros(1, np.float32))
    loader = ExactLoader.of(rows, Layout((slot,), ("unit",)), None, seeds, device)
    if loader.held is not None:
        held = loader.held.cat[:, 0].cpu().numpy()
        few = int(np.searchsorted(lengths[numbers[held]].cumsum(), HELD_STEPS)) + 1
        loader = ExactLoader(loader.rows, loader.held[slice(0, few)], loader.layout)
    return UnitBatches(sequences=sequences, loader=loader, numbers=numbers)
