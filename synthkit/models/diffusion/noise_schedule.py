r"""Noise of joint Gaussian and masked diffusion: schedules, scales and sampling steps, as values and pure functions.

At time t in [0, 1] a score is x_t = x_0 + sigma(t) eps and a name is masked with probability t:

    sigma(t) = (lo^(1/rho) + t (hi^(1/rho) - lo^(1/rho)))^rho

Back in time scores follow the probability flow dx/dsigma = (x - D(x; sigma)) / sigma, D the denoiser E[x_0 | x_t], and
names are shown one after the other, at times that are uniform.

References:
    Karras, Aittala, Aila, Laine: Elucidating the design space of diffusion-based generative models (2022), for
    sigma(t), the scales and Heun's step.
    Sahoo et al.: Simple and effective masked diffusion language models (2024), for masks in continuous time.
    Shi et al.: TabDiff (2025), for both in one process, and for masking again.
    Mueller, Gruber, Fok: Continuous diffusion for mixed-type tabular data (2025), for times of low discrepancy.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor

Denoise = Callable[[Tensor, Tensor], Tensor]  # x and sigma, broadcast against it, -> E[x_0 | x]


@dataclass(frozen=True, kw_only=True)
class Schedule:
    """How much noise there is at time t.

    Args:
        lowest: sigma at t = 0, above 0.
        highest: sigma at t = 1; scores have variance 1.
        rho: the larger, the more of the time is spent on little noise; at least 1.

    Example:
        >>> [round(float(s), 2) for s in Schedule(lowest=0.01, highest=40.0).grid(3)]
        [40.0, 6.34, 0.52, 0.01]
    """

    lowest: float = 0.01
    highest: float = 40.0
    rho: float = 7.0

    def sigma(self, t: Tensor) -> Tensor:
        """Standard deviation of the noise. **Shape**: as `t`."""
        low, high = self.lowest ** (1 / self.rho), self.highest ** (1 / self.rho)
        out: Tensor = (low + t * (high - low)) ** self.rho
        return out

    def time(self, sigma: Tensor) -> Tensor:
        """The time of a noise, outside [0, 1] for noise outside the range. **Shape**: as `sigma`."""
        low, high = self.lowest ** (1 / self.rho), self.highest ** (1 / self.rho)
        out: Tensor = (sigma ** (1 / self.rho) - low) / (high - low)
        return out

    def grid(self, steps: int) -> Tensor:
        """Noises from the highest to the lowest, equally spaced in time. **Shape**: (steps + 1,)."""
        return self.sigma(torch.linspace(1, 0, steps + 1))


@dataclass(frozen=True)
class Scales:
    """Preconditioning of a network F for data of variance 1: D(x) = skip x + out F(enter x, noise).

    What F has to predict then has variance 1 at every sigma, and so has what it reads.
    """

    skip: Tensor
    out: Tensor
    enter: Tensor
    noise: Tensor

    @classmethod
    def at(cls, sigma: Tensor) -> Scales:
        """Scales at a noise. **Shape**: each as `sigma`."""
        total = sigma**2 + 1
        return cls(1 / total, sigma / total.sqrt(), 1 / total.sqrt(), sigma.log() / 4)

    def told(self, noisy: Tensor, clean: Tensor) -> Tensor:
        """F that says x_0: (x_0 - skip x) / out; a squared error in it is (sigma^2 + 1) / sigma^2 of one in x_0."""
        return (clean - self.skip * noisy) / self.out

    def denoised(self, noisy: Tensor, f: Tensor) -> Tensor:
        """D(x) from F."""
        return self.skip * noisy + self.out * f


def times(n: int, offset: Tensor) -> Tensor:
    """Times of low discrepancy, t_i = (u + i / n) mod 1, one of each n-th of [0, 1).

    **Shape**: `offset` (), in [0, 1) -> (n,).
    """
    return (offset + torch.arange(n, device=offset.device) / n) % 1


def euler_step(x: Tensor, first: Tensor, sigma: Tensor, after: Tensor) -> Tensor:
    """One step of the probability flow, of first order; arguments as of `heun_step`.

    NOTE[DIFF]: not in x and sigma, as in the papers, but in y = x / sqrt(1 + sigma^2) and the angle a = atan(sigma),
    where the flow is dy/da = -F: a step is then exact, however long, where F is constant, as it is (0) of data of
    N(0, 1).
    """
    return _turned(x, Scales.at(sigma).told(x, first), sigma, after)


def heun_step(denoise: Denoise, x: Tensor, first: Tensor, sigma: Tensor, after: Tensor) -> Tensor:
    """One step of the probability flow by Heun's rule, of second order.

    Args:
        denoise: E[x_0 | x] at a noise.
        x: scores at `sigma`.
        first: denoise(x, sigma), which the caller has.
        sigma: noise now.
        after: noise after the step, below it and above 0.
    """
    f = Scales.at(sigma).told(x, first)
    moved = _turned(x, f, sigma, after)
    return _turned(x, (f + Scales.at(after).told(moved, denoise(moved, after))) / 2, sigma, after)


def _turned(x: Tensor, f: Tensor, sigma: Tensor, after: Tensor) -> Tensor:
    turned: Tensor = x / (1 + sigma**2).sqrt() + (sigma.atan() - after.atan()) * f
    return turned * (1 + after**2).sqrt()


def heun(denoise: Denoise, x: Tensor, grid: Tensor) -> Tensor:
    """The probability flow along a grid of noises, from the first to the last. **Shape**: as `x`."""
    for sigma, after in pairwise(grid):
        x = heun_step(denoise, x, denoise(x, sigma), sigma, after)
    return x


def unmask_times(masked: Tensor, offset: Tensor, order: Tensor) -> Tensor:
    """The time at which each masked name is shown on the way back from 1: one after the other, evenly spread.

    The r-th of m names of a row, in random order, is shown at 1 - (r + u) / m. Each of these times is uniform, as the
    masks of the process are; but names are not shown in the same step where there are steps enough, so that none
    is drawn without a look at the other.

    NOTE[DIFF]: in the papers names are shown independently of each other, with probability (t - s) / t from t to s.

    Args:
        masked: names to show. **Shape**: (n, a) bool.
        offset: u, uniform in [0, 1). **Shape**: (n, 1).
        order: what orders the names of a row. **Shape**: (n, a).

    **Shape**: -> (n, a), 2 where nothing is masked.
    """
    rank = torch.where(masked, order, torch.inf).argsort(dim=1).argsort(dim=1)
    at = 1 - (rank + offset) / masked.sum(dim=1, keepdim=True).clamp(min=1)
    return torch.where(masked, at, 2.0)


def masked_chance(s: float, t: float) -> float:
    """Probability that a name shown at time s is masked at t > s: (t - s) / (1 - s)."""
    return (t - s) / (1 - s) if s < 1 else 1.0


def add_noise(x: Tensor, sigma: float, higher: float, noise: Tensor) -> Tensor:
    """Scores made noisier: x + sqrt(higher^2 - sigma^2) noise. **Shape**: as `x`."""
    return x + math.sqrt(max(higher**2 - sigma**2, 0.0)) * noise
