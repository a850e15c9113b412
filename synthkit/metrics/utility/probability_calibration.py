"""Calibration of predicted probabilities on real rows: recalibration, calibration error, precision and recall."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from synthkit.errors import MetricError
from synthkit.io.json_types import JSON
from synthkit.metrics.metric import MetricLabel
from synthkit.metrics.result import Score, Scored
from synthkit.metrics.stats.several_draws import mean_of_draws

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from synthkit.metrics.utility.prediction_task import Judged

PROBABILITY_EDGE, CALIBRATION_BINS, MAX_NEWTON_STEPS = 1e-6, 10, 50
BEST_CALIBRATION = {"calibration_intercept": 0, "calibration_slope": 1}


def calibration(tested: Judged) -> Scored:
    """Intercept and slope of a logistic recalibration on the holdout, of the headline's learner; binary tasks only.

    Both are 0 and 1 if the predicted probabilities are right. A slope below 1 says that they are too extreme, above
    1 too timid; an intercept below 0 that they are too high where they say one half. The reference is the same
    learner trained on real rows.

    Raises:
        MetricError: the recalibration has no finite answer.

    References:
        Two Further Applications of a Model for Binary Regression (Cox, 1958);
        Calibration: the Achilles Heel of Predictive Analytics (Van Calster, McLernon, van Smeden et al., 2019).
    """
    y, weights = tested.holdout.target, tested.weights
    real = recalibration(logit(tested.real[:, 1]), y, weights)[0]
    draws = [recalibration(logit(p[:, 1]), y, weights) for p in tested.synthetic]
    scores: list[Score] = []
    for k, (name, best) in enumerate(BEST_CALIBRATION.items()):
        at = mean_of_draws([float(value[k]) for value, _ in draws], [replicates[:, k] for _, replicates in draws])
        scores.append(
            Score(
                metric=f"{tested.prefix}.{name}",
                value=at.value,
                low=at.low,
                high=at.high,
                goal="none",
                reference=float(real[k]),
                note="Of the logistic recalibration, on the holdout, of probabilities by "
                f"{tested.learner.name} trained on synthetic rows; {best} is best, the reference is trained on real "
                f"rows. Interval: bootstrap of the test {tested.task.tested}, one Newton step a replicate.",
            )
        )
    panel: dict[str, JSON] = {
        "target": tested.task.target.column,
        "learner": tested.learner.name,
        "real": _bars(tested.real[:, 1], y),
    }
    curves = [_bars(p[:, 1], y) for p in tested.synthetic]
    return scores, {"calibration": [{**panel, "synthetic": curves[0]}]}


def logit(p: NDArray[np.float64]) -> NDArray[np.float64]:
    """log(p / (1 - p)) of probabilities kept a millionth away from 0 and 1."""
    p = np.clip(p, PROBABILITY_EDGE, 1 - PROBABILITY_EDGE)
    return np.asarray(np.log(p / (1 - p)))


def recalibration(
    x: NDArray[np.float64], y: NDArray[np.float64], weights: NDArray[np.uint16] | None = None
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Intercept a and slope b of the greatest likelihood of logit P(y = 1) = a + b x, and bootstrap replicates.

    Replicates take one Newton step from the estimate, which has the same limiting law as a full fit.

    **Shape**: log-odds (n,), events (n,) of 0 and 1, weights (b, n) -> (2,), (b, 2); (0, 2) without weights.

    Raises:
        MetricError: all log-odds are equal, or they separate the events.

    Example:
        >>> x = np.array([-1.0, -1.0, -1.0, -1.0, 1.0, 1.0, 1.0, 1.0])
        >>> (a, b), _ = recalibration(x, np.array([0.0, 0, 0, 1, 0, 1, 1, 1]))  # one of four, three of four
        >>> bool(abs(a) < 1e-9), round(float(b), 4) == round(float(np.log(3)), 4)
        (True, True)
    """
    if np.ptp(x) < 1e-9:
        msg = "a recalibration needs predictions that differ; however: all rows have the same. Nothing was learned"
        raise MetricError(msg)
    z = np.stack([np.ones(len(x)), x])
    beta = np.zeros(2)
    for _ in range(MAX_NEWTON_STEPS):
        gradient, hessian = _terms(z, y, beta)
        step = np.linalg.solve(hessian.sum(axis=-1) + 1e-12 * np.eye(2), gradient.sum(axis=1))
        beta = beta + step * min(1.0, 4 / np.abs(step).max(initial=1e-12))
        if np.abs(step).max() < 1e-9 * (1 + np.abs(beta).max()):
            break
    else:
        msg = (
            "a recalibration needs events and others whose predictions overlap; however: they are separated. "
            "Hold more rows out, or leave the column that gives the outcome away out by `exclude`"
        )
        raise MetricError(msg)
    if weights is None:
        return beta, np.empty((0, 2))
    gradient, hessian = _terms(z, y, beta)
    w = weights.astype(float)
    steps = np.linalg.solve(np.moveaxis(hessian @ w.T, -1, 0) + 1e-12 * np.eye(2), (gradient @ w.T).T[:, :, None])
    return beta, beta + steps[:, :, 0]


def figures(y: NDArray[np.float64], p: NDArray[np.float64]) -> dict[str, float]:
    """Figures of probabilities of an event: expected calibration error, AUPRC, calibration intercept and slope.

    Intercept and slope are left out where they are not finite, AUPRC where there is no event.

    **Shape**: events (n,) of 0 and 1, probabilities (n,).
    """
    from sklearn.metrics import average_precision_score

    out = {"ECE": expected_calibration_error(y, p)}
    if y.any():  # without an event there is nothing to be precise about
        out["AUPRC"] = float(average_precision_score(y, p))
    try:
        intercept, slope = recalibration(logit(p), y)[0]
    except MetricError:
        return out
    return {**out, "calibration intercept": float(intercept), "calibration slope": float(slope)}


def expected_calibration_error(y: NDArray[np.float64], p: NDArray[np.float64]) -> float:
    """Mean over rows of |observed share - mean probability| of the row's bin; ten bins of equal mass, ties together.

    Example:
        >>> expected_calibration_error(np.array([0.0, 0, 1, 1]), np.array([0.5, 0.5, 0.5, 0.5]))
        0.0
    """
    count, observed, predicted = _binned(y, p)
    return float(np.abs(observed - predicted).sum() / count.sum())


def _binned(
    y: NDArray[np.float64], p: NDArray[np.float64]
) -> tuple[NDArray[np.intp], NDArray[np.float64], NDArray[np.float64]]:
    """Rows, events and sum of probabilities of each bin that holds a row."""
    inner = np.quantile(p, np.arange(1, CALIBRATION_BINS) / CALIBRATION_BINS)
    code = np.searchsorted(inner, p, side="right")
    count = np.bincount(code, minlength=CALIBRATION_BINS)
    observed, predicted = (
        np.asarray(np.bincount(code, weights=v, minlength=CALIBRATION_BINS), dtype=float) for v in (y, p)
    )
    return count[count > 0], observed[count > 0], predicted[count > 0]


def _bars(p: NDArray[np.float64], y: NDArray[np.float64]) -> dict[str, list[float]]:
    """Mean probability and observed share by bin, for a plot."""
    count, observed, predicted = _binned(y, p)
    return {"predicted": (predicted / count).round(4).tolist(), "observed": (observed / count).round(4).tolist()}


def _terms(
    z: NDArray[np.float64], y: NDArray[np.float64], beta: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Every row's gradient (2, n) and negative Hessian (2, 2, n) of the log-likelihood."""
    p = 1 / (1 + np.exp(-np.clip(beta @ z, -500, 500)))
    return z * (y - p), z[:, None] * z[None] * (p * (1 - p))


CALIBRATION_LABELS = {
    "calibration_intercept": MetricLabel(
        "Calibration intercept", "0 if probabilities learned from synthetic rows are right on real people."
    ),
    "calibration_slope": MetricLabel(
        "Calibration slope", "1 if these probabilities are right, below 1 if too extreme."
    ),
}
