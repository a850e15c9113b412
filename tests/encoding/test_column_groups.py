"""Columns as groups: few of them, of about equal share or by frequency, missing apart."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.stats import spearmanr

from synthkit.data import support2, support2_schema
from synthkit.encoding import TableEncoder
from synthkit.encoding.column_groups import MOST_GROUPS_OF_A_COLUMN, coded, groupings
from synthkit.encoding.encoder import histograms_of
from synthkit.schema import Schema


def encoded(schema: Schema, frame: pd.DataFrame):
    encoder = TableEncoder.fit(schema, histograms_of(schema, frame))
    found = groupings(encoder)
    return found, coded(encoder.encode(frame).cat.numpy(), found)


def test_few_levels_keep_a_group_each_and_missing_one_of_its_own():
    schema = Schema(columns={"x": {"kind": "categorical", "levels": ["a", "b", "c"], "nullable": True}})
    frame = pd.DataFrame({"x": ["a", "b", None, "c", "b"]})
    (grouping,), (codes,) = encoded(schema, frame)
    assert grouping.size == 4
    assert len({codes[0], codes[1], codes[2], codes[3]}) == 4
    assert codes[1] == codes[4]


def test_of_many_names_the_most_frequent_stay_apart():
    levels = [f"v{k:02d}" for k in range(30)]
    schema = Schema(columns={"x": {"kind": "categorical", "levels": levels}})
    frame = pd.DataFrame({"x": np.repeat(levels, np.arange(1, 31))})
    (grouping,), (codes,) = encoded(schema, frame)
    assert grouping.size == MOST_GROUPS_OF_A_COLUMN + 1
    groups = frame.assign(g=codes).groupby("x")["g"].agg(["min", "max"])
    assert (groups["min"] == groups["max"]).all()
    assert len(set(groups["min"].iloc[-MOST_GROUPS_OF_A_COLUMN:])) == MOST_GROUPS_OF_A_COLUMN  # the ten most frequent
    assert len(set(groups["min"].iloc[:-MOST_GROUPS_OF_A_COLUMN])) == 1


@pytest.mark.parametrize("decimals", [0, None])
def test_numbers_are_cut_at_about_equal_shares_in_order(decimals):
    x = np.random.default_rng(0).lognormal(3, 2, 8000)
    x = np.round(x) if decimals == 0 else x
    schema = Schema(columns={"x": {"kind": "numeric", "decimals": decimals, "nullable": True}})
    frame = pd.DataFrame({"x": np.where(np.arange(8000) % 10 == 0, np.nan, x)})
    (grouping,), (codes,) = encoded(schema, frame)
    assert grouping.size == MOST_GROUPS_OF_A_COLUMN + 1
    known = ~frame["x"].isna().to_numpy()
    assert set(codes[~known]) == {MOST_GROUPS_OF_A_COLUMN}
    assert spearmanr(frame["x"][known], codes[known]).statistic > 0.99  # points may lie inside an interval
    share = np.bincount(codes[known]) / known.sum()
    assert share.min() > 0.08
    assert share.max() < 0.12


def test_members_of_a_combination_are_columns_of_their_own():
    schema = Schema(
        columns={
            "a": {"kind": "categorical", "levels": ["p", "q"]},
            "b": {"kind": "categorical", "levels": ["u", "v"], "nullable": True},
        },
        rules=[{"rule": "fixed_combination", "of": ["a", "b"]}],
    )
    frame = pd.DataFrame({"a": ["p", "p", "q", "q"], "b": ["u", "v", "u", None]})
    found, codes = encoded(schema, frame)
    assert [g.column for g in found] == ["a", "b"]
    assert codes[0].tolist() in ([0, 0, 1, 1], [1, 1, 0, 0])
    assert codes[1][0] == codes[1][2]
    assert len(set(codes[1].tolist())) == 3


def test_a_column_that_is_always_missing_is_one_group():
    schema = Schema(columns={"x": {"kind": "numeric", "nullable": True}})
    (grouping,), (codes,) = encoded(schema, pd.DataFrame({"x": [np.nan] * 4}))
    assert grouping.size == 1
    assert codes.tolist() == [0] * 4


def test_a_real_table_has_few_groups_and_all_of_them_occur():
    found, codes = encoded(support2_schema(), support2())
    assert [g.column for g in found] == list(support2_schema().learned)
    for grouping, mine in zip(found, codes, strict=True):
        assert grouping.size <= MOST_GROUPS_OF_A_COLUMN + 2
        assert set(range(mine.max() + 1)) <= set(range(grouping.size))
        assert np.bincount(mine, minlength=grouping.size).max() < len(mine) or grouping.size == 1
