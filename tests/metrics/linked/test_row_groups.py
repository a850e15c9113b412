"""Group arithmetic against pandas, on any groups with gaps and missing values."""

from __future__ import annotations

import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from synthkit.metrics.linked import row_groups

ROWS = st.lists(
    st.tuples(st.integers(0, 4), st.integers(0, 2), st.sampled_from([np.nan, -1.5, 0.0, 2.0, 7.25])),
    min_size=1,
    max_size=40,
)


@given(ROWS)
@settings(deadline=None, max_examples=60)
def test_groups_are_those_of_pandas(rows):
    frame = pd.DataFrame(rows, columns=["g", "s", "x"])
    g, s, x = (frame[c].to_numpy() for c in frame)
    by = frame.groupby("g")["x"]

    def whole(found):
        return found.reindex(range(6)).to_numpy()

    np.testing.assert_allclose(row_groups.group_mean(x, g, 6), whole(by.mean()))
    np.testing.assert_allclose(row_groups.group_sd(x, g, 6), whole(by.std()))
    low, high = row_groups.group_extremes(x, g, 6)
    np.testing.assert_allclose(low, whole(by.min()))
    np.testing.assert_allclose(high, whole(by.max()))
    np.testing.assert_allclose(row_groups.group_last(x, g, 6), whole(by.last()))
    distinct = frame[frame["s"] > 0].groupby("g")["s"].nunique()
    codes = np.where(s > 0, s, -1)
    np.testing.assert_allclose(row_groups.group_distinct(codes, g, 6), whole(distinct.reindex(range(6), fill_value=0)))
    position = pd.Series(np.arange(len(g)))
    before = position.groupby([g, s]).shift(1).fillna(-1).to_numpy()
    np.testing.assert_array_equal(row_groups.previous_rows(g, s), before)


@given(ROWS)
@settings(deadline=None, max_examples=30)
def test_places_are_cumulative_counts(rows):
    groups = np.sort([row[0] for row in rows])
    np.testing.assert_array_equal(row_groups.places(groups), pd.Series(groups).groupby(groups).cumcount())


@given(ROWS, ROWS)
@settings(deadline=None, max_examples=30)
def test_one_number_sorts_as_group_and_time_do(left, right):
    (g, x), (h, y) = ((np.array([r[0] for r in rows]), np.array([r[2] for r in rows])) for rows in (left, right))
    a, b = row_groups.lexicographic(g, x, h, y)
    for k in range(len(g)):
        later = (h > g[k]) | ((h == g[k]) & ((y > x[k]) | (np.isnan(y) & ~np.isnan(x[k]))))
        np.testing.assert_array_equal(b > a[k], later)


def test_rows_that_are_not_there_have_no_value():
    assert np.isnan(row_groups.gathered(np.array([1.0]), np.array([-1]))).all()
    assert np.isnan(row_groups.gathered(np.zeros((0, 2)), np.array([-1, -1]))).all()
    assert row_groups.group_distinct(np.array([-1]), np.array([0]), 2).tolist() == [0, 0]
