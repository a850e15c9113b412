"""Texts of plain numbers that come out written in another way: .80 as 0.80, and 5.63e+04 as 56300."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd

from synthkit.io.plain_columns import unpacked

_REFORMATTED_NUMBER = re.compile(r"-?(?:\.[0-9]+|[0-9]+\.|(?:[0-9]+\.?[0-9]*|\.[0-9]+)[eE][+-]?[0-9]+)", flags=re.ASCII)


def reformatted(stored: pd.Series) -> int:
    """How many cells are texts of numbers that leave out a digit beside the point, or have an exponent.

    What Python itself would write, such as 1e-07, is written so again. Numbers that are stored as such have no texts.

    Args:
        stored: cells as they came.

    Example:
        >>> reformatted(pd.Series([".80", "0.75", "5.63e+04", "7."])), reformatted(pd.Series([0.8, 56300.0]))
        (3, 0)
    """
    dtype = stored.dtype.categories.dtype if isinstance(stored.dtype, pd.CategoricalDtype) else stored.dtype
    if not (pd.api.types.is_object_dtype(dtype) or pd.api.types.is_string_dtype(dtype)):
        return 0
    counts = unpacked(stored).value_counts()
    odd = [
        isinstance(cell, str) and bool(_REFORMATTED_NUMBER.fullmatch(cell)) and repr(float(cell)) != cell
        for cell in counts.index
    ]
    return int(np.asarray(counts)[np.array(odd, dtype=bool)].sum())


def reformatted_note(cells: int) -> str:
    """What becomes of them, for the reader of a draft."""
    return f"{cells:,} cells have no digit before or behind the point, or an exponent: they come out as plain numbers"
