"""The classifier two-sample test (C2ST): can a classifier tell synthetic rows from real ones."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import numpy as np
import pandas as pd
from scipy import stats as distributions

from synthkit.errors import MetricError
from synthkit.metrics.fidelity.distributions import both_sides, unit_codes
from synthkit.metrics.metric import MetricLabel, MetricSpec
from synthkit.metrics.result import Score, Scored
from synthkit.metrics.stats import intervals
from synthkit.metrics.utility.features import FeatureEncoder, without_empty
from synthkit.metrics.utility.learners import LEARNERS, Learner, LearnerPlan, convergence

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from synthkit.metrics.estimator import ProbabilisticClassifier
    from synthkit.metrics.evaluation_data import EvaluationData

DETECTION_FOLDS, MAX_DETECTION_ROWS, MAX_DETECTED_DRAWS = 3, 20_000, 3  # folds; rows a side; draws that are tested
IMPORTANCE_ROWS = 3_000  # rows on which the importance of a column is measured
SHOWN_FEATURES = 20
ENOUGH_FOR_BOOSTING = 1_000  # rows a side from which on boosting is the classifier; below, the best of two is chosen

Scorer = Callable[["NDArray[np.float64]"], "NDArray[np.float64]"]


@dataclass(frozen=True)
class DetectionResult:
    """Scores out of fold of real (False) and synthetic (True) rows, and how they came about.

    Args:
        scores: (n,) ranks in [0, 1] among the rows of a fold.
        synthetic: (n,) which rows are synthetic.
        importance: fall of the AUC by column.
        learners: names of the classifiers that were taken, one a fold.
    """

    scores: NDArray[np.float64]
    synthetic: NDArray[np.bool_]
    importance: dict[str, float]
    learners: tuple[str, ...]


def c2st(comparison: EvaluationData, rng: np.random.Generator) -> Scored:
    """AUC of a classifier that tells synthetic rows from holdout rows, cross-fitted in three folds.

    0.5: the classifier cannot; 1: every row is told apart. Below 0.5 rows of both tables are twins. The folds keep
    the rows of a unit together; each side is cut to the size of the smaller, at most 20,000 rows. The classifier is
    gradient boosting. With fewer than 1,000 rows a side trees see little: of boosting and logistic regression each fold
    then takes the one that is better on its own training rows, by cross-validation among them, so that no row that is
    scored has a say in the choice and the interval holds.

    Raises:
        MetricError: there are too few rows, or the classifier gives all rows one score: nothing was measured.

    References:
        Revisiting Classifier Two-Sample Tests (Lopez-Paz & Oquab, 2017); Bias in Error Estimation when Using
        Cross-Validation for Model Selection (Varma & Simon, 2006), why the choice is made inside.
    """
    return _score("fidelity.c2st", comparison, rng, DETECTION_LEARNERS, panel=True)


def c2st_lightgbm(comparison: EvaluationData, rng: np.random.Generator) -> Scored:
    """The same with LightGBM (200 trees, 31 leaves, rate 0.08, 3 folds), the setting of our benchmark tables."""
    return _score("fidelity.c2st_lightgbm", comparison, rng, (LIGHTGBM,), panel=False)


def _score(
    metric: str, comparison: EvaluationData, rng: np.random.Generator, learners: Sequence[Learner], *, panel: bool
) -> Scored:
    holdout, tested = comparison.holdout, comparison.synthetic[:MAX_DETECTED_DRAWS]
    found = [detect(draw, holdout, comparison, rng, learners) for draw in tested]
    like = detect(both_sides(comparison, rng)[0].other, holdout, comparison, rng, learners, importance=False)
    each = [intervals.delong(d.scores, d.synthetic) for d in found]
    value = float(np.mean([e.value for e in each]))
    # the holdout rows are the same in every draw, so the widths are averaged, not divided
    low, high = (value + float(np.mean([e[k] - e.value for e in each])) for k in (1, 2))
    importance = {name: float(np.mean([d.importance[name] for d in found])) for name in comparison.schema.described}
    used = sorted({name for d in found for name in d.learners})
    score = Score(
        metric=metric,
        value=value,
        low=low,
        high=high,
        goal="low",
        reference=intervals.auc(like.scores, like.synthetic),
        parts=importance,
        note=f"AUC of telling synthetic from holdout rows by {' and '.join(used)}, 0.5 is ideal; the reference is as "
        "many training rows in place of the synthetic ones. Interval: DeLong on the out-of-fold scores, ranked by "
        "fold. Parts: fall of the AUC when the column is shuffled.",
    )
    if not panel:
        return [score], {}
    worst = sorted(importance, key=lambda name: -importance[name])[:SHOWN_FEATURES]
    return [score], {
        "detection": {
            "auc": value,
            "learners": used,
            "low": low,
            "high": high,
            "features": [{"column": name, "importance": round(importance[name], 5)} for name in worst],
            "roc": intervals.roc(found[0].scores, found[0].synthetic, points=60),
        }
    }


def detect(
    left: pd.DataFrame,
    right: pd.DataFrame,
    comparison: EvaluationData,
    rng: np.random.Generator,
    learners: Sequence[Learner],
    *,
    importance: bool = True,
) -> DetectionResult:
    """Cross-fitted scores of being a row of `left`; where `importance` is not asked for it is nought throughout."""
    names, unit = comparison.schema.described, comparison.schema.unit
    size = min(len(left), len(right), MAX_DETECTION_ROWS)
    if size < 2 * DETECTION_FOLDS:
        msg = f"a classifier needs at least {2 * DETECTION_FOLDS} rows a side; however: the smaller side has {size}"
        raise MetricError(msg)
    sides = [f.iloc[np.sort(rng.choice(len(f), size, replace=False))] if len(f) > size else f for f in (left, right)]
    both = pd.concat([side[list(names)] for side in sides], ignore_index=True)
    label = np.repeat([True, False], size)
    folds = np.concatenate([unit_folds(side, unit, rng) for side in sides])
    table = FeatureEncoder.fit(both, comparison.schema, names)
    inputs = {"trees": table.trees, "linear": table.linear}
    race = _Race(label, folds, table, {each.inputs: inputs[each.inputs](both) for each in learners})
    scores, used, fall = np.zeros(2 * size), [], np.zeros(len(table.names))
    for fold in range(DETECTION_FOLDS):
        test, seed = folds == fold, int(rng.integers(2**31))
        learner = learners[0] if size >= ENOUGH_FOR_BOOSTING else race.best(learners, fold, seed)
        fitted = race.fit(learner, ~test, seed)
        scores[test] = fitted(race.inputs[learner.inputs][test])
        if np.ptp(scores[test]) == 0:
            msg = f"a classifier must tell rows apart to be judged; however: {learner.name} gives all of them one score"
            raise MetricError(f"{msg}. Bring more rows")
        used.append(learner.name)
        if fold == 0 and importance:
            fall = _importance(
                fitted, race.inputs[learner.inputs][test], table.blocks(learner.inputs), label[test], rng
            )
        scores[test] = distributions.rankdata(scores[test]) / test.sum()
    return DetectionResult(scores, label, dict(zip(table.names, fall.tolist(), strict=True)), tuple(used))


@dataclass(frozen=True)
class _Race:
    """Rows of both sides, from which classifiers are fitted and compared without the rows that are scored.

    **Shape**: label (n,), folds (n,), inputs (n, p) by form.
    """

    label: NDArray[np.bool_]
    folds: NDArray[np.intp]
    table: FeatureEncoder
    inputs: Mapping[str, NDArray[np.float64]]

    def fit(self, learner: Learner, rows: NDArray[np.bool_], seed: int) -> Scorer:
        """A classifier fitted to some rows, as a function from inputs to scores."""
        x, y = self.inputs[learner.inputs], self.label[rows]
        empty = np.asarray(np.isnan(x[rows]).all(axis=0))
        model = learner.fresh(LearnerPlan.of(self.table.categorical, seed, y.astype(float), 2))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", convergence())
            model.fit(without_empty(x[rows], empty), y)
        able = cast("ProbabilisticClassifier", model)
        return lambda inputs: np.asarray(able.predict_proba(without_empty(inputs, empty))[:, 1])

    def best(self, learners: Sequence[Learner], fold: int, seed: int) -> Learner:
        """The learner with the largest AUC on each of the other folds after training on those but it."""
        found = []
        for learner in learners if len(learners) > 1 else ():
            aucs = []
            for inner in (k for k in range(DETECTION_FOLDS) if k != fold):
                fits, tests = (self.folds != fold) & (self.folds != inner), self.folds == inner
                scores = self.fit(learner, fits, seed)(self.inputs[learner.inputs][tests])
                aucs.append(-1.0 if np.ptp(scores) == 0 else intervals.auc(scores, self.label[tests]))
            found.append(float(np.mean(aucs)))
        return learners[int(np.argmax(found))] if found else learners[0]


def unit_folds(frame: pd.DataFrame, unit: str | None, rng: np.random.Generator) -> NDArray[np.intp]:
    """Fold of every row at random, rows of a unit in one. **Shape**: (n,)."""
    units = unit_codes(frame, unit)
    units = np.arange(len(frame)) if units is None else units
    return np.asarray(rng.permutation(np.arange(units.max() + 1) % DETECTION_FOLDS)[units])


def _importance(
    fitted: Scorer,
    x: NDArray[np.float64],
    blocks: Sequence[slice],
    label: NDArray[np.bool_],
    rng: np.random.Generator,
) -> NDArray[np.float64]:
    """Fall of the AUC when the inputs of one column are shuffled, by column."""
    rows = rng.permutation(len(x))[:IMPORTANCE_ROWS]
    x, label = x[rows], label[rows]
    base = intervals.auc(fitted(x), label)
    fall = np.zeros(len(blocks))
    for k, block in enumerate(blocks):
        shuffled = x.copy()
        shuffled[:, block] = rng.permutation(shuffled[:, block])
        fall[k] = base - intervals.auc(fitted(shuffled), label)
    return np.maximum(fall, 0.0)


def _lightgbm(plan: LearnerPlan) -> object:
    from lightgbm import LGBMClassifier

    leaf = plan.trees["min_samples_leaf"]
    return LGBMClassifier(
        n_estimators=200,
        num_leaves=31,
        learning_rate=0.08,
        min_child_samples=leaf,
        random_state=plan.seed,
        verbose=-1,
        n_jobs=1,
    )


DETECTION_LEARNERS = tuple(each for each in LEARNERS["classification"] if each.is_candidate)
LIGHTGBM = Learner(name="LightGBM", make=_lightgbm, inputs="trees", is_probabilistic=True)


C2ST_SPEC = MetricSpec(
    name="fidelity.c2st",
    measure=c2st,
    labels={
        "fidelity.c2st": MetricLabel(
            "Real or synthetic?", "AUC of a classifier that tells the two apart; 0.5 is a coin toss."
        ),
    },
)
C2ST_LIGHTGBM_SPEC = MetricSpec(
    name="fidelity.c2st_lightgbm",
    measure=c2st_lightgbm,
    in_quick=False,
    needs=frozenset({"lightgbm"}),
    labels={
        "fidelity.c2st_lightgbm": MetricLabel(
            "Real or synthetic? (LightGBM)", "The same AUC with the benchmarks' classifier."
        ),
    },
)
