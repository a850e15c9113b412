"""Regression coefficients from synthetic rows against those from real rows: overlap of their confidence intervals."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from synthkit.errors import MetricError
from synthkit.metrics.metric import MetricLabel
from synthkit.metrics.result import Score, Scored
from synthkit.metrics.stats import intervals
from synthkit.metrics.stats.cox_regression import cox
from synthkit.metrics.utility.features import MAX_ONE_HOT_LEVELS, FeatureEncoder
from synthkit.schema.columns import level_key

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from synthkit.metrics.utility.prediction_task import PredictionTask
    from synthkit.schema import Schema

MAX_REGRESSION_COLUMNS, MIN_LEVEL_ROWS, MAX_REGRESSION_ROWS, EFFECT_REPLICATES = 20, 10, 50_000, 300
REGRESSION_RIDGE = 1e-3  # a normal law of variance 1,000 a coefficient: felt only where rows say nothing
REGRESSION_NAMES = {"binary": "logistic", "regression": "linear", "survival": "Cox"}

Fit = tuple["NDArray[np.float64]", "NDArray[np.float64]"]  # coefficients (p,) and their covariance (p, p)
Table = tuple["pd.DataFrame", "NDArray[np.float64]"]  # n rows and their outcome, (n,) or (n, 2) of time and event


@dataclass(frozen=True)
class Design:
    """Columns of a regression, chosen on the real rows alone and the same for every table.

    Args:
        table: standardised quantities and levels, with centres and levels of the real rows.
        chosen: which columns of its linear form.
        names: what each is called; levels the schema does not declare stay unnamed.
    """

    table: FeatureEncoder
    chosen: NDArray[np.intp]
    names: tuple[str, ...]

    @classmethod
    def fit(cls, frame: pd.DataFrame, schema: Schema, names: Sequence[str]) -> Design:
        """At most 20 columns in the schema's order: no level that is the most frequent, or that 10 rows lack or share.

        Raises:
            MetricError: no column is left.
        """
        table = FeatureEncoder.fit(frame, schema, names)
        labels = _labels(table, schema)
        x = table.linear(frame)
        order = sorted(labels, key=lambda k: (names.index(labels[k][0]), k))
        kept: list[int] = []
        basis = [np.full(len(x), len(x) ** -0.5)]
        for k in order:
            is_level = labels[k][1] != labels[k][0]
            if is_level and not MIN_LEVEL_ROWS <= x[:, k].sum() <= len(x) - MIN_LEVEL_ROWS:
                continue
            rest = x[:, k] - np.stack(basis, axis=1) @ (np.stack(basis) @ x[:, k])  # what earlier columns do not say
            size = float(np.linalg.norm(rest))
            if size > 1e-4 * max(1.0, float(np.linalg.norm(x[:, k]))):
                kept.append(k)
                basis.append(rest / size)
            if len(kept) == MAX_REGRESSION_COLUMNS:
                break
        if not kept:
            msg = (
                "a regression needs a column that differs between the training rows; however: none does. "
                "Shorten the target's `exclude`"
            )
            raise MetricError(msg)
        return cls(table, np.array(kept), tuple(labels[k][1] for k in kept))

    def matrix(self, frame: pd.DataFrame) -> NDArray[np.float64]:
        """Inputs of the regression without the constant. **Shape**: n rows -> (n, p)."""
        return np.asarray(self.table.linear(frame)[:, self.chosen])


def effects(
    metric: str,
    task: PredictionTask,
    tables: Sequence[Table],
    rng: np.random.Generator,
    *,
    most: int = MAX_REGRESSION_ROWS,
) -> Scored:
    """Overlap of the 95 % intervals of regression coefficients from synthetic rows with those from the real ones.

    IO_j = 1 - |q_j - Q_j| / (2 · 1.96 √v_j), Q_j the real estimate, v_j its variance, q_j the mean over draws: the
    common part of two intervals of equal width over that width; below 0 if they are apart. Perfect synthetic rows do
    not reach 1: the reference is the expectation for rows from a model that fits, `null_overlap`.

    Args:
        metric: name of the score.
        task: what is predicted from which columns; binary, regression or survival.
        tables: the real training rows first, then one a draw.
        rng: source of choices of rows and of normal replicates.
        most: rows of a table at most.

    Raises:
        MetricError: a regression cannot be fitted.

    References:
        A Framework for Evaluating the Utility of Data Altered to Protect Confidentiality (Karr, Kohnen, Oganian, Reiter
        & Sanil, 2006); Practical Data Synthesis for Large Samples (Raab, Nowok & Dibben, 2016), the standard errors.
    """
    (frame, outcome), *draws = (_sampled(table, most, rng) for table in tables)
    draws = [_sampled(draw, len(frame), rng) for draw in draws]
    design = Design.fit(frame, task.comparison.schema, task.names)
    kind = task.target.task
    real, variance = _estimate(kind, design.matrix(frame), outcome)
    fits = [_estimate(kind, design.matrix(draw), y) for draw, y in draws]
    m, ratio = len(draws), len(frame) / float(np.mean([len(draw) for draw, _ in draws]))
    q, v = np.mean([b for b, _ in fits], axis=0), np.diag(variance)
    v_bar = np.mean([np.diag(c) for _, c in fits], axis=0)
    overlap = overlaps(real, q, v)
    replicates = np.mean([_replicates(b, c, rng) for b, c in fits], axis=0)
    se = float(overlaps(real, replicates, v).mean(axis=1).std(ddof=1))
    at = intervals.normal_interval(float(overlap.mean()), se, ceiling=1.0)
    agreement = _agreement(real, q, v, v_bar)
    expected = {"expected of other people": null_overlap(m, ratio, fresh=True)}
    score = Score(
        metric=metric,
        value=at.value,
        low=at.low,
        high=at.high,
        goal="high",
        reference=null_overlap(m, ratio),
        parts={**dict(zip(design.names, map(float, overlap), strict=True)), **agreement, **expected},
        note=f"Mean overlap of 95 % intervals of {len(real)} coefficients of a {REGRESSION_NAMES[kind]} "
        "regression; not 1 but "
        f"{null_overlap(m, ratio):.3f} is expected of perfect rows ({m} draw{'s' * (m > 1)}). A ridge keeps separated "
        "effects finite; rows count as independent. Interval: standard errors of the synthetic estimates.",
    )
    shown = {"overlap": overlap.tolist(), "expected_overlap": null_overlap(m, ratio), "draws": m, **agreement}
    about = {"target": task.target.column, "task": kind, "names": list(design.names)}
    reach = intervals.Z95 * np.sqrt(v_bar * (ratio**-1 + 1 / m))
    ends = {**_ends("real", real, intervals.Z95 * np.sqrt(v)), **_ends("synthetic", q, reach)}
    return [score], {"effects": [{**about, **ends, **shown}]}


def overlaps(
    real: NDArray[np.float64], synthetic: NDArray[np.float64], variance: NDArray[np.float64]
) -> NDArray[np.float64]:
    """1 - |synthetic - real| / (2 · 1.96 √variance): common part of two intervals of the real one's width.

    **Shape**: (p,), (..., p), (p,) -> (..., p).

    Example:
        >>> overlaps(np.array([0.0, 0.0]), np.array([0.0, 1.96]), np.array([1.0, 1.0])).round(3).tolist()
        [1.0, 0.5]
    """
    return np.asarray(1 - np.abs(synthetic - real) / (2 * intervals.Z95 * np.sqrt(variance)))


def null_overlap(draws: int, ratio: float = 1.0, *, fresh: bool = False) -> float:
    """Expected overlap where nothing is wrong: 1 - E|z| s / (2 · 1.96), z standard normal, E|z| = √(2/π).

    s² = ratio / draws is the variance of the mean of estimates from draws of a model that fits, about the real
    estimate and in units of its variance; with `fresh`, of draws from the law of the data itself, which share no
    rows with the real ones, s² = 1 + ratio / draws.

    Args:
        draws: synthetic tables.
        ratio: real rows over rows of a draw.
        fresh: for other people rather than for rows made from the real ones.

    Example:
        >>> [round(null_overlap(m), 3) for m in (1, 5, 10, 200)]
        [0.796, 0.909, 0.936, 0.986]
    """
    return float(1 - np.sqrt(2 / np.pi * (float(fresh) + ratio / draws)) / (2 * intervals.Z95))


def logistic(x: NDArray[np.float64], y: NDArray[np.float64]) -> Fit:
    """Coefficients of a logistic regression with a constant and a tiny ridge, by Newton's method, and covariance.

    **Shape**: (n, p), (n,) of 0 and 1 -> (p,), (p, p), without the constant.

    Raises:
        MetricError: the fit does not converge.
    """
    z = np.concatenate([np.ones((len(x), 1)), x], axis=1)
    ridge = np.diag([1e-9, *np.full(x.shape[1], REGRESSION_RIDGE)])
    beta = np.zeros(z.shape[1])
    for _ in range(100):
        p = 1 / (1 + np.exp(-np.clip(z @ beta, -500, 500)))
        hessian = z.T @ (z * (p * (1 - p))[:, None]) + ridge
        step = np.linalg.solve(hessian, z.T @ (y - p) - ridge @ beta)
        beta = beta + step * min(1.0, 2 / np.abs(step).max(initial=1e-12))
        if np.abs(step).max() < 1e-8:
            return beta[1:], np.asarray(np.linalg.inv(hessian)[1:, 1:], dtype=float)
    msg = (
        "a logistic regression must converge; however: it did not in 100 steps. Leave columns that give the outcome "
        "away out by `exclude`"
    )
    raise MetricError(msg)


def linear(x: NDArray[np.float64], y: NDArray[np.float64]) -> Fit:
    """Coefficients of least squares with a constant and a tiny ridge, and covariance. **Shape**: as `logistic`."""
    if len(y) < x.shape[1] + 2:
        msg = (
            f"a linear regression on {x.shape[1]} columns must have more rows than that; however: {len(y)}. "
            "Make more rows"
        )
        raise MetricError(msg)
    z = x - x.mean(axis=0)
    hessian = z.T @ z + REGRESSION_RIDGE * np.eye(x.shape[1])
    beta = np.asarray(np.linalg.solve(hessian, z.T @ (y - y.mean())), dtype=float)
    left = y - y.mean() - z @ beta
    spread = float(left @ left) / (len(y) - x.shape[1] - 1)
    return beta, np.asarray(spread * np.linalg.inv(hessian), dtype=float)


def _estimate(kind: str, x: NDArray[np.float64], outcome: NDArray[np.float64]) -> Fit:
    if kind == "survival":
        return cox(x, outcome[:, 0], outcome[:, 1] > 0, ridge=1e-4)
    fits: dict[str, Callable[..., Fit]] = {"binary": logistic, "regression": linear}
    return fits[kind](x, outcome)


def _agreement(
    real: NDArray[np.float64], synthetic: NDArray[np.float64], v: NDArray[np.float64], v_bar: NDArray[np.float64]
) -> dict[str, float]:
    """What a reader would take home: sign, significance, and whether the real interval holds the synthetic estimate."""
    found = [np.abs(b) > intervals.Z95 * np.sqrt(var) for b, var in ((real, v), (synthetic, v_bar))]
    return {
        "same sign": float((np.sign(real) == np.sign(synthetic)).mean()),
        "same significance": float((found[0] == found[1]).mean()),
        "estimates in the real interval": float((overlaps(real, synthetic, v) >= 0.5).mean()),
    }


def _ends(side: str, middle: NDArray[np.float64], reach: NDArray[np.float64]) -> dict[str, list[float]]:
    """Estimates and their intervals, for a forest plot."""
    low, high = middle - reach, middle + reach
    return {side: middle.tolist(), f"{side}_low": low.tolist(), f"{side}_high": high.tolist()}


def _replicates(
    beta: NDArray[np.float64], covariance: NDArray[np.float64], rng: np.random.Generator
) -> NDArray[np.float64]:
    """Normal replicates of an estimate; what has infinite variance is known to be absent. **Shape**: -> (b, p)."""
    known = np.where(np.isfinite(covariance), covariance, 0.0)
    return rng.multivariate_normal(beta, known, size=EFFECT_REPLICATES, method="eigh", check_valid="ignore")


def _sampled(table: Table, most: int, rng: np.random.Generator) -> Table:
    frame, outcome = table
    if len(frame) <= most:
        return table
    rows = np.sort(rng.choice(len(frame), most, replace=False))
    return frame.iloc[rows], outcome[rows]


def _labels(table: FeatureEncoder, schema: Schema) -> dict[int, tuple[str, str]]:
    """Column and label by position in the linear form, without flags of missing numbers and most frequent levels."""
    labels: dict[int, tuple[str, str]] = {2 * k: (name, name) for k, name in enumerate(table.numeric)}
    position = 2 * len(table.numeric)
    for name, ranks in table.levels.items():
        declared = {level_key(level): str(level) for level in getattr(schema.columns[name], "levels", None) or ()}
        size = min(len(ranks), MAX_ONE_HOT_LEVELS)
        for key, rank in ranks.items():
            if 0 < rank < size:
                label = "rare levels" if size < len(ranks) and rank == size - 1 else declared.get(key)
                labels[position + rank] = (name, f"{name}: {label or f'undeclared level {rank}'}")
        position += size
    return labels


EFFECT_LABELS = {
    "effect_overlap": MetricLabel(
        "Overlap of effects", "How far intervals of regression coefficients overlap; see what perfect rows reach."
    ),
    "log_hazard_overlap": MetricLabel(
        "Overlap of hazard ratios", "How far intervals of log-hazard ratios overlap; see what perfect rows reach."
    ),
}
