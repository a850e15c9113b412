"""Types of the arrays that codecs take and give, and parts of such arrays put together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
Numbers = Floats | Ints  # numbers of a column, or moments in whole steps
Residuals = NDArray[np.float32]  # positions inside cells, in [0, 1)
Cells = pd.Series | Numbers  # the values of a column


def put_together(parts: Sequence[NDArray[Any]]) -> Ints:
    """Whole numbers of all parts, of which there may be none. **Shape**: (n_k,) each -> (sum of n_k,).

    Example:
        >>> put_together([]).shape, put_together([np.arange(2), np.arange(1)]).tolist()
        ((0,), [0, 1, 0])
    """
    return np.concatenate(parts).astype(np.int64) if parts else np.empty(0, dtype=np.int64)
