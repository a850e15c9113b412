"""Settings of the variational autoencoder, without a privacy budget and under one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from synthkit.privacy.dpsgd.dpsgd_config import DPSGDConfig

TVAE_SMALL_ROWS = 20_000  # rows below which a table is small


@dataclass(frozen=True, kw_only=True)
class TVAEConfig(DPSGDConfig):
    """Settings of the variational autoencoder; the defaults were measured, see docs/models.md.

    Under a budget other defaults hold: a small network and large batches; slots see all columns before their own.
    Noise regularises, so that nothing is dropped or decayed. Further arguments as of `DPSGDConfig`.

    Args:
        width: H, length of states and value vectors.
        hidden: gated units a block.
        latent: L, coordinates of a code.
        blocks: gated blocks of the encoder, and of the decoder.
        couplings: of the law of the codes; with none it is the standard Gaussian.
        context: columns before its own that a slot is drawn in view of, beside the code; with 0 the columns are
            independent given the code. 0, or all below 20,000 rows, if not given.
        dropout: share of gated units dropped while training; 0.1, or 0.4 below 20,000 rows, if not given.
        input_dropout: share of cells hidden from the encoder while training.
        forget: share of that view hidden while training, so that the code is not left without work.
        partial: share of rows trained as partly known ones, for `given` and `impute`.
        samples: codes a row for bounds and conditional draws.
        learning_rate: peak rate.
        weight_decay: decoupled decay, in units of the rate; 1, or 10 below 20,000 rows, if not given.
        batch_size: rows a step.
        steps: optimizer steps; chosen from the number of rows if not given.
    """

    PRIVATE_DEFAULTS: ClassVar[Mapping[str, Any]] = {
        "width": 64,
        "hidden": 64,
        "latent": 8,
        "blocks": 1,
        "couplings": 2,
        "dropout": 0.0,
        "input_dropout": 0.0,
        "forget": 0.0,
        "learning_rate": 1e-2,
        "weight_decay": 0.0,
        "batch_size": 2048,
        "steps": 500,
        "clip_norm": 0.3,
        "augmentation_multiplicity": 2,
    }

    width: int = 256
    hidden: int = 256
    latent: int = 16
    blocks: int = 2
    couplings: int = 6
    context: int | None = None
    dropout: float | None = None
    input_dropout: float = 0.1
    forget: float = 0.2
    partial: float = 0.1
    samples: int = 64
    learning_rate: float = 2e-3
    weight_decay: float | None = None
    batch_size: int = 512
    steps: int | None = None

    def __post_init__(self) -> None:
        shares = {k: getattr(self, k) for k in ("dropout", "input_dropout", "forget", "partial")}
        wrong = [f"{name} {x:g} (from 0 to below 1)" for name, x in shares.items() if x is not None and not 0 <= x < 1]
        counted = ("width", "hidden", "latent", "samples", "batch_size", "steps")
        counts = {k: getattr(self, k) for k in counted if getattr(self, k) is not None}
        wrong += [f"{name} {x} (at least 1)" for name, x in counts.items() if x < 1]
        rest = ("learning_rate", "weight_decay", "blocks", "couplings", "context")
        wrong += [f"{k} {getattr(self, k):g} (not negative)" for k in rest if (getattr(self, k) or 0.0) < 0]
        wrong += [f"samples {self.samples} (at most 10,000)"] if self.samples > 10_000 else []
        if wrong:
            msg = f"settings must lie in their ranges; however: {', '.join(wrong)}"
            raise ValueError(msg)

    def settled(self, n: float) -> TVAEConfig:
        """The settings with everything left open chosen for n rows; under a budget nothing follows from them."""
        if self.private:
            return self
        small = n < TVAE_SMALL_ROWS
        return replace(
            self,
            context=0 if self.context is None and not small else self.context,
            dropout=(0.4 if small else 0.1) if self.dropout is None else self.dropout,
            weight_decay=(10.0 if small else 1.0) if self.weight_decay is None else self.weight_decay,
            steps=int(min(max(30 * n / self.batch_size, 300), 2000)) if self.steps is None else self.steps,
        )
