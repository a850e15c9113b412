"""Train on synthetic rows, test on real ones (TSTR): four cells, several learners, one target at a time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from synthkit.errors import MetricError
from synthkit.io.json_types import JSON
from synthkit.metrics.metric import MetricLabel, MetricSpec
from synthkit.metrics.result import Failure, Found, Score
from synthkit.metrics.stats import intervals
from synthkit.metrics.utility.best_baseline import BestBaseline, best_on_real_rows
from synthkit.metrics.utility.learners import DUMMY, LEARNERS, Learner, task_of
from synthkit.metrics.utility.learning_curve import LEARNING_CURVE_LABELS, equivalent_rows
from synthkit.metrics.utility.non_inferiority import loss
from synthkit.metrics.utility.prediction_task import (
    MAX_PREDICTED_DRAWS,
    QUALITY_NAMES,
    TEST_REPLICATES,
    Judged,
    PredictionTask,
    Trial,
    gather,
)
from synthkit.metrics.utility.probability_calibration import CALIBRATION_LABELS, calibration
from synthkit.metrics.utility.regression_effects import EFFECT_LABELS, effects
from synthkit.metrics.utility.subgroups import GROUP_LOSS_LABELS, utility_by_group
from synthkit.metrics.utility.survival import SURVIVAL_LABELS, survival
from synthkit.metrics.utility.train_test_cells import (
    TRAIN_TEST_CELLS,
    LearnerCells,
    Results,
    cells_of,
    idle_after,
    interval_of,
    panel_cell,
)
from synthkit.metrics.utility.user_baselines import USER_BASELINE_LABELS, user_baseline_scores
from synthkit.metrics.utility.user_estimators import check_suits, user_learners

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from synthkit.metrics.estimator import Estimator
    from synthkit.metrics.evaluation_data import EvaluationData
    from synthkit.metrics.metric import Metric, MetricOptions
    from synthkit.schema import Schema, Target

QUICK_LEARNERS = ("gradient boosting", "logistic regression", "ridge regression", "dummy")


def targets(schema: Schema, options: MetricOptions) -> dict[str, Metric]:
    """One metric for each declared target; a quick evaluation uses fewer learners.

    Raises:
        ConfigError: a baseline of the user suits no target.
    """
    found: dict[str, Metric] = {}
    times = Counter(target.column for target in schema.targets)
    if options.baselines:
        check_suits(options.baselines, schema.targets)
    for target in schema.targets:
        name = f"utility.{target.column}" + (f".{target.task}" if times[target.column] > 1 else "")
        found[name] = partial(
            utility,
            target=target,
            prefix=name,
            learners=QUICK_LEARNERS if options.quick else None,
            quick=options.quick,
            baselines=options.baselines,
        )
    return found


def utility(
    comparison: EvaluationData,
    rng: np.random.Generator,
    *,
    target: Target,
    prefix: str | None = None,
    learners: Sequence[str] | None = None,
    quick: bool = False,
    baselines: Mapping[str, Estimator] | None = None,
) -> Found:
    """Train on real or synthetic rows, test on real or synthetic rows, all with equal numbers of training rows.

    `trtr` and `tstr` are tested on the same holdout rows, `trts` and `tsts` on synthetic rows no model was trained
    on: another draw, or a fifth held back from the only one. Headline: the candidate (gradient boosting, or the linear
    model) that is best on real training rows by cross-validation among them; the parts hold the other learners.
    `gap` is trtr - tstr, bootstrapped jointly over the holdout's units; with several draws the variance of their mean
    is added to that of the test rows, which does not shrink with more draws. A learner that predicts one number for all
    rows learned nothing and is a listed failure.

    Then, each a listed failure where it cannot be measured: calibration of probabilities (binary), the worst of the
    protected groups, effect estimates (binary, regression), and the equivalent sample size. Survival targets go to
    `survival`.

    Baselines of the user are scored on the same rows and replicates, from a random stream of their own: they change no
    other score and have no say in the headline.

    Args:
        comparison: the tables.
        rng: source of the draws of rows and of the learners' seeds.
        target: what is predicted.
        prefix: beginning of the scores' names, `utility.<column>` if not given.
        learners: names of the learners to use, all if not given; a candidate must be among them.
        quick: no equivalent sample size, and Cox regressions on 5,000 rows at most.
        baselines: estimators of the user by name; those that suit the task are scored too.

    Raises:
        MetricError: a table has too few rows or classes, or the learner of the headline learned nothing.

    References:
        Real-valued (Medical) Time Series Generation with Recurrent Conditional GANs (Esteban, Hyland & Rätsch, 2017).
    """
    prefix = prefix or f"utility.{target.column}"
    if target.task == "survival":
        return survival(comparison, rng, target=target, prefix=prefix, quick=quick)
    task, kind = PredictionTask.of(comparison, target), task_of(target)
    chosen = [each for each in LEARNERS[kind] if learners is None or each.name in learners]
    trials = task.trials(comparison, rng)
    weights = intervals.bootstrap_weights(task.units(trials[0].holdout), TEST_REPLICATES, rng)
    candidates = [each for each in chosen if each.is_candidate]
    best = best_on_real_rows(task, candidates, trials[0].train, trials[0].holdout, rng.spawn(1)[0])
    results, constant = _results(prefix, task, chosen, trials, weights, rng)
    if best.learner.name not in results:
        msg = f"a loss of prediction needs a learner that learned something; however: {constant[0].reason}"
        raise MetricError(msg)
    head = results[best.learner.name]
    scores = [_score(prefix, cell, results, best.learner, task) for cell in TRAIN_TEST_CELLS]
    gap, lost = _gap(prefix, head, best, results.get(DUMMY), task)
    own: list[Score | Failure] = []
    drawn: list[JSON] = []
    if baselines:
        fresh = user_learners(baselines, kind)
        own, drawn = user_baseline_scores(prefix, task, fresh, trials, weights, rng.spawn(1)[0])
    fixed = [panel_cell(name, cell, cells[cell]) for name, cells in results.items() for cell in TRAIN_TEST_CELLS]
    panel = {
        "target": target.column,
        "task": target.task,
        "metric": QUALITY_NAMES[target.task],
        "learner": best.learner.name,
        "validated": dict(best.quality),
        "cells": [*fixed, *drawn],
        **lost,
    }
    tested = _tested(task, best.learner, prefix, trials[0], weights, head)
    found, panels = gather(_parts(tested, trials[0], rng, quick=quick))
    return [*scores, gap, *own, *found, *constant], {"utility": [panel], **panels}


def _results(
    prefix: str,
    task: PredictionTask,
    chosen: Sequence[Learner],
    trials: Sequence[Trial],
    weights: NDArray[np.uint16],
    rng: np.random.Generator,
) -> tuple[Results, list[Failure]]:
    """Cells by learner, and the learners that learned nothing."""
    results: Results = {}
    constant: list[Failure] = []
    for learner in chosen:
        several = trials if learner.is_candidate else trials[:1]  # the kernels are slow
        cells = cells_of(task, learner, several, weights, rng)
        rows = idle_after(learner, cells)
        if rows is None:
            results[learner.name] = cells
        else:
            reason = f"{learner.name} predicts one value for all rows after training on {rows} rows: it learned nothing"
            constant.append(Failure(metric=f"{prefix}.{learner.name}", reason=reason))
    return results, constant


def _parts(
    tested: Judged, trial: Trial, rng: np.random.Generator, *, quick: bool
) -> list[tuple[str, Callable[[], Found]]]:
    """What is measured beside the four cells, by the name under which a failure is listed."""
    task, prefix = tested.task, tested.prefix
    schema, kind = task.comparison.schema, task.target.task
    parts: list[tuple[str, Callable[[], Found]]] = []
    if kind == "binary":
        parts.append((f"{prefix}.calibration_slope", partial(calibration, tested)))
    if any(c in schema.described and c != task.target.column for c in schema.protected):
        parts.append((f"{prefix}.worst_group_gap", partial(utility_by_group, tested)))
    if kind in ("binary", "regression"):
        parts.append((f"{prefix}.effect_overlap", partial(_effects, f"{prefix}.effect_overlap", task, rng)))
    if not quick:
        parts.append((f"{prefix}.equivalent_sample_size", partial(equivalent_rows, tested, trial.train, rng)))
    return parts


def _effects(metric: str, task: PredictionTask, rng: np.random.Generator) -> Found:
    """Effect estimates of all rows: nothing is held back, because nothing is predicted."""
    c = task.comparison
    rows = [
        task.rows(c.train, "training"),
        *(task.rows(draw, "synthetic") for draw in c.synthetic[:MAX_PREDICTED_DRAWS]),
    ]
    return effects(metric, task, [(each.frame, each.target) for each in rows], rng)


def _tested(
    task: PredictionTask,
    learner: Learner,
    prefix: str,
    trial: Trial,
    weights: NDArray[np.uint16],
    cells: LearnerCells,
) -> Judged:
    classes = np.arange(task.classes)
    return Judged(
        task=task,
        learner=learner,
        prefix=prefix,
        holdout=trial.holdout,
        weights=weights,
        real=cells["trtr"][0].predicted,
        synthetic=tuple(cell.predicted for cell in cells["tstr"]),
        prevalence=(trial.train.target[:, None] == classes).mean(axis=0),
    )


def _score(prefix: str, cell: str, results: Results, learner: Learner, task: PredictionTask) -> Score:
    head = results[learner.name]
    at = interval_of(head[cell])
    parts: dict[str, float] = {}
    for name, cells in results.items():
        parts[name] = float(np.mean([c.value for c in cells[cell]]))
        for extra in (e for e in cells[cell][0].extras if all(e in c.extras for c in cells[cell])):
            parts[f"{name}, {extra}"] = float(np.mean([c.extras[extra] for c in cells[cell]]))
    trained, tested = TRAIN_TEST_CELLS[cell]
    size = len(head[cell])
    return Score(
        metric=f"{prefix}.{cell}",
        value=at.value,
        low=at.low,
        high=at.high,
        goal="none" if cell in ("trts", "tsts") else "high",
        reference=None if cell == "trtr" else float(np.mean([c.value for c in head["trtr"]])),
        parts=parts,
        note=f"{QUALITY_NAMES[task.target.task]} of {learner.name}, the best on real training rows, trained on "
        f"{trained} "
        f"and tested on {tested} rows"
        + (f", mean of {size} draws" if size > 1 and cell != "trtr" else "")
        + f"; the reference is trained and tested on real rows. Interval: bootstrap of the test {task.tested}.",
    )


def _gap(
    prefix: str,
    cells: LearnerCells,
    best: BestBaseline,
    dummy: LearnerCells | None,
    task: PredictionTask,
) -> tuple[Score, dict[str, JSON]]:
    real = cells["trtr"][0]
    return loss(
        prefix,
        best.learner.name,
        (real.value, real.replicates),
        [(cell.value, cell.replicates) for cell in cells["tstr"]],
        floor=None if dummy is None else dummy["trtr"][0].value,
        tested=task.tested,
        hidden=real.hidden,
        noise=best.noise,
    )


UTILITY_SPEC = MetricSpec(
    name="utility",
    for_schema=targets,
    labels={
        "trtr": MetricLabel("Train real, test real", "What a model reaches with the real rows: the reference."),
        "tstr": MetricLabel(
            "Train synthetic, test real", "What it reaches on real people having seen synthetic rows only."
        ),
        "trts": MetricLabel(
            "Train real, test synthetic", "Whether synthetic rows follow the relations found in real ones."
        ),
        "tsts": MetricLabel(
            "Train synthetic, test synthetic", "Whether synthetic rows are easier or harder than real ones."
        ),
        "gap": MetricLabel(
            "Loss by training on synthetic rows", "TRTR minus TSTR on the same test rows; 0 is no loss."
        ),
        **CALIBRATION_LABELS,
        **GROUP_LOSS_LABELS,
        **EFFECT_LABELS,
        **LEARNING_CURVE_LABELS,
        **SURVIVAL_LABELS,
        **USER_BASELINE_LABELS,
    },
)
