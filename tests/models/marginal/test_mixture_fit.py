"""Fitting a mixture to tables of counts: gradients and optimizer against torch's own."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from synthkit.encoding.slot_counts import MeasuredCounts
from synthkit.models.marginal.mixture_fit import Adam, Tables
from synthkit.models.product_mixture import ProductMixture

SIZES = (3, 2, 4, 2, 5)


@pytest.mark.parametrize(
    "scopes", [[(0,), (4,)], [(0, 2), (0, 4), (1, 3)], [(0, 1, 2), (1, 2, 4)], [(0, 1, 2, 3), (2,), (3, 4), (0, 1, 3)]]
)
def test_the_gradient_is_that_of_the_loss_as_it_is_defined(scopes):
    """Against autograd through the joint law of each table."""
    source, rng = torch.Generator().manual_seed(0), np.random.default_rng(0)
    mixture = ProductMixture(SIZES, components=6)
    with torch.no_grad():
        mixture.logits.normal_(generator=source)
        mixture.weights.normal_(generator=source)
    told = [
        MeasuredCounts(scope=s, counts=rng.integers(0, 50, [SIZES[j] for j in s]), sigma=2.0 + len(s)) for s in scopes
    ]
    tables = Tables(SIZES, 400.0, torch.device("cpu"))
    tables.add(told)
    wanted, cells = torch.zeros(()), sum(t.counts.size for t in told)
    for table in told:
        miss = mixture.table(table.scope) - torch.from_numpy(table.counts / 400.0).float()
        wanted = wanted + 400.0**2 / (table.sigma**2 + 1) * (miss**2).sum() / cells
    torch.autograd.backward(wanted)
    by_hand = [p.grad.clone() for p in mixture.parameters()]
    mixture.zero_grad()
    assert tables.pull(mixture) == pytest.approx(float(wanted.detach()), rel=1e-5)
    for p, grad in zip(mixture.parameters(), by_hand, strict=True):
        assert torch.allclose(p.grad, grad, rtol=1e-3, atol=1e-5)


def test_adam_is_torchs_adam():
    """Thirty steps on a curved valley with changing rates, after which both stand at the same place."""
    starts = [torch.tensor([2.0, -1.0, 0.5]), torch.tensor([[0.3, -4.0]])]
    ours, theirs = ([torch.nn.Parameter(s.clone()) for s in starts] for _ in range(2))
    adam, wanted = Adam(ours), torch.optim.Adam(theirs, betas=(0.9, 0.99))
    for t in range(30):
        rate = 0.1 / (1 + t)
        for group in wanted.param_groups:
            group["lr"] = rate
        for parameters in (ours, theirs):
            for p in parameters:
                p.grad = None
            torch.autograd.backward((parameters[0] ** 4).sum() + (parameters[1] * parameters[0][:2]).pow(2).sum())
        adam.step(rate)
        wanted.step()
    for mine, other in zip(ours, theirs, strict=True):
        assert torch.allclose(mine, other, atol=1e-6)


def test_what_has_no_gradient_stays():
    still, moved = (torch.nn.Parameter(torch.ones(2)) for _ in range(2))
    moved.grad = torch.ones(2)
    Adam([still, moved]).step(0.5)
    assert still.tolist() == [1, 1]
    assert moved.tolist() != [1, 1]
