"""Training of the GAN in two phases: generator against discriminator, then the density ratio of real to drawn rows."""

from __future__ import annotations

import copy
from collections.abc import Iterator

import torch
import torch.nn.functional as F
from torch import Tensor

from synthkit.encoding.layout import Rows
from synthkit.models.ctgan.config import CTGANConfig
from synthkit.models.ctgan.gan_step import GANStep, set_rate
from synthkit.models.ctgan.generator import Discriminator, steepness
from synthkit.models.density_ratio import DensityRatio
from synthkit.models.normal_scores import MixedRows
from synthkit.models.rejection_sampling import RejectionSampler
from synthkit.training.loader import Batching, TrainingLoader
from synthkit.training.loop import ema_update, schedule
from synthkit.training.state import TrainState

HELD = 8192  # rows held back that the density ratio is tried on
MIN_ROWS_TO_TRUST = 200  # with fewer rows than this and none held back the density ratio is not trusted


class GANTrainer(GANStep):
    """Two networks that train each other on rows that the loader hands out.

    Args:
        average: what is left in the end: averages of weights.
        config: settings.
        training: the loader.
        seed: of batches and draws.
    """

    def __init__(self, average: RejectionSampler, config: CTGANConfig, training: TrainingLoader, seed: int) -> None:
        super().__init__(average, config, training.n, training.device, seed)
        self._training, self._seed = training, seed
        self.odds: DensityRatio | None = copy.deepcopy(average.odds)
        learned = [] if self.odds is None else list(self.odds.parameters())
        self._for_odds = (
            torch.optim.AdamW(learned, lr=config.odds_rate, betas=(0.9, 0.99), weight_decay=1.0, fused=True)
            if learned
            else None
        )

    def train_state(self) -> TrainState:
        """Everything that steps change."""
        modules = {"average": self._average, "generator": self.generator, "critic": self.critic}
        optimizers: dict[str, torch.optim.Optimizer] = {"generator": self._for_generator, "critic": self._for_critic}
        if self.odds is not None and self._for_odds is not None:
            modules["odds"] = self.odds
            optimizers["odds"] = self._for_odds
        return TrainState(
            modules=modules, optimizers=optimizers, generators={"drawn": self._drawn}, device=self._device
        )

    def makes(self, steps: int, start: int) -> Iterator[float]:
        """The steps from `start` on; yields the loss of each.

        Args:
            steps: of both phases.
            start: steps made before.
        """
        first = steps if self.odds is None else max(1, round(steps * (1 - self._config.odds_share)))
        if start < first:
            yield from self._against(first, start)
        if steps > first and self.odds is not None:
            yield from self._weighed(steps - first, max(start - first, 0))

    def _against(self, steps: int, start: int) -> Iterator[float]:
        """Critic and generator in turn."""
        config = self._config
        batches = self._training.batches(
            self._for_critic,
            Batching(config.batch_size, steps, torch.Generator().manual_seed(self._seed), start),
        )
        for t, (rows, step) in enumerate(batches, start):
            set_rate(self._for_critic, config.critic_rate * schedule(t / steps))
            set_rate(self._for_generator, config.learning_rate * schedule(t / steps))
            real, condition, weight = self._met(rows)
            answers = (t + 1) % config.critic_steps == 0
            with torch.set_grad_enabled(answers):
                drawn, missed = self.drawn(condition)
            often = config.every if t % config.every == 0 else 0
            loss = critic_loss(self.critic, real, drawn.detach(), condition, weight, config, often)
            value = step(loss.repeat_interleave(self.pack))
            if answers:
                self.answer(drawn, missed, condition, weight)
                ema_update(self._average.generator, self.generator, min(config.average, (1 + t) / (10 + t)))
            if t + 1 == steps:
                self.settle()
            yield value

    def _met(self, rows: Rows) -> tuple[Tensor, Tensor, Tensor]:
        """Real rows as the discriminator sees them, conditions, weights. **Shape**: (B, b + V), (B, V), (B / pack,)."""
        mixed = self._mixture.split(rows, self._drawn)
        mixed = mixed if len(mixed) % self.pack == 0 else _whole(mixed, self.pack)
        condition, weight = self._conditions.of(mixed.cat)
        return self.real(mixed), condition, weight.reshape(-1, self.pack).mean(dim=1)

    def _weighed(self, steps: int, start: int) -> Iterator[float]:
        """The density ratio learns to tell real rows from those the average draws."""
        config, odds, optimizer = self._config, self.odds, self._for_odds
        if odds is None or optimizer is None or self._average.odds is None:
            return
        batches = self._training.batches(
            optimizer,
            Batching(config.odds_batch, steps, torch.Generator().manual_seed(self._seed + 1), start),
        )
        odds.train()
        for t, (rows, step) in enumerate(batches, start):
            set_rate(optimizer, config.odds_rate * schedule(t / steps))
            drawn, _ = self._average.loose(len(rows), self._drawn)
            value = step(F.softplus(-odds(rows)) + F.softplus(odds(drawn)))
            ema_update(self._average.odds, odds, min(0.99, (1 + t) / (10 + t)))
            if t + 1 == steps:
                self._trust()
            yield value

    def _trust(self) -> None:
        """How far the density ratio holds for rows it was not learned from: the factor of least loss there.

        Without rows held back, all the way; or not at all where the table is too small for any to be.
        """
        held, average = self._training.validation(), self._average
        if held is None or average.odds is None:
            average.trust.fill_(float(self._training.n >= MIN_ROWS_TO_TRUST))
            return
        held = held[slice(0, HELD)]
        with torch.no_grad():
            real = average.odds(held)
            drawn = average.odds(average.loose(len(held), self._drawn)[0])
        factors = torch.linspace(0, 1.2, 25, device=self._device)[:, None]
        loss = F.softplus(-factors * real).mean(dim=1) + F.softplus(factors * drawn).mean(dim=1)
        average.trust.copy_(factors[loss.argmin(), 0])


def critic_loss(
    critic: Discriminator,
    real: Tensor,
    drawn: Tensor,
    condition: Tensor,
    weight: Tensor,
    config: CTGANConfig,
    often: int = 1,
) -> Tensor:
    r"""The discriminator's loss of each pack.

    `logistic`: w (softplus(-D(x)) + softplus(D(x'))) + w g / 2 (|grad D(x)|^2 + |grad D(x')|^2);
    `wgan-gp`: w (D(x') - D(x)) + g (|grad D(x^)| - 1)^2, x^ on the line between x and x'.

    References:
        Mescheder, Geiger, Nowozin: Which training methods for GANs do actually converge? (2018).

    Args:
        critic: D.
        real: x. **Shape**: (B, b + V).
        drawn: x'. **Shape**: (B, b + V).
        condition: what both fulfil. **Shape**: (B, V).
        weight: w of each pack. **Shape**: (B / pack,).
        config: which loss, and g.
        often: how much more than once the penalty counts here; 0 leaves it out.
    """
    of_real, of_drawn = critic(real, condition), critic(drawn, condition)
    penalty = config.penalty * often
    if config.loss == "wgan-gp":
        distance: Tensor = weight * (of_drawn - of_real)
        if penalty:
            share = torch.rand(len(weight), 1, device=real.device).repeat_interleave(critic.pack, dim=0)
            between = share * real + (1 - share) * drawn
            length = (steepness(critic, between, condition) + 1e-12).sqrt()
            distance = distance + penalty * (length - 1).square()
        return distance
    loss: Tensor = weight * (F.softplus(of_drawn) + F.softplus(-of_real))
    if penalty:
        slopes = steepness(critic, real, condition) + steepness(critic, drawn, condition)
        loss = loss + 0.5 * penalty * weight * slopes
    return loss


def _whole(mixed: MixedRows, pack: int) -> MixedRows:
    """Without the rows that fill no pack."""
    end = len(mixed) // pack * pack
    return MixedRows(mixed.cat[:end], mixed.num[:end], mixed.scored[:end])
