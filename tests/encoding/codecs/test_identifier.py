"""Fresh identifiers: the grammar of patterns, all different, spaces too small refused, Faker asked only when named."""

from __future__ import annotations

import re
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from synthkit.encoding.codecs.identifier import DEFAULT_IDENTIFIER_PATTERN, fresh, parse
from synthkit.errors import SchemaError, UnsupportedError
from synthkit.schema import Identifier

PIECE = st.sampled_from(
    [
        "P",
        "-",
        "/",
        "[0-9]",
        "[A-Z]",
        "[a-c_]",
        "[A-Z0-9]{2}",
        "[0-9]{3}",
        r"\d",
        r"\d{4}",
        r"\.",
        "x{3}",
        "[1-9][0-9]{2}",
    ]
)


@given(st.lists(PIECE, min_size=1, max_size=5).map("".join), st.integers(0, 2**32 - 1))
def test_what_is_made_matches_the_pattern_and_differs(pattern, seed):
    alphabets = parse("mrn", pattern)
    space = int(np.prod([float(len(a)) for a in alphabets]))
    n = min(space, 50)
    values = fresh("mrn", Identifier(pattern=pattern), n, np.random.default_rng(seed))
    assert len(set(values)) == len(values) == n
    assert all(re.fullmatch(pattern, v) for v in values)


@pytest.mark.parametrize(
    ("pattern", "alphabets"),
    [
        ("P[0-9]{2}", ["P", "0123456789", "0123456789"]),
        (r"\d\.", ["0123456789", "."]),
        ("[a-cA-]", ["abcA-"]),
        ("[aab]", ["ab"]),
    ],
)
def test_the_grammar_is_read_position_by_position(pattern, alphabets):
    assert parse("mrn", pattern) == alphabets


@pytest.mark.parametrize(
    ("pattern", "position"), [("a+", 2), ("(a)", 1), ("^a", 1), ("a.b", 2), ("[ab", 1), ("a|b", 2)]
)
def test_what_is_outside_the_grammar_is_refused_with_its_position(pattern, position):
    with pytest.raises(SchemaError, match=rf"`mrn`.*position {position} is something else.*Rewrite `pattern`"):
        parse("mrn", pattern)


def test_a_whole_small_space_is_used_up():
    values = fresh("bed", Identifier(pattern="[A-C][1-4]"), 12, np.random.default_rng(0))
    assert sorted(values) == [a + b for a in "ABC" for b in "1234"]


def test_a_space_too_small_is_refused():
    with pytest.raises(SchemaError, match=r"`bed`.*however: it has 12 and 13 are needed. Widen `pattern`"):
        fresh("bed", Identifier(pattern="[A-C][1-4]"), 13, np.random.default_rng(0))


def test_spaces_larger_than_any_integer_are_used():
    values = fresh("key", Identifier(pattern="[a-z0-9]{40}"), 1000, np.random.default_rng(0))
    assert values.nunique() == 1000
    assert values.str.len().eq(40).all()


def test_values_are_spread_over_the_space():
    """Not the first n of it: the leading digits of 9,000 of 9 million numbers are uniform (chi-square, 8 degrees)."""
    values = fresh("mrn", Identifier(pattern="[1-9][0-9]{6}"), 9000, np.random.default_rng(1))
    counts = values.str[0].value_counts()
    assert ((counts - 1000) ** 2 / 1000).sum() < 30  # p = .0002


def test_nine_digits_without_a_pattern():
    values = fresh("id", Identifier(), 100, np.random.default_rng(0))
    assert all(re.fullmatch(DEFAULT_IDENTIFIER_PATTERN, v) for v in values)
    assert len(fresh("id", Identifier(), 0, np.random.default_rng(0))) == 0


def test_same_generator_same_identifiers():
    for column in (Identifier(pattern="P[0-9]{5}"), Identifier(faker="name")):
        one, two, other = (fresh("id", column, 5, np.random.default_rng(k)).tolist() for k in (1, 1, 2))
        assert one == two
        assert one != other


def test_faker_makes_what_it_is_asked_for():
    values = fresh("ssn", Identifier(faker="ssn"), 20, np.random.default_rng(0))
    assert all(re.fullmatch(r"\d{3}-\d{2}-\d{4}", v) for v in values)


def test_unique_identifiers_of_faker_are_all_different():
    values = fresh("name", Identifier(faker="first_name", unique=True), 300, np.random.default_rng(0))
    assert values.nunique() == 300


def test_a_provider_with_too_few_values_is_refused_if_they_must_differ():
    with pytest.raises(SchemaError, match=r"`sex`.*all be different.*`prefix_male` gave \d+ .*and 100 are needed"):
        fresh("sex", Identifier(faker="prefix_male", unique=True), 100, np.random.default_rng(0))


def test_without_faker_the_remedy_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "faker", None)
    with pytest.raises(UnsupportedError, match=r"Faker is not installed. Run: pip install 'synthkit\[fake\]'"):
        fresh("name", Identifier(faker="name"), 1, np.random.default_rng(0))
