"""Counts of people with many rows: held against counts by hand, on tables with and without each of their units."""

from __future__ import annotations

import math
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from synthkit.errors import ConfigError
from synthkit.privacy.accounting.accountant import epsilon
from synthkit.privacy.accounting.charge import Charge
from synthkit.privacy.accounting.events import Concentrated, StackedGaussian
from synthkit.privacy.accounting.zcdp import cost
from synthkit.privacy.mechanisms.noisy_quantile import NoisyQuantile
from synthkit.privacy.mechanisms.stacked_counts import COUNT_GRID, CountedRows, StackedCounts


@st.composite
def stacks(draw):
    """A few units with very different numbers of rows in several tables, some rows nowhere."""
    units = draw(st.integers(1, 5))
    tables = []
    for _ in range(draw(st.integers(1, 4))):
        size = draw(st.integers(1, 6))
        rows = draw(st.lists(st.tuples(st.integers(0, units - 1), st.integers(-1, size - 1)), max_size=60))
        weight = draw(st.sampled_from([0.25, 1.0, 3.0]))
        owner, cell = (np.array([row[k] for row in rows], dtype=np.int64) for k in (0, 1))
        tables.append(CountedRows(owner=owner, cell=cell, size=size, weight=weight))
    return units, tables, draw(st.sampled_from([0.5, 1.0, math.sqrt(3), 7.3, 400.0]))


def without(tables, unit):
    out = []
    for t in tables:
        stay = t.owner != unit
        out.append(CountedRows(owner=t.owner[stay], cell=t.cell[stay], size=t.size, weight=t.weight))
    return out


def by_hand(tables, unit):
    """What a unit brings to each cell, row by row."""
    out = Counter()
    for k, t in enumerate(tables):
        for owner, cell in zip(t.owner, t.cell, strict=True):
            if owner == unit and cell >= 0:
                out[k, int(cell)] += t.weight
    return out


@given(stacks())
def test_a_unit_moves_all_tables_together_by_the_norm_at_most(stack):
    """Over all pairs of neighbours: in whole numbers, so that nothing is rounded."""
    units, tables, norm = stack
    counts = StackedCounts(norm=norm, noise_multiplier=1.0)
    whole = np.concatenate(counts.clipped(tables))
    for unit in range(units):
        moved = whole - np.concatenate(counts.clipped(without(tables, unit)))
        assert sum(int(m) ** 2 for m in moved) <= (norm * COUNT_GRID) ** 2
        assert (moved >= 0).all()


@given(stacks())
def test_counts_are_those_by_hand_but_for_the_grid(stack):
    units, tables, norm = stack
    found = StackedCounts(norm=norm, noise_multiplier=1.0).clipped(tables)
    want = [np.zeros(t.size) for t in tables]
    cells = Counter()
    for unit in range(units):
        brought = by_hand(tables, unit)
        long = math.sqrt(sum(v**2 for v in brought.values()))
        for (k, cell), v in brought.items():
            want[k][cell] += v * min(1.0, norm / long)
            cells[k, cell] += 1
    for k, (ours, theirs) in enumerate(zip(found, want, strict=True)):
        for cell in range(len(ours)):
            low = theirs[cell] - (2 * cells[k, cell]) / COUNT_GRID - 1e-6
            assert low <= ours[cell] / COUNT_GRID <= theirs[cell] + 1e-9


@given(stacks())
def test_norms_are_those_by_hand(stack):
    units, tables, _ = stack
    want = [math.sqrt(sum(v**2 for v in by_hand(tables, unit).values())) for unit in range(units)]
    np.testing.assert_allclose(StackedCounts.norms(tables, units), want)


def test_a_row_level_clip_would_be_seen():
    """One person with all rows of a thousand: clipped as a person, they weigh as one norm."""
    rows = CountedRows(owner=np.zeros(1000, np.int64), cell=np.arange(1000) % 4, size=4)
    found = StackedCounts(norm=2.0, noise_multiplier=1.0).clipped([rows, rows])
    assert math.hypot(*found[0], *found[1]) / COUNT_GRID == pytest.approx(2.0, abs=0.1)


def test_noise_has_the_law_that_is_charged():
    rows = CountedRows(owner=np.array([0]), cell=np.array([0]), size=4000)
    counts = StackedCounts(norm=1.0, noise_multiplier=3.0)
    noise = counts.told([rows])[0] * COUNT_GRID
    noise[0] -= COUNT_GRID
    assert np.array_equal(noise, np.round(noise))
    assert stats.kstest(noise, stats.norm(scale=3.0 * COUNT_GRID).cdf).pvalue > 1e-4
    assert counts.spent == StackedGaussian(noise_multiplier=3.0)


def test_the_price_is_that_of_one_mechanism_however_many_tables():
    spent = StackedCounts(norm=4.0, noise_multiplier=10.0).spent
    assert cost(spent).rho == pytest.approx(0.005)
    asked = [Charge(what="all tables", spent=spent)]
    reserve = [Charge(what="reserve", spent=Concentrated(rho=0.005))]
    assert epsilon(asked, 1e-5) == pytest.approx(epsilon(reserve, 1e-5), rel=1e-6)
    assert epsilon(asked, 1e-5) > 0


@pytest.mark.parametrize("weight", [0.0, -1.0, math.inf, math.nan])
def test_weights_are_above_zero(weight):
    with pytest.raises(ConfigError, match="`weight` of a table must be above 0 and finite; however: "):
        CountedRows(owner=np.array([0]), cell=np.array([0]), size=1, weight=weight)


@pytest.mark.parametrize("cell", [-2, 3])
def test_cells_are_those_of_the_table(cell):
    with pytest.raises(ConfigError, match="a cell must be one of 3, or -1; however: there are others"):
        CountedRows(owner=np.array([0]), cell=np.array([cell]), size=3)


# ------------------------------------------------------------------------------------------------------ the quantile


@given(st.floats(0.05, 0.95), st.integers(0, 9))
def test_a_quantile_that_is_paid_well_is_the_quantile(share, seed):
    values = np.random.default_rng(seed).lognormal(2.0, 1.0, 4000)
    found = NoisyQuantile(low=0.01, high=10_000.0, share=share, rho=1e4).draw(values)
    assert abs((values <= found).mean() - share) < 0.03


def test_a_unit_moves_no_score_by_more_than_is_charged():
    """Over all tables of up to four numbers and one more."""
    asked = NoisyQuantile(low=1.0, high=8.0, share=0.8, rho=1.0, cells=3)
    edges = asked.edges

    def scores(values):
        return -np.abs((np.array(values)[:, None] <= edges).sum(axis=0) - asked.share * len(values))

    tables = [[]]
    for _ in range(4):
        tables += [[*t, x] for t in tables for x in (0.5, 1.5, 4.0, 9.0) if len(t) < 4]
    worst = max(np.abs(scores([*t, x]) - scores(t)).max() for t in tables if t for x in (0.5, 1.5, 4.0, 9.0))
    assert worst == pytest.approx(asked.spent.sensitivity)
    assert cost(asked.charge("norms").spent).rho == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"low": 0.0}, "edges must rise from above 0; however: they are 0.0 and 8.0"),
        ({"high": 1.0}, "edges must rise from above 0; however: they are 1.0 and 1.0"),
        ({"share": 1.0}, "`share` must lie between 0 and 1; however: 1.0 came"),
        ({"rho": 0.0}, "the price must be positive and finite; however: rho = 0"),
        ({"rho": math.inf}, "the price must be positive and finite; however: rho = inf"),
    ],
)
def test_what_no_quantile_can_be(wrong, said):
    with pytest.raises(ConfigError, match=said):
        NoisyQuantile(**{"low": 1.0, "high": 8.0, "share": 0.5, "rho": 1.0} | wrong)
