"""Which column of a comparison is learned as its difference from the other: the one that spreads further."""

from __future__ import annotations

import math

from synthkit.schema.columns import Column, Datetime, Numeric
from synthkit.schema.rules import Comparison, Rule
from synthkit.schema.table import Schema

SPREAD_RATIO = 2.0  # widths of declared bounds, at least, that one column spreads further than the other


def with_differences(schema: Schema) -> Schema:
    """The schema with `difference: left` at comparisons whose left column spreads further by its declared bounds.

    A sum of a column that spreads far and a difference leaves the bounds of one that does not: of dates of birth and of
    admissions in two years, the birth is learned as its difference from the admission. Comparisons that name the column
    are left as they are, and so are those of columns without both bounds.

    Example:
        >>> born, seen = ({"kind": "numeric", "min": low, "max": 2024} for low in (1920, 2020))
        >>> rule = {"rule": "comparison", "left": "born", "op": "<=", "right": "seen"}
        >>> with_differences(Schema(columns={"born": born, "seen": seen}, rules=[rule])).rules[0].difference
        'left'
    """
    rules = tuple(_settled(rule, schema) for rule in schema.rules)
    return schema if rules == schema.rules else schema.model_copy(update={"rules": rules})


def _settled(rule: Rule, schema: Schema) -> Rule:
    if not isinstance(rule, Comparison) or rule.difference is not None:
        return rule
    left, right = (_width(schema.columns[name]) for name in rule.columns)
    further = math.isfinite(left) and math.isfinite(right) and left >= SPREAD_RATIO * right
    return rule.model_copy(update={"difference": "left"}) if further else rule


def _width(column: Column) -> float:
    """From the lower to the upper bound, in numbers or microseconds; infinite without both."""
    if isinstance(column, Numeric):
        return math.inf if column.min is None or column.max is None else column.max - column.min
    if isinstance(column, Datetime) and column.low is not None and column.high is not None:
        return float((column.high - column.low).astype("timedelta64[us]").astype(int))
    return math.inf
