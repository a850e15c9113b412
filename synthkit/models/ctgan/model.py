r"""Conditional GAN for tables: a generator of names and normal scores against a discriminator that sees real rows.

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

from dataclasses import replace
from typing import ClassVar

import torch
from torch import Tensor

from synthkit.encoding.layout import Given, Rows
from synthkit.models.base import Capability, NetworkModel, TrainingLog
from synthkit.models.ctgan.config import CTGANConfig, default_steps
from synthkit.models.ctgan.generator import Generator
from synthkit.models.ctgan.private_trainer import PrivateGANTrainer
from synthkit.models.ctgan.trainer import GANTrainer
from synthkit.models.density_ratio import DensityRatio
from synthkit.models.normal_scores import NormalScores
from synthkit.models.rejection_sampling import RejectionSampler
from synthkit.training.callbacks import TrainingCallbacks
from synthkit.training.early_stopping import BestWeights
from synthkit.training.loader import TrainingLoader
from synthkit.training.loop import refuse_traces, seeded
from synthkit.training.matrix_precision import fast_matrices
from synthkit.training.step_runner import StepRunner

COMPLETIONS = 64  # candidates for a row of which something is known
EVALUATIONS = 12  # points of the loss curve


class CTGAN(NetworkModel):
    """Conditional GAN: fast draws, and completion of rows by choosing among candidates.

    What is known is asked for through the condition (one name, the rarest) and otherwise by weighing candidates, which
    is approximate: the more is known, the more often the nearest of 64 candidates is taken.

    Args:
        layout: the slots.
        config: settings.
    """

    Config: ClassVar[type[CTGANConfig]] = CTGANConfig
    capabilities: ClassVar[frozenset[Capability]] = frozenset({Capability.GIVEN, Capability.BUDGET})
    _config: CTGANConfig
    _network: RejectionSampler

    def build(self) -> RejectionSampler:
        """Generator, and the density ratio by which its rows are chosen."""
        config, mixture = self._config, NormalScores(self.layout)
        generator = Generator(
            mixture.scores, mixture.priors, noise=config.noise, width=config.width, blocks=config.blocks
        )
        ratio = DensityRatio(self.layout, width=config.critic_width, blocks=2, dropout=0.2) if config.weighs else None
        return RejectionSampler(self.layout, mixture, generator, ratio, config.condition)

    def resolved(self, n: float) -> CTGANConfig:
        """As many steps as suit n rows, if nothing else is said."""
        return replace(self._config, steps=self._config.steps or default_steps(n))

    def fit_batches(self, loader: TrainingLoader, seed: int, callbacks: TrainingCallbacks | None = None) -> TrainingLog:
        """Train generator and critic in turn, set the marginals right, then learn the density ratio.

        Args:
            loader: of the rows.
            seed: of initial weights and draws of the generator; without a budget of batches as well.
            callbacks: who is told.

        Raises:
            ConfigError: there is a budget and the settings are not for it, or the other way round.
        """
        callbacks = callbacks or TrainingCallbacks()
        refuse_traces(loader, callbacks)
        self._suit(loader)
        with seeded(seed, loader.device), fast_matrices():
            network = self._network = self.build().to(loader.device).eval()
            if loader.planned_steps is not None:
                steps = PrivateGANTrainer(network, self._config, loader, seed).run(loader.planned_steps, callbacks)
                return TrainingLog(steps=steps, planned=steps, best_step=steps, seconds=0.0)
            trainer = GANTrainer(network, self._config, loader, seed)
            runner = StepRunner(trainer.makes, trainer.train_state(), callbacks, wanted=self._config.steps or 1)
            best = BestWeights(network, None, steps=runner.steps, evaluations=EVALUATIONS, patience=1)
            for done, loss in runner.run(best):
                best.stop(done, loss)
        return TrainingLog(steps=runner.done, planned=runner.steps, seconds=runner.seconds, **best.curve())

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
