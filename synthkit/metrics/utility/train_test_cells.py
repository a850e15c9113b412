"""The four cells of utility: trained on real or synthetic rows, tested on real or synthetic rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from synthkit.io.json_types import JSON
from synthkit.metrics.stats import intervals
from synthkit.metrics.stats.several_draws import mean_of_draws
from synthkit.metrics.utility.learners import DUMMY, Learner, is_constant, predictions
from synthkit.metrics.utility.prediction_task import PredictionTask, TaskRows, Trial
from synthkit.metrics.utility.probability_calibration import figures

if TYPE_CHECKING:
    from numpy.typing import NDArray

TRAIN_TEST_CELLS = {  # trained on, tested on
    "trtr": ("real", "real"),
    "tstr": ("synthetic", "real"),
    "trts": ("real", "synthetic"),
    "tsts": ("synthetic", "synthetic"),
}
LearnerCells = dict[str, list["UtilityCell"]]  # of one learner, by cell; one entry a draw
Results = dict[str, LearnerCells]


@dataclass(frozen=True)
class UtilityCell:
    """Predictive quality of one learner in one cell and in bootstrap replicates of its test rows.

    Args:
        value: the quality.
        replicates: (b,) in each replicate.
        extras: further figures by name.
        predicted: (m, c) what was predicted.
        hidden: number of test rows, or of the rarest class among them: so few could have hidden an error.
    """

    value: float
    replicates: NDArray[np.float64]
    extras: dict[str, float]
    predicted: NDArray[np.float64]
    hidden: int


def cells_of(
    task: PredictionTask,
    learner: Learner,
    trials: Sequence[Trial],
    weights: NDArray[np.uint16],
    rng: np.random.Generator,
) -> LearnerCells:
    """Quality in the four cells, one entry a trial; the real model is fitted once for all of them."""
    schema = task.comparison.schema
    cells: LearnerCells = {cell: [] for cell in TRAIN_TEST_CELLS}
    tests = [trials[0].holdout, *(trial.synthetic_test for trial in trials)]

    def fit(rows: TaskRows, tested: Sequence[TaskRows]) -> list[NDArray[np.float64]]:
        frames = [test.frame for test in tested]
        return predictions(learner, rows.frame, rows.target, frames, schema, task.names, task.classes, rng)

    def judge(rows: TaskRows, predicted: NDArray[np.float64], weights: NDArray[np.uint16]) -> UtilityCell:
        one = np.ones((1, len(rows.target)), dtype=np.uint16)
        value = float(task.quality(rows.target, predicted, one)[0])
        extras = _extras(rows.target, predicted, task.classes, learner.is_probabilistic)
        few = np.unique(rows.target, return_counts=True)[1].min() if task.classes else len(rows.target)
        return UtilityCell(value, task.quality(rows.target, predicted, weights), extras, predicted, int(few))

    real = fit(trials[0].train, tests)
    for k, trial in enumerate(trials):
        on_holdout, on_synthetic = fit(trial.synthetic, [trial.holdout, trial.synthetic_test])
        again = intervals.bootstrap_weights(task.units(trial.synthetic_test), len(weights), rng)
        cells["trtr"].append(judge(trial.holdout, real[0], weights))
        cells["tstr"].append(judge(trial.holdout, on_holdout, weights))
        cells["trts"].append(judge(trial.synthetic_test, real[k + 1], again))
        cells["tsts"].append(judge(trial.synthetic_test, on_synthetic, again))
    return cells


def _extras(
    y: NDArray[np.float64], predicted: NDArray[np.float64], classes: int, is_probabilistic: bool
) -> dict[str, float]:
    """Further figures of one cell: mean absolute error, or log-loss, Brier score and calibration of probabilities."""
    if classes == 0:
        return {"MAE": float(np.abs(y - predicted[:, 0]).mean())}
    if not is_probabilistic:
        return {}
    given = np.clip(predicted[np.arange(len(y)), y.astype(int)], 1e-6, 1)
    truth = np.eye(classes)[y.astype(int)]
    brier = float(((predicted - truth) ** 2).sum(axis=1).mean())
    scores = {"log-loss": float(-np.log(given).mean()), "Brier": brier / 2 if classes == 2 else brier}
    return {**scores, **figures(y, predicted[:, 1])} if classes == 2 else scores


def idle_after(learner: Learner, cells: LearnerCells) -> str | None:
    """After training on which rows a learner says the same of every test row; None if it learned something."""
    if learner.name == DUMMY:
        return None
    for trained, of_real in (("real", ("trtr", "trts")), ("synthetic", ("tstr", "tsts"))):
        for k in range(len(cells["tstr"])):
            if is_constant([cells[cell][k].predicted for cell in of_real]):
                return trained
    return None


def interval_of(cells: Sequence[UtilityCell]) -> intervals.Interval:
    """Mean over draws with its interval."""
    at = mean_of_draws([cell.value for cell in cells], [cell.replicates for cell in cells])
    return intervals.widened_if_flat(at, min(cell.hidden for cell in cells), ceiling=1.0)


def panel_cell(name: str, cell: str, cells: Sequence[UtilityCell]) -> dict[str, JSON]:
    """One cell of a learner as data of the panel."""
    at, (trained, tested) = interval_of(cells), TRAIN_TEST_CELLS[cell]
    return {
        "learner": name,
        "trained_on": trained,
        "tested_on": tested,
        "value": at.value,
        "low": at.low,
        "high": at.high,
    }
