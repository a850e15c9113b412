r"""Joint diffusion of names and scores: Gaussian noise on numbers, masks on names, one time for both.

Going forward in time t from 0 to 1 a score x becomes x + sigma(t) eps and a name is masked with probability t. A
network learns to tell both from such looks, `models.denoising`; rows are drawn on the way back, `models.walk`.

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

from dataclasses import asdict, dataclass, replace
from typing import Any, ClassVar

import torch
from torch import Tensor

from synthkit.encoding.codecs.numeric import Coding
from synthkit.encoding.layout import Given, Layout, Rows, Training
from synthkit.models.base import TrainingLog
from synthkit.models.diffusion.loss import Denoising
from synthkit.models.diffusion.network import Denoiser
from synthkit.models.diffusion.noise_schedule import Schedule
from synthkit.models.diffusion.sampler import Walk, Way
from synthkit.models.dpsgd_settings import Descending, agree, descent
from synthkit.models.normal_scores import Mixture
from synthkit.privacy.dpsgd.dpsgd_plan import Descent, PrivateTraining
from synthkit.training.callbacks import Watch
from synthkit.training.loop import Plan, seeded, train
from synthkit.training.matrix_precision import fast_matrices

SMALL = 5_000  # rows below which a table is small
CHUNK = 4096  # rows sampled at once: the working set stays in cache
LATTICE = 150  # numbers on a lattice with at most so many levels are names
LEAST_ENTROPY = 0.1  # nats


@dataclass(frozen=True, kw_only=True)
class DiffusionConfig:
    """Settings of the diffusion model; the defaults were measured, see docs/models.md.

    Args:
        width: H, length of the state; 256, or 128 below 5,000 rows, if not given.
        hidden: M, gated units a block; as `width`.
        blocks: L, gated blocks; 3, or 2 below 5,000 rows, if not given.
        dropout: share of gated units dropped while training; 0.1, or 0.2 below 5,000 rows, if not given.
        hints: share of rows of which a random part is told without noise or mask while training; what is given is
            told so later, so above 0.
        numeric: weight of the loss of a score beside that of a name.
        entropy: power of a name's entropy that its loss is divided by, from 0 to 1.
        learning_rate: peak rate; 2e-3, or 4e-3 below 5,000 rows, if not given.
        weight_decay: decoupled decay, in units of the rate.
        average: largest decay of the average of the weights.
        batch_size: rows a step; 1,024, or 256 below 5,000 rows, if not given.
        steps: optimizer steps; chosen from the number of rows if not given.
        draws: steps of the way back; if not given one for each name and two for each score, at least 32, at most 64.
        heun: whether a step asks the network twice about the scores.
        churn: share of its time by which a row is made noisier, and masked again, before each step of the way back.
    """

    width: int | None = None
    hidden: int | None = None
    blocks: int | None = None
    dropout: float | None = None
    hints: float = 0.25
    numeric: float = 1.0
    entropy: float = 0.0
    learning_rate: float | None = None
    weight_decay: float = 1.0
    average: float = 0.999
    batch_size: int | None = None
    steps: int | None = None
    draws: int | None = None
    heun: bool = False
    churn: float = 0.0

    def __post_init__(self) -> None:
        shares = {name: getattr(self, name) for name in ("dropout", "hints", "entropy", "average", "churn")}
        wrong = [f"{name} {x:g} (from 0 to 1)" for name, x in shares.items() if x is not None and not 0 <= x <= 1]
        wrong += ["hints 0 (above 0)"] if self.hints == 0 else []
        counts = {k: getattr(self, k) for k in ("width", "hidden", "batch_size", "steps", "draws")}
        wrong += [f"{name} {x} (at least 1)" for name, x in counts.items() if x is not None and x < 1]
        rates = {k: getattr(self, k) for k in ("learning_rate", "weight_decay", "numeric", "blocks")}
        wrong += [f"{name} {x:g} (not negative)" for name, x in rates.items() if x is not None and x < 0]
        wrong += [f"draws {self.draws} (at most 10,000)"] if (self.draws or 0) > 10_000 else []
        if wrong:
            msg = f"settings must lie in their ranges; however: {', '.join(wrong)}"
            raise ValueError(msg)

    def settled(self, n: float) -> DiffusionConfig:
        """The settings with everything left open chosen for n rows: small tables need a smaller network."""
        small = n < SMALL
        width = (128 if small else 256) if self.width is None else self.width
        size = (256 if small else 1024) if self.batch_size is None else self.batch_size
        return replace(
            self,
            width=width,
            hidden=width if self.hidden is None else self.hidden,
            blocks=(2 if small else 3) if self.blocks is None else self.blocks,
            dropout=(0.2 if small else 0.1) if self.dropout is None else self.dropout,
            learning_rate=(4e-3 if small else 2e-3) if self.learning_rate is None else self.learning_rate,
            batch_size=size,
            steps=default_steps(n, size) if self.steps is None else self.steps,
        )


@dataclass(frozen=True, kw_only=True)
class PrivateDiffusionConfig(Descending, DiffusionConfig):
    """Settings under a privacy budget: a small network, large batches, several times and masks of a row at once.

    Noise regularises, so that nothing is dropped or decayed. Arguments as of `DiffusionConfig` and `Descending`.
    """

    width: int | None = 64
    hidden: int | None = 64
    blocks: int | None = 2
    dropout: float | None = 0.0
    learning_rate: float | None = 1e-2
    weight_decay: float = 0.0
    average: float = 0.995
    batch_size: int = 2048
    steps: int = 500
    clip: float = 0.3
    copies: int = 2


class Diffusion:
    """Names and scores out of noise, in small steps; what is known of a row is seen from the first step on.

    What row rules forbid of names is left out while drawing; rules that speak of scores are left to the caller.

    Args:
        layout: the slots.
        config: settings.
    """

    coding: ClassVar[Coding] = Coding()
    Config: ClassVar[type[DiffusionConfig]] = DiffusionConfig
    Private: ClassVar[type[PrivateDiffusionConfig]] = PrivateDiffusionConfig

    def __init__(self, layout: Layout, config: DiffusionConfig | None = None) -> None:
        self.layout = layout
        self._config = config or DiffusionConfig()
        self._module = _made(layout, self._config.settled(SMALL), 0, torch.device("cpu")).eval()

    @classmethod
    def descent(cls, config: PrivateDiffusionConfig, public: float | None = None) -> Descent:
        """The plan of a training under a budget: see `descending.descent`."""
        return descent(config, public)

    def fit(self, training: Training | PrivateTraining, seed: int, watch: Watch | None = None) -> TrainingLog:
        """Learn to tell rows from noisy looks at them.

        Args:
            training: the door.
            seed: of initial weights; without a budget of batches, noise and dropout as well.
            watch: who is told.

        Raises:
            ConfigError: there is a budget and the settings are not for it, or the other way round.
        """
        agree("diffusion", self._config, training)
        config = self._config = self._config.settled(training.n)
        self._module = _made(self.layout, config, seed, training.device)
        plan = Plan(
            steps=config.steps or 1,
            batch_size=config.batch_size or 1,
            learning_rate=config.learning_rate or 0.0,
            weight_decay=config.weight_decay,
            average=config.average,
        )
        curve = train(self._module, Denoising.loss, training, plan, seed, watch)
        return TrainingLog(**asdict(curve))

    @torch.no_grad()
    def sample(self, n: int, generator: torch.Generator) -> Rows:
        """Draw n rows. **Shape**: Rows of n."""
        unknown = torch.full((n, len(self.layout.slots)), -1, dtype=torch.long)
        return self.sample_given(Given(unknown, {}), generator)

    @torch.no_grad()
    def sample_given(self, given: Given, generator: torch.Generator, *, tries: int | None = None) -> Rows:
        """Complete rows: what is known is seen, unmasked and without noise, from the first step on.

        A number is known to its cell; where its cell is not known whole, or only which levels are admissible, this
        holds for its kind alone and the caller has to look at the rest.

        **Shape**: Given of n -> Rows of n.
        """
        del tries
        module = self._module
        device, parts = module.network.query.device, []
        most = len(module.mixture.names) + 2 * module.mixture.scores
        steps = min(max(most, 32), 64) if self._config.draws is None else self._config.draws
        way = Way(steps=steps, heun=self._config.heun, churn=self._config.churn)
        with fast_matrices():
            for start in range(0, max(len(given), 1), CHUNK):
                part = given[slice(start, start + CHUNK)].to(device)
                mixed = Walk(module, module.mixture.known(part, generator), generator).walk(way)
                rows = module.mixture.join(mixed, generator)
                parts.append(Rows(torch.where(part.known(), part.cat.long(), rows.cat), rows.num))
        return Rows.cat_rows(parts)

    def tensors(self) -> dict[str, Tensor]:
        """Weights, without what follows from the layout."""
        return {k: v.detach().cpu().contiguous() for k, v in self._module.named_parameters()}

    def load_tensors(self, tensors: dict[str, Tensor], device: torch.device) -> None:
        """Take back what `tensors` gave, to draw on `device`."""
        self._module.load_state_dict(tensors, strict=False)
        self._module.to(device).eval()

    def config(self) -> dict[str, Any]:
        """Settings as plain data."""
        return asdict(self._config)


def _made(layout: Layout, config: DiffusionConfig, seed: int, device: torch.device) -> Denoising:
    """The network and its loss, untrained."""
    mixture = Mixture(layout, lattice=LATTICE)
    with seeded(seed, device):
        network = Denoiser(
            mixture.slots,
            mixture.scores,
            width=config.width or 1,
            hidden=config.hidden or 1,
            blocks=config.blocks or 0,
            dropout=config.dropout or 0.0,
        )
    entropy = torch.tensor([float(-(p.exp() * p).sum()) for p in mixture.priors])
    module = Denoising(
        mixture,
        network,
        Schedule(),
        weights=entropy.clamp(min=LEAST_ENTROPY) ** -config.entropy,
        numeric=config.numeric,
        hints=config.hints,
        apart=isinstance(config, Descending),
    )
    return module.to(device)


def default_steps(n: float, batch_size: int) -> int:
    """4,000 steps; below 5,000 rows sixty epochs, at least 1,500 and at most 4,000. Early stopping may end it."""
    return int(min(max(60 * n / batch_size, 1500), 4000)) if n < SMALL else 4000
