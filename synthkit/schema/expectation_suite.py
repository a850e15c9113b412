"""A schema as an expectation suite: what each column, rule and derived column asks of a table, as data.

What Great Expectations has no expectation for (decimals, implications, fixed combinations), or none that takes linear
time (patterns), enters as helper columns of true and false.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from synthkit.schema.columns import Code, Column, Datetime, Identifier, Numeric
from synthkit.schema.derived import derived_holds, derived_sentence
from synthkit.schema.expectation_batches import Expectation
from synthkit.schema.expressions.grammar import columns_of, parse_expression
from synthkit.schema.lattice import LATTICE_KEYS
from synthkit.schema.rules import Comparison, Rule
from synthkit.schema.violations import NO_MISSING_CELL

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from synthkit.schema.row_checks import RowCheck
    from synthkit.schema.table import Schema

_HELPER_PREFIX = "synthkit: "  # prefix of helper columns
OUT_OF_DOMAIN_REMEDY = (
    "widen the bounds or add the levels in the schema, correct the cells, or map them into the schema with --clamp"
)
_MISSING_REMEDY = "set `nullable: true` for the column, or fill the cells"
DERIVED_REMEDY = (
    "correct the cells, have them computed with --clamp, or take the column out of `derived`, so that it is learned"
)
_BROKEN_ROWS_REMEDY = "correct the rows, or change the rule in the schema"


def expectation_suite(schema: Schema) -> dict[str, Any]:
    """The schema as the JSON of a Great Expectations suite.

    It speaks of the columns of the table and of those `helper_columns` adds, so it runs on a frame that has both, where
    no two names differ only in case (`validate` asks under neutral names).

    Example:
        >>> from synthkit.schema import Schema
        >>> schema = Schema(columns={"age": {"kind": "numeric", "min": 0}})
        >>> [e["meta"]["rule"] for e in expectation_suite(schema)["expectations"]]
        ['exactly the declared columns', 'no missing cell', '>= 0']
    """
    expectations = [e for name, column in schema.columns.items() for e in _of_column(name, column)]
    expectations += [_of_rule(rule) for rule in schema.rules]
    expectations += [_of_derived(name, schema) for name in schema.derived]
    columns = [
        *schema.columns,
        *(e["kwargs"]["column"] for e in expectations if e["kwargs"].get("column", "").startswith(_HELPER_PREFIX)),
    ]
    every = _expectation("expect_table_columns_to_match_set", "exactly the declared columns", column_set=columns)
    return {"name": schema.name, "expectations": [every, *expectations], "meta": {}}


def helper_columns(frame: pd.DataFrame, schema: Schema) -> dict[str, NDArray[np.bool_]]:
    """Columns of true and false for what GX has no expectation for; rules of absent columns are left out."""
    columns = {}
    for name, column in schema.columns.items():
        if isinstance(column, Numeric) and column.decimals is not None and name in frame:
            columns[_decimals_of(name)] = Numeric(decimals=column.decimals).admits(frame[name])
        if isinstance(column, Numeric) and column.lattice is not None and name in frame:
            alone = Numeric.model_validate({key: getattr(column, key) for key in LATTICE_KEYS})
            columns[_steps_of(name)] = alone.admits(frame[name])
        if isinstance(column, Datetime) and column.atoms and name in frame:
            columns[_bounds_of(name)] = column.admits(frame[name])
        if isinstance(column, Code) and column.pattern is not None and name in frame:
            columns[_pattern_of(name)] = Code(pattern=column.pattern).admits(frame[name])
    for rule in schema.rules:
        if not isinstance(rule, Comparison) and set(rule.columns) <= set(frame.columns):
            columns[_HELPER_PREFIX + rule.sentence] = rule.holds(frame)
    for name, expression in schema.derived.items():
        if {name, *columns_of(parse_expression(expression))} <= set(frame.columns):
            columns[_HELPER_PREFIX + derived_sentence(name, expression)] = derived_holds(name, frame, schema)
    return columns


def _of_column(name: str, column: Column) -> Iterator[Expectation]:
    """What one column must satisfy."""
    if not column.nullable:
        yield _expectation("expect_column_values_to_not_be_null", NO_MISSING_CELL, _MISSING_REMEDY, column=name)
    if isinstance(column, Identifier):
        if column.unique:
            yield _expectation("expect_column_values_to_be_unique", "no value twice", _BROKEN_ROWS_REMEDY, column=name)
        return
    if isinstance(column, Numeric | Datetime) and (column.min is not None or column.max is not None):
        low, high = _bound(column.min), _bound(column.max)
        rule = " and ".join(
            f"{sign} {bound if isinstance(bound, str) else format(bound, 'g')}"
            for sign, bound in ((">=", low), ("<=", high))
            if bound is not None
        )
        if isinstance(column, Datetime) and column.atoms:
            yield _helper(_bounds_of(name), f"{rule}, or one of the atoms", OUT_OF_DOMAIN_REMEDY, (name,))
        else:
            between = "expect_column_values_to_be_between"
            yield _expectation(between, rule, OUT_OF_DOMAIN_REMEDY, column=name, min_value=low, max_value=high)
    if isinstance(column, Numeric) and column.decimals is not None:
        rule = f"at most {column.decimals} decimals" if column.decimals else "whole numbers"
        yield _helper(_decimals_of(name), rule, OUT_OF_DOMAIN_REMEDY, (name,))
    if isinstance(column, Numeric) and column.lattice is not None:
        yield _helper(_steps_of(name), column.lattice.sentence, OUT_OF_DOMAIN_REMEDY, (name,))
    if levels := getattr(column, "levels", None):
        rule = f"one of the {len(levels)} declared levels"
        yield _expectation(
            "expect_column_values_to_be_in_set", rule, OUT_OF_DOMAIN_REMEDY, column=name, value_set=list(levels)
        )
    if isinstance(column, Code) and column.pattern is not None:
        yield _helper(_pattern_of(name), f"matches {column.pattern}", OUT_OF_DOMAIN_REMEDY, (name,))


def _of_rule(rule: Rule) -> Expectation:
    """What each row must satisfy."""
    if isinstance(rule, Comparison):
        e = _expectation(
            "expect_column_pair_values_a_to_be_greater_than_b",
            rule.sentence,
            _BROKEN_ROWS_REMEDY,
            column_A=rule.right,
            column_B=rule.left,
            or_equal=rule.op == "<=",
            ignore_row_if="either_value_is_missing",
        )
        e["meta"]["columns"] = list(rule.columns)  # in the order of the sentence
        return e
    return _helper(_HELPER_PREFIX + rule.sentence, rule.sentence, _BROKEN_ROWS_REMEDY, rule.columns)


def _of_derived(name: str, schema: Schema) -> Expectation:
    """What a derived column must be in each row."""
    rule = derived_sentence(name, schema.derived[name])
    return _helper(
        _HELPER_PREFIX + rule, rule, DERIVED_REMEDY, (name, *columns_of(parse_expression(schema.derived[name])))
    )


def row_check_questions(checks: Sequence[RowCheck]) -> tuple[list[Expectation], dict[str, NDArray[np.bool_]]]:
    """Expectations for what was answered row by row elsewhere, and the helper columns they speak of."""
    names = [f"{_HELPER_PREFIX}row check {k}" for k in range(len(checks))]
    asked = [_helper(name, c.rule, c.remedy, c.columns) for name, c in zip(names, checks, strict=True)]
    return asked, {name: check.holds for name, check in zip(names, checks, strict=True)}


def _expectation(
    kind: str,
    rule: str,
    remedy: str = "",
    **kwargs: object,
) -> Expectation:
    kept = {key: value for key, value in kwargs.items() if value is not None}
    return {"type": kind, "kwargs": kept, "meta": {"rule": rule, "remedy": remedy}}


def _helper(helper: str, rule: str, remedy: str, columns: tuple[str, ...]) -> Expectation:
    e = _expectation("expect_column_values_to_be_in_set", rule, remedy, column=helper, value_set=[True])
    e["meta"]["columns"] = list(columns)
    return e


def _pattern_of(name: str) -> str:
    return f"{_HELPER_PREFIX}pattern of {name}"


def _bounds_of(name: str) -> str:
    return f"{_HELPER_PREFIX}bounds of {name}"


def _steps_of(name: str) -> str:
    return f"{_HELPER_PREFIX}steps of {name}"


def _decimals_of(name: str) -> str:
    return f"{_HELPER_PREFIX}decimals of {name}"


def _bound(value: float | str | None) -> float | str | None:
    """A bound as GX understands it: a bare date is refused by its comparison, a full ISO moment is not."""
    return str(pd.Timestamp(value).isoformat()) if isinstance(value, str) else value
