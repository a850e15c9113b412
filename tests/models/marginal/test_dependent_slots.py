"""Slots that another one determines: found through noise, drawn as told, and exact in every conditional."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch

from synthkit.encoding.layout import Given, Layout, Rows, Slot
from synthkit.models.marginal.config import MarginalConfig
from synthkit.models.marginal.dependent_slots import (
    EXPLAINED,
    DependentSlot,
    DependentSlots,
    believed,
    conditional,
    determined,
    found,
)
from synthkit.models.marginal.model import Marginal
from synthkit.privacy.access.counts import ExactCounting, NoisyCounting

SIZES = (4, 6, 3, 2)
QUICK = MarginalConfig(components=40, rounds=3, first=30, between=10, last=60)


def plain(sizes) -> Layout:
    slots = tuple(
        Slot(name=f"s{j}", size=k, ordinal=False, missing=False, parent=None, prior=np.full(k, -np.log(k), np.float32))
        for j, k in enumerate(sizes)
    )
    return Layout(slots, tuple(slot.name for slot in slots))


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def table(n=20_000, wrong=0.0):
    """The first slot is a function of the second, but for a part of the rows; the others depend on it loosely."""
    rng = np.random.default_rng(0)
    lead = rng.choice(6, size=n, p=[0.3, 0.25, 0.2, 0.1, 0.1, 0.05])
    led = np.array([0, 0, 1, 2, 2, 3])[lead]
    led = np.where(rng.random(n) < wrong, rng.integers(0, 4, n), led)
    return np.column_stack([led, lead, (lead + rng.integers(0, 2, n)) % 3, rng.random(n) < 0.2 + 0.1 * lead]).astype(
        int
    )


def fitted(cat, rho=None, config=QUICK):
    model = Marginal(plain(SIZES), config)
    counting = ExactCounting.of(cat, SIZES) if rho is None else NoisyCounting.of(cat, SIZES, rho, lambda charge: None)
    model.fit_counts(counting, seed=0)
    return model


def test_a_function_is_drawn_as_it_was_told_through_noise():
    """Of 20,000 rows at rho .03 hardly one breaks it, and a mixture alone breaks it in one of a hundred."""
    model = fitted(table(), 0.03, MarginalConfig(components=200))
    assert model._followers.leaders.tolist() == [1, -1, -1, -1]
    cat = model.sample(20_000, generator()).cat.numpy()
    kept = (cat[:, 0] == np.array([0, 0, 1, 2, 2, 3])[cat[:, 1]]).mean()
    model._followers = DependentSlots(SIZES)
    before = model.sample(20_000, generator()).cat.numpy()
    assert kept > 0.999
    assert 1 - (before[:, 0] == np.array([0, 0, 1, 2, 2, 3])[before[:, 1]]).mean() > 5 * (1 - kept)


def test_a_loose_dependence_is_left_to_the_mixture():
    assert fitted(table(wrong=0.3)).tensors()["leaders"].tolist() == [-1] * 4


def joint(model):
    """The law of the model over all rows, by its definition. **Shape**: SIZES."""
    mixture, followers = model._mixture, model._followers
    laws, shares = mixture.laws().detach().double(), mixture.shares().detach().double()
    p = torch.zeros(SIZES, dtype=torch.float64)
    for row in itertools.product(*map(range, SIZES)):
        weight = shares.clone()
        for j, level in enumerate(row):
            leader = int(followers.leaders[j])
            weight *= laws[mixture.slot(j)][level] if leader < 0 else float(followers.law(j)[row[leader], level])
        p[row] = weight.sum()
    return p


@pytest.fixture(scope="module")
def followed():
    return fitted(table(wrong=0.02))


def test_the_law_is_the_one_that_is_defined(followed):
    assert followed._followers.leaders.tolist() == [1, -1, -1, -1]
    p = joint(followed)
    assert float(p.sum()) == pytest.approx(1, abs=1e-5)
    every = torch.tensor(list(itertools.product(*map(range, SIZES))))
    log = followed.log_prob(Rows(every, torch.zeros(len(every), 0)))
    assert torch.allclose(log.exp().view(SIZES), p.float(), rtol=1e-3, atol=1e-7)
    drawn = followed.sample(200_000, generator()).cat.numpy()
    share = np.histogramdd(drawn, [np.arange(k + 1) - 0.5 for k in SIZES])[0] / len(drawn)
    assert 0.5 * np.abs(share - p.numpy()).sum() < 0.01


@pytest.mark.parametrize(
    ("row", "allowed"),
    [
        ((2, -1, -1, -1), {}),
        ((2, 3, -1, -1), {}),
        ((-1, 3, -1, 1), {}),
        ((0, -1, 1, -1), {1: [False, True, True, False, False, True]}),
        ((-1, -1, -1, 1), {0: [True, False, False, True]}),
        ((-1, 2, -1, -1), {0: [True, True, False, False]}),
    ],
)
def test_conditionals_are_exact(followed, row, allowed):
    """Whole and partial knowledge of a follower speaks of its leader, and through it of the others."""
    p = joint(followed).clone()
    for j, level in enumerate(row):
        keep = torch.tensor(allowed.get(j, [True] * SIZES[j])) if level < 0 else torch.arange(SIZES[j]) == level
        p *= keep.view([-1 if k == j else 1 for k in range(4)])
    n = 100_000
    sets = {j: (torch.tensor([mask]), torch.zeros(n, dtype=torch.long)) for j, mask in allowed.items()}
    given = Given(torch.tensor([row]).repeat(n, 1), sets)
    drawn = followed.sample_given(given, generator()).cat.numpy()
    share = np.histogramdd(drawn, [np.arange(k + 1) - 0.5 for k in SIZES])[0] / n
    assert 0.5 * np.abs(share - (p / p.sum()).numpy()).sum() < 0.012


def test_what_is_known_is_told_exactly(followed):
    p = joint(followed)
    rows = Rows(torch.tensor([[2, 3, 1, 0], [0, 0, 2, 1]]), torch.zeros(2, 0))
    given = Given(torch.tensor([[2, -1, -1, -1], [-1, -1, 2, -1]]), {})
    aim = torch.tensor([[False, False, True, False], [True, False, False, False]])
    wanted = [float(p[2, :, 1].sum() / p[2].sum()), float(p[0, :, 2].sum() / p[:, :, 2].sum())]
    assert followed.log_prob_given(rows, given, aim).exp().tolist() == pytest.approx(wanted, rel=1e-3)
    whole, parts = followed.negative_log_prob(rows, generator())
    assert whole.tolist() == pytest.approx([-np.log(float(p[2, 3, 1, 0])), -np.log(float(p[0, 0, 2, 1]))], rel=1e-3)
    assert parts.shape == (2, 4)


def test_a_saved_model_has_its_followers(followed):
    again = Marginal(plain(SIZES), QUICK)
    again.load_tensors(followed.tensors(), torch.device("cpu"))
    assert torch.equal(again.sample(500, generator()).cat, followed.sample(500, generator()).cat)


def test_noise_is_held_against_a_dependence():
    exact = np.diag([5000.0, 3000.0, 2000.0])
    assert determined(exact, 1.0) > 0.99
    assert determined(exact, 100.0) < EXPLAINED
    assert determined(np.diag([9900.0, 100.0]), 1.0) == 0.0
    assert determined(np.zeros((2, 2)), 1.0) == 0.0


def test_cells_below_their_noise_are_left_to_the_mixture():
    counts = np.array([[900.0, 20.0, 0.0], [0.0, 8.0, 14.0]])
    own = np.array([[0.9, 0.1, 0.0], [0.2, 0.3, 0.5]])
    law = conditional(counts, 10.0, own)
    assert law[1].tolist() == own[1].tolist()
    assert law[0, 0] > 0.95
    assert law.sum(axis=1) == pytest.approx([1, 1])


@pytest.mark.parametrize("shape", [(2, 2), (4, 6), (16, 16), (40, 90)])
def test_noise_alone_is_hardly_believed_in_a_table_of_any_size(shape):
    """Of 2,000 tables of noise about two have a cell that is believed: ten are six standard deviations off."""
    noise = np.random.default_rng(0).normal(size=(2_000, *shape))
    assert sum(believed(7 * table, 7.0).any() for table in noise) < 10
    assert believed(np.full(shape, 7 * 5.2), 7.0).all()


def test_nobody_follows_a_follower():
    same = np.diag([500.0, 300.0, 200.0])
    pairs = [(0, 1, same, 1.0), (1, 2, same, 1.0), (0, 2, same, 1.0)]
    followers = found(pairs, {(a, b): same / 1000 for a, b, _, _ in pairs})
    assert len(followers) == 2
    assert len({f.leader for f in followers}) == 1
    assert {f.slot for f in followers}.isdisjoint({f.leader for f in followers})


def test_followers_are_tensors_of_a_fixed_size():
    followers = DependentSlots((2, 3))
    shapes = {k: tuple(v.shape) for k, v in followers.tensors().items()}
    followers.take([DependentSlot(slot=0, leader=1, law=np.array([[1, 0], [0, 1], [0.5, 0.5]]))])
    assert {k: tuple(v.shape) for k, v in followers.tensors().items()} == shapes
    assert followers.law(0).tolist() == [[1, 0], [0, 1], [0.5, 0.5]]
    assert followers.order == [1, 0]
    assert followers.told(1, torch.tensor([[-1, -1]]), {}) is None
