r"""Joint diffusion of names and scores: Gaussian noise on numbers, masks on names, one time for both.

Going forward in time t from 0 to 1 a score x becomes x + sigma(t) eps and a name is masked with probability t. A
network learns to tell both from such looks, `models.diffusion.loss`; rows are drawn on the way back,
`models.diffusion.sampler`.

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

from typing import ClassVar

import torch
from torch import Tensor

from synthkit.encoding.layout import Given, Rows
from synthkit.models.base import Capability, NetworkModel
from synthkit.models.diffusion.config import DIFFUSION_SMALL_ROWS, DiffusionConfig
from synthkit.models.diffusion.loss import DiffusionLoss
from synthkit.models.diffusion.network import Denoiser
from synthkit.models.diffusion.noise_schedule import Schedule
from synthkit.models.diffusion.sampler import ReverseSampler, SamplerConfig
from synthkit.models.normal_scores import NormalScores
from synthkit.training.matrix_precision import fast_matrices

DIFFUSION_CHUNK = 4096  # rows sampled at once: the working set stays in cache
LATTICE = 150  # numbers on a lattice with at most so many levels are names
LEAST_ENTROPY = 0.1  # nats


class Diffusion(NetworkModel):
    """Names and scores out of noise, in small steps; what is known of a row is seen from the first step on.

    What row rules forbid of names is left out while drawing; rules that speak of scores are left to the caller.

    Args:
        layout: the slots.
        config: settings.
    """

    Config: ClassVar[type[DiffusionConfig]] = DiffusionConfig
    capabilities: ClassVar[frozenset[Capability]] = frozenset({Capability.GIVEN, Capability.BUDGET})
    _config: DiffusionConfig
    _network: DiffusionLoss

    def build(self) -> DiffusionLoss:
        """The denoising network and its loss."""
        config, mixture = self._config.settled(DIFFUSION_SMALL_ROWS), NormalScores(self.layout, lattice=LATTICE)
        network = Denoiser(
            mixture.slots,
            mixture.scores,
            width=config.width or 1,
            hidden=config.hidden or 1,
            blocks=config.blocks or 0,
            dropout=config.dropout or 0.0,
        )
        entropy = torch.tensor([float(-(p.exp() * p).sum()) for p in mixture.priors])
        return DiffusionLoss(
            mixture,
            network,
            Schedule(),
            weights=entropy.clamp(min=LEAST_ENTROPY) ** -config.entropy,
            numeric=config.numeric,
            hints=config.hints,
            apart=config.private,
        )

    def resolved(self, n: float) -> DiffusionConfig:
        """The rest chosen for n rows."""
        return self._config.settled(n)

    def loss(self, network: DiffusionLoss, rows: Rows) -> Tensor:
        """Loss of each row under a time and noise of its own."""
        return network.loss(rows)

    @torch.no_grad()
    def sample_given(self, given: Given, generator: torch.Generator, *, tries: int | None = None) -> Rows:
        """Complete rows: what is known is seen, unmasked and without noise, from the first step on.

        A number is known to its cell; where its cell is not known whole, or only which levels are admissible, this
        holds for its kind alone and the caller has to look at the rest.

        **Shape**: Given of n -> Rows of n.
        """
        del tries
        module = self._network
        device, parts = module.network.query.device, []
        most = len(module.mixture.names) + 2 * module.mixture.scores
        steps = min(max(most, 32), 64) if self._config.draws is None else self._config.draws
        way = SamplerConfig(steps=steps, heun=self._config.heun, churn=self._config.churn)
        with fast_matrices():
            for start in range(0, max(len(given), 1), DIFFUSION_CHUNK):
                part = given[slice(start, start + DIFFUSION_CHUNK)].to(device)
                mixed = ReverseSampler(module, module.mixture.known(part, generator), generator).walk(way)
                rows = module.mixture.join(mixed, generator)
                parts.append(Rows(torch.where(part.known(), part.cat.long(), rows.cat), rows.num))
        return Rows.cat_rows(parts)
