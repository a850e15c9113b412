"""Draws spread evenly over rows: each row has its own law, and shares of all rows are nearer to their expectation."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy import stats

from synthkit.models.sampling import draw, even


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("n", [0, 1, 2, 7, 5000])
def test_one_number_lies_in_each_part(n):
    u = even(n, generator()).double()
    assert sorted((u * n + 1e-9).long().clamp(max=max(n - 1, 0)).tolist()) == list(range(n))
    assert bool(((u >= 0) & (u < 1)).all())


@pytest.mark.parametrize("seed", [0, 2])
def test_no_number_is_rounded_to_one(seed):
    """The last of a million parts is narrower than the numbers of 32 bits below 1."""
    assert float(even(1_000_000, generator(seed)).max()) < 1


def test_each_row_is_drawn_by_its_own_law():
    laws = torch.tensor([[0.1, 0.2, 0.7], [0.5, 0.5, 0.0], [0.05, 0.9, 0.05], [1.0, 1.0, 2.0]])
    g = generator(1)
    many = torch.stack([draw(laws, g) for _ in range(8000)]).numpy()
    for row, law in enumerate((laws / laws.sum(dim=1, keepdim=True)).numpy()):
        seen = np.bincount(many[:, row], minlength=3)
        here = law > 0
        assert seen[~here].sum() == 0
        assert stats.chisquare(seen[here], 8000 * law[here]).pvalue > 1e-4


def test_shares_of_all_rows_are_nearer_to_their_expectation_than_independent_ones():
    laws = torch.softmax(torch.randn(400, 5, generator=generator(2)), dim=1)
    expected, g = laws.sum(dim=0).numpy(), generator(3)
    off = np.array([np.bincount(draw(laws, g).numpy(), minlength=5) - expected for _ in range(400)])
    independent = (laws * (1 - laws)).sum(dim=0).numpy()
    assert (off.var(axis=0) < independent).all()
    assert off.var(axis=0).sum() < 0.75 * independent.sum()
    assert (np.abs(off.mean(axis=0)) < 5 * np.sqrt(independent / 400)).all()


def test_rows_of_one_law_are_drawn_in_its_shares():
    law = torch.tensor([[0.25, 0.5, 0.25]]).expand(1000, 3)
    assert np.abs(np.bincount(draw(law, generator(4)).numpy()) - [250, 500, 250]).max() <= 1
