"""How finely a model wants its numbers cut."""

from __future__ import annotations

from dataclasses import dataclass

from synthkit.schema import rare_codes


@dataclass(frozen=True, kw_only=True)
class Coding:
    """How finely a model wants its numbers cut.

    Args:
        exact: columns with at most so many distinct values are coded value by value.
        heavy: share of rows from which on a value is a level by itself.
        coarse: largest number of coarse groups.
        fine: largest number of cells in a group.
        rare: a value is a point only if at least so many rows share it; rarer ones are hidden in intervals.
        per_cell: rows an interval should hold.
        links: other numbers a number may be linked to, see `encoding.value_links`; only a model that follows them asks.
    """

    exact: int = 150
    heavy: float = 0.004
    coarse: int = 32
    fine: int = 32
    rare: int = rare_codes.MIN_ROWS_OF_COMMON_CODE
    per_cell: int = 8
    links: int = 0
