"""Cross-fitted likelihood ratios of cells: against scikit-learn row by row, DeLong by ranks, and by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from synthkit.metrics.stats import intervals
from synthkit.metrics.stats.likelihood_ratio import PRIOR_ROWS, cell_auc, left_shares, together, variance


def made(seed, folds=3, cells=7, families=4):
    """Counts of two sides, many of them nought, and scores with many ties."""
    rng = np.random.default_rng(seed)
    left, right = rng.poisson(1.5, (2, families, folds, cells)).astype(float)
    left[..., 0] += 2
    right[..., 1] += 2
    return left, right, rng.integers(0, 4, (families, folds, cells)).astype(float)


def as_rows(left, right, values):
    """The rows that the counts of one fold stand for: which are left, and the value of each."""
    value = np.concatenate([np.repeat(values, side.astype(int)) for side in (left, right)])
    return np.arange(len(value)) < left.sum(), value


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 10_000))
def test_the_auc_is_that_of_scikit_learn_inside_each_fold(seed):
    left, right, scores = made(seed)
    found = cell_auc(left, right, scores).auc
    for k in range(len(left)):
        each = [roc_auc_score(*as_rows(left[k, f], right[k, f], scores[k, f])) for f in range(left.shape[1])]
        assert found[k] == pytest.approx(np.mean(each))


@pytest.mark.parametrize("seed", range(5))
def test_the_variance_is_that_of_delong_by_ranks(seed):
    """Of one fold it is DeLong's; of several the mean of theirs, divided by their number once more."""
    left, right, scores = made(seed)
    found = cell_auc(left, right, scores)
    got = variance(left, right, found.above, found.below)
    for k in range(len(left)):
        ses = []
        for f in range(left.shape[1]):
            is_left, value = as_rows(left[k, f], right[k, f], scores[k, f])
            at = intervals.delong(value, is_left)
            a, b = value[is_left], value[~is_left]
            above = [(np.sum(x > b) + np.sum(x == b) / 2) / len(b) for x in a]
            below = [(np.sum(a > x) + np.sum(a == x) / 2) / len(a) for x in b]
            ses.append(np.var(above, ddof=1) / len(a) + np.var(below, ddof=1) / len(b))
            if at.low > 0 and at.high < 1:
                assert (at.high - at.low) / (2 * intervals.Z95) == pytest.approx(np.sqrt(ses[-1]))
        assert got[k] == pytest.approx(np.mean(ses) / left.shape[1])


def test_the_variance_of_a_difference_knows_that_the_rows_are_the_same():
    """An AUC less itself has none."""
    left, right, scores = made(3)
    found = cell_auc(left, right, scores)
    nothing = np.zeros_like(found.above)
    assert variance(left, right, found.above - found.above, nothing).max() == 0


def test_shares_come_from_the_other_folds_alone():
    left, right, _ = made(1)
    before = left_shares(left, right)
    changed = left.copy()
    changed[:, 0] += 5
    after = left_shares(changed, right)
    np.testing.assert_allclose(after[:, 0], before[:, 0])
    assert np.abs(after[:, 1:] - before[:, 1:]).max() > 0


def test_a_share_by_hand():
    """Fold 0 learns from fold 1: 6 left and 2 right rows of 8 and 8 in the first cell."""
    left, right = np.array([[[1.0, 1.0], [6.0, 2.0]]]), np.array([[[1.0, 1.0], [2.0, 6.0]]])
    assert left_shares(left, right)[0, 0, 0] == pytest.approx((6 + PRIOR_ROWS / 2) / (8 + PRIOR_ROWS))
    prior = np.full_like(left, 0.9)
    assert left_shares(left, right, prior)[0, 0, 0] == pytest.approx((6 + 0.9 * PRIOR_ROWS) / (8 + PRIOR_ROWS))


def test_a_side_of_another_size_is_scaled():
    """Ten times as many right rows of the same law: every cell's share is a half all the same, but for the prior."""
    left = np.array([[[3.0, 5.0], [4.0, 6.0]]])
    np.testing.assert_allclose(left_shares(left, 10 * left), 0.5)


@settings(deadline=None)
@given(st.floats(0.05, 0.95), st.floats(0.05, 0.95))
def test_odds_are_multiplied(p, q):
    found = together(np.array([[[p]]]), np.array([[[q]]]))[0, 0, 0]
    assert found / (1 - found) == pytest.approx(p / (1 - p) * q / (1 - q))
