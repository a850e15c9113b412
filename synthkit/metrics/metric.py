"""What a metric is: tables in, scores with intervals out, and what the report says of each score."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Generic, Literal, Protocol, TypeVar

if TYPE_CHECKING:
    import numpy as np

    from synthkit.metrics.estimator import Estimator
    from synthkit.metrics.evaluation_data import EvaluationData
    from synthkit.metrics.result import Found
    from synthkit.schema import Schema  # noqa: F401 - a base below names it

Form = Literal["share", "score", "count"]
SectionName = Literal["fidelity", "utility", "copying", "privacy risk"]
Need = Literal["protected columns", "lightgbm"]
SECTION_OF: Mapping[str, SectionName] = {
    "fidelity": "fidelity",
    "utility": "utility",
    "copying": "copying",
    "membership": "privacy risk",
    "attribute": "privacy risk",
    "identity": "privacy risk",
}


class Metric(Protocol):
    """A function from a comparison to scores and the aggregates a page plots."""

    def __call__(self, comparison: EvaluationData, rng: np.random.Generator, /) -> Found:
        """Scores, and parts of the metric that could not be measured; and panels by name."""
        ...


@dataclass(frozen=True)
class MetricLabel:
    """What a score is called on the page.

    Args:
        label: a few words.
        meaning: one sentence for a reader who sees the score for the first time.
        form: how its value is written.
    """

    label: str
    meaning: str
    form: Form = "score"


@dataclass(frozen=True, kw_only=True)
class MetricOptions:
    """What an evaluation was asked for.

    Args:
        quick: whether only what is measured fast is wanted.
        baselines: the user's own estimators by name, scored beside the fixed learners.
    """

    quick: bool = False
    baselines: Mapping[str, Estimator] = field(default_factory=dict)


SchemaT = TypeVar("SchemaT")
MetricT = TypeVar("MetricT")


@dataclass(frozen=True, kw_only=True)
class NamedMetric(Generic[SchemaT, MetricT]):
    """A metric of one table or of linked ones: how it is measured, what its scores mean, when it is measured.

    Args:
        name: dotted; its first part is where its scores stand in the report: `fidelity`, `utility`, `copying`,
            `membership`, `attribute` or `identity`.
        labels: of every score it yields, by the score's name, or by the last one or two parts of the name where a
            target or a secret is part of it.
        measure: the metric; None if there is one for every target or secret.
        for_schema: metrics by name that a schema asks for, where there are several or none.
        in_quick: whether a quick evaluation measures it.

    Raises:
        ValueError: its name begins with no section, or not exactly one of `measure` and `for_schema` is given.
    """

    name: str
    labels: Mapping[str, MetricLabel]
    measure: MetricT | None = None
    for_schema: Callable[[SchemaT, MetricOptions], Mapping[str, MetricT]] | None = None
    in_quick: bool = True

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

    def metrics(self, schema: SchemaT, options: MetricOptions) -> Mapping[str, MetricT]:
        """The metrics to be measured for a schema, by name; nothing is looked up here but the schema."""
        if options.quick and not self.in_quick:
            return {}
        if self.for_schema is not None:
            return self.for_schema(schema, options)
        return {} if self.measure is None else {self.name: self.measure}


@dataclass(frozen=True, kw_only=True)
class MetricSpec(NamedMetric["Schema", Metric]):
    """A metric of one table and all that is known of it.

    Args:
        needs: without which it is not measured.

    Example:
        >>> spec = MetricSpec(name="fidelity.none", labels={}, measure=lambda comparison, rng: ([], {}))
        >>> spec.section, spec.in_quick
        ('fidelity', True)
    """

    needs: frozenset[Need] = frozenset()
