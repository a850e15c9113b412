"""Where two documents differ: nowhere if they are one, and wherever a reader of JSON would see it."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from synthkit.release.bundle.json_difference import difference

LEAVES = st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=3)
DOCUMENTS = st.recursive(
    LEAVES, lambda x: st.lists(x, max_size=3) | st.dictionaries(st.text(max_size=2), x, max_size=3), max_leaves=8
)


@given(DOCUMENTS, DOCUMENTS)
def test_documents_differ_where_their_text_does(one, other):
    same = json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)
    assert (difference(one, other) is None) == same
    assert difference(one, json.loads(json.dumps(one))) is None


@given(st.floats(1e-300, 1e300), st.floats(0, 1e-3))
def test_numbers_are_one_if_two_machines_may_compute_them(x, off):
    assert (difference({"x": x}, {"x": x * (1 + off)}) is None) == (abs(x * (1 + off) - x) <= 1e-6 * x * (1 + off))


@pytest.mark.parametrize(
    ("said", "right", "place"),
    [
        ({"a": [1, {"b": 2}]}, {"a": [1, {"b": 3}]}, "/a/1/b"),
        ({"a": 1}, {"a": 1, "b": None}, "/b"),
        ({"a": 1, "b": None}, {"a": 1}, "/b"),
        ([1], [1, 2], "/1"),
        (1, True, "/"),
        (0.0, 1e-300, "/"),
        ("1", 1, "/"),
    ],
)
def test_the_first_place_is_named(said, right, place):
    assert difference(said, right) == place
