"""What the settings of models trained by noisy gradients share: a plan that is public before any row is met."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields
from typing import Any

from synthkit.encoding.layout import TrainingLoader
from synthkit.errors import ConfigError
from synthkit.privacy.dpsgd.dpsgd_plan import DPSGDPlan, PrivateTraining

RATE = 0.1  # share of the units that take part in a step, where nobody knows how many there are


@dataclass(frozen=True, kw_only=True)
class DPSGDConfig:
    """Settings that only a training under a privacy budget has; its other settings have defaults of their own there.

    Args:
        rate: probability of a unit to take part in a step; if not given `batch_size` over the public number of units,
            or 0.1 where none is public.
        clip: norm that the gradient of each unit is clipped to.
        copies: random orders of a row, or other looks at it, averaged before clipping.
    """

    rate: float | None = None
    clip: float = 1.0
    copies: int = 1


def descent(config: DPSGDConfig, public: float | None) -> DPSGDPlan:
    """The plan that settings mean.

    Args:
        config: settings, with `batch_size` and `steps`.
        public: number of units, if it is declared. One told with noise must not be given: rates and steps of a plan
            are fixed before anything is drawn.

    Raises:
        ConfigError: a setting is out of its range.
    """
    size, steps = getattr(config, "batch_size", None), getattr(config, "steps", None)
    rate = config.rate
    if rate is None:
        rate = RATE if public is None or size is None else min(1.0, size / max(public, 1.0))
    return DPSGDPlan(rate=rate, steps=steps or 1, clip=config.clip, copies=config.copies)


def agree(model: str, config: object, training: TrainingLoader | PrivateTraining) -> None:
    """Refuse settings without a budget behind a private door, and the other way round.

    Raises:
        ConfigError: they do not belong together.
    """
    private, noisy = isinstance(config, DPSGDConfig), isinstance(training, PrivateTraining)
    if private != noisy:
        came = "those of a private training came without a budget" if private else "there is one, and they are not"
        msg = f"settings of `{model}` must be private ones where there is a budget; however: {came}. Change one of them"
        raise ConfigError(msg)


def record_of(kind: Any, names: Iterable[str]) -> type[Any]:
    """The record that settings of these names belong to: the private one if only it knows all of them.

    Args:
        kind: the model.
        names: of the settings.
    """
    plain: type[Any] = kind.Config
    private: type[Any] | None = getattr(kind, "Private", None)
    strange = set(names) - {field.name for field in fields(plain)}
    if private is not None and strange and strange <= {field.name for field in fields(private)}:
        return private
    return plain
