"""The best baseline on real rows, chosen by cross-validation among the training rows: the reference of utility."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from synthkit.errors import MetricError
from synthkit.metrics.utility.learners import Learner, predictions
from synthkit.metrics.utility.non_inferiority import jackknife

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from synthkit.metrics.utility.prediction_task import PredictionTask, TaskRows

VALIDATION_FOLDS, MAX_VALIDATION_ROWS = 3, 10_000  # of the validation; training rows it looks at


@dataclass(frozen=True, kw_only=True)
class BestBaseline:
    """The best of the candidates.

    Args:
        learner: the one whose loss is the headline.
        quality: mean quality out of fold by name of the candidate.
        noise: standard error of its quality on the holdout over redraws of the training rows.
    """

    learner: Learner
    quality: Mapping[str, float]
    noise: float


def best_on_real_rows(
    task: PredictionTask, candidates: Sequence[Learner], train: TaskRows, holdout: TaskRows, rng: np.random.Generator
) -> BestBaseline:
    """Cross-validate the candidates on real training rows; the earlier of equal ones wins.

    Three folds of at most 10,000 rows, which keep the rows of a unit together; a fold that lacks a class is left out.
    The holdout has no say in the choice: on it only the spread of the three models is read off.

    Args:
        task: what is predicted.
        candidates: learners, at least one.
        train: real rows with a known target.
        holdout: rows on which the quality is told.
        rng: source of folds and seeds.

    Raises:
        MetricError: there is no candidate.
    """
    if not candidates:
        msg = "a reference needs a candidate (gradient boosting, a linear model); however: none is among the learners"
        raise MetricError(msg)
    rows = train.sample(MAX_VALIDATION_ROWS, rng)
    fold = _folds(task, rows, rng)
    found = {each.name: _validated(task, each, rows, fold, holdout, rng) for each in candidates}
    best = max(candidates, key=lambda each: np.nan_to_num(found[each.name][0], nan=-np.inf))
    fewer = len(rows.target) / len(train.target)
    return BestBaseline(
        learner=best,
        quality={name: quality for name, (quality, _) in found.items()},
        noise=found[best.name][1] * float(np.sqrt(fewer)),
    )


def _folds(task: PredictionTask, rows: TaskRows, rng: np.random.Generator) -> NDArray[np.intp]:
    """Fold of every row; units of each class are dealt out in turn, so that a rare one is in every fold."""
    units = task.units(rows)
    first = np.unique(units, return_index=True)[1]
    order = rng.permutation(len(first))
    if task.classes:
        order = order[np.argsort(rows.target[first][order], kind="stable")]
    fold = np.empty(len(first), dtype=np.intp)
    fold[order] = np.arange(len(first)) % VALIDATION_FOLDS
    return np.asarray(fold[units])


def _validated(
    task: PredictionTask,
    learner: Learner,
    rows: TaskRows,
    fold: NDArray[np.intp],
    holdout: TaskRows,
    rng: np.random.Generator,
) -> tuple[float, float]:
    """Mean over folds of the quality on rows a model was not fitted to, nan if no fold can be judged; and the noise."""
    inside, outside = [], []
    for k in range(VALIDATION_FOLDS):
        fits, tests = (rows.take(np.flatnonzero(side)) for side in (fold != k, fold == k))
        if any(len(np.unique(side.target)) < 2 for side in (fits, tests)):
            continue
        judged = (tests, holdout)
        frames, schema = [side.frame for side in judged], task.comparison.schema
        out = predictions(learner, fits.frame, fits.target, frames, schema, task.names, task.classes, rng)
        one, other = (
            float(task.quality(side.target, p, np.ones((1, len(p)), dtype=np.uint16))[0])
            for side, p in zip(judged, out, strict=True)
        )
        inside.append(one)
        outside.append(other)
    return (float(np.mean(inside)), jackknife(outside)) if inside else (float("nan"), float("nan"))
