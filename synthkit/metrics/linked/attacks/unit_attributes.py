"""Attribute inference across tables: a secret in one table guessed from what is known of a person in the others."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from synthkit.metrics.attacks.attribute_inference import attribute
from synthkit.metrics.linked import row_groups
from synthkit.metrics.linked.attacks.unit_comparison import aggregates_of, one_row_a_unit
from synthkit.metrics.linked.linked_metric import LinkedMetric, LinkedMetricSpec
from synthkit.metrics.stats.binning import label
from synthkit.schema import Code, Numeric
from synthkit.schema.columns import Discrete

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from synthkit.metrics.linked.linked_evaluation_data import LinkedEvaluationData
    from synthkit.metrics.linked.linked_side import LinkedSide
    from synthkit.metrics.metric import MetricOptions
    from synthkit.metrics.result import Scored
    from synthkit.schema.linked import LinkedSchema

OTHER_TABLES: Final = "other_tables"


def unit_attributes(schema: LinkedSchema, options: MetricOptions) -> dict[str, LinkedMetric]:
    """A metric for each declared secret that is learned, where there are other tables to know something from."""
    secrets = [
        (table, column)
        for table in schema.graph.records
        for column in schema.tables[table].secrets
        if column in schema.tables[table].payload and len(schema.graph.records) > 1
    ]
    named = {f"attribute.{table}.{column}.{OTHER_TABLES}": (table, column) for table, column in secrets}
    return {
        name: partial(unit_attribute, table=table, column=column, prefix=name)
        for name, (table, column) in named.items()
    }


def unit_attribute(
    comparison: LinkedEvaluationData, rng: np.random.Generator, *, table: str, column: str, prefix: str
) -> Scored:
    """Guess a secret of members and of non-members from what they have in other tables: the gain is disclosure.

    Where a person has several rows the secret is the level most of them have, or the mean of a quantity. Known are the
    aggregates of all other tables, the number of rows of this one not among them. See `attribute_inference.attribute`.

    Args:
        comparison: the tables.
        rng: source of the models' seeds.
        table: that holds the secret.
        column: the secret.
        prefix: beginning of the scores' names.

    Raises:
        MetricError: nothing is known, the secret has no two values, or too few people have one.
    """
    secret, views = f"{table}.{column}", comparison.views
    meant = views.aggregates.schema
    known = known_elsewhere(meant.described, table)
    is_level = isinstance(comparison.schema.tables[table].columns[column], Discrete)
    columns = {name: meant.columns[name] for name in known}
    columns[secret] = Code(nullable=True) if is_level else Numeric(nullable=True)
    schema = meant.model_copy(update={"columns": columns, "secrets": (secret,)})

    def seen(side: LinkedSide) -> pd.DataFrame:
        frame = aggregates_of(side)[known]
        return frame.assign(**{secret: secret_of_units(side, table, column)})

    found = one_row_a_unit(comparison, seen, schema)
    return attribute(found, rng, secret=secret, knowledge=OTHER_TABLES, prefix=prefix)


def known_elsewhere(names: Sequence[str], table: str) -> list[str]:
    """Aggregates of other tables than this one.

    Example:
        >>> known_elsewhere(["people.sex", "labs: rows", "labs.value: mean", "labs, x: share"], "labs")
        ['people.sex']
    """
    return [name for name in names if not name.startswith((f"{table}.", f"{table}:", f"{table},"))]


def secret_of_units(side: LinkedSide, table: str, column: str) -> pd.Series:
    """The secret of each unit: the level most of its rows have, of equals the commoner one, or the mean of a quantity.

    **Shape**: m units -> (m,), missing where no row has a value.
    """
    units = side.units(table)
    if not isinstance(side.schema.tables[table].columns[column], Discrete):
        return pd.Series(row_groups.group_mean(side.number(table, column), units, side.size))
    ranks = _most_frequent(side.levels(table, column), units, side.size)
    names = {rank: str(label(level)) for level, rank in side.types.levels[table][column].items()}
    novel = len(names)
    texts = [None if rank < 0 else names.get(int(rank), f"level {novel + 1}") for rank in ranks]
    return pd.Series(texts, dtype=object)


def _most_frequent(codes: NDArray[np.intp], units: NDArray[np.intp], size: int) -> NDArray[np.intp]:
    """The code most rows of each group have, of equals the smaller; -1 where none has one. **Shape**: -> (size,)."""
    seen = codes >= 0
    pairs, counts = np.unique(np.stack([units[seen], codes[seen]]), axis=1, return_counts=True)
    order = np.lexsort((pairs[1], -counts, pairs[0]))
    first = np.unique(pairs[0][order], return_index=True)[1]
    out = np.full(size, -1)
    out[pairs[0][order][first]] = pairs[1][order][first]
    return out


UNIT_ATTRIBUTE_SPEC = LinkedMetricSpec(name="attribute", for_schema=unit_attributes, of_all_draws=True, labels={})
