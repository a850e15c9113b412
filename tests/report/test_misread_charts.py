"""What a chart is drawn from may come from a stranger: any leaf of another type is drawn or refused as misread."""

from __future__ import annotations

import copy
from html import escape
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from synthkit.io.documents import MALFORMED_DATA_ERRORS
from synthkit.report.charts.svg_text import writable
from synthkit.report.html import build, draw

OTHERS = (None, "QZ\0\x1b", [3])
LEAVES = 3  # of one chart, evenly among all


def figures(data):
    """Everything in a report that is a figure."""
    if isinstance(data, dict):
        if {"chart", "data", "title"} <= data.keys():
            yield data
        for value in data.values():
            yield from figures(value)
    elif isinstance(data, list):
        for value in data:
            yield from figures(value)


def leaves(data, at=()):
    """The places of all values that hold no others."""
    inside = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    below = [place for key, value in inside for place in leaves(value, (*at, key))]
    return below or [at]


def replaced(data, at, value):
    if not at:
        return value
    data = copy.copy(data)
    data[at[0]] = replaced(data[at[0]], at[1:], value)
    return data


@pytest.fixture(scope="module")
def drawn(evaluation, full):
    """One figure of each chart."""
    return {figure["chart"]: figure for figure in figures(build(evaluation, **full).document)}


def test_leaves_of_another_type_are_drawn_or_misread(drawn):
    assert len(drawn) > 8
    refused = tried = 0
    for figure in drawn.values():
        places = leaves(figure["data"])
        for at in places[:: max(1, len(places) // LEAVES)][:LEAVES]:
            for other in OTHERS:
                tried += 1
                try:
                    draw({**figure, "data": replaced(figure["data"], at, other)})
                except MALFORMED_DATA_ERRORS:
                    refused += 1
    assert tried / 10 < refused < tried


def test_a_number_that_is_none_is_said_to_be_of_another_type(drawn):
    figure = drawn["sample_size"]
    with pytest.raises(TypeError, match="a chart `sample_size` must have numbers and texts where they belong"):
        draw({**figure, "data": replaced(figure["data"], ("sizes", 0), None)})


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_what_is_drawn_is_what_xml_can_hold(text):
    """Expat, which is not our own, reads it; what it could have read stays."""
    ended = f"<a>{escape(writable(text))}</a>"
    read = ElementTree.fromstring(ended).text or ""
    assert len(read.replace("\r", "")) <= len(text)
    for before, after in zip(text, writable(text), strict=True):
        assert after in (before, "\ufffd")
    for letter in set(text):
        try:
            ElementTree.fromstring(f"<a>{escape(letter)}</a>")
        except ElementTree.ParseError:
            assert writable(letter) == "\ufffd"


def test_keys_are_written_too():
    assert writable({"a\0": [{"b": "\ud800"}, 1.5, None, True]}) == {"a\ufffd": [{"b": "\ufffd"}, 1.5, None, True]}
