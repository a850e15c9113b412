"""Can a classifier tell synthetic rows from real ones: the classifier two-sample test."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from synthkit.evaluate import stats
from synthkit.evaluate.features import Tabular, without_empty
from synthkit.evaluate.fidelity import both_sides, unit_codes
from synthkit.evaluate.result import MetricError, Score

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from synthkit.evaluate.result import Comparison

FOLDS, MOST, DRAWS = 3, 20_000, 3  # folds; rows a side; draws that are tested
PERMUTED = 3_000  # rows on which the importance of a column is measured
SHOWN = 20

Learner = Callable[[list[bool], int], Any]


@dataclass(frozen=True)
class Detection:
    """Scores out of fold of real (False) and synthetic (True) rows, and the fall of the AUC by column."""

    scores: NDArray[np.float64]
    synthetic: NDArray[np.bool_]
    importance: dict[str, float]


def c2st(comparison: Comparison, rng: np.random.Generator) -> tuple[list[Score], dict[str, Any]]:
    """AUC of gradient boosting that tells synthetic rows from holdout rows, cross-fitted in three folds.

    0.5: the classifier cannot; 1: every row is told apart. Below 0.5 rows of both tables are twins. The folds keep
    the rows of a unit together; each side is cut to the size of the smaller, at most 20,000 rows.

    References:
        Revisiting Classifier Two-Sample Tests (Lopez-Paz & Oquab, 2017).
    """
    return _score("fidelity.c2st", comparison, rng, _boosting, panel=True)


def c2st_lightgbm(comparison: Comparison, rng: np.random.Generator) -> tuple[list[Score], dict[str, Any]]:
    """The same with LightGBM (200 trees, 31 leaves, rate 0.08, 3 folds), the setting of our benchmark tables."""
    return _score("fidelity.c2st_lightgbm", comparison, rng, _lightgbm, panel=False)


def _score(
    metric: str, comparison: Comparison, rng: np.random.Generator, learner: Learner, *, panel: bool
) -> tuple[list[Score], dict[str, Any]]:
    holdout, tested = comparison.holdout, comparison.synthetic[:DRAWS]
    found = [detect(draw, holdout, comparison, rng, learner) for draw in tested]
    like = detect(both_sides(comparison, rng)[0].other, holdout, comparison, rng, learner)
    each = [stats.delong(d.scores, d.synthetic) for d in found]
    value = float(np.mean([e.value for e in each]))
    # the holdout rows are the same in every draw, so the widths are averaged, not divided
    low, high = (value + float(np.mean([e[k] - e.value for e in each])) for k in (1, 2))
    importance = {name: float(np.mean([d.importance[name] for d in found])) for name in comparison.schema.learned}
    score = Score(
        metric=metric,
        value=value,
        low=low,
        high=high,
        goal="low",
        reference=stats.auc(like.scores, like.synthetic),
        parts=importance,
        note="AUC of telling synthetic from holdout rows, 0.5 is ideal; the reference is as many training rows in "
        "place of the synthetic ones. Interval: DeLong on the pooled out-of-fold scores. Parts: fall of the AUC when "
        "the column is shuffled.",
    )
    if not panel:
        return [score], {}
    worst = sorted(importance, key=lambda name: -importance[name])[:SHOWN]
    return [score], {
        "detection": {
            "auc": value,
            "low": low,
            "high": high,
            "features": [{"column": name, "importance": round(importance[name], 5)} for name in worst],
            "roc": stats.roc(found[0].scores, found[0].synthetic, points=60),
        }
    }


def detect(
    left: pd.DataFrame, right: pd.DataFrame, comparison: Comparison, rng: np.random.Generator, learner: Learner
) -> Detection:
    """Cross-fitted scores of being a row of `left`."""
    names, unit = comparison.schema.learned, comparison.schema.unit
    size = min(len(left), len(right), MOST)
    if size < 2 * FOLDS:
        msg = f"a classifier needs at least {2 * FOLDS} rows a side; however: the smaller side has {size}"
        raise MetricError(msg)
    sides = [f.iloc[np.sort(rng.choice(len(f), size, replace=False))] if len(f) > size else f for f in (left, right)]
    both = pd.concat([side[list(names)] for side in sides], ignore_index=True)
    label = np.repeat([True, False], size)
    folds = np.concatenate([_folds(side, unit, rng) for side in sides])
    table = Tabular.fit(both, comparison.schema, names)
    x, scores = table.trees(both), np.zeros(2 * size)
    fall = np.zeros(len(table.names))
    for fold in range(FOLDS):
        test = folds == fold
        inputs = without_empty(x, np.isnan(x[~test]).all(axis=0))
        model = learner(table.categorical, int(rng.integers(2**31)))
        model.fit(inputs[~test], label[~test])
        scores[test] = model.predict_proba(inputs[test])[:, 1]
        if fold == 0:
            fall = _importance(model, inputs[test], label[test], rng)
    return Detection(scores, label, dict(zip(table.names, fall.tolist(), strict=True)))


def _folds(frame: pd.DataFrame, unit: str | None, rng: np.random.Generator) -> NDArray[np.intp]:
    units = unit_codes(frame, unit)
    units = np.arange(len(frame)) if units is None else units
    return np.asarray(rng.permutation(np.arange(units.max() + 1) % FOLDS)[units])


def _importance(
    model: Any, x: NDArray[np.float64], label: NDArray[np.bool_], rng: np.random.Generator
) -> NDArray[np.float64]:
    rows = rng.permutation(len(x))[:PERMUTED]
    x, label = x[rows], label[rows]
    base = stats.auc(model.predict_proba(x)[:, 1], label)
    fall = np.zeros(x.shape[1])
    for k in range(x.shape[1]):
        shuffled = x.copy()
        shuffled[:, k] = rng.permutation(shuffled[:, k])
        fall[k] = base - stats.auc(model.predict_proba(shuffled)[:, 1], label)
    return np.maximum(fall, 0.0)


def _boosting(categorical: list[bool], seed: int) -> Any:
    from sklearn.ensemble import HistGradientBoostingClassifier

    return HistGradientBoostingClassifier(categorical_features=categorical, early_stopping=False, random_state=seed)


def _lightgbm(categorical: list[bool], seed: int) -> Any:
    from lightgbm import LGBMClassifier

    return LGBMClassifier(n_estimators=200, num_leaves=31, learning_rate=0.08, random_state=seed, verbose=-1, n_jobs=1)
