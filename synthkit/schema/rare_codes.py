"""Catalogues of which most codes are too rare to be learned by themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from synthkit.schema.columns import Code, Column

if TYPE_CHECKING:
    import pandas as pd

MIN_ROWS_OF_COMMON_CODE = 5  # rows that must share a code for it to be learned by itself


def mostly_rare_codes(values: pd.Series, column: Column) -> tuple[int, int] | None:
    """How many codes are learned and how many there are, if fewer than half are; None otherwise, and for closed lists.

    Args:
        values: the cells.
        column: their kind.

    Example:
        >>> import pandas as pd
        >>> mostly_rare_codes(pd.Series(["A01"] * 5 + ["B02", "C03"]), Code())
        (1, 3)
    """
    if not isinstance(column, Code) or column.levels is not None:
        return None
    counts = np.asarray(values.value_counts(sort=False))
    kept = int((counts >= MIN_ROWS_OF_COMMON_CODE).sum())
    return (kept, len(counts)) if 2 * kept < len(counts) else None


def rare_codes_note(name: str, kept: int, codes: int) -> str:
    """What becomes of such a column, in words.

    Example:
        >>> rare_codes_note("diag", 12, 190)
        '`diag`: 12 of 190 codes are learned; each other one, in fewer than 5 rows, counts as its nearest relative'
    """
    others = f"each other one, in fewer than {MIN_ROWS_OF_COMMON_CODE} rows, counts as its nearest relative"
    return f"`{name}`: {kept:,} of {codes:,} codes {'is' if kept == 1 else 'are'} learned; {others}"
