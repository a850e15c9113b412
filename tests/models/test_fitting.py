"""Fitting a mixture to tables of counts: the optimizer against torch's own."""

from __future__ import annotations

import torch

from synthkit.models.fitting import Adam


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
