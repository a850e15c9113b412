"""The mixture of products against enumeration of every row of a small table."""

from __future__ import annotations

import itertools

import pytest
import torch

from synthkit.models.product_mixture import MixtureEvidence, ProductMixture

SIZES = (2, 3, 4, 2)
EVERY = torch.tensor(list(itertools.product(*map(range, SIZES))))


@pytest.fixture(scope="module")
def mixture() -> ProductMixture:
    out = ProductMixture(SIZES, components=5)
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for tensor in (out.logits, out.weights, out.bias):
            tensor.normal_(0, 1.5, generator=generator)
    return out.double().requires_grad_(False)


@pytest.fixture(scope="module")
def joint(mixture):
    """p of every row, from the definition, component by component."""
    shares = torch.exp(mixture.weights) / torch.exp(mixture.weights).sum()
    total = torch.zeros(SIZES, dtype=torch.float64)
    for k in range(5):
        part = shares[k]
        at = 0
        for size in SIZES:
            law = torch.exp(mixture.logits[at : at + size, k] + mixture.bias[at : at + size])
            part = part[..., None] * (law / law.sum())
            at += size
        total += part
    return total


def evidence(mixture):
    return MixtureEvidence(mixture.laws(), mixture.shares(), mixture.starts)


def test_the_law_of_all_rows_sums_to_one(joint):
    assert float(joint.sum()) == pytest.approx(1, abs=1e-12)


@pytest.mark.parametrize("scope", [s for w in (1, 2, 3, 4) for s in itertools.combinations(range(4), w)])
def test_tables_are_sums_over_the_other_slots(mixture, joint, scope):
    others = [j for j in range(4) if j not in scope]
    wanted = joint.sum(dim=others) if others else joint
    assert torch.allclose(mixture.table(scope), wanted, atol=1e-12)
    assert torch.allclose(mixture.table(scope, mixture.laws()), wanted, atol=1e-12)


def test_the_order_of_slots_is_that_of_the_scope(mixture):
    assert torch.allclose(mixture.table((2, 0)), mixture.table((0, 2)).T, atol=1e-12)


def test_all_known_gives_the_law_of_every_row(mixture, joint):
    log = evidence(mixture).of(EVERY).logsumexp(dim=1)
    assert torch.allclose(log.exp(), joint.flatten(), atol=1e-12)


@pytest.mark.parametrize("known", [(), (1,), (0, 2), (1, 2, 3)])
def test_part_known_gives_its_marginal(mixture, joint, known):
    cat = torch.full_like(EVERY, -1)
    cat[:, list(known)] = EVERY[:, list(known)]
    log = evidence(mixture).of(cat).logsumexp(dim=1)
    others = [j for j in range(4) if j not in known]
    marginal = joint.sum(dim=others, keepdim=True).expand(SIZES) if others else joint
    assert torch.allclose(log.exp(), marginal.flatten(), atol=1e-12)


def test_components_are_weighed_by_what_is_known(mixture, joint):
    """p(x_3 | x_0, x_1) by Bayes over components is the ratio of sums over rows."""
    cat = torch.tensor([[1, 2, -1, -1]])
    posterior = torch.softmax(evidence(mixture).of(cat), dim=1)
    law = posterior @ mixture.laws()[mixture.slot(3)].T
    wanted = joint[1, 2].sum(dim=0) / joint[1, 2].sum()
    assert torch.allclose(law[0], wanted, atol=1e-12)


def test_a_slot_known_to_lie_in_a_set_weighs_by_the_mass_of_the_set(mixture, joint):
    sets = torch.tensor([[True, False, True, False], [False, True, True, True]])
    cat = torch.tensor([[0, -1, -1, -1], [0, -1, -1, 1], [-1, -1, 2, -1]])
    log = evidence(mixture).of(cat, [(2, sets, torch.tensor([0, 1, 0]))]).logsumexp(dim=1)
    wanted = [joint[0][:, sets[0]].sum(), joint[0][:, sets[1]][..., 1].sum(), joint[:, :, 2].sum()]
    assert log.exp().tolist() == pytest.approx([float(w) for w in wanted], abs=1e-12)


def test_two_slots_known_in_part(mixture, joint):
    first, second = torch.tensor([[True, True, False]]), torch.tensor([[False, True]])
    which = torch.zeros(1, dtype=torch.long)
    log = evidence(mixture).of(torch.full((1, 4), -1), [(1, first, which), (3, second, which)]).logsumexp(dim=1)
    assert float(log.exp()) == pytest.approx(float(joint[:, :2, :, 1].sum()), abs=1e-12)


def test_of_no_rows_nothing_is_said(mixture):
    assert evidence(mixture).of(EVERY[:0]).shape == (0, 5)
