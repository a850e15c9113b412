"""Texts that spreadsheets take for formulas, and an escaping of them that can be undone.

A cell that begins with `=`, `+`, `-`, `@` (or their full-width forms), a tab or a line break may be run when somebody
opens a CSV file in a spreadsheet. A plain number such as -5 is none. An escaped file has a `'` before each of
them, and before each text that begins with `'` already; so exactly one `'` is taken off again wherever a text begins
with it.

References:
    OWASP: CSV injection (2024).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from synthkit.schema.columns import Datetime, Numeric
from synthkit.schema.linked.linked_schema import LinkedSchema

if TYPE_CHECKING:
    import pandas as pd

    from synthkit.schema.table import Schema

FORMULA_ESCAPE = "'"
_FORMULA_START = re.compile(r"[\t\r\n]|[\s\ufeff]*[=+\-@\uff1d\uff0b\uff0d\uff20]")
_PLAIN_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?", flags=re.ASCII)


def is_formula(text: str) -> bool:
    """Whether a spreadsheet may run a text.

    Example:
        >>> [is_formula(text) for text in ("=1+1", "@SUM(A1)", "-5", "-5%", "a=1")]
        [True, True, False, True, False]
    """
    return _FORMULA_START.match(text) is not None and _PLAIN_NUMBER.fullmatch(text) is None


def escape_formula(text: str) -> str:
    """The text with a `'` before it if a spreadsheet may run it, or if it begins with `'`.

    Example:
        >>> escape_formula("=1+1"), escape_formula("'tis"), escape_formula("-5"), escape_formula("ward 3")
        ("'=1+1", "''tis", '-5', 'ward 3')
    """
    return FORMULA_ESCAPE + text if text.startswith(FORMULA_ESCAPE) or is_formula(text) else text


def unescape_formula(text: str) -> str:
    """What `escape_formula` was given.

    Example:
        >>> unescape_formula(escape_formula("=1+1"))
        '=1+1'
    """
    return text.removeprefix(FORMULA_ESCAPE)


def declared_formulas(schema: Schema | LinkedSchema) -> list[str]:
    """Columns of which the name, a level, or how moments and numbers are written begins like a formula, in order.

    Those of linked tables are named with their table.

    Example:
        >>> from synthkit.schema import Schema
        >>> columns = {"rh": {"kind": "categorical", "levels": ["+", "o"]}, "age": {"kind": "numeric"}}
        >>> declared_formulas(Schema(columns=columns))
        ['rh']
    """
    if isinstance(schema, LinkedSchema):
        each = {name: table.alone(name) for name, table in schema.tables.items() if table.columns}
        return [f"{name}.{column}" for name, alone in each.items() for column in declared_formulas(alone)]
    found = []
    for name, column in schema.columns.items():
        texts = [name, *(level for level in getattr(column, "levels", None) or () if isinstance(level, str))]
        if isinstance(column, Datetime) and column.format is not None:
            texts.append(column.format)
        if isinstance(column, Numeric) and column.told:
            texts += [column.text(x) for x in (-1.5, 1.5) if column.min is None or x >= column.min]
            texts += [text for _, _, text in column.beyond.values()]
        if any(map(is_formula, texts)):
            found.append(name)
    return found


def formulas_in_cells(frame: pd.DataFrame) -> list[str]:
    """Columns of which the name or a cell begins like a formula.

    Example:
        >>> import pandas as pd
        >>> formulas_in_cells(pd.DataFrame({"note": ["fine", "=1+1"], "change": [-5, 5]}))
        ['note']
    """
    found = []
    for name in frame.columns:
        cells = frame[name]
        texts = [str(name)]
        if cells.dtype == object or str(cells.dtype) in ("string", "str", "category"):
            texts += [cell for cell in cells.dropna().unique() if isinstance(cell, str)]
        if any(map(is_formula, texts)):
            found.append(str(name))
    return found
