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

from dataclasses import asdict, dataclass, replace
from typing import Any, ClassVar, Literal

import torch
from torch import Tensor

from synthkit.encoding.codecs.numeric import Coding
from synthkit.encoding.layout import Given, Layout, Rows, Training
from synthkit.models.base import TrainingLog
from synthkit.models.ctgan.generator import Generator
from synthkit.models.ctgan.private_trainer import PrivateDuel
from synthkit.models.ctgan.trainer import Duel
from synthkit.models.density_ratio import Odds
from synthkit.models.dpsgd_settings import Descending, agree, descent
from synthkit.models.normal_scores import Mixture
from synthkit.models.rejection_sampling import Candidates
from synthkit.privacy.dpsgd.dpsgd_plan import Descent, PrivateTraining
from synthkit.training.callbacks import Watch
from synthkit.training.early_stopping import Keeper
from synthkit.training.loop import seeded
from synthkit.training.matrix_precision import fast_matrices
from synthkit.training.step_runner import Course

COMPLETIONS = 64  # candidates for a row of which something is known
EVALUATIONS = 12  # points of the loss curve


@dataclass(frozen=True, kw_only=True)
class CTGANConfig:
    """Settings of the conditional GAN; the defaults were measured, see docs/models.md.

    Args:
        noise: length of the noise vector.
        width: hidden units of the generator.
        blocks: residual blocks of the generator.
        critic_width: hidden units of the critic, and of the odds.
        critic_layers: hidden layers of the critic.
        critic_dropout: share of the critic's hidden units dropped while training.
        critic_steps: steps of the critic for each of the generator.
        modes: Gaussians through which the critic sees each number; 0 for none.
        pack: rows the critic judges together.
        loss: `logistic` or `wgan-gp`.
        penalty: weight of the gradient penalty.
        every: steps from one penalty to the next; it counts as much more.
        condition: share of rows trained under a condition; 1 in the paper. The others have none, and rows are drawn so.
        asking: weight of the cross-entropy by which a row misses its condition; 1 in the paper.
        balance: how far rare levels are trained as often as frequent ones; 1 is the paper's log-frequency law.
        learning_rate: peak rate of the generator.
        critic_rate: peak rate of the critic.
        odds_rate: peak rate of the odds.
        odds_share: share of the steps in which the odds are learned.
        batch_size: rows a step.
        odds_batch: rows a step of the odds.
        steps: optimizer steps of critic and odds; chosen from the number of rows if not given.
        average: largest decay of the average of the generator's weights.
        candidates: rows drawn for each one kept; 1 for no choice by odds.
    """

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

    @property
    def weighs(self) -> bool:
        """Whether candidates are chosen by their odds."""
        return self.candidates > 1 and self.odds_share > 0


@dataclass(frozen=True, kw_only=True)
class PrivateCTGANConfig(Descending, CTGANConfig):
    """Settings under a privacy budget: the critic's steps are noisy, the generator meets no real row.

    A gradient penalty has no gradient by row, packs mix rows, and odds would be a second training: all three are left
    out. Other arguments as of `CTGANConfig` and `Descending`.

    Args:
        spectral: largest singular value of a layer of the critic, in place of the penalty.
    """

    noise: int = 32
    width: int = 128
    blocks: int = 1
    critic_width: int = 64
    critic_layers: int = 2
    critic_steps: int = 2
    modes: int = 9
    penalty: float = 0.0
    condition: float = 0.25
    learning_rate: float = 1e-3
    critic_rate: float = 5e-3
    batch_size: int = 1024
    steps: int = 1000
    clip: float = 0.3
    candidates: int = 1
    spectral: float = 2.0

    def __post_init__(self) -> None:
        super().__post_init__()
        wrong = [f"{k} {getattr(self, k)} (1)" for k in ("pack", "candidates") if getattr(self, k) != 1]
        wrong += [f"penalty {self.penalty:g} (0)"] if self.penalty else []
        wrong += [f"loss {self.loss} (logistic)"] if self.loss != "logistic" else []
        wrong += [f"spectral {self.spectral:g} (above 0)"] if not self.spectral > 0 else []
        if wrong:
            msg = f"settings under a budget must lie in their ranges; however: {', '.join(wrong)}"
            raise ValueError(msg)


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
        self._mixture = Mixture(layout)
        with seeded(0, torch.device("cpu")):
            self._network = self._made().eval()

    def _made(self) -> Candidates:
        config, mixture = self._config, self._mixture
        generator = Generator(
            mixture.scores, mixture.priors, noise=config.noise, width=config.width, blocks=config.blocks
        )
        odds = Odds(self.layout, width=config.critic_width, blocks=2, dropout=0.2) if config.weighs else None
        return Candidates(self.layout, mixture, generator, odds, config.condition)

    @classmethod
    def descent(cls, config: PrivateCTGANConfig, public: float | None = None) -> Descent:
        """The plan of a training under a budget: see `descending.descent`."""
        return descent(config, public)

    def fit(self, training: Training | PrivateTraining, seed: int, watch: Watch | None = None) -> TrainingLog:
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
            return self._fit_privately(training, seed, watch or Watch())
        config = self._config = replace(self._config, steps=self._config.steps or default_steps(training.n))
        with seeded(seed, training.device), fast_matrices():
            self._network = self._made().to(training.device).eval()
            duel = Duel(self._network, config, training, seed)
            course = Course(duel.makes, duel.trainee(), watch or Watch(), wanted=config.steps or 1)
            keeper = Keeper(self._network, None, steps=course.steps, evaluations=EVALUATIONS, patience=1)
            for done, loss in course.run(keeper):
                keeper.stop(done, loss)
        return TrainingLog(steps=course.done, planned=course.steps, seconds=course.seconds, **keeper.curve())

    def _fit_privately(self, training: PrivateTraining, seed: int, watch: Watch) -> TrainingLog:
        """Noisy steps of the critic, and steps of the generator against it."""
        assert isinstance(self._config, PrivateCTGANConfig)
        with seeded(seed, training.device), fast_matrices():
            self._network = self._made().to(training.device).eval()
            steps = PrivateDuel(self._network, self._config, training, seed).run(watch)
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


def default_steps(n: float) -> int:
    """Forty epochs, at least 600 and at most 2,500 steps."""
    return int(min(max(40 * n / 500, 600), 2500))
