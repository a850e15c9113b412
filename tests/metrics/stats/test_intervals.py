"""Intervals and distances against published numbers, scipy, scikit-learn and brute force."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats as reference
from sklearn.metrics import roc_auc_score

from synthkit.metrics.stats import intervals, paired_difference


@pytest.mark.parametrize(
    ("hits", "trials", "centre", "half"), [(23, 100, 0.2399882, 0.0815557), (100, 100, 0.9815033, 0.0184967)]
)
def test_wilson_published(hits, trials, centre, half):
    at = intervals.wilson(hits, trials)
    assert (at.low + at.high) / 2 == pytest.approx(centre, abs=2e-7)
    assert (at.high - at.low) / 2 == pytest.approx(half, abs=2e-7)


@given(st.integers(1, 500).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_shares_agree_with_scipy(pair):
    hits, trials = pair
    test = reference.binomtest(hits, trials)
    for ours, method in ((intervals.wilson, "wilson"), (intervals.clopper_pearson, "exact")):
        theirs = test.proportion_ci(method=method)
        at = ours(hits, trials)
        assert at.low <= at.value <= at.high
        np.testing.assert_allclose((at.low, at.high), (theirs.low, theirs.high), atol=1e-9)


def test_newcombe_published():
    at = intervals.newcombe(56, 70, 48, 80)
    np.testing.assert_allclose(at, (0.2, 0.0524, 0.3339), atol=5e-5)


def test_welch_by_hand():
    """3 and 2 values of variances 1 and 2: the standard error is the root of 4/3, the freedom 16/9 over 19/18."""
    at = intervals.welch(np.array([1.0, 2.0, 3.0]), np.array([2.0, 4.0]))
    reach = reference.t.ppf(0.975, (16 / 9) / (19 / 18)) * np.sqrt(4 / 3)
    assert at == pytest.approx((-1, -1 - reach, -1 + reach))


@pytest.mark.parametrize(("right", "half"), [([3.0, 3.0, 3.0], 0.0), ([2.0, 3.0, 4.0], 2.4841377117503)])
def test_welch_of_values_that_are_all_alike(right, half):
    """They have no variance; the interval is that of the other mean, t(0.975; 2) / root 3 on either side."""
    alike = np.array([0.1, 0.1, 0.1, 0.1])
    assert intervals.welch(alike, np.array(right)) == pytest.approx((-2.9, -2.9 - half, -2.9 + half))
    assert intervals.welch(np.array(right), alike) == pytest.approx((2.9, 2.9 - half, 2.9 + half))
    assert intervals.welch(alike[:1], np.array(right))[1:] == (-np.inf, np.inf)


def test_no_trials_means_no_knowledge():
    assert intervals.wilson(0, 0)[1:] == (0.0, 1.0)
    assert intervals.clopper_pearson(0, 0)[1:] == (0.0, 1.0)


@pytest.mark.parametrize("share", [intervals.wilson, intervals.clopper_pearson])
def test_more_hits_than_trials_is_refused(share):
    with pytest.raises(ValueError, match="0 <= hits <= trials; however: 3 of 2"):
        share(3, 2)


def test_total_variation_by_hand():
    assert intervals.total_variation([3, 1, 0], [1, 1, 2]) == pytest.approx(0.5)
    assert intervals.total_variation([5, 0], [0, 7]) == 1
    with pytest.raises(ValueError, match="one side is empty"):
        intervals.total_variation([0, 0], [1, 2])


@given(st.lists(st.integers(-5, 5), min_size=1, max_size=40), st.lists(st.integers(-5, 5), min_size=1, max_size=40))
@settings(deadline=None)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # of scipy's p-value, which is not looked at
def test_ks_agrees_with_scipy(left, right):
    a, b = np.array(left, dtype=float), np.array(right, dtype=float)
    gap, at = intervals.kolmogorov_smirnov(a, b)
    assert abs(gap) == pytest.approx(reference.ks_2samp(a, b, method="asymp").statistic)
    assert gap == pytest.approx((a <= at).mean() - (b <= at).mean())


def test_ks_of_nothing_is_refused():
    with pytest.raises(ValueError, match="one side is empty"):
        intervals.kolmogorov_smirnov(np.array([]), np.array([1.0]))


def test_auc_and_delong_agree_with_sklearn_and_the_double_sum():
    rng = np.random.default_rng(0)
    y = rng.random(300) < 0.4
    x = (rng.normal(size=300) + y).round(1)  # with ties
    assert intervals.auc(x, y) == pytest.approx(roc_auc_score(y, x))
    at = intervals.delong(x, y)
    assert at.value == pytest.approx(roc_auc_score(y, x))
    psi = (x[y][:, None] > x[~y]) + 0.5 * (x[y][:, None] == x[~y])
    se = np.sqrt(psi.mean(1).var(ddof=1) / y.sum() + psi.mean(0).var(ddof=1) / (~y).sum())
    assert at.high - at.value == pytest.approx(1.959964 * se, rel=1e-6)


def test_delong_of_a_perfect_score_has_a_width():
    at = intervals.delong(np.r_[np.zeros(50), np.ones(50)], np.repeat([False, True], 50))
    assert at.value == 1
    assert at.low == pytest.approx(0.025 ** (1 / 50))
    with pytest.raises(ValueError, match="two rows on each side; however: 1 and 2"):
        intervals.delong(np.arange(3.0), np.array([True, False, False]))


def test_weighted_aucs_agree_with_sklearn():
    rng = np.random.default_rng(1)
    y, x = rng.random(200) < 0.3, rng.integers(0, 12, 200).astype(float)
    weights = rng.integers(0, 4, (5, 200)).astype(np.uint16)
    expected = [roc_auc_score(y, x, sample_weight=w) for w in weights]
    np.testing.assert_allclose(intervals.weighted_aucs(x, y, weights), expected)


def test_roc_is_short_and_ends_in_the_corners():
    rng = np.random.default_rng(2)
    y = rng.random(1000) < 0.5
    x = rng.normal(size=1000) + y
    curve = intervals.roc(x, y)
    assert len(curve["fpr"]) <= 60
    assert (curve["fpr"][0], curve["tpr"][0], curve["fpr"][-1], curve["tpr"][-1]) == (0, 0, 1, 1)
    assert np.trapezoid(curve["tpr"], curve["fpr"]) == pytest.approx(roc_auc_score(y, x), abs=0.005)


def test_variance_of_a_mean_knows_units():
    x = np.random.default_rng(3).normal(size=50)
    assert intervals.variance_of_mean(x) == pytest.approx(x.var(ddof=1) / 50)
    doubled, units = np.repeat(x, 2), np.repeat(np.arange(50), 2)
    assert intervals.variance_of_mean(doubled, units) == pytest.approx(x.var(ddof=1) / 50)


def test_bootstrap_weights_move_whole_units():
    units = np.repeat(np.arange(30), 3)
    weights = intervals.bootstrap_weights(units, 50, np.random.default_rng(4))
    assert weights.shape == (50, 90)
    assert (weights.reshape(50, 30, 3).std(axis=2) == 0).all()
    assert (weights.sum(axis=1) == 90).all()


def test_spread_holds_the_value():
    assert intervals.percentile_interval(5.0, np.array([0.0, 1.0, np.nan])).high == 5
    assert intervals.percentile_interval(1.0, np.array([np.nan])) == (1.0, -np.inf, np.inf)


def _bootstrap_se(measure, left, right, seed):
    rng = np.random.default_rng(seed)
    draws = []
    for _ in range(400):
        a = rng.integers(left.shape[-1], size=left.shape[-1])
        b = rng.integers(right.shape[-1], size=right.shape[-1])
        draws.append(measure(left[..., a], right[..., b]).value)
    return np.std(draws)


def _shifted(kind):
    rng = np.random.default_rng(5)
    if kind == "tv":
        return rng.choice(4, 800, p=[0.1, 0.2, 0.3, 0.4]), rng.choice(4, 600, p=[0.4, 0.3, 0.2, 0.1])
    if kind == "ks":
        return rng.normal(0, 1, 800), rng.normal(0.8, 1, 600)
    left, right = rng.normal(size=(2, 800)), rng.normal(size=(2, 600))
    left[1] += left[0]
    return left, right


@pytest.mark.parametrize("kind", ["tv", "ks", "pearson"])
def test_influence_gives_the_spread_of_a_bootstrap(kind):
    """Where two laws differ, the one-pass interval is that of resampling rows."""
    measure = {
        "tv": lambda a, b: paired_difference.tv(a, b, 4),
        "ks": paired_difference.ks,
        "pearson": paired_difference.pearson,
    }[kind]
    left, right = _shifted(kind)
    found = measure(left, right)
    at = paired_difference.over_draws([found], [None], None)
    assert (at.high - at.low) / (2 * intervals.Z95) == pytest.approx(_bootstrap_se(measure, left, right, 6), rel=0.15)


def test_contrasts_have_the_textbook_values():
    left, right = _shifted("tv")
    counts = [np.bincount(side, minlength=4) for side in (left, right)]
    assert paired_difference.tv(left, right, 4).value == pytest.approx(intervals.total_variation(*counts))
    assert paired_difference.tv(left * 10**9, right * 10**9, 4 * 10**9).value == pytest.approx(
        intervals.total_variation(*counts)
    )
    left, right = _shifted("pearson")
    expected = abs(np.corrcoef(left)[0, 1] - np.corrcoef(right)[0, 1]) / 2
    assert paired_difference.pearson(left, right).value == pytest.approx(expected)
    assert paired_difference.pearson(np.ones((2, 9)), right) is None
    assert paired_difference.ks(np.full(3, np.nan), right[0]) is None


def test_a_mean_over_nothing_is_refused():
    with pytest.raises(ValueError, match="needs at least one column"):
        paired_difference.mean([None, None])
