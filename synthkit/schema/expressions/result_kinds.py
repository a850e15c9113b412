"""What expressions are before any row is seen: numbers, texts, truths or moments; and whether columns can hold them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

from synthkit.schema.columns import Boolean, Column, Datetime, Identifier, Numeric
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
    fold_expression,
)

Kind = Literal["number", "text", "truth", "moment"]
MAX_ROUND_DIGITS = 15


def kind_of(expression: Expression, columns: Mapping[str, Column]) -> Kind:
    """What an expression of some columns is.

    Raises:
        ValueError: parts of it do not go together; which, is told.

    Example:
        >>> from synthkit.schema.expressions.grammar import parse_expression
        >>> kind_of(parse_expression("if a > 3 then 'high' else 'low'"), {"a": Numeric()})
        'text'
    """

    def made(part: Expression, kinds: tuple[Kind, ...]) -> Kind:
        if isinstance(part, ColumnName):
            return kind_of_column(part.column, columns[part.column])
        if isinstance(part, Signed):
            return _needed(kinds[0], "number" if part.sign == "-" else "truth", f"`{part.sign}`")
        if isinstance(part, ConditionalExpression):
            _needed(kinds[0], "truth", "`if`")
            return _alike(kinds[1:], "`then` and `else`")
        if isinstance(part, Call):
            return _of_call(part, kinds)
        if isinstance(part, Binary):
            return _of_binary(part, kinds, columns)
        return "number" if isinstance(part, Number) else "text" if isinstance(part, Text) else "truth"

    return fold_expression(expression, made)


def kind_of_column(name: str, column: Column) -> Kind:
    """What the cells of a column are to an expression.

    Raises:
        ValueError: they are made fresh, or some of its levels are numbers and some are not.
    """
    if isinstance(column, Identifier):
        msg = f"an expression must name columns with a meaning; however: `{name}` is an identifier, which is made fresh"
        raise ValueError(msg)  # noqa: TRY004 - what pydantic takes for a fault of the file
    if isinstance(column, Numeric):
        return "number"
    if isinstance(column, Datetime):
        return "moment"
    levels = column.levels or ()
    if levels and all(isinstance(level, bool) for level in levels):
        return "truth"
    if levels and all(isinstance(level, int | float) and not isinstance(level, bool) for level in levels):
        return "number"
    if all(isinstance(level, str) for level in levels):
        return "text"
    msg = f"levels in an expression must all be texts or all be numbers; however: those of `{name}` are mixed"
    raise ValueError(msg)


def refuse_misfit(name: str, column: Column, expression: Expression, columns: Mapping[str, Column]) -> None:
    """Refuse an expression that a column cannot hold.

    Raises:
        ValueError: it cannot; why, is told.
    """
    wanted = kind_of_column(name, column)
    kind = kind_of(expression, columns)
    if isinstance(column, Boolean) and kind == "truth":
        return
    if kind != wanted:
        msg = (
            f"a column must be able to hold what is computed; however: a cell of `{name}`, of kind {column.kind}, is a "
            f"{wanted} and its expression a {kind}"
        )
        raise ValueError(msg)
    said = texts_of(expression, columns) if kind == "text" else frozenset()
    levels = frozenset(map(str, getattr(column, "levels", None) or ()))
    if levels and kind == "text" and (said is None or not said <= levels):
        strange = "any text" if said is None else ", ".join(sorted(said - levels))
        msg = f"its `levels` must list all that is computed; however: {strange} is not among them"
        raise ValueError(msg)


def texts_of(expression: Expression, columns: Mapping[str, Column]) -> frozenset[str] | None:
    """Texts an expression of texts can be, None if that is not known."""

    def made(part: Expression, said: tuple[frozenset[str] | None, ...]) -> frozenset[str] | None:
        if isinstance(part, Text):
            return frozenset((part.value,))
        if isinstance(part, ConditionalExpression):
            then, otherwise = said[1:]
            return None if then is None or otherwise is None else then | otherwise
        levels = getattr(columns[part.column], "levels", None) if isinstance(part, ColumnName) else ()
        return None if levels is None else frozenset(map(str, levels))

    return fold_expression(expression, made)


def _needed(kind: Kind, wanted: Kind, where: str) -> Kind:
    if kind != wanted:
        msg = f"{where} needs a {wanted}; however: it stands with a {kind}"
        raise ValueError(msg)
    return kind


def _alike(kinds: Sequence[Kind], where: str) -> Kind:
    if len(set(kinds)) > 1:
        msg = f"{where} must stand with what is of one kind; however: {' and '.join(dict.fromkeys(kinds))}"
        raise ValueError(msg)
    return kinds[0]


def _of_binary(expression: Binary, kinds: tuple[Kind, ...], columns: Mapping[str, Column]) -> Kind:
    sign = expression.sign
    if sign in ("and", "or"):
        for kind in kinds:
            _needed(kind, "truth", f"`{sign}`")
        return "truth"
    kind = _alike(kinds, f"`{sign}`")
    if sign not in COMPARISON_SIGNS:
        return "number" if kind == "moment" and sign == "-" else _needed(kind, "number", f"`{sign}`")  # days
    if kind == "truth":
        msg = f"`{sign}` compares numbers, texts or moments; however: it stands with a truth. Write that by itself"
        raise ValueError(msg)
    if kind == "text":
        _refuse_texts(expression, columns)
    return "truth"


def _refuse_texts(expression: Binary, columns: Mapping[str, Column]) -> None:
    """Texts have no order, and a text that is no level of the column beside it is a typing mistake."""
    if expression.sign not in ("=", "!="):
        msg = f"texts are equal or not; however: `{expression.sign}` stands between two. Write `=` or `!=`"
        raise ValueError(msg)
    for one, other in ((expression.left, expression.right), (expression.right, expression.left)):
        known = texts_of(other, columns) if isinstance(other, ColumnName) else None
        if isinstance(one, Text) and isinstance(other, ColumnName) and known is not None and one.value not in known:
            msg = (
                "a text must be a level of the column it is compared with; however: "
                f"{one.value!r} is none of `{other.column}`"
            )
            raise ValueError(msg)


def _of_call(expression: Call, kinds: tuple[Kind, ...]) -> Kind:
    function = expression.function
    if function in ("min", "max"):
        kind = _alike(kinds, f"`{function}`")
        if len(kinds) < 2 or kind not in ("number", "moment"):
            msg = f"`{function}` needs two or more numbers or moments; however: {len(kinds)} of kind {kind}"
            raise ValueError(msg)
        return kind
    most = 2 if function == "round" else 1
    if len(kinds) > most:
        msg = f"`{function}` takes {'one part, or two' if most == 2 else 'one part'}; however: {len(kinds)}"
        raise ValueError(msg)
    if len(kinds) == 2:
        digits(expression)
    return _needed(kinds[0], "number", f"`{function}`")


def digits(expression: Call) -> int:
    """Decimals to which `round` rounds.

    Raises:
        ValueError: they are no whole number from 0 to 15.
    """
    if len(expression.of) == 1:
        return 0
    said = expression.of[1]
    if not isinstance(said, Number) or said.value.denominator != 1 or not 0 <= said.value <= MAX_ROUND_DIGITS:
        msg = (
            f"`round` rounds to a whole number of decimals from 0 to {MAX_ROUND_DIGITS}; "
            "however: its second part is none"
        )
        raise ValueError(msg)
    return int(said.value)
