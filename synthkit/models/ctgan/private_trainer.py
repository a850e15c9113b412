r"""Generator against critic under a privacy budget: noise on the critic's gradients, no real row for the generator.

References:
    Xie, Lin, Wang, Wang, Zhou: Differentially private generative adversarial network (2018), for noise on the critic.
    Miyato, Kataoka, Koyama, Yoshida: Spectral normalization for generative adversarial networks (2018).
    Bie, Kamath, Zhang: Private GANs, revisited (2023), for several steps of the critic.

NOTE[DIFF]: layers of the critic are projected after each step instead of divided by their norm in each pass, so that
the gradient of a row keeps its closed form; conditions of the generator come from the shares that were paid for.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from synthkit.encoding.layout import Rows
from synthkit.models.ctgan.config import CTGANConfig
from synthkit.models.ctgan.gan_step import GANStep, set_rate
from synthkit.models.ctgan.generator import Discriminator
from synthkit.models.ctgan.trainer import critic_loss
from synthkit.models.rejection_sampling import RejectionSampler
from synthkit.training.callbacks import TrainingCallbacks
from synthkit.training.loader import Batching, TrainingLoader
from synthkit.training.loop import ema_update, finite, schedule

TURNS = 2  # of the power iteration after each step


class PrivateGANTrainer(GANStep):
    """A discriminator that sees real rows behind the loader, a generator that sees only the discriminator.

    Args:
        average: what is left in the end: averages of weights.
        config: settings.
        training: the loader.
        seed: of initial weights and of what the generator draws for itself.
    """

    def __init__(self, average: RejectionSampler, config: CTGANConfig, training: TrainingLoader, seed: int) -> None:
        super().__init__(average, config, training.n, training.device, seed)
        self._training, self._spectral, self._size = training, config.spectral or 1.0, config.batch_size

    def run(self, steps: int, callbacks: TrainingCallbacks) -> int:
        """All steps of the discriminator that were charged; how many.

        Args:
            steps: of the plan.
            callbacks: told how many steps are made.

        Raises:
            ConfigError: weights are no longer numbers.
        """
        config = self._config
        made = self._training.steps(
            self.critic.train(),
            self.loss,
            self._for_critic,
            Batching(config.batch_size, steps, self._drawn),
        )
        layers = [Projection(layer, self._spectral) for layer in (*self.critic.within, self.critic.leave)]
        for t, step in enumerate(made):
            set_rate(self._for_critic, config.critic_rate * schedule(t / steps))
            set_rate(self._for_generator, config.learning_rate * schedule(t / steps))
            step()
            for layer in layers:
                layer()
            if (t + 1) % config.critic_steps == 0:
                condition = self._paid_conditions()
                drawn, missed = self.drawn(condition)
                self.answer(drawn, missed, condition, torch.ones(self._size, device=self._device))
                ema_update(self._average.generator, self.generator, min(config.average, (1 + t) / (10 + t)))
            callbacks.on_step(t + 1, steps, math.nan)
        finite(self._average)
        self.settle()
        return steps

    def loss(self, critic: Discriminator, rows: Rows) -> Tensor:
        """Loss of each real row beside a drawn one under the same condition, by itself. **Shape**: Rows of B -> (B,).

        Everything is drawn from torch's own generator, as the loader wants it.
        """
        own = torch.Generator(device=self._device).manual_seed(int(torch.randint(2**62, (1,))))
        mixed = self._mixture.split(rows, own)
        condition, weight = self._conditions.alone(mixed.cat)
        with torch.no_grad():
            drawn, _ = self.drawn(condition, own)
        return critic_loss(critic, self.real(mixed), drawn, condition, weight, self._config, 0)

    def _paid_conditions(self) -> Tensor:
        """Conditions by paid shares, for as many rows as come under one. **Shape**: (size, V)."""
        asked = self._conditions.likely(self._size, self._drawn, self._device)
        under = torch.rand(self._size, 1, generator=self._drawn, device=self._device) < self._conditions.share
        return asked * under


class Projection:
    """A layer whose largest singular value stays at or below a bound: W <- W min(1, bound / s(W)).

    s is followed by a power iteration from step to step.

    Args:
        layer: changed in place.
        bound: above 0.
    """

    def __init__(self, layer: nn.Module, bound: float) -> None:
        assert isinstance(layer, nn.Linear)
        self._layer, self._bound = layer, bound
        self._left = torch.linalg.svd(layer.weight.detach().float(), full_matrices=False)[0][:, 0].contiguous()

    @torch.no_grad()
    def __call__(self) -> None:
        """Once, after a step."""
        weight = self._layer.weight
        for _ in range(TURNS):
            right = nn.functional.normalize(weight.mT @ self._left, dim=0)
            self._left = nn.functional.normalize(weight @ right, dim=0)
        largest = self._left @ weight @ right
        weight.mul_((self._bound / largest.clamp(min=1e-12)).clamp(max=1.0))
