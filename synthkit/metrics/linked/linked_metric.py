"""What a metric of linked tables is: tables in, scores with intervals out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING, Protocol

from synthkit.metrics.metric import SECTION_OF, MetricLabel, MetricOptions, SectionName

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
class LinkedMetricSpec:
    """A metric of linked tables and all that is known of it, as `MetricSpec` is for one table.

    Args:
        name: dotted; its first part is where its scores stand in the report.
        labels: of every score it yields, by the score's name or the last one or two parts of it.
        measure: the metric; None if there is one for every target.
        for_schema: metrics by name that a schema asks for, where there are several or none.
        in_quick: whether a quick evaluation measures it.
        library: a module without which it is not measured.

    Raises:
        ValueError: its name begins with no section, or not exactly one of `measure` and `for_schema` is given.
    """

    name: str
    labels: Mapping[str, MetricLabel]
    measure: LinkedMetric | None = None
    for_schema: Callable[[LinkedSchema, MetricOptions], Mapping[str, LinkedMetric]] | None = None
    in_quick: bool = True
    library: str | None = None

    def __post_init__(self) -> None:
        if self.name.split(".")[0] not in SECTION_OF:
            msg = f"a metric's name must begin with one of {', '.join(SECTION_OF)}; however: `{self.name}`. Rename it"
            raise ValueError(msg)
        if (self.measure is None) == (self.for_schema is None):
            msg = f"a metric must have either `measure` or `for_schema`; however: `{self.name}` has both or neither"
            raise ValueError(f"{msg}. Give one")

    @property
    def section(self) -> SectionName:
        """Section of the report in which its scores stand."""
        return SECTION_OF[self.name.split(".")[0]]

    def metrics(self, schema: LinkedSchema, options: MetricOptions) -> Mapping[str, LinkedMetric]:
        """The metrics to be measured for a schema, by name."""
        if (options.quick and not self.in_quick) or (self.library is not None and find_spec(self.library) is None):
            return {}
        if self.for_schema is not None:
            return self.for_schema(schema, options)
        return {} if self.measure is None else {self.name: self.measure}
