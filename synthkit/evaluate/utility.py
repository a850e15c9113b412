"""Do models trained on synthetic rows work on real ones: four cells, several learners, one target at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from synthkit.evaluate import stats
from synthkit.evaluate.binning import numbers
from synthkit.evaluate.fidelity import unit_codes
from synthkit.evaluate.learners import HEADLINE, LEARNERS, Learner, predictions
from synthkit.evaluate.result import MetricError, Score
from synthkit.schema.columns import Boolean, level_key, level_keys

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from synthkit.evaluate.result import Comparison
    from synthkit.schema import Target

REPLICATES, DRAWS, MOST_TEST, HELD_BACK = 300, 5, 20_000, 0.2
CELLS = {  # trained on, tested on
    "trtr": ("real", "real"),
    "tstr": ("synthetic", "real"),
    "trts": ("real", "synthetic"),
    "tsts": ("synthetic", "synthetic"),
}
METRIC_OF = {"binary": "AUROC", "multiclass": "macro AUROC", "regression": "R²"}


@dataclass(frozen=True)
class Rows:
    """Rows with a known target. **Shape**: n rows of the frame, target (n,) class codes or numbers."""

    frame: pd.DataFrame
    target: NDArray[np.float64]

    def take(self, rows: NDArray[np.intp]) -> Rows:
        """The rows with these numbers."""
        return Rows(self.frame.iloc[rows], self.target[rows])

    def sample(self, size: int, rng: np.random.Generator) -> Rows:
        """At most `size` random rows."""
        n = len(self.target)
        return self if n <= size else self.take(np.sort(rng.choice(n, size, replace=False)))


@dataclass(frozen=True)
class Cell:
    """Predictive quality of one learner in one cell and in bootstrap replicates of its test rows."""

    value: float
    replicates: NDArray[np.float64]
    extras: dict[str, float]


def utility(
    comparison: Comparison,
    rng: np.random.Generator,
    *,
    target: Target,
    prefix: str | None = None,
    learners: Sequence[str] | None = None,
) -> tuple[list[Score], dict[str, Any]]:
    """Train on real or synthetic rows, test on real or synthetic rows, all with equal numbers of training rows.

    `trtr` and `tstr` are tested on the same holdout rows, `trts` and `tsts` on synthetic rows no model was trained
    on: another draw, or a fifth held back from the only one. Headline: gradient boosting; the parts hold the other
    learners. `gap` is trtr - tstr, bootstrapped jointly over the holdout's units; with several draws the variance
    of their mean is added to that of the test rows, which does not shrink with more draws.

    Args:
        comparison: the tables.
        rng: source of the draws of rows and of the learners' seeds.
        target: what is predicted.
        prefix: beginning of the scores' names, `utility.<column>` if not given.
        learners: names of the learners to use, all if not given.

    Raises:
        MetricError: the target's task is not scored yet, or a table has too few rows or classes.

    References:
        Real-valued (Medical) Time Series Generation with Recurrent Conditional GANs (Esteban, Hyland & Rätsch, 2017).
    """
    if target.task == "survival":
        msg = (
            f"targets must be binary, multiclass or regression to be scored in this version; however: "
            f"`{target.column}` is a survival target; declare a binary or regression target beside it"
        )
        raise MetricError(msg)
    prefix = prefix or f"utility.{target.column}"
    task = _Task.of(comparison, target)
    kinds = LEARNERS["regression" if task.classes == 0 else "classification"]
    chosen = [k for k in kinds if learners is None or k.name in learners]
    trials = task.trials(comparison, rng)
    weights = stats.bootstrap_weights(task.units(trials[0].holdout), REPLICATES, rng)
    results: dict[str, dict[str, list[Cell]]] = {}
    for learner in chosen:
        several = trials if learner.name == HEADLINE else trials[:1]
        results[learner.name] = _cells(task, learner, several, weights, rng)
    scores = [_score(prefix, cell, results, task) for cell in CELLS]
    gap = _gap(prefix, results[HEADLINE], task)
    panel = {
        "target": target.column,
        "task": target.task,
        "metric": METRIC_OF[target.task],
        "cells": [_panel_cell(name, cell, cells[cell]) for name, cells in results.items() for cell in CELLS],
        "gap": {"value": gap.value, "low": gap.low, "high": gap.high},
    }
    return [*scores, gap], {"utility": [panel]}


@dataclass(frozen=True)
class Trial:
    """One draw's share of the experiment: equal numbers of real and synthetic training rows, two sets of tests."""

    train: Rows
    synthetic: Rows
    holdout: Rows
    synthetic_test: Rows


@dataclass(frozen=True)
class _Task:
    target: Target
    names: tuple[str, ...]
    keys: tuple[Any, ...]  # level keys of the classes; the second is the event of a binary task
    comparison: Comparison

    @classmethod
    def of(cls, comparison: Comparison, target: Target) -> _Task:
        schema, column = comparison.schema, comparison.schema.columns[target.column]
        left_out = {target.column, target.event, *target.exclude}
        names = tuple(name for name in schema.learned if name not in left_out)
        if not names:
            msg = f"a model of `{target.column}` needs a column to learn from; however: `exclude` leaves none"
            raise MetricError(msg)
        keys: tuple[Any, ...] = ()
        if target.task == "binary":
            positive = column.levels[1] if isinstance(column, Boolean) and target.positive is None else target.positive
            keys = (None, level_key(positive))
        elif target.task == "multiclass":
            seen = level_keys(comparison.train[target.column].dropna()).unique()
            keys = tuple(sorted(seen, key=str))
        return cls(target, names, keys, comparison)

    @property
    def classes(self) -> int:
        return len(self.keys)

    def rows(self, frame: pd.DataFrame, where: str) -> Rows:
        """Rows of `frame` whose target is known; at least two classes, or two values."""
        values = frame[self.target.column]
        if self.target.task == "regression":
            y = numbers(values)
        elif self.target.task == "binary":
            y = np.where(values.isna().to_numpy(), np.nan, level_keys(values) == self.keys[1])
        else:
            codes = pd.Index(self.keys, dtype=object).get_indexer(level_keys(values)).astype(float)
            y = np.where(codes < 0, np.nan, codes)
        known = np.flatnonzero(~np.isnan(y))
        if len(np.unique(y[known])) < 2:
            msg = (
                f"`{self.target.column}` must have two different values to be predicted; however: "
                f"the {where} rows have fewer"
            )
            raise MetricError(msg)
        return Rows(frame.iloc[known], y[known])

    def trials(self, comparison: Comparison, rng: np.random.Generator) -> list[Trial]:
        train, holdout = self.rows(comparison.train, "training"), self.rows(comparison.holdout, "holdout")
        holdout = holdout.sample(MOST_TEST, rng)
        draws = [self.rows(draw, "synthetic") for draw in comparison.synthetic[:DRAWS]]
        if len(draws) == 1:
            order = rng.permutation(len(draws[0].target))
            held = max(1, round(HELD_BACK * len(order)))
            fits, tests = [draws[0].take(np.sort(order[held:]))], [draws[0].take(np.sort(order[:held]))]
        else:
            fits, tests = draws, [*draws[1:], draws[0]]
        size = min(len(train.target), *(len(fit.target) for fit in fits))
        real = train.sample(size, rng)
        return [
            Trial(real, fit.sample(size, rng), holdout, test.sample(MOST_TEST, rng))
            for fit, test in zip(fits, tests, strict=True)
        ]

    def units(self, rows: Rows) -> NDArray[np.intp]:
        codes = unit_codes(rows.frame, self.comparison.schema.unit)
        return np.arange(len(rows.target)) if codes is None else codes

    def quality(self, y: NDArray[np.float64], predicted: NDArray[np.float64], weights: NDArray[Any]) -> NDArray[Any]:
        """AUROC, macro one-against-rest AUROC or R² under each row of weights.

        **Shape**: (n,), (n, c), (b, n) -> (b,).
        """
        if self.classes == 0:
            return _r2(y, predicted[:, 0], weights)
        if self.classes == 2:
            return stats.weighted_aucs(predicted[:, 1], y == 1, weights)
        present = [k for k in range(self.classes) if 0 < (y == k).sum() < len(y)]
        return np.asarray(np.mean([stats.weighted_aucs(predicted[:, k], y == k, weights) for k in present], axis=0))


def _cells(
    task: _Task, learner: Learner, trials: Sequence[Trial], weights: NDArray[np.uint16], rng: np.random.Generator
) -> dict[str, list[Cell]]:
    """Quality in the four cells, one entry a trial; the real model is fitted once for all of them."""
    schema = task.comparison.schema
    cells: dict[str, list[Cell]] = {cell: [] for cell in CELLS}
    tests = [trials[0].holdout, *(trial.synthetic_test for trial in trials)]

    def fit(rows: Rows, tested: Sequence[Rows]) -> list[NDArray[np.float64]]:
        frames = [test.frame for test in tested]
        return predictions(learner, rows.frame, rows.target, frames, schema, task.names, task.classes, rng)

    def judge(rows: Rows, predicted: NDArray[np.float64], weights: NDArray[np.uint16]) -> Cell:
        one = np.ones((1, len(rows.target)), dtype=np.uint16)
        value = float(task.quality(rows.target, predicted, one)[0])
        extras = _extras(rows.target, predicted, task.classes, learner.is_probabilistic)
        return Cell(value, task.quality(rows.target, predicted, weights), extras)

    real = fit(trials[0].train, tests)
    for k, trial in enumerate(trials):
        on_holdout, on_synthetic = fit(trial.synthetic, [trial.holdout, trial.synthetic_test])
        again = stats.bootstrap_weights(task.units(trial.synthetic_test), len(weights), rng)
        cells["trtr"].append(judge(trial.holdout, real[0], weights))
        cells["tstr"].append(judge(trial.holdout, on_holdout, weights))
        cells["trts"].append(judge(trial.synthetic_test, real[k + 1], again))
        cells["tsts"].append(judge(trial.synthetic_test, on_synthetic, again))
    return cells


def _extras(
    y: NDArray[np.float64], predicted: NDArray[np.float64], classes: int, is_probabilistic: bool
) -> dict[str, float]:
    """Further figures of one cell: mean absolute error, or log-loss and Brier score where there are probabilities."""
    if classes == 0:
        return {"MAE": float(np.abs(y - predicted[:, 0]).mean())}
    if not is_probabilistic:
        return {}
    given = np.clip(predicted[np.arange(len(y)), y.astype(int)], 1e-6, 1)
    truth = np.eye(classes)[y.astype(int)]
    brier = float(((predicted - truth) ** 2).sum(axis=1).mean())
    return {"log-loss": float(-np.log(given).mean()), "Brier": brier / 2 if classes == 2 else brier}


def _score(prefix: str, cell: str, results: dict[str, dict[str, list[Cell]]], task: _Task) -> Score:
    at = _interval(results[HEADLINE][cell])
    parts: dict[str, float] = {}
    for name, cells in results.items():
        parts[name] = float(np.mean([c.value for c in cells[cell]]))
        for extra in cells[cell][0].extras:
            parts[f"{name}, {extra}"] = float(np.mean([c.extras[extra] for c in cells[cell]]))
    trained, tested = CELLS[cell]
    size = len(results[HEADLINE][cell])
    return Score(
        metric=f"{prefix}.{cell}",
        value=at.value,
        low=at.low,
        high=at.high,
        goal="none" if cell in ("trts", "tsts") else "high",
        reference=None if cell == "trtr" else float(np.mean([c.value for c in results[HEADLINE]["trtr"]])),
        parts=parts,
        note=f"{METRIC_OF[task.target.task]} of {HEADLINE} trained on {trained} and tested on {tested} rows"
        + (f", mean of {size} draws" if size > 1 and cell != "trtr" else "")
        + f"; the reference is trained and tested on real rows. Interval: bootstrap of the test {_what(task)}.",
    )


def _gap(prefix: str, cells: dict[str, list[Cell]], task: _Task) -> Score:
    gaps = [
        Cell(real.value - synthetic.value, real.replicates - synthetic.replicates, {})
        for real, synthetic in zip(cells["trtr"], cells["tstr"], strict=True)
    ]
    at = _interval(gaps)
    note = f"What is lost by training on synthetic rows: trtr - tstr of {HEADLINE} on the same holdout rows; 0 if real "
    note += f"rows took their place. Interval: joint bootstrap of the test {_what(task)}"
    note += ", and between draws." if len(gaps) > 1 else "; the variation between draws is not in it (one draw)."
    return Score(metric=f"{prefix}.gap", value=at.value, low=at.low, high=at.high, goal="low", reference=0.0, note=note)


def _what(task: _Task) -> str:
    return "units" if task.comparison.schema.unit else "rows"


def _interval(cells: Sequence[Cell]) -> stats.Interval:
    """Percentile interval of one draw; of several: test rows (not shrunk by more draws) plus between draws / m."""
    values = [cell.value for cell in cells]
    if len(set(values)) == 1:
        return stats.spread(values[0], cells[0].replicates)
    replicates = np.mean([cell.replicates for cell in cells], axis=0)
    variance = np.nanvar(replicates, ddof=1) + np.var(values, ddof=1) / len(values)
    return stats.around(float(np.mean(values)), float(np.sqrt(variance)))


def _panel_cell(name: str, cell: str, cells: Sequence[Cell]) -> dict[str, Any]:
    at, (trained, tested) = _interval(cells), CELLS[cell]
    return {
        "learner": name,
        "trained_on": trained,
        "tested_on": tested,
        "value": at.value,
        "low": at.low,
        "high": at.high,
    }


def _r2(y: NDArray[np.float64], predicted: NDArray[np.float64], weights: NDArray[Any]) -> NDArray[np.float64]:
    w = weights.astype(float)
    total = w.sum(axis=1)
    mean = w @ y / total
    spread = w @ y**2 - total * mean**2
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.where(spread > 0, 1 - (w @ (y - predicted) ** 2) / spread, np.nan))
