"""Whether a unit moves a sum of gradients by the clip norm at most, and a noisy step tells no more than it costs."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import torch
from scipy import stats
from torch import Tensor, nn

from synthkit.audit.audit_result import AuditResult, bounded, of_check, of_finding
from synthkit.audit.lower_bounds import LossBound, mu_of_odds
from synthkit.audit.poisson_batches import BatchCheck
from synthkit.privacy.dpsgd.clipping import Clipper, Sums, private_gradient
from synthkit.privacy.mechanisms.rng import gaussian

AUDIT_CLIP_NORM = 0.7
LOSS_MULTIPLIER = 1 / 3  # a loss large enough to be seen in a few thousand steps
TOY_LEVELS, TOY_FACTS, TOY_WIDTH = 7, 3, 5
FLOAT32_TOLERANCE = 1e-4  # relative error that float32 is forgiven

Clip = Callable[[nn.Module, Callable[[Any, Any], Tensor], float], Sums[Any]]
Step = Callable[[Sums[Any], Tensor, Tensor], None]


class Network(nn.Module):
    """A table of levels, a layer that is used twice, and a norm: what closed forms are easily wrong about."""

    def __init__(self) -> None:
        super().__init__()
        self.table = nn.Embedding(TOY_LEVELS, TOY_WIDTH)
        self.enter = nn.Linear(TOY_FACTS, TOY_WIDTH)
        self.twice = nn.Linear(TOY_WIDTH, TOY_WIDTH)
        self.norm = nn.LayerNorm(TOY_WIDTH)
        self.leave = nn.Linear(TOY_WIDTH, 1)

    def forward(self, level: Tensor, facts: Tensor) -> Tensor:
        """**Shape**: (B,), (B, 3) -> (B,)."""
        hidden = torch.tanh(self.table(level) + self.enter(facts))
        return torch.as_tensor(self.leave(self.norm(self.twice(torch.tanh(self.twice(hidden))))).squeeze(1))


class ToyRows(NamedTuple):
    """Levels and facts. **Shape**: (B,), (B, 3)."""

    level: Tensor
    facts: Tensor


class ToyBatch:
    """Rows as a clipper takes them."""

    def __init__(self, rows: ToyRows) -> None:
        self.rows = rows

    def __len__(self) -> int:
        return len(self.rows.level)

    def __getitem__(self, index: Tensor) -> ToyBatch:
        return ToyBatch(ToyRows(*(x[index] for x in self.rows)))


def loss(net: Network, batch: ToyBatch) -> Tensor:
    """Squared predictions, of sizes so different that some units are clipped and some are not. **Shape**: (B,)."""
    return torch.as_tensor(net(*batch.rows) ** 2 * batch.rows.facts[:, 0].exp())


def ours(module: nn.Module, loss_of: Callable[[Any, Any], Tensor], clip: float) -> Sums[Any]:
    """The clipper as it is shipped."""
    return Clipper(module, loss_of, clip=clip)


def clipping(clip: Clip, trials: int) -> tuple[AuditResult, ...]:
    """So many tables of units with up to six rows: how far each unit moves the sum, and what the sum should be."""
    most = apart = 0.0
    for trial in range(trials):
        generator = torch.Generator().manual_seed(trial)
        net = _network(generator)
        owner = torch.arange(8).repeat_interleave(torch.tensor([1, 1, 2, 3, 4, 6, 1, 2]))
        owner = owner[torch.randperm(len(owner), generator=generator)]
        facts = 2 * torch.randn(len(owner), TOY_FACTS, generator=generator)
        batch = ToyBatch(ToyRows(torch.randint(TOY_LEVELS, (len(owner),), generator=generator), facts))
        sums = clip(net, loss, AUDIT_CLIP_NORM)
        whole, right = _flat(sums(batch, owner)), _written_out(net, batch, owner)
        apart = max(apart, float((whole - right).norm()) / AUDIT_CLIP_NORM)
        for unit in range(8):
            others = torch.nonzero(owner != unit).ravel()
            most = max(most, float((whole - _flat(sums(batch[others], owner[others]))).norm()))
    return (
        bounded("how far a unit moves the sum", "norm", AUDIT_CLIP_NORM * (1 + FLOAT32_TOLERANCE), most),
        bounded("distance from gradients written out", "distance", FLOAT32_TOLERANCE, apart),
    )


def private_step(step: Step, trials: int) -> tuple[AuditResult, ...]:
    """Steps with and without a unit of two rows with huge gradients, in mu = 1 / multiplier; and one without rows.

    Args:
        step: sets the gradients of a private step with MULTIPLIER, for 4 units expected.
        trials: steps of each table.
    """
    one = nn.Linear(1, 1, bias=False)
    sums: Sums[Any] = Clipper(one, lambda net, x: net(x).squeeze(1), clip=AUDIT_CLIP_NORM)
    table, unit = torch.zeros(3, 1), torch.full((2, 1), 50.0)
    odds = []
    for rows, owner in ((table, torch.arange(3)), (torch.cat([table, unit]), torch.tensor([0, 1, 2, 3, 3]))):
        told = np.empty(trials)
        for k in range(trials):
            step(sums, rows, owner)
            told[k] = 4.0 * _gradient(one)
        odds.append(told - AUDIT_CLIP_NORM / 2)
    found = LossBound(what="one step", measure="mu", claim=1 / LOSS_MULTIPLIER, measured=mu_of_odds(odds[0], odds[1]))
    wide = nn.Linear(1000, 100, bias=False)
    step(
        Clipper(wide, lambda net, x: net(x).sum(dim=1), clip=AUDIT_CLIP_NORM),
        torch.zeros(0, 1000),
        torch.zeros(0).long(),
    )
    assert wide.weight.grad is not None
    noise = 4.0 * wide.weight.grad.double().flatten().numpy() / (LOSS_MULTIPLIER * AUDIT_CLIP_NORM)
    law = stats.chi2(len(noise))
    total = float(np.square(noise).sum())
    scatter = BatchCheck(what="noise of a step without rows", p_value=float(2 * min(law.cdf(total), law.sf(total))))
    return of_finding(found), of_check(scatter)


def shipped_step(sums: Sums[Any], rows: Tensor, owner: Tensor) -> None:
    """The private step as it is shipped."""
    private_gradient(sums, rows, owner, multiplier=LOSS_MULTIPLIER, expected=4.0, noise=gaussian)


def _network(generator: torch.Generator) -> Network:
    net = Network()
    with torch.no_grad():
        for p in net.parameters():
            p.normal_(0, 0.8, generator=generator)
    return net


def _gradient(net: nn.Linear) -> float:
    assert net.weight.grad is not None
    return float(net.weight.grad)


def _written_out(net: Network, batch: ToyBatch, owner: Tensor) -> Tensor:
    """The clipped sum by one backward pass a unit, in double precision."""
    parameters = list(net.parameters())
    total = torch.zeros(sum(p.numel() for p in parameters), dtype=torch.float64)
    for unit in sorted(set(owner.tolist())):
        mine = loss(net, batch[torch.nonzero(owner == unit).ravel()]).sum()
        gradient = _flat(list(torch.autograd.grad(mine, parameters)))
        total += gradient * min(1.0, AUDIT_CLIP_NORM / max(float(gradient.norm()), math.ulp(0.0)))
    return total


def _flat(tensors: list[Tensor]) -> Tensor:
    return torch.cat([t.detach().flatten().double() for t in tensors])
