"""Scores of the user's own discriminative baselines, which decide nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from synthkit.errors import MetricError
from synthkit.io.json_types import JSON
from synthkit.metrics.metric import MetricLabel
from synthkit.metrics.result import Failure, Score
from synthkit.metrics.stats import intervals
from synthkit.metrics.stats.several_draws import mean_of_draws
from synthkit.metrics.utility.prediction_task import QUALITY_NAMES
from synthkit.metrics.utility.train_test_cells import (
    TRAIN_TEST_CELLS,
    LearnerCells,
    cells_of,
    idle_after,
    interval_of,
    panel_cell,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from synthkit.metrics.utility.learners import Learner
    from synthkit.metrics.utility.prediction_task import PredictionTask, Trial

ESTIMATOR_ERRORS = (  # what code that is not ours may raise on data it was not made for
    *(ArithmeticError, AssertionError, AttributeError, LookupError, MemoryError, RuntimeError, TypeError, ValueError),
    *(MetricError, np.linalg.LinAlgError),
)


def user_baseline_scores(
    prefix: str,
    task: PredictionTask,
    learners: Sequence[Learner],
    trials: Sequence[Trial],
    weights: NDArray[np.uint16],
    rng: np.random.Generator,
) -> tuple[list[Score | Failure], list[JSON]]:
    """Quality after training on synthetic rows and the loss against real ones, of each learner; and the panel's cells.

    A learner is fitted to training rows and to synthetic rows, never to rows it is tested on. One that raises, that
    predicts what is no finite number a row, or one value for all rows, is a listed failure.

    Args:
        prefix: beginning of the scores' names.
        task: what is predicted.
        learners: of the user.
        trials: one a draw.
        weights: (b, n) bootstrap replicates of the holdout's units.
        rng: source of the learners' seeds and of the replicates of synthetic test rows.
    """
    scores: list[Score | Failure] = []
    drawn: list[JSON] = []
    for learner, own in zip(learners, rng.spawn(len(learners)), strict=True):
        name = f"{prefix}.{learner.name}"
        try:
            cells = cells_of(task, learner, trials, weights, own)
            _check_predictions(cells)
        except ESTIMATOR_ERRORS as error:
            why = str(error) if isinstance(error, MetricError) else f"the estimator raised {type(error).__name__}"
            scores.append(Failure(metric=name, reason=why))
            continue
        rows = idle_after(learner, cells)
        if rows is not None:
            reason = f"{learner.name} predicts one value for all rows after training on {rows} rows: it learned nothing"
            scores.append(Failure(metric=name, reason=reason))
            continue
        scores += [_quality(name, learner, cells, task), _loss(name, learner, cells, task)]
        drawn += [panel_cell(learner.name, cell, cells[cell]) for cell in TRAIN_TEST_CELLS]
    return scores, drawn


def _check_predictions(cells: LearnerCells) -> None:
    if any(np.isnan(each.predicted).any() for several in cells.values() for each in several):
        msg = "a baseline must predict a number for every row; however: some are missing"
        raise MetricError(f"{msg}. Check its `predict`, `predict_proba` or `decision_function`")


def _quality(name: str, learner: Learner, cells: LearnerCells, task: PredictionTask) -> Score:
    at = interval_of(cells["tstr"])
    means = {cell: float(np.mean([one.value for one in several])) for cell, several in cells.items()}
    return Score(
        metric=f"{name}.baseline_tstr",
        value=at.value,
        low=at.low,
        high=at.high,
        goal="high",
        reference=means["trtr"],
        parts=means,
        note=f"{QUALITY_NAMES[task.target.task]} of {learner.name}, a baseline of the user, trained on synthetic and "
        "tested on holdout rows; the reference is trained on real rows. Interval: bootstrap of the test "
        f"{task.tested}.",
    )


def _loss(name: str, learner: Learner, cells: LearnerCells, task: PredictionTask) -> Score:
    real = cells["trtr"][0]
    gaps = [real.value - each.value for each in cells["tstr"]]
    at = mean_of_draws(gaps, [real.replicates - each.replicates for each in cells["tstr"]])
    at = intervals.widened_if_flat(at, real.hidden)
    return Score(
        metric=f"{name}.baseline_loss",
        value=at.value,
        low=at.low,
        high=at.high,
        goal="low",
        reference=0.0,
        note=f"What {learner.name}, a baseline of the user, loses by training on synthetic rows: trtr - tstr on the "
        "same holdout rows. It decides nothing: see the loss of the best fixed learner. Interval: joint bootstrap of "
        f"the test {task.tested}.",
    )


USER_BASELINE_LABELS = {
    "baseline_tstr": MetricLabel(
        "Your baseline: train synthetic, test real", "What a model of your own reaches on real people."
    ),
    "baseline_loss": MetricLabel(
        "Your baseline: loss by synthetic rows", "TRTR minus TSTR of a model of your own; 0 is no loss."
    ),
}
