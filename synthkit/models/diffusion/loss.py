"""What diffusion learns: names and scores of a row told from a noisy look at it."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from synthkit.encoding.layout import Rows
from synthkit.models.diffusion.network import Denoiser
from synthkit.models.diffusion.noise_schedule import Scales, Schedule, times
from synthkit.models.normal_scores import MixedRows, NormalScores
from synthkit.training.layers.gated_blocks import fast_dtype

LOOKS = 8192  # noisy looks a validation batch is scored by, several a row if there are fewer rows


@dataclass(frozen=True)
class NoisyView:
    """A noisy look at rows.

    **Shape**: `time` (B,), `shown` (B, a) bool: names that are not masked; `held` (B, b) bool: scores without noise;
    `active` (B, b) bool: scores that are not ruled out by a kind that is shown; `scores`, `clean` (B, b): with and
    without noise.
    """

    time: Tensor
    shown: Tensor
    held: Tensor
    active: Tensor
    scores: Tensor
    clean: Tensor


class DiffusionLoss(nn.Module):
    """The loss of a network that tells names and scores from a noisy look.

        sum over masked names of w_k (a + 1) / m * CE_k  +  v * sum over scores of (F - target)^2

    m masked names of a. The mean of (a + 1) / m over time is that of 1 / t, the weight of the likelihood bound.

    Args:
        mixture: passage from rows.
        network: the network.
        schedule: of the noise.
        weights: w_k, one a name.
        numeric: v.
        apart: whether the time of each row is drawn by itself, so that a row's loss depends on no other row.
        hints: share of rows in which a random part of the scores comes without noise and more names are shown, as
            what is given does later.

    References:
        Sahoo et al.: Simple and effective masked diffusion language models (2024), for the weight 1 / t.
    """

    def __init__(
        self,
        mixture: NormalScores,
        network: Denoiser,
        schedule: Schedule,
        *,
        weights: Tensor,
        numeric: float,
        hints: float,
        apart: bool = False,
    ) -> None:
        super().__init__()
        self.network = network
        self.mixture, self.schedule, self.numeric, self.hints = mixture, schedule, numeric, hints
        self.apart = apart
        self.register_buffer("weights", weights, persistent=False)
        self.weights: Tensor

    def look(self, mixed: MixedRows, generator: torch.Generator | None) -> NoisyView:
        """Noise for each row; unless they are drawn apart, times cover [0, 1] evenly."""
        n, device = len(mixed), mixed.cat.device

        def uniform(*shape: int) -> Tensor:
            return torch.rand(shape, generator=generator, device=device)

        t = (uniform(n) if self.apart else times(n, uniform())).clamp(min=1e-4)
        shown = uniform(*mixed.cat.shape) >= t[:, None]
        held = torch.zeros_like(mixed.scored)
        if self.hints:
            known = torch.where(uniform(n) < self.hints, uniform(n), 0.0)[:, None]
            shown = shown | (uniform(*mixed.cat.shape) < known)
            held = uniform(*mixed.num.shape) < known
        noise = torch.randn(mixed.num.shape, generator=generator, device=device)
        fill = torch.randn(mixed.num.shape, generator=generator, device=device)
        clean = torch.where(mixed.scored, mixed.num, fill)  # a score that is not there is anything
        sigma = self.schedule.sigma(t)[:, None]
        held = held & mixed.scored
        return NoisyView(t, shown, held, self.active(mixed.cat, shown), clean + sigma * noise, clean)

    def active(self, cat: Tensor, shown: Tensor) -> Tensor:
        """Scores not ruled out by a kind that is shown. **Shape**: two of (n, a) -> (n, b) bool."""
        out = torch.ones(len(cat), self.mixture.scores, dtype=torch.bool, device=cat.device)
        for k, kind in enumerate(self.mixture.kinds):
            if kind is not None:
                out[:, k] = ~(shown[:, kind] & (cat[:, kind] > 0))
        return out

    def loss(self, rows: Rows) -> Tensor:
        """Loss of each row, the same looks every time outside training. **Shape**: Rows of B -> (B,)."""
        generator, many = None, 1
        if not self.training:
            generator = torch.Generator(rows.cat.device).manual_seed(0)
            many = max(1, min(16, LOOKS // max(len(rows), 1)))
        mixed = self.mixture.split(rows, generator)
        if many > 1:
            mixed = MixedRows(mixed.cat.repeat(many, 1), mixed.num.repeat(many, 1), mixed.scored.repeat(many, 1))
        names, scores = self.parts(mixed, self.look(mixed, generator))
        return (names + self.numeric * scores).reshape(many, -1).mean(dim=0)

    def parts(self, mixed: MixedRows, look: NoisyView) -> tuple[Tensor, Tensor]:
        """Loss of the names and of the scores of each row. **Shape**: two of (B,)."""
        net = self.network
        table, heads, biases = net.tables()
        sigma = self.schedule.sigma(look.time)[:, None]
        scales = Scales.at(sigma)
        entering = torch.where(look.held, look.clean, scales.enter * look.scores) * look.active
        state = net.state(net.seen(mixed.cat, look.shown, table), entering, look.held, look.time)
        masked = ~look.shown
        weight = (len(net.sizes) + 1) / masked.sum(dim=1).clamp(min=1)
        names = torch.zeros(len(mixed), device=state.device)
        dtype = fast_dtype(state.device)
        for k, (head, bias) in enumerate(zip(heads, biases, strict=True)):
            logits = torch.mm(state, head.to(dtype).T).float() + bias
            names = names + self.weights[k] * F.cross_entropy(logits, mixed.cat[:, k], reduction="none") * masked[:, k]
        told = net.score(state, entering, look.time)
        wanted = look.active & ~look.held
        squares = (told - scales.told(look.scores, look.clean)) ** 2 * wanted
        return names * weight, squares.sum(dim=1)
