"""Patterns with fewer values than a table has rows: its fresh identifiers could not all be different."""

from __future__ import annotations

from typing import TYPE_CHECKING

from synthkit.schema.columns import Identifier
from synthkit.schema.patterns import pattern_space
from synthkit.schema.violations import Violation

if TYPE_CHECKING:
    from synthkit.schema.table import Schema

_NARROW_PATTERN_REMEDY = "widen `pattern`, for example by more digits"


def narrow_pattern_faults(schema: Schema, rows: int, *, unique: bool) -> list[Violation]:
    """A fault for each pattern with fewer values than rows.

    Args:
        schema: the declared meaning.
        rows: how many the table has.
        unique: whether patterns of columns whose values may repeat are left out: what is drawn from them may be fewer.
    """
    return [
        Violation(
            (name,),
            f"a pattern with a value for each of {rows:,} rows; however: it has {has:,}",
            remedy=_NARROW_PATTERN_REMEDY,
        )
        for name, column in schema.columns.items()
        if isinstance(column, Identifier) and column.pattern is not None and (column.unique or not unique)
        if (has := pattern_space(column.pattern)) < rows
    ]
