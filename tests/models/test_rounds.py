"""The plan of the marginal model: its prices add up, and public numbers alone decide it."""

from __future__ import annotations

import itertools
import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from synthkit.models.rounds import Rounds, Split, screened, small

SPLIT = Split(singles=0.11, triples=0.15, choice=0.1, rounds=16, growth=1.25, largest=20_000)
sizes = st.lists(st.integers(1, 60), min_size=1, max_size=30)


@given(sizes, st.floats(1e-4, 10), st.sampled_from([0, 100, 20_000]), st.sampled_from([0.0, 0.15, 0.5]))
def test_all_is_spent_and_never_more(sizes, rho, largest, triples):
    split = Split(singles=0.11, triples=triples, choice=0.1, rounds=7, growth=1.25, largest=largest)
    plan = Rounds.of(sizes, rho, split)
    assert plan.total(len(sizes)) <= rho
    assert plan.total(len(sizes)) == pytest.approx(rho, rel=1e-9)


@given(sizes)
def test_never_more_is_chosen_than_there_is(sizes):
    pairs = math.comb(len(sizes), 2)
    for round_ in Rounds.of(sizes, 1.0, SPLIT).rounds:
        assert 1 <= round_.many <= (pairs if round_.width == 2 else len(small(sizes, SPLIT.largest)))


def test_shares_are_those_asked_for():
    plan = Rounds.of([4] * 30, 1.0, SPLIT)
    pairs, triples = ([r for r in plan.rounds if r.width == w] for w in (2, 3))
    assert [r.many for r in pairs] == [10] * 16
    assert [r.many for r in triples] == [5] * 2
    assert 30 * plan.single == pytest.approx(0.11)
    assert sum(r.many * (r.choice + r.told) for r in triples) == pytest.approx(0.15 * 0.89)
    assert all(r.choice == pytest.approx(0.1 * (r.choice + r.told)) for r in plan.rounds)
    assert all(b.told == pytest.approx(1.25 * a.told) for a, b in itertools.pairwise(pairs))


def test_one_slot_is_counted_and_nothing_else():
    plan = Rounds.of([9], 2.0, SPLIT)
    assert plan.rounds == ()
    assert plan.single == pytest.approx(2.0)


def test_without_small_triples_pairs_get_their_share():
    plan = Rounds.of([50, 50, 50], 1.0, SPLIT)
    assert {r.width for r in plan.rounds} == {2}
    assert plan.total(3) == pytest.approx(1.0)


def test_exact_answers_cost_infinity_throughout():
    plan = Rounds.of([4, 4, 4], math.inf, SPLIT)
    assert plan.single == math.inf
    assert all(r.choice == r.told == math.inf for r in plan.rounds)


def test_triples_have_a_bounded_number_of_cells():
    assert small([2, 3, 4, 100], 24) == [(0, 1, 2)]
    assert len(small([2, 3, 4, 100], 1200)) == 4


def test_half_the_candidates_depend_most_and_half_are_any():
    triples = small([2] * 20, 8)
    strength = torch.zeros(20, 20)
    strength[3, 7] = 1.0
    assert screened(triples, strength, len(triples), torch.Generator()) == triples
    kept = screened(triples, strength, 30, torch.Generator().manual_seed(0))
    assert len(kept) == len(set(kept)) == 30
    assert sum({3, 7} <= set(s) for s in kept) >= 15
    other = screened(triples, strength, 30, torch.Generator().manual_seed(1))
    assert kept != other
