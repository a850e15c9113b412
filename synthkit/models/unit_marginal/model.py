"""Mixtures of products for linked tables: the model for small budgets, fitted to counts and never to rows.

The unit's own row, how many rows it owns among its columns, is a mixture of products. What happens next, and the row of
each table, are mixtures whose columns are the step's own beside coarse copies of what it stands beside: the unit, the
open owner, the row before, the last row of the series, the event before. All tables of counts of steps are told
together, what a unit brings to them clipped as one vector. Rows are drawn one after the other, as by `timeline`.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from synthkit.encoding.coding import Coding
from synthkit.encoding.units.step_contexts import BEFORE, TWIN, FlatSteps, StepContexts
from synthkit.errors import UnsupportedError
from synthkit.models.base import Capability, RowModel, TrainingLog
from synthkit.models.marginal.adaptive_measurement import MeasuredMixture, adaptive_course, in_step
from synthkit.models.marginal.budget_schedule import Rounds
from synthkit.models.marginal.config import MarginalConfig
from synthkit.models.marginal.model import Marginal
from synthkit.models.product_mixture import ProductMixture
from synthkit.models.timeline.once_masks import once_masks
from synthkit.models.timeline.unit_sampler import draw_below
from synthkit.models.unit_base import UnitModel
from synthkit.models.unit_layout import UnitLayout
from synthkit.models.unit_marginal.config import UnitMarginalConfig
from synthkit.models.unit_marginal.mixture_laws import MixtureLaws
from synthkit.training.callbacks import TrainingCallbacks

if TYPE_CHECKING:
    from synthkit.encoding.layout import Given, Rows
    from synthkit.encoding.slot_counts import Scope
    from synthkit.encoding.units.begun_units import BegunUnits
    from synthkit.encoding.units.drawn_units import DrawnUnits
    from synthkit.encoding.units.root_facts import RootFacts
    from synthkit.encoding.units.sequences import Sequences
    from synthkit.encoding.units.unit_encoder import UnitEncoder
    from synthkit.privacy.access.unit_access import UnitAccess

EVENT_MIXTURE, ROW_MIXTURE, ROOT_MIXTURE = "events.", "rows.", "root."  # how names of tensors begin
WEIGHED_AT_ONCE = 8192  # rows whose components are weighed at once


class UnitMarginal(UnitModel):
    """Mixtures of products of units, of what happens next and of rows; probabilities are of the laws before any mask.

    Args:
        layout: slots of the unit, of events and of rows.
        config: settings.

    Attributes:
        rows: number of units as it was told; None before a fit.
    """

    Config: ClassVar[type[UnitMarginalConfig]] = UnitMarginalConfig
    capabilities: ClassVar[frozenset[Capability]] = frozenset(Capability)
    coding: ClassVar[Coding] = Marginal.coding
    root_coding: ClassVar[Coding] = Marginal.coding
    _config: UnitMarginalConfig

    def __init__(self, layout: UnitLayout, config: UnitMarginalConfig | None = None) -> None:
        super().__init__(layout, config)
        self._contexts = StepContexts(layout=layout)
        own = {name: getattr(self._config, name) for name in MarginalConfig.__dataclass_fields__}
        self._root = Marginal(layout.root, MarginalConfig(**own))
        self._events = self._begun(self._contexts.events())
        self._rows = {name: self._begun(self._contexts.rows(name)) for name in layout.tables}
        self.rows: float | None = None

    def _begun(self, flat: FlatSteps) -> ProductMixture:
        return ProductMixture(flat.sizes, self._config.components)

    @property
    def root(self) -> RowModel:
        """The mixture of the units' own rows."""
        return self._root

    @classmethod
    def check(cls, encoder: UnitEncoder) -> None:
        """Refuse rows that happen once where they have too many combinations, or no levels.

        Raises:
            UnsupportedError: a table has such a rule, or such a key.
        """
        for name, coding in encoder.payloads.items():
            once_masks(encoder.learned[name], coding)

    def fit(self, access: UnitAccess, seed: int, callbacks: TrainingCallbacks | None = None) -> TrainingLog:
        """Count the units' own rows, then the steps of all tables together; fit a mixture to each."""
        since, callbacks = time.monotonic(), callbacks or TrainingCallbacks()
        callbacks.begin("units")
        log = self._root.fit_counts(access.root().counts(), seed, callbacks, access.device)
        self.rows = self._root.rows
        counting = access.below(self._contexts)
        callbacks.begin("rows")
        courses = []
        for k, (name, each) in enumerate(counting.parts.items()):
            flat = self._contexts.events() if k == 0 else self._contexts.rows(name)
            plan = Rounds.of(each.sizes, each.rho, self._config.split(), _pairs(flat, first=k == 0))
            generator = torch.Generator().manual_seed(seed + k + 1)
            course = self._config.course()
            courses.append(
                adaptive_course(each, plan, course, generator, access.device, callbacks.on_step, len(flat.own))
            )
        found = in_step(courses, counting.measure)
        for mixture, told in zip((self._events, *self._rows.values()), found, strict=True):
            _take(mixture, told)
        return replace(log, steps=log.steps + sum(len(each.losses) for each in found), seconds=time.monotonic() - since)

    def _laws(self) -> MixtureLaws:
        return MixtureLaws(self._contexts, self.layout.payloads, self._events, self._rows)

    def sample(
        self,
        encoder: UnitEncoder,
        facts: RootFacts,
        generator: torch.Generator,
        begun: BegunUnits | None = None,
    ) -> DrawnUnits:
        """Draw everything below units that are drawn already. **Shape**: (units, d) -> rows of every table."""
        return draw_below(encoder, self._laws(), facts, generator, begun)

    def complete(
        self, table: str, sequences: Sequences, steps: NDArray[np.int64], given: Given, generator: torch.Generator
    ) -> Rows:
        """Complete rows of a table given their events and all that came before.

        Raises:
            UnsupportedError: always, as yet.
        """
        del table, sequences, steps, given, generator
        msg = "cells of linked tables are filled by a model of rows; however: this one counts. Use timeline"
        raise UnsupportedError(msg)

    def log_prob(self, sequences: Sequences) -> NDArray[np.float64]:
        """Log-probability of each unit.

        Raises:
            UnsupportedError: always, as yet.
        """
        del sequences
        msg = "the probability of units is told by a model of rows; however: this one counts. Use timeline"
        raise UnsupportedError(msg)

    def row_log_prob(self, sequences: Sequences) -> NDArray[np.float64]:
        """Log-probability of each row.

        Raises:
            UnsupportedError: always, as yet.
        """
        return self.log_prob(sequences)

    def tensors(self) -> dict[str, Tensor]:
        """Log-laws and log-shares of all mixtures."""
        out = {ROOT_MIXTURE + k: v for k, v in self._root.tensors().items()}
        for prefix, mixture in self._mixtures().items():
            out |= {prefix + k: v.detach().cpu().contiguous() for k, v in mixture.named_parameters()}
        return out

    def load_tensors(self, tensors: dict[str, Tensor], device: torch.device) -> None:
        """Take back what `tensors` gave, to draw on `device`."""
        own = {k.removeprefix(ROOT_MIXTURE): v for k, v in tensors.items() if k.startswith(ROOT_MIXTURE)}
        self._root.load_tensors(own, device)
        with torch.no_grad():
            for prefix, mixture in self._mixtures().items():
                for name, parameter in mixture.named_parameters():
                    parameter.copy_(tensors[prefix + name])
                mixture.to(device)

    def _mixtures(self) -> Mapping[str, ProductMixture]:
        return {EVENT_MIXTURE: self._events, **{f"{ROW_MIXTURE}{n}.": each for n, each in self._rows.items()}}


def _pairs(flat: FlatSteps, *, first: bool) -> tuple[Scope, ...]:
    """Own slots with the same slot of what came before: what follows what is told without being chosen."""
    own = len(flat.own)
    if first:
        return ((0, 1), *((j, own + k) for j in range(own) for k in range(min(2, len(flat.contexts)))))
    return tuple(sorted({pair for source in (BEFORE, TWIN) for pair in flat.pairs(source)}))


@torch.no_grad()
def _take(mixture: ProductMixture, told: MeasuredMixture) -> None:
    """The fitted laws and shares; biases are part of them."""
    mixture.logits.copy_(told.logits)
    mixture.weights.copy_(told.weights)
    mixture.bias.zero_()
