"""Rules: which rows each obeys, checked by hand and by brute force, and every declaration it refuses."""

import datetime as dt

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from synthkit.schema import Comparison, Condition, ExactlyOne, FixedCombination, Implication

CELL = st.one_of(st.none(), st.integers(-3, 3))
ROWS = st.lists(st.tuples(CELL, CELL), min_size=1)


def frame(rows, dtype=object):
    return pd.DataFrame({"a": pd.Series([r[0] for r in rows], dtype=dtype), "b": [r[1] for r in rows]})


REFUSED = [
    (Condition, {}, "must give `in`, `min`, `max` or `missing`; however: none is given"),
    (Condition, {"missing": True, "min": 1}, "cannot be missing and have a value"),
    (Condition, {"min": 2, "max": 1}, "`min` must not exceed `max`; however: min 2 > max 1"),
    (Condition, {"in": []}, "at least 1"),
    (Comparison, {"left": "a", "op": ">", "right": "b"}, "'<' or '<='"),
    (Implication, {"if": {}, "then": {"a": {"missing": True}}}, "at least 1"),
    (Implication, {"if": {"a": {"missing": True}}, "then": {}}, "at least 1"),
    (FixedCombination, {"columns": ["a"]}, "at least 2"),
    (FixedCombination, {"columns": ["a", "a"]}, "must name each column once; however: a, a"),
    (
        FixedCombination,
        {"columns": ["a", "b"], "combinations": [["x"]]},
        "must give 2 levels, one a column; however: 1",
    ),
    (FixedCombination, {"columns": ["a", "b"], "combinations": []}, "at least 1"),
    (ExactlyOne, {"columns": ["a"]}, "at least 2"),
    (ExactlyOne, {"columns": ["a", "b", "a"]}, "must name each column once; however: a, b, a"),
]


@pytest.mark.parametrize(("kind", "keys", "message"), REFUSED)
def test_declarations_that_cannot_be_meant_are_refused_with_what_came(kind, keys, message):
    with pytest.raises(ValidationError) as caught:
        kind(**keys)
    assert message in str(caught.value)


@pytest.mark.parametrize("dtype", [object, float, "Int64"])
@given(rows=ROWS)
def test_a_comparison_is_pythons_where_both_are_present(rows, dtype):
    table = frame(rows, dtype)
    for op, compare in (("<", int.__lt__), ("<=", int.__le__)):
        expected = [a is None or b is None or bool(compare(a, b)) for a, b in rows]
        assert Comparison(left="a", op=op, right="b").holds(table).tolist() == expected


def test_a_comparison_orders_dates_of_any_dtype_and_leaves_the_frame_alone():
    admitted = pd.Series(["2020-01-01", "2020-01-05", None, "2020-01-01"], dtype=object)
    left = [dt.date(2020, 1, 2), dt.date(2020, 1, 2), dt.date(2020, 1, 2), None]
    table = pd.DataFrame({"in": admitted, "out": pd.Series(left, dtype=object)})
    before = table.copy(deep=True)
    rule = Comparison(left="in", op="<=", right="out")
    assert rule.holds(table).tolist() == [True, False, True, True]
    assert rule.holds(table.assign(out=pd.to_datetime(table["out"]))).tolist() == [True, False, True, True]
    pd.testing.assert_frame_equal(table, before)


def test_a_cell_that_is_no_number_breaks_a_comparison():
    table = pd.DataFrame({"a": pd.Series(["x", 1], dtype=object), "b": [5, 5]})
    assert Comparison(left="a", op="<", right="b").holds(table).tolist() == [False, True]


def test_a_condition_needs_every_key_and_a_present_cell():
    cells = pd.Series([1, 2, 3, None, "2"], dtype=object)
    assert Condition(**{"in": [1, 2]}).met(cells).tolist() == [True, True, False, False, False]
    assert Condition(min=2).met(cells).tolist() == [False, True, True, False, True]
    assert Condition(**{"in": [1, 2], "min": 2}).met(cells).tolist() == [False, True, False, False, False]
    assert Condition(missing=True).met(cells).tolist() == [False, False, False, True, False]
    assert Condition(missing=False).met(cells).tolist() == [True, True, True, False, True]
    assert Condition(missing=False, max=1).met(cells).tolist() == [True, False, False, False, False]


@given(rows=ROWS)
def test_an_implication_is_not_if_or_then(rows):
    rule = Implication(**{"if": {"a": {"in": [1, 2]}}, "then": {"b": {"min": 0}, "a": {"max": 1}}})
    expected = [a not in (1, 2) or (b is not None and b >= 0 and a <= 1) for a, b in rows]
    assert rule.holds(frame(rows)).tolist() == expected
    assert rule.columns == ("a", "b")


@given(rows=ROWS, allowed=st.sets(st.tuples(CELL, CELL), min_size=1))
def test_a_fixed_combination_is_membership_with_missing_as_a_level(rows, allowed):
    rule = FixedCombination(columns=["a", "b"], combinations=list(allowed))
    assert rule.holds(frame(rows)).tolist() == [row in allowed for row in rows]


def test_an_empty_text_is_no_missing_cell_in_a_combination():
    rule = FixedCombination(columns=["a", "b"], combinations=[["", "x"], [None, "y"]])
    table = pd.DataFrame({"a": ["", None, "", None], "b": ["x", "y", "y", "x"]})
    assert rule.holds(table).tolist() == [True, True, False, False]


def test_combinations_without_a_list_allow_everything():
    assert FixedCombination(columns=["a", "b"]).holds(frame([(1, 2), (None, None)])).all()


def test_combinations_of_an_empty_frame_are_an_empty_answer():
    rule = FixedCombination(columns=["a", "b"], combinations=[[1, 2]])
    assert rule.holds(frame([(1, 2)]).iloc[:0]).shape == (0,)


def test_sentences_say_the_rule_in_words():
    assert Comparison(left="a", op="<=", right="b").sentence == "a <= b"
    rule = Implication(
        **{"if": {"a": {"in": ["x", 1]}}, "then": {"b": {"min": 0, "max": 2.5}, "c": {"missing": False}}}
    )
    assert rule.sentence == "if a in {x, 1} then b >= 0 and <= 2.5 and c present"
    assert Condition(missing=True).sentence == "missing"
    combination = FixedCombination(columns=["a", "b"], combinations=[["x", 1]])
    assert combination.sentence == "only known combinations of a, b"
    assert (combination.columns, Comparison(left="a", op="<", right="b").columns) == (("a", "b"), ("a", "b"))


def test_rules_take_categorical_dtypes():
    table = pd.DataFrame({"a": pd.Series(["x", None], dtype="category"), "b": pd.Series([1, 2], dtype="category")})
    rule = FixedCombination(columns=["a", "b"], combinations=[["x", 1], [None, 1]])
    assert rule.holds(table).tolist() == [True, False]
    assert np.array_equal(Comparison(left="b", op="<", right="b").holds(table), [False, False])
