"""The plan of the marginal model: its prices add up, and public numbers alone decide it."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from synthkit.models.marginal.budget_schedule import (
    MAX_CANDIDATE_TABLES,
    BudgetShares,
    Rounds,
    outcome_pairs,
    screened,
    small,
)

SPLIT = BudgetShares(singles=0.07, outcomes=0.1, choice=0.15, rounds=12, growth=1.25)
sizes = st.lists(st.integers(1, 60), min_size=1, max_size=30)


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


@given(
    sizes,
    st.floats(1e-4, 10),
    st.sampled_from([0.05, 0.5]),
    st.sampled_from([0.8, 1.0, 2.0]),
    st.lists(st.integers(0, 5), max_size=3),
)
def test_all_is_spent_and_never_more(sizes, rho, singles, growth, outcomes):
    split = BudgetShares(singles=singles, outcomes=0.2, choice=0.1, rounds=7, growth=growth)
    plan = Rounds.of(sizes, rho, split, outcome_pairs(len(sizes), [t for t in outcomes if t < len(sizes)]))
    assert plan.total(len(sizes)) <= rho
    assert plan.total(len(sizes)) == pytest.approx(rho, rel=1e-9)


@given(sizes)
def test_never_more_is_chosen_than_there_is(sizes):
    for round_ in Rounds.of(sizes, 1.0, SPLIT).rounds:
        assert 1 <= round_.many <= math.comb(len(sizes), 2)


def test_shares_are_those_asked_for():
    plan = Rounds.of([4] * 30, 1.0, SPLIT)
    assert [r.many for r in plan.rounds] == [10] * 12
    assert 30 * plan.single == pytest.approx(0.07)
    assert all(r.choice == pytest.approx(0.15 * (r.choice + r.told)) for r in plan.rounds)
    assert all(b.told == pytest.approx(1.25 * a.told) for a, b in itertools.pairwise(plan.rounds))


def test_each_outcome_is_told_with_every_other_slot_once():
    plan = Rounds.of([4] * 5, 1.0, SPLIT, outcome_pairs(5, [3, 1]))
    assert plan.known == ((0, 1), (0, 3), (1, 2), (1, 3), (1, 4), (2, 3), (3, 4))
    assert 7 * plan.pair == pytest.approx(0.1)
    assert 5 * plan.single == pytest.approx(0.07)
    assert Rounds.of([4] * 5, 1.0, SPLIT).pair == 0


def test_one_slot_is_counted_and_nothing_else():
    plan = Rounds.of([9], 2.0, SPLIT, outcome_pairs(1, [0]))
    assert plan.rounds == ()
    assert plan.single == pytest.approx(2.0)


def test_exact_answers_cost_infinity_throughout():
    plan = Rounds.of([4, 4, 4], math.inf, SPLIT)
    assert plan.single == math.inf
    assert all(r.choice == r.told == math.inf for r in plan.rounds)


def test_tables_have_a_bounded_number_of_cells():
    assert small([2, 3, 4, 100], 3, 24, generator()).tolist() == [[0, 1, 2]]
    assert len(small([2, 3, 4, 100], 3, 1200, generator())) == 4
    assert small([2, 3, 4, 100], 4, 2400, generator()).tolist() == [[0, 1, 2, 3]]
    assert small([2, 3], 3, 100, generator()).shape == (0, 3)
    assert small([2] * 7, 4, 16, generator()).tolist() == [list(c) for c in itertools.combinations(range(7), 4)]


def test_of_wide_rows_random_tables_stand_for_all():
    """300 slots have four million triples; those drawn are different, rising and bounded."""
    tables = small([2] * 299 + [50], 3, 8, generator())
    assert 150_000 < len(tables) <= MAX_CANDIDATE_TABLES
    assert len(torch.unique(tables, dim=0)) == len(tables)
    assert bool((tables[:, 1:] > tables[:, :-1]).all())
    assert int(tables.max()) == 298


@pytest.mark.parametrize("width", [3, 4])
def test_half_the_candidates_depend_most_and_half_are_any(width):
    tables = small([2] * 20, width, 2**width, generator())
    strength = torch.zeros(20, 20)
    strength[3, 7] = 1.0
    assert screened(tables, strength, len(tables), generator()) == [tuple(t) for t in tables.tolist()]
    kept = screened(tables, strength, 30, generator())
    assert len(kept) == len(set(kept)) == 30
    assert sum({3, 7} <= set(s) for s in kept) >= 15
    assert kept != screened(tables, strength, 30, generator(1))


def test_rounds_that_noise_would_drown_are_gathered_into_fewer():
    plan = Rounds.of((8,) * 20, 0.05, SPLIT, [(0, 1)])
    assert plan.affordable(0.0) is plan
    assert plan.affordable(1e-6) is plan or len(plan.affordable(1e-6).rounds) == 12
    few = plan.affordable(2e-4)
    assert 1 <= len(few.rounds) < 12
    assert few.total(20) == pytest.approx(plan.total(20), rel=1e-12)
    cells, error = 60, np.abs(np.random.default_rng(0).standard_normal(100_000)).mean()
    told = few.rounds[0].told
    assert 0.5 * cells * error * 2e-4 / math.sqrt(2 * told) < 0.16  # about .08 in a usual table, before the last round


def test_a_single_round_is_left_at_least():
    plan = Rounds.of((8,) * 20, 0.001, SPLIT)
    assert len(plan.affordable(0.1).rounds) == 1
