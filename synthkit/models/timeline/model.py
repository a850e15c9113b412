r"""The model of linked tables over time: one sequence a unit, drawn row by row below a root.

log p(unit) = log p(root) + sum_i [log p(event_i | before) + log p(row_i | event_i, before)]. The root is the flagship
on the unit's own columns, how many rows it owns and when the first and the last happen; an event is the table, its
series and the gap as a share of the time left; a row is drawn by conditionals in any order, its context one more known
column.

References:
    Uria, Murray, Larochelle: A deep and tractable density estimator (2014), for training over random orders.
    Gu, Lu, Li, Li: Incorporating copying mechanism in sequence-to-sequence learning (2016), for values that repeat.
    Tiwald et al.: TabularARGN (2025), for any-order discretised tables.

NOTE[DIFF]: no recurrence and no attention: what came before enters as differences of running sums, so that cost is
linear in rows; counts of children are columns of their owner, so that keys and counts hold by construction.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from synthkit.encoding.coding import Coding
from synthkit.encoding.layout import Rows
from synthkit.encoding.units.sequences import portions
from synthkit.models.autoregressive.config import AUTOREGRESSIVE_SMALL_ROWS, AutoregressiveConfig
from synthkit.models.autoregressive.model import Autoregressive
from synthkit.models.base import Capability, RowModel, TrainingLog
from synthkit.models.marginal.model import Marginal
from synthkit.models.row_completion import complete_rows
from synthkit.models.timeline.config import TimelineConfig, default_classes
from synthkit.models.timeline.network import TimelineNetwork
from synthkit.models.timeline.network_laws import NetworkLaws
from synthkit.models.timeline.once_masks import once_masks
from synthkit.models.timeline.private_training import private_plan, private_root
from synthkit.models.timeline.step_loss import step_loss
from synthkit.models.timeline.unit_loss import BatchSteps, UnitLoss
from synthkit.models.timeline.unit_sampler import draw_below
from synthkit.models.unit_base import UnitModel
from synthkit.models.unit_layout import UnitLayout
from synthkit.training.callbacks import TrainingCallbacks
from synthkit.training.loop import TrainingPlan, seeded, train
from synthkit.training.state import State
from synthkit.training.training_stages import TrainingStage

if TYPE_CHECKING:
    from synthkit.encoding.layout import Given
    from synthkit.encoding.units.begun_units import BegunUnits
    from synthkit.encoding.units.drawn_units import DrawnUnits
    from synthkit.encoding.units.root_facts import RootFacts
    from synthkit.encoding.units.sequences import Sequences
    from synthkit.encoding.units.unit_encoder import UnitEncoder
    from synthkit.privacy.access.unit_access import UnitAccess, UnitBatches, UnitFitPlan

FEW_UNITS_STEPS = 1200  # of the root, at most, where units are few
ROOT_SHARE = 0.15  # of a time budget, for the root
JUDGED_AT_ONCE = 8192  # rows whose probability is worked out at once
ROOT_STAGE, BELOW_STAGE = "root", "below"  # the two trainings, as their kept states are called
TRAINED_UNITS, TRAINED_ROWS = "units", "rows"  # and as people are told of them
PAIR_TENSORS = ".pairs."  # what tensors of counted laws have in their names
ROOT = "root."  # how the names of the root's tensors begin


class Timeline(UnitModel):
    """One sequence a unit; the probability of a unit is that of the networks, before anything is masked or redrawn.

    Args:
        layout: slots of the unit, of events and of rows.
        config: settings.
    """

    Config: ClassVar[type[TimelineConfig]] = TimelineConfig
    capabilities: ClassVar[frozenset[Capability]] = frozenset(Capability)
    coding: ClassVar[Coding] = Coding()
    root_coding: ClassVar[Coding] = Autoregressive.coding
    _config: TimelineConfig

    def __init__(self, layout: UnitLayout, config: TimelineConfig | None = None) -> None:
        super().__init__(layout, config)
        self._root: Autoregressive | Marginal = Autoregressive(
            layout.root, self._root_config(AUTOREGRESSIVE_SMALL_ROWS)
        )
        if self._config.private:
            self._root = Marginal(layout.root, private_root(self._config))
        with seeded(0, torch.device("cpu")):
            self._network = TimelineNetwork(layout, self._config).eval()

    @property
    def root(self) -> RowModel:
        """The flagship, on the units' own rows; under a budget a mixture fitted to counts."""
        return self._root

    @classmethod
    def classes(cls, config: TimelineConfig, units: float) -> int:
        """Latent classes of units that the settings ask for, 1 for none."""
        return default_classes(units) if config.classes is None else config.classes

    @classmethod
    def fit_plan(cls, config: TimelineConfig, units: float | None, *, private: bool) -> UnitFitPlan:
        """What a fit is going to ask; under a budget counts of the units' own rows, and noisy steps on all others."""
        plan = super().fit_plan(config, units, private=private)
        if not private:
            return plan
        return replace(plan, root=Marginal.coding, classes=config.classes or 1, dpsgd=config.dpsgd_plan)

    @classmethod
    def check(cls, encoder: UnitEncoder) -> None:
        """Refuse rows that happen once where they have too many combinations, or no levels.

        Raises:
            UnsupportedError: a table has such a rule, or such a key.
        """
        for name, coding in encoder.payloads.items():
            once_masks(encoder.learned[name], coding)

    def _root_config(self, units: float) -> AutoregressiveConfig:
        """Settings of the root: of few units a slower rate, more dropped and less decayed than in a table by itself.

        How many rows a unit owns and how much time they take hang together almost exactly, while other columns of few
        units are soon learned by heart: a fast rate stops before the first is known. It may take long; early stopping
        ends it.
        """
        steps, slots = self._config.root_steps, len(self.layout.root.slots)
        if units >= AUTOREGRESSIVE_SMALL_ROWS:
            return AutoregressiveConfig(steps=steps).narrowed(slots)
        few = AutoregressiveConfig(
            steps=steps or FEW_UNITS_STEPS,
            dropout=0.6,
            weight_decay=5.0,
            learning_rate=2e-3,
            canonical=0.85,
            pairs=False,
            scores=False,
        )
        return few.narrowed(slots)

    def fit(self, access: UnitAccess, seed: int, callbacks: TrainingCallbacks | None = None) -> TrainingLog:
        """Train the root, then everything below it."""
        callbacks = callbacks or TrainingCallbacks()
        if access.private:
            return self._fit_privately(access, seed, callbacks)
        batches = access.batches()
        rows = float(batches.sequences.offsets[-1])
        self._config = self._config.settled(rows)
        log, callbacks = self._fit_root(access, seed, callbacks)
        if not rows:
            return log
        callbacks.begin(TRAINED_ROWS)
        with seeded(seed, access.device):
            self._network = TimelineNetwork(self.layout, self._config).to(access.device)
        self._network.count(batches.sequences)
        curve = train(self._network, _Loss(batches, self._config), batches.loader, self._plan(batches), seed, callbacks)
        return TrainingLog(**asdict(curve))

    def _fit_privately(self, access: UnitAccess, seed: int, callbacks: TrainingCallbacks) -> TrainingLog:
        """Fit the root to counts, then make all steps below it that were charged; nothing follows from the rows."""
        callbacks.begin(TRAINED_UNITS)
        root = self._root = Marginal(self.layout.root, private_root(self._config))
        root.fit_counts(access.root().counts(), seed, callbacks, access.device)
        self.rows = max(root.rows or 1.0, 1.0)
        callbacks.begin(TRAINED_ROWS)
        with seeded(seed, access.device):
            self._network = TimelineNetwork(self.layout, self._config).to(access.device)
        loader = access.training(self.rows)
        curve = train(self._network, step_loss, loader, private_plan(self._config), seed, callbacks)
        return TrainingLog(**asdict(curve))

    def _fit_root(
        self, access: UnitAccess, seed: int, callbacks: TrainingCallbacks
    ) -> tuple[TrainingLog, TrainingCallbacks]:
        """Train the root, unless it was before an interruption; and the callbacks of everything below it."""
        loader, store = access.root().batches(), callbacks.store
        units = float(len(access.batches().sequences))
        self._root = Autoregressive(access.root().encoder.layout, self._root_config(units))
        below = None if store is None else TrainingStage(store=store, name=BELOW_STAGE)
        before = None if below is None else below.before()
        if before is None:
            first = None if store is None else TrainingStage(store=store, name=ROOT_STAGE)
            rest = replace(callbacks, seconds=None, store=first)
            if callbacks.seconds is not None:
                rest = replace(rest, seconds=ROOT_SHARE * callbacks.left(), since=time.monotonic())
            callbacks.begin(TRAINED_UNITS)
            log = self._root.fit_batches(loader, seed, rest)
            before = State(self._root.tensors(), {"steps": log.planned})
        else:
            log = TrainingLog(steps=0, best_step=0, seconds=0.0)
            self._root.load_tensors(before.tensors, access.device)
        self._config = replace(self._config, root_steps=before.facts["steps"])
        return log, callbacks if below is None else replace(callbacks, store=replace(below, made=before))

    def _plan(self, batches: UnitBatches) -> TrainingPlan:
        config, lengths = self._config, batches.sequences.lengths
        units = round((config.batch_rows or 1) / max(float(np.minimum(lengths, config.window).mean()), 1e-9))
        return TrainingPlan(
            steps=config.steps or 1,
            batch_size=int(min(max(units, 4), len(lengths))),
            learning_rate=config.learning_rate,
            weight_decay=config.weight_decay or 0.0,
            evaluations=20,
            patience=4,
        )

    def sample(
        self,
        encoder: UnitEncoder,
        facts: RootFacts,
        generator: torch.Generator,
        begun: BegunUnits | None = None,
        told: Callable[[int, int], None] | None = None,
    ) -> DrawnUnits:
        """Draw everything below units that are drawn already. **Shape**: (units, d) -> rows of every table."""
        return draw_below(encoder, NetworkLaws(self._network), facts, generator, begun, told)

    @torch.no_grad()
    def complete(
        self, table: str, sequences: Sequences, steps: NDArray[np.int64], given: Given, generator: torch.Generator
    ) -> Rows:
        """Complete rows of a table given their events and all that came before. **Shape**: Given of n -> Rows of n."""
        loss = UnitLoss(self._network, sequences, None)
        unit = np.searchsorted(sequences.offsets, steps, side="right") - 1
        t, parts, places = self.layout.tables.index(table), [], list[NDArray[np.int64]]()
        for units in np.array_split(
            np.unique(unit), max(int(sequences.lengths[np.unique(unit)].sum()) // JUDGED_AT_ONCE, 1)
        ):
            batch = BatchSteps.of(sequences, units, None).only(steps)
            mine = np.searchsorted(steps, batch.step[batch.judged])
            summary = loss.summaries(batch)
            context = self._network.row_context(t, summary, loss.related(t, batch, np.arange(len(batch.judged))))
            net = self._network.table_network(t)
            parts.append(complete_rows(net, given[torch.from_numpy(mine)], generator, context=context))
            places.append(mine)
        whole = Rows.cat_rows(parts)
        return whole[torch.from_numpy(np.argsort(np.concatenate(places)))]

    @torch.no_grad()
    def log_prob(self, sequences: Sequences) -> NDArray[np.float64]:
        """Log-probability of the codes of each unit by the networks, nats. **Shape**: (units,).

        It is exact for these. While drawing, levels are masked by what is owed, gaps, links, copies and what comes
        once, and rows that break a rule are drawn again: none of that is part of it.
        """
        below = np.zeros(len(sequences))
        unit = np.repeat(np.arange(len(sequences)), sequences.lengths)
        np.add.at(below, unit, self.row_log_prob(sequences))
        return self._root.log_prob(sequences.roots).double().cpu().numpy() + below

    @torch.no_grad()
    def row_log_prob(self, sequences: Sequences) -> NDArray[np.float64]:
        """Log-probability of each row, its event included, given all before it, nats. **Shape**: (steps,)."""
        loss = UnitLoss(self._network, sequences, None)
        out = np.zeros(int(sequences.offsets[-1]))
        for units, _ in portions(sequences.offsets, JUDGED_AT_ONCE):
            batch = BatchSteps.of(sequences, np.arange(units.start, units.stop), None)
            event, payload = loss.parts(batch)
            out[batch.step[batch.judged]] = -(event + payload).double().cpu().numpy()
        return out

    def tensors(self) -> dict[str, Tensor]:
        """Weights of both networks."""
        below = {k: v.detach().cpu().contiguous() for k, v in self._network.named_parameters()}
        below |= {k: v.cpu().contiguous() for k, v in self._network.named_buffers() if PAIR_TENSORS in k}
        return below | {ROOT + k: v for k, v in self._root.tensors().items()}

    def load_tensors(self, tensors: dict[str, Tensor], device: torch.device) -> None:
        """Take back what `tensors` gave, to draw on `device`."""
        self._root.load_tensors({k.removeprefix(ROOT): v for k, v in tensors.items() if k.startswith(ROOT)}, device)
        below = {k: v for k, v in tensors.items() if not k.startswith(ROOT)}
        self._network.load_state_dict(below, strict=False)
        self._network.to(device).eval()


class _Loss:
    """Loss of units by their numbers, nats a row on average.

    Args:
        batches: the units.
        config: settings.
    """

    def __init__(self, batches: UnitBatches, config: TimelineConfig) -> None:
        self._batches, self._window = batches, config.window
        self._usual = max(float(batches.sequences.lengths.mean()), 1.0)

    def __call__(self, network: TimelineNetwork, rows: Rows) -> Tensor:
        """**Shape**: B numbers of units -> (B,)."""
        units = self._batches.numbers[rows.cat[:, 0].cpu().numpy().astype(np.int64)]
        window = self._window if network.training else None
        return UnitLoss(network, self._batches.sequences, window).of(units) / self._usual
