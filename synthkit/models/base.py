"""What a model is: it learns encoded rows through one access to real data, draws rows, and declares what else it can.

The contract, by number; `tests/contract/test_models.py` names the numbers it holds:

1. Tensors follow from layout and settings: a model made of both has tensors of the shapes a fitted one has, so that
   `load_tensors` can take back what `tensors` gave.
2. Whole numbers that say how a model is built (an order, a parent) survive being a float32 tensor.
3. Capabilities are declared in `capabilities`, and a method that is declared answers.
4. A model learns from counts because it is a `CountModel`, from batches because it is a `NetworkModel`: nothing else
   is asked, and a `CountModel` works under a budget as it is.
5. Where rules or knowledge leave no level with mass, a draw falls back as `sampling.draw_allowed` does.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from enum import Enum
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from synthkit.encoding.coding import Coding
from synthkit.encoding.layout import Given, Layout, Rows
from synthkit.encoding.slot_counts import Counting
from synthkit.errors import ConfigError, UnsupportedError
from synthkit.privacy.access.data_access import DataAccess
from synthkit.privacy.dpsgd.dpsgd_config import DPSGDConfig
from synthkit.training.callbacks import TrainingCallbacks
from synthkit.training.loader import TrainingLoader
from synthkit.training.loop import TrainingPlan, seeded, train


@dataclass(frozen=True, kw_only=True)
class TrainingLog:
    """What training went through; post-noise or public values only.

    Args:
        steps: optimizer steps made.
        planned: steps that schedules were laid out over; a fit asked for so many steps is the same fit.
        best_step: the step whose weights were kept.
        seconds: time it took.
        memory: bytes it takes at most, as estimated before it began.
        at: steps at which the losses below were taken.
        train: mean training loss since the previous one, nats a row. **Shape**: as `at`.
        validation: loss of the rows held back, None if there were none. **Shape**: as `at`.
    """

    steps: int
    best_step: int
    seconds: float
    at: tuple[int, ...] = ()
    train: tuple[float, ...] = ()
    validation: tuple[float, ...] | None = None
    planned: int | None = None
    memory: int | None = None


class Capability(Enum):
    """What a model may be able to do beside being fitted and drawn from."""

    GIVEN = "complete partly known rows"
    LOG_PROB = "say the log-probability of a row, exactly"
    LOG_PROB_GIVEN = "say the log-probability of some slots given others"
    NEGATIVE_LOG_PROB = "say how improbable a row is, exactly or by a bound, and which slots make it so"
    BUDGET = "be fitted under a privacy budget"


class RowModel(ABC):
    """A generative model of encoded rows; it knows no tables and no epsilon.

    Args:
        layout: the slots.
        config: settings, a frozen record of the class `Config`.
    """

    coding: ClassVar[Coding] = Coding()
    Config: ClassVar[type[Any]]
    capabilities: ClassVar[frozenset[Capability]] = frozenset()

    def __init__(self, layout: Layout, config: Any = None) -> None:
        self.layout = layout
        self._config = self.Config() if config is None else config

    @classmethod
    def can(cls, capability: Capability) -> bool:
        """Whether a capability is declared."""
        return capability in cls.capabilities

    @abstractmethod
    def fit(self, access: DataAccess, seed: int, callbacks: TrainingCallbacks | None = None) -> TrainingLog:
        """Learn through an access to real rows; the same with exact answers and under a budget.

        Args:
            access: its encoder is fitted.
            seed: of everything random but noise.
            callbacks: who is told of each step.
        """

    def sample(self, n: int, generator: torch.Generator) -> Rows:
        """Draw n rows. **Shape**: Rows of n."""
        unknown = torch.full((n, len(self.layout.slots)), -1, dtype=torch.long)
        return self.sample_given(Given(unknown, {}), generator)

    def sample_given(self, given: Given, generator: torch.Generator, *, tries: int | None = None) -> Rows:
        """Draw each row from the law of the unknown slots given the known ones; `Capability.GIVEN`.

        Args:
            given: what is known.
            generator: of the draws.
            tries: completions of a row among which a model chooses that cannot draw from that law itself; its own
                number if not given.
        """
        raise self._cannot(Capability.GIVEN)

    def log_prob(self, rows: Rows) -> Tensor:
        """Log-probability of the levels of each row, nats; `Capability.LOG_PROB`. **Shape**: (n,)."""
        raise self._cannot(Capability.LOG_PROB)

    def log_prob_given(self, rows: Rows, given: Given, aim: Tensor) -> Tensor:
        """Log-probability of some slots given the known ones, nats; `Capability.LOG_PROB_GIVEN`.

        **Shape**: `aim` (n, d) bool -> (n,).
        """
        raise self._cannot(Capability.LOG_PROB_GIVEN)

    def negative_log_prob(self, rows: Rows, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Minus the log-probability of each row, nats, and the part of each slot; `Capability.NEGATIVE_LOG_PROB`.

        The parts add up to the whole where the model is a chain; with latent codes the rest is what the code costs.

        **Shape**: (n,), (n, d).
        """
        raise self._cannot(Capability.NEGATIVE_LOG_PROB)

    @abstractmethod
    def tensors(self) -> dict[str, Tensor]:
        """Everything learned, by name."""

    @abstractmethod
    def load_tensors(self, tensors: dict[str, Tensor], device: torch.device) -> None:
        """Take back what `tensors` gave, to draw on `device`."""

    def config(self) -> dict[str, Any]:
        """Settings as plain data."""
        plain = self._config.plain() if isinstance(self._config, DPSGDConfig) else asdict(self._config)
        return dict(plain)

    def _cannot(self, capability: Capability) -> UnsupportedError:
        name = type(self).__name__
        return UnsupportedError(f"a model must be able to {capability.value}; however: `{name}` does not declare it")


class CountModel(RowModel):
    """A model that learns from tables of counts and never from rows; under a budget as it is.

    Attributes:
        rows: number of units as it was told; None before a fit.
    """

    capabilities: ClassVar[frozenset[Capability]] = frozenset({Capability.BUDGET})
    rows: float | None = None

    def fit(self, access: DataAccess, seed: int, callbacks: TrainingCallbacks | None = None) -> TrainingLog:
        """Learn from counts of the coarse slots."""
        outcomes = access.encoder.outcomes
        return self.fit_counts(access.counts(), seed, callbacks, access.device, outcomes=outcomes)

    @abstractmethod
    def fit_counts(
        self,
        counting: Counting,
        seed: int,
        callbacks: TrainingCallbacks | None = None,
        device: torch.device | None = None,
        *,
        outcomes: Sequence[int] = (),
    ) -> TrainingLog:
        """Learn from counts of the coarse slots, in the order of the layout; spends all it is given.

        Args:
            counting: answers, until what may be spent is spent.
            seed: of everything random but noise.
            callbacks: who is told of each step.
            device: where to fit.
            outcomes: which of the counted slots are to be predicted.
        """


class NetworkModel(RowModel):
    """A model with a network that is trained step by step on batches of rows.

    A subclass says how its network is built (`build`) and what it minimises (`loss`); settings that are left open are
    chosen by `resolved`.
    """

    Config: ClassVar[type[DPSGDConfig]]

    def __init__(self, layout: Layout, config: Any = None) -> None:
        super().__init__(layout, config)
        with seeded(0, torch.device("cpu")):
            self._network = self.build().eval()

    @abstractmethod
    def build(self) -> nn.Module:
        """The network that layout and settings mean, untrained; settings still open have some value."""

    def resolved(self, n: float) -> Any:
        """The settings with everything left open chosen for n rows."""
        del n
        return self._config

    def count(self, network: Any, rows: Rows) -> None:
        """What a network counts of all rows before it is trained: nothing, unless a model says so."""
        del network, rows

    def loss(self, network: Any, rows: Rows) -> Tensor:
        """Loss of each row, nats. **Shape**: Rows of B -> (B,)."""
        raise NotImplementedError

    def fit(self, access: DataAccess, seed: int, callbacks: TrainingCallbacks | None = None) -> TrainingLog:
        """Train on what comes through the loader."""
        return self.fit_batches(access.batches(), seed, callbacks)

    def fit_batches(self, loader: TrainingLoader, seed: int, callbacks: TrainingCallbacks | None = None) -> TrainingLog:
        """Train the network on batches.

        Args:
            loader: of the rows.
            seed: of initial weights; without a budget of batches and whatever a loss draws as well.
            callbacks: who is told.

        Raises:
            ConfigError: there is a budget and the settings are not for it, or the other way round.
        """
        self._suit(loader)
        with seeded(seed, loader.device):
            self._network = self.build().to(loader.device)
        if loader.rows is not None:
            self.count(self._network, loader.rows)
        curve = train(self._network, self.loss, loader, self._training_plan(), seed, callbacks)
        return TrainingLog(**asdict(curve))

    def _suit(self, loader: TrainingLoader) -> None:
        """Settings held against the loader, and those left open chosen for it."""
        private = self._config.private
        if private != (loader.planned_steps is not None):
            came = "those of a private training came without a budget" if private else "there is one, and they are not"
            name = type(self).__name__.lower()
            msg = f"settings of `{name}` must be private ones where there is a budget; however: {came}. "
            raise ConfigError(msg + "Change one of them")
        self._config = self.resolved(loader.n)

    def _training_plan(self) -> TrainingPlan:
        config = self._config
        return TrainingPlan(
            steps=config.steps or 1,
            batch_size=config.batch_size or 1,
            learning_rate=config.learning_rate or 0.0,
            weight_decay=config.weight_decay or 0.0,
            average=getattr(config, "average", TrainingPlan.average),
        )

    def tensors(self) -> dict[str, Tensor]:
        """Weights, without what follows from the layout."""
        return {k: v.detach().cpu().contiguous() for k, v in self._network.named_parameters()}

    def load_tensors(self, tensors: dict[str, Tensor], device: torch.device) -> None:
        """Take back what `tensors` gave, to draw on `device`."""
        self._network.load_state_dict(tensors, strict=False)
        self._network.to(device).eval()
