"""Rows of units within public bounds: which are kept follows from the unit and from chance, and from nobody else."""

from __future__ import annotations

from collections import Counter
from typing import Any
from unittest.mock import patch

import numpy as np
import pandas as pd
import pytest
from bounded_hospital import BOUNDED, BOUNDS, hospital
from hypothesis import given
from hypothesis import strategies as st

from synthkit.encoding.units.learned_table import learned_tables
from synthkit.encoding.units.unit_clock import UnitClock
from synthkit.encoding.units.unit_frames import UnitFrames
from synthkit.errors import SchemaError
from synthkit.privacy.access import bounded_units as module
from synthkit.privacy.access.bounded_units import bounded_units, most_rows, window
from synthkit.schema.linked import LinkedSchema

SCHEMA = LinkedSchema.parse(BOUNDED)
ENDS = np.array([0, 2**64 - 1], dtype=np.uint64)


@given(st.lists(st.integers(1, 9), max_size=6), st.integers(1, 4))
def test_windows_are_neighbours_of_each_group_and_as_many_as_may_be(sizes, most):
    group = np.repeat(np.arange(len(sizes)), sizes)
    here = window(group, most)
    for k, size in enumerate(sizes):
        kept = np.flatnonzero(here[group == k])
        assert len(kept) == min(size, most)
        assert (np.diff(kept) == 1).all()


def places(words, sizes, most):
    """Where the window of each group begins, with these secret words."""
    group = np.repeat(np.arange(len(sizes)), sizes)
    with patch.object(module, "words", lambda n: np.asarray(words, dtype=np.uint64)[:n]):
        here = window(group, most)
    return [int(np.flatnonzero(here[group == k])[0]) for k in range(len(sizes))]


def test_every_place_is_as_probable_as_any_other():
    """Over all remainders of a secret word: a group of five has three windows of three rows."""
    found = Counter(places([word], [5], 3)[0] for word in range(300))
    assert found == {0: 100, 1: 100, 2: 100}


@given(st.lists(st.integers(1, 9), min_size=1, max_size=5), st.integers(1, 4), st.integers(0, 4), st.integers(1, 9))
def test_what_is_kept_of_a_group_is_the_same_whatever_another_has(sizes, most, changed, size):
    """With the same secret word for each group."""
    changed %= len(sizes)
    words = [7, 2**64 - 1, 12345678901234567890, 0, 2**63]
    others = [k for k in range(len(sizes)) if k != changed]
    before = places(words, sizes, most)
    after = places(words, [size if k == changed else s for k, s in enumerate(sizes)], most)
    assert [before[k] for k in others] == [after[k] for k in others]


def test_no_rows_are_no_rows():
    assert window(np.zeros(0, dtype=np.intp), 3).tolist() == []


def test_the_most_rows_of_a_unit_are_products_of_bounds_on_the_way_down_and_not_above_its_own():
    assert most_rows(SCHEMA) == {**BOUNDS, "labs": 12}
    free = {**BOUNDED, "tables": {**BOUNDED["tables"], "labs": {**BOUNDED["tables"]["labs"]}}}
    free["tables"]["labs"].pop("max_rows_per_unit")
    assert most_rows(LinkedSchema.parse(free))["labs"] == 3 * 6


def test_bounds_hold_for_every_owner_and_every_unit_and_rows_of_rows_that_are_gone_are_gone():
    frames = hospital([(0, 0, 0), (1, 1, 1), (7, 7, 7), (40, 90, 40)], seed=3)
    for _ in range(20):
        tables = bounded_units(frames, SCHEMA)
        assert len(tables.frames["patients"]) == 4
        for name, owner in (("visits", "patients"), ("labs", "visits"), ("notes", "patients")):
            link = SCHEMA.tables[name].owner
            many = np.bincount(tables.owners[name], minlength=len(tables.frames[owner]))
            assert many.max() <= link.max_rows_per_owner
            assert np.bincount(tables.units[name]).max() <= BOUNDS[name]
        visits = set(tables.frames["visits"]["visit"])
        assert set(tables.frames["labs"]["visit"]) <= visits
        assert len(tables.frames["visits"]) == 0 + 1 + 3 + 3
        there = tables.earlier["notes", 1]
        assert (there < len(tables.frames["visits"])).all()


def test_which_rows_are_kept_is_drawn_anew_each_time():
    frames = hospital([(40, 0, 0)])
    found = {tuple(bounded_units(frames, SCHEMA).frames["visits"]["visit"]) for _ in range(40)}
    assert len(found) > 5


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (lambda frames: frames.pop("labs"), "`labs` is not given"),
        (lambda frames: frames.update(more=frames["labs"]), "`more` is not declared"),
    ],
)
def test_tables_are_those_of_the_schema(wrong, said):
    frames = hospital([(1, 1, 1)])
    wrong(frames)
    with pytest.raises(SchemaError, match=f"the tables must be those of the schema; however: {said}"):
        bounded_units(frames, SCHEMA)


def test_columns_are_those_of_the_schema():
    frames = hospital([(1, 1, 1)])
    frames["labs"] = frames["labs"].drop(columns="value")
    with pytest.raises(SchemaError, match="value"):
        bounded_units(frames, SCHEMA)


KEY: dict[str, Any] = {"kind": "identifier"}
MOTHERS = LinkedSchema.parse(
    {
        "unit": "people",
        "tables": {
            "people": {
                "key": ["person"],
                "links": [{"columns": ["mother"], "to": "people", "kind": "peer", "public": True}],
                "columns": {"person": KEY, "mother": {**KEY, "nullable": True}, "age": {"kind": "numeric"}},
            }
        },
    }
)


def test_whether_a_mother_is_in_the_table_is_not_told_by_the_row_of_her_child():
    """The link stands where its key is told, with and without her row."""
    people = pd.DataFrame({"person": ["a", "b", "c"], "mother": [None, "a", "x"], "age": [40, 10, 20]})
    learned = learned_tables(MOTHERS, clock := UnitClock.of(MOTHERS))
    found = [
        UnitFrames.of(bounded_units({"people": frame}, MOTHERS), learned, clock).frames["people"]
        for frame in (people, people.tail(2))
    ]
    link = next(name for name in found[0] if name.startswith("(link"))
    assert found[0][link].tolist() == [0, 1, 1]
    assert found[1][link].tolist() == [1, 1]
