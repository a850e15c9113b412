"""Levels and numbers that the rules and targets of a schema name: public by that, whoever else has them."""

from __future__ import annotations

from collections.abc import Iterator

from synthkit.schema.columns import Level, Numeric
from synthkit.schema.rules import Condition, FixedCombination, Implication
from synthkit.schema.table import Schema


def levels_named(schema: Schema, column: str) -> tuple[Level, ...]:
    """Levels of a column that a rule or a target names, each once, in order of mention.

    Example:
        >>> ward = {"kind": "categorical", "levels": ["a", "b", "c"]}
        >>> rule = {"rule": "implication", "if": {"ward": {"in": ["b"]}}, "then": {"stay": {"max": 7}}}
        >>> schema = Schema(columns={"ward": ward, "stay": {"kind": "numeric"}}, rules=[rule])
        >>> levels_named(schema, "ward"), numbers_named(schema, "stay")
        (('b',), (7.0,))
    """
    found: list[Level] = [level for condition in _conditions(schema, column) for level in condition.in_ or ()]
    for rule in schema.rules:
        if isinstance(rule, FixedCombination) and column in rule.of:
            cells = (row[rule.of.index(column)] for row in rule.combinations or ())
            found += [cell for cell in cells if cell is not None]
    found += [t.positive for t in schema.targets if t.column == column and t.positive is not None]
    return tuple(dict.fromkeys(found))


def numbers_named(schema: Schema, column: str) -> tuple[float, ...]:
    """Numbers of a numeric column that a rule names, or that are its atoms."""
    kind = schema.columns[column]
    found = [float(v) for v in levels_named(schema, column) if not isinstance(v, str)]
    for condition in _conditions(schema, column):
        found += [bound for bound in (condition.min, condition.max) if bound is not None]
    return (*found, *(kind.atoms if isinstance(kind, Numeric) else ()))


def _conditions(schema: Schema, column: str) -> Iterator[Condition]:
    for rule in schema.rules:
        if isinstance(rule, Implication):
            yield from (side[column] for side in (rule.if_, rule.then) if column in side)
