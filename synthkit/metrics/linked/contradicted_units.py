"""Units with a declared contradiction, synthetic beside held-out ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

from synthkit.metrics.linked.linked_metric import LinkedMetric, LinkedMetricSpec
from synthkit.metrics.metric import MetricLabel, MetricOptions
from synthkit.metrics.result import Score
from synthkit.metrics.stats import intervals
from synthkit.tables.contradictions import Contradictions, count_contradictions

if TYPE_CHECKING:
    import numpy as np

    from synthkit.metrics.linked.linked_evaluation_data import LinkedEvaluationData
    from synthkit.metrics.result import Scored
    from synthkit.schema.linked import LinkedSchema


def contradicted_units(comparison: LinkedEvaluationData, rng: np.random.Generator) -> Scored:
    """Share of synthetic units with at least one declared contradiction, and how much it exceeds the held-out share.

    Real records contradict themselves too: what counts is the excess. Wilson's interval of the share, Newcombe's of
    the difference.
    """
    drawn, real = (count_contradictions(t) for t in (comparison.synthetic, comparison.holdout))
    at = intervals.wilson(drawn.contradicted, drawn.units)
    more = intervals.newcombe(drawn.contradicted, drawn.units, real.contradicted, real.units)
    share = Score(
        metric="fidelity.contradictions",
        value=at.value,
        low=at.low,
        high=at.high,
        goal="low",
        reference=real.share,
        parts={each.name: each.share for each in drawn.each},
        note="Share of units with at least one declared contradiction; parts: by contradiction. The reference is the "
        "holdout's share. Wilson interval of units.",
    )
    excess = Score(
        metric="fidelity.contradictions_excess",
        value=more.value,
        low=more.low,
        high=more.high,
        goal="low",
        reference=0.0,
        note="Share of synthetic units with a declared contradiction, less that of held-out ones. Newcombe interval of "
        "two shares of units.",
    )
    return [share, excess], {"contradictions": _panel(drawn, real)}


def _panel(drawn: Contradictions, real: Contradictions) -> list[dict[str, object]]:
    return [
        {
            "name": mine.name,
            "synthetic": {"rows": mine.rows, "asked": mine.asked, "units": mine.units, "of": drawn.units},
            "real": {"rows": theirs.rows, "asked": theirs.asked, "units": theirs.units, "of": real.units},
        }
        for mine, theirs in zip(drawn.each, real.each, strict=True)
    ]


def _declared(schema: LinkedSchema, options: MetricOptions) -> dict[str, LinkedMetric]:
    return {"fidelity.contradictions": contradicted_units} if schema.contradictions else {}


CONTRADICTIONS_SPEC = LinkedMetricSpec(
    name="fidelity.contradictions",
    for_schema=_declared,
    labels={
        "fidelity.contradictions": MetricLabel(
            "People who contradict themselves", "Share of units with at least one declared contradiction.", "share"
        ),
        "fidelity.contradictions_excess": MetricLabel(
            "Contradictions beyond those of real people",
            "Share of units with a declared contradiction, less that of held-out units.",
            "share",
        ),
    },
)
