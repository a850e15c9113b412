"""What a table breaks: one broken rule with its count and first rows, all of them as text, a whole validation."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from itertools import zip_longest
from typing import TYPE_CHECKING

import numpy as np

from synthkit.errors import SchemaError

if TYPE_CHECKING:
    from numpy.typing import NDArray

FORMAT = "synthkit-validation/1"
ROWS_SHOWN = 20
NO_MISSING_CELL = "no missing cell"  # the rule of columns that are not nullable


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


_CELL_LETTERS = 100  # of a line of a cell, which has more lines where it is longer


def listing(violations: Iterable[Violation]) -> str:
    """All violations as text: one line each, then each remedy once."""
    violations = tuple(violations)
    lines = [["column", "rule", "rows", "first row numbers"]]
    lines += [[", ".join(v.columns), v.rule, f"{v.count:,}" if v.count else "-", _rows(v)] for v in violations]
    broken = [[_in_lines(cell) for cell in line] for line in lines]
    widths = [max(len(part) for line in broken for part in line[k]) for k in range(4)]
    text = []
    for line in broken:
        for parts in zip_longest(*line, fillvalue=""):
            padded = (part.ljust(width) for part, width in zip(parts, widths, strict=True))
            text.append(f"  {'  '.join(padded)}".rstrip())
    remedies = list(dict.fromkeys(v.remedy for v in violations if v.remedy))
    return "\n".join(text + [f"  -> {remedy}" for remedy in remedies])


def _in_lines(cell: str) -> list[str]:
    return [cell] if len(cell) <= _CELL_LETTERS else textwrap.wrap(cell, _CELL_LETTERS, break_on_hyphens=False)


def total(violations: Sequence[Violation]) -> str:
    """`no rule is broken`, `1 rule is broken` or `n rules are broken`."""
    if not violations:
        return "no rule is broken"
    return "1 rule is broken" if len(violations) == 1 else f"{len(violations)} rules are broken"


def _rows(violation: Violation) -> str:
    shown = violation.rows[:8]
    return ", ".join(map(str, shown)) + (", ..." if 0 < len(shown) < violation.count else "")


@dataclass(frozen=True)
class Unchecked:
    """A rule that could not be checked, and why; never counted as kept."""

    columns: tuple[str, ...]
    rule: str
    reason: str


@dataclass(frozen=True)
class Checked:
    """How much was checked."""

    rows: int
    columns: int
    expectations: int


@dataclass(frozen=True)
class Validation:
    """What a table was held against and what it breaks; it never holds a value of the table.

    Args:
        checked: how much was checked.
        violations: every broken rule.
        unchecked: every rule that could not be checked.
    """

    checked: Checked
    violations: tuple[Violation, ...] = ()
    unchecked: tuple[Unchecked, ...] = ()

    @property
    def success(self) -> bool:
        """Whether every rule was checked and holds."""
        return not self.violations and not self.unchecked

    def to_json(self) -> str:
        """JSON text in the format `synthkit-validation/1`."""
        return json.dumps({"format": FORMAT, "success": self.success, **asdict(self)}, indent=1, ensure_ascii=False)

    def raise_if_failed(self) -> None:
        """Nothing, if every rule was checked and holds.

        Raises:
            SchemaError: listing every broken rule and every rule that could not be checked.
        """
        if not self.success:
            raise SchemaError(str(self))

    def __str__(self) -> str:
        size = f"{self.checked.rows:,} rows and {self.checked.columns} columns, {self.checked.expectations} rules"
        if self.success:
            return f"the table keeps its schema: {size} checked"
        parts = [f"the table must keep its schema; however ({size} checked): {total(self.violations)}"]
        if self.violations:
            parts.append(listing(self.violations))
        if self.unchecked:
            parts.append("could not check:")
            parts += [f"  {', '.join(u.columns)}  {u.rule}: {u.reason}" for u in self.unchecked]
        return "\n".join(parts)
