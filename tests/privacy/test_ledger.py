"""The ledger: charges in order, honest epsilon, a budget that refuses first, JSON both ways."""

from __future__ import annotations

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from synthkit.errors import ArtefactError, BudgetExceededError
from synthkit.privacy import Budget, Charge, Ledger, NonPrivate


def ledger(*what, unit=None):
    out = Ledger(budget=None, unit=unit)
    for w in what:
        out.charge(w, NonPrivate())
    return out


def test_nothing_asked_nothing_spent():
    assert ledger().epsilon() == 0.0
    assert ledger().charges == ()


def test_one_exact_answer_makes_epsilon_infinite():
    assert ledger("histogram of age").epsilon() == math.inf


def test_charges_are_kept_in_order_and_cannot_be_changed_from_outside():
    book = ledger("a", "b")
    assert book.charges == (Charge(what="a", spent=NonPrivate()), Charge(what="b", spent=NonPrivate()))
    assert isinstance(book.charges, tuple)
    with pytest.raises(AttributeError):
        book.charges[0].what = "c"
    with pytest.raises(AttributeError):
        book.charges = ()


def test_a_budget_refuses_exact_answers_and_writes_nothing_down():
    book = Ledger(budget=Budget(epsilon=3, delta=1e-6), unit=None)
    with pytest.raises(BudgetExceededError, match=r"budget of epsilon 3; however: histogram of age would be answered"):
        book.charge("histogram of age", NonPrivate())
    assert book.charges == ()
    assert book.epsilon() == 0.0


@given(st.lists(st.tuples(st.text(), st.integers(1, 9)), max_size=5), st.one_of(st.none(), st.text()))
def test_json_changes_nothing(charges, unit):
    book = Ledger(budget=None, unit=unit)
    for what, times in charges:
        book.charge(what, NonPrivate(), times)
    again = Ledger.from_json(book.to_json())
    assert again.charges == book.charges
    assert (again.unit, again.budget, again.epsilon()) == (unit, None, book.epsilon())
    assert again.to_json() == book.to_json()


def test_json_says_null_for_infinite_and_keeps_a_budget():
    data = json.loads(ledger("a", unit="patient").to_json())
    assert (data["format"], data["unit"], data["epsilon"]) == ("synthkit-ledger/1", "patient", None)
    assert data["charges"] == [{"what": "a", "mechanism": "non-private", "times": 1, "detail": "exact, no noise"}]
    budget = Budget(epsilon=1.0, delta=1e-5)
    assert Ledger.from_json(Ledger(budget=budget, unit=None).to_json()).budget == budget


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "a ledger must be JSON; however: line 1 is not"),
        ("[]", "must have format synthkit-ledger/1; however: None"),
        ("{}", "must have format synthkit-ledger/1; however: None"),
        ('{"format": "synthkit-ledger/9"}', "however: 'synthkit-ledger/9'. Read it with the version that wrote it"),
        ('{"format": "synthkit-ledger/1", "unit": null}', "must have all its entries; however: `budget` is not there"),
    ],
)
def test_what_is_no_ledger_is_refused(text, message):
    with pytest.raises(ArtefactError, match=message):
        Ledger.from_json(text)


def test_an_unknown_mechanism_is_refused_not_skipped():
    data = json.loads(ledger("a").to_json())
    data["charges"][0]["mechanism"] = "gaussian"
    with pytest.raises(ArtefactError, match="every mechanism must be known; however: `gaussian` is not"):
        Ledger.from_json(json.dumps(data))
