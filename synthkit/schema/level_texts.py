"""Levels that rules and targets name, written as the texts they are in a column of texts."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from numbers import Rational, Real
from typing import Any

from synthkit.schema.columns import level_key
from synthkit.schema.rules import Condition, FixedCombination, Implication, Rule
from synthkit.schema.target import Target


def with_texts(
    rules: Iterable[Rule], targets: Iterable[Target], columns: Collection[str], text: Callable[[object], str]
) -> tuple[tuple[Rule, ...], tuple[Target, ...]]:
    """Rules and targets with what they name of some columns written as texts."""

    def condition(name: str, said: Condition) -> Condition:
        if name not in columns or said.in_ is None:
            return said
        return said.model_copy(update={"in_": tuple(dict.fromkeys(map(text, said.in_)))})

    def rewritten(rule: object) -> Any:
        if isinstance(rule, Implication):
            sides = {side: {n: condition(n, c) for n, c in getattr(rule, side).items()} for side in ("if_", "then")}
            return rule.model_copy(update=sides)
        if isinstance(rule, FixedCombination) and rule.combinations is not None:
            rows = (
                tuple(text(v) if c in columns and v is not None else v for c, v in zip(rule.of, row, strict=True))
                for row in rule.combinations
            )
            return rule.model_copy(update={"combinations": tuple(rows)})
        return rule

    said = tuple(
        t.model_copy(update={"positive": text(t.positive)}) if t.column in columns and t.positive is not None else t
        for t in targets
    )
    return tuple(map(rewritten, rules)), said


def as_text(value: object) -> str:
    """A cell of a column of texts of which no level is declared: a whole number has no point, whatever holds it.

    Example:
        >>> as_text(3.0), as_text(3.5), as_text("x")
        ('3', '3.5', 'x')
    """
    return str(declared_or_text(value, {}))


def declared_or_text(value: object, declared: dict[object, object]) -> object:
    """The declared level this cell means, else its text; a whole float is written without `.0`."""
    for key in (str(value), level_key(value)):
        if key in declared:
            return declared[key]
    if isinstance(value, Real) and not isinstance(value, Rational) and float(value).is_integer():
        text = str(int(float(value)))
        return declared.get(text, text)
    return str(value)
