"""Expressions by which columns are computed from others: a small grammar with a parser of its own, nothing is run.

    expression = "if" condition "then" expression "else" expression | condition
    condition  = all {"or" all}            all = denied {"and" denied}       denied = "not" denied | compared
    compared   = sum {("<" | "<=" | ">" | ">=" | "=" | "!=") sum}
    sum        = product {("+" | "-") product}           product = signed {("*" | "/") signed}
    signed     = "-" signed | atom
    atom       = number | text | "true" | "false" | column | function "(" expression {"," expression} ")"
               | "(" expression ")"

A column whose name is no plain word stands between backquotes, a text between quotes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import TypeVar

Folded = TypeVar("Folded")
MAX_EXPRESSION_LENGTH = 10_000  # letters
MAX_EXPRESSION_DEPTH = 60  # brackets, conditions and signs inside one another
MAX_LITERAL_DIGITS = 30  # of a number, before and behind the point
FUNCTIONS = ("round", "floor", "ceil", "abs", "min", "max")
RESERVED_WORDS = frozenset((*FUNCTIONS, "if", "then", "else", "and", "or", "not", "true", "false"))
COMPARISON_SIGNS = ("<=", ">=", "!=", "==", "<", ">", "=")
_EXPRESSION_TOKEN = re.compile(
    r"""\s*(?:(?P<number>\d+(?:\.\d+)?|\.\d+)(?![\w.])|(?P<name>[^\W\d]\w*(?:\.\w+)*)|`(?P<quoted>(?:[^`]|``)+)`
    |"(?P<double>[^"]*)"|'(?P<single>[^']*)'|(?P<sign><=|>=|!=|==|[-+*/()<>=,]))""",
    re.VERBOSE,
)


@dataclass(frozen=True)
class Number:
    """A number, exactly as it is written."""

    value: Fraction


@dataclass(frozen=True)
class Text:
    """A text, such as a level."""

    value: str


@dataclass(frozen=True)
class Truth:
    """True or false."""

    value: bool


@dataclass(frozen=True)
class ColumnName:
    """The cell of a column."""

    column: str


@dataclass(frozen=True)
class Signed:
    """`-` of a number or `not` of a condition."""

    sign: str
    of: Expression


@dataclass(frozen=True)
class Binary:
    """Two sides with a sign or a word between them."""

    sign: str
    left: Expression
    right: Expression


@dataclass(frozen=True)
class ConditionalExpression:
    """`if` this `then` that `else` the other."""

    condition: Expression
    then: Expression
    otherwise: Expression


@dataclass(frozen=True)
class Call:
    """A function of some expressions."""

    function: str
    of: tuple[Expression, ...]


Expression = Number | Text | Truth | ColumnName | Signed | Binary | ConditionalExpression | Call


@lru_cache(maxsize=4096)
def parse_expression(text: str) -> Expression:
    """The expression that a text spells out.

    Raises:
        ValueError: it is none, or is too long or too deep; the place is told.

    Example:
        >>> parse_expression("a + 2 * b").sign
        '+'
    """
    if len(text) > MAX_EXPRESSION_LENGTH:
        msg = (
            f"an expression must have at most {MAX_EXPRESSION_LENGTH:,} letters; however: {len(text):,}. "
            "Split it in two columns"
        )
        raise ValueError(msg)
    reader = _Reader(text)
    found = reader.expression(0)
    reader.end()
    return found


def columns_of(expression: Expression) -> tuple[str, ...]:
    """Columns an expression names, each once, in order of mention.

    Example:
        >>> columns_of(parse_expression("if a > 3 then b else a"))
        ('a', 'b')
    """
    return tuple(dict.fromkeys(part.column for part in walk_expression(expression) if isinstance(part, ColumnName)))


def walk_expression(expression: Expression) -> Iterator[Expression]:
    """An expression and all inside it, in order of mention."""
    stack = [expression]
    while stack:
        part = stack.pop()
        yield part
        stack += reversed(parts_of(part))


def parts_of(expression: Expression) -> tuple[Expression, ...]:
    """What stands directly inside an expression."""
    if isinstance(expression, Signed):
        return (expression.of,)
    if isinstance(expression, Binary):
        return (expression.left, expression.right)
    if isinstance(expression, ConditionalExpression):
        return (expression.condition, expression.then, expression.otherwise)
    return expression.of if isinstance(expression, Call) else ()


def fold_expression(expression: Expression, made: Callable[[Expression, tuple[Folded, ...]], Folded]) -> Folded:
    """What is made of an expression from what was made of its parts, the innermost first; however deep it is.

    Args:
        expression: the whole.
        made: makes a result of an expression and the results of its parts, in order.

    Example:
        >>> fold_expression(parse_expression("a + 2 * b"), lambda part, of: 1 + sum(of))
        5
    """
    order = list(walk_expression(expression))
    done: list[Folded] = []  # results of parts that wait for their whole, the last in front
    for part in reversed(order):
        count = len(parts_of(part))
        mine = tuple(reversed(done[len(done) - count :]))
        del done[len(done) - count :]
        done.append(made(part, mine))
    return done[0]


def quote_column(column: str) -> str:
    """The name of a column as an expression writes it.

    Example:
        >>> quote_column("age"), quote_column("body mass"), quote_column("min")
        ('age', '`body mass`', '`min`')
    """
    plain = re.fullmatch(r"[^\W\d]\w*(?:\.\w+)*", column) and column not in RESERVED_WORDS
    return column if plain else "`" + column.replace("`", "``") + "`"


class _Reader:
    """Reads one text from left to right."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens: list[tuple[str, str, int]] = []  # kind, what it says, place
        at, end = 0, len(text.rstrip())
        while at < end:
            found = _EXPRESSION_TOKEN.match(text, at)
            if found is None or found.lastgroup is None:
                space = len(text[at:]) - len(text[at:].lstrip())
                near = self._near(at + space)
                msg = f"an expression must be made of columns, numbers, texts and signs; however: {near}"
                raise ValueError(msg)
            self._tokens.append((found.lastgroup, found[found.lastgroup], found.start(found.lastgroup)))
            at = found.end()
        self._tokens.append(("end", "", len(text)))
        self._at = 0

    def _near(self, at: int) -> str:
        rest = self._text[at : at + 12]
        return f"`{rest}` at letter {at + 1}" if rest else "it ends too early"

    def _peek(self, *signs: str) -> bool:
        kind, said, _ = self._tokens[self._at]
        return kind in ("sign", "name") and said in signs

    def _take(self, *signs: str) -> str | None:
        if not self._peek(*signs):
            return None
        self._at += 1
        return self._tokens[self._at - 1][1]

    def _need(self, sign: str) -> None:
        if self._take(sign) is None:
            msg = f"an expression needs `{sign}`; however: {self._near(self._tokens[self._at][2])}"
            raise ValueError(msg)

    def end(self) -> None:
        if self._tokens[self._at][0] != "end":
            msg = f"an expression must end after its last part; however: {self._near(self._tokens[self._at][2])}"
            raise ValueError(msg)

    def expression(self, depth: int) -> Expression:
        if depth > MAX_EXPRESSION_DEPTH:
            msg = (
                f"an expression must be at most {MAX_EXPRESSION_DEPTH} brackets deep; however: it is deeper. "
                "Split it in two columns"
            )
            raise ValueError(msg)
        if self._take("if") is None:
            return self._any(depth)
        condition = self._any(depth + 1)
        self._need("then")
        then = self.expression(depth + 1)
        self._need("else")
        return ConditionalExpression(condition, then, self.expression(depth + 1))

    def _any(self, depth: int) -> Expression:
        out = self._all(depth)
        while self._take("or"):
            out = Binary("or", out, self._all(depth))
        return out

    def _all(self, depth: int) -> Expression:
        out = self._denied(depth)
        while self._take("and"):
            out = Binary("and", out, self._denied(depth))
        return out

    def _denied(self, depth: int) -> Expression:
        denied = 0
        while self._take("not"):
            denied += 1
        out = self._compared(depth)
        return Signed("not", out) if denied % 2 else out

    def _compared(self, depth: int) -> Expression:
        left = self._sum(depth)
        out: Expression | None = None
        while sign := self._take(*COMPARISON_SIGNS):
            right = self._sum(depth)
            one = Binary("=" if sign == "==" else sign, left, right)
            out, left = one if out is None else Binary("and", out, one), right
        return left if out is None else out

    def _sum(self, depth: int) -> Expression:
        out = self._product(depth)
        while sign := self._take("+", "-"):
            out = Binary(sign, out, self._product(depth))
        return out

    def _product(self, depth: int) -> Expression:
        out = self._signed(depth)
        while sign := self._take("*", "/"):
            out = Binary(sign, out, self._signed(depth))
        return out

    def _signed(self, depth: int) -> Expression:
        negative = 0
        while self._take("-"):
            negative += 1
        out = self._atom(depth)
        return Signed("-", out) if negative % 2 else out

    def _atom(self, depth: int) -> Expression:
        kind, said, at = self._tokens[self._at]
        if kind == "number":
            self._at += 1
            return _number(said)
        if kind in ("double", "single"):
            self._at += 1
            return Text(said)
        if kind == "quoted" or (kind == "name" and said not in RESERVED_WORDS):
            self._at += 1
            return ColumnName(said.replace("``", "`") if kind == "quoted" else said)
        if truth := self._take("true", "false"):
            return Truth(truth == "true")
        if function := self._take(*FUNCTIONS):
            self._need("(")
            return Call(function, self._list(depth))
        if self._take("("):
            out = self.expression(depth + 1)
            self._need(")")
            return out
        msg = f"an expression needs a column, a number or a text; however: {self._near(at)}"
        raise ValueError(msg)

    def _list(self, depth: int) -> tuple[Expression, ...]:
        """Expressions up to the bracket that closes them."""
        out = [self.expression(depth + 1)]
        while self._take(","):
            out.append(self.expression(depth + 1))
        self._need(")")
        return tuple(out)


def _number(said: str) -> Number:
    if any(len(digits) > MAX_LITERAL_DIGITS for digits in said.split(".")):
        msg = (
            f"a number in an expression must have at most {MAX_LITERAL_DIGITS} digits before and behind the point; "
            "however: more"
        )
        raise ValueError(msg)
    return Number(Fraction(said))
