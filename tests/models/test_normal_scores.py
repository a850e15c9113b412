"""Rows as names and normal scores: the passage there and back, and what `given` becomes."""

import numpy as np
import pytest
import torch
from scipy import stats

from synthkit.encoding.layout import Given, Layout, Rows, Slot
from synthkit.models.normal_scores import NormalScores


def logs(*shares):
    return np.log(np.array(shares, dtype=np.float32))


def layout():
    """A name, a number of one slot, a number of two with an atom and a missing level."""
    fine = np.full((4, 2), -np.inf, dtype=np.float32)
    fine[0], fine[2] = logs(0.5, 0.5), logs(0.25, 0.75)
    slots = (
        Slot(name="sex", size=2, ordinal=False, missing=False, parent=None, prior=logs(0.4, 0.6)),
        Slot(name="age", size=20, ordinal=True, missing=False, parent=None, prior=logs(*[0.05 - 1e-4] * 20)),
        Slot(name="cost", size=4, ordinal=True, missing=True, parent=None, prior=logs(0.2, 0.5, 0.2, 0.1)),
        Slot(name="cost:fine", size=2, ordinal=True, missing=False, parent=2, prior=fine),
    )
    return Layout(slots, ("sex", "age", "cost", "cost"), ("age", "cost"))


def rows(n=20_000, seed=0):
    rng = np.random.default_rng(seed)
    cost = rng.choice(4, n, p=[0.2, 0.5, 0.2, 0.1])
    fine = np.where(cost == 0, rng.random(n) < 0.5, np.where(cost == 2, rng.random(n) < 0.75, 0)).astype(int)
    cat = np.stack([rng.random(n) < 0.6, rng.integers(0, 20, n), cost, fine], axis=1).astype(np.int16)
    num = rng.random((n, 2)).astype(np.float32)
    num[:, 0] = 0.5  # every age is a point
    return Rows(torch.from_numpy(cat), torch.from_numpy(num))


def test_what_is_a_name_and_what_a_score():
    mixture = NormalScores(layout(), heavy=0.05)
    assert mixture.names == ("sex", "cost:kind")
    assert mixture.sizes == (2, 3), "a kind for the atom, one for missing, one for what has a score"
    assert mixture.scores == 2
    assert mixture.kinds == (None, 1)
    assert np.exp(mixture.priors[1]).tolist() == pytest.approx([0.4, 0.5, 0.1], abs=1e-6)
    assert NormalScores(layout(), few=20).names == ("sex", "age", "cost:kind")


def test_there_and_back():
    mixture, real = NormalScores(layout()), rows()
    back = mixture.join(mixture.split(real, torch.Generator().manual_seed(0)), torch.Generator().manual_seed(1))
    assert torch.equal(back.cat, real.cat.long())
    inside = real.cat[:, 2] % 2 == 0
    assert torch.allclose(back.num[inside, 1], real.num[inside, 1], atol=2e-3)


def test_scores_are_normal():
    mixed = NormalScores(layout()).split(rows(), torch.Generator().manual_seed(0))
    for k in range(2):
        score = mixed.num[mixed.scored[:, k], k].numpy()
        assert stats.kstest(score, "norm").pvalue > 1e-3
    assert (mixed.num[~mixed.scored] == 0).all()
    assert mixed.scored[:, 1].float().mean() == pytest.approx(0.4, abs=0.02)


def test_normal_scores_give_the_shares():
    mixture, n = NormalScores(layout()), 100_000
    generator = torch.Generator().manual_seed(3)
    cat = torch.stack([torch.zeros(n, dtype=torch.long), torch.zeros(n, dtype=torch.long)], dim=1)
    drawn = mixture.join(
        type(mixture.split(rows(4)))(cat, torch.randn(n, 2, generator=generator), torch.ones(n, 2, dtype=torch.bool)),
        generator,
    )
    level = torch.bincount(drawn.cat[:, 2], minlength=4) / n
    assert level.tolist() == pytest.approx([0.5, 0, 0.5, 0], abs=0.01)
    assert (drawn.cat[drawn.cat[:, 2] == 2, 3] == 1).float().mean() == pytest.approx(0.75, abs=0.01)


def test_what_is_given():
    mixture = NormalScores(layout())
    cat = torch.tensor([[1, -1, 2, 1], [-1, 7, 3, 0], [-1, -1, 2, -1], [-1, -1, -1, -1]])
    not_missing = torch.tensor([[True, True, True, False], [True, True, True, True]])
    known = mixture.known(Given(cat, {2: (not_missing, torch.tensor([1, 1, 1, 0]))}))
    assert known.cat.tolist() == [[True, True], [False, True], [False, True], [False, False]]
    assert known.values.cat.tolist() == [[1, 0], [0, 2], [0, 0], [0, 0]]
    assert known.num.tolist() == [[False, True], [True, False], [False, False], [False, False]]
    assert known.allowed[1].tolist()[3] == [True, True, False]
    assert stats.norm.cdf(float(known.values.num[0, 1])) > 0.5 + 0.125 - 1e-6, "inside the cell that was given"


def test_a_number_whose_every_level_is_heavy_keeps_a_score():
    slot = Slot(name="x", size=3, ordinal=True, missing=True, parent=None, prior=logs(0.6, 0.3, 0.1))
    mixture = NormalScores(Layout((slot,), ("x",), ("x",)), few=0)
    assert mixture.sizes == (3,)
    real = Rows(torch.tensor([[0], [1], [2]]), torch.full((3, 1), 0.5))
    assert torch.equal(mixture.join(mixture.split(real), torch.Generator()).cat, real.cat)
