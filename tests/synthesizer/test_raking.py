"""Rows chosen from a pool: raking against textbook answers, fair and without repetition, nearer to the targets."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from synthkit.encoding import Rows
from synthkit.encoding.column_groups import ColumnGroups
from synthkit.encoding.raking_margins import RakingMargins, tabulate
from synthkit.synthesizer import raking
from synthkit.synthesizer.raking import NEAR_ENOUGH, Cells, exchange, rake, sample, select


def columns(*sizes: int) -> tuple[ColumnGroups, ...]:
    return tuple(
        ColumnGroups(column=f"c{k}", slots=(k,), groups=np.arange(size, dtype=np.int16)) for k, size in enumerate(sizes)
    )


def targets(sizes, tables, counts, sigma=None) -> RakingMargins:
    return RakingMargins.of(columns(*sizes), tables, [np.asarray(c) for c in counts], sigma)


def rows_of(table: np.ndarray) -> np.ndarray:
    """A pool with so many rows in each cell. **Shape**: (K_1, ..., K_d) -> (d, n)."""
    cells = np.array(list(np.ndindex(*table.shape)), dtype=np.int16)
    return np.repeat(cells, table.ravel(), axis=0).T


def weighted(codes: np.ndarray, weights: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    out = np.zeros(shape)
    np.add.at(out, tuple(codes), weights)
    return out / out.sum()


def fitted_by_hand(table: np.ndarray, margins: dict[tuple[int, ...], np.ndarray]) -> np.ndarray:
    """Iterative proportional fitting as in textbooks, on the full table, to convergence."""
    out = table / table.sum()
    for _ in range(2000):
        for axes, margin in margins.items():
            others = tuple(k for k in range(out.ndim) if k not in axes)
            shape = tuple(out.shape[k] if k in axes else 1 for k in range(out.ndim))
            out = out * (margin / out.sum(axis=others)).reshape(shape)
    return out


def test_raking_two_margins_keeps_the_odds_ratio():
    """The only 2 x 2 table with margins (.6, .4) and (.3, .7) and the pool's odds ratio, from its quadratic."""
    pool = np.array([[30, 20], [25, 45]])
    codes = rows_of(pool)
    asked = Cells.of(targets((2, 2), [(0,), (1,)], [[60, 40], [30, 70]]))
    found = weighted(codes, rake(codes, asked, sweeps=60), (2, 2))
    theta = 30 * 45 / (20 * 25)
    a, b, c = theta - 1, -(1 + (theta - 1) * (0.6 + 0.3)), theta * 0.6 * 0.3
    p = (-b - np.sqrt(b * b - 4 * a * c)) / (2 * a)
    assert found == pytest.approx(np.array([[p, 0.6 - p], [0.3 - p, 0.1 + p]]), abs=1e-6)


def test_raking_three_columns_is_what_the_textbook_gives():
    rng = np.random.default_rng(0)
    pool, truth = rng.integers(20, 60, (2, 3, 2)), rng.integers(30, 90, (2, 3, 2))
    pairs = [(0, 1), (0, 2), (1, 2)]
    margins = {pair: truth.sum(axis=({0, 1, 2} - set(pair)).pop()) for pair in pairs}
    asked = Cells.of(targets((2, 3, 2), pairs, [m.ravel() for m in margins.values()]))
    codes = rows_of(pool)
    found = weighted(codes, rake(codes, asked, sweeps=200), pool.shape)
    assert found == pytest.approx(fitted_by_hand(pool, {k: m / m.sum() for k, m in margins.items()}), abs=1e-6)


def test_weights_stay_bounded_where_targets_cannot_be_met():
    """Half the table is asked of one row in a thousand; the tables of two columns contradict each other."""
    codes = rows_of(np.array([[999, 0], [0, 1]]))
    asked = Cells.of(targets((2, 2), [(0,), (1,)], [[50, 50], [90, 10]]))
    weights = rake(codes, asked, sweeps=30)
    assert np.isfinite(weights).all()
    assert (weights > 0).all()
    assert 0.9 < weights.mean() <= 1
    assert 2 < weights.max() <= raking.CAP


@given(
    st.lists(st.floats(0.001, 50), min_size=1, max_size=60),
    st.integers(0, 60),
    st.integers(0, 10**6),
)
@settings(max_examples=200, deadline=None)
def test_so_many_rows_as_asked_for_are_chosen(weights, n, seed):
    chosen = sample(np.array(weights), n, np.random.default_rng(seed))
    assert chosen.sum() == min(n, len(weights))


def test_rows_are_chosen_in_proportion_to_their_weights():
    """Frequencies over 4,000 choices; a weight too heavy to be met makes a row certain."""
    weights, rng = np.array([0.5, 1.0, 1.0, 2.0, 2.0, 30.0]), np.random.default_rng(0)
    often = np.mean([sample(weights, 3, rng) for _ in range(4000)], axis=0)
    assert often[5] == 1
    assert often[:5] == pytest.approx(2 * weights[:5] / weights[:5].sum(), abs=0.05)


def error(codes: np.ndarray, asked: RakingMargins) -> float:
    """Mean total variation between tables of rows and those asked for, counted anew."""
    tables = tabulate(codes, asked.groupings, asked.tables)
    edges = np.cumsum([0, *asked.sizes])
    wanted = [asked.shares[a:b] for a, b in itertools.pairwise(edges)]
    return float(np.mean([np.abs(t / t.sum() - w).sum() / 2 for t, w in zip(tables, wanted, strict=True)]))


def dependent(n: int, strength: float, rng: np.random.Generator) -> np.ndarray:
    """Four columns of five levels that follow a common one. **Shape**: -> (4, n)."""
    common = rng.integers(0, 5, n)
    free = rng.integers(0, 5, (4, n))
    return np.where(rng.random((4, n)) < strength, common, free).astype(np.int16)


TABLES = [(0,), (1,), (2,), (3,), *itertools.combinations(range(4), 2)]


def learned(rng: np.random.Generator, n: int = 20_000) -> RakingMargins:
    real = dependent(n, 0.6, rng)
    return RakingMargins.of(columns(5, 5, 5, 5), TABLES, tabulate(real, columns(5, 5, 5, 5), TABLES))


@given(st.integers(1, 400), st.integers(1, 4), st.integers(0, 10**6))
@settings(max_examples=40, deadline=None)
def test_what_is_selected_is_part_of_the_pool_without_repetition(n, factor, seed):
    rng = np.random.default_rng(seed)
    asked = learned(np.random.default_rng(1))
    at = select(dependent(n * factor, 0.5, rng), n, asked, rng)
    assert len(at) == n == len(set(at.tolist()))
    assert at.min() >= 0
    assert at.max() < n * factor


@pytest.mark.parametrize(("n", "cut"), [(200, 0.35), (4000, 0.2)])
def test_tables_come_near_the_targets(n, cut):
    """Of a pool with weaker dependence the rows chosen have less than `cut` of its error."""
    rng = np.random.default_rng(2)
    asked, pool = learned(rng), dependent(3 * n, 0.5, rng)
    assert error(pool[:, select(pool, n, asked, rng, to="sample")], asked) < cut * error(pool[:, :n], asked)


def test_a_wrong_pool_is_corrected_towards_the_law_and_not_its_sample():
    """Of 40 samples of 1,000 rows: tables of a million rows come nearer; those of a right pool go no farther."""
    truth = learned(np.random.default_rng(10), 1_000_000)
    for strength, cut in ((0.2, 0.7), (0.6, 1.0)):
        plain, chosen = [], []
        for seed in range(40):
            rng = np.random.default_rng(seed)
            asked, pool = learned(rng, 1000), dependent(3000, strength, rng)
            plain.append(error(pool[:, :1000], truth))
            chosen.append(error(pool[:, select(pool, 1000, asked, rng)], truth))
        assert np.mean(chosen) < cut * np.mean(plain)


def test_rows_of_a_right_pool_are_no_nearer_to_the_sample():
    """The rows chosen are as far from the sample that was fitted as from another one, over 200 of either.

    Exchanges to the sample's own tables make them much nearer; the standard error of the mean gap is below 0.001.
    """
    gaps = {"shrunk": [], "not": []}
    for seed in range(200):
        rng = np.random.default_rng(seed)
        asked, other, pool = learned(rng, 1000), learned(rng, 1000), dependent(1500, 0.6, rng)
        cells = Cells.of(asked)
        both = {"shrunk": select(pool, 500, asked, rng), "not": exchange(pool, np.arange(1500) < 500, cells, rng)}
        for name, chosen in both.items():
            gaps[name].append(error(pool[:, chosen], other) - error(pool[:, chosen], asked))
    errors = {name: np.std(gap) / np.sqrt(len(gap)) for name, gap in gaps.items()}
    assert max(errors.values()) < 0.001
    assert np.mean(gaps["shrunk"]) < 3 * errors["shrunk"]
    assert np.mean(gaps["not"]) > 10 * errors["not"]


def test_exchanges_lower_the_error_that_raking_leaves():
    rng = np.random.default_rng(3)
    asked, pool = learned(rng), dependent(6000, 0.5, rng)
    cells = Cells.of(asked)
    raked = sample(rake(pool, cells), 2000, rng)
    assert error(pool[:, exchange(pool, raked, cells, rng)], asked) < 0.5 * error(pool[:, raked], asked)


def test_exchanges_end_within_the_sampling_error_of_the_targets():
    """Tables of few rows, or noisy ones, are followed less closely: what they got wrong by chance is not copied."""
    rng = np.random.default_rng(4)
    pool = dependent(12_000, 0.6, rng)
    real = dependent(20_000, 0.6, np.random.default_rng(5))
    counts = tabulate(real, columns(5, 5, 5, 5), TABLES)
    errors = []
    for sigma in (None, [400.0] * len(TABLES)):
        asked = RakingMargins.of(columns(5, 5, 5, 5), TABLES, counts, sigma)
        start = sample(np.ones(12_000), 4000, np.random.default_rng(6))
        after = exchange(pool, start, Cells.of(asked), np.random.default_rng(7))
        errors.append(error(pool[:, after], asked))
    exact = Cells.of(RakingMargins.of(columns(5, 5, 5, 5), TABLES, counts))
    expected = [np.sqrt(2 / np.pi * (c / c.sum()) * (1 - c / c.sum()) / c.sum()).sum() / 2 for c in counts]
    assert exact.slack == pytest.approx(sum(expected))
    assert errors[0] > 0.5 * NEAR_ENOUGH * exact.slack / len(TABLES)
    assert errors[1] > 2 * errors[0]


def test_tables_that_contradict_each_other_are_compromised_between():
    """Column 0 has 30 % ones by one table and 50 % by another: the rows chosen lie between."""
    rng = np.random.default_rng(8)
    asked = targets((2, 2), [(0,), (0, 1)], [[700, 300], [250, 250, 250, 250]])
    pool = rng.integers(0, 2, (2, 3000)).astype(np.int16)
    share = pool[0, select(pool, 1000, asked, rng)].mean()
    assert 0.3 < share < 0.5


def test_noise_may_take_a_pooled_cell_below_nothing():
    """Noisy counts whose kept cells sum to more than the table still give shares that sum to one."""
    cells = Cells.of(
        RakingMargins(
            groupings=columns(3),
            tables=((0,),),
            shares=np.array([0.7, 0.4, np.nan]),
            sigma=np.array([30.0]),
            rows=100.0,
        )
    )
    assert cells.share.tolist() == pytest.approx([0.7 / 1.1, 0.4 / 1.1, 0])


class Coin:
    """A model of one slot that draws ones a fifth of the time, and keeps a list of how many rows it was asked for."""

    def __init__(self) -> None:
        self.asked: list[int] = []

    def sample(self, n: int, generator: torch.Generator) -> Rows:
        self.asked.append(n)
        cat = (torch.rand((n, 1), generator=generator) < 0.2).to(torch.int16)
        return Rows(cat, torch.arange(n, dtype=torch.float32)[:, None])


def test_large_tables_are_drawn_part_by_part(monkeypatch):
    monkeypatch.setattr(raking, "MAX_ROWS_PER_POOL", 1000)
    coin, asked = Coin(), targets((2,), [(0,)], [[500, 500]])
    rows = raking.draw(coin, 2500, asked, torch.Generator().manual_seed(0), np.random.default_rng(0), pool=3)
    assert len(rows) == 2500
    assert sum(coin.asked) == 3 * 2500
    assert max(coin.asked) <= 3000
    assert float(rows.cat.double().mean()) == pytest.approx(0.5, abs=0.02)


@pytest.mark.parametrize("n", [0, 1, 2])
def test_very_few_rows_can_be_asked_for(n):
    asked = targets((2,), [(0,)], [[500, 500]])
    rows = raking.draw(Coin(), n, asked, torch.Generator().manual_seed(0), np.random.default_rng(0))
    assert len(rows) == n


def test_without_any_table_rows_are_chosen_at_random():
    none = RakingMargins(groupings=(), tables=(), shares=np.empty(0), sigma=np.empty(0), rows=10.0)
    assert len(select(np.empty((0, 30), dtype=np.int16), 10, none, np.random.default_rng(0))) == 10
