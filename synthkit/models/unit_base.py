"""What a model of units is: it learns linked tables through one access, draws what is below a root, tells how odd."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from synthkit.encoding.coding import Coding
from synthkit.errors import UnsupportedError
from synthkit.models.base import Capability, RowModel, TrainingLog
from synthkit.privacy.access.unit_access import UnitFitPlan
from synthkit.privacy.dpsgd.dpsgd_config import DPSGDConfig
from synthkit.training.callbacks import TrainingCallbacks

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from synthkit.encoding.layout import Given, Rows
    from synthkit.encoding.units.begun_units import BegunUnits
    from synthkit.encoding.units.drawn_units import DrawnUnits
    from synthkit.encoding.units.root_facts import RootFacts
    from synthkit.encoding.units.sequences import Sequences
    from synthkit.encoding.units.unit_encoder import UnitEncoder
    from synthkit.models.unit_layout import UnitLayout
    from synthkit.privacy.access.unit_access import UnitAccess


class UnitModel(ABC):
    """A generative model of units: a row model for the unit itself, and a law of everything below it.

    Args:
        layout: slots of the unit, of events and of rows.
        config: settings, a frozen record of the class `Config`.

    Attributes:
        rows: number of units as it was told; None before a fit, and of a model to which nothing is told.
    """

    rows: float | None = None
    Config: ClassVar[type[Any]]
    capabilities: ClassVar[frozenset[Capability]] = frozenset()
    coding: ClassVar[Coding] = Coding()
    root_coding: ClassVar[Coding] = Coding()
    copies: ClassVar[bool] = True  # whether values that rows repeat are coded as pointing at them

    def __init__(self, layout: UnitLayout, config: Any = None) -> None:
        self.layout = layout
        self._config = self.Config() if config is None else config

    @property
    @abstractmethod
    def root(self) -> RowModel:
        """The model of the units' own rows."""

    @classmethod
    def can(cls, capability: Capability) -> bool:
        """Whether a capability is declared."""
        return capability in cls.capabilities

    @classmethod
    def classes(cls, config: Any, units: float) -> int:
        """Latent classes of units that the settings ask for, 1 for none."""
        del config, units
        return 1

    @classmethod
    def fit_plan(cls, config: Any, units: float | None, *, private: bool) -> UnitFitPlan:
        """What a fit is going to ask.

        Args:
            config: settings.
            units: how many there are; None under a budget.
            private: whether there is one.
        """
        del private
        classes = 1 if units is None else cls.classes(config, units)
        share = getattr(config, "root_share", None)
        return UnitFitPlan(
            coding=cls.coding, root=cls.root_coding, classes=classes, copies=cls.copies, root_share=share
        )

    @classmethod
    def check(cls, encoder: UnitEncoder) -> None:
        """Refuse what the model cannot keep, before anything is learned; nothing by default."""
        del encoder

    @abstractmethod
    def fit(self, access: UnitAccess, seed: int, callbacks: TrainingCallbacks | None = None) -> TrainingLog:
        """Learn through an access to real units whose encoder is fitted."""

    @abstractmethod
    def sample(
        self,
        encoder: UnitEncoder,
        facts: RootFacts,
        generator: torch.Generator,
        begun: BegunUnits | None = None,
        told: Callable[[int, int], None] | None = None,
    ) -> DrawnUnits:
        """Draw everything below units that are drawn already.

        Args:
            encoder: the coding.
            facts: what is known of the units themselves.
            generator: of the draws.
            begun: beginnings that are to be continued.
            told: called with how many of the rows right below the units are drawn, and how many there are.
        """

    def complete(
        self, table: str, sequences: Sequences, steps: NDArray[np.int64], given: Given, generator: torch.Generator
    ) -> Rows:
        """Complete some rows of a table given their events and all that came before; `Capability.GIVEN`.

        Args:
            table: its name.
            sequences: the units.
            steps: steps of the rows. **Shape**: (n,).
            given: what is known of the rows, copy slots included. **Shape**: Given of n.
            generator: of the draws.

        Raises:
            UnsupportedError: the model does not declare it.
        """
        raise self._cannot(Capability.GIVEN)

    def log_prob(self, sequences: Sequences) -> NDArray[np.float64]:
        """Log-probability of each unit, nats; `Capability.LOG_PROB`. **Shape**: (units,).

        Raises:
            UnsupportedError: the model does not declare it.
        """
        raise self._cannot(Capability.LOG_PROB)

    def row_log_prob(self, sequences: Sequences) -> NDArray[np.float64]:
        """Log-probability of each row given all before it in its unit, nats; `Capability.LOG_PROB`.

        **Shape**: (steps,).

        Raises:
            UnsupportedError: the model does not declare it.
        """
        raise self._cannot(Capability.LOG_PROB)

    @abstractmethod
    def tensors(self) -> dict[str, Tensor]:
        """Everything learned, by name."""

    @abstractmethod
    def load_tensors(self, tensors: dict[str, Tensor], device: torch.device) -> None:
        """Take back what `tensors` gave, to draw on `device`."""

    def config(self) -> dict[str, Any]:
        """Settings as plain data."""
        return dict(self._config.plain() if isinstance(self._config, DPSGDConfig) else asdict(self._config))

    def _cannot(self, capability: Capability) -> UnsupportedError:
        name = type(self).__name__
        return UnsupportedError(f"a model must be able to {capability.value}; however: `{name}` does not declare it")
