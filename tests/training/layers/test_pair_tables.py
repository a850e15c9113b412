"""Counted laws of slots given one other: against brute force, and against sklearn's mutual information."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.metrics import mutual_info_score

from synthkit.encoding.layout import Layout, Slot
from synthkit.training.layers.pair_tables import SHRUNK, SHRUNK_ROWS, PairTables, information, left_out


def layout(*sizes: int) -> Layout:
    slots = tuple(
        Slot(name=f"s{k}", size=size, ordinal=False, missing=False, parent=None, prior=np.zeros(size, np.float32))
        for k, size in enumerate(sizes)
    )
    return Layout(slots, tuple(slot.name for slot in slots))


def rows(n: int = 400, seed: int = 0) -> torch.Tensor:
    """A code; a value it decides nearly always; one that nothing tells of."""
    rng = np.random.default_rng(seed)
    code = rng.integers(0, 4, n)
    value = np.where(rng.random(n) < 0.9, code % 3, rng.integers(0, 3, n))
    return torch.from_numpy(np.stack([code, value, rng.integers(0, 2, n)], axis=1))


def test_the_source_is_the_slot_that_tells_most():
    pairs = PairTables(layout(4, 3, 2))
    pairs.learn(rows())
    assert pairs.source.tolist() == [-1, 0, -1]


def test_what_is_added_is_the_log_ratio_of_shrunk_counts():
    pairs, cat = PairTables(layout(4, 3, 2)), rows()
    pairs.learn(cat)
    known = torch.tensor([[True, False, False]])
    added = pairs.add(1, torch.zeros(4, 3), torch.tensor([[a, 0, 0] for a in range(4)]), known)
    n = np.zeros((4, 3))
    for a, b in cat[:, :2].tolist():
        n[a, b] += 1
    law = (n.sum(axis=0) + 0.1) / (n.sum() + 0.3)
    given = (n + SHRUNK * law) / (n.sum(axis=1, keepdims=True) + SHRUNK)
    np.testing.assert_allclose(added.numpy(), np.log(given / law), rtol=1e-5)


def test_nothing_is_added_where_the_source_is_not_known_or_there_is_none():
    pairs, cat = PairTables(layout(4, 3, 2)), rows()
    pairs.learn(cat)
    logits = torch.randn(len(cat), 3, generator=torch.Generator().manual_seed(0))
    unknown = torch.zeros((1, 3), dtype=torch.bool)
    assert torch.equal(pairs.add(1, logits, cat, unknown), logits)
    assert torch.equal(pairs.add(2, logits[:, :2], cat, ~unknown), logits[:, :2])


def test_a_slot_that_is_never_drawn_tells_of_those_before_it():
    pairs, cat = PairTables(layout(3, 2, 4)), rows()[:, [1, 2, 0]]
    pairs.learn(cat)
    assert pairs.source.tolist() == [-1, -1, 0]
    pairs.learn(cat, known=2)
    assert pairs.source.tolist() == [2, -1, -1]


@pytest.mark.parametrize("seed", range(5))
def test_information_is_that_of_others_less_what_chance_shows(seed):
    rng = np.random.default_rng(seed)
    x = rng.integers(0, 5, 3000)
    y = np.where(rng.random(3000) < 0.4, x, rng.integers(0, 5, 3000))
    table = np.zeros((5, 5))
    np.add.at(table, (x, y), 1)
    assert information(table) == pytest.approx(mutual_info_score(x, y) - 16 / 6000, abs=1e-12)
    alone = np.zeros((5, 5))
    np.add.at(alone, (rng.permutation(x), y), 1)
    assert abs(information(alone)) < 0.003


def test_no_rows_tell_nothing():
    assert information(np.zeros((2, 2))) == 0
    pairs = PairTables(layout(4, 3))
    pairs.learn(torch.zeros((0, 2), dtype=torch.long))
    assert pairs.source.tolist() == [-1, -1]


def test_too_many_levels_are_not_counted():
    pairs = PairTables(layout(3000, 3000))
    many = torch.arange(3000)[:, None].expand(-1, 2)
    pairs.learn(many)
    assert pairs.source.tolist() == [-1, -1]
    assert not len(pairs.told)


def test_left_out_rows_choose_how_far_laws_are_shrunk():
    """By brute force: each row's law is counted on all others."""
    rng = np.random.default_rng(3)
    source = rng.integers(0, 6, 120)
    target = np.where(rng.random(120) < 0.5, source % 4, rng.integers(0, 4, 120))
    table = np.zeros((4, 6))
    np.add.at(table, (target, source), 1)
    law = (table.sum(axis=1) + 0.1) / (table.sum() + 0.4)
    mean = {}
    for shrunk in SHRUNK_ROWS:
        told = []
        for b, a in zip(target, source, strict=True):
            rest = table.copy()
            rest[b, a] -= 1
            told.append(np.log((rest[b, a] + shrunk * law[b]) / (rest[:, a].sum() + shrunk) / law[b]))
        mean[shrunk] = np.mean(told)
    best = max(mean, key=mean.get)
    found = left_out(table)
    assert found[0] == best
    assert found[1] == pytest.approx(mean[best], abs=1e-9)


def test_what_chance_shows_is_no_source_where_rows_are_left_out():
    rng = np.random.default_rng(5)
    alone = torch.from_numpy(rng.integers(0, 30, (200, 2)))
    pairs = PairTables(layout(30, 30))
    pairs.learn(alone, leave_one_out=True)
    assert pairs.source.tolist() == [-1, -1]


def test_a_row_that_is_trained_on_is_told_of_itself_by_the_others():
    pairs, cat = PairTables(layout(4, 3, 2)), rows(60)
    pairs.learn(cat, leave_one_out=True)
    assert pairs.source.tolist() == [-1, 0, -1]
    at = pairs.told_by(cat, torch.ones((1, 3, 3), dtype=torch.bool))
    assert torch.equal(at[:, 1], cat[:, 0])
    logits = pairs.laws(1, at[:, 1])
    logits = logits.scatter_add(1, cat[:, 1:2], pairs.own_parts(cat, at)[:, 1:2])
    assert not pairs.own_parts(cat, at)[:, [0, 2]].any()
    found = torch.log_softmax(logits, dim=1)
    table = np.zeros((3, 4))
    np.add.at(table, (cat[:, 1].numpy(), cat[:, 0].numpy()), 1)
    shrunk, _ = left_out(table)
    law = (table.sum(axis=1) + 0.1) / (table.sum() + 0.3)
    for k, (a, b, _) in enumerate(cat.tolist()):
        rest = table.copy()
        rest[b, a] -= 1
        bulk = (rest[:, a] + shrunk * law) / law
        np.testing.assert_allclose(found[k].numpy(), np.log(bulk / bulk.sum()), atol=1e-5)


def test_nothing_is_left_out_unless_it_was_asked_for():
    pairs, cat = PairTables(layout(4, 3, 2)), rows()
    pairs.learn(cat)
    assert pairs.own_parts(cat, pairs.told_by(cat, torch.ones((1, 3, 3), dtype=torch.bool))) is None


def test_a_slot_behind_tells_of_one_before_it():
    pairs, cat = PairTables(layout(4, 3, 2), behind=True), rows()
    pairs.learn(cat)
    assert pairs.source.tolist() == [1, -1, -1]
    known = torch.tensor([[False, True, False], [True, False, True]])
    assert pairs.speaks(0, known).tolist() == [True, False]
    assert pairs.speaks(1, known).tolist() == [False, False]


def test_all_slots_are_told_of_as_each_is_alone():
    pairs, cat = PairTables(layout(4, 3, 2)), rows(50)
    pairs.learn(cat)
    known = torch.rand((50, 3, 3), generator=torch.Generator().manual_seed(0)) < 0.5
    at = pairs.told_by(cat, known)
    for j, size in enumerate((4, 3, 2)):
        law, alone = pairs.laws(j, at[:, j]), pairs.add(j, torch.zeros(50, size), cat, known[:, j])
        assert torch.equal(alone, torch.zeros(50, size) if law is None else law)


def test_laws_follow_tables_that_are_loaded():
    pairs, other = PairTables(layout(4, 3, 2)), PairTables(layout(4, 3, 2))
    pairs.learn(rows(50))
    at = torch.arange(4)
    assert other.laws(1, at) is None
    other.load_state_dict(pairs.state_dict())
    assert torch.equal(other.laws(1, at), pairs.laws(1, at))
    pairs.learn(rows(50) * 0)
    assert pairs.laws(1, at) is None
