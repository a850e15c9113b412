"""Settings of the joint diffusion model, without a privacy budget and under one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from synthkit.privacy.dpsgd.dpsgd_config import DPSGDConfig

DIFFUSION_SMALL_ROWS = 5_000  # rows below which a table is small


@dataclass(frozen=True, kw_only=True)
class DiffusionConfig(DPSGDConfig):
    """Settings of the diffusion model; the defaults were measured, see docs/models.md.

    Under a budget other defaults hold: a small network, large batches, several times and masks of a row at once. Noise
    regularises, so that nothing is dropped or decayed. Further arguments as of `DPSGDConfig`.

    Args:
        width: H, length of the state; 256, or 128 below 5,000 rows, if not given.
        hidden: M, gated units a block; as `width`.
        blocks: L, gated blocks; 3, or 2 below 5,000 rows, if not given.
        dropout: share of gated units dropped while training; 0.1, or 0.2 below 5,000 rows, if not given.
        hints: share of rows of which a random part is told without noise or mask while training; what is given is
            told so later, so above 0.
        numeric: weight of the loss of a score beside that of a name.
        entropy: power of a name's entropy that its loss is divided by, from 0 to 1.
        learning_rate: peak rate; 2e-3, or 4e-3 below 5,000 rows, if not given.
        weight_decay: decoupled decay, in units of the rate.
        average: largest decay of the average of the weights.
        batch_size: rows a step; 1,024, or 256 below 5,000 rows, if not given.
        steps: optimizer steps; chosen from the number of rows if not given.
        draws: steps of the way back; if not given one for each name and two for each score, at least 32, at most 64.
        heun: whether a step asks the network twice about the scores.
        churn: share of its time by which a row is made noisier, and masked again, before each step of the way back.
    """

    PRIVATE_DEFAULTS: ClassVar[Mapping[str, Any]] = {
        "width": 64,
        "hidden": 64,
        "blocks": 2,
        "dropout": 0.0,
        "learning_rate": 1e-2,
        "weight_decay": 0.0,
        "average": 0.995,
        "batch_size": 2048,
        "steps": 500,
        "clip_norm": 0.3,
        "augmentation_multiplicity": 2,
    }

    width: int | None = None
    hidden: int | None = None
    blocks: int | None = None
    dropout: float | None = None
    hints: float = 0.25
    numeric: float = 1.0
    entropy: float = 0.0
    learning_rate: float | None = None
    weight_decay: float = 1.0
    average: float = 0.999
    batch_size: int | None = None
    steps: int | None = None
    draws: int | None = None
    heun: bool = False
    churn: float = 0.0

    def __post_init__(self) -> None:
        shares = {name: getattr(self, name) for name in ("dropout", "hints", "entropy", "average", "churn")}
        wrong = [f"{name} {x:g} (from 0 to 1)" for name, x in shares.items() if x is not None and not 0 <= x <= 1]
        wrong += ["hints 0 (above 0)"] if self.hints == 0 else []
        counts = {k: getattr(self, k) for k in ("width", "hidden", "batch_size", "steps", "draws")}
        wrong += [f"{name} {x} (at least 1)" for name, x in counts.items() if x is not None and x < 1]
        rates = {k: getattr(self, k) for k in ("learning_rate", "weight_decay", "numeric", "blocks")}
        wrong += [f"{name} {x:g} (not negative)" for name, x in rates.items() if x is not None and x < 0]
        wrong += [f"draws {self.draws} (at most 10,000)"] if (self.draws or 0) > 10_000 else []
        if wrong:
            msg = f"settings must lie in their ranges; however: {', '.join(wrong)}"
            raise ValueError(msg)

    def settled(self, n: float) -> DiffusionConfig:
        """The settings with everything left open chosen for n rows: small tables need a smaller network."""
        small = n < DIFFUSION_SMALL_ROWS
        width = (128 if small else 256) if self.width is None else self.width
        size = (256 if small else 1024) if self.batch_size is None else self.batch_size
        return replace(
            self,
            width=width,
            hidden=width if self.hidden is None else self.hidden,
            blocks=(2 if small else 3) if self.blocks is None else self.blocks,
            dropout=(0.2 if small else 0.1) if self.dropout is None else self.dropout,
            learning_rate=(4e-3 if small else 2e-3) if self.learning_rate is None else self.learning_rate,
            batch_size=size,
            steps=default_steps(n, size) if self.steps is None else self.steps,
        )


def default_steps(n: float, batch_size: int) -> int:
    """4,000 steps; below 5,000 rows sixty epochs, at least 1,500 and at most 4,000. Early stopping may end it."""
    return int(min(max(60 * n / batch_size, 1500), 4000)) if n < DIFFUSION_SMALL_ROWS else 4000
