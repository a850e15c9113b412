r"""Joint diffusion of names and scores: Gaussian noise on numbers, masks on categories, one time for both.

References:
    Shi et al.: TabDiff: a mixed-type diffusion model for tabular data generation (2025), for the joint process.
    Mueller, Gruber, Fok: Continuous diffusion for mixed-type tabular data (2025), for the calibration of losses.
    Karras, Aittala, Aila, Laine: Elucidating the design space of diffusion-based generative models (2022).
    Sahoo et al.: Simple and effective masked diffusion language models (2024).
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any, ClassVar

import torch
from torch import Tensor

from synthkit.encode.numeric import Coding
from synthkit.encode.rows import Given, Layout, Rows, Training
from synthkit.models.base import TrainingLog
from synthkit.models.denoising import Denoising
from synthkit.models.mixed import Mixture
from synthkit.models.noise import Schedule
from synthkit.models.walk import Walk, Way
from synthkit.nn.denoiser import Denoiser
from synthkit.nn.train import Plan, fast_matrices, seeded, train
from synthkit.nn.watch import Watch

CHUNK = 4096  # rows sampled at once: the working set stays in cache


@dataclass(frozen=True, kw_only=True)
class DiffusionConfig:
    """Settings of the diffusion model."""

    width: int = 256
    hidden: int = 256
    blocks: int = 3
    dropout: float | None = None
    hints: float = 0.25
    numeric: float = 1.0
    entropy: float = 0.0
    power: float = 1.0
    lattice: int = 150
    lowest: float = 0.01
    highest: float = 40.0
    average: float = 0.999
    learning_rate: float = 2e-3
    weight_decay: float | None = None
    batch_size: int = 1024
    steps: int | None = None
    draws: int = 32
    heun: bool = False
    churn: float = 0.0

    def settled(self, n: float) -> DiffusionConfig:
        """The settings with everything left open chosen for n rows."""
        return replace(
            self,
            dropout=0.1 if self.dropout is None else self.dropout,
            weight_decay=1.0 if self.weight_decay is None else self.weight_decay,
            steps=2000 if self.steps is None else self.steps,
        )


class Diffusion:
    """Names and scores out of noise, in small steps."""

    coding: ClassVar[Coding] = Coding()
    Config: ClassVar[type[DiffusionConfig]] = DiffusionConfig

    def __init__(self, layout: Layout, config: DiffusionConfig | None = None) -> None:
        self.layout = layout
        self._config = config or DiffusionConfig()
        self._module = self._made(0, torch.device("cpu")).eval()

    def _made(self, seed: int, device: torch.device) -> Denoising:
        config = self._config
        mixture = Mixture(self.layout, lattice=config.lattice)
        with seeded(seed, device):
            network = Denoiser(
                mixture.slots,
                mixture.scores,
                width=config.width,
                hidden=config.hidden,
                blocks=config.blocks,
                dropout=config.dropout or 0.0,
            )
        entropy = torch.tensor([float(-(p.exp() * p.clamp(min=-30)).sum()) for p in mixture.priors])
        weights = entropy.clamp(min=0.1) ** -config.entropy
        return Denoising(
            mixture,
            network,
            Schedule(lowest=config.lowest, highest=config.highest),
            weights=weights,
            numeric=config.numeric,
            hints=config.hints,
            power=config.power,
        ).to(device)

    def fit(self, training: Training, seed: int, watch: Watch | None = None) -> TrainingLog:
        """Learn to tell rows from noisy looks at them."""
        config = self._config = self._config.settled(training.n)
        self._module = self._made(seed, training.device)
        plan = Plan(
            steps=config.steps or 1,
            batch_size=config.batch_size,
            learning_rate=config.learning_rate,
            weight_decay=config.weight_decay or 0.0,
            average=config.average,
        )
        curve = train(self._module, Denoising.loss, training, plan, seed, watch)
        return TrainingLog(**asdict(curve))

    @torch.no_grad()
    def sample(self, n: int, generator: torch.Generator) -> Rows:
        """Draw n rows. **Shape**: Rows of n."""
        unknown = torch.full((n, len(self.layout.slots)), -1, dtype=torch.long)
        return self.sample_given(Given(unknown, {}), generator)

    @torch.no_grad()
    def sample_given(self, given: Given, generator: torch.Generator) -> Rows:
        """Complete rows. **Shape**: Given of n -> Rows of n."""
        device = self._module.network.query.device
        mixture, parts = self._module.mixture, []
        way = Way(steps=self._config.draws, heun=self._config.heun, churn=self._config.churn)
        with fast_matrices():
            for start in range(0, max(len(given), 1), CHUNK):
                part = given[slice(start, start + CHUNK)].to(device)
                drawn = Walk(self._module, mixture.known(part, generator), generator).walk(way)
                rows = mixture.join(drawn, generator)
                held = part.known()
                parts.append(Rows(torch.where(held, part.cat.clamp(min=0), rows.cat), rows.num))
        return Rows.cat_rows(parts)

    def tensors(self) -> dict[str, Tensor]:
        """Weights, without what follows from the layout."""
        return {k: v.detach().cpu().contiguous() for k, v in self._module.named_parameters()}

    def load_tensors(self, tensors: dict[str, Tensor], device: torch.device) -> None:
        """Take back what `tensors` gave, to draw on `device`."""
        self._module.load_state_dict(tensors, strict=False)
        self._module.to(device).eval()

    def config(self) -> dict[str, Any]:
        """Settings as plain data."""
        return asdict(self._config)
