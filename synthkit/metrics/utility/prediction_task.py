"""A prediction task on tables: rows whose target is known, equal shares of real and synthetic ones, quality."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from synthkit.errors import MetricError
from synthkit.io.json_types import JSON
from synthkit.metrics.fidelity.distributions import unit_codes
from synthkit.metrics.result import Failure, Found, Score
from synthkit.metrics.stats import intervals
from synthkit.metrics.stats.binning import numbers
from synthkit.schema.columns import Boolean, level_key, level_keys
from synthkit.schema.derived import derived_origins

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from synthkit.metrics.evaluation_data import EvaluationData
    from synthkit.metrics.utility.learners import Learner
    from synthkit.schema import Target

TEST_REPLICATES, MAX_PREDICTED_DRAWS, MAX_TEST_ROWS, SYNTHETIC_TEST_SHARE = 300, 5, 20_000, 0.2
QUALITY_NAMES = {"binary": "AUROC", "multiclass": "macro AUROC", "regression": "R²", "survival": "C-index"}


@dataclass(frozen=True)
class TaskRows:
    """Rows with a known target. **Shape**: n rows of the frame, target (n,) class codes or numbers."""

    frame: pd.DataFrame
    target: NDArray[np.float64]

    def take(self, rows: NDArray[np.intp]) -> TaskRows:
        """The rows with these numbers."""
        return TaskRows(self.frame.iloc[rows], self.target[rows])

    def sample(self, size: int, rng: np.random.Generator) -> TaskRows:
        """At most `size` random rows."""
        n = len(self.target)
        return self if n <= size else self.take(np.sort(rng.choice(n, size, replace=False)))


@dataclass(frozen=True)
class Trial:
    """One draw's share of the experiment: equal numbers of real and synthetic training rows, two sets of tests."""

    train: TaskRows
    synthetic: TaskRows
    holdout: TaskRows
    synthetic_test: TaskRows


@dataclass(frozen=True)
class PredictionTask:
    """What is predicted from which columns.

    Args:
        target: the outcome.
        names: columns a model may learn from.
        keys: level keys of the classes, the second the event of a binary task; empty for a quantity.
        comparison: the tables.
    """

    target: Target
    names: tuple[str, ...]
    keys: tuple[Hashable, ...]
    comparison: EvaluationData

    @classmethod
    def of(cls, comparison: EvaluationData, target: Target) -> PredictionTask:
        """The task of a declared target; MetricError if `exclude` leaves no column to learn from."""
        schema, column = comparison.schema, comparison.schema.columns[target.column]
        left_out = {target.column, target.event, *target.exclude}
        left_out |= {
            name for name in schema.derived if {target.column, target.event} & set(derived_origins(schema, name))
        }
        names = tuple(name for name in schema.described if name not in left_out)
        if not names:
            msg = f"a model of `{target.column}` needs a column to learn from; however: `exclude` leaves none"
            raise MetricError(msg)
        keys: tuple[Hashable, ...] = ()
        if target.task == "binary":
            positive = column.levels[1] if isinstance(column, Boolean) and target.positive is None else target.positive
            keys = (None, level_key(positive))
        elif target.task == "multiclass":
            seen = level_keys(comparison.train[target.column].dropna()).unique()
            keys = tuple(sorted(seen, key=str))
        return cls(target, names, keys, comparison)

    @property
    def classes(self) -> int:
        """Number of classes; 0 for a quantity."""
        return len(self.keys)

    @property
    def tested(self) -> str:
        """What is resampled, in words."""
        return "units" if self.comparison.schema.unit else "rows"

    def rows(self, frame: pd.DataFrame, where: str) -> TaskRows:
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
        return TaskRows(frame.iloc[known], y[known])

    def trials(self, comparison: EvaluationData, rng: np.random.Generator) -> list[Trial]:
        """One trial a draw, five at most, all with the same real rows."""
        train, holdout = self.rows(comparison.train, "training"), self.rows(comparison.holdout, "holdout")
        holdout = holdout.sample(MAX_TEST_ROWS, rng)
        draws = [self.rows(draw, "synthetic") for draw in comparison.synthetic[:MAX_PREDICTED_DRAWS]]
        if len(draws) == 1:
            fit, test = self._parted(draws[0], rng)
            fits, tests = [fit], [test]
        else:
            fits, tests = draws, [*draws[1:], draws[0]]
        size = min(len(train.target), *(len(fit.target) for fit in fits))
        real = train.sample(size, rng)
        return [
            Trial(real, fit.sample(size, rng), holdout, test.sample(MAX_TEST_ROWS, rng))
            for fit, test in zip(fits, tests, strict=True)
        ]

    def _parted(self, draw: TaskRows, rng: np.random.Generator) -> tuple[TaskRows, TaskRows]:
        """Four fifths of a draw to train on and a fifth to test on; of small draws either may lack a class."""
        order = rng.permutation(len(draw.target))
        held = max(1, round(SYNTHETIC_TEST_SHARE * len(order)))
        fit, test = (draw.take(np.sort(rows)) for rows in (order[held:], order[:held]))
        if self.classes and min(len(np.unique(part.target)) for part in (fit, test)) < 2:
            msg = (
                f"`{self.target.column}` must have two different values among the synthetic rows trained on and among "
                "the fifth held back; however: one of them has fewer. Draw more rows, or several times"
            )
            raise MetricError(msg)
        return fit, test

    def units(self, rows: TaskRows) -> NDArray[np.intp]:
        """Unit code of every row; each row its own if no unit is declared."""
        codes = unit_codes(rows.frame, self.comparison.schema.unit)
        return np.arange(len(rows.target)) if codes is None else codes

    def quality(
        self, y: NDArray[np.float64], predicted: NDArray[np.float64], weights: NDArray[np.uint16]
    ) -> NDArray[np.float64]:
        """AUROC, macro one-against-rest AUROC or R² under each row of weights.

        **Shape**: (n,), (n, c), (b, n) -> (b,).
        """
        if self.classes == 0:
            return _r2(y, predicted[:, 0], weights)
        if self.classes == 2:
            return intervals.weighted_aucs(predicted[:, 1], y == 1, weights)
        present = [k for k in range(self.classes) if 0 < (y == k).sum() < len(y)]
        return np.asarray(np.mean([intervals.weighted_aucs(predicted[:, k], y == k, weights) for k in present], axis=0))


@dataclass(frozen=True, kw_only=True)
class Judged:
    """What the learner of the headline says of the same holdout rows after training on real and on synthetic rows.

    Args:
        task: what is predicted.
        learner: the best of the candidates on real training rows.
        prefix: beginning of the scores' names.
        holdout: n rows.
        weights: (b, n) bootstrap replicates of their units.
        real: (n, c) predictions after training on real rows.
        synthetic: (n, c) predictions of each draw.
        prevalence: share of each class among the real training rows; empty for a quantity.
    """

    task: PredictionTask
    learner: Learner
    prefix: str
    holdout: TaskRows
    weights: NDArray[np.uint16]
    real: NDArray[np.float64]
    synthetic: tuple[NDArray[np.float64], ...]
    prevalence: NDArray[np.float64]


def gather(parts: Sequence[tuple[str, Callable[[], Found]]]) -> Found:
    """Scores and panels of several parts of a metric; a part that cannot be measured is a listed failure.

    Example:
        >>> gather([("utility.died.gap", lambda: ([], {"effects": [1]})), ("x", lambda: ([], {"effects": [2]}))])
        ([], {'effects': [1, 2]})
    """
    scores: list[Score | Failure] = []
    panels: dict[str, list[JSON]] = {}
    for name, part in parts:
        try:
            found, drawn = part()
        except (MetricError, ArithmeticError, np.linalg.LinAlgError) as error:
            scores.append(Failure.of(name, error))
            continue
        scores += found
        for key, panel in drawn.items():
            panels[key] = [*panels.get(key, []), *panel]
    return scores, panels


def _r2(y: NDArray[np.float64], predicted: NDArray[np.float64], weights: NDArray[np.uint16]) -> NDArray[np.float64]:
    w = weights.astype(float)
    total = w.sum(axis=1)
    mean = w @ y / np.maximum(total, 1)
    spread = w @ (y - y.mean()) ** 2 - total * (mean - y.mean()) ** 2
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.where(spread > 0, 1 - (w @ (y - predicted) ** 2) / spread, np.nan))
