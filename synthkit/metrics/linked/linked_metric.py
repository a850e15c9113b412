"""What a metric of linked tables is: tables in, scores with intervals out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING, Protocol

from synthkit.metrics.metric import MetricOptions, NamedMetric

if TYPE_CHECKING:
    import numpy as np

    from synthkit.metrics.linked.linked_evaluation_data import LinkedEvaluationData
    from synthkit.metrics.result import Found
    from synthkit.schema.linked import LinkedSchema


class LinkedMetric(Protocol):
    """A function from linked tables to scores and the aggregates a page plots."""

    def __call__(self, comparison: LinkedEvaluationData, rng: np.random.Generator, /) -> Found:
        """Scores, and parts of the metric that could not be measured; and panels by name."""
        ...


@dataclass(frozen=True, kw_only=True)
class LinkedMetricSpec(NamedMetric["LinkedSchema", LinkedMetric]):
    """A metric of linked tables and all that is known of it, as `MetricSpec` is for one table.

    Args:
        library: a module without which it is not measured.
        of_all_draws: whether all draws are looked at together, as whoever has them does, or each by itself.
    """

    library: str | None = None
    of_all_draws: bool = False

    def metrics(self, schema: LinkedSchema, options: MetricOptions) -> Mapping[str, LinkedMetric]:
        """The metrics to be measured for a schema, by name."""
        if self.library is not None and find_spec(self.library) is None:
            return {}
        return super().metrics(schema, options)
