"""A question to every row of a table that other tables answer, asked only where the columns it needs can be read."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from synthkit.schema.row_checks import RowCheck
from synthkit.schema.violations import Unchecked

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

BROKEN_ROWS = "correct the rows, or change the schema"


@dataclass(frozen=True)
class LinkedQuestion:
    """What must hold in every row of a table.

    Args:
        table: whose rows are asked.
        columns: columns of it that the rule speaks of.
        rule: what must hold, in words.
        needs: columns it takes to answer, by table.
        answer: where it holds. **Shape**: () -> (n,).
        remedy: what to do where it does not.
        hint: more to do, found out from the rows in which it does not hold.
    """

    table: str
    columns: tuple[str, ...]
    rule: str
    needs: Mapping[str, tuple[str, ...]]
    answer: Callable[[], NDArray[np.bool_]]
    remedy: str = BROKEN_ROWS
    hint: Callable[[NDArray[np.bool_]], str] | None = None

    def asked(self, unreadable: Collection[tuple[str, str]], absent: Collection[str]) -> RowCheck | Unchecked:
        """The answer, or why there is none.

        Args:
            unreadable: tables and columns whose cells could not be typed.
            absent: tables whose columns are not those of the schema, or that are not there.
        """
        lost = [name for name in self.needs if name in absent]
        if lost:
            return Unchecked(self.columns, self.rule, f"table `{lost[0]}` is absent or has other columns")
        bad = [f"{name}.{c}" for name, columns in self.needs.items() for c in columns if (name, c) in unreadable]
        if bad:
            return Unchecked(self.columns, self.rule, f"cells of `{bad[0]}` have the wrong type")
        holds = self.answer()
        more = "" if self.hint is None or holds.all() else self.hint(~holds)
        return RowCheck(self.columns, self.rule, f"{self.remedy}{more}", holds)
