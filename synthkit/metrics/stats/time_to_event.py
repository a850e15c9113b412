"""Survival analysis on arrays: Kaplan-Meier curves and concordance."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

CONCORDANCE_BLOCK = 500  # rows compared with all others at a time


@dataclass(frozen=True)
class SurvivalCurve:
    """Survival curves that fall at common times.

    **Shape**: at (k,) increasing, survival (b, k): share alive just after each time; 1 before the first, and level
    after the last.
    """

    at: NDArray[np.float64]
    survival: NDArray[np.float64]

    def __call__(self, times: NDArray[np.float64]) -> NDArray[np.float64]:
        """Share alive at `times`. **Shape**: (t,) -> (b, t)."""
        padded = np.concatenate([np.ones((len(self.survival), 1)), self.survival], axis=1)
        return np.asarray(padded[:, np.searchsorted(self.at, times, side="right")])


def kaplan_meier(
    times: NDArray[np.float64], seen: NDArray[np.bool_], weights: NDArray[np.uint16] | None = None
) -> SurvivalCurve:
    """The product-limit estimate S(t) = product over times u <= t of (1 - events at u / at risk at u).

    **Shape**: times (n,), events seen (n,), weights (b, n) or None for one curve of all rows -> b curves.

    References:
        Nonparametric Estimation from Incomplete Observations (Kaplan & Meier, 1958).

    Example:
        >>> curve = kaplan_meier(np.array([1.0, 2.0, 2.0, 3.0]), np.array([True, True, False, True]))
        >>> curve.at.tolist(), curve.survival.tolist()  # 3/4, times 2/3, times 0
        ([1.0, 2.0, 3.0], [[0.75, 0.5, 0.0]])
    """
    order = np.argsort(times, kind="stable")
    at, start = np.unique(times[order], return_index=True)
    w = np.ones((1, len(times))) if weights is None else weights[:, order].astype(float)
    leaving = np.add.reduceat(w, start, axis=1)
    events = np.add.reduceat(w * seen[order], start, axis=1)
    at_risk = np.cumsum(leaving[:, ::-1], axis=1)[:, ::-1]
    return SurvivalCurve(at, np.cumprod(1 - events / np.maximum(at_risk, 1e-300), axis=1))


def restricted_mean(curve: SurvivalCurve, tau: float) -> NDArray[np.float64]:
    """Restricted mean survival time: the area under each curve from 0 to `tau`. **Shape**: -> (b,).

    References:
        Restricted Mean Survival Time: an Alternative to the Hazard Ratio for the Design and Analysis of Randomized
        Trials with a Time-to-event Outcome (Royston & Parmar, 2013).

    Example:
        >>> curve = kaplan_meier(np.array([1.0, 2.0, 2.0, 3.0]), np.array([True, True, False, True]))
        >>> restricted_mean(curve, 2.5).tolist()  # 1 + 0.75 + 0.5 / 2
        [2.0]
    """
    grid = np.concatenate([[0.0], curve.at[(curve.at > 0) & (curve.at < tau)], [tau]])
    return np.asarray(curve(grid[:-1]) @ np.diff(grid))


def areas_between(
    upper: SurvivalCurve, lower: SurvivalCurve, end: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean of |upper - lower| and of upper - lower over the times from 0 to `end`. **Shape**: -> (b,), (b,).

    Example:
        >>> one, two = (kaplan_meier(np.array([t]), np.array([True])) for t in (1.0, 2.0))
        >>> [float(x[0]) for x in areas_between(one, two, 4.0)]
        [0.25, -0.25]
    """
    both = np.unique(np.concatenate([upper.at, lower.at]))
    grid = np.concatenate([[0.0], both[(both > 0) & (both < end)], [end]])
    gap, width = upper(grid[:-1]) - lower(grid[:-1]), np.diff(grid) / end
    return np.asarray(np.abs(gap) @ width), np.asarray(gap @ width)


def concordance(
    risk: NDArray[np.float64],
    times: NDArray[np.float64],
    seen: NDArray[np.bool_],
    weights: NDArray[np.uint16] | None = None,
) -> NDArray[np.float64]:
    """Harrell's C: share of comparable pairs in which the one with the earlier event has the higher risk, ties half.

    A pair is comparable if the earlier time is an event; of two equal times, if just one is.

    **Shape**: (n,), (n,), (n,), (b, n) or None -> (b,); nan where no pair is comparable.

    References:
        Evaluating the Yield of Medical Tests (Harrell, Califf, Pryor, Lee & Rosati, 1982).

    Example:
        >>> concordance(np.array([3.0, 1.0, 2.0]), np.array([1.0, 2.0, 3.0]), np.array([True, True, False])).round(4)
        array([0.6667])
    """
    w = np.ones((1, len(risk)), dtype=np.float32) if weights is None else weights.astype(np.float32)
    pairs, right = np.zeros(len(w)), np.zeros(len(w))
    events = np.flatnonzero(seen)
    for k in range(0, len(events), CONCORDANCE_BLOCK):
        rows = events[k : k + CONCORDANCE_BLOCK]
        time, own = times[rows, None], risk[rows, None]
        later = (time < times) | ((time == times) & ~seen)
        ahead = (later * ((own > risk) + 0.5 * (own == risk))).astype(np.float32)
        pairs += (w[:, rows] * (w @ later.T.astype(np.float32))).sum(axis=1, dtype=float)
        right += (w[:, rows] * (w @ ahead.T)).sum(axis=1, dtype=float)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(right / pairs)
