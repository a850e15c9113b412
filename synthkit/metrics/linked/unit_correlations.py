"""Correlations across tables: of a unit's counts, means and times, and its own columns."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from synthkit.metrics.evaluation_data import EvaluationData
from synthkit.metrics.fidelity.associations import associations
from synthkit.metrics.linked.linked_metric import LinkedMetricSpec
from synthkit.metrics.linked.unit_aggregates import UnitAggregates
from synthkit.metrics.metric import MetricLabel

if TYPE_CHECKING:
    import numpy as np

    from synthkit.metrics.linked.linked_evaluation_data import LinkedEvaluationData
    from synthkit.metrics.linked.linked_side import LinkedSide
    from synthkit.metrics.result import Scored


def unit_correlations(comparison: LinkedEvaluationData, rng: np.random.Generator) -> Scored:
    """Mean absolute difference of rank correlations of unit aggregates, over all pairs of them.

    Counts, distinct levels, means, first and last times by table, and the unit's columns; quantities as ranks among the
    units of their side, so that Pearson's r is Spearman's; levels by correlation ratio and Cramér's V.
    """
    sides = [ranked(side) for side in (comparison.like, comparison.real, comparison.drawn)]
    train, real, drawn = (each.frame for each in sides)
    if len(train.columns) < 2:
        return [], {}
    data = EvaluationData(train=train, holdout=real, synthetic=(drawn,), schema=sides[0].schema)
    scores, _ = associations(data, rng)
    note = (
        "Mean absolute difference of rank correlations of unit aggregates in all tables (levels: correlation ratio, "
        "Cramér's V). Interval: jackknife over 20 groups of units of both sides; the reference is as many training "
        "units against the holdout."
    )
    return [replace(each, metric="fidelity.unit_correlations", note=note) for each in scores], {}


def ranked(side: LinkedSide) -> UnitAggregates:
    """Brief aggregates, quantities as ranks among the units from 0 to 1, levels as texts."""
    found = UnitAggregates.of(side, brief=True)
    ranks = {str(name): found.frame[name].rank(pct=True) for name in found.frame if name not in found.levels}
    return UnitAggregates(found.with_texts().assign(**ranks), found.levels)


UNIT_CORRELATIONS_SPEC = LinkedMetricSpec(
    name="fidelity.unit_correlations",
    measure=unit_correlations,
    labels={
        "fidelity.unit_correlations": MetricLabel(
            "Correlations across tables", "Mean difference of rank correlations of what units have in all tables."
        ),
    },
)
