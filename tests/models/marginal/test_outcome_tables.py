"""Tables of five slots with an outcome: the parity of four bits shows in no smaller one, and is learned with noise."""

from __future__ import annotations

import itertools

import numpy as np
import torch

from synthkit.models.marginal.adaptive_measurement import measure_adaptively
from synthkit.models.marginal.budget_schedule import around
from synthkit.models.marginal.config import MarginalConfig
from synthkit.models.product_mixture import ProductMixture
from synthkit.privacy.access.counts import NoisyCounting


def test_tables_around_an_outcome_are_all_that_have_it_and_few_cells():
    sizes, generator = [2, 3, 2, 5, 2, 2], torch.Generator().manual_seed(0)
    found = around(sizes, [1, 4], 4, 40, generator).tolist()
    every = itertools.combinations(range(6), 4)
    wanted = [list(s) for s in every if {1, 4} & set(s) and np.prod([sizes[j] for j in s]) <= 40]
    assert found == sorted(wanted)
    assert around(sizes, [], 4, 40, generator).shape == (0, 4)
    assert around(sizes, [3], 4, 30, generator).shape == (0, 4)


def test_the_parity_of_four_bits_is_learned_at_epsilon_one():
    """20,000 rows of eight bits and about the rho of epsilon 1, delta 1e-5: nine rows of ten have the right label."""
    rng, n, sizes = np.random.default_rng(0), 20_000, (2,) * 9
    bits = rng.integers(0, 2, (n, 8))
    rows = np.concatenate([bits, bits[:, [0, 2, 5, 7]].sum(axis=1, keepdims=True) % 2], axis=1)
    counting = NoisyCounting.of(rows, sizes, 0.03, lambda charge: None)
    config = MarginalConfig(components=400)
    learned = measure_adaptively(
        counting,
        config.split(),
        config.course(),
        torch.Generator().manual_seed(1),
        torch.device("cpu"),
        lambda *_: None,
        outcomes=[8],
    )
    mixture = ProductMixture(sizes, len(learned.weights))
    with torch.no_grad():
        mixture.logits.copy_(learned.logits)
        mixture.weights.copy_(learned.weights)
        joint = mixture.table((0, 2, 5, 7, 8)).numpy()
    at = np.indices(joint.shape)
    assert joint[at[:4].sum(axis=0) % 2 == at[4]].sum() > 0.9
    assert (0, 2, 5, 7, 8) in learned.scopes
