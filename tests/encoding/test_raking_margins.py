"""Tables to be matched: exact counts, no cell of a few people, saved and read back, refused when they do not fit."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from synthkit.encoding import TableEncoder
from synthkit.encoding.column_groups import ColumnGroups, coded, groupings
from synthkit.encoding.encoder import histograms_of
from synthkit.encoding.raking_margins import (
    LEAST_ROWS_OF_A_CELL,
    MOST_PAIRS_OF_COLUMNS,
    RakingMargins,
    tables_of,
    tabulate,
)
from synthkit.errors import ArtefactError
from synthkit.schema import Schema

A, B = (
    ColumnGroups(column=c, slots=(k,), groups=np.arange(size, dtype=np.int16))
    for k, (c, size) in enumerate([("a", 3), ("b", 2)])
)


def test_counts_are_those_of_a_cross_table():
    rng = np.random.default_rng(0)
    codes = np.stack([rng.integers(0, 3, 500), rng.integers(0, 2, 500)]).astype(np.int16)
    single, both = tabulate(codes, (A, B), [(0,), (0, 1)])
    assert single.tolist() == np.bincount(codes[0], minlength=3).tolist()
    assert both.reshape(3, 2).tolist() == pd.crosstab(codes[0], codes[1]).to_numpy().tolist()


@given(arrays(np.int64, 12, elements=st.integers(0, 30)))
@settings(max_examples=200, deadline=None)
def test_no_number_is_that_of_a_few_rows(counts):
    """A kept cell holds five rows or more, and so do the pooled ones together, unless nobody is in them."""
    targets = RakingMargins.of((A,), [(0,)], [counts])
    kept = ~np.isnan(targets.shares)
    assert np.allclose(targets.shares[kept] * counts.sum(), counts[kept])
    assert (counts[kept] >= LEAST_ROWS_OF_A_CELL).all()
    pooled = counts[~kept].sum()
    assert pooled == 0 or pooled >= LEAST_ROWS_OF_A_CELL or not kept.any()


def test_a_lone_row_takes_the_smallest_neighbour_with_it():
    targets = RakingMargins.of((A,), [(0,)], [np.array([1, 40, 7])])
    assert np.isnan(targets.shares).tolist() == [True, False, True]


def test_fewer_than_five_rows_tell_nothing():
    assert np.isnan(RakingMargins.of((A,), [(0,)], [np.array([1, 2, 1])]).shares).all()


def test_every_single_column_and_every_pair_is_asked_for():
    assert tables_of(3, np.random.default_rng(0)) == [(0,), (1,), (2,), (0, 1), (0, 2), (1, 2)]


def test_of_very_many_pairs_a_sample_stands_for_all():
    tables = tables_of(300, np.random.default_rng(0))
    pairs = [t for t in tables if len(t) == 2]
    assert len(tables) == 300 + MOST_PAIRS_OF_COLUMNS
    assert len(set(pairs)) == MOST_PAIRS_OF_COLUMNS
    assert {k for t in pairs for k in t} == set(range(300))


SCHEMA = Schema(
    columns={
        "a": {"kind": "categorical", "levels": ["p", "q", "r"]},
        "x": {"kind": "numeric", "min": 0, "max": 1},
    }
)


def measured() -> tuple[RakingMargins, TableEncoder]:
    rng = np.random.default_rng(1)
    frame = pd.DataFrame({"a": rng.choice(list("pqr"), 3000), "x": rng.random(3000)})
    encoder = TableEncoder.fit(SCHEMA, histograms_of(SCHEMA, frame))
    found = groupings(encoder)
    tables = tables_of(len(found), rng)
    counts = tabulate(coded(encoder.encode(frame).cat.numpy(), found), found, tables)
    return RakingMargins.of(found, tables, counts, sigma=[0.5] * len(tables)), encoder


def test_what_is_saved_comes_back():
    targets, encoder = measured()
    again = RakingMargins.from_saved(targets.to_dict(), targets.tensors(), encoder.layout)
    assert np.array_equal(again.shares, targets.shares, equal_nan=True)
    assert again.sigma.tolist() == [0.5] * 3
    assert (again.rows, again.tables, again.sizes) == (3000, targets.tables, targets.sizes)
    for one, two in zip(again.groupings, targets.groupings, strict=True):
        assert (one.column, one.slots) == (two.column, two.slots)
        assert np.array_equal(one.groups, two.groups)


def test_another_format_is_refused():
    targets, encoder = measured()
    with pytest.raises(ArtefactError, match=r"synthkit-targets/1; however: 'synthkit-targets/9'"):
        RakingMargins.from_saved(
            targets.to_dict() | {"format": "synthkit-targets/9"}, targets.tensors(), encoder.layout
        )


@pytest.mark.parametrize("name", ["shares", "sigma", "groups.0"])
def test_tables_of_other_rows_are_refused(name):
    targets, encoder = measured()
    tensors = targets.tensors()
    tensors[name] = tensors[name][:-1]
    with pytest.raises(ArtefactError, match="model's own rows"):
        RakingMargins.from_saved(targets.to_dict(), tensors, encoder.layout)
