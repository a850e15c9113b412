"""What noise alone reaches of a table is cut: against the truth, the closed form, and the noisy table itself."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from synthkit.encoding.slot_counts import MeasuredCounts
from synthkit.models.marginal.mixture_fit import Tables
from synthkit.models.marginal.spectral_shrinkage import optimal_values, shrunken

CPU = torch.device("cpu")


@pytest.mark.parametrize(("shape", "rank"), [((14, 14), 1), ((20, 12), 2), ((6, 40), 1), ((30, 30), 3)])
def test_a_matrix_of_few_directions_comes_out_nearer_than_it_was_told(shape, rank):
    """Twenty matrices a shape: the error falls below three quarters, where rank / side is left of it at best."""
    rng, ratios = np.random.default_rng(3), []
    for _ in range(20):
        truth = 15 * rng.normal(size=(shape[0], rank)) @ rng.normal(size=(rank, shape[1]))
        noisy, sigma = truth + 10 * rng.normal(size=shape), 10.0
        found = shrunken(noisy, np.zeros(shape), sigma)
        ratios.append(np.linalg.norm(found - truth) / np.linalg.norm(noisy - truth))
    assert np.mean(ratios) < 0.75


def test_of_noise_around_independence_next_to_nothing_is_left():
    rng = np.random.default_rng(4)
    alone = np.outer(rng.dirichlet(np.ones(15)), rng.dirichlet(np.ones(15))) * 10_000
    left = [np.linalg.norm(shrunken(alone + 50 * rng.normal(size=alone.shape), alone, 50.0) - alone) for _ in range(20)]
    assert np.mean(left) < 0.25 * 50 * 15


@given(st.floats(2.01, 100.0), st.floats(0.01, 50.0), st.integers(1, 30))
@settings(deadline=None)
def test_of_a_square_matrix_the_best_value_is_that_of_the_paper(y, sigma, side):
    """With beta = 1 it is sqrt(y^2 - 4) in units of sigma sqrt(n), and nothing from 2 downwards."""
    unit = sigma * side**0.5
    found = optimal_values(np.array([y * unit, 1.99 * unit]), sigma, (side, side))
    np.testing.assert_allclose(found, [unit * (y * y - 4) ** 0.5, 0.0], rtol=1e-6)


def test_without_noise_a_table_stays():
    table = np.array([[5.0, 1.0, 2.0], [0.0, 7.0, 9.0]])
    np.testing.assert_allclose(shrunken(table, np.ones((2, 3)), 0.0), table, atol=1e-9)


def test_pairs_are_cut_unless_they_are_plain_or_exact():
    """Two coins that nothing ties, their table all noise: the fit is shown independence, or the noise as it came."""
    counts = np.array([[60.0, 40.0], [40.0, 60.0]])
    single, shown = np.array([100.0, 100.0]), {}
    for name, sigma, plain in (("cut", 20.0, False), ("plain", 20.0, True), ("exact", 0.0, False)):
        tables = Tables((2, 2), 200.0, CPU, lambda scope, plain=plain: plain)
        tables.add([MeasuredCounts(scope=(j,), counts=single, sigma=sigma) for j in range(2)])
        tables.add([MeasuredCounts(scope=(0, 1), counts=counts, sigma=sigma)])
        shown[name] = _target(tables)
    np.testing.assert_allclose(shown["cut"], np.full((2, 2), 0.25), atol=1e-6)
    np.testing.assert_allclose(shown["plain"], counts / 200, atol=1e-6)
    np.testing.assert_allclose(shown["exact"], counts / 200, atol=1e-6)


def test_a_pair_whose_slots_nobody_counted_stays_as_it_was_told():
    tables = Tables((2, 2), 200.0, CPU, lambda scope: False)
    tables.add([MeasuredCounts(scope=(0, 1), counts=np.array([[60.0, 40.0], [40.0, 60.0]]), sigma=20.0)])
    np.testing.assert_allclose(_target(tables), [[0.3, 0.2], [0.2, 0.3]], atol=1e-6)


def _target(tables):
    """Shares of the pair as they are fitted."""
    return tables.targets[0, 1].numpy()
