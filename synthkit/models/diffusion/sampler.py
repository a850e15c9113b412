"""The way back from noise to rows: scores flow and names are shown, both told by one network."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor

from synthkit.encoding.layout import ConstraintMask, Given
from synthkit.models.diffusion.loss import DiffusionLoss
from synthkit.models.diffusion.noise_schedule import (
    Scales,
    add_noise,
    euler_step,
    heun_step,
    masked_chance,
    unmask_times,
)
from synthkit.models.normal_scores import KnownScores, MixedRows
from synthkit.models.sampling import allowed, draw


@dataclass(frozen=True, kw_only=True)
class SamplerConfig:
    """How to walk.

    Args:
        steps: steps from the highest noise to the lowest.
        heun: whether scores are told twice a step (Heun's rule) or once (Euler's).
        churn: share of its time by which a row is made noisier before each step.
    """

    steps: int = 32
    heun: bool = False
    churn: float = 0.0


class ReverseSampler:
    """Rows on their way back; one object for one batch.

    Args:
        module: what was learned.
        known: what is known of the rows.
        generator: of the draws.
    """

    def __init__(self, module: DiffusionLoss, known: KnownScores, generator: torch.Generator) -> None:
        self._module, self._net, self._known, self._generator = module, module.network, known, generator
        self._table, self._heads, self._biases = self._net.tables()
        self.cat, self.shown = known.values.cat.clone(), known.cat.clone()
        n, device = len(known.values), known.cat.device
        self._seen = self._net.seen(self.cat, self.shown, self._table)
        self.x = self._normal(n) * math.sqrt(1 + module.schedule.highest**2)
        self._turn = unmask_times(~self.shown, self._uniform(n, 1), self._uniform(*self.shown.shape))
        names = module.mixture.names_layout
        self._admissible = ConstraintMask(names, n, Given(torch.where(known.cat, self.cat, -1), {}), device)
        for k in range(len(names.slots)):
            self._settle(k)

    def walk(self, way: SamplerConfig) -> MixedRows:
        """All steps. **Shape**: Mixed of n."""
        schedule = self._module.schedule
        for i in range(way.steps):
            t, after = 1 - i / way.steps, 1 - (i + 1) / way.steps
            if way.churn and i > 0:
                t = self._stir(t, min(1.0, t * (1 + way.churn)))
            sigma, lower = (schedule.sigma(torch.tensor(u)) for u in (t, after))
            state, first = self._look(self.x, float(sigma), t)
            self._show(state, after)
            if not self._net.scores:
                continue
            if way.heun:
                self.x = heun_step(partial(self._told, t=after), self.x, first, sigma, lower)
            else:
                self.x = euler_step(self.x, first, sigma, lower)
        num = torch.where(self._known.num, self._known.values.num, self.x)
        return MixedRows(self.cat, num, self._active())

    def _look(self, x: Tensor, sigma: float, t: float) -> tuple[Tensor, Tensor]:
        """State of the network and clean scores told by it. **Shape**: (n, H), (n, b)."""
        n, held = len(x), self._known.num
        scales = Scales.at(torch.full((n, 1), sigma, device=x.device))
        entering = torch.where(held, self._known.values.num, scales.enter * x) * self._active()
        time = torch.full((n,), t, device=x.device)
        state = self._net.state(self._seen, entering, held, time)
        return state, scales.denoised(x, self._net.score(state, entering, time))

    def _told(self, x: Tensor, sigma: Tensor, t: float) -> Tensor:
        """Clean scores told from noisy ones. **Shape**: as `x`."""
        return self._look(x, float(sigma), t)[1]

    def _show(self, state: Tensor, after: float) -> None:
        """Draw the names whose turn has come."""
        now = ~self.shown & (self._turn >= after)
        for k, (head, bias) in enumerate(zip(self._heads, self._biases, strict=True)):
            rows = now[:, k].nonzero().squeeze(1)
            if not len(rows):
                continue
            p = torch.softmax((state[rows] @ head.to(state.dtype).T).float() + bias, dim=1)
            level = draw(self._restricted(k, rows, p), self._generator)
            self.cat[rows, k] = level
            self.shown[rows, k] = True
            if self._table is not None:
                self._seen.index_add_(0, rows, self._table[level + self._net.offsets[k]])
            self._settle(k)

    def _restricted(self, k: int, rows: Tensor, p: Tensor) -> Tensor:
        """Probabilities of admissible levels; rules yield to what is given, and both to a level at all."""
        for mask in (self._known.allowed.get(k), self._admissible.mask(k)):
            p = allowed(p, None if mask is None else mask[rows])
        return p

    def _settle(self, k: int) -> None:
        self._admissible.observe(k, torch.where(self.shown[:, k], self.cat[:, k], -1))

    def _stir(self, t: float, up: float) -> float:
        """Make rows noisier, from time t to a later one: noise on scores, masks on names that are not given."""
        schedule = self._module.schedule
        low, high = (float(schedule.sigma(torch.tensor(u))) for u in (t, up))
        self.x = add_noise(self.x, low, high, self._normal(len(self.x)))
        again = self.shown & ~self._known.cat & (self._uniform(*self.shown.shape) < masked_chance(t, up))
        self.shown &= ~again
        self._turn = torch.where(again, self._uniform(*self.shown.shape) * up, self._turn)
        self._seen = self._net.seen(self.cat, self.shown, self._table)
        for k in range(self.shown.shape[1]):
            self._settle(k)
        return up

    def _active(self) -> Tensor:
        return self._module.active(self.cat, self.shown)

    def _uniform(self, *shape: int) -> Tensor:
        return torch.rand(shape, generator=self._generator, device=self._generator.device).to(self._known.cat.device)

    def _normal(self, n: int) -> Tensor:
        drawn = torch.randn((n, self._net.scores), generator=self._generator, device=self._generator.device)
        return drawn.to(self._known.cat.device)
