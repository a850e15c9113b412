"""Half of a draw: tables are nearer to the whole than those of a random half, and each row is as likely taken."""

from __future__ import annotations

import itertools

import numpy as np
import torch

from synthkit.models import balanced_halving
from synthkit.models.balanced_halving import balanced_half


def _rows(n, sizes, seed=0):
    rng = np.random.default_rng(seed)
    kind = rng.random((n, 1))
    return torch.from_numpy(np.stack([(rng.random(n) ** (1 + kind[:, 0]) * k).astype(int) for k in sizes], axis=1))


def _misses(rows, half, sizes):
    out = 0.0
    for a, b in itertools.combinations(range(len(sizes)), 2):
        whole, part = (
            np.bincount((r[:, a] * sizes[b] + r[:, b]).numpy(), minlength=sizes[a] * sizes[b]) for r in (rows, half)
        )
        out += float(np.abs(part - whole / 2).sum())
    return out


def test_tables_of_two_are_missed_by_less_than_half_of_what_chance_misses():
    sizes = [5, 4, 6, 3]
    rows, generator = _rows(8000, sizes), torch.Generator().manual_seed(0)
    half = balanced_half(rows, sizes, 0, generator)
    chance = 2 * torch.arange(4000) + torch.randint(2, (4000,), generator=generator)
    assert _misses(rows, rows[half], sizes) < 0.5 * _misses(rows, rows[chance], sizes)


def test_of_each_two_neighbours_one_is_taken():
    half = balanced_half(_rows(200, [3, 3]), [3, 3], 0, torch.Generator().manual_seed(1))
    assert (half // 2).tolist() == list(range(100))


def test_slots_alone_come_out_even_too():
    sizes = [2, 40]
    rows, generator = _rows(8000, sizes), torch.Generator().manual_seed(2)
    half = rows[balanced_half(rows, sizes, 1, generator)][:, 1]
    chance = rows[2 * torch.arange(4000) + torch.randint(2, (4000,), generator=generator)][:, 1]
    whole = np.bincount(rows[:, 1], minlength=40) / 2
    even, rough = (np.abs(np.bincount(part, minlength=40) - whole).sum() for part in (half, chance))
    assert even < 0.5 * rough


def test_each_row_is_taken_half_of_the_time():
    """3,000 halvings of 20 rows: a share is off by .05 with a probability below 1e-7 in each row."""
    rows = _rows(20, [3, 2, 4])
    generator, taken = torch.Generator().manual_seed(3), torch.zeros(20)
    for _ in range(3000):
        taken[balanced_half(rows, [3, 2, 4], 0, generator)] += 1 / 3000
    assert (taken - 0.5).abs().max() < 0.05


def test_of_many_tables_some_are_kept_even(monkeypatch):
    monkeypatch.setattr(balanced_halving, "MOST_TABLES", 3)
    rows = _rows(100, [2] * 8)
    half = balanced_half(rows, [2] * 8, 0, torch.Generator().manual_seed(4))
    assert len(half) == 50


def test_no_rows_and_no_slots_are_halved():
    generator = torch.Generator().manual_seed(5)
    assert balanced_half(torch.zeros((0, 2), dtype=torch.long), [2, 2], 0, generator).tolist() == []
    assert len(balanced_half(torch.zeros((6, 0), dtype=torch.long), [], 0, generator)) == 3
