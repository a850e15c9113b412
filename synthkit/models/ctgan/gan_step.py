"""Generator and discriminator with their optimizers: what they see of a row, and the generator's step."""

from __future__ import annotations

import copy

import torch
import torch.nn.functional as F
from torch import Tensor

from synthkit.models.ctgan.conditional_vector import Conditions
from synthkit.models.ctgan.config import CTGANConfig
from synthkit.models.ctgan.generator import Discriminator, Generator, relaxed
from synthkit.models.normal_scores import MixedRows
from synthkit.models.rejection_sampling import RejectionSampler

BETAS = (0.5, 0.9)  # of Adam, as in the paper
REFERENCE = 32_768  # rows drawn to set the marginals right


class GANStep:
    """The two networks, their optimizers, and what becomes of them in the average.

    Args:
        average: what is left in the end: averages of weights.
        config: settings.
        n: number of rows.
        device: where to compute.
        seed: of draws.
    """

    def __init__(
        self, average: RejectionSampler, config: CTGANConfig, n: float, device: torch.device, seed: int
    ) -> None:
        self._average, self._config, self._device = average, config, device
        mixture = self._mixture = average.mixture
        self._conditions = Conditions(mixture.priors, n, share=config.condition, balance=config.balance)
        self._gates = [(k, average.generator.slices()[q].start) for k, q in enumerate(mixture.kinds) if q is not None]
        self.pack = max(min(config.pack, int(n)), 1)
        self.generator: Generator = copy.deepcopy(average.generator).train()
        self.critic = Discriminator(
            mixture.scores,
            sum(mixture.sizes),
            pack=self.pack,
            width=config.critic_width,
            layers=config.critic_layers,
            modes=config.modes,
            dropout=config.critic_dropout,
        ).to(self._device)
        self._for_generator = torch.optim.Adam(self.generator.parameters(), betas=BETAS, fused=True)
        self._for_critic = torch.optim.Adam(self.critic.parameters(), betas=BETAS, fused=True)
        self._drawn = torch.Generator(device=self._device).manual_seed(seed)

    def answer(self, drawn: Tensor, missed: Tensor, condition: Tensor, weight: Tensor) -> None:
        """One step of the generator, which needs no real rows: their conditions are enough."""
        self.critic.requires_grad_(requires_grad=False)
        verdict = self.critic(drawn, condition)
        loss = -verdict if self._config.loss == "wgan-gp" else F.softplus(-verdict)
        self._for_generator.zero_grad(set_to_none=True)
        torch.autograd.backward((weight * loss).mean() + self._config.asking * missed.mean())
        self._for_generator.step()
        self.critic.requires_grad_(requires_grad=True)

    def settle(self) -> None:
        """Marginals of the average set right, once it is final."""
        average = self._average
        scores, logits = average.raw(REFERENCE, self._drawn)
        average.marginals.settle(scores, logits, self._mixture.priors, self._mixture.kinds)

    def real(self, mixed: MixedRows) -> Tensor:
        """Scores and one-hot names. **Shape**: Mixed of n -> (n, b + V)."""
        out = torch.zeros(len(mixed), self._mixture.scores + self._conditions.length, device=mixed.cat.device)
        out[:, : self._mixture.scores] = mixed.num
        where = self._mixture.scores + self._conditions.offsets.to(mixed.cat.device) + mixed.cat
        return out.scatter_(1, where, 1.0)

    def drawn(self, condition: Tensor, by: torch.Generator | None = None) -> tuple[Tensor, Tensor]:
        """Relaxed rows that let gradients through, and how far each misses its condition, nats.

        **Shape**: (n, V) -> (n, b + V), (n,).

        Args:
            condition: of each row.
            by: of the draws; its own if not given.
        """
        by = self._drawn if by is None else by
        noise = torch.randn((len(condition), self.generator.noise), generator=by, device=self._device)
        scores, logits = self.generator(noise, condition)
        uniform = torch.rand(logits.shape, generator=by, device=self._device)
        names = relaxed(logits, self._mixture.sizes, uniform)
        if self._gates:  # a number without a score has 0 there, as a real row has
            gate = torch.ones_like(scores)
            at = torch.tensor([k for k, _ in self._gates], device=self._device)
            gate = gate.index_copy(1, at, names[:, [start for _, start in self._gates]])
            scores = scores * gate
        parts = torch.split(logits, list(self._mixture.sizes), dim=1)
        log = torch.cat([torch.log_softmax(part, dim=1) for part in parts], dim=1) if parts else logits
        return torch.cat([scores, names], dim=1), -(condition * log).sum(dim=1)


def set_rate(optimizer: torch.optim.Optimizer, rate: float) -> None:
    """Give an optimizer a rate for its next step."""
    for group in optimizer.param_groups:
        group["lr"] = rate
