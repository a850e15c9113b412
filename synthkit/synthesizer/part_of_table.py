"""Which rows of a larger table are drawn."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class PartOfTable:
    """Some rows of a table that is drawn in parts.

    Args:
        rows: their numbers in the whole table, from 0.
        of: how many rows that has.
        key: of the permutation of identifiers; the same for all parts.
    """

    rows: range
    of: int
    key: str
