"""Expressions as SQL for DuckDB, in floats: numbers a billionth apart are one, and a missing cell makes missing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from synthkit.schema.columns import Boolean, Column, Level, Numeric
from synthkit.schema.expressions.grammar import (
    COMPARISON_SIGNS,
    Binary,
    Call,
    ColumnName,
    ConditionalExpression,
    Expression,
    Number,
    Signed,
    Text,
    Truth,
    fold_expression,
)
from synthkit.schema.expressions.result_kinds import digits, kind_of, kind_of_column

SQL_TOLERANCE = "1e-9"
MAX_SQL_LENGTH = 50_000  # letters of a query: what is missing is asked of each part, so that nested ones grow


class SQLCell(Protocol):
    """The cells of one column, as SQL asks for them."""

    @property
    def column(self) -> str:
        """Its name."""

    @property
    def number(self) -> str:
        """As a number."""

    @property
    def text(self) -> str:
        """As a text."""

    @property
    def moment(self) -> str:
        """As a moment."""

    @property
    def missing(self) -> str:
        """Whether there is none."""

    def key(self, levels: Sequence[Level]) -> str:
        """In the form in which levels are compared."""


def broken_derived_sql(
    name: str,
    expression: Expression,
    cells: Mapping[str, SQLCell],
    columns: Mapping[str, Column],
    levels: Sequence[str],
) -> str | None:
    """Whether a cell is not what its expression gives: true or false; None where that is too long to be asked.

    Args:
        name: the derived column.
        expression: what it is computed by.
        cells: its cells and those of the columns that names.
        columns: what they mean.
        levels: of a boolean column, its two levels as SQL.
    """
    cell, column = cells[name], columns[name]
    kind, found = kind_of(expression, columns), expression_sql(expression, cells, columns)
    if isinstance(column, Boolean) and kind == "truth":
        found = f"(CASE WHEN {found} IS NULL THEN NULL WHEN {found} THEN {levels[1]} ELSE {levels[0]} END)"
        same = f"{cell.key(column.levels)} = {found}"
    elif kind == "number":
        same = f"abs({cell.number} - {found}) <= {_slack(expression, column, cell)}"
    else:
        same = f"{cell.moment if kind == 'moment' else cell.text} = {found}"
    out = (
        f"CASE WHEN {cell.missing} OR {found} IS NULL THEN NOT ({cell.missing} AND {found} IS NULL) "
        f"ELSE NOT coalesce({same}, false) END"
    )
    return out if len(out) <= MAX_SQL_LENGTH else None


def _slack(expression: Expression, column: Column, cell: SQLCell) -> str:
    """How far a number may be from what was computed: half of its last decimal."""
    decimals = column.decimals if isinstance(column, Numeric) else None
    if decimals is None and isinstance(expression, Call) and expression.function == "round":
        decimals = digits(expression)
    half = 0.0 if decimals is None else 0.5 * 10.0**-decimals
    return f"{half!r}::DOUBLE + {SQL_TOLERANCE}::DOUBLE * greatest(1, abs({cell.number}))"


def expression_sql(expression: Expression, cells: Mapping[str, SQLCell], columns: Mapping[str, Column]) -> str:
    """What an expression is in a row, null where it is missing.

    Args:
        expression: one that `kind_of` has found sound.
        cells: cells of the columns it names.
        columns: what these mean.
    """

    def made(part: Expression, of: tuple[str, ...]) -> str:
        if isinstance(part, Number | Text | Truth):
            return _constant(part)
        if isinstance(part, ColumnName):
            return _cell(cells[part.column], kind_of_column(part.column, columns[part.column]))
        if isinstance(part, Signed):
            return f"(- {of[0]})" if part.sign == "-" else f"(NOT {of[0]})"
        if isinstance(part, ConditionalExpression):
            return f"(CASE WHEN {of[0]} IS NULL THEN NULL WHEN {of[0]} THEN {of[1]} ELSE {of[2]} END)"
        if isinstance(part, Call):
            return _called(part, of)
        return _binary(part, of[0], of[1], kind_of(part.left, columns))

    return fold_expression(expression, made)


def _constant(part: Number | Text | Truth) -> str:
    if isinstance(part, Number):
        return f"{float(part.value)!r}::DOUBLE"
    return "'" + part.value.replace("'", "''") + "'" if isinstance(part, Text) else str(part.value).lower()


def _cell(cell: SQLCell, kind: str) -> str:
    read = {"number": f"nullif({cell.number}, 'nan'::DOUBLE)", "moment": cell.moment, "text": cell.text}
    return read.get(kind, f"TRY_CAST({cell.column} AS BOOLEAN)")


def _binary(part: Binary, left: str, right: str, kind: str) -> str:
    sign = part.sign
    if sign in ("and", "or"):
        return _strict(f"{left} {sign.upper()} {right}", (left, right))
    if sign in COMPARISON_SIGNS and kind == "number":
        return _compared(sign, left, right)
    if sign in COMPARISON_SIGNS:
        return f"({left} {'<>' if sign == '!=' else sign} {right})"
    if kind == "moment":
        return f"((epoch_us({left}) - epoch_us({right})) / 86400000000.0::DOUBLE)"
    return f"({left} / nullif({right}, 0))" if sign == "/" else f"({left} {sign} {right})"


def _compared(sign: str, left: str, right: str) -> str:
    """Numbers compared, those a billionth apart as equal."""
    close = f"{SQL_TOLERANCE}::DOUBLE * greatest(1, abs({left}), abs({right}))"
    away = f"({left} - {right})"
    sides = {
        "<": f"{away} < -{close}",
        "<=": f"{away} <= {close}",
        ">": f"{away} > {close}",
        ">=": f"{away} >= -{close}",
        "=": f"abs({away}) <= {close}",
        "!=": f"abs({away}) > {close}",
    }
    return f"({sides[sign]})"


def _called(part: Call, of: tuple[str, ...]) -> str:
    if part.function in ("min", "max"):
        function = "least" if part.function == "min" else "greatest"
        return _strict(f"{function}({', '.join(of)})", of)
    if part.function == "abs":
        return f"abs({of[0]})"
    if part.function != "round":  # what floats add to a whole number, or take from it, is no reason for another one
        return f"{part.function}({of[0]} {'+' if part.function == 'floor' else '-'} {SQL_TOLERANCE}::DOUBLE)"
    scale = f"1e{digits(part)}::DOUBLE"
    return f"(sign({of[0]}) * floor(abs({of[0]}) * {scale} + 0.5 + {SQL_TOLERANCE}::DOUBLE) / {scale})"


def _strict(sql: str, parts: tuple[str, ...]) -> str:
    """Null where a part is: SQL by itself may do without it."""
    return f"(CASE WHEN {' OR '.join(f'{part} IS NULL' for part in parts)} THEN NULL ELSE {sql} END)"
