"""The honest baseline of linked tables: fan-outs and rows drawn alone, keys and rules right.

A timeline whose networks were never trained knows shares and nothing else: every slot has its marginal law.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from synthkit.encoding.coding import Coding
from synthkit.models.base import Capability, TrainingLog
from synthkit.models.timeline.config import TimelineConfig
from synthkit.models.timeline.model import Timeline
from synthkit.models.unit_layout import UnitLayout
from synthkit.training.callbacks import TrainingCallbacks

if TYPE_CHECKING:
    from synthkit.privacy.access.unit_access import UnitAccess


@dataclass(frozen=True, kw_only=True)
class UnitIndependentConfig:
    """Nothing to set."""


class UnitIndependent(Timeline):
    """Numbers of rows, types, gaps and values, each by itself.

    Args:
        layout: slots with their prior log-probabilities, which are all this model needs.
    """

    Config: ClassVar[type[UnitIndependentConfig]] = UnitIndependentConfig  # type: ignore[assignment]
    capabilities: ClassVar[frozenset[Capability]] = Timeline.capabilities - {Capability.BUDGET}
    root_coding: ClassVar[Coding] = Coding()
    copies: ClassVar[bool] = False

    def __init__(self, layout: UnitLayout, config: UnitIndependentConfig | None = None) -> None:
        del config
        super().__init__(
            layout, TimelineConfig(width=8, hidden=1, mixed=1, dropout=0.0, weight_decay=0.0, steps=1, classes=1)
        )

    @classmethod
    def classes(cls, config: object, units: float) -> int:
        """None."""
        del config, units
        return 1

    def fit(self, access: UnitAccess, seed: int, callbacks: TrainingCallbacks | None = None) -> TrainingLog:
        """Nothing is left to learn: the marginals came with the layout."""
        del access, seed, callbacks
        return TrainingLog(steps=0, best_step=0, seconds=0.0)

    def config(self) -> dict[str, object]:
        """Nothing."""
        return {}
