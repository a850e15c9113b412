"""Intervals and distances as pure functions of arrays and counts; no table, no schema, no randomness of its own."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy import special, stats

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

Z95 = 1.959963984540054


class Interval(NamedTuple):
    """A measurement and the ends of its interval."""

    value: float
    low: float
    high: float


def normal_interval(value: float, se: float, *, floor: float = -np.inf, ceiling: float = np.inf) -> Interval:
    """95 % normal interval `value` +- 1.96 `se`, cut to what is possible."""
    reach = Z95 * se if np.isfinite(se) else np.inf
    return Interval(value, min(value, max(floor, value - reach)), max(value, min(ceiling, value + reach)))


def wilson(hits: float, trials: float, *, z: float = Z95) -> Interval:
    """Wilson score interval of a share; nothing is known after no trials.

    centre (p + z²/2n) / (1 + z²/n), half width z sqrt(p(1-p)/n + z²/4n²) / (1 + z²/n)

    References:
        Probable Inference, the Law of Succession, and Statistical Inference (Wilson, 1927).

    Example:
        >>> share, low, high = wilson(23, 100)
        >>> round((low + high) / 2, 6), round((high - low) / 2, 6)
        (0.239988, 0.081556)
    """
    _check_counts(hits, trials)
    if trials == 0:
        return Interval(0.5, 0.0, 1.0)
    p, shrink = hits / trials, 1 + z**2 / trials
    centre = (p + z**2 / (2 * trials)) / shrink
    half = z * np.sqrt(p * (1 - p) / trials + z**2 / (4 * trials**2)) / shrink
    return Interval(p, min(p, max(0.0, float(centre - half))), max(p, min(1.0, float(centre + half))))


def clopper_pearson(hits: int, trials: int, *, level: float = 0.95) -> Interval:
    """Exact interval of a share: never covers less often than `level`.

    References:
        The Use of Confidence or Fiducial Limits Illustrated in the Case of the Binomial (Clopper & Pearson, 1934).

    Example:
        >>> [round(x, 4) for x in clopper_pearson(0, 100)]
        [0.0, 0.0, 0.0362]
    """
    _check_counts(hits, trials)
    if trials == 0:
        return Interval(0.5, 0.0, 1.0)
    tail = (1 - level) / 2
    low = 0.0 if hits == 0 else float(special.betaincinv(hits, trials - hits + 1, tail))
    high = 1.0 if hits == trials else float(special.betaincinv(hits + 1, trials - hits, 1 - tail))
    return Interval(hits / trials, low, high)


def newcombe(hits: float, trials: float, hits_2: float, trials_2: float, *, z: float = Z95) -> Interval:
    """Hybrid score interval of the difference between two independent shares (method 10).

    References:
        Interval Estimation for the Difference Between Independent Proportions (Newcombe, 1998).

    Example:
        >>> [round(x, 4) for x in newcombe(56, 70, 48, 80)]
        [0.2, 0.0524, 0.3339]
    """
    p, low, high = wilson(hits, trials, z=z)
    p_2, low_2, high_2 = wilson(hits_2, trials_2, z=z)
    below = np.sqrt((p - low) ** 2 + (high_2 - p_2) ** 2)
    above = np.sqrt((high - p) ** 2 + (p_2 - low_2) ** 2)
    return Interval(p - p_2, float(p - p_2 - below), float(p - p_2 + above))


def welch(left: NDArray[np.float64], right: NDArray[np.float64], *, level: float = 0.95) -> Interval:
    """Interval of the difference between the means of two independent samples whose variances may differ.

    mean(left) - mean(right) +- t(1 - (1 - level)/2; nu) sqrt(s²/n + s'²/m), nu by Satterthwaite; nothing is known of
    either end where a sample has fewer than two values.

    **Shape**: (n,) and (m,) with n, m >= 1 -> the difference and its interval.

    References:
        The Generalization of "Student's" Problem when Several Different Population Variances are Involved (Welch,
        1947).

    Example:
        >>> [round(x, 4) for x in welch(np.array([1.0, 2.0, 3.0]), np.array([2.0, 4.0]))]
        [-1.0, -6.977, 4.977]
    """
    value = float(left.mean() - right.mean())
    if min(len(left), len(right)) < 2:
        return Interval(value, -np.inf, np.inf)
    with warnings.catch_warnings():
        # of values that are all alike, whose variance is nought all the same
        warnings.filterwarnings("ignore", message="Precision loss occurred", category=RuntimeWarning)
        low, high = stats.ttest_ind(left, right, equal_var=False).confidence_interval(level)
    return Interval(value, float(low), float(high))


def total_variation(left: ArrayLike, right: ArrayLike) -> float:
    """Half the absolute difference of two sets of counts after each is scaled to one.

    Example:
        >>> total_variation([1, 1, 2], [2, 2, 0])
        0.5
    """
    a, b = np.asarray(left, dtype=float), np.asarray(right, dtype=float)
    if a.sum() <= 0 or b.sum() <= 0:
        msg = "total variation needs at least one row on both sides; however: one side is empty"
        raise ValueError(msg)
    return float(np.abs(a / a.sum() - b / b.sum()).sum() / 2)


def kolmogorov_smirnov(left: NDArray[np.float64], right: NDArray[np.float64]) -> tuple[float, float]:
    """Largest gap between two empirical distribution functions, signed left minus right, and where it is.

    **Shape**: (n,), (m,) without missing values -> the gap F_left(x) - F_right(x) of largest size, and x.
    """
    if not len(left) or not len(right):
        msg = "a KS distance needs at least one value on both sides; however: one side is empty"
        raise ValueError(msg)
    left, right = np.sort(left), np.sort(right)
    points = np.concatenate([left, right])
    gaps = np.searchsorted(left, points, side="right") / len(left)
    gaps -= np.searchsorted(right, points, side="right") / len(right)
    k = int(np.argmax(np.abs(gaps)))
    return float(gaps[k]), float(points[k])


def variance_of_mean(contributions: NDArray[np.float64], units: NDArray[np.intp] | None = None) -> float:
    """Variance of the mean of `contributions`, whose rows hang together inside a unit.

    sum over units (sum of the unit's deviations)² / n², times units / (units - 1)

    **Shape**: (n,) numbers and (n,) unit codes 0, 1, ... (each row its own unit if None) -> one number.
    """
    n = len(contributions)
    deviations = contributions - contributions.mean()
    if units is not None:
        deviations = np.bincount(units, weights=deviations)
    k = len(deviations)
    if k < 2:
        return float("inf")
    return float((deviations**2).sum() / n**2 * k / (k - 1))


def bootstrap_weights(units: NDArray[np.intp], replicates: int, rng: np.random.Generator) -> NDArray[np.uint16]:
    """How often each row occurs when whole units are drawn with replacement.

    **Shape**: `units` (n,) codes 0, 1, ... without gaps -> (replicates, n).
    """
    k = int(units.max()) + 1
    counts = [np.bincount(rng.integers(k, size=k), minlength=k)[units] for _ in range(replicates)]
    return np.array(counts, dtype=np.uint16)


def percentile_interval(value: float, replicates: NDArray[np.float64]) -> Interval:
    """95 % percentile interval of bootstrap replicates, widened to hold the value itself."""
    finite = replicates[np.isfinite(replicates)]
    if not len(finite):
        return Interval(value, -np.inf, np.inf)
    low, high = np.quantile(finite, [0.025, 0.975])
    return Interval(value, min(value, float(low)), max(value, float(high)))


def widened_if_flat(at: Interval, rows: int, *, floor: float = -np.inf, ceiling: float = np.inf) -> Interval:
    """An interval of no width as wide as what so many rows could have hidden, 1 - 0.025^(1 / rows); others as they are.

    Every replicate of a figure at the end of its scale is there too, which is no certainty.

    Args:
        at: the interval; both ends equal to the value, or not.
        rows: rows or units of the smaller side.
        floor: least value the figure can have.
        ceiling: largest value it can have.

    Example:
        >>> [round(x, 3) for x in widened_if_flat(Interval(1.0, 1.0, 1.0), 100, ceiling=1.0)]
        [1.0, 0.964, 1.0]
    """
    if at.low < at.high:
        return at
    hidden = 1 - 0.025 ** (1 / max(rows, 1))
    return Interval(at.value, max(at.value - hidden, floor), min(at.value + hidden, ceiling))


def off_scale(at: Interval, least: float, most: float) -> Interval:
    """An interval that lies at an end of a scale from `least` to `most` as a whole, open to that side.

    Example:
        >>> off_scale(Interval(900, 900, 900), 20, 900).high, off_scale(Interval(20, 20, 20), 20, 900).low
        (inf, 0.0)
    """
    return Interval(at.value, 0.0 if at.high <= least else at.low, np.inf if at.low >= most else at.high)


def auc(scores: NDArray[np.float64], positive: NDArray[np.bool_]) -> float:
    """Probability that a positive row scores higher than a negative one, ties counted half.

    **Shape**: (n,), (n,) -> one number; nan if one side is empty.
    """
    ranks = stats.rankdata(scores)
    n_1 = int(positive.sum())
    n_0 = len(positive) - n_1
    if n_1 == 0 or n_0 == 0:
        return float("nan")
    return float((ranks[positive].sum() - n_1 * (n_1 + 1) / 2) / (n_1 * n_0))


def weighted_aucs(
    scores: NDArray[np.float64], positive: NDArray[np.bool_], weights: NDArray[np.uint16]
) -> NDArray[np.float64]:
    """AUC under each row of `weights`, sorting once. **Shape**: (n,), (n,), (b, n) -> (b,); nan if a side is empty."""
    _, rank = np.unique(scores, return_inverse=True)
    k = int(rank.max()) + 1
    values = np.full(len(weights), np.nan)
    for b, row in enumerate(weights):
        up = np.bincount(rank, weights=row * positive, minlength=k)
        down = np.bincount(rank, weights=row * ~positive, minlength=k)
        total = up.sum() * down.sum()
        if total > 0:
            values[b] = (up * (np.cumsum(down) - down / 2)).sum() / total
    return values


def delong(scores: NDArray[np.float64], positive: NDArray[np.bool_]) -> Interval:
    """AUC with the 95 % interval of DeLong, by midranks.

    At 0 and 1 the estimated variance is nought; there the end is what the smaller side of size n could have
    hidden, 0.025^(1/n), so that a perfect AUC of few rows still has a width.

    **Shape**: (n,), (n,) -> value, low, high.

    References:
        Comparing the Areas under Two or More Correlated ROC Curves (DeLong, DeLong & Clarke-Pearson, 1988);
        Fast Implementation of DeLong's Algorithm (Sun & Xu, 2014).
    """
    a, b = scores[positive], scores[~positive]
    if min(len(a), len(b)) < 2:
        msg = f"an AUC interval needs two rows on each side; however: {len(a)} and {len(b)} given"
        raise ValueError(msg)
    ranks = stats.rankdata(np.concatenate([a, b]))
    above = (ranks[: len(a)] - stats.rankdata(a)) / len(b)  # share of negatives below each positive
    below = 1 - (ranks[len(a) :] - stats.rankdata(b)) / len(a)
    value = float(above.mean())
    se = np.sqrt(above.var(ddof=1) / len(a) + below.var(ddof=1) / len(b))
    interval = normal_interval(value, float(se), floor=0.0, ceiling=1.0)
    if 0 < value < 1:
        return interval
    hidden = float(0.025 ** (1 / min(len(a), len(b))))
    return Interval(value, min(value, hidden), max(value, 1 - hidden))


def roc(scores: NDArray[np.float64], positive: NDArray[np.bool_], *, points: int = 60) -> dict[str, list[float]]:
    """ROC curve thinned to at most `points` points, for a plot."""
    order = np.argsort(-scores, kind="stable")
    last = np.append(np.diff(scores[order]) != 0, True)
    hits, misses = np.cumsum(positive[order])[last], np.cumsum(~positive[order])[last]
    fpr, tpr = np.append(0.0, misses / max(misses[-1], 1)), np.append(0.0, hits / max(hits[-1], 1))
    keep = np.unique(np.linspace(0, len(fpr) - 1, points).round().astype(int))
    return {"fpr": [round(float(x), 5) for x in fpr[keep]], "tpr": [round(float(x), 5) for x in tpr[keep]]}


def _check_counts(hits: float, trials: float) -> None:
    if not 0 <= hits <= trials:
        msg = f"a share needs 0 <= hits <= trials; however: {hits} of {trials}"
        raise ValueError(msg)
