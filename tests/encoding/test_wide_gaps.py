"""Gaps wider than chance: where they are found, how many, and that numbers far from 0 are judged like others."""

from __future__ import annotations

import numpy as np
import pytest

from synthkit.encoding.wide_gaps import wide_gaps

CLUSTERS = np.concatenate([start + np.arange(6) for start in (0, 1_000, 9_000)])


@pytest.mark.parametrize("origin", [0, 2**62, -(2**62)])
@pytest.mark.filterwarnings("error")
def test_whole_steps_far_from_nought_are_judged_like_others(origin):
    """Where a float holds no single step, neighbours are one step apart at least; nothing is divided by 0."""
    near = wide_gaps(CLUSTERS, np.ones(18, dtype=np.int64), 1.0, 5, 8)
    assert np.flatnonzero(near).tolist() == [5, 11]
    far = wide_gaps(CLUSTERS * 2**12 + origin, np.ones(18, dtype=np.int64), 1.0, 5, 8)
    assert np.flatnonzero(far).tolist() == [5, 11]
    dense = wide_gaps(origin + np.arange(40), np.ones(40, dtype=np.int64), 1.0, 5, 8)
    assert not dense[:4].any()


def test_no_more_than_asked_are_told_and_the_widest_of_them():
    found = wide_gaps(CLUSTERS, np.ones(18, dtype=np.int64), 1.0, 5, 1)
    assert np.flatnonzero(found).tolist() == [11]


def test_a_gap_beside_too_few_rows_is_none():
    assert not wide_gaps(CLUSTERS, np.ones(18, dtype=np.int64), 1.0, 20, 8).any()
    assert not wide_gaps(np.arange(5.0), np.ones(5, dtype=np.int64), 1.0, 1, 8).any()
