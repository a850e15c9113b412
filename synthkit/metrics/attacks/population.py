"""A population: how many people share each combination of quasi-identifiers."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from synthkit.errors import SchemaError, TableError
from synthkit.metrics.stats.binning import numbers
from synthkit.schema import Schema
from synthkit.schema.conform import conform

PEOPLE_COLUMN = "people"  # the column of counts


@dataclass(frozen=True)
class Population:
    """How many people of the population share each combination of the quasi-identifiers.

    Args:
        frame: the quasi-identifiers in the schema's dtypes, and `people`.
    """

    frame: pd.DataFrame

    @classmethod
    def of(cls, table: pd.DataFrame, schema: Schema) -> Population:
        """Counts from a table with a column for each learned quasi-identifier and one called `people`.

        Raises:
            SchemaError: the schema declares no quasi-identifiers, or a cell cannot be typed.
            TableError: a column is missing, or a count is no number or below 0.

        Example:
            >>> import pandas as pd
            >>> from synthkit.schema import Schema
            >>> columns = {"sex": {"kind": "categorical", "levels": ["f", "m"]}}
            >>> schema = Schema(columns=columns, quasi_identifiers=["sex"])
            >>> Population.of(pd.DataFrame({"sex": ["f", "m"], "people": [51, 49]}), schema).size
            100.0
        """
        keys = [name for name in schema.described if name in schema.quasi_identifiers]
        if not keys:
            msg = "counts of a population must be by the quasi-identifiers; however: the schema declares none. "
            raise SchemaError(msg + "Add a line `quasi_identifiers: [...]`")
        absent = [name for name in (*keys, PEOPLE_COLUMN) if name not in table]
        if absent:
            msg = f"counts of a population must have the columns {', '.join(keys)} and `{PEOPLE_COLUMN}`; however: "
            raise TableError(msg + f"{', '.join(absent)} not found")
        people = numbers(pd.to_numeric(table[PEOPLE_COLUMN], errors="coerce"))
        wrong = int((~(people >= 0)).sum())
        if wrong:
            msg = f"`{PEOPLE_COLUMN}` must be numbers of people, 0 or more; however: {wrong:,} of {len(people):,} "
            msg += "rows are not"
            raise TableError(msg)
        typed = conform(table[keys], schema, partial=True)
        return cls(typed.assign(**{PEOPLE_COLUMN: people}))

    @property
    def size(self) -> float:
        """People of the population."""
        return float(self.frame[PEOPLE_COLUMN].sum())
