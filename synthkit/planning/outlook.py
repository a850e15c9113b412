"""What can be expected of a fit under a budget, as a value: figures, the model to take, and what to be warned of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from synthkit.planning.expected_error import ExpectedError
from synthkit.planning.simulation import Simulated

FORMAT = "synthkit-plan/1"
NOTHING = "Nothing was read and nothing was spent: every figure follows from the schema and from rows made up."


@dataclass(frozen=True, kw_only=True)
class Outlook:
    """What can be expected before anything is spent.

    Args:
        rows: rows of the table, as they were stated.
        units: units that are counted, one row of each.
        columns: columns that are learned.
        epsilon, delta: the budget.
        rho: what of it the counts may spend, in zero-concentrated differential privacy.
        bought: what nobody declared and must be bought first, in words.
        one: tables of one column under noise.
        two: tables of two columns under noise.
        alone: counts a level needs to be told apart from its noise; rarer ones are pooled.
        independent: a fit of an imagined table of independent columns; None if none was made.
        dependent: a fit of an imagined table of columns that depend on each other a little.
        model: the one to take.
        why: the reason.
        warnings: what makes the result meaningless, or nearly so; the remedy in each.
    """

    rows: int
    units: int
    columns: int
    epsilon: float
    delta: float
    rho: float
    bought: tuple[str, ...]
    one: ExpectedError
    two: ExpectedError
    alone: int
    independent: Simulated | None
    dependent: Simulated | None
    model: str
    why: str
    warnings: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """Plain data."""
        return {"format": FORMAT, **asdict(self)}

    def __str__(self) -> str:
        return "\n".join(
            [
                f"{self.units:,} units of {self.columns} columns at epsilon {self.epsilon:g}, delta {self.delta:.2g}",
                NOTHING,
                *([f"Bought first, as nobody declared it: {', '.join(self.bought)}."] if self.bought else []),
                "",
                "Error of tables, as mean total variation (0 none, 1 all wrong):",
                *_table(self),
                f"A level that fewer than about {self.alone:,} units have is told together with other rare ones.",
                "",
                f"Model: {self.model}. {self.why}",
            ]
        )


def _table(outlook: Outlook) -> list[str]:
    """One line for the tables of one column, one for those of two, and what independent columns would miss."""
    head = ["", "told", "noise expected"]
    lines = [
        ["one column", f"{outlook.one.tables:,}", told_share(outlook.one.error)],
        ["two columns", f"{outlook.two.tables:,}", told_share(outlook.two.error)],
    ]
    if outlook.dependent is not None and outlook.independent is not None:
        apart, tied = outlook.independent, outlook.dependent
        head += ["noise drawn", "fitted, independent", "fitted, dependent"]
        lines[0] += [told_share(tied.noise_one), told_share(apart.one), told_share(tied.one)]
        lines[1] += [told_share(tied.noise_two), told_share(apart.two), told_share(tied.two)]
        lines.append(
            [
                "two, if columns were taken for independent",
                "",
                "",
                "",
                told_share(apart.dependence),
                told_share(tied.dependence),
            ]
        )
    return aligned(head, lines)


def aligned(head: Sequence[str], lines: Sequence[Sequence[str]]) -> list[str]:
    """Lines of cells below each other under a head, the first cell of each to the left, all others to the right.

    Example:
        >>> aligned(["", "told"], [["one column", "7"]])
        ['            told', 'one column     7']
    """
    widths = [max(len(line[k]) for line in [head, *lines]) for k in range(len(head))]
    return [
        "  ".join(
            cell.ljust(w) if k == 0 else cell.rjust(w) for k, (cell, w) in enumerate(zip(line, widths, strict=True))
        )
        for line in [head, *lines]
    ]


def told_share(error: float) -> str:
    """An error as it is printed."""
    return "above 1" if error > 1 else f"{error:.4f}"
