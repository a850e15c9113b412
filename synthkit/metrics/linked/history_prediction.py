"""Train on synthetic histories, test on real ones: declared targets predicted from what happened before."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, cast

import numpy as np

from synthkit.errors import MetricError
from synthkit.metrics.fidelity.classifier_two_sample import LIGHTGBM
from synthkit.metrics.linked import row_groups
from synthkit.metrics.linked.history_features import Moments, history_features
from synthkit.metrics.linked.linked_metric import LinkedMetric, LinkedMetricSpec
from synthkit.metrics.linked.unit_two_sample import thinned
from synthkit.metrics.metric import MetricOptions
from synthkit.metrics.result import Score
from synthkit.metrics.stats import intervals
from synthkit.metrics.utility.features import without_empty
from synthkit.metrics.utility.learners import LearnerPlan
from synthkit.schema.columns import Boolean, Discrete, level_key, level_keys
from synthkit.schema.linked.linked_rules import DURATION, SECONDS, HistoryTarget, RowsWhere

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from synthkit.metrics.estimator import ProbabilisticClassifier
    from synthkit.metrics.linked.linked_evaluation_data import LinkedEvaluationData
    from synthkit.metrics.linked.linked_side import LinkedSide
    from synthkit.metrics.result import Scored
    from synthkit.schema.linked import LinkedSchema

MAX_PREDICTED_MOMENTS, HISTORY_REPLICATES, FEWEST_EVENTS = 30_000, 300, 10


@dataclass(frozen=True)
class HistoryTask:
    """Moments of one side with what was known before and what came of it.

    **Shape**: inputs (m, d), outcome (m,), units (m,).
    """

    inputs: NDArray[np.float64]
    outcome: NDArray[np.bool_]
    units: NDArray[np.intp]

    @classmethod
    def of(cls, side: LinkedSide, target: HistoryTarget) -> HistoryTask:
        """The task on one side."""
        moments, outcome, known = moments_of(side, target)
        rows = np.flatnonzero(known & ~np.isnan(moments.time))
        kept = Moments(moments.table, moments.unit[rows], moments.time[rows], moments.row[rows])
        return cls(history_features(side, kept)[1], outcome[rows], kept.unit)


def targets(schema: LinkedSchema, options: MetricOptions) -> dict[str, LinkedMetric]:
    """One metric for each declared target on histories."""
    return {f"utility.{each.name}": partial(history_prediction, target=each) for each in schema.targets}


def history_prediction(comparison: LinkedEvaluationData, rng: np.random.Generator, *, target: HistoryTarget) -> Scored:
    """AUROC of LightGBM trained on synthetic or on training histories, tested on the holdout's, and the loss.

    `trtr` and `tstr` have equal numbers of training units; `gap` = trtr - tstr by a joint bootstrap of the holdout's
    units.

    Raises:
        MetricError: a side has too few events, or the target is not one of yes or no.

    References:
        Real-valued (Medical) Time Series Generation with Recurrent Conditional GANs (Esteban, Hyland & Rätsch, 2017).
    """
    size = min(comparison.known.size, comparison.drawn.size)
    sides = {"training": thinned(comparison.known, size, rng), "synthetic": thinned(comparison.drawn, size, rng)}
    tasks = {name: HistoryTask.of(side, target) for name, side in {**sides, "holdout": comparison.real}.items()}
    for name, task in tasks.items():
        rarer = min(int(task.outcome.sum()), int((~task.outcome).sum()))
        if rarer < FEWEST_EVENTS:
            msg = f"`{target.name}` needs {FEWEST_EVENTS} moments with the event and {FEWEST_EVENTS} without; however: "
            raise MetricError(f"{msg}the {name} tables have {rarer} of the rarer")
    test = tasks["holdout"]
    predicted = {name: _predicted(tasks[name], test, rng) for name in sides}
    codes = np.unique(test.units, return_inverse=True)[1]
    weights = intervals.bootstrap_weights(codes, HISTORY_REPLICATES, rng)
    value = {name: intervals.auc(scores, test.outcome) for name, scores in predicted.items()}
    spread = {name: intervals.weighted_aucs(scores, test.outcome, weights) for name, scores in predicted.items()}
    few = int(codes.max()) + 1
    return _scores(target, value, spread, few), {}


def _scores(
    target: HistoryTarget, value: dict[str, float], spread: dict[str, NDArray[np.float64]], few: int
) -> list[Score]:
    made = [("trtr", "training"), ("tstr", "synthetic")]
    note = "AUROC of LightGBM trained on {} histories, tested on those of held-out units; features from before the "
    note += "moment alone. Interval: bootstrap of the held-out units."
    scores = []
    for cell, name in made:
        at = intervals.percentile_interval(value[name], spread[name])
        at = intervals.widened_if_flat(at, few, floor=0.0, ceiling=1.0)
        reference = value["training"] if cell == "tstr" else None
        scores.append(_score(target, cell, at, "high", reference, note.format(name)))
    lost = intervals.percentile_interval(
        value["training"] - value["synthetic"], spread["training"] - spread["synthetic"]
    )
    said = "What is lost by training on synthetic histories: trtr - tstr. Interval: joint bootstrap of held-out units."
    return [*scores, _score(target, "gap", intervals.widened_if_flat(lost, few), "low", 0.0, said)]


def _score(
    target: HistoryTarget, cell: str, at: intervals.Interval, goal: str, reference: float | None, note: str
) -> Score:
    return Score(
        metric=f"utility.{target.name}.{cell}",
        value=at.value,
        low=at.low,
        high=at.high,
        goal="high" if goal == "high" else "low",
        reference=reference,
        note=note,
    )


def _predicted(train: HistoryTask, test: HistoryTask, rng: np.random.Generator) -> NDArray[np.float64]:
    rows = rng.permutation(len(train.outcome))[:MAX_PREDICTED_MOMENTS]
    x, y = train.inputs[rows], train.outcome[rows]
    empty = np.asarray(np.isnan(x).all(axis=0))
    plan = LearnerPlan.of([False] * x.shape[1], int(rng.integers(2**31)), y.astype(float), 2)
    model = LIGHTGBM.fresh(plan)
    model.fit(without_empty(x, empty), y)
    able = cast("ProbabilisticClassifier", model)
    return np.asarray(able.predict_proba(without_empty(test.inputs, empty))[:, 1])


def moments_of(side: LinkedSide, target: HistoryTarget) -> tuple[Moments, NDArray[np.bool_], NDArray[np.bool_]]:
    """Moments of prediction of a target, what came of each, and of which that is known.

    A column of the row is predicted at the row's start; an event after the row's end.

    Raises:
        MetricError: the target is not one of yes or no.
    """
    table, rows = target.at, np.arange(side.rows(target.at))
    units = side.units(table)
    if target.column is not None:
        outcome, known = _of_column(side, target, target.column)
        return Moments(table, units, side.start(table), rows), outcome, known
    moments = Moments(table, units, side.end(table), rows)
    assert target.event is not None
    return moments, _happens(side, moments, target, target.event), np.ones(len(rows), dtype=bool)


def _of_column(side: LinkedSide, target: HistoryTarget, name: str) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    column, cells = side.schema.tables[target.at].columns[name], side.tables.frames[target.at][name]
    positive = target.positive
    if positive is None and isinstance(column, Boolean):
        positive = column.levels[1]
    if positive is None or not isinstance(column, Discrete):
        msg = f"`{target.name}` must predict a level against the others; however: `positive` names none of `{name}`"
        raise MetricError(f"{msg}. Name it, of a column with levels")
    return np.asarray(level_keys(cells) == level_key(positive)), ~cells.isna().to_numpy()


def _happens(side: LinkedSide, moments: Moments, target: HistoryTarget, event: RowsWhere) -> NDArray[np.bool_]:
    """Whether an event follows each moment within the time. **Shape**: (m,)."""
    units, start = side.units(event.table), side.start(event.table)
    meets = _meets(side, event)
    span, by_rows = _within(target)
    timed = np.flatnonzero(~np.isnan(start))
    if not by_rows:
        timed = timed[meets[timed]]
    keys, wanted = row_groups.lexicographic(units[timed], start[timed], moments.unit, moments.time)
    order = np.lexsort((timed, keys))
    at = np.searchsorted(keys[order], wanted, side="right")
    sorted_units = units[timed][order]
    ends = np.searchsorted(sorted_units, moments.unit, side="right")
    if by_rows:
        hits = np.append(0, np.cumsum(meets[timed][order]))
        return np.asarray(hits[np.minimum(at + int(span), ends)] > hits[np.minimum(at, ends)])
    following = np.append(start[timed][order], np.nan)[np.minimum(at, len(order))]
    with np.errstate(invalid="ignore"):
        return np.asarray((at < ends) & (following - moments.time <= span))


def _meets(side: LinkedSide, event: RowsWhere) -> NDArray[np.bool_]:
    """Rows of the event's table that meet its conditions."""
    frame = side.tables.frames[event.table]
    found = np.ones(len(frame), dtype=bool)
    for name, condition in event.when.items():
        found &= condition.met(frame[name])
    return found


def _within(target: HistoryTarget) -> tuple[float, bool]:
    """How long after a moment the event counts, in seconds where a unit of time is given; or in rows, if so."""
    if target.within is None:
        return np.inf, False
    found = DURATION.fullmatch(target.within)
    assert found is not None
    return float(found["count"]) * SECONDS.get(found["unit"], 1.0), found["unit"] == "rows"


HISTORY_SPEC = LinkedMetricSpec(
    name="utility.histories",
    for_schema=targets,
    library="lightgbm",
    labels={},  # `trtr`, `tstr` and `gap` are called as those of one table
)
