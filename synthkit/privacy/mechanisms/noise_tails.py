"""Tails of whole-numbered noise, summed exactly: thresholds trust neither an approximation nor a library."""

from __future__ import annotations

import math

import numpy as np


def laplace_tail(scale: float, k: int) -> float:
    r"""$P[Z \ge k] = a^k / (1 + a)$ with $a = e^{-1 / b}$ for discrete Laplace noise, k >= 1.

    Example:
        >>> round(laplace_tail(1.0, 14), 9)
        6.08e-07
    """
    return math.exp(-k / scale) / (1 + math.exp(-1 / scale))


def normal_tail(sigma: float, k: int) -> float:
    r"""$P[Z \ge k]$ for discrete normal noise, $P[Z = z] \propto e^{-z^2 / 2 \sigma^2}$, k >= 1.

    Example:
        >>> round(normal_tail(1.0, 3), 6)
        0.004567
    """
    far = math.ceil(12 * sigma) + k  # what lies beyond is below e^-72 of either sum
    weights = np.exp(-0.5 * (np.arange(1, far + 1) / sigma) ** 2)
    return float(weights[k - 1 :].sum() / (2 * weights.sum() + 1))
