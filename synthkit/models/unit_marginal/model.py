"""Mixtures of products for linked tables: the model for small budgets, fitted to counts and never to rows.

The unit's own row, how many rows it owns among its columns, is a mixture of products. What happens next, and the row of
each table, are mixtures whose columns are the step's own beside coarse copies of what it stands beside: the unit, the
open owner, the row before, the last row of the series, the event before. All tables of counts of steps are told
together, what a unit brings to them clipped as one vector. Rows are drawn one after the other, as by `timeline`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

import numpy as np
import torch
from torch import Tensor

from synthkit.encoding.coding import Coding
from synthkit.encoding.units.root_facts import RootFacts
from synthkit.encoding.units.step_contexts import EVENTS, OWNER, FlatSteps, StepContexts
from synthkit.models.base import Capability, RowModel, TrainingLog
from synthkit.models.marginal.adaptive_measurement import KnownSlots, MeasuredMixture, adaptive_course, in_step
from synthkit.models.marginal.budget_schedule import Rounds
from synthkit.models.marginal.config import MarginalConfig
from synthkit.models.marginal.model import Marginal
from synthkit.models.product_mixture import ProductMixture
from synthkit.models.timeline.once_masks import once_masks
from synthkit.models.timeline.unit_sampler import draw_below
from synthkit.models.unit_base import UnitModel
from synthkit.models.unit_layout import UnitLayout
from synthkit.models.unit_marginal.config import UnitMarginalConfig
from synthkit.models.unit_marginal.mixture_laws import FlatMixture, MixtureLaws
from synthkit.models.unit_marginal.tilt_fitting import first_tilts, settle_tilts
from synthkit.schema.derived import rows_keeping_rules
from synthkit.training.callbacks import TrainingCallbacks

if TYPE_CHECKING:
    from synthkit.encoding.slot_counts import MeasuredCounts, Scope
    from synthkit.encoding.units.begun_units import BegunUnits
    from synthkit.encoding.units.drawn_units import DrawnUnits
    from synthkit.encoding.units.unit_encoder import UnitEncoder
    from synthkit.privacy.access.unit_access import UnitAccess

BELOW_MIXTURE, ROOT_MIXTURE = "below.", "root."  # how names of tensors begin
UNITS_DRAWN = 2000  # at most, to set tilts right


class UnitMarginal(UnitModel):
    """Mixtures of products of units, of what happens next and of rows.

    What is known of units can be given, and is continued; cells inside rows are not filled, and no probability is told.

    Args:
        layout: slots of the unit, of events and of rows.
        config: settings.
    """

    Config: ClassVar[type[UnitMarginalConfig]] = UnitMarginalConfig
    capabilities: ClassVar[frozenset[Capability]] = frozenset({Capability.BUDGET})
    coding: ClassVar[Coding] = Marginal.coding
    root_coding: ClassVar[Coding] = Marginal.coding
    _config: UnitMarginalConfig

    def __init__(self, layout: UnitLayout, config: UnitMarginalConfig | None = None) -> None:
        super().__init__(layout, config)
        self._contexts = StepContexts(layout=layout)
        own = {name: getattr(self._config, name) for name in MarginalConfig.__dataclass_fields__}
        self._root = Marginal(layout.root, MarginalConfig(**own))
        self._flat = {EVENTS: self._contexts.events(), **{n: self._contexts.rows(n) for n in layout.tables}}
        self._mixtures = {
            n: ProductMixture(flat.mixed_sizes, self._config.components) for n, flat in self._flat.items()
        }
        self._tilts = {
            n: [torch.zeros(each.size, flat.own[j]) for j, each in flat.memories] for n, flat in self._flat.items()
        }

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
        if not self.layout.tables:
            return log
        counting = access.below(self._contexts)
        callbacks.begin("rows")
        courses = []
        for k, (name, each) in enumerate(counting.parts.items()):
            flat = self._flat[name]
            plan = Rounds.of(flat.mixed_sizes, each.rho, self._config.split(), told_pairs(flat, first=name == EVENTS))
            generator = torch.Generator().manual_seed(seed + k + 1)
            course = self._config.course()
            known = self._known(flat)
            courses.append(adaptive_course(each, plan, course, generator, access.device, callbacks.on_step, known))
        found = dict(zip(counting.parts, in_step(courses, counting.measure), strict=True))
        for name, told in found.items():
            _take(self._mixtures[name], told)
            self._tilts[name] = first_tilts(told.remembered)
        self._settle(access.encoder, {name: told.remembered for name, told in found.items()}, seed)
        steps = log.steps + sum(len(each.losses) for each in found.values())
        return replace(log, steps=steps, seconds=time.monotonic() - since)

    def _settle(self, encoder: UnitEncoder, told: Mapping[str, Sequence[MeasuredCounts]], seed: int) -> None:
        """Set the tilts right by drawing units; the counts that were told are all that is looked at."""
        laws, generator = self._laws(), torch.Generator().manual_seed(seed)
        many = int(min(max(self.rows or 1.0, 1.0), UNITS_DRAWN))

        def draw() -> None:
            rows = self._root.sample(many, generator)
            frame = encoder.root.decode(rows, np.random.default_rng(seed))
            good = rows_keeping_rules(frame[list(encoder.root.schema.described)], encoder.root.schema)
            draw_below(encoder, laws, RootFacts.of(encoder, frame[good].reset_index(drop=True)), generator)

        settle_tilts([laws.events, *laws.rows], [told[name] for name in self._flat], draw)

    def _known(self, flat: FlatSteps) -> KnownSlots:
        """Contexts that come from one source each, and what came before."""
        sources = (OWNER + name for name in self._contexts.owning)
        absent = tuple(slots for source in sources if (slots := flat.of_source(source)))
        return KnownSlots(own=len(flat.own), absent=absent, remembered=flat.remembered)

    def _laws(self) -> MixtureLaws:
        flat = {n: FlatMixture(f, self._mixtures[n], self._tilts[n]) for n, f in self._flat.items()}
        return MixtureLaws(self._contexts, self.layout.payloads, flat.pop(EVENTS), list(flat.values()))

    def sample(
        self,
        encoder: UnitEncoder,
        facts: RootFacts,
        generator: torch.Generator,
        begun: BegunUnits | None = None,
        told: Callable[[int, int], None] | None = None,
    ) -> DrawnUnits:
        """Draw everything below units that are drawn already. **Shape**: (units, d) -> rows of every table."""
        return draw_below(encoder, self._laws(), facts, generator, begun, told)

    def tensors(self) -> dict[str, Tensor]:
        """Log-laws and log-shares of all mixtures, and tilts."""
        out = {ROOT_MIXTURE + k: v for k, v in self._root.tensors().items()}
        for name, mixture in self._mixtures.items():
            out |= {f"{BELOW_MIXTURE}{name}.{k}": v.detach().cpu() for k, v in mixture.named_parameters()}
            out |= {f"{BELOW_MIXTURE}{name}.tilt.{k}": tilt for k, tilt in enumerate(self._tilts[name])}
        return {name: each.contiguous() for name, each in out.items()}

    def load_tensors(self, tensors: dict[str, Tensor], device: torch.device) -> None:
        """Take back what `tensors` gave, to draw on `device`."""
        own = {k.removeprefix(ROOT_MIXTURE): v for k, v in tensors.items() if k.startswith(ROOT_MIXTURE)}
        self._root.load_tensors(own, device)
        with torch.no_grad():
            for name, mixture in self._mixtures.items():
                for part, parameter in mixture.named_parameters():
                    parameter.copy_(tensors[f"{BELOW_MIXTURE}{name}.{part}"])
                mixture.to(device)
                tilts = self._tilts[name]
                self._tilts[name] = [tensors[f"{BELOW_MIXTURE}{name}.tilt.{k}"].clone() for k in range(len(tilts))]


def told_pairs(flat: FlatSteps, *, first: bool) -> tuple[Scope, ...]:
    """Own slots with what came before them, and what happens with its gap: told without being chosen.

    Args:
        flat: columns of a flat table.
        first: whether it is that of events.
    """
    return (*(((0, 1),) if first else ()), *flat.remembered)


@torch.no_grad()
def _take(mixture: ProductMixture, told: MeasuredMixture) -> None:
    """The fitted laws and shares; biases are part of them."""
    mixture.logits.copy_(told.logits)
    mixture.weights.copy_(told.weights)
    mixture.bias.zero_()
