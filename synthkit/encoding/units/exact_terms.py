"""Terms of sums that run through many units, such that no unit is in the rounding of another."""

from __future__ import annotations

import numpy as np

from synthkit.encoding.arrays import Bools, Floats

SUM_GRID = 2.0**24  # of parts of which terms are whole numbers: sums below 2^29 are exact in double precision


def exact_terms(x: Floats | Bools) -> Floats:
    """Numbers rounded to multiples of 2^-24, of which sums below 2^29 are exact.

    Where a unit's own sum is a difference of two running ones, it is then the same whoever stands before it.

    **Shape**: any -> the same.

    Args:
        x: small numbers.

    Example:
        >>> x = exact_terms(np.array([1e6, 0.1, 0.2]))
        >>> bool(x.cumsum()[2] - x[0] == x[1] + x[2])
        True
    """
    return np.asarray(np.round(np.asarray(x, dtype=np.float64) * SUM_GRID) / SUM_GRID)
