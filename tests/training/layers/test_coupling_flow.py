"""The flow against its Jacobian, its inverse and its integral."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from synthkit.training.layers.coupling_flow import Flow, log_normal


def stirred(size: int, couplings: int) -> Flow:
    with torch.random.fork_rng():
        torch.manual_seed(2)
        flow = Flow(size, couplings, hidden=8)
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for weight in flow.parameters():
            weight.add_(0.4 * torch.randn(weight.shape, generator=generator))
    return flow


def test_the_density_is_that_of_the_change_of_variables():
    """log N(f(z)) + log |det| with the Jacobian from automatic differentiation."""
    flow = stirred(5, 4)
    z = torch.randn(6, 5, generator=torch.Generator().manual_seed(1))

    def through(point):
        out = point[None]
        for coupling in flow.chain:
            out = coupling(out)[0]
        return out[0]

    for point, value in zip(z, flow.log_prob(z), strict=True):
        jacobian = torch.autograd.functional.jacobian(through, point)
        expected = (
            torch.distributions.Normal(0.0, 1.0).log_prob(through(point)).sum() + torch.linalg.slogdet(jacobian)[1]
        )
        assert torch.allclose(value, expected, atol=1e-4)


def test_the_inverse_undoes_each_coupling():
    flow = stirred(4, 3)
    z = torch.randn(50, 4, generator=torch.Generator().manual_seed(2))
    for coupling in flow.chain:
        assert torch.allclose(coupling.inverse(coupling(z)[0]), z, atol=1e-5)


@torch.no_grad()
def test_draws_follow_the_density():
    """Of 20,000 points, as many in each quarter of the plane as the density puts there."""
    flow = stirred(2, 4)
    line = torch.linspace(-15, 15, 600)  # no point on an axis, which would belong to no quarter
    grid = torch.cartesian_prod(line, line)
    mass = flow.log_prob(grid).exp() * float(line[1] - line[0]) ** 2
    assert float(mass.sum()) == pytest.approx(1, abs=1e-2)
    drawn = flow.sample(20_000, torch.Generator().manual_seed(3), torch.device("cpu"))
    for sign in ((1, 1), (1, -1), (-1, 1), (-1, -1)):
        there, here = ((points * torch.tensor(sign) > 0).all(dim=1) for points in (grid, drawn))
        assert float(here.float().mean()) == pytest.approx(float(mass[there].sum()), abs=0.015)


def test_one_coordinate_or_no_coupling_is_a_gaussian():
    z = torch.tensor([[0.3], [-2.0]])
    assert torch.allclose(Flow(1, 4, 8).log_prob(z), torch.distributions.Normal(0.0, 1.0).log_prob(z).sum(dim=1))
    assert np.isclose(float(log_normal(torch.zeros(2), torch.tensor([0.5, -0.2]))), -np.log(2 * np.pi) - 0.3)
