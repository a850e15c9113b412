"""The loader: batches cover every row, units stay together, small tables hold nothing back, steps are taken."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import torch

from synthkit.encoding import Layout, Rows, Slot
from synthkit.privacy.access.exact_loader import ExactLoader
from synthkit.runtime.seeds import Seeds
from synthkit.training.loader import Batching

CPU = torch.device("cpu")


def rows_of(n):
    """Rows whose first slot says which row it is."""
    return Rows(torch.arange(n)[:, None], torch.rand(n, 1))


def layout_of(n):
    slot = Slot(name="x", size=n, ordinal=False, missing=False, parent=None, prior=np.zeros(n, dtype=np.float32))
    return Layout((slot,), ("x",))


def loader_of(n, units=None, seed=0):
    return ExactLoader.of(rows_of(n), layout_of(n), units, Seeds(seed), CPU)


def batches(loader, size, steps, seed=0):
    weight = torch.nn.Parameter(torch.zeros(1))
    optimizer = torch.optim.SGD([weight], lr=1.0)
    generator = torch.Generator().manual_seed(seed)
    return [rows for rows, _ in loader.batches(optimizer, Batching(size, steps, generator))]


@pytest.mark.parametrize("n", [1, 2, 199])
def test_small_tables_hold_nothing_back(n):
    loader = loader_of(n)
    assert loader.validation() is None
    assert loader.n == n


def test_a_twentieth_is_held_back_and_no_row_is_lost_or_doubled():
    loader = loader_of(20_000)
    held, kept = loader.validation().cat.ravel(), loader.rows.cat.ravel()
    assert abs(len(held) - 1000) <= 4 * np.sqrt(20_000 * 0.05 * 0.95)
    assert torch.equal(torch.cat([held, kept]).sort().values, torch.arange(20_000))
    assert loader.n == len(kept)
    assert loader.device == CPU
    assert len(loader.validation().num) == len(held)


def test_units_stay_together():
    units = pd.Series(np.random.default_rng(0).integers(0, 400, 3000).astype(str))
    loader = loader_of(3000, units)
    held, kept = (set(units[rows.cat.ravel().numpy()]) for rows in (loader.held, loader.rows))
    assert held
    assert not held & kept


@pytest.mark.parametrize("owner", ["one person", None])
def test_a_table_of_one_unit_is_not_held_back_whole(owner):
    """Whatever the draw: there is always something to learn from, even where the unit is missing."""
    for seed in range(60):
        loader = loader_of(300, pd.Series([owner] * 300, dtype=object), seed)
        assert loader.validation() is None
        assert loader.n == 300


def test_rows_without_a_unit_are_no_other_persons():
    """They are held back, or not, apart from the last person of the table."""
    units = pd.Series([None] * 150 + ["a"] * 150, dtype=object)
    sides = set()
    for seed in range(200):
        loader = loader_of(300, units, seed)
        if loader.held is not None:
            sides.add(tuple(sorted(set((loader.held.cat.ravel() < 150).tolist()))))
    assert sides == {(True,), (False,)}


def test_the_same_seed_holds_the_same_rows_back():
    one, two, other = (loader_of(2000, seed=s).held.cat.ravel().tolist() for s in (1, 1, 2))
    assert one == two
    assert one != other


@pytest.mark.parametrize(("n", "size"), [(100, 10), (100, 30), (7, 3), (5, 64), (1, 1)])
def test_batches_cover_every_row_once_an_epoch(n, size):
    """The first k * n rows of the stream of batches are k shuffles of the table."""
    width = min(size, n)
    got = batches(loader_of(n), size, steps=3 * (-(-n // width)))
    assert {len(b) for b in got} == {width}
    stream = torch.cat([b.cat.ravel() for b in got])
    for epoch in range(len(stream) // n):
        part = stream[epoch * n : (epoch + 1) * n]
        assert torch.equal(part.sort().values, torch.arange(n))


def test_batches_are_shuffled_anew_each_epoch_and_by_the_generator_alone():
    one, two, other = (torch.stack([b.cat.ravel() for b in batches(loader_of(100), 100, 2, s)]) for s in (1, 1, 2))
    assert torch.equal(one, two)
    assert not torch.equal(one, other)
    assert not torch.equal(one[0], one[1])


def test_batches_from_a_step_on_are_those_that_would_have_come():
    whole = batches(loader_of(100), 30, 9)
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    for start in (0, 1, 4, 9):
        generator = torch.Generator().manual_seed(0)
        rest = loader_of(100).batches(optimizer, Batching(30, 9, generator, start))
        assert [rows.cat.tolist() for rows, _ in rest] == [rows.cat.tolist() for rows in whole[start:]]


@pytest.mark.parametrize("sizes", [[8], [5, 3], [1] * 8, [7, 1]])
def test_a_loss_in_parts_makes_the_step_of_the_whole(sizes):
    """The gradient of the mean over all rows, however they are cut; the mean itself comes back."""
    weight = torch.nn.Parameter(torch.tensor(2.0))
    optimizer = torch.optim.SGD([weight], lr=0.1)
    ((rows, step),) = loader_of(8).batches(optimizer, Batching(8, 1, torch.Generator().manual_seed(0)))
    parts = torch.split(rows.cat.ravel().float(), sizes)
    assert step(weight * x for x in parts) == pytest.approx(2 * 3.5, rel=1e-6)
    assert float(weight.detach()) == pytest.approx(2 - 0.1 * 3.5, rel=1e-6)


def test_a_step_follows_the_gradient_of_the_mean_loss():
    """Plain SGD on w * x: w falls by the rate times the mean of x over the batch, and old gradients are forgotten."""
    weight = torch.nn.Parameter(torch.zeros(()))
    optimizer = torch.optim.SGD([weight], lr=0.1)
    expected = 0.0
    for rows, step in loader_of(8).batches(optimizer, Batching(4, 3, torch.Generator().manual_seed(0))):
        x = rows.cat.ravel().float()
        assert step(weight * x + 1) == pytest.approx(float(expected * x.mean()) + 1, rel=1e-5)
        expected -= 0.1 * float(x.mean())
        assert float(weight.detach()) == pytest.approx(expected, rel=1e-5)
