"""The autoencoder against its own law integrated over a grid of codes: bounds, draws, conditionals, gradients."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
import torch
from laws import agrees

from synthkit.encoding import Given, Layout, Rows, Slot
from synthkit.models.tvae.model import TVAE, TVAEConfig
from synthkit.models.tvae.network import LatentNetwork, hidden_cells, negative_elbo

NONE = -np.inf


def law(*shares):
    return np.log(np.array(shares) / np.sum(shares)).astype(np.float32)


def tiny() -> Layout:
    """x: two coarse levels of three and two cells and a missing one; c: two names. Twelve different rows."""
    fine = np.array([law(5, 3, 2), [*law(1, 3), NONE], [NONE] * 3], dtype=np.float32)
    slots = (
        Slot(name="x", size=3, ordinal=True, missing=True, parent=None, prior=law(5, 3, 2)),
        Slot(name="x:fine", size=3, ordinal=True, missing=False, parent=0, prior=fine),
        Slot(name="c", size=2, ordinal=False, missing=False, parent=None, prior=law(2, 1)),
    )
    return Layout(slots, ("x", "x", "c"), ("x",))


EVERY = torch.tensor([[x, f, c] for x, f in [(0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (2, 0)] for c in (0, 1)])
contexts = pytest.mark.parametrize("context", [0, None])


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def rows_of(cat):
    return Rows(cat, torch.zeros(len(cat), 1))


def stirred(context: int | None, samples: int = 64) -> TVAE:
    """A model with weights far from where they start, so that codes and slots depend on each other."""
    config = TVAEConfig(width=16, hidden=8, latent=2, blocks=1, couplings=2, context=context, samples=samples)
    model = TVAE(tiny(), config)
    noise = generator(1)
    moved = {
        k: v + (0.2 if "law" in k else 0.4) * torch.randn(v.shape, generator=noise) for k, v in model.tensors().items()
    }
    moved["posterior.weight"] *= 0.2  # an encoder that knows little, and knows it
    moved["posterior.bias"] = torch.tensor([0.0, 0.0, 0.9, 0.9])
    model.load_tensors(moved, torch.device("cpu"))
    return model


@cache  # the law of one context is the same in every test, however many codes its model draws
def integrated(context: int | None) -> np.ndarray:
    """p(x) of each row: p(x | z(u)) summed over 40,000 points u of a grid, weighted by the Gaussian behind the law."""
    line = torch.linspace(-6, 6, 200)
    z = torch.cartesian_prod(line, line)
    weight = torch.exp(-0.5 * z.square().sum(dim=1)).double()
    network = stirred(context)._network
    out = torch.zeros(len(EVERY), dtype=torch.float64)
    with torch.no_grad():
        for coupling in reversed(network.law.chain):
            z = coupling.inverse(z)
        state = network.states(z)
        for k, row in enumerate(EVERY):
            every = row.expand(len(z), -1)
            seen = tiny().applicable(every)
            terms = (network.terms(state, every, seen) * seen.T).sum(dim=0)
            out[k] = (weight * terms.double().exp()).sum() / weight.sum()
    return out.numpy()


def frequencies(cat: torch.Tensor) -> np.ndarray:
    key = torch.tensor([9, 3, 1])
    return (cat @ key)[:, None].eq((EVERY @ key)[None, :]).sum(dim=0).numpy()


@contexts
def test_draws_follow_the_integral(context):
    model = stirred(context)
    p = integrated(context)
    assert p.sum() == pytest.approx(1, abs=1e-3)
    assert p.max() < 0.9
    counts = frequencies(model.sample(20_000, generator(3)).cat)
    assert agrees(counts, p)
    assert not agrees(counts, np.roll(p, 1))  # the test would notice


@contexts
def test_the_bound_rises_with_the_codes_and_reaches_the_log_probability(context):
    """Over 100 repetitions: below log p(x) in the mean, rising from 1 to 4 to 16 codes; at it with 40,000."""
    model = stirred(context)
    exact = torch.from_numpy(np.log(integrated(context))).float()
    many = rows_of(EVERY.repeat(100, 1))
    means = [model.bound(many, generator(5), k).view(100, 12).mean(dim=0) for k in (1, 4, 16)]
    assert bool((means[0] < exact).all())
    assert float(means[0].mean()) < float(means[1].mean()) < float(means[2].mean()) < float(exact.mean())
    near = model.bound(rows_of(EVERY), generator(6), 40_000)
    assert torch.allclose(near, exact, atol=0.1)


@contexts
@pytest.mark.parametrize("known", [(2,), (0, 1)])
def test_what_is_known_is_held_and_the_rest_follows_the_conditional_law(context, known):
    """Approximately, from 128 weighted completions a row."""
    model = stirred(context, samples=128)
    p = integrated(context)
    held = list(known)
    for level in (EVERY[1], EVERY[8]):
        cat = torch.full((1500, 3), -1)
        cat[:, held] = level[held]
        drawn = model.sample_given(Given(cat, {}), generator(5)).cat
        assert bool((drawn[:, held] == level[held]).all())
        agree = (EVERY[:, held] == level[held]).all(dim=1).numpy()
        assert agrees(frequencies(drawn), np.where(agree, p, 0))


@contexts
def test_what_is_known_in_part_restricts_the_law(context):
    """x is not missing in even rows, and 1 or missing in odd ones."""
    model, n = stirred(context, samples=128), 3000
    p = integrated(context)
    table = torch.tensor([[True, True, False], [False, True, True]])
    drawn = model.sample_given(Given(torch.full((n, 3), -1), {0: (table, torch.arange(n) % 2)}), generator(7)).cat
    for odd in (0, 1):
        inside = table[odd][EVERY[:, 0]].numpy()
        assert agrees(frequencies(drawn[torch.arange(n) % 2 == odd]), np.where(inside, p, 0))


@contexts
def test_conditional_log_probabilities_come_near_the_integral(context):
    model = stirred(context, samples=9000)
    p = integrated(context)
    aim = torch.tensor([[True, True, False]]).expand(12, -1)
    log = model.log_prob_given(rows_of(EVERY), Given(torch.where(aim, -1, EVERY), {}), aim)
    marginal = np.array([p[EVERY[:, 2].numpy() == c].sum() for c in EVERY[:, 2].tolist()])
    assert log.numpy() == pytest.approx(np.log(p / marginal), abs=0.15)
    assert torch.equal(log, model.log_prob_given(rows_of(EVERY), Given(torch.where(aim, -1, EVERY), {}), aim))


def test_surprise_is_minus_the_bound():
    model = stirred(context=None)
    total, parts = model.negative_log_prob(rows_of(EVERY), generator(8))
    assert torch.allclose(total, -model.bound(rows_of(EVERY), generator(8)))
    assert bool((parts >= 0).all())


@contexts
@pytest.mark.parametrize("rows", [0, 1, 12])
def test_every_row_has_a_finite_loss_that_reaches_every_weight(context, rows):
    slots = (replace(tiny().slots[0], missing=False), *tiny().slots[1:])  # three levels in a row: smooth
    layout = replace(tiny(), slots=slots)
    network = LatentNetwork(layout, width=8, hidden=8, latent=2, blocks=1, couplings=2, context=context, dropout=0.0)
    with torch.no_grad():
        for weight in network.parameters():
            weight.add_(0.1 * torch.randn(weight.shape, generator=generator(9)))
    value = negative_elbo(network.train(), EVERY[:rows], input_dropout=0.0, forget=0.0, partial=0.0)
    assert value.shape == (rows,)
    assert bool(torch.isfinite(value).all())
    value.sum().backward()
    if rows == 12:
        assert all(bool((weight.grad != 0).any()) for weight in network.parameters())


def test_the_loss_of_held_rows_is_the_same_each_time():
    network = stirred(context=None)._network
    one, two = (negative_elbo(network, EVERY, input_dropout=0.5, forget=0.5, partial=0.5) for _ in range(2))
    assert torch.equal(one, two)


def test_coarse_and_fine_are_hidden_together():
    hidden = hidden_cells(tiny(), 2000, torch.full((2000, 1), 0.3), torch.device("cpu"))
    assert torch.equal(hidden[:, 0], hidden[:, 1])
    assert not torch.equal(hidden[:, 0], hidden[:, 2])
    assert float(hidden.float().mean()) == pytest.approx(0.3, abs=4 * math.sqrt(0.21 / 2000))


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("partial", 1.5),
        ("dropout", -0.1),
        ("latent", 0),
        ("samples", 0),
        ("couplings", -1),
        ("context", -1),
        ("learning_rate", -1.0),
    ],
)
def test_settings_out_of_range_are_refused(setting, value):
    with pytest.raises(ValueError, match=setting):
        TVAEConfig(**{setting: value})


def test_without_couplings_the_law_is_the_standard_gaussian():
    network = TVAE(tiny(), TVAEConfig(width=8, hidden=8, latent=3, couplings=0))._network
    z = torch.randn(5, 3, generator=generator(2))
    expected = torch.distributions.Normal(0.0, 1.0).log_prob(z).sum(dim=1)
    assert torch.allclose(network.law.log_prob(z), expected)


def test_small_tables_get_a_firmer_hand():
    """Below 20,000 rows; 30 epochs, at least 300 and at most 2,000 steps; what is set stays."""
    small, large = TVAEConfig().settled(19_999), TVAEConfig().settled(20_000)
    assert (small.context, small.dropout, small.weight_decay, small.steps) == (None, 0.4, 10.0, 1171)
    assert (large.context, large.dropout, large.weight_decay, large.steps) == (0, 0.1, 1.0, 1171)
    assert TVAEConfig(context=3).settled(1e9).context == 3
    assert (TVAEConfig().settled(50).steps, TVAEConfig().settled(1e9).steps) == (300, 2000)
    assert TVAEConfig(dropout=0.0, steps=7).settled(50).steps == 7
    assert TVAEConfig(dropout=0.0).settled(50).dropout == 0.0
