"""Settings of a model that only a DP-SGD training has."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

from synthkit.privacy.dpsgd.dpsgd_plan import DPSGDPlan

SAMPLING_RATE = 0.1  # share of the units that take part in a step, where nobody knows how many there are


@dataclass(frozen=True, kw_only=True)
class DPSGDConfig:
    """Settings that a training has only under a privacy budget; None where there is none.

    Args:
        sampling_rate: probability of a unit to take part in a step; if not given `batch_size` over the public number
            of units, or 0.1 where none is public.
        clip_norm: norm that the gradient of each unit is clipped to.
        augmentation_multiplicity: random orders of a row, or other looks at it, averaged before clipping.
    """

    PRIVATE_ONLY: ClassVar[tuple[str, ...]] = ("sampling_rate", "clip_norm", "augmentation_multiplicity")
    PRIVATE_DEFAULTS: ClassVar[Mapping[str, Any]] = {}

    sampling_rate: float | None = None
    clip_norm: float | None = None
    augmentation_multiplicity: int | None = None

    @property
    def private(self) -> bool:
        """Whether these are settings of a training under a budget."""
        return any(getattr(self, name) is not None for name in self.PRIVATE_ONLY)

    def dpsgd_plan(self, public_units: float | None) -> DPSGDPlan:
        """The plan that settings with `batch_size` and `steps` mean.

        Args:
            public_units: number of units, if it is declared. One told with noise must not be given: rates and steps of
                a plan are fixed before anything is drawn.

        Raises:
            ConfigError: a setting is out of its range.
        """
        size, steps = getattr(self, "batch_size", None), getattr(self, "steps", None)
        rate = self.sampling_rate
        if rate is None and public_units is not None and size is not None:
            rate = min(1.0, size / max(public_units, 1.0))
        return DPSGDPlan(
            sampling_rate=SAMPLING_RATE if rate is None else rate,
            steps=steps or 1,
            clip_norm=1.0 if self.clip_norm is None else self.clip_norm,
            augmentation_multiplicity=self.augmentation_multiplicity or 1,
        )

    def plain(self) -> dict[str, Any]:
        """Settings as plain data; without a budget none of those that only a private training has."""
        every = asdict(self)
        return every if self.private else {k: v for k, v in every.items() if k not in self.PRIVATE_ONLY}
