"""SUPPORT2 in fourteen of its columns, of every kind, with the rules and targets that speak of these alone.

For tests whose law asks nothing of the width of a table: fitting, drawing, measuring and checking cost by the column.
"""

from __future__ import annotations

from functools import cache

import pandas as pd

from synthkit.data import support2, support2_schema
from synthkit.schema import Schema

COLUMNS = (
    *("id", "age", "death", "sex", "hospdead", "slos", "d.time", "dzgroup", "dzclass", "race"),
    *("ca", "meanbp", "hrt", "crea"),
)


@cache
def narrow_schema() -> Schema:
    whole = support2_schema()
    targets = [target for target in whole.targets if {target.column, target.event} <= {*COLUMNS, None}]
    return Schema(
        **whole.model_dump(include={"name", "description", "source", "licence", "declared_by"}),
        columns={name: whole.columns[name] for name in COLUMNS},
        quasi_identifiers=[name for name in whole.quasi_identifiers if name in COLUMNS],
        secrets=[name for name in whole.secrets if name in COLUMNS],
        protected=whole.protected,
        targets=[
            target.model_copy(update={"exclude": tuple(name for name in target.exclude if name in COLUMNS)})
            for target in targets
        ],
        rules=[rule for rule in whole.rules if set(rule.columns) <= set(COLUMNS)],
    )


def narrow_table(rows: int) -> pd.DataFrame:
    """The first patients."""
    return support2().head(rows)[list(COLUMNS)]
