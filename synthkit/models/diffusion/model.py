r"""Joint diffusion of names and scores: Gaussian noise on numbers, masks on names, one time for both.

Going forward in time t from 0 to 1 a score x becomes x + sigma(t) eps and a name is masked with probability t. A
network learns to tell both from such looks, `models.denoising`; rows are drawn on the way back, `models.walk`.

References:
    Shi, Xu, Hua, Zhang, Ermon, Leskovec: TabDiff: a mixed-type diffusion model for tabular data generation (2025), for
    the joint process.
    Mueller, Gruber, Fok: Continuous diffusion for mixed-type tabular data (2025), for losses weighed by entropy, heads
    that start at the log-shares, and times of low discrepancy.
    Karras, Aittala, Aila, Laine: Elucidating the design space of diffusion-based generative models (2022), for the
    noise of scores.
    Sahoo et al.: Simple and effective masked diffusion language models (2024), for masks in continuous time.

NOTE[DIFF]: numbers on a lattice are names with smooth value vectors; names are shown one after the other; what is given
is seen without noise in training too, where RePaint (Lugmayr et al., 2022) puts noise on it and walks to and fro.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any, ClassVar

import torch
from torch import Tensor

from synthkit.encoding.coding import Coding
from synthkit.encoding.layout import Given, Layout, Rows, TrainingLoader
from synthkit.models.base import TrainingLog
from synthkit.models.diffusion.config import SMALL, DiffusionConfig, PrivateDiffusionConfig
from synthkit.models.diffusion.loss import DiffusionLoss
from synthkit.models.diffusion.network import Denoiser
from synthkit.models.diffusion.noise_schedule import Schedule
from synthkit.models.diffusion.sampler import ReverseSampler, SamplerConfig
from synthkit.models.dpsgd_settings import DPSGDConfig, agree, descent
from synthkit.models.normal_scores import NormalScores
from synthkit.privacy.dpsgd.dpsgd_plan import DPSGDPlan, PrivateTraining
from synthkit.training.callbacks import TrainingCallbacks
from synthkit.training.loop import TrainingPlan, seeded, train
from synthkit.training.matrix_precision import fast_matrices

CHUNK = 4096  # rows sampled at once: the working set stays in cache
LATTICE = 150  # numbers on a lattice with at most so many levels are names
LEAST_ENTROPY = 0.1  # nats


class Diffusion:
    """Names and scores out of noise, in small steps; what is known of a row is seen from the first step on.

    What row rules forbid of names is left out while drawing; rules that speak of scores are left to the caller.

    Args:
        layout: the slots.
        config: settings.
    """

    coding: ClassVar[Coding] = Coding()
    Config: ClassVar[type[DiffusionConfig]] = DiffusionConfig
    Private: ClassVar[type[PrivateDiffusionConfig]] = PrivateDiffusionConfig

    def __init__(self, layout: Layout, config: DiffusionConfig | None = None) -> None:
        self.layout = layout
        self._config = config or DiffusionConfig()
        self._module = _made(layout, self._config.settled(SMALL), 0, torch.device("cpu")).eval()

    @classmethod
    def descent(cls, config: PrivateDiffusionConfig, public: float | None = None) -> DPSGDPlan:
        """The plan of a training under a budget: see `descending.descent`."""
        return descent(config, public)

    def fit(
        self, training: TrainingLoader | PrivateTraining, seed: int, watch: TrainingCallbacks | None = None
    ) -> TrainingLog:
        """Learn to tell rows from noisy looks at them.

        Args:
            training: the door.
            seed: of initial weights; without a budget of batches, noise and dropout as well.
            watch: who is told.

        Raises:
            ConfigError: there is a budget and the settings are not for it, or the other way round.
        """
        agree("diffusion", self._config, training)
        config = self._config = self._config.settled(training.n)
        self._module = _made(self.layout, config, seed, training.device)
        plan = TrainingPlan(
            steps=config.steps or 1,
            batch_size=config.batch_size or 1,
            learning_rate=config.learning_rate or 0.0,
            weight_decay=config.weight_decay,
            average=config.average,
        )
        curve = train(self._module, DiffusionLoss.loss, training, plan, seed, watch)
        return TrainingLog(**asdict(curve))

    @torch.no_grad()
    def sample(self, n: int, generator: torch.Generator) -> Rows:
        """Draw n rows. **Shape**: Rows of n."""
        unknown = torch.full((n, len(self.layout.slots)), -1, dtype=torch.long)
        return self.sample_given(Given(unknown, {}), generator)

    @torch.no_grad()
    def sample_given(self, given: Given, generator: torch.Generator, *, tries: int | None = None) -> Rows:
        """Complete rows: what is known is seen, unmasked and without noise, from the first step on.

        A number is known to its cell; where its cell is not known whole, or only which levels are admissible, this
        holds for its kind alone and the caller has to look at the rest.

        **Shape**: Given of n -> Rows of n.
        """
        del tries
        module = self._module
        device, parts = module.network.query.device, []
        most = len(module.mixture.names) + 2 * module.mixture.scores
        steps = min(max(most, 32), 64) if self._config.draws is None else self._config.draws
        way = SamplerConfig(steps=steps, heun=self._config.heun, churn=self._config.churn)
        with fast_matrices():
            for start in range(0, max(len(given), 1), CHUNK):
                part = given[slice(start, start + CHUNK)].to(device)
                mixed = ReverseSampler(module, module.mixture.known(part, generator), generator).walk(way)
                rows = module.mixture.join(mixed, generator)
                parts.append(Rows(torch.where(part.known(), part.cat.long(), rows.cat), rows.num))
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


def _made(layout: Layout, config: DiffusionConfig, seed: int, device: torch.device) -> DiffusionLoss:
    """The network and its loss, untrained."""
    mixture = NormalScores(layout, lattice=LATTICE)
    with seeded(seed, device):
        network = Denoiser(
            mixture.slots,
            mixture.scores,
            width=config.width or 1,
            hidden=config.hidden or 1,
            blocks=config.blocks or 0,
            dropout=config.dropout or 0.0,
        )
    entropy = torch.tensor([float(-(p.exp() * p).sum()) for p in mixture.priors])
    module = DiffusionLoss(
        mixture,
        network,
        Schedule(),
        weights=entropy.clamp(min=LEAST_ENTROPY) ** -config.entropy,
        numeric=config.numeric,
        hints=config.hints,
        apart=isinstance(config, DPSGDConfig),
    )
    return module.to(device)
