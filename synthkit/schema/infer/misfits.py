"""Cells that keep a column from being read as dates or numbers: how many there are, and what to do about them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal

import pandas as pd


@dataclass(frozen=True)
class Misfits:
    """Cells that are none of what all others of their column are.

    Args:
        are: what the others are.
        cells: how many are none.
        how: how the others are written, in words; empty for numbers.
    """

    are: Literal["moments", "numbers"]
    cells: int
    how: str = ""

    @property
    def seen(self) -> str:
        """What was seen, with a count and no cell."""
        written = f", written as {self.how}" * bool(self.how)
        return f"{self.cells:,} cells are no {self.are}, the others are{written}"

    @property
    def lost(self) -> str:
        """What becomes of the others meanwhile."""
        if self.are == "moments":
            return "real dates would be learned word by word, or as numbers most of which are no dates"
        return "real numbers would be learned word by word"

    @property
    def remedy(self) -> str:
        """What to do about them."""
        if self.are == "moments":
            return "correct these cells, or empty them, and draft again"
        return "correct these cells, or write numeric and list the texts that mean a missing cell under `missing`"

    @property
    def note(self) -> str:
        """A sentence for the reader of a draft.

        Example:
            >>> Misfits("numbers", 3).note.partition(":")[0]
            '3 cells are no numbers, the others are'
        """
        return f"{self.seen}: {self.lost}. {self.remedy[0].upper()}{self.remedy[1:]}"


def count_misfits(present: pd.Series, strange: Collection[str]) -> int:
    """How many cells are one of these texts, blanks around them aside.

    Example:
        >>> count_misfits(pd.Series([20210304, 0, 0]), {"0"})
        2
    """
    return int(present.astype(str).str.strip().isin(list(strange)).sum())
