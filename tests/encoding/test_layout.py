"""Layouts and admissible levels, against brute force."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from synthkit.encoding import ConstraintMask, Given, Layout, Rows, Slot
from synthkit.encoding.layout import ForbiddenCombination, checked_groups


def slot(name, size, parent=None, prior=None):
    prior = np.full(size, -np.log(size), dtype=np.float32) if prior is None else prior
    return Slot(name=name, size=size, ordinal=False, missing=False, parent=parent, prior=prior)


SIZES = (2, 3, 2)
PLAIN = Layout(tuple(slot(n, k) for n, k in zip("abc", SIZES, strict=True)), ("a", "b", "c"))
EVERY = torch.tensor(list(itertools.product(*map(range, SIZES))))


@st.composite
def clauses(draw):
    out = []
    for _ in range(draw(st.integers(1, 4))):
        slots = draw(st.lists(st.integers(0, 2), min_size=1, max_size=3, unique=True))
        literals = tuple(
            (j, np.array(draw(st.lists(st.booleans(), min_size=SIZES[j], max_size=SIZES[j])))) for j in slots
        )
        out.append(ForbiddenCombination(literals))
    return tuple(out)


def allowed_rows(forbidden):
    """Rows of EVERY that no clause forbids, told one by one."""
    bad = [any(all(marked[row[j]] for j, marked in c.literals) for c in forbidden) for row in EVERY.tolist()]
    return {tuple(row) for row, b in zip(EVERY.tolist(), bad, strict=True) if not b}


@given(clauses(), st.permutations(range(3)))
def test_a_mask_forbids_a_level_exactly_where_a_clause_would_be_met(forbidden, order):
    """Walking all rows slot by slot in any order: a row is stopped at its last slot iff a clause forbids it."""
    admissible = ConstraintMask(replace(PLAIN, clauses=forbidden), len(EVERY), None, torch.device("cpu"))
    alive = torch.ones(len(EVERY), dtype=torch.bool)
    for j in order:
        mask = admissible.mask(j)
        if mask is not None:
            assert mask.shape == (len(EVERY), SIZES[j])
            alive &= mask.gather(1, EVERY[:, [j]]).squeeze(1)
        admissible.observe(j, EVERY[:, j])
    assert {tuple(r) for r in EVERY[alive].tolist()} == allowed_rows(forbidden)


@given(clauses())
def test_known_slots_count_wherever_they_stand(forbidden):
    """Slots b and c known beforehand: the mask of a is what the clauses that speak of a leave."""
    forbidden = tuple(c for c in forbidden if 0 in dict(c.literals))
    ways = allowed_rows(forbidden)
    admissible = ConstraintMask(replace(PLAIN, clauses=forbidden), len(EVERY), None, torch.device("cpu"))
    for j in (1, 2):
        admissible.observe(j, EVERY[:, j])
    admissible.observe(0, torch.full((len(EVERY),), -1))
    mask = admissible.mask(0)
    for k, (_, b, c) in enumerate(EVERY.tolist()):
        left = [(a, b, c) in ways for a in range(2)]
        assert left == ([True, True] if mask is None else mask[k].tolist())


def test_what_is_given_restricts_and_yields_to_clauses():
    never = ForbiddenCombination(((0, np.array([False, True])), (1, np.array([True, True, False]))))
    table = torch.tensor([[True, True, False], [False, False, True]])
    given = Given(torch.full((2, 3), -1), {1: (table, torch.tensor([0, 1]))})
    admissible = ConstraintMask(replace(PLAIN, clauses=(never,)), 2, given, torch.device("cpu"))
    assert admissible.mask(1).tolist() == [[True, True, False], [False, False, True]]
    admissible.observe(0, torch.tensor([1, 1]))
    assert admissible.mask(1).tolist() == [[False, False, True]] * 2  # the first row's wish cannot be met
    assert admissible.mask(2) is None


def test_a_fine_slot_applies_where_its_prior_is_finite():
    prior = np.array([[-0.7, -0.7], [-np.inf, -np.inf], [0.0, -np.inf]], dtype=np.float32)
    layout = Layout((slot("x", 3), slot("x:fine", 2, parent=0, prior=prior), slot("y", 2)), ("x", "x", "y"))
    cat = torch.tensor([[0, 1, 0], [1, 0, 1], [2, 0, 0]], dtype=torch.int16)
    assert layout.applicable(cat).tolist() == [[True, True, True], [True, False, True], [True, True, True]]
    assert layout.sizes == (3, 2, 2)
    assert layout.slots_of("x") == (0, 1)
    assert layout.slots_of("z") == ()


def test_rows_are_cut_and_joined():
    rows = Rows(torch.arange(10).reshape(5, 2), torch.rand(5, 1))
    again = Rows.cat_rows([rows[slice(0, 2)], rows[torch.tensor([2, 3, 4])]])
    assert len(again) == 5
    assert torch.equal(again.cat, rows.cat)
    assert torch.equal(again.num, rows.num)
    assert len(rows[slice(0, 0)]) == 0


def test_given_is_cut_with_its_sets():
    given = Given(torch.tensor([[0, -1, -1], [-1, 2, 1]]), {0: (torch.eye(2, dtype=torch.bool), torch.tensor([0, 1]))})
    assert given.known().tolist() == [[True, False, False], [False, True, True]]
    part = given[slice(1, 2)]
    assert len(part) == 1
    assert part.allowed[0][1].tolist() == [1]


@pytest.mark.parametrize("n", [0, 1])
def test_no_rows_have_no_masks(n):
    admissible = ConstraintMask(PLAIN, n, None, torch.device("cpu"))
    admissible.observe(0, torch.zeros(n, dtype=torch.long))
    assert admissible.mask(1) is None


@pytest.mark.parametrize("groups", [[0, 0, 1, 10**9], [5, 6], [1, 0], [0, 2], [-1, 0]])
def test_groups_that_leave_one_out_are_refused(groups):
    """A card with a group of number 1,578,614,400 asked for 74 GiB."""
    with pytest.raises(ValueError, match="groups of cells must follow each other"):
        checked_groups(groups)
    assert checked_groups([0, 0, 1, 2, 2]).tolist() == [0, 0, 1, 2, 2]
