"""Settings of the conditional GAN, without a privacy budget and under one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from synthkit.privacy.dpsgd.dpsgd_config import DPSGDConfig


@dataclass(frozen=True, kw_only=True)
class CTGANConfig(DPSGDConfig):
    """Settings of the conditional GAN; the defaults were measured, see docs/models.md.

    Under a budget other defaults hold: the discriminator's steps are noisy, the generator sees no real row. A gradient
    penalty has no gradient by row, packs mix rows, and a density ratio would be a second training: all three are left
    out. Further arguments as of `DPSGDConfig`.

    Args:
        noise: length of the noise vector.
        width: hidden units of the generator.
        blocks: residual blocks of the generator.
        critic_width: hidden units of the discriminator, and of the density ratio.
        critic_layers: hidden layers of the discriminator.
        critic_dropout: share of the discriminator's hidden units dropped while training.
        critic_steps: steps of the discriminator for each of the generator.
        modes: Gaussians through which the discriminator sees each number; 0 for none.
        pack: rows the discriminator judges together.
        loss: `logistic` or `wgan-gp`.
        penalty: weight of the gradient penalty.
        every: steps from one penalty to the next; it counts as much more.
        condition: share of rows trained under a condition; 1 in the paper. The others have none, and rows are drawn so.
        asking: weight of the cross-entropy by which a row misses its condition; 1 in the paper.
        balance: how far rare levels are trained as often as frequent ones; 1 is the paper's log-frequency law.
        learning_rate: peak rate of the generator.
        critic_rate: peak rate of the discriminator.
        odds_rate: peak rate of the density ratio.
        odds_share: share of the steps in which the density ratio is learned.
        batch_size: rows a step.
        odds_batch: rows a step of the density ratio.
        steps: optimizer steps of discriminator and density ratio; chosen from the number of rows if not given.
        average: largest decay of the average of the generator's weights.
        candidates: rows drawn for each one kept; 1 for no choice by density ratio.
        spectral: under a budget, largest singular value of a layer of the discriminator, in place of the penalty.
    """

    PRIVATE_ONLY: ClassVar[tuple[str, ...]] = (*DPSGDConfig.PRIVATE_ONLY, "spectral")
    PRIVATE_DEFAULTS: ClassVar[Mapping[str, Any]] = {
        "noise": 32,
        "width": 128,
        "blocks": 1,
        "critic_width": 64,
        "critic_layers": 2,
        "critic_steps": 2,
        "modes": 9,
        "penalty": 0.0,
        "condition": 0.25,
        "learning_rate": 1e-3,
        "critic_rate": 5e-3,
        "batch_size": 1024,
        "steps": 1000,
        "clip_norm": 0.3,
        "augmentation_multiplicity": 1,
        "candidates": 1,
        "spectral": 2.0,
    }

    noise: int = 128
    width: int = 256
    blocks: int = 2
    critic_width: int = 256
    critic_layers: int = 2
    critic_dropout: float = 0.0
    critic_steps: int = 1
    modes: int = 9
    pack: int = 1
    loss: Literal["logistic", "wgan-gp"] = "logistic"
    penalty: float = 5.0
    every: int = 4
    condition: float = 0.25
    asking: float = 0.05
    balance: float = 0.0
    learning_rate: float = 1e-3
    critic_rate: float = 1e-3
    odds_rate: float = 2e-3
    odds_share: float = 0.2
    batch_size: int = 500
    odds_batch: int = 1000
    steps: int | None = None
    average: float = 0.998
    candidates: int = 3
    spectral: float | None = None

    def __post_init__(self) -> None:
        least = {"noise": 1, "width": 1, "blocks": 0, "critic_width": 1, "critic_layers": 1, "critic_steps": 1}
        least |= {"modes": 0, "pack": 1, "every": 1, "batch_size": 1, "odds_batch": 1, "steps": 1, "candidates": 1}
        chosen = {k: getattr(self, k) for k in least if getattr(self, k) is not None}
        wrong = [f"{k} {x} (at least {least[k]})" for k, x in chosen.items() if x < least[k]]
        shares = {k: getattr(self, k) for k in ("critic_dropout", "odds_share", "average")}
        wrong += [f"{k} {x:g} (from 0 to below 1)" for k, x in shares.items() if not 0 <= x < 1]
        wrong += [f"{k} {x:g} (from 0 to 1)" for k in ("condition", "balance") if not 0 <= (x := getattr(self, k)) <= 1]
        rates = {k: getattr(self, k) for k in ("asking", "penalty", "learning_rate", "critic_rate", "odds_rate")}
        wrong += [f"{k} {x:g} (not negative)" for k, x in rates.items() if x < 0]
        wrong += [f"candidates {self.candidates} (at most 1,000)"] if self.candidates > 1000 else []
        wrong += [f"modes {self.modes} (not 1)"] if self.modes == 1 else []
        wrong += [f"loss {self.loss} (logistic or wgan-gp)"] if self.loss not in ("logistic", "wgan-gp") else []
        if wrong:
            msg = f"settings must lie in their ranges; however: {', '.join(wrong)}"
            raise ValueError(msg)
        if self.private:
            self._refuse_mixing_rows()

    def _refuse_mixing_rows(self) -> None:
        """Under a budget each row has a gradient of its own."""
        wrong = [f"{k} {getattr(self, k)} (1)" for k in ("pack", "candidates") if getattr(self, k) != 1]
        wrong += [f"penalty {self.penalty:g} (0)"] if self.penalty else []
        wrong += [f"loss {self.loss} (logistic)"] if self.loss != "logistic" else []
        wrong += (
            [f"spectral {self.spectral:g} (above 0)"] if self.spectral is not None and not self.spectral > 0 else []
        )
        if wrong:
            msg = f"settings under a budget must lie in their ranges; however: {', '.join(wrong)}"
            raise ValueError(msg)

    @property
    def weighs(self) -> bool:
        """Whether candidates are chosen by their density ratio."""
        return self.candidates > 1 and self.odds_share > 0


def default_steps(n: float) -> int:
    """Forty epochs, at least 600 and at most 2,500 steps."""
    return int(min(max(40 * n / 500, 600), 2500))
