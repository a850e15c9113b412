"""What a table breaks: one broken rule with its count and first rows, and the page that lists them all."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

ROWS_SHOWN = 20


@dataclass(frozen=True)
class Violation:
    """One rule that some rows break; it never holds a value of the table.

    Args:
        columns: columns the rule speaks of.
        rule: what must hold, in words.
        count: number of rows that break it; 0 if the fault is in the columns themselves.
        rows: numbers of the first such rows; row 1 is the first row under the header.
        remedy: what to do about it.
    """

    columns: tuple[str, ...]
    rule: str
    count: int = 0
    rows: tuple[int, ...] = ()
    remedy: str = ""

    @classmethod
    def at(
        cls,
        columns: tuple[str, ...],
        rule: str,
        broken: NDArray[np.bool_],
        *,
        remedy: str = "",
        shown: int = ROWS_SHOWN,
        first: int = 1,
    ) -> Violation:
        """The violation of `rule` in the rows where `broken` is true; `first` is the number of the first row."""
        where = np.flatnonzero(broken)
        return cls(columns, rule, len(where), tuple(int(i) + first for i in where[:shown]), remedy)


def listing(violations: Iterable[Violation]) -> str:
    """All violations as text: one line each, then each remedy once."""
    violations = tuple(violations)
    lines = [["column", "rule", "rows", "first row numbers"]]
    lines += [[", ".join(v.columns), v.rule, f"{v.count:,}" if v.count else "-", _rows(v)] for v in violations]
    widths = [min(max(len(line[k]) for line in lines), 60) for k in range(4)]
    text = ["  " + "  ".join(cell.ljust(w) for cell, w in zip(line, widths, strict=True)).rstrip() for line in lines]
    remedies = list(dict.fromkeys(v.remedy for v in violations if v.remedy))
    return "\n".join(text + [f"  -> {remedy}" for remedy in remedies])


def total(violations: Sequence[Violation]) -> str:
    """`1 rule is broken` or `n rules are broken`."""
    return "1 rule is broken" if len(violations) == 1 else f"{len(violations)} rules are broken"


def _rows(violation: Violation) -> str:
    shown = violation.rows[:8]
    return ", ".join(map(str, shown)) + (", ..." if violation.count > len(shown) else "")
