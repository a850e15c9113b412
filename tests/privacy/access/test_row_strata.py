"""Classes of rows by the rows of their unit: against counts by hand, neighbours, and what is charged."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synthkit.errors import ConfigError
from synthkit.privacy.access import row_strata
from synthkit.privacy.access.row_strata import RowStrata, class_ends, joined
from synthkit.privacy.access.unit_counts import stratified_counting
from synthkit.privacy.accounting.events import StackedGaussian
from synthkit.privacy.accounting.zcdp import cost
from synthkit.privacy.mechanisms.stacked_counts import COUNT_GRID, StackedCounts

MANY = np.repeat([1, 2, 3, 5, 8, 9, 10], [400, 200, 100, 60, 50, 40, 30])  # rows of each unit
OWNER = np.repeat(np.arange(len(MANY)), MANY)
SURE = 1e9


@pytest.mark.parametrize(
    ("bound", "ends"), [(1, [1]), (2, [1, 2]), (3, [1, 2, 3]), (8, [1, 2, 4, 8]), (10, [1, 2, 4, 8, 10])]
)
def test_classes_double_up_to_the_bound(bound, ends):
    assert class_ends(bound).tolist() == ends


def test_rows_of_each_class_are_told():
    found = RowStrata.told(OWNER, bound=10, rho=SURE, pay=lambda charge: None)
    by_hand = [MANY[(low <= MANY) & (high >= MANY)].sum() for low, high in ((1, 1), (2, 2), (3, 4), (5, 8), (9, 10))]
    np.testing.assert_allclose(found.rows, by_hand, rtol=0.01)
    np.testing.assert_array_equal(np.bincount(found.level), by_hand)


def test_classes_of_few_units_are_joined_with_smaller_ones():
    owner = np.concatenate([np.arange(1000), np.repeat(1000, 8), np.repeat(1001, 2)])
    found = RowStrata.told(owner, bound=10, rho=0.05, pay=lambda charge: None)
    assert len(found.rows) == 1
    assert set(found.level.tolist()) == {0}


@given(st.lists(st.floats(-50, 500), min_size=1, max_size=8), st.floats(0.1, 20))
@settings(deadline=None)
def test_joined_classes_are_neighbours_and_all_but_the_whole_are_clear(told, sigma):
    told, sigmas = np.array(told), sigma * 2.0 ** np.arange(len(told))
    group = joined(told, sigmas)
    assert set(np.diff(group).tolist()) <= {0, 1}
    assert group[0] == 0
    for k in range(1, group[-1] + 1):
        here = group == k
        assert told[here].sum() >= row_strata.CLEAR_CLASS * np.sqrt((sigmas[here] ** 2).sum()) * (1 - 1e-9)


@pytest.mark.parametrize("many", [1, 2, 3, 7, 10])
def test_one_unit_moves_all_classes_by_the_norm_at_most(many, monkeypatch):
    """In parts of the largest number of rows of each class, which is what the noise is added to."""
    seen = []
    real = StackedCounts.clipped

    def heard(self, tables):
        seen.append((self, real(self, tables)))
        return seen[-1][1]

    monkeypatch.setattr(StackedCounts, "clipped", heard)
    for owner in (OWNER, np.concatenate([OWNER, np.repeat(len(MANY), many)])):
        RowStrata.told(owner, bound=10, rho=1.0, pay=lambda charge: None)
    (counts, before), (_, after) = seen
    moved = np.concatenate(after) - np.concatenate(before)
    assert 0 < np.linalg.norm(moved) <= counts.norm * COUNT_GRID


def test_the_charge_is_the_price_and_comes_first():
    charges = []
    RowStrata.told(OWNER, bound=10, rho=0.3, pay=charges.append)
    assert [type(charge.spent) for charge in charges] == [StackedGaussian]
    assert cost(charges[0].spent).rho == pytest.approx(0.3, rel=1e-6)

    class EmptyError(Exception):
        pass

    def refuse(charge):
        raise EmptyError

    with pytest.raises(EmptyError):
        RowStrata.told(OWNER, bound=10, rho=0.3, pay=refuse)


def test_what_is_not_paid_is_not_told():
    with pytest.raises(ConfigError, match="price of a noisy answer must be positive"):
        RowStrata.told(OWNER, bound=10, rho=0.0, pay=lambda charge: None)


def test_nobody_has_classes_too():
    found = RowStrata.told(np.zeros(0, dtype=np.int64), bound=10, rho=1.0, pay=lambda charge: None)
    assert len(found.level) == 0
    assert (found.rows >= 1).all()


def test_all_questions_of_a_counting_in_classes_cost_no_more_than_is_left():
    charges = []
    cat = np.random.default_rng(0).integers(0, 3, size=(len(OWNER), 2))
    here = stratified_counting(cat, OWNER, (3, 3), bound=10, rho=1.0, pay=charges.append)
    here.measure([(0,), (0, 1), (0, 2)], here.rho / 3)
    assert sum(cost(charge.spent).rho for charge in charges) == pytest.approx(1.0, rel=1e-6)
    assert here.sizes == (3, 3, len(here.rows))
