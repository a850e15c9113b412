"""A keyed permutation is one: every number once, another order with another key, and no order preferred."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from synthkit.encoding.keyed_permutation import KeyedPermutation, keyed_uniform


@settings(deadline=None, max_examples=60)
@given(n=st.integers(1, 5000), key=st.text(max_size=8))
def test_every_number_comes_once(n, key):
    assert np.array_equal(np.sort(KeyedPermutation(n, key)(np.arange(n))), np.arange(n))


def test_a_place_is_worked_out_by_itself():
    order = KeyedPermutation(10**12, "k")
    places = np.array([0, 5, 10**12 - 1, 123_456_789])
    found = order(places)
    assert ((found >= 0) & (found < 10**12)).all()
    assert order(places[2:3])[0] == found[2]
    assert len(np.unique(order(np.arange(200_000)))) == 200_000


def test_keys_make_orders_and_none_is_preferred():
    firsts = np.array([KeyedPermutation(24, f"key {k}")(np.array([0, 1])) for k in range(4800)])
    assert stats.chisquare(np.bincount(firsts[:, 0], minlength=24)).pvalue > 1e-4
    pairs = np.bincount(firsts[:, 0] * 24 + firsts[:, 1], minlength=576).reshape(24, 24)
    assert not np.diag(pairs).any()
    assert stats.chisquare(pairs[~np.eye(24, dtype=bool)]).pvalue > 1e-4


@pytest.mark.parametrize("n", [0, -1, 2**62 + 1])
def test_of_nothing_there_is_no_order(n):
    with pytest.raises(ValueError, match=r"1 to 2\^62 things"):
        KeyedPermutation(n, "k")


def test_draws_of_codes_are_even_and_by_code():
    drawn = keyed_uniform(np.arange(50_000, dtype=np.uint64), "k")
    assert stats.kstest(drawn, "uniform").pvalue > 1e-4
    assert np.array_equal(drawn[[7, 9]], keyed_uniform(np.array([7, 9], dtype=np.uint64), "k"))
    assert abs(np.corrcoef(drawn, keyed_uniform(np.arange(50_000, dtype=np.uint64), "l"))[0, 1]) < 0.02
