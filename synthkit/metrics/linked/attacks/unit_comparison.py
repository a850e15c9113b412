"""A comparison of linked tables as one of a single table: a row a unit, its aggregates in all tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

from synthkit.metrics.evaluation_data import EvaluationData
from synthkit.metrics.linked.linked_side import LinkedSide
from synthkit.metrics.linked.unit_aggregates import UnitAggregates

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import pandas as pd

    from synthkit.metrics.linked.linked_evaluation_data import LinkedEvaluationData
    from synthkit.schema import Schema
    from synthkit.schema.linked import LinkedSchema


def one_row_a_unit(
    comparison: LinkedEvaluationData, seen: Callable[[LinkedSide], pd.DataFrame], schema: Schema
) -> EvaluationData:
    """The same comparison with one row for each unit, of the people attacked too.

    Args:
        comparison: linked tables.
        seen: the rows of a side.
        schema: what their columns mean.
    """
    views = comparison.views
    every = [comparison.train, comparison.holdout, comparison.synthetic, *comparison.further]
    train, holdout, *draws = (seen(LinkedSide(tables, views.types)) for tables in every)
    targets, reference = (seen(views.sides[name]) for name in ("targets", "reference"))
    pool = views.pool.of_frames(targets, reference)
    return EvaluationData(train=train, holdout=holdout, synthetic=tuple(draws), schema=schema, pool=pool)


def aggregates_of(side: LinkedSide) -> pd.DataFrame:
    """The aggregates of each unit, levels as texts. **Shape**: m units -> m rows."""
    return UnitAggregates.of(side).with_texts()


def by_aggregates(comparison: LinkedEvaluationData) -> EvaluationData:
    """The comparison by aggregates; quasi-identifiers are those of the columns that are declared as such."""
    schema = comparison.views.aggregates.schema
    keys = _declared(comparison.schema, schema.described)
    return one_row_a_unit(comparison, aggregates_of, schema.model_copy(update={"quasi_identifiers": keys}))


def _declared(linked: LinkedSchema, names: Sequence[str]) -> tuple[str, ...]:
    """Aggregates of columns that an outsider may know, by the declaration of their table."""
    starts = [f"{t}.{column}" for t in linked.graph.records for column in linked.tables[t].quasi_identifiers]
    return tuple(name for name in names if any(name == s or name.startswith((f"{s}:", f"{s},")) for s in starts))
