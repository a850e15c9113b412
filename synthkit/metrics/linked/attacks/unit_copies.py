"""Copied units: people trained on of whom a synthetic unit is a copy by its aggregates, compared with held-out ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

from synthkit.metrics.copying.copied_people import count_copied_people
from synthkit.metrics.linked.attacks.unit_comparison import by_aggregates
from synthkit.metrics.linked.linked_metric import LinkedMetricSpec

if TYPE_CHECKING:
    import numpy as np

    from synthkit.metrics.linked.linked_evaluation_data import LinkedEvaluationData
    from synthkit.metrics.result import Scored


def copied_units(comparison: LinkedEvaluationData, rng: np.random.Generator) -> Scored:
    """People trained on of whom a synthetic unit is a copy, beyond what people held out show; by their aggregates.

    A unit whose aggregates in all tables are equal has, in all but contrived cases, equal rows; sets of aggregates are
    those of `copied_people`: all, levels, quantities, halves.

    Args:
        comparison: the tables.
        rng: not drawn from: everybody is looked at.

    Raises:
        MetricError: nobody can be attacked.
    """
    return count_copied_people(by_aggregates(comparison), rng)


COPIED_UNITS_SPEC = LinkedMetricSpec(name="copying.excess", measure=copied_units, of_all_draws=True, labels={})
