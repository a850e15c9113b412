"""Identity of units: who is isolated by aggregates and found again, and whose halves in two tables can be linked."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from synthkit.metrics.attacks.identity_disclosure import identity, linkability
from synthkit.metrics.linked.attacks.unit_comparison import by_aggregates
from synthkit.metrics.linked.linked_metric import LinkedMetricSpec

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np

    from synthkit.metrics.linked.linked_evaluation_data import LinkedEvaluationData
    from synthkit.metrics.result import Found, Scored
    from synthkit.schema.linked import LinkedSchema


def unit_identity(comparison: LinkedEvaluationData, rng: np.random.Generator) -> Found:
    """Units that are alone by what they have in all tables, and found again; members beside non-members.

    The same as `identity_disclosure.identity` where a row is a unit and its columns are aggregates: exact copies,
    statements about at most four aggregates that are true of one person and of one synthetic unit, and, where columns
    are declared as quasi-identifiers, uniqueness by their aggregates.

    Args:
        comparison: the tables.
        rng: source of the statements that are tried.

    Raises:
        MetricError: nobody can be attacked.
    """
    return identity(by_aggregates(comparison), rng)


def linked_halves(comparison: LinkedEvaluationData, rng: np.random.Generator) -> Scored:
    """Whose two halves, in different tables, lead to one synthetic unit: members beside non-members.

    One half is the unit's own row, or the first half of the tables where that has no columns; the other is all that
    belongs to it in the other tables, as aggregates. See `identity_disclosure.linkability`.

    Args:
        comparison: the tables.
        rng: source of the synthetic units looked at, where there are very many.

    Raises:
        MetricError: nobody can be attacked.
    """
    found = by_aggregates(comparison)
    names = found.schema.described
    keys = first_half(comparison.schema, names)
    return linkability(replace(found, schema=found.schema.model_copy(update={"quasi_identifiers": keys})), rng)


def first_half(linked: LinkedSchema, names: Sequence[str]) -> tuple[str, ...]:
    """Aggregates of the first half: those of the unit's own row, else of the first half of the tables below it."""
    own = tuple(name for name in names if name.startswith(f"{linked.unit}."))
    if own and len(own) < len(names):
        return own
    tables = list(linked.graph.owners)
    first = tables[: max(1, len(tables) // 2)]
    return tuple(name for name in names if name.startswith(tuple(f"{t}{end}" for t in first for end in ".:,")))


UNIT_IDENTITY_SPEC = LinkedMetricSpec(name="identity", measure=unit_identity, of_all_draws=True, labels={})
HALVES_SPEC = LinkedMetricSpec(name="identity.linkability", measure=linked_halves, of_all_draws=True, labels={})
