"""The fixed learners of utility: settings and inputs, fitted on their own training rows only."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, cast

import numpy as np

from synthkit.errors import MetricError
from synthkit.metrics.utility.features import FeatureEncoder, without_empty

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from synthkit.io.json_types import JSON
    from synthkit.metrics.estimator import DecisionClassifier, Estimator, ProbabilisticClassifier
    from synthkit.schema import Schema, Target

Task = Literal["classification", "regression"]
NYSTROEM_COMPONENTS = 200  # of the Nyström approximation of the RBF kernel
MAX_LEAF_ROWS, MAX_TREE_LEAVES = 20, 31  # rows of a leaf and leaves of a tree, where there are enough rows


def task_of(target: Target) -> Task:
    """Which learners a target takes, if it is not of survival."""
    return "regression" if target.task == "regression" else "classification"


@dataclass(frozen=True, kw_only=True)
class LearnerPlan:
    """What an estimator is built for.

    Args:
        categorical: which of the inputs of trees are codes.
        seed: of what is random in it.
        rows: number of training rows.
        others: those outside the largest class, the events of a rare one; all of them for a quantity.
    """

    categorical: list[bool]
    seed: int
    rows: int
    others: int

    @classmethod
    def of(cls, categorical: list[bool], seed: int, target: NDArray[np.float64], classes: int) -> LearnerPlan:
        """The plan for a target of class codes, or of numbers if `classes` is 0."""
        rows = len(target)
        most = int(np.bincount(target.astype(int)).max()) if classes else 0
        return cls(categorical=categorical, seed=seed, rows=rows, others=rows - most)

    @property
    def trees(self) -> dict[str, JSON]:
        """Settings of boosted trees that few rows, or few events, leave: smaller leaves, fewer of them, shrunk.

        A leaf holds a twentieth of the rows, 2 to 20; a tree has a leaf for every 50 events, 4 to 31; from 31 leaves on
        these are the usual settings.
        """
        leaves = min(MAX_TREE_LEAVES, max(4, self.others // 50))
        return {
            "learning_rate": 0.1,
            "max_iter": 100,
            "early_stopping": False,
            "min_samples_leaf": min(MAX_LEAF_ROWS, max(2, self.rows // 20)),
            "max_leaf_nodes": leaves,
            "l2_regularization": 0.0 if leaves == MAX_TREE_LEAVES else 1.0,
            "categorical_features": self.categorical,
            "random_state": self.seed,
        }


@dataclass(frozen=True, kw_only=True)
class Learner:
    """A kind of model.

    Args:
        name: as the report prints it.
        make: builds an unfitted estimator.
        inputs: which form of the inputs it takes.
        most: training rows it is given at most; exact for the boosted trees, merciful for the kernels.
        is_probabilistic: whether its scores are probabilities.
        is_candidate: whether it may be the one whose loss is the headline.
    """

    name: str
    make: Callable[[LearnerPlan], object]
    inputs: Literal["linear", "trees"] = "linear"
    most: int = 50_000
    is_probabilistic: bool = False
    is_candidate: bool = False

    def fresh(self, plan: LearnerPlan) -> Estimator:
        """An unfitted estimator."""
        return cast("Estimator", self.make(plan))


def predictions(
    learner: Learner,
    train: pd.DataFrame,
    target: NDArray[np.float64],
    tests: Sequence[pd.DataFrame],
    schema: Schema,
    names: Sequence[str],
    classes: int,
    rng: np.random.Generator,
) -> list[NDArray[np.float64]]:
    """Fit on `train` and predict the tests.

    **Shape**: target (n,) class codes or numbers -> one (m, classes) table of scores a test, or (m, 1) numbers if
    `classes` is 0. A class that `train` does not have scores -inf, or probability 0, everywhere.
    """
    rows = np.arange(len(train))
    if len(rows) > learner.most:
        rows = np.sort(rng.choice(len(rows), learner.most, replace=False))
    train, target = train.iloc[rows], target[rows]
    table = FeatureEncoder.fit(train, schema, names)
    form = table.trees if learner.inputs == "trees" else table.linear
    x = form(train)
    empty = np.asarray(np.isnan(x).all(axis=0))
    centre, spread = (float(target.mean()), float(target.std()) or 1.0) if classes == 0 else (0.0, 1.0)
    model = learner.fresh(LearnerPlan.of(table.categorical, int(rng.integers(2**31)), target, classes))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", convergence())  # fixed effort: an unfinished fit is scored as it is
        model.fit(without_empty(x, empty), (target - centre) / spread if classes == 0 else target.astype(int))
    inputs = [without_empty(form(test), empty) for test in tests]
    if classes == 0:
        return [(centre + spread * _numbers(model, each))[:, None] for each in inputs]
    return [_class_scores(model, each, classes, learner.is_probabilistic) for each in inputs]


def _numbers(model: Estimator, x: NDArray[np.float64]) -> NDArray[np.float64]:
    found = np.asarray(model.predict(x), dtype=float)
    if found.shape != (len(x),):
        msg = (
            f"a regressor must predict one number a row; however: an array of shape {found.shape}. Check its `predict`"
        )
        raise MetricError(msg)
    return found


def is_constant(predicted: Sequence[NDArray[np.float64]]) -> bool:
    """Whether a model says the same of every row of all tests: it learned nothing. **Shape**: (m, c) each."""
    rows = np.concatenate(predicted)
    return bool((rows == rows[:1]).all())


def _class_scores(
    model: Estimator, x: NDArray[np.float64], classes: int, is_probabilistic: bool
) -> NDArray[np.float64]:
    if is_probabilistic:
        raw = cast("ProbabilisticClassifier", model).predict_proba(x)
    else:
        raw = cast("DecisionClassifier", model).decision_function(x)
    if raw.ndim == 1:
        raw = np.stack([-raw, raw], axis=1)
    scores = np.full((len(x), classes), 0.0 if is_probabilistic else -np.inf)
    scores[:, cast("DecisionClassifier", model).classes_] = raw
    return scores


def convergence() -> type[Warning]:
    """The warning of a fit that was not finished."""
    from sklearn.exceptions import ConvergenceWarning

    return ConvergenceWarning  # type: ignore[no-any-return]


def logistic(plan: LearnerPlan) -> object:
    """Logistic regression, unfitted."""
    from sklearn.linear_model import LogisticRegression

    return LogisticRegression(C=1.0, max_iter=200)


def _ridge(plan: LearnerPlan) -> object:
    from sklearn.linear_model import Ridge

    return Ridge(alpha=1.0)


def _linear_svm(plan: LearnerPlan) -> object:
    from sklearn.svm import LinearSVC

    return LinearSVC(C=0.1, dual=False, max_iter=200, random_state=plan.seed)


def _linear_svr(plan: LearnerPlan) -> object:
    from sklearn.svm import LinearSVR

    return LinearSVR(
        C=0.1, loss="squared_epsilon_insensitive", epsilon=0.1, dual=False, max_iter=200, random_state=plan.seed
    )


def _rbf_svm(plan: LearnerPlan) -> object:
    from sklearn.pipeline import make_pipeline

    return make_pipeline(_nystroem(plan), _linear_svm(plan))


def _rbf_svr(plan: LearnerPlan) -> object:
    from sklearn.pipeline import make_pipeline

    return make_pipeline(_nystroem(plan), _linear_svr(plan))


def _nystroem(plan: LearnerPlan) -> object:
    from sklearn.kernel_approximation import Nystroem

    return Nystroem(gamma=0.02, n_components=min(NYSTROEM_COMPONENTS, plan.rows), random_state=plan.seed)


def boosting(plan: LearnerPlan) -> object:
    """Gradient boosting of classes, unfitted."""
    from sklearn.ensemble import HistGradientBoostingClassifier

    return HistGradientBoostingClassifier(**plan.trees)


def _boosting_regressor(plan: LearnerPlan) -> object:
    from sklearn.ensemble import HistGradientBoostingRegressor

    return HistGradientBoostingRegressor(**plan.trees)


def _dummy(plan: LearnerPlan) -> object:
    from sklearn.dummy import DummyClassifier

    return DummyClassifier(strategy="prior")


def _dummy_regressor(plan: LearnerPlan) -> object:
    from sklearn.dummy import DummyRegressor

    return DummyRegressor()


GRADIENT_BOOSTING = "gradient boosting"
DUMMY = "dummy"  # looks at no column
LEARNERS: Mapping[Task, tuple[Learner, ...]] = {
    "classification": (
        Learner(name=GRADIENT_BOOSTING, make=boosting, inputs="trees", is_probabilistic=True, is_candidate=True),
        Learner(name="logistic regression", make=logistic, most=30_000, is_probabilistic=True, is_candidate=True),
        Learner(name="linear SVM", make=_linear_svm, most=20_000),
        Learner(name="RBF SVM", make=_rbf_svm, most=20_000),
        Learner(name=DUMMY, make=_dummy, is_probabilistic=True),
    ),
    "regression": (
        Learner(name=GRADIENT_BOOSTING, make=_boosting_regressor, inputs="trees", is_candidate=True),
        Learner(name="ridge regression", make=_ridge, is_candidate=True),
        Learner(name="linear SVM", make=_linear_svr, most=20_000),
        Learner(name="RBF SVM", make=_rbf_svr, most=20_000),
        Learner(name=DUMMY, make=_dummy_regressor),
    ),
}
