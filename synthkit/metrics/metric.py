"""What a metric is: tables in, scores with intervals out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import numpy as np

from synthkit.metrics.evaluation_data import EvaluationData
from synthkit.metrics.result import Failure, Score


class Metric(Protocol):
    """A function from a comparison to scores and the aggregates a page plots."""

    def __call__(
        self, comparison: EvaluationData, rng: np.random.Generator
    ) -> tuple[Sequence[Score | Failure], dict[str, Any]]:
        """Scores, and parts of the metric that could not be measured; and panels by name."""
        ...


Metrics = Mapping[str, Callable[[EvaluationData, np.random.Generator], tuple[list[Score], dict[str, Any]]]]
