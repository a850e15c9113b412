"""Countings told together: exactly as each alone, or with one clip and one noise, in parts as their prices say."""

from __future__ import annotations

import math

import numpy as np
import pytest

from synthkit.encoding.slot_counts import AskedCounts
from synthkit.errors import ConfigError
from synthkit.privacy.access.counts import ExactCounting
from synthkit.privacy.access.linked_counts import ExactLinkedCounts, NoisyLinkedCounts
from synthkit.privacy.access.unit_counts import UnitCounting
from synthkit.privacy.accounting.zcdp import cost

RNG = np.random.default_rng(0)
SIZES = {"a": (3, 2), "b": (4, 5)}
OWNER = {
    "a": np.repeat(np.arange(400), RNG.integers(0, 4, 400)),
    "b": np.repeat(np.arange(400), RNG.integers(0, 9, 400)),
}
CAT = {name: RNG.integers(0, SIZES[name], (len(OWNER[name]), 2)) for name in SIZES}


def noisy(rho, charges):
    parts = {n: UnitCounting.of(CAT[n], OWNER[n], SIZES[n], bound=9, rho=rho, pay=charges.append) for n in SIZES}
    charges.clear()
    return NoisyLinkedCounts(parts)


def asked(counting, prices):
    return [AskedCounts(counting=counting.parts[n], scopes=[(0,), (0, 1)], rho=prices[n]) for n in prices]


def test_exact_counts_are_those_of_each_part_in_the_order_asked():
    counting = ExactLinkedCounts({n: ExactCounting.of(CAT[n], SIZES[n]) for n in SIZES})
    told = counting.measure(asked(counting, {"b": 1.0, "a": 2.0}))
    assert [table.scope for table in told[0]] == [(0,), (0, 1)]
    for name, tables in zip("ba", told, strict=True):
        want = np.zeros(SIZES[name])
        np.add.at(want, tuple(CAT[name].T), 1)
        np.testing.assert_array_equal(tables[1].counts, want)
        np.testing.assert_array_equal(tables[0].counts, want.sum(axis=1))
        assert tables[0].sigma == 0


def test_noise_is_in_proportion_to_the_root_of_the_price_and_the_prices_are_the_charge():
    charges = []
    counting = noisy(10.0, charges)
    told = counting.measure(asked(counting, {"a": 0.01, "b": 0.04}))
    assert math.fsum(cost(charge.spent).rho for charge in charges) == pytest.approx(2 * 0.01 + 2 * 0.04, rel=1e-6)
    scale = [t[0].sigma / c.rows for t, c in zip(told, counting.parts.values(), strict=True)]
    rows = [len(OWNER[n]) for n in SIZES]
    most = [part.most for part in counting.parts.values()]
    assert scale[0] * rows[0] / (scale[1] * rows[1]) == pytest.approx(2.0 * most[0] / most[1], rel=0.35)


def test_counts_that_are_paid_well_are_those_of_the_rows():
    counting = noisy(1e9, [])
    told = counting.measure(asked(counting, {"a": 1e7, "b": 1e7}))
    for name, tables in zip(SIZES, told, strict=True):
        want = np.bincount(CAT[name][:, 0], minlength=SIZES[name][0]) / len(CAT[name])
        np.testing.assert_allclose(tables[0].counts / tables[0].counts.sum(), want, atol=0.03)


def test_a_part_of_which_nothing_is_asked_is_told_nothing():
    counting = noisy(1.0, [])
    told = counting.measure(
        [
            AskedCounts(counting=counting.parts["a"], scopes=[], rho=0.1),
            AskedCounts(counting=counting.parts["b"], scopes=[(0,)], rho=0.1),
        ]
    )
    assert [len(tables) for tables in told] == [0, 1]


def test_what_is_told_together_is_counted_by_units():
    counting = noisy(1.0, [])
    exact = ExactCounting.of(CAT["a"], SIZES["a"])
    with pytest.raises(ConfigError, match="tables that are told together must be counted by units; however: some"):
        counting.measure([AskedCounts(counting=exact, scopes=[(0,)], rho=0.1)])


@pytest.mark.parametrize("rho", [0.0, math.inf])
def test_prices_are_above_zero_and_finite(rho):
    charges = []
    counting = noisy(1.0, charges)
    with pytest.raises(ConfigError, match="must be positive and finite"):
        counting.measure(asked(counting, {"a": 0.1, "b": rho}))
    assert charges == []
