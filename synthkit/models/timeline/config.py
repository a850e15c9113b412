"""Settings of the timeline model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from synthkit.privacy.access.unit_budget import TRAINED_ROOT_SHARE
from synthkit.privacy.dpsgd.dpsgd_config import DPSGDConfig
from synthkit.training.layers.masked_network import Sizes

SMALL_STEPS = 100_000  # rows below which tables are small
FEW_ROWS, FEW_AT_ONCE, MANY_AT_ONCE = 30_000, 512, 1536  # rows below which steps are of few, and rows a step


@dataclass(frozen=True, kw_only=True)
class TimelineConfig(DPSGDConfig):
    """Settings of the timeline model.

    Under a budget other defaults hold: a small network, large batches of units, nothing dropped or decayed, for noise
    regularises. Further arguments as of `DPSGDConfig`.

    Args:
        width: H, length of value vectors.
        hidden: M, gated units a slot.
        mixed: gated units of what sums up the history.
        dropout: share of gated units dropped while training; chosen from the number of rows if not given.
        input_dropout: share of known values hidden from a row while training.
        swap_noise: share of rows that are trained with what happened before another row; chosen from the number of rows
            if not given.
        canonical: share of rows whose values are trained in the table's own order, the rest in a random one.
        learning_rate: peak rate.
        weight_decay: decoupled decay, in units of the rate; chosen from the number of rows if not given.
        batch_rows: rows a step, about; batches are of whole units. Chosen from the number of rows if not given.
        steps: optimizer steps; chosen from the number of rows if not given.
        pairs: whether the law of each column of a row given one other is counted and added to what is learned; chosen
            from the number of rows if not given.
        window: rows of a unit that are learned from in one step; what came before them is known exactly.
        classes: latent classes of units, drawn with the root; chosen from the number of units if not given, 1 for none.
        root_steps: optimizer steps of the root; chosen from the number of units if not given.
        batch_units: under a budget, units a step, where their number is public; else `sampling_rate` says.
        root_share: under a budget, share of what the coding of the tables leaves, that counts the units' own rows.
    """

    PRIVATE_ONLY: ClassVar[tuple[str, ...]] = (*DPSGDConfig.PRIVATE_ONLY, "batch_units", "root_share")
    PRIVATE_DEFAULTS: ClassVar[Mapping[str, Any]] = {
        "width": 32,
        "hidden": 16,
        "mixed": 32,
        "dropout": 0.0,
        "input_dropout": 0.0,
        "swap_noise": 0.0,
        "learning_rate": 1e-2,
        "weight_decay": 0.0,
        "pairs": False,
        "classes": 1,
        "steps": 300,
        "batch_units": 2048,
        "root_share": TRAINED_ROOT_SHARE,
        "clip_norm": 1.0,
        "augmentation_multiplicity": 1,
    }

    width: int = 128
    hidden: int = 64
    mixed: int = 192
    dropout: float | None = None
    input_dropout: float = 0.1
    swap_noise: float | None = None
    canonical: float = 0.75
    learning_rate: float = 3e-3
    weight_decay: float | None = None
    batch_rows: int | None = None
    steps: int | None = None
    pairs: bool | None = None
    window: int = 1024
    classes: int | None = None
    root_steps: int | None = None
    batch_units: int | None = None
    root_share: float | None = None

    def __post_init__(self) -> None:
        shares = {"input_dropout": self.input_dropout, "canonical": self.canonical}
        shares |= {"dropout": self.dropout or 0.0, "swap_noise": self.swap_noise or 0.0}
        wrong = [f"{name} {x:g} (from 0 to 1)" for name, x in shares.items() if not 0 <= x <= 1]
        counts = ("width", "hidden", "mixed", "batch_rows", "steps", "window", "classes", "root_steps", "batch_units")
        found = {k: getattr(self, k) for k in counts if getattr(self, k) is not None}
        wrong += [f"{name} {x} (at least 1)" for name, x in found.items() if x < 1]
        wrong += self._not_of_a_budget() if self.private else []
        if self.learning_rate <= 0:
            wrong.append(f"learning_rate {self.learning_rate:g} (above 0)")
        if wrong:
            msg = f"settings must lie in their ranges; however: {', '.join(wrong)}"
            raise ValueError(msg)

    def _not_of_a_budget(self) -> list[str]:
        """What would let rows of one unit bear on another, or is not made under a budget."""
        share, copies = self.root_share, self.augmentation_multiplicity or 1
        wrong = [f"root_share {share:g} (above 0 and below 1)"] if share is not None and not 0 < share < 1 else []
        wrong += ["pairs (False under a budget)"] if self.pairs else []
        wrong += [f"swap_noise {self.swap_noise:g} (0 under a budget)"] if self.swap_noise else []
        return wrong + ([f"augmentation_multiplicity {copies} (1)"] if copies != 1 else [])

    @property
    def batch_size(self) -> int | None:
        """Units a step under a budget, where their number is public."""
        return self.batch_units

    @property
    def sizes(self) -> Sizes:
        """Those of the networks of a row."""
        return Sizes(
            width=self.width,
            hidden=self.hidden,
            blocks=1,
            dropout=self.dropout or 0.0,
            input_dropout=self.input_dropout,
        )

    def settled(self, rows: float) -> TimelineConfig:
        """The settings with everything left open chosen for so many rows below the units."""
        small = rows < SMALL_STEPS
        batch = self.batch_rows or (FEW_AT_ONCE if rows < FEW_ROWS else MANY_AT_ONCE)
        steps = int(min(max(default_epochs(rows) * rows / batch, 200), 6000))
        return replace(
            self,
            dropout=(0.3 if small else 0.1) if self.dropout is None else self.dropout,
            weight_decay=(5.0 if small else 2.0) if self.weight_decay is None else self.weight_decay,
            batch_rows=batch,
            swap_noise=default_swap_noise(rows) if self.swap_noise is None else self.swap_noise,
            pairs=rows < FEW_ROWS if self.pairs is None else self.pairs,
            steps=steps if self.steps is None else self.steps,
        )


def default_epochs(rows: float) -> float:
    """How often each row is learned from: more than 14 times of fewer than 25,000 rows, 5 times of a million."""
    few, many = (14 * (at / max(rows, 1)) ** 0.5 for at in (25_000, 110_000))
    return float(min(max(few, min(many, 14.0), 5.0), 60.0))


def default_swap_noise(rows: float) -> float:
    """Share of rows trained with another's history: the fewer rows, the more a unit is learned by its history."""
    return 0.4 if rows < FEW_ROWS else 0.1 if rows < SMALL_STEPS else 0.0


def default_classes(units: float) -> int:
    """Latent classes for so many units: one for every 60, 32 at most; none for fewer than 240."""
    return 1 if units < 240 else int(min(units // 60, 32))
