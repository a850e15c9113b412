"""Equivalent sample size of a prediction task: real rows that train as good a model, read off a learning curve."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from synthkit.errors import MetricError
from synthkit.io.json_types import JSON
from synthkit.metrics.metric import MetricLabel
from synthkit.metrics.result import Score, Scored
from synthkit.metrics.stats import intervals
from synthkit.metrics.utility.learners import predictions

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from synthkit.metrics.utility.prediction_task import Judged, TaskRows

CURVE_SIZES, SMALLEST_CURVE_SIZE, LARGEST_OVER_SMALLEST, CURVE_REPEATS = (
    5,
    50,
    64,
    3,
)  # sizes; smallest; largest over smallest; samples of a smaller size


def equivalent_rows(tested: Judged, train: TaskRows, rng: np.random.Generator) -> Scored:
    """Number n such that the learner of the headline scores on n random training rows what it does on synthetic ones.

    Five sizes on a logarithmic scale, the smaller ones three times, interpolated; the curve never falls. Rows better
    than all training rows are worth "at least" that many, rows worse than the fewest "at most" those.

    Args:
        tested: predictions of the learner of the headline on the holdout.
        train: the n real rows it was trained on.
        rng: source of the samples and seeds.

    Raises:
        MetricError: there are too few training rows for a curve.
    """
    sizes = _sizes(len(train.target))
    ones = np.ones((1, len(tested.holdout.target)), dtype=np.uint16)
    weights = np.concatenate([ones, tested.weights])

    def judge(predicted: NDArray[np.float64]) -> NDArray[np.float64]:
        return tested.task.quality(tested.holdout.target, predicted, weights)

    parts = [
        np.mean([judge(_trained_on_sample(tested, train, k, rng)) for _ in range(CURVE_REPEATS)], axis=0)
        for k in sizes[:-1]
    ]
    curve: NDArray[np.float64] = np.maximum.accumulate(np.array([*parts, judge(tested.real)]), axis=0)
    synthetic = np.mean([judge(p) for p in tested.synthetic], axis=0)
    equivalent = np.array([size_at_quality(synthetic[b], sizes, curve[:, b]) for b in range(len(synthetic))])
    at = intervals.percentile_interval(float(equivalent[0]), equivalent[1:])
    at = intervals.off_scale(at, float(sizes[0]), float(sizes[-1]))
    end = {float(sizes[0]): "at most", float(sizes[-1]): "at least"}.get(at.value, "about")
    panel: dict[str, JSON] = {
        "target": tested.task.target.column,
        "sizes": sizes.tolist(),
        "quality": curve[:, 0].round(6).tolist(),
        "synthetic_quality": float(synthetic[0]),
        "equivalent": at.value,
        "low": at.low,
        "high": at.high,
        "end": end,
    }
    return [_score(tested, at, end, sizes, curve[:, 0])], {"learning_curves": [panel]}


def _sizes(rows: int) -> NDArray[np.intp]:
    """Sizes of samples on a logarithmic scale, the last all rows."""
    smallest = max(SMALLEST_CURVE_SIZE, rows // LARGEST_OVER_SMALLEST)
    if rows < 2 * smallest:
        msg = f"a learning curve needs {2 * SMALLEST_CURVE_SIZE} training rows; however: {rows}. Train on more rows"
        raise MetricError(msg)
    return np.asarray(np.geomspace(smallest, rows, CURVE_SIZES).round().astype(int))


def _score(
    tested: Judged, at: intervals.Interval, end: str, sizes: NDArray[np.intp], curve: NDArray[np.float64]
) -> Score:
    return Score(
        metric=f"{tested.prefix}.equivalent_sample_size",
        value=at.value,
        low=at.low,
        high=at.high,
        goal="high",
        reference=float(sizes[-1]),
        parts={str(k): float(quality) for k, quality in zip(sizes, curve, strict=True)},
        note=f"The synthetic rows teach {tested.learner.name} as much as {end} {at.value:,.0f} real rows; the "
        f"reference is the {sizes[-1]} rows it was trained on, where the scale ends; it starts at {sizes[0]}. "
        f"Interval: joint bootstrap of the test {tested.task.tested} for curve and synthetic rows.",
    )


def size_at_quality(quality: float, sizes: NDArray[np.intp], curve: NDArray[np.float64]) -> float:
    """Smallest size at which a curve that never falls reaches `quality`, between its ends; nan if that is not finite.

    **Shape**: sizes (k,), curve (k,).

    Example:
        >>> size_at_quality(0.65, np.array([100, 1000, 10000]), np.array([0.6, 0.7, 0.8])).__round__(1)
        316.2
    """
    if not (np.isfinite(quality) and np.isfinite(curve).all()):
        return float("nan")
    if quality <= curve[0]:
        return float(sizes[0])
    if quality >= curve[-1]:
        return float(sizes[np.argmax(curve >= curve[-1])]) if quality == curve[-1] else float(sizes[-1])
    k = int(np.searchsorted(curve, quality, side="left"))
    share = (quality - curve[k - 1]) / (curve[k] - curve[k - 1])
    return float(np.exp((1 - share) * np.log(sizes[k - 1]) + share * np.log(sizes[k])))


def _trained_on_sample(tested: Judged, train: TaskRows, size: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Predictions after training on a random sample with at least one row of two classes."""
    task = tested.task
    order = rng.permutation(len(train.target))
    if task.classes:
        first = [np.flatnonzero(train.target[order] == k)[:1] for k in np.unique(train.target)]
        ahead = np.concatenate(first)[:size]
        order = np.concatenate([order[ahead], np.delete(order, ahead)])
    rows = train.take(np.sort(order[:size]))
    schema = task.comparison.schema
    frames = [tested.holdout.frame]
    return predictions(tested.learner, rows.frame, rows.target, frames, schema, task.names, task.classes, rng)[0]


LEARNING_CURVE_LABELS = {
    "equivalent_sample_size": MetricLabel(
        "Real rows that teach as much", "Number of real rows that would train as good a model.", "count"
    ),
}
