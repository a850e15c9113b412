"""Today's figures of one table for each of several, intervals by units: shapes, trends, one- and two-way tables."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from synthkit.errors import MetricError
from synthkit.metrics.evaluation_data import EvaluationData
from synthkit.metrics.fidelity import distributions
from synthkit.metrics.linked.linked_metric import LinkedMetric, LinkedMetricSpec
from synthkit.metrics.metric import MetricLabel, MetricOptions
from synthkit.schema import Identifier, Schema

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from synthkit.metrics.linked.linked_evaluation_data import LinkedEvaluationData
    from synthkit.metrics.linked.linked_side import LinkedSide
    from synthkit.metrics.result import Found
    from synthkit.schema.linked import LinkedSchema

UNIT_COLUMN = "unit of the row"


def tables(schema: LinkedSchema, options: MetricOptions) -> dict[str, LinkedMetric]:
    """A metric for each table that has a column to compare."""
    return {
        f"fidelity.{name}": partial(table_distributions, table=name)
        for name in schema.graph.records
        if described(schema, name)
    }


def described(schema: LinkedSchema, table: str) -> tuple[str, ...]:
    """Learned columns of a table, and its moments that are quantities."""
    columns, kept = schema.tables[table].columns, schema.tables[table]
    names = {*kept.payload, *kept.moments}
    return tuple(name for name in columns if name in names and not isinstance(columns[name], Identifier))


def table_distributions(comparison: LinkedEvaluationData, rng: np.random.Generator, *, table: str) -> Found:
    """`fidelity.columns` and `fidelity.pairs` of one table against the holdout, its rows grouped by unit.

    Scores are called `fidelity.TABLE.tv1` and so on; the panel has the distributions by table.

    Raises:
        MetricError: the table has no row on a side.
    """
    alone = as_one_table(comparison, table)
    without = [name for name, tables in comparison.by_name.items() if not len(tables.frames[table])]
    if without:
        msg = f"`{table}` must have rows on every side; however: it has none on the side of {', '.join(without)}"
        raise MetricError(msg)
    columns, panels = distributions.columns(alone, rng)
    found = [*columns, *distributions.pairs(alone, rng)[0]]
    scores = [
        replace(each, metric=each.metric.replace("fidelity.", f"fidelity.{table}.", 1))
        for each in found
        if not each.metric.endswith("_train")
    ]
    return scores, {"table_distributions": {table: panels["distributions"]}}


def as_one_table(comparison: LinkedEvaluationData, table: str) -> EvaluationData:
    """Rows of one table as an evaluation of a single table takes them, with the unit as a column."""
    schema, names = comparison.schema, described(comparison.schema, table)
    unit = UNIT_COLUMN
    while unit in schema.tables[table].columns:
        unit += "_"
    columns = {name: schema.tables[table].columns[name] for name in names}
    meaning = Schema(name=table, unit=unit, columns={unit: Identifier(), **columns})

    def frame(side: LinkedSide) -> pd.DataFrame:
        rows = side.tables.frames[table]
        return rows[list(names)].assign(**{unit: side.units(table).astype(str)})

    known, real, drawn = (frame(side) for side in (comparison.known, comparison.real, comparison.drawn))
    return EvaluationData(train=known, holdout=real, synthetic=(drawn,), schema=meaning)


TABLES_SPEC = LinkedMetricSpec(
    name="fidelity.tables",
    for_schema=tables,
    labels={
        "shape": MetricLabel("Column shapes", "How alike single columns of this table are; 1 is identical."),
        "trend": MetricLabel("Pair trends", "How alike relations between two columns of this table are."),
        "tv1": MetricLabel("One-way tables", "1 minus the mean total variation distance of this table's columns."),
        "tv2": MetricLabel("Two-way tables", "1 minus the mean total variation distance of two columns at a time."),
    },
)
