"""The models whose usefulness is compared: fixed settings, inputs fitted on their own training rows only."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from synthkit.evaluate.features import Tabular, without_empty

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from synthkit.schema import Schema

Task = Literal["classification", "regression"]
COMPONENTS = 200  # of the Nyström approximation of the RBF kernel


@dataclass(frozen=True, kw_only=True)
class Learner:
    """A kind of model.

    Args:
        name: as the report prints it.
        make: builds an unfitted estimator from the kinds of tree inputs and a seed.
        inputs: which form of the inputs it takes.
        most: training rows it is given at most; exact for the boosted trees, merciful for the kernels.
        is_probabilistic: whether its scores are probabilities.
    """

    name: str
    make: Callable[[list[bool], int], Any]
    inputs: Literal["linear", "trees"] = "linear"
    most: int = 50_000
    is_probabilistic: bool = False


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
    table = Tabular.fit(train, schema, names)
    form = table.trees if learner.inputs == "trees" else table.linear
    x = form(train)
    empty = np.asarray(np.isnan(x).all(axis=0))
    centre, spread = (float(target.mean()), float(target.std()) or 1.0) if classes == 0 else (0.0, 1.0)
    model = learner.make(table.categorical, int(rng.integers(2**31)))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", _convergence())  # fixed effort: an unfinished fit is scored as it is
        model.fit(without_empty(x, empty), (target - centre) / spread if classes == 0 else target.astype(int))
    inputs = [without_empty(form(test), empty) for test in tests]
    if classes == 0:
        return [(centre + spread * model.predict(each))[:, None] for each in inputs]
    return [_class_scores(model, each, classes, learner.is_probabilistic) for each in inputs]


def _class_scores(model: Any, x: NDArray[np.float64], classes: int, is_probabilistic: bool) -> NDArray[np.float64]:
    raw = model.predict_proba(x) if is_probabilistic else model.decision_function(x)
    if raw.ndim == 1:
        raw = np.stack([-raw, raw], axis=1)
    scores = np.full((len(x), classes), 0.0 if is_probabilistic else -np.inf)
    scores[:, model.classes_] = raw
    return scores


def _convergence() -> type[Warning]:
    from sklearn.exceptions import ConvergenceWarning

    return ConvergenceWarning  # type: ignore[no-any-return]


def _logistic(categorical: list[bool], seed: int) -> Any:
    from sklearn.linear_model import LogisticRegression

    return LogisticRegression(C=1.0, max_iter=200)


def _ridge(categorical: list[bool], seed: int) -> Any:
    from sklearn.linear_model import Ridge

    return Ridge(alpha=1.0)


def _linear_svm(categorical: list[bool], seed: int) -> Any:
    from sklearn.svm import LinearSVC

    return LinearSVC(C=0.1, dual=False, max_iter=200, random_state=seed)


def _linear_svr(categorical: list[bool], seed: int) -> Any:
    from sklearn.svm import LinearSVR

    return LinearSVR(
        C=0.1, loss="squared_epsilon_insensitive", epsilon=0.1, dual=False, max_iter=200, random_state=seed
    )


def _rbf_svm(categorical: list[bool], seed: int) -> Any:
    from sklearn.pipeline import make_pipeline

    return make_pipeline(_nystroem(seed), _linear_svm(categorical, seed))


def _rbf_svr(categorical: list[bool], seed: int) -> Any:
    from sklearn.pipeline import make_pipeline

    return make_pipeline(_nystroem(seed), _linear_svr(categorical, seed))


def _nystroem(seed: int) -> Any:
    from sklearn.kernel_approximation import Nystroem

    return Nystroem(gamma=0.02, n_components=COMPONENTS, random_state=seed)


def _boosting(categorical: list[bool], seed: int) -> Any:
    from sklearn.ensemble import HistGradientBoostingClassifier

    return HistGradientBoostingClassifier(
        learning_rate=0.1, max_iter=100, early_stopping=False, categorical_features=categorical, random_state=seed
    )


def _boosting_regressor(categorical: list[bool], seed: int) -> Any:
    from sklearn.ensemble import HistGradientBoostingRegressor

    return HistGradientBoostingRegressor(
        learning_rate=0.1, max_iter=100, early_stopping=False, categorical_features=categorical, random_state=seed
    )


def _dummy(categorical: list[bool], seed: int) -> Any:
    from sklearn.dummy import DummyClassifier

    return DummyClassifier(strategy="prior")


def _dummy_regressor(categorical: list[bool], seed: int) -> Any:
    from sklearn.dummy import DummyRegressor

    return DummyRegressor()


HEADLINE = "gradient boosting"
LEARNERS: Mapping[Task, tuple[Learner, ...]] = {
    "classification": (
        Learner(name=HEADLINE, make=_boosting, inputs="trees", is_probabilistic=True),
        Learner(name="logistic regression", make=_logistic, most=30_000, is_probabilistic=True),
        Learner(name="linear SVM", make=_linear_svm, most=20_000),
        Learner(name="RBF SVM", make=_rbf_svm, most=20_000),
        Learner(name="dummy", make=_dummy, is_probabilistic=True),
    ),
    "regression": (
        Learner(name=HEADLINE, make=_boosting_regressor, inputs="trees"),
        Learner(name="ridge regression", make=_ridge),
        Learner(name="linear SVM", make=_linear_svr, most=20_000),
        Learner(name="RBF SVM", make=_rbf_svr, most=20_000),
        Learner(name="dummy", make=_dummy_regressor),
    ),
}
