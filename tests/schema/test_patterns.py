"""Patterns of a stranger's schema: they match what they should, in time linear in the text, or are refused in words."""

from __future__ import annotations

import re
import string

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synthkit.encoding.codecs.identifier import parse
from synthkit.errors import SchemaError
from synthkit.schema import Schema
from synthkit.schema.columns import Code
from synthkit.schema.patterns import MAX_ALPHABET, MAX_PATTERN_POSITIONS, full_matcher, is_fresh, pattern_alphabets
from synthkit.schema.validation import validate

# each needs exponential or polynomial time of an engine that tries one way after another
CATASTROPHES = ["(a+)+b", "(a|a)*b", "(a*)*b", "(.*.*.*.*.*.*.*.*.*)b", "(a?){500}a{500}b", "([a-z]+)*[A-Z]"]

atoms = st.sampled_from(["a", "b", "[ab]", "[^a]", r"\d", r"\.", ".", "1"])
regular = st.recursive(
    atoms,
    lambda inner: st.one_of(
        st.tuples(inner, inner).map("".join),
        st.tuples(inner, inner).map(lambda p: f"(?:{p[0]}|{p[1]})"),
        st.tuples(inner, st.sampled_from(["*", "+", "?", "{2}", "{1,3}"])).map(lambda p: f"(?:{p[0]}){p[1]}"),
    ),
    max_leaves=5,
)


@given(regular, st.text("ab1.", max_size=6))
@settings(deadline=None, max_examples=300)
def test_what_matches_is_what_pythons_engine_says(pattern, text):
    assert full_matcher(pattern)(text) == (re.fullmatch(pattern, text) is not None)


@pytest.mark.parametrize("pattern", CATASTROPHES)
def test_no_pattern_of_a_schema_hangs(pattern):
    """A backtracking engine would not end today on any of them; the table is held against it three ways."""
    schema = Schema(columns={"x": {"kind": "code", "pattern": pattern}})
    frame = pd.DataFrame({"x": ["a" * 5000, "aab"]})
    assert not Code(pattern=pattern).admits(frame["x"])[0]
    found = validate(frame, schema)
    assert [v.rows[0] for v in found.violations] == [1]
    assert found.violations[0].rule == f"matches {pattern}"


@pytest.mark.parametrize(
    ("pattern", "why"),
    [
        (r"(a)\1", "invalid escape sequence"),
        ("(?=a)b", "without backreferences, without looking ahead or behind"),
        ("(?<!a)b", "RE2"),
        ("a{1000000}", "invalid repetition size"),
        ("((a{100}){100}){100}", "invalid repetition size"),
        ("[", "missing ]"),
        ("a" * 1001, "at most 1,000 letters; however: it has 1,001"),
        (r"(\pL{300}){3}", "too large|invalid repetition"),
        ("\ud800", "it is not Unicode text"),
    ],
)
def test_patterns_that_are_refused(pattern, why):
    with pytest.raises(ValueError, match=why):
        Code(pattern=pattern)


def test_half_a_letter_matches_nothing():
    assert not full_matcher(".*")("\ud800")


@pytest.mark.parametrize(
    ("pattern", "why"),
    [
        ("[0-9]{257}", "at most 256 positions"),
        ("[0-9]{200}[0-9]{200}", "at most 256 positions"),
        ("a" * 257, "at most 256 positions"),
        ("[0-9]{1000000}", "at most 256 positions"),
        ("[0-9]{" + "9" * 5000 + "}", "at most 256 positions"),
        ("[\x00-\U0010ffff]", "at most 1,000 letters"),
        ("[z-a]", "the lower end first"),
        ("[\ud7ff-\ue000]", "at most 1,000 letters"),
        ("[\udfff-\ue000]", "lower end first"),
    ],
)
def test_identifiers_that_would_fill_the_memory_are_refused(pattern, why):
    with pytest.raises(SchemaError, match=f"`id`: .*{why}"):
        parse("id", pattern)
    with pytest.raises(ValueError, match="identifier"):
        Schema(columns={"id": {"kind": "identifier", "pattern": pattern}})


@given(st.lists(st.tuples(st.sampled_from(["A", r"\d", "[A-C]", "[a-z0-9]", r"\-"]), st.integers(1, 9)), min_size=1))
@settings(deadline=None)
def test_alphabets_are_those_of_the_pattern(parts):
    pattern = "".join(f"{token}{{{times}}}" for token, times in parts)
    assert is_fresh(pattern)
    if sum(times for _, times in parts) > MAX_PATTERN_POSITIONS:
        return
    found = pattern_alphabets(pattern)
    letters = [
        [c for c in string.printable if re.fullmatch(token, c, re.ASCII)] for token, n in parts for _ in range(n)
    ]
    assert [sorted(each) for each in found] == [sorted(each) for each in letters]
    assert max(map(len, found)) <= MAX_ALPHABET
