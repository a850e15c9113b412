"""Evenly spread draws: as many as the law asks, and no trace of their order."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.stats import chisquare

from synthkit.models.stratified_sampling import resampled, stratified


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("n", [0, 1, 7, 1000])
def test_each_kind_comes_as_often_as_its_share_up_to_one(n):
    shares = torch.tensor([0.5, 0.0, 0.3, 0.2])
    counts = torch.bincount(resampled(shares, n, generator()), minlength=4)
    assert int(counts.sum()) == n
    assert bool(((counts - n * shares).abs() < 1).all())


def test_a_single_draw_follows_the_shares():
    shares = torch.tensor([0.6, 0.3, 0.1])
    source = generator(1)
    counts = np.bincount([int(resampled(shares, 1, source)[0]) for _ in range(4000)], minlength=3)
    assert chisquare(counts, 4000 * shares.double().numpy() / float(shares.double().sum())).pvalue > 1e-4


def test_within_a_group_levels_come_as_often_as_their_law_up_to_one():
    laws = torch.tensor([[0.25, 0.75, 0.0], [0.1, 0.2, 0.7]])
    group = torch.tensor([0] * 40 + [1] * 100)[torch.randperm(140, generator=generator(2))]
    levels = stratified(laws, group, generator(3))
    for g, n in ((0, 40), (1, 100)):
        counts = torch.bincount(levels[group == g], minlength=3)
        assert bool(((counts - n * laws[g]).abs() <= 1 + 1e-5).all())


def test_laws_need_not_sum_to_one_and_what_cannot_be_never_comes():
    laws = torch.tensor([[0.0, 2.0, 6.0, 0.0]])
    counts = torch.bincount(stratified(laws, torch.zeros(4000, dtype=torch.long), generator(4)), minlength=4)
    assert counts.tolist() == pytest.approx([0, 1000, 3000, 0], abs=1)
    assert counts[0] == counts[3] == 0


def test_a_lone_row_follows_its_law():
    laws = torch.tensor([[0.6, 0.3, 0.1]])
    source = generator(5)
    drawn = [int(stratified(laws, torch.zeros(1, dtype=torch.long), source)[0]) for _ in range(4000)]
    assert (
        chisquare(np.bincount(drawn, minlength=3), 4000 * laws[0].double().numpy() / float(laws.double().sum())).pvalue
        > 1e-4
    )


def test_two_slots_of_a_group_are_independent():
    """Without a fresh order they would rise together: the rank correlation of 5,000 rows stays within 4.5 errors."""
    laws = torch.full((3, 50), 1 / 50)
    group = torch.arange(5000) % 3
    source = generator(6)
    one, two = (stratified(laws, group, source).double() for _ in range(2))
    for x in (torch.arange(5000).double(), one):
        assert abs(float(torch.corrcoef(torch.stack([x, two]))[0, 1])) < 4.5 / np.sqrt(5000)


def test_of_no_rows_nothing_is_drawn():
    assert stratified(torch.ones(2, 3), torch.zeros(0, dtype=torch.long), generator()).shape == (0,)
