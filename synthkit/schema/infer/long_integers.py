"""Whole numbers of more digits than a number of 64 bits holds: keys and codes, as a rule, and no quantities."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from numpy.typing import NDArray

MAX_EXACT_FLOAT = 2**53  # from here on floats do not tell whole numbers apart
_MAX_FLOAT_DIGITS, _MAX_PARSED_DIGITS = 15, 309  # digits that a float always holds; of the largest float


def inexact_integers(values: pd.Series) -> NDArray[np.bool_]:
    """Where a cell is a whole number, or the text of one, that no float of 64 bits equals. **Shape**: (n,) -> (n,).

    Example:
        >>> inexact_integers(pd.Series([2**53, 2**53 + 1, 2**53 + 2])).tolist()
        [False, True, False]
        >>> inexact_integers(pd.Series(["7", "9007199254740993"])).tolist()
        [False, True]
    """
    found = np.zeros(len(values), dtype=bool)
    if pd.api.types.is_integer_dtype(values.dtype):
        beyond = ((values > MAX_EXACT_FLOAT) | (values < -MAX_EXACT_FLOAT)).fillna(False).to_numpy(dtype=bool)
        found[beyond] = [_unequal(int(cell)) for cell in values[beyond]]
    elif pd.api.types.is_object_dtype(values.dtype) or pd.api.types.is_string_dtype(values.dtype):
        found[:] = [_long(cell) for cell in values]
    return found


def _long(cell: object) -> bool:
    if isinstance(cell, str):
        digits = cell.strip().removeprefix("-")
        whole = len(digits) > _MAX_FLOAT_DIGITS and digits.isascii() and digits.isdigit()
        return whole and (len(digits) > _MAX_PARSED_DIGITS or _unequal(int(digits)))
    return isinstance(cell, int) and _unequal(cell)


def _unequal(number: int) -> bool:
    try:
        return abs(number) > MAX_EXACT_FLOAT and int(float(number)) != number
    except OverflowError:
        return True
