"""Survival targets: Kaplan-Meier curves, restricted means and Cox regression of synthetic against real rows."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from synthkit.errors import MetricError
from synthkit.io.json_types import JSON
from synthkit.metrics.fidelity.distributions import unit_codes
from synthkit.metrics.metric import MetricLabel
from synthkit.metrics.result import Failure, Found, Score
from synthkit.metrics.stats import intervals
from synthkit.metrics.stats.binning import numbers
from synthkit.metrics.stats.cox_regression import cox
from synthkit.metrics.stats.several_draws import mean_of_draws
from synthkit.metrics.stats.time_to_event import (
    SurvivalCurve,
    areas_between,
    concordance,
    kaplan_meier,
    restricted_mean,
)
from synthkit.metrics.utility.features import FeatureEncoder
from synthkit.metrics.utility.non_inferiority import jackknife, loss
from synthkit.metrics.utility.prediction_task import (
    MAX_PREDICTED_DRAWS,
    MAX_TEST_ROWS,
    QUALITY_NAMES,
    TEST_REPLICATES,
    PredictionTask,
    gather,
)
from synthkit.metrics.utility.regression_effects import effects
from synthkit.schema.columns import Boolean, level_key, level_keys

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from synthkit.metrics.evaluation_data import EvaluationData
    from synthkit.schema import Schema, Target

COX_LEARNER = "Cox regression"
MAX_COX_ROWS, QUICK_COX_ROWS, MAX_CONCORDANCE_ROWS, CURVE_POINTS, BOOTSTRAP_BATCH = 20_000, 5_000, 5_000, 100, 50
RESTRICTED_MEAN_CENTILE = 90  # of the holdout's times: where the restricted mean ends
CURVE_NOTES = {
    "km_gap": "Mean distance between the Kaplan-Meier curves of synthetic and holdout rows, from 0 to the holdout's "
    "longest time",
    "optimism": "Mean of synthetic minus holdout Kaplan-Meier curve, from 0 to the holdout's longest time: above 0, "
    "synthetic people live too long",
    "short_sightedness": "Longest time of the holdout minus that of the synthetic rows, over the former; a maximum "
    "depends on one row, and its bootstrap interval is too narrow",
    "rmst_difference": "Restricted mean survival time of synthetic minus holdout rows, in the unit of the time column",
    "event_rate_difference": "Share of rows whose event was seen, synthetic minus holdout",
}


@dataclass(frozen=True)
class Followed:
    """People with a known time and event. **Shape**: n rows of the frame, times (n,), seen (n,), unit codes (n,)."""

    frame: pd.DataFrame
    times: NDArray[np.float64]
    seen: NDArray[np.bool_]
    units: NDArray[np.intp]

    @classmethod
    def of(cls, frame: pd.DataFrame, target: Target, schema: Schema, where: str) -> Followed:
        """Rows whose time and event are both known.

        Raises:
            MetricError: a time is negative, an event is neither yes nor no, or there are too few rows or events.
        """
        times, event = numbers(frame[target.column]), str(target.event)
        seen = _seen(frame[event], schema, event, where)
        if (times < 0).any():
            msg = (
                f"survival times must be 0 or more; however: `{target.column}` of the {where} rows is negative in "
                f"some. Declare `min: 0` for it, so that no row is made with less"
            )
            raise MetricError(msg)
        known = np.flatnonzero(~np.isnan(times) & ~np.isnan(seen))
        if len(known) < 2 or not (seen[known] == 1).any() or times[known].max() <= 0:
            msg = (
                f"survival to `{event}` needs rows with a time above 0 and at least one event; however: the {where} "
                f"rows have none. Check the levels of `{event}` and the times"
            )
            raise MetricError(msg)
        codes = unit_codes(frame.iloc[known], schema.unit)
        units = np.arange(len(known)) if codes is None else codes
        return cls(frame.iloc[known], times[known], seen[known] == 1, units)

    def sample(self, size: int, rng: np.random.Generator) -> Followed:
        """At most `size` random rows."""
        if len(self.times) <= size:
            return self
        return self.take(np.sort(rng.choice(len(self.times), size, replace=False)))

    def without_thirds(self, rng: np.random.Generator) -> list[Followed]:
        """The people three times, without another third of the units each time."""
        part = rng.permutation(int(self.units.max()) + 1)[self.units] % 3
        return [self.take(np.flatnonzero(part != k)) for k in range(3)]

    def take(self, rows: NDArray[np.intp]) -> Followed:
        """The rows with these numbers."""
        units = np.unique(self.units[rows], return_inverse=True)[1]
        return Followed(self.frame.iloc[rows], self.times[rows], self.seen[rows], units)


def survival(
    comparison: EvaluationData, rng: np.random.Generator, *, target: Target, prefix: str, quick: bool = False
) -> Found:
    """Curves, restricted means and event rates against the holdout, and Cox regression in the place of learners.

    `km_gap` = ∫ |S_synthetic - S_holdout| dt / T, T the holdout's longest time, curves level after their last time;
    `optimism` is the same without the bars, `short_sightedness` (T - T_synthetic) / T. Restricted means end at the
    90th centile of the holdout's times. `tstr` and `trtr` are Harrell's C on the same holdout rows.

    Args:
        comparison: the tables.
        rng: source of choices of rows and replicates.
        target: its column is the time, `event` names the column that says whether the event was seen.
        prefix: beginning of the scores' names.
        quick: Cox regressions get at most 5,000 rows instead of 20,000.

    Raises:
        MetricError: a table has negative times, events that are neither yes nor no, or too few of them.

    References:
        Synthcity: Facilitating Innovative Use Cases of Synthetic Data in Different Data Modalities (Qian, Cebere &
        van der Schaar, 2023), the gap, optimism and short-sightedness.
    """
    task, schema = PredictionTask.of(comparison, target), comparison.schema
    train = Followed.of(comparison.train, target, schema, "training")
    holdout = Followed.of(comparison.holdout, target, schema, "holdout").sample(MAX_TEST_ROWS, rng)
    draws = [Followed.of(draw, target, schema, "synthetic") for draw in comparison.synthetic[:MAX_PREDICTED_DRAWS]]
    most = QUICK_COX_ROWS if quick else MAX_COX_ROWS
    tables = [(each.frame, np.stack([each.times, each.seen.astype(float)], axis=1)) for each in (train, *draws)]
    return gather(
        [
            (f"{prefix}.km_gap", partial(_curves, prefix, task, train, holdout, draws, rng)),
            (f"{prefix}.gap", partial(_prognosis, prefix, task, train, holdout, draws, most, rng)),
            (
                f"{prefix}.log_hazard_overlap",
                partial(effects, f"{prefix}.log_hazard_overlap", task, tables, rng, most=most),
            ),
        ]
    )


def _seen(values: pd.Series, schema: Schema, name: str, where: str) -> NDArray[np.float64]:
    """1 where the event was seen, 0 where not, nan where nobody knows."""
    column, keys = schema.columns[name], level_keys(values)
    no, yes = (level_key(level) for level in column.levels) if isinstance(column, Boolean) else (0.0, 1.0)
    seen = np.where(keys == yes, 1.0, np.where(keys == no, 0.0, np.nan))
    if not isinstance(column, Boolean) and (np.isnan(seen) & values.notna().to_numpy()).any():
        msg = (
            f"the event of a survival target must be boolean or hold 0 and 1; however: `{name}` of the {where} rows "
            f"holds other values. Declare it `kind: boolean` with its two levels"
        )
        raise MetricError(msg)
    return seen


def _curves(
    prefix: str,
    task: PredictionTask,
    train: Followed,
    holdout: Followed,
    draws: list[Followed],
    rng: np.random.Generator,
) -> Found:
    """Scores of the curves: values and replicates of each draw, and the training rows in the place of a draw."""
    end, tau = float(holdout.times.max()), float(np.percentile(holdout.times, RESTRICTED_MEAN_CENTILE))
    weights = intervals.bootstrap_weights(holdout.units, TEST_REPLICATES, rng)
    draws = [draw.sample(MAX_TEST_ROWS, rng) for draw in draws]
    size = min(len(draw.times) for draw in draws)
    reference = _figures(train.sample(size, rng), holdout, end, tau)
    values, replicates = [], []
    for draw in draws:
        own = intervals.bootstrap_weights(draw.units, TEST_REPLICATES, rng)
        values.append(_figures(draw, holdout, end, tau)[:, 0])
        parts = [slice(k, k + BOOTSTRAP_BATCH) for k in range(0, TEST_REPLICATES, BOOTSTRAP_BATCH)]
        replicates.append(
            np.concatenate([_figures(draw, holdout, end, tau, own[k], weights[k]) for k in parts], axis=1)
        )
    at, spread = np.mean(values, axis=0), np.std(np.mean(replicates, axis=0), axis=1, ddof=1)
    scores: list[Score | Failure] = []
    up_to = f", up to the {RESTRICTED_MEAN_CENTILE}th centile of the holdout times"
    for k, (name, note) in enumerate(CURVE_NOTES.items()):
        interval = intervals.normal_interval(float(at[k]), float(spread[k]), floor=0.0 if name == "km_gap" else -np.inf)
        scores.append(
            Score(
                metric=f"{prefix}.{name}",
                value=interval.value,
                low=interval.low,
                high=interval.high,
                goal="low" if name == "km_gap" else "none",
                reference=float(reference[k, 0]),
                parts={"tau": tau} if name == "rmst_difference" else {},
                note=f"{note}{up_to if name == 'rmst_difference' else ''}. The "
                f"reference is as many training rows against the holdout. Interval: bootstrap of the {task.tested} of "
                "both tables.",
            )
        )
    return scores, {"survival": [_panel(task, holdout, draws, weights, rng, tau)]}


def _figures(
    other: Followed,
    holdout: Followed,
    end: float,
    tau: float,
    other_weights: NDArray[np.uint16] | None = None,
    weights: NDArray[np.uint16] | None = None,
) -> NDArray[np.float64]:
    """The five figures in the order of NOTES. **Shape**: weights (b, n) and (b, m) -> (5, b)."""
    curve, real = (kaplan_meier(rows.times, rows.seen, w) for rows, w in ((other, other_weights), (holdout, weights)))
    gap, optimism = areas_between(curve, real, end)
    last, last_real = _longest(other, other_weights), _longest(holdout, weights)
    rates = _rate(other, other_weights) - _rate(holdout, weights)
    shortfall = (last_real - last) / np.maximum(last_real, 1e-300)
    return np.stack([gap, optimism, shortfall, restricted_mean(curve, tau) - restricted_mean(real, tau), rates])


def _longest(rows: Followed, weights: NDArray[np.uint16] | None) -> NDArray[np.float64]:
    return np.array([rows.times.max()]) if weights is None else np.where(weights > 0, rows.times, 0.0).max(axis=1)


def _rate(rows: Followed, weights: NDArray[np.uint16] | None) -> NDArray[np.float64]:
    return (
        np.array([rows.seen.mean()])
        if weights is None
        else np.asarray(weights @ rows.seen.astype(float) / weights.sum(axis=1))
    )


def _panel(
    task: PredictionTask,
    holdout: Followed,
    draws: list[Followed],
    weights: NDArray[np.uint16],
    rng: np.random.Generator,
    tau: float,
) -> dict[str, JSON]:
    """Both curves at a hundred times, with pointwise percentile bands."""
    grid = np.linspace(0, float(holdout.times.max()), CURVE_POINTS)

    def band(of: list[NDArray[np.float64]]) -> tuple[list[float], list[float]]:
        low, high = np.quantile(np.mean(of, axis=0), [0.025, 0.975], axis=0)
        return low.round(5).tolist(), high.round(5).tolist()

    def level(curve: SurvivalCurve) -> NDArray[np.float64]:
        return np.asarray(curve(grid))

    real = level(kaplan_meier(holdout.times, holdout.seen))[0]
    synthetic = np.mean([level(kaplan_meier(draw.times, draw.seen))[0] for draw in draws], axis=0)
    few = [intervals.bootstrap_weights(draw.units, 2 * BOOTSTRAP_BATCH, rng) for draw in draws]
    real_band = band([level(kaplan_meier(holdout.times, holdout.seen, weights[: 2 * BOOTSTRAP_BATCH]))])
    bands = band([level(kaplan_meier(d.times, d.seen, w)) for d, w in zip(draws, few, strict=True)])
    return {
        "target": task.target.column,
        "event": task.target.event,
        "tau": tau,
        "times": grid.round(5).tolist(),
        "real": real.round(5).tolist(),
        "real_low": real_band[0],
        "real_high": real_band[1],
        "synthetic": synthetic.round(5).tolist(),
        "synthetic_low": bands[0],
        "synthetic_high": bands[1],
    }


def _prognosis(
    prefix: str,
    task: PredictionTask,
    train: Followed,
    holdout: Followed,
    draws: list[Followed],
    most: int,
    rng: np.random.Generator,
) -> Found:
    """C-index of Cox regressions trained on real or synthetic rows, on the same holdout rows, and their difference."""
    holdout = holdout.sample(MAX_CONCORDANCE_ROWS, rng)
    size = min(most, len(train.times), *(len(draw.times) for draw in draws))
    weights = intervals.bootstrap_weights(holdout.units, TEST_REPLICATES, rng)
    weights = np.concatenate([np.ones((1, len(holdout.times)), dtype=np.uint16), weights])

    def judge(rows: Followed, weights: NDArray[np.uint16] = weights) -> NDArray[np.float64]:
        table = FeatureEncoder.fit(rows.frame, task.comparison.schema, task.names)
        beta, _ = cox(table.linear(rows.frame), rows.times, rows.seen)
        return concordance(table.linear(holdout.frame) @ beta, holdout.times, holdout.seen, weights)

    real, synthetic = judge(train.sample(size, rng)), [judge(draw.sample(size, rng)) for draw in draws]
    if not np.isfinite(real[0]):
        msg = (
            f"a C-index of `{task.target.column}` needs comparable people; however: the holdout has none. Hold more out"
        )
        raise MetricError(msg)
    each = [(float(x[0]), x[1:]) for x in synthetic]
    ends = (float(real[0]), real[1:])
    at = {"trtr": mean_of_draws([ends[0]], [ends[1]]), "tstr": mean_of_draws(*map(list, zip(*each, strict=True)))}
    at = {name: intervals.widened_if_flat(found, int(holdout.seen.sum()), ceiling=1.0) for name, found in at.items()}
    scores: list[Score | Failure] = []
    cells = []
    for name, source in (("trtr", "real"), ("tstr", "synthetic")):
        found = at[name]._asdict()
        note = f"C-index of {COX_LEARNER} trained on {size} {source} and tested on {len(holdout.times)} holdout rows. "
        note += f"Interval: bootstrap of the test {task.tested}."
        reference = None if name == "trtr" else at["trtr"].value
        scores.append(Score(metric=f"{prefix}.{name}", **found, goal="high", reference=reference, note=note))
        cells.append({"learner": COX_LEARNER, "trained_on": source, "tested_on": "real", **found})
    parts = train.sample(size, rng).without_thirds(rng)
    noise = jackknife([float(judge(part, weights[:1])[0]) for part in parts])
    events = int(holdout.seen.sum())
    gap, lost = loss(prefix, COX_LEARNER, ends, each, floor=0.5, tested=task.tested, hidden=events, noise=noise)
    about = {"target": task.target.column, "task": "survival", "metric": QUALITY_NAMES["survival"]}
    return [*scores, gap], {"utility": [{**about, "cells": cells, **lost}]}


SURVIVAL_LABELS = {
    "km_gap": MetricLabel(
        "Distance of survival curves", "Mean distance of the Kaplan-Meier curves; 0 is the same curve."
    ),
    "optimism": MetricLabel("Optimism", "Above 0 if synthetic people live longer than real ones, below if shorter."),
    "short_sightedness": MetricLabel(
        "Short-sightedness", "Share of the follow-up time that synthetic rows do not reach."
    ),
    "rmst_difference": MetricLabel(
        "Difference of mean survival", "Restricted mean survival time, synthetic minus real."
    ),
    "event_rate_difference": MetricLabel(
        "Difference of event rates", "Share whose event was seen, synthetic minus real."
    ),
}
