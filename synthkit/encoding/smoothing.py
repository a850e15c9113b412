"""Shares of levels, smoothed so that none is impossible and levels that nobody has weigh next to nothing."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def log_shares(counts: NDArray[Any]) -> NDArray[np.float32]:
    """Log of smoothed shares: log((c + e) / sum), e = min(0.1, 1 / u) where u levels have no row.

    So levels that nobody has share at most one count, however many are declared. **Shape**: (K,) -> (K,).

    Example:
        >>> round(float(np.exp(log_shares(np.array([99] + [0] * 10_000)))[1:].sum()), 2)
        0.01
    """
    exact = np.asarray(counts, dtype=np.float64)
    smooth = exact + min(0.1, 1 / max(1, int((exact == 0).sum())))
    return np.asarray(np.log(smooth / smooth.sum()), dtype=np.float32)
