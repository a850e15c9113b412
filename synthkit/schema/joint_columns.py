"""Columns that are coded as one, because a rule lists which of their levels occur together."""

from __future__ import annotations

from collections.abc import Mapping

from synthkit.schema.columns import Boolean, Column, Level, level_key
from synthkit.schema.rules import ExactlyOne, FixedCombination
from synthkit.schema.table import Schema


def joint_combinations(schema: Schema) -> tuple[FixedCombination, ...]:
    """The fixed combinations of a schema, those it writes first, then groups of which exactly one is true.

    A rule on what is computed is left to the check at the exit.

    Example:
        >>> flags = {name: {"kind": "boolean", "levels": [0, 1]} for name in ("own", "rent")}
        >>> rule = {"rule": "exactly_one", "columns": ["own", "rent"]}
        >>> joint_combinations(Schema(columns=flags, rules=[rule]))[0].combinations
        ((1, 0), (0, 1))
    """
    learned = set(schema.learned)
    rules = [rule for rule in schema.rules if learned >= set(rule.columns)]
    fixed = [rule for rule in rules if isinstance(rule, FixedCombination)]
    return (*fixed, *(as_fixed_combination(rule, schema.columns) for rule in rules if isinstance(rule, ExactlyOne)))


def as_fixed_combination(rule: ExactlyOne, columns: Mapping[str, Column]) -> FixedCombination:
    """What a group of which exactly one is true admits: a combination a column, and none at all where all may miss."""
    flags = [_flag(columns[name]) for name in rule.of]
    rows: list[tuple[Level | None, ...]] = [
        tuple(true if k == at else false for k, (false, true) in enumerate(flags)) for at in range(len(flags))
    ]
    if all(columns[name].nullable for name in rule.of):
        rows.append((None,) * len(flags))
    return FixedCombination(of=rule.of, combinations=tuple(rows), observed=rule.observed)


def is_flag(column: Column) -> bool:
    """Whether a column holds 0 and 1, or false and true, in either order."""
    return isinstance(column, Boolean) and {level_key(level) for level in column.levels} == {0.0, 1.0}


def _flag(column: Column) -> tuple[Level, Level]:
    """The level of a flag that is 0, and the one that is 1."""
    assert isinstance(column, Boolean)
    first, second = column.levels
    return (first, second) if level_key(first) == 0.0 else (second, first)
