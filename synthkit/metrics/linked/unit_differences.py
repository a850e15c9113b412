"""Distances of two sides with the influence of every unit, and scores made of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import numpy as np

from synthkit.metrics.result import Failure, Score
from synthkit.metrics.stats import paired_difference
from synthkit.metrics.stats.paired_difference import PairedDifference

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from synthkit.metrics.linked.linked_evaluation_data import LinkedEvaluationData
    from synthkit.metrics.linked.linked_side import LinkedSide

Parts = Mapping[str, PairedDifference | None]  # by table, link, pair; influences by unit; None: nothing to compare
BY_UNITS = (
    "Interval: first-order influence of the units of both sides, each with all its rows. The reference is as many "
    "training units against the holdout."
)


def by_units(
    difference: PairedDifference | None,
    left: LinkedSide,
    left_rows: NDArray[np.intp],
    right: LinkedSide,
    right_rows: NDArray[np.intp],
) -> PairedDifference | None:
    """A difference of rows with the influence of units instead: sum over a unit's rows, times units / rows.

    Args:
        difference: with contributions of rows.
        left: one side.
        left_rows: (n,) unit of each row.
        right: the other side.
        right_rows: (m,) unit of each row.
    """
    if difference is None:
        return None
    return PairedDifference(
        difference.value,
        _summed(difference.left, left_rows, left.size),
        _summed(difference.right, right_rows, right.size),
    )


def _summed(rows: NDArray[np.float64], units: NDArray[np.intp], size: int) -> NDArray[np.float64]:
    total = np.bincount(units, weights=rows - rows.mean(), minlength=size)
    return np.asarray(total * (size / len(rows)), dtype=float)


def absolute(
    left: NDArray[np.float64], right: NDArray[np.float64], *, relative: bool = False
) -> PairedDifference | None:
    """|mean(left) - mean(right)|, over mean(right) if `relative`; missing values left out, None if a side has none."""
    seen_l, seen_r = ~np.isnan(left), ~np.isnan(right)
    if not seen_l.any() or not seen_r.any():
        return None
    a, b = float(left[seen_l].mean()), float(right[seen_r].mean())
    scale = b if relative else 1.0
    if abs(scale) < 1e-12:
        return None
    sign = 1.0 if a >= b else -1.0
    pull = -sign * a / scale**2 if relative else -sign
    sides = (sign / scale * left, seen_l), (pull * right, seen_r)
    return PairedDifference(abs(a - b) / abs(scale), *(paired_difference.placed(x[seen], seen) for x, seen in sides))


def score(
    metric: str,
    data: LinkedEvaluationData,
    figure: Callable[[LinkedSide, LinkedSide], Parts],
    note: str,
    *,
    headline: str | None = None,
    needs: str = "rows to compare",
) -> Score | Failure:
    """A score from a figure of two sides: its mean over parts, or its `headline` part; a failure if none has a value.

    Args:
        metric: name of the score.
        data: the tables.
        figure: distances by part, with influences by unit; the same parts for every pair of sides.
        note: what it is.
        headline: the part whose value is the score's.
        needs: what both sides must have for a part to have a value.
    """
    parts, floor = figure(data.drawn, data.real), figure(data.like, data.real)
    chosen = [part for name, part in parts.items() if headline in (None, name)]
    if all(part is None for part in chosen):
        reason = f"`{metric}` needs {needs} on both sides; however: no table and no pair of tables has them"
        return Failure(metric=metric, reason=reason)
    at = paired_difference.over_draws([paired_difference.mean(chosen).difference], [None], None)
    real = [part.value for name, part in floor.items() if part is not None and headline in (None, name)]
    return Score(
        metric=metric,
        value=at.value,
        low=max(0.0, at.low),
        high=at.high,
        goal="low",
        reference=float(np.mean(real)) if real else None,
        parts={name: part.value for name, part in parts.items() if part is not None},
        note=f"{note} {BY_UNITS}",
    )
