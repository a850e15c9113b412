"""The part of scikit-learn's interface that an evaluation uses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class Estimator(Protocol):
    """What can be fitted to inputs and a target, and predicts the target of other inputs."""

    def fit(self, x: NDArray[np.float64], y: NDArray[np.generic], /) -> object:
        """Learn from n rows. **Shape**: (n, d), (n,)."""
        ...

    def predict(self, x: NDArray[np.float64], /) -> NDArray[np.generic]:
        """Predict m rows. **Shape**: (m, d) -> (m,)."""
        ...


class ProbabilisticClassifier(Estimator, Protocol):
    """A classifier that gives every class a probability."""

    classes_: NDArray[np.int64]

    def predict_proba(self, x: NDArray[np.float64], /) -> NDArray[np.float64]:
        """Probability of each class. **Shape**: (m, d) -> (m, classes)."""
        ...


class DecisionClassifier(Estimator, Protocol):
    """A classifier that gives every class a score of its own scale."""

    classes_: NDArray[np.int64]

    def decision_function(self, x: NDArray[np.float64], /) -> NDArray[np.float64]:
        """Score of each class; of two classes that of the second. **Shape**: (m, d) -> (m, classes) or (m,)."""
        ...
