"""The distinct cells of a column as levels of a schema."""

from __future__ import annotations

import numpy as np
import pandas as pd

from synthkit.schema.columns import Level, level_key


def distinct_levels(present: pd.Series) -> list[Level]:
    """Distinct cells as levels, each once in the sense of `level_key`.

    Args:
        present: cells of which none is missing.

    Example:
        >>> distinct_levels(pd.Series([2.0, 2, 1.5, "x"], dtype=object))
        [2, 1.5, 'x']
    """
    once: dict[object, Level] = {}
    for value in pd.unique(present):
        once.setdefault(level_key(value), plain_level(value))
    return list(once.values())


def plain_level(value: object) -> Level:
    """A cell as a level of a schema: plain Python, whole floats as integers, anything odd as text."""
    if isinstance(value, bool | np.bool_):
        return bool(value)
    if isinstance(value, int | np.integer):
        return int(value)
    if isinstance(value, float | np.floating):
        return int(value) if float(value).is_integer() else float(value)
    return str(value)
