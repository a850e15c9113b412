"""Distances between two tables with the influence of every row: one pass gives value and interval.

The row contributions are the first-order (infinitesimal jackknife) influence of a row on the distance. Averages of
distances average their contributions, so the interval of a mean over 1,225 pairs of columns costs no bootstrap and
knows that pairs share rows. A distance is a sum of absolute values; where two tables agree its contributions are
those of a signed sum, so the interval errs on the wide side.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from synthkit.metrics.stats import intervals

if TYPE_CHECKING:
    from numpy.typing import NDArray

MAX_DENSE_CELLS = 2_000_000  # cells above which combinations are renumbered before they are counted


@dataclass(frozen=True)
class PairedDifference:
    """Distance of a left and a right table. **Shape**: value (), left (n,), right (m,); or the mean of several."""

    value: float
    left: NDArray[np.float64]
    right: NDArray[np.float64]


@dataclass(frozen=True)
class Mean:
    """Mean of many differences of the same two tables, and the value of each."""

    difference: PairedDifference
    values: tuple[float, ...]


def mean(differences: Iterable[PairedDifference | None]) -> Mean:
    """Average of differences of the same tables; None (nothing to compare) becomes nan and is left out."""
    values, count = [], 0
    left = right = np.zeros(1)
    for difference in differences:
        values.append(float("nan") if difference is None else difference.value)
        if difference is not None:
            left, right, count = left + difference.left, right + difference.right, count + 1
    if count == 0:
        msg = "a mean distance needs at least one column that has values in both tables; however: none has"
        raise ValueError(msg)
    return Mean(PairedDifference(float(np.nanmean(values)), left / count, right / count), tuple(values))


def over_draws(
    differences: Sequence[PairedDifference],
    left_units: Sequence[NDArray[np.intp] | None],
    right_units: NDArray[np.intp] | None,
    *,
    extra: float = 0.0,
) -> intervals.Interval:
    """Mean over draws with its 95 % interval; the right table is the same in all, so its share does not shrink.

    Args:
        differences: one a draw.
        left_units: unit codes of each draw's rows; None if each row is a unit.
        right_units: unit codes of the right table's rows.
        extra: further variance, such as that of a random choice of column tuples.
    """
    m = len(differences)
    variance = sum(intervals.variance_of_mean(c.left, u) for c, u in zip(differences, left_units, strict=True)) / m**2
    variance += intervals.variance_of_mean(np.mean([c.right for c in differences], axis=0), right_units) + extra
    at = intervals.normal_interval(float(np.mean([c.value for c in differences])), float(np.sqrt(variance)))
    units = [*left_units, right_units]
    sides = [*(c.left for c in differences), differences[0].right]
    few = min(len(side) if u is None else int(u.max()) + 1 for side, u in zip(sides, units, strict=True))
    return intervals.widened_if_flat(at, few, floor=0.0)


def tv(left: NDArray[np.intp], right: NDArray[np.intp], cells: int) -> PairedDifference:
    """Total variation of two columns of codes. **Shape**: (n,), (m,) codes below `cells`."""
    if cells > MAX_DENSE_CELLS:
        _, both = np.unique(np.concatenate([left, right]), return_inverse=True)
        left, right, cells = both[: len(left)], both[len(left) :], int(both.max()) + 1
    gap = np.bincount(left, minlength=cells) / len(left) - np.bincount(right, minlength=cells) / len(right)
    sign = np.sign(gap) / 2
    return PairedDifference(float(sign @ gap), sign[left], -sign[right])


def tv_seen(left: NDArray[np.intp], right: NDArray[np.intp], cells: int, missing: int) -> PairedDifference | None:
    """Total variation of two columns of codes among rows that are not `missing`; None if one column has no value."""
    seen_l, seen_r = left != missing, right != missing
    if not seen_l.any() or not seen_r.any():
        return None
    among = tv(left[seen_l], right[seen_r], cells)
    return PairedDifference(among.value, placed(among.left, seen_l), placed(among.right, seen_r))


def ks(left: NDArray[np.float64], right: NDArray[np.float64]) -> PairedDifference | None:
    """Kolmogorov-Smirnov distance of two columns of numbers, missing cells left out; None if one has no value."""
    seen_l, seen_r = ~np.isnan(left), ~np.isnan(right)
    if not seen_l.any() or not seen_r.any():
        return None
    gap, at = intervals.kolmogorov_smirnov(left[seen_l], right[seen_r])
    sign = 1.0 if gap >= 0 else -1.0
    below_l, below_r = (np.where(side <= at, sign, 0.0) for side in (left[seen_l], right[seen_r]))
    return PairedDifference(abs(gap), placed(below_l, seen_l), placed(-below_r, seen_r))


def pearson(left: NDArray[np.float64], right: NDArray[np.float64]) -> PairedDifference | None:
    """Half the absolute difference of two Pearson correlations, rows with a missing cell left out.

    The influence of a row with standard scores a, b on r is ab - r(a² + b²)/2.

    **Shape**: (2, n), (2, m); None if a correlation is not defined.
    """
    sides = [_correlation(left), _correlation(right)]
    if sides[0] is None or sides[1] is None:
        return None
    (r, row), (r_2, row_2) = sides[0], sides[1]
    sign = np.sign(r - r_2) / 2
    return PairedDifference(float(abs(r - r_2) / 2), sign * row, -sign * row_2)


def _correlation(pair: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]] | None:
    seen = np.asarray(~np.isnan(pair).any(axis=0))
    x = pair[:, seen]
    if x.shape[1] < 2:
        return None
    scale = x.std(axis=1, keepdims=True)
    if (scale <= 1e-12 * (1 + np.abs(x).max(axis=1, keepdims=True))).any():
        return None
    a, b = (x - x.mean(axis=1, keepdims=True)) / scale
    r = float(np.clip((a * b).mean(), -1, 1))
    rows = np.zeros(pair.shape[1])
    rows[seen] = (a * b - r * (a**2 + b**2) / 2) * (len(seen) / seen.sum())
    return r, rows


def placed(rows: NDArray[np.float64], seen: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Contributions to a mean over the rows `seen`, written as contributions to a mean over all rows."""
    placed = np.zeros(len(seen))
    placed[seen] = (rows - rows.mean()) / seen.mean()
    return placed
