"""Expressions mean what their text says: against Python's own fractions, row by row, and what is none is refused."""

import math
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from synthkit.schema import Boolean, Categorical, Code, Datetime, Identifier, Numeric, Ordinal
from synthkit.schema.expressions.evaluation import evaluate_expression
from synthkit.schema.expressions.exact_numbers import Exact
from synthkit.schema.expressions.grammar import (
    Call,
    ColumnName,
    ConditionalExpression,
    Number,
    Signed,
    Text,
    columns_of,
    fold_expression,
    parse_expression,
    parts_of,
    quote_column,
    walk_expression,
)
from synthkit.schema.expressions.result_kinds import kind_of, refuse_misfit, texts_of

COLUMNS = {
    "a": Numeric(decimals=1),
    "b": Numeric(decimals=0),
    "c": Numeric(),
    "sex": Categorical(levels=("f", "m")),
    "ill": Boolean(),
    "grade": Ordinal(levels=(0, 1, 2)),
}

# ---- an independent reading of a parsed expression: one row, Python's fractions


def half_up(x, digits):
    """Rounded, halves away from nought, as Decimal's ROUND_HALF_UP does."""
    scaled = abs(x) * 10**digits
    whole = math.floor(scaled + Fraction(1, 2))
    return Fraction(whole if x >= 0 else -whole, 10**digits)


FUNCTIONS = {
    "round": lambda x, digits=0: half_up(x, int(digits)),
    "floor": lambda x: Fraction(math.floor(x)),
    "ceil": lambda x: Fraction(math.ceil(x)),
    "abs": abs,
    "min": min,
    "max": max,
}
SIGNS = {
    "+": lambda x, y: x + y,
    "-": lambda x, y: x - y,
    "*": lambda x, y: x * y,
    "/": lambda x, y: None if y == 0 else x / y,
    "<": lambda x, y: x < y,
    "<=": lambda x, y: x <= y,
    ">": lambda x, y: x > y,
    ">=": lambda x, y: x >= y,
    "=": lambda x, y: x == y,
    "!=": lambda x, y: x != y,
    "and": lambda x, y: x and y,
    "or": lambda x, y: x or y,
}


def said(e, row):
    """What an expression is in one row, None where missing."""
    if isinstance(e, Number | Text):
        return e.value
    if isinstance(e, ColumnName):
        return row[e.column]
    if isinstance(e, ConditionalExpression):
        condition = said(e.condition, row)
        return None if condition is None else said(e.then if condition else e.otherwise, row)
    parts = [said(part, row) for part in parts_of(e)]
    if any(part is None for part in parts):
        return None
    if isinstance(e, Signed):
        return -parts[0] if e.sign == "-" else not parts[0]
    return (FUNCTIONS[e.function] if isinstance(e, Call) else SIGNS[e.sign])(*parts)


# ---- random expressions, as texts

ATOMS = st.sampled_from(["a", "b", "c", "grade", "0", "3", "1.5", "100", "0.1"])
NUMBERS = st.recursive(
    ATOMS,
    lambda n: st.one_of(
        st.tuples(n, st.sampled_from(["+", "-", "*", "/"]), n).map(lambda t: f"({t[0]} {t[1]} {t[2]})"),
        n.map(lambda x: f"-{x}"),
        st.tuples(st.sampled_from(["floor", "ceil", "abs", "round"]), n).map(lambda t: f"{t[0]}({t[1]})"),
        st.tuples(n, st.integers(0, 3)).map(lambda t: f"round({t[0]}, {t[1]})"),
        st.tuples(st.sampled_from(["min", "max"]), n, n, n).map(lambda t: f"{t[0]}({t[1]}, {t[2]}, {t[3]})"),
        st.tuples(n, st.sampled_from(["<", "<=", ">", ">=", "=", "!="]), n, n, n).map(
            lambda t: f"(if {t[0]} {t[1]} {t[2]} then {t[3]} else {t[4]})"
        ),
        st.tuples(n, n, n).map(lambda t: f"(if ill or not (sex = 'f' and {t[0]} < 2) then {t[1]} else {t[2]})"),
    ),
    max_leaves=8,
)
ROWS = st.lists(
    st.fixed_dictionaries(
        {
            "a": st.none() | st.integers(-999, 999).map(lambda k: k / 10),
            "b": st.none() | st.integers(-50, 50),
            "c": st.none()
            | st.floats(-1e6, 1e6, allow_subnormal=False)
            | st.sampled_from([0.1, 0.2, 0.30000000000000004]),
            "sex": st.sampled_from([None, "f", "m"]),
            "ill": st.sampled_from([None, False, True]),
            "grade": st.sampled_from([None, 0, 1, 2]),
        }
    ),
    min_size=1,
    max_size=5,
)


def exactly(row):
    """A row as fractions, each float as the shortest decimal that is read as it."""
    return {
        k: Fraction(repr(v)) if isinstance(v, int | float) and not isinstance(v, bool) else v for k, v in row.items()
    }


def framed(rows):
    frame = pd.DataFrame(rows)
    types = {"a": float, "b": "Int64", "c": float, "sex": object, "ill": "boolean", "grade": "Int64"}
    return frame.astype(object).where(frame.notna(), None).astype(types)


@given(NUMBERS, ROWS)
def test_numbers_are_what_python_s_fractions_say(text, rows):
    expression = parse_expression(text)
    assert kind_of(expression, COLUMNS) == "number"
    found = evaluate_expression(expression, framed(rows), COLUMNS)
    for k, row in enumerate(rows):
        expected = said(expression, exactly(row))
        assert found.absent[k] == (expected is None), (text, row)
        if expected is not None:
            assert Fraction(int(found.top[k]), int(found.bottom[k])) == expected, (text, row)
            assert found.floats()[k] == float(expected)


@given(NUMBERS)
def test_brackets_are_read_as_they_stand(text):
    assert parse_expression(f"( {text} )") == parse_expression(text)
    assert set(columns_of(parse_expression(text))) <= set(COLUMNS)
    assert fold_expression(parse_expression(text), lambda part, of: 1 + sum(of)) == len(
        list(walk_expression(parse_expression(text)))
    )


# ---- the grammar


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("a + b * c", "a + (b * c)"),
        ("a - b - c", "(a - b) - c"),
        ("a / b / c", "(a / b) / c"),
        ("-a * b", "(-a) * b"),
        ("not a < b and b < c", "(not (a < b)) and (b < c)"),
        ("a < 1 or b < 1 and c < 1", "a < 1 or (b < 1 and c < 1)"),
        ("18 <= a < 65", "18 <= a and a < 65"),
        ("if a < 1 then b else if a < 2 then c else a", "if a < 1 then b else (if a < 2 then c else a)"),
        ("a == 1", "a = 1"),
        ("`a`\n +\t b", "a + b"),
        ('"x"', "'x'"),
        (".5", "0.5"),
        ("--a", "a"),
        ("not not a < b", "a < b"),
    ],
)
def test_precedence_is_the_usual_one(text, same):
    assert parse_expression(text) == parse_expression(same)


def test_names_of_any_kind_can_be_written():
    for name in ("d.time", "Größe", "body mass", "min", "a`b", "x-y", "1st"):
        assert parse_expression(quote_column(name)) == ColumnName(name)
    assert parse_expression("min(a, `min`)") == Call("min", (ColumnName("a"), ColumnName("min")))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "it ends too early"),
        ("a +", "it ends too early"),
        ("(a + b", "needs `\\)`"),
        ("a b", "must end after its last part; however: `b` at letter 3"),
        ("a ** b", "needs a column, a number or a text"),
        ("a; import os", "made of columns, numbers, texts and signs; however: `; import os` at letter 2"),
        ("if a < 1 then b", "needs `else`"),
        ("if a < 1 else b", "needs `then`"),
        ("round(a", "needs `\\)`"),
        ("floor a", "needs `\\(`"),
        ("min", "needs `\\(`"),
        ("2x", "made of columns"),
        ("__import__('os')", "must end after its last part"),
        ("'open", "made of columns"),
        ("(" * 100 + "a" + ")" * 100, "brackets deep"),
        ("a + " * 3000 + "a", "at most 10,000 letters"),
        ("1" * 31, "at most 30 digits"),
    ],
)
def test_what_is_no_expression_is_refused_with_its_place(text, says):
    with pytest.raises(ValueError, match=says):
        parse_expression(text)


def test_long_sums_are_no_deep_ones():
    names = {f"v{k}": Numeric(decimals=0) for k in range(600)}
    expression = parse_expression(" + ".join(names))
    assert kind_of(expression, names) == "number"
    frame = pd.DataFrame({name: [1, 2] for name in names})
    assert evaluate_expression(expression, frame, names).floats().tolist() == [600.0, 1200.0]


# ---- kinds


MORE = {
    **COLUMNS,
    "id": Identifier(),
    "icd": Code(),
    "day": Datetime(),
    "left": Datetime(),
    "mixed": Categorical(levels=(True, 2)),
    "yes": Boolean(levels=("no", "yes")),
    "flag": Boolean(levels=(0, 1)),
}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("id + 1", "`id` is an identifier, which is made fresh"),
        ("mixed", "those of `mixed` are mixed"),
        ("sex + 1", "`\\+` must stand with what is of one kind; however: text and number"),
        ("sex + sex", "`\\+` needs a number; however: it stands with a text"),
        ("day + day", "`\\+` needs a number; however: it stands with a moment"),
        ("day < a", "of one kind; however: moment and number"),
        ("sex < 'f'", "texts are equal or not"),
        ("sex = 'x'", "'x' is none of `sex`"),
        ("ill = true", "it stands with a truth. Write that by itself"),
        ("if a then b else c", "`if` needs a truth; however: it stands with a number"),
        ("if ill then b else sex", "`then` and `else` must stand with what is of one kind"),
        ("a and ill", "`and` needs a truth"),
        ("not a", "`not` needs a truth"),
        ("-sex", "`-` needs a number"),
        ("min(a)", "`min` needs two or more numbers or moments"),
        ("max(sex, sex)", "`max` needs two or more numbers or moments"),
        ("round(a, b)", "from 0 to 15"),
        ("round(a, 1.5)", "from 0 to 15"),
        ("round(a, 1, 2)", "takes one part, or two; however: 3"),
        ("abs(a, b)", "takes one part; however: 2"),
        ("floor(sex)", "`floor` needs a number"),
    ],
)
def test_what_does_not_go_together_is_refused(text, says):
    with pytest.raises(ValueError, match=says):
        kind_of(parse_expression(text), MORE)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("left - day", "number"),
        ("max(day, left)", "moment"),
        ("if day < left then 'f' else sex", "text"),
        ("flag + grade", "number"),
        ("yes = 'yes' and ill", "truth"),
        ("icd = 'I21'", "truth"),
        ("true", "truth"),
    ],
)
def test_kinds_of_expressions(text, kind):
    assert kind_of(parse_expression(text), MORE) == kind


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("a", "sex", "a cell of `a`, of kind numeric, is a number and its expression a text"),
        (
            "sex",
            "if ill then 'f' else 'x'",
            "its `levels` must list all that is computed; however: x is not among them",
        ),
        ("sex", "icd", "any text is not among them"),
        ("id", "a", "is an identifier"),
        ("sex", "ill", "is a text and its expression a truth"),
    ],
)
def test_a_column_that_cannot_hold_what_is_computed_is_refused(name, text, says):
    with pytest.raises(ValueError, match=says):
        refuse_misfit(name, MORE[name], parse_expression(text), MORE)


def test_columns_that_can_hold_it_pass():
    for name, text in (
        ("yes", "a < b"),
        ("flag", "ill"),
        ("flag", "grade"),
        ("icd", "sex"),
        ("sex", "sex"),
        ("day", "left"),
    ):
        refuse_misfit(name, MORE[name], parse_expression(text), MORE)
    assert texts_of(parse_expression("if ill then 'f' else sex"), MORE) == {"f", "m"}


# ---- moments, and numbers that outgrow 64 bits


def test_the_time_between_two_moments_is_counted_in_days():
    days = pd.Series(np.array(["2020-03-01T12:00", "1500-01-01", "NaT", "9999-12-31"], dtype="datetime64[us]"))
    starts = pd.Series(np.array(["2020-02-28", "2000-01-01", "2000-01-01", "0001-01-01"], dtype="datetime64[us]"))
    found = evaluate_expression(parse_expression("left - day"), pd.DataFrame({"left": days, "day": starts}), MORE)
    assert found.floats()[[0, 1, 3]].tolist() == [2.5, -182621.0, 3652058.0]
    assert found.absent.tolist() == [False, False, True, False]


@given(st.lists(st.integers(-(2**62), 2**62), min_size=1, max_size=4), st.integers(1, 4))
def test_sums_and_products_of_large_whole_numbers_are_exact(numbers, times):
    column = Exact.of(pd.Series(numbers, dtype="int64"))
    total, product = column, column
    for _ in range(times):
        total, product = total + column, product * column
    assert [int(t) for t in total.top] == [k * (times + 1) for k in numbers]
    assert [int(t) for t in product.top] == [k ** (times + 1) for k in numbers]
