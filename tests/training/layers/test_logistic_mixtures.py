"""Log-ratios of logistic mixtures: their gradient by hand against finite differences and against autograd."""

from __future__ import annotations

import pytest
import torch

from synthkit.training.layers.logistic_mixtures import EVEN_SHARE, LOGISTIC_LAWS, NORMAL_LIKE, SCALES, log_ratio

SLOTS, ROWS, WIDTH, CELLS = 2, 4, 3, 5


def arguments(*, by_row: bool, seed: int = 0) -> list[torch.Tensor]:
    g = torch.Generator().manual_seed(seed)
    learned = [(SLOTS, ROWS, WIDTH), (SLOTS, WIDTH, 3 * LOGISTIC_LAWS), (SLOTS, 3 * LOGISTIC_LAWS)]
    free = [torch.randn(shape, generator=g, dtype=torch.float64).requires_grad_() for shape in learned]
    rows = ROWS if by_row else 1
    edges = torch.randn((SLOTS, rows, CELLS + 1), generator=g, dtype=torch.float64).sort(dim=-1).values
    return [*free, edges, torch.special.ndtr(edges).diff(dim=-1)]


def plain(state, law, bias, edges, normal):
    """The formula, for autograd to differentiate."""
    weight, mean, scale = (state @ law + bias[:, None]).chunk(3, dim=-1)
    scale = NORMAL_LIKE * torch.exp(scale.clamp(*SCALES))
    below = torch.sigmoid((edges[:, :, None] - mean[..., None]) / scale[..., None])
    mass = (torch.softmax(weight, dim=-1)[..., None] * below.diff(dim=-1)).sum(dim=2)
    return torch.log((1 - EVEN_SHARE) * mass / normal + EVEN_SHARE)


@pytest.mark.parametrize("by_row", [False, True])
def test_the_gradient_is_that_of_finite_differences(by_row):
    assert torch.autograd.gradcheck(log_ratio, arguments(by_row=by_row), atol=1e-6)


@pytest.mark.parametrize("by_row", [False, True])
@pytest.mark.parametrize("seed", range(3))
def test_ratio_and_gradient_are_those_of_the_formula(by_row, seed):
    given = arguments(by_row=by_row, seed=seed)
    given[1].data *= 6  # some scales beyond their bounds
    found, wanted = log_ratio(*given), plain(*given)
    torch.testing.assert_close(found, wanted)
    upstream = torch.randn(found.shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    ours, theirs = (torch.autograd.grad(ratio, given[:3], upstream) for ratio in (found, wanted))
    for mine, other in zip(ours, theirs, strict=True):
        torch.testing.assert_close(mine, other)
