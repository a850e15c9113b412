"""An alarm for gross slips in a private training: canaries of which a coin each says whether they are trained on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from synthkit.audit.audit_result import AuditResult, of_finding
from synthkit.audit.gradient_clipping import Clip, ours
from synthkit.audit.lower_bounds import LossBound
from synthkit.audit.mechanism_audits import Masks, poisson
from synthkit.audit.one_run_epsilon import epsilon_of_guesses
from synthkit.privacy.accounting import accountant
from synthkit.privacy.accounting.charge import Charge
from synthkit.privacy.accounting.events import PoissonSubsampledGaussian
from synthkit.privacy.dpsgd.clipping import private_gradient
from synthkit.privacy.mechanisms.rng import bernoulli, gaussian

CANARY_ROWS, CANARY_FACTS = 50, 4  # of the table that is learned besides
CANARY_SAMPLING_RATE, CANARY_STEPS, CANARY_NOISE_MULTIPLIER, CANARY_CLIP_NORM = 0.1, 100, 5.0, 1.0
DELTA = 1e-7  # small, as m delta is what the theory of one run leaves unexplained
GUESSED = 5  # one in so many coins is guessed: those of the highest and the lowest scores
LOUD = 100.0  # norm of a canary's gradient before it is clipped


@dataclass(frozen=True, kw_only=True)
class CanaryTraining:
    """The parts of a private training that a twin may replace.

    Args:
        clip: makes what sums clipped gradients.
        masks: who takes part in each step.
        noise: on sums of gradients.
    """

    clip: Clip = ours
    masks: Masks = poisson
    noise: Callable[[tuple[int, ...], float], Tensor] = gaussian

    def but(self, **parts: Any) -> CanaryTraining:
        """The same with some parts replaced."""
        return replace(self, **parts)


class CanaryRows(nn.Module):
    """A small network that learns the table, and a weight for each canary that nothing else touches."""

    def __init__(self, canaries: int) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Linear(CANARY_FACTS, 8), nn.Tanh(), nn.Linear(8, 1))
        self.marks = nn.Linear(canaries, 1, bias=False)


class _Rows(NamedTuple):
    facts: Tensor  # (B, 4)
    answer: Tensor  # (B,)
    mark: Tensor  # (B, m): one-hot of a canary, zeros of a row of the table


class _Batch:
    def __init__(self, rows: _Rows) -> None:
        self.rows = rows

    def __len__(self) -> int:
        return len(self.rows.answer)

    def __getitem__(self, index: Tensor) -> _Batch:
        return _Batch(_Rows(*(x[index] for x in self.rows)))


def training(parts: CanaryTraining, trials: int) -> tuple[AuditResult, ...]:
    r"""One training on a small table and on those of so many canaries whose coin says so; coins are guessed after it.

    A canary's gradient is a huge step along a weight of its own; its score is the sum over steps of the inner product
    of that direction with the noisy gradient. The highest scores are guessed to have taken part, the lowest not.

    Upper side only, and loose: it sees missing noise, missing clips and samples that are none, not half the noise.

    Args:
        parts: of the training.
        trials: canaries.

    References:
        Steinke, Nasr, Jagielski: Privacy auditing with one (1) training run (2023). NOTE[DIFF]: as many guesses of
        either kind, fixed before the run.
    """
    coins = bernoulli(trials, 0.5)
    scores = _scores(parts, coins)
    ordered = np.argsort(scores, kind="stable")
    half = trials // (2 * GUESSED)
    right = int(coins[ordered[-half:]].sum() + (~coins[ordered[:half]]).sum())
    spent = PoissonSubsampledGaussian(
        noise_multiplier=CANARY_NOISE_MULTIPLIER, rate=CANARY_SAMPLING_RATE, steps=CANARY_STEPS
    )
    claim = accountant.epsilon([Charge(what="training", spent=spent)], DELTA)
    found = LossBound(
        what="one training",
        measure="epsilon",
        claim=claim,
        measured=epsilon_of_guesses(right, 2 * half, trials, DELTA),
        tight=False,
    )
    return (of_finding(found, f"one training with {trials:,} canaries"),)


def _scores(parts: CanaryTraining, coins: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Noisy gradients along the canaries, summed over the steps. **Shape**: (m,) -> (m,)."""
    generator = torch.Generator().manual_seed(7)
    net, batch = _started(generator, coins)
    sums = parts.clip(net, _loss, CANARY_CLIP_NORM)
    total = torch.zeros(len(coins), dtype=torch.float64)
    for mask in parts.masks(len(batch), CANARY_SAMPLING_RATE, CANARY_STEPS):
        at = torch.from_numpy(np.flatnonzero(mask))
        private_gradient(
            sums,
            batch[at],
            at,
            multiplier=CANARY_NOISE_MULTIPLIER,
            expected=CANARY_SAMPLING_RATE * len(batch),
            noise=parts.noise,
        )
        assert net.marks.weight.grad is not None
        total += net.marks.weight.grad[0].double()
        with torch.no_grad():
            for p in net.parameters():
                p.sub_(torch.as_tensor(p.grad), alpha=0.1)
    return total.numpy()


def _started(generator: torch.Generator, coins: NDArray[np.bool_]) -> tuple[CanaryRows, _Batch]:
    """A fresh network, and the table with the canaries that take part."""
    net = CanaryRows(len(coins))
    with torch.no_grad():
        for p in net.body.parameters():
            p.normal_(0, 0.5, generator=generator)
        net.marks.weight.zero_()
    facts = torch.randn(CANARY_ROWS, CANARY_FACTS, generator=generator)
    marks = torch.eye(len(coins))[torch.from_numpy(np.flatnonzero(coins))]
    none = torch.zeros(len(marks), CANARY_FACTS)
    rows = _Rows(
        facts=torch.cat([facts, none]),
        answer=torch.cat([facts[:, 0], torch.zeros(len(marks))]),
        mark=torch.cat([torch.zeros(CANARY_ROWS, len(coins)), marks]),
    )
    return net, _Batch(rows)


def _loss(net: CanaryRows, batch: _Batch) -> Tensor:
    """Squared misses of rows of the table, and what canaries shout. **Shape**: (B,)."""
    facts, answer, mark = batch.rows
    miss = (net.body(facts).squeeze(1) - answer) ** 2
    return torch.where(mark.sum(dim=1) > 0, LOUD * net.marks(mark).squeeze(1), miss)
