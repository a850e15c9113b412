"""Settings of the autoregressive model, without a privacy budget and under one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from synthkit.privacy.dpsgd.dpsgd_config import DPSGDConfig
from synthkit.training.layers.masked_network import Sizes

AUTOREGRESSIVE_SMALL_ROWS = 20_000  # rows below which a table is small
WIDE_SLOTS = 256  # slots from which on a table is wide: each row tells more, and fewer rows at once do
SLOW_ROWS = 10_000  # rows below which the rate is slower still
COUNTED_SLOTS = 128  # slots up to which each pair of columns is counted
MANY_LEVELS = 1_000  # levels without an order from which on a table has many: codes of diagnoses, drugs, places


@dataclass(frozen=True, kw_only=True)
class AutoregressiveConfig(DPSGDConfig):
    """Settings of the autoregressive model; the defaults were measured, see docs/models.md.

    Under a budget other defaults hold: a small network, large batches, several orders of a row at once. Noise
    regularises, so that nothing is dropped or decayed. Further arguments as of `DPSGDConfig`.

    Args:
        width: H, length of value vectors; at most 65,536 / slots, but 32.
        hidden: M, gated units a slot and block; at most half of H where that is less than asked for.
        blocks: L, gated blocks.
        dropout: share of gated units dropped while training; 0.2, or 0.4 below 20,000 rows, if not given.
        input_dropout: share of known values hidden from a row while training.
        canonical: share of rows trained in the table's own order, the rest in a random one; 0.75, or 0.8 below 20,000
            rows, if not given.
        learning_rate: peak rate; 0.006, or 0.004 below 20,000 rows and where levels are many, or 0.002 below 10,000
            rows, if not given.
        weight_decay: decoupled decay, in units of the rate; 3, or 10 below 20,000 rows, if not given.
        batch_size: rows a step; at most 2^25 / slots^2, but 32: the orders of a step hold slots^2 numbers a row.
        pairs: whether the law of each column given one other is counted and added to what is learned; below 20,000
            rows and up to 128 slots, if not given.
        scores: whether numbers are told and drawn by their normal scores too; below 20,000 rows, if not given.
        steps: optimizer steps; chosen from the numbers of rows and of levels if not given.
    """

    PRIVATE_DEFAULTS: ClassVar[Mapping[str, Any]] = {
        "width": 32,
        "hidden": 16,
        "dropout": 0.0,
        "input_dropout": 0.0,
        "canonical": 0.75,
        "learning_rate": 1e-2,
        "weight_decay": 0.0,
        "batch_size": 2048,
        "pairs": False,
        "scores": False,
        "steps": 500,
        "clip_norm": 0.3,
        "augmentation_multiplicity": 2,
    }

    width: int = 128
    hidden: int = 64
    blocks: int = 1
    dropout: float | None = None
    input_dropout: float = 0.1
    canonical: float | None = None
    learning_rate: float | None = None
    weight_decay: float | None = None
    batch_size: int = 512
    pairs: bool | None = None
    scores: bool | None = None
    steps: int | None = None

    def __post_init__(self) -> None:
        shares = {"dropout": self.dropout, "input_dropout": self.input_dropout, "canonical": self.canonical}
        wrong = [f"{name} {x:g} (from 0 to 1)" for name, x in shares.items() if x is not None and not 0 <= x <= 1]
        counts = {
            k: getattr(self, k) for k in ("width", "hidden", "batch_size", "steps") if getattr(self, k) is not None
        }
        wrong += [f"{name} {x} (at least 1)" for name, x in counts.items() if x < 1]
        rates = {
            "learning_rate": self.learning_rate or 0.0,
            "weight_decay": self.weight_decay or 0.0,
            "blocks": self.blocks,
        }
        wrong += [f"{name} {x:g} (not negative)" for name, x in rates.items() if x < 0]
        counted = ("pairs", "scores")
        wrong += [f"{name} (False under a budget)" for name in counted if self.private and getattr(self, name)]
        if wrong:
            msg = f"settings must lie in their ranges; however: {', '.join(wrong)}"
            raise ValueError(msg)

    @property
    def sizes(self) -> Sizes:
        """Those of the network."""
        return Sizes(
            width=self.width,
            hidden=self.hidden,
            blocks=self.blocks,
            dropout=self.dropout or 0.0,
            input_dropout=self.input_dropout,
        )

    def narrowed(self, slots: int) -> AutoregressiveConfig:
        """The settings for so many slots: beyond 512 a narrower network, beyond 256 fewer rows at once.

        Memory grows with slots times width times hidden, and with rows times the square of slots. Under a budget they
        stay as they are: the batches of a training are part of its account.
        """
        if self.private:
            return self
        width = min(self.width, max(32, 2**16 // slots // 8 * 8))
        hidden = self.hidden if width == self.width else min(self.hidden, width // 2)
        return replace(self, width=width, hidden=hidden, batch_size=min(self.batch_size, max(32, 2**25 // slots**2)))

    def settled(self, n: float, levels: int = 0, slots: int = 0) -> AutoregressiveConfig:
        """The settings with everything left open chosen for n rows, levels without an order, and slots.

        Small tables need a firmer hand, many levels a longer one, and many slots a shorter one.
        """
        small = n < AUTOREGRESSIVE_SMALL_ROWS
        return replace(
            self,
            dropout=(0.4 if small else 0.2) if self.dropout is None else self.dropout,
            weight_decay=(10.0 if small else 3.0) if self.weight_decay is None else self.weight_decay,
            learning_rate=default_rate(n, levels) if self.learning_rate is None else self.learning_rate,
            canonical=(0.8 if small else 0.75) if self.canonical is None else self.canonical,
            pairs=small and slots <= COUNTED_SLOTS if self.pairs is None else self.pairs,
            scores=small if self.scores is None else self.scores,
            steps=default_steps(n, self.batch_size, levels, slots) if self.steps is None else self.steps,
        )


def default_rate(n: float, levels: int = 0) -> float:
    """Peak rate: slower where rows are few or levels many, so that what hangs together is learned before the rest."""
    if n < SLOW_ROWS:
        return 2e-3
    return 4e-3 if n < AUTOREGRESSIVE_SMALL_ROWS or levels >= MANY_LEVELS else 6e-3


def default_steps(n: float, batch_size: int, levels: int = 0, slots: int = 0) -> int:
    """Fourteen epochs, 35 where levels are many and 24 of a small table; 300 to 2,000 steps, or 4,500 where they are.

    A small table may have 150. A wide table needs fewer epochs, and fewer steps at least, by the share of 256 slots in
    its own. Early stopping may end it sooner.
    """
    many, wide = levels >= MANY_LEVELS, min(1.0, WIDE_SLOTS / max(slots, 1))
    small = n < AUTOREGRESSIVE_SMALL_ROWS
    epochs = wide * (24 if small else 35 if many else 14)
    return int(min(max(epochs * n / batch_size, (150 if small else 300) * wide), 4500 if many else 2000))
