"""Schedules, scales and steps against closed forms: a Gaussian whose ideal denoiser is known, and laws of masks."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
import torch
from scipy import stats

from synthkit.models.diffusion.noise_schedule import (
    Scales,
    Schedule,
    add_noise,
    euler_step,
    heun,
    masked_chance,
    times,
    unmask_times,
)

MEAN = torch.tensor([0.5, -1.0, 0.0], dtype=torch.float64)
COVARIANCE = torch.tensor([[1.0, 0.8, -0.3], [0.8, 1.2, 0.1], [-0.3, 0.1, 0.5]], dtype=torch.float64)
SCHEDULE = Schedule(lowest=0.01, highest=50.0)


def ideal(x, sigma):
    """E[x_0 | x_0 + sigma eps = x] for x_0 of N(MEAN, COVARIANCE)."""
    noisy = COVARIANCE + sigma.double() ** 2 * torch.eye(3, dtype=torch.float64)
    return MEAN + (x - MEAN) @ torch.linalg.solve(noisy, COVARIANCE)


def flow(x, sigma, after):
    """The exact probability flow: along each eigenvector, distances from the mean shrink as the deviation does."""
    values, vectors = torch.linalg.eigh(COVARIANCE)
    shrink = ((values + after**2) / (values + sigma**2)).sqrt()
    return MEAN + (x - MEAN) @ vectors @ torch.diag(shrink) @ vectors.T


def error(steps, walk):
    start = torch.tensor([[30.0, -20.0, 5.0], [1.0, 40.0, -60.0]], dtype=torch.float64)
    grid = SCHEDULE.grid(steps).double()
    return float((walk(start, grid) - flow(start, grid[0], grid[-1])).abs().max())


def euler(x, grid):
    for sigma, after in pairwise(grid):
        x = euler_step(x, ideal(x, sigma), sigma, after)
    return x


def test_heuns_order_is_two_and_eulers_one():
    by_heun = [error(n, lambda x, grid: heun(ideal, x, grid)) for n in (64, 128, 256)]
    by_euler = [error(n, euler) for n in (64, 128, 256)]
    for k in (0, 1):
        assert np.log2(by_heun[k] / by_heun[k + 1]) == pytest.approx(2, abs=0.25)
        assert np.log2(by_euler[k] / by_euler[k + 1]) == pytest.approx(1, abs=0.25)
    assert by_heun[0] < by_euler[0] / 5


@pytest.mark.parametrize(("steps", "within"), [(18, 0.08), (50, 0.01), (100, 0.003)])
def test_noise_becomes_the_gaussian(steps, within):
    """The walk is affine: its matrix, found on basis vectors, turns the covariance of the noise into the wanted one."""
    grid = SCHEDULE.grid(steps).double()
    origin = heun(ideal, torch.zeros(1, 3, dtype=torch.float64), grid)
    matrix = (heun(ideal, torch.eye(3, dtype=torch.float64), grid) - origin).T
    assert torch.allclose(origin[0], MEAN, atol=0.02)
    found = matrix @ matrix.T * (1 + SCHEDULE.highest**2)
    assert torch.allclose(found, COVARIANCE, atol=within)
    assert not torch.allclose(1.1 * found, COVARIANCE, atol=within)


@pytest.mark.parametrize("after", [0.01, 2.0, 29.0])
def test_of_standard_normal_data_one_step_is_exact(after):
    """The denoiser is x / (1 + sigma^2), the flow multiplies by the ratio of the deviations."""
    x, sigma, end = torch.tensor([[30.0, -4.0]]).double(), torch.tensor(30.0), torch.tensor(after)
    step = euler_step(x, x / (1 + sigma**2), sigma, end)
    assert torch.allclose(step, x * ((1 + end**2) / (1 + sigma**2)).sqrt(), rtol=1e-5)


def test_the_schedule_runs_from_end_to_end():
    t = torch.linspace(0, 1, 11)
    sigma = SCHEDULE.sigma(t)
    assert float(sigma[0]) == pytest.approx(0.01)
    assert float(sigma[-1]) == pytest.approx(50, rel=1e-5)
    assert bool((sigma.diff() > 0).all())
    assert torch.allclose(SCHEDULE.time(sigma), t, atol=1e-5)
    assert torch.allclose(Schedule(lowest=1.0, highest=3.0, rho=1.0).sigma(t), 1 + 2 * t)
    assert torch.equal(SCHEDULE.grid(10), sigma.flip(0))


@pytest.mark.parametrize("sigma", [0.01, 0.5, 3.0, 50.0])
def test_what_a_network_reads_and_predicts_has_variance_one(sigma):
    """Quadrature over x_0 and eps of N(0, 1): exact for polynomials."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(8)
    clean, noise = (torch.tensor(a) for a in np.meshgrid(nodes, nodes))
    share = torch.tensor(np.outer(weights, weights) / weights.sum() ** 2)
    noisy = clean + sigma * noise
    scales = Scales.at(torch.tensor(sigma, dtype=torch.float64))
    target = scales.told(noisy, clean)
    assert float((share * target**2).sum()) == pytest.approx(1)
    assert float((share * (scales.enter * noisy) ** 2).sum()) == pytest.approx(1)
    assert float((share * target * noisy).sum()) == pytest.approx(0, abs=1e-9), "of N(0, 1) nothing is left to learn"
    assert torch.allclose(scales.denoised(noisy, target), clean)
    assert float(scales.noise) == pytest.approx(np.log(sigma) / 4)


def test_times_cover_each_part_once():
    for offset in (0.0, 0.3, 0.999):
        t = times(64, torch.tensor(offset))
        assert t.shape == (64,)
        assert torch.equal((t * 64 - 64 * offset).round().long().remainder(64).sort().values, torch.arange(64))
        assert bool(((t >= 0) & (t < 1)).all())


def test_a_turn_is_uniform_and_turns_are_evenly_spread():
    generator = torch.Generator().manual_seed(0)
    n, a = 4000, 6
    masked = torch.rand(n, a, generator=generator) < 0.7
    at = unmask_times(masked, torch.rand(n, 1, generator=generator), torch.rand(n, a, generator=generator))
    assert bool((at[~masked] == 2).all())
    for k in range(a):
        assert stats.kstest(at[masked[:, k], k].numpy(), "uniform").pvalue > 1e-3
    full = masked.all(dim=1)
    assert full.sum() > 100
    gaps = at[full].sort(dim=1).values.diff(dim=1)
    assert torch.allclose(gaps, torch.full_like(gaps, 1 / a), atol=1e-5)
    first = at[full].argmax(dim=1)
    assert stats.chisquare(np.bincount(first.numpy(), minlength=a)).pvalue > 1e-3, "any name may come first"


def test_masks_and_noise_are_put_back_as_the_process_does():
    """Shown at s and still shown at t: (1 - s) (1 - chance) = 1 - t. Variances add up."""
    for s, t in [(0.0, 0.4), (0.3, 0.5), (0.9, 1.0)]:
        assert (1 - s) * (1 - masked_chance(s, t)) == pytest.approx(1 - t)
    assert masked_chance(1.0, 1.0) == 1
    noise = torch.randn(50_000, generator=torch.Generator().manual_seed(1))
    higher = add_noise(3.0 * torch.randn(50_000, generator=torch.Generator().manual_seed(2)), 3.0, 5.0, noise)
    assert float(higher.var()) == pytest.approx(25, rel=0.02)
    assert torch.equal(add_noise(noise, 2.0, 2.0, noise), noise)
