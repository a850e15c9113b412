"""A budget: what can be meant, and a delta that follows from a declared n only."""

from __future__ import annotations

import math

import pytest

from synthkit.errors import ConfigError
from synthkit.privacy.accounting.budget import Budget


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"epsilon": 0}, "epsilon must be a finite number above 0; however: 0"),
        ({"epsilon": math.inf}, "epsilon must be a finite number above 0; however: inf"),
        ({"epsilon": True}, "epsilon must be a finite number above 0; however: True"),
        ({"delta": 0}, "delta must lie between 0 and 1; however: 0"),
        ({"delta": 1.0}, "delta must lie between 0 and 1; however: 1.0"),
        ({"delta": math.nan}, "delta must lie between 0 and 1; however: nan"),
        ({"adjacency": "replace-one"}, "adjacency must be `add-remove`.*; however: 'replace-one'"),
        ({"unit": "patient", "max_rows_per_unit": 0}, "max_rows_per_unit must be a whole number .*; however: 0"),
        ({"unit": "patient", "max_rows_per_unit": 2.0}, "max_rows_per_unit must be a whole number .*; however: 2.0"),
        ({"max_rows_per_unit": 2}, "max_rows_per_unit needs a unit .*; however: no unit is named"),
        ({"public_n": 1}, "a public n must be a whole number of 2 or more; however: 1"),
        ({"public_n": 100_000}, "delta must be below 1 / n, .*; however: 1e-05 with a public n of 100,000"),
    ],
)
def test_what_cannot_be_meant_is_refused(wrong, message):
    with pytest.raises(ConfigError, match=message):
        Budget(**({"epsilon": 1.0, "delta": 1e-5} | wrong))


def test_delta_follows_from_a_declared_number_and_is_far_below_one_over_it():
    assert Budget.of_public_n(epsilon=1, public_n=1_000_000).delta == pytest.approx(1e-9)
    assert Budget.of_public_n(epsilon=1, public_n=100).delta == 1e-5
    for n in (2, 10, 1_000, 30_000, 10**9):
        budget = Budget.of_public_n(epsilon=1, public_n=n, unit="patient", max_rows_per_unit=3)
        assert budget.delta <= n**-1.5
        assert (budget.public_n, budget.unit, budget.max_rows_per_unit) == (n, "patient", 3)


@pytest.mark.parametrize("n", [0, 1, -5, 2.5])
def test_a_number_of_units_that_is_none_gives_no_delta(n):
    with pytest.raises(ConfigError, match="a public n must be a whole number of 2 or more"):
        Budget.of_public_n(epsilon=1, public_n=n)


def test_a_budget_does_not_change():
    with pytest.raises(AttributeError):
        Budget(epsilon=1, delta=1e-5).epsilon = 2


def test_budgets_differ_in_their_promise_not_in_their_size():
    one = Budget(epsilon=1, delta=1e-5, unit="patient", max_rows_per_unit=3)
    assert one.differs(Budget(epsilon=9, delta=1e-7, unit="patient", max_rows_per_unit=3, public_n=10)) is None
    assert one.differs(Budget(epsilon=1, delta=1e-5, unit="patient", max_rows_per_unit=4)) == "max_rows_per_unit"
    assert one.differs(Budget(epsilon=1, delta=1e-5)) == "unit"
