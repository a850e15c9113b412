r"""Conditional GAN for tables: a generator of names and normal scores against a critic that sees rows through the door.

References:
    Xu, Skoularidou, Cuesta-Infante, Veeramachaneni: Modeling tabular data using conditional GAN (2019).
    Lin, Khetan, Fanti, Oh: PacGAN: the power of two samples in generative adversarial networks (2018).
    Gulrajani, Ahmed, Arjovsky, Dumoulin, Courville: Improved training of Wasserstein GANs (2017).
    Zhao, Kunar, Birke, Van der Scheer, Chen: CTAB-GAN+: enhancing tabular data synthesis (2022).
    Mescheder, Geiger, Nowozin: Which training methods for GANs do actually converge? (2018).
    Azadi, Olsson, Darrell, Goodfellow, Odena: Discriminator rejection sampling (2019).

NOTE[DIFF]: a number is the normal score of its rank and the critic sees it through soft modes as well (the paper: mode
and position in it); conditions are the rows' own, with weights (the paper: rows chosen by condition); the loss is
logistic with zero-centred penalties on real and drawn rows (the paper: `loss="wgan-gp"`, `pack=10`); the average of the
generator draws; its marginals are set right; candidates are chosen by their odds of being real (`candidates=1`: none).
"""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Any, ClassVar

import torch
from torch import Tensor

from synthkit.encoding.coding import Coding
from synthkit.encoding.layout import Given, Layout, Rows, TrainingLoader
from synthkit.models.base import TrainingLog
from synthkit.models.ctgan.config import CTGANConfig, PrivateCTGANConfig, default_steps
from synthkit.models.ctgan.generator import Generator
from synthkit.models.ctgan.private_trainer import PrivateGANTrainer
from synthkit.models.ctgan.trainer import GANTrainer
from synthkit.models.density_ratio import DensityRatio
from synthkit.models.dpsgd_settings import agree, descent
from synthkit.models.normal_scores import NormalScores
from synthkit.models.rejection_sampling import RejectionSampler
from synthkit.privacy.dpsgd.dpsgd_plan import DPSGDPlan, PrivateTraining
from synthkit.training.callbacks import TrainingCallbacks
from synthkit.training.early_stopping import BestWeights
from synthkit.training.loop import seeded
from synthkit.training.matrix_precision import fast_matrices
from synthkit.training.step_runner import StepRunner

COMPLETIONS = 64  # candidates for a row of which something is known
EVALUATIONS = 12  # points of the loss curve


class CTGAN:
    """Conditional GAN: fast draws, and completion of rows by choosing among candidates.

    What is known is asked for through the condition (one name, the rarest) and otherwise by weighing candidates, which
    is approximate: the more is known, the more often the nearest of 64 candidates is taken.

    Args:
        layout: the slots.
        config: settings.
    """

    coding: ClassVar[Coding] = Coding()
    Config: ClassVar[type[CTGANConfig]] = CTGANConfig
    Private: ClassVar[type[PrivateCTGANConfig]] = PrivateCTGANConfig

    def __init__(self, layout: Layout, config: CTGANConfig | None = None) -> None:
        self.layout = layout
        self._config = config or CTGANConfig()
        self._mixture = NormalScores(layout)
        with seeded(0, torch.device("cpu")):
            self._network = self._made().eval()

    def _made(self) -> RejectionSampler:
        config, mixture = self._config, self._mixture
        generator = Generator(
            mixture.scores, mixture.priors, noise=config.noise, width=config.width, blocks=config.blocks
        )
        odds = DensityRatio(self.layout, width=config.critic_width, blocks=2, dropout=0.2) if config.weighs else None
        return RejectionSampler(self.layout, mixture, generator, odds, config.condition)

    @classmethod
    def descent(cls, config: PrivateCTGANConfig, public: float | None = None) -> DPSGDPlan:
        """The plan of a training under a budget: see `descending.descent`."""
        return descent(config, public)

    def fit(
        self, training: TrainingLoader | PrivateTraining, seed: int, watch: TrainingCallbacks | None = None
    ) -> TrainingLog:
        """Train generator and critic in turn, set the marginals right, then learn the odds.

        Args:
            training: the door.
            seed: of initial weights and draws of the generator; without a budget of batches as well.
            watch: who is told.

        Raises:
            ConfigError: there is a budget and the settings are not for it, or the other way round.
        """
        agree("ctgan", self._config, training)
        if isinstance(training, PrivateTraining):
            return self._fit_privately(training, seed, watch or TrainingCallbacks())
        config = self._config = replace(self._config, steps=self._config.steps or default_steps(training.n))
        with seeded(seed, training.device), fast_matrices():
            self._network = self._made().to(training.device).eval()
            duel = GANTrainer(self._network, config, training, seed)
            course = StepRunner(duel.makes, duel.trainee(), watch or TrainingCallbacks(), wanted=config.steps or 1)
            keeper = BestWeights(self._network, None, steps=course.steps, evaluations=EVALUATIONS, patience=1)
            for done, loss in course.run(keeper):
                keeper.stop(done, loss)
        return TrainingLog(steps=course.done, planned=course.steps, seconds=course.seconds, **keeper.curve())

    def _fit_privately(self, training: PrivateTraining, seed: int, watch: TrainingCallbacks) -> TrainingLog:
        """Noisy steps of the critic, and steps of the generator against it."""
        assert isinstance(self._config, PrivateCTGANConfig)
        with seeded(seed, training.device), fast_matrices():
            self._network = self._made().to(training.device).eval()
            steps = PrivateGANTrainer(self._network, self._config, training, seed).run(watch)
        return TrainingLog(steps=steps, planned=steps, best_step=steps, seconds=0.0)

    def sample(self, n: int, generator: torch.Generator) -> Rows:
        """Draw n rows. **Shape**: Rows of n."""
        with fast_matrices():
            return self._network.rows(n, self._config.candidates, generator)

    def sample_given(self, given: Given, generator: torch.Generator, *, tries: int | None = None) -> Rows:
        """Complete rows: known cells stay, the others are the candidate's. **Shape**: Given of n -> Rows of n."""
        with fast_matrices():
            return self._network.completed(given, tries or COMPLETIONS, generator)

    def tensors(self) -> dict[str, Tensor]:
        """Weights and marginals, without what follows from the layout."""
        marginals = self._network.marginals.named_buffers("marginals")
        named = [*self._network.named_parameters(), *marginals, ("trust", self._network.trust)]
        return {k: v.detach().cpu().contiguous() for k, v in named}

    def load_tensors(self, tensors: dict[str, Tensor], device: torch.device) -> None:
        """Take back what `tensors` gave, to draw on `device`."""
        self._network.load_state_dict(tensors, strict=False)
        self._network.to(device).eval()

    def config(self) -> dict[str, Any]:
        """Settings as plain data."""
        return asdict(self._config)
