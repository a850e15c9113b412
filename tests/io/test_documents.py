"""JSON and YAML of strangers: what is read, what is refused, and that nothing grows without end."""

from __future__ import annotations

import contextlib
import json
import os
import string

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from synthkit.errors import DocumentError
from synthkit.io.documents import (
    MAX_JSON_VALUES,
    MAX_NESTING_DEPTH,
    MAX_YAML_BYTES,
    MAX_YAML_VALUES,
    content,
    parse_json,
    parse_yaml,
    read_json,
)

LAUGHS = "a0: &a0 [x, x]\n" + "".join(f"a{k}: &a{k} [*a{k - 1}, *a{k - 1}]\n" for k in range(1, 40))
MERGES = "a0: &a0 {x: 1}\n" + "".join(f"a{k}: &a{k} {{<<: [*a{k - 1}, *a{k - 1}], k{k}: 1}}\n" for k in range(1, 40))

plain = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
)


@given(plain)
@settings(deadline=None)
def test_json_is_what_the_standard_reader_reads(data):
    assert parse_json(json.dumps(data)) == data
    assert parse_json(json.dumps(data).encode()) == data


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (b"\xff{}", "must be UTF-8 text; however: byte 0 is not"),
        ("{", "must be JSON; however: line 1 is not"),
        ('{"a": 1, "a": 2}', "name each key of an object once; however: one stands twice"),
        ("[" * 1_000_000, "nested at most 64 deep"),
        ("[" * 900 + "]" * 900, "nested at most 64 deep"),
        ('{"a":' * 900 + "1" + "}" * 900, "nested at most 64 deep"),
        ("9" * 5000, "numbers of usual length"),
        ('{"a": -' + "9" * 301 + "}", "numbers of usual length"),
        ("[" + "1," * MAX_JSON_VALUES + "1]", "at most 4,000,000 values"),
        ('{"a": "\\ud800"}', "half a letter"),
        ('{"\\udfff": 1}', "half a letter"),
        ('["\\udc00\\ud800"]', "half a letter"),
    ],
)
def test_json_that_is_refused(text, why):
    with pytest.raises(DocumentError, match=why):
        parse_json(text)


@pytest.mark.parametrize("opens", ["[", '{"a": '])
def test_json_may_be_as_deep_as_is_said_and_no_deeper(opens):
    closes = "]" if opens == "[" else "}"
    inner = "[]"
    assert parse_json(opens * (MAX_NESTING_DEPTH - 1) + inner + closes * (MAX_NESTING_DEPTH - 1))
    with pytest.raises(DocumentError, match="deep"):
        parse_json(opens * MAX_NESTING_DEPTH + inner + closes * MAX_NESTING_DEPTH)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (LAUGHS, "at most 200,000 values; however: it holds more"),
        (MERGES, "at most 200,000 values; however: it holds more"),
        ("&a [*a]", "an alias stands for what it is in"),
        ("&a {b: *a}", "an alias stands for what it is in"),
        ("[" * 600, "nested at most 64 deep"),
        ("[" * 65 + "]" * 65, "nested at most 64 deep"),
        ("- " * 3000, "nested at most 64 deep"),
        ("{a: " * 3000, "nested at most 64 deep"),
        ("x: !!binary aGk=", "without tags; however, line 1"),
        ("a: 1\nb: !!set {x}", "without tags; however, line 2"),
        ("!!python/object:os.system x", "without tags"),
        ("[" + "a," * (MAX_YAML_VALUES + 1) + "a]", "at most 200,000 values"),
        ("a" * (MAX_YAML_BYTES + 1), "at most 2,097,152 letters"),
        ("{a: 1, a: 2}", "line 1, column 8: found duplicate key"),
        ("9" * 301, "numbers of usual length"),
        ('a: "\\ud800"', "half a letter"),
        ('{a: ["\\U0000dfff"]}', "half a letter"),
        ('"\\ud83d": 1', "half a letter"),
        ("!!int x", "a value cannot be read"),
        ("%YAML 9.9\n---\na", "must be valid YAML"),
        ("\0", "must be valid YAML"),
        ("a: 1\n---\nb: 2", "must be valid YAML"),
        (b"\xff", "must be UTF-8 text"),
    ],
)
def test_yaml_that_is_refused(text, why):
    with pytest.raises(DocumentError, match=why):
        parse_yaml(text)


@given(
    st.recursive(
        st.none()
        | st.booleans()
        | st.integers(-(2**63), 2**63)
        | st.text(string.ascii_letters + " :#-'\"", max_size=9),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(string.ascii_letters, min_size=1), inner),
        max_leaves=12,
    )
)
@settings(deadline=None, max_examples=60)
def test_yaml_is_what_was_written(data):
    """JSON is YAML, so the standard writer of JSON serves as another's."""
    assert parse_yaml(json.dumps(data))[1] == data


@given(st.text(st.sampled_from("ab:-[]{}&*!<>|'\",#? \n0"), max_size=60))
@settings(deadline=None, max_examples=300)
def test_any_text_is_yaml_or_refused(text):
    with contextlib.suppress(DocumentError):
        parse_yaml(text)


def test_letters_that_are_escaped_in_halves_are_whole_together():
    assert parse_json('["\\ud83d\\ude00", "\\u00e9"]') == ["\N{GRINNING FACE}", "é"]


def test_aliases_within_the_bounds_are_written_out():
    assert parse_yaml("a: &yes [1, 2]\nb: *yes\n")[1] == {"a": [1, 2], "b": [1, 2]}
    assert parse_yaml("a: &x {k: 1}\nb: {<<: *x, l: 2}\n")[1] == YAML(typ="safe").load("a: {k: 1}\nb: {k: 1, l: 2}\n")


def test_a_pipe_a_folder_and_a_large_file_are_refused(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", "/dev/zero"):
        with pytest.raises(DocumentError, match="must be a regular file"):
            content(path, 10)
    with pytest.raises((DocumentError, OSError)):
        content(tmp_path, 10)
    (tmp_path / "a").write_bytes(b"12345678901")
    with pytest.raises(DocumentError, match="at most 10 bytes"):
        content(tmp_path / "a", 10)
    assert content(tmp_path / "a", 11) == b"12345678901"
    with pytest.raises(FileNotFoundError):
        read_json(tmp_path / "none.json")
