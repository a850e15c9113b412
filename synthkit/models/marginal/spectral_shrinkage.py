"""Noisy tables of counts drawn towards independence: what is left of it after noise of a known size is its structure.

A table of two slots is its independent part and a remainder of few directions; noise has as much of every direction.
So singular values of the remainder that noise alone would reach are cut, and the others get what is best in the mean.
Noise is all that a table is told with, so this looks at no row and costs nothing.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray


def optimal_values(values: NDArray[np.float64], sigma: float, shape: tuple[int, int]) -> NDArray[np.float64]:
    r"""The best estimate, in squared error, of the singular values of a matrix that was told with normal noise.

    With m <= n rows and columns, beta = m / n and $y = s / (\sigma \sqrt n)$ it is
    $\eta(y) = \sqrt{(y^2 - \beta - 1)^2 - 4 \beta} / y$ where $y \geq 1 + \sqrt\beta$, and 0 below, where noise alone
    reaches.

    Args:
        values: singular values of the noisy matrix, not negative. **Shape**: (k,).
        sigma: standard deviation of the noise of each cell.
        shape: rows and columns of the matrix.

    Returns:
        **Shape**: (k,), none above its own noisy value.

    References:
        Gavish and Donoho, "Optimal Shrinkage of Singular Values", 2017.

    Example:
        >>> optimal_values(np.array([20.0, 2.5]), 1.0, (2, 2)).round(2).tolist()
        [19.8, 0.0]
        >>> optimal_values(np.array([20.0, 3.0]), 0.0, (2, 2)).tolist()
        [20.0, 3.0]
    """
    if not sigma:
        return values
    few, many = sorted(shape)
    beta, unit = few / many, sigma * math.sqrt(many)
    y = values / unit
    told = y > 1 + math.sqrt(beta)
    y = np.where(told, y, 1 + math.sqrt(beta))
    kept = np.sqrt(np.maximum((y * y - beta - 1) ** 2 - 4 * beta, 0)) / y
    return np.asarray(np.where(told, unit * kept, 0.0))


def shrunken(table: NDArray[np.float64], independent: NDArray[np.float64], sigma: float) -> NDArray[np.float64]:
    """A noisy table with the singular values of what it has beyond independence drawn in.

    Args:
        table: of two slots, as told. **Shape**: (K, L).
        independent: the product of its single slots. **Shape**: (K, L).
        sigma: standard deviation of the noise of each cell, 0 for none.

    Returns:
        **Shape**: (K, L).
    """
    left, values, right = np.linalg.svd(table - independent, full_matrices=False)
    kept = optimal_values(values, sigma, (table.shape[0], table.shape[1]))
    return np.asarray(independent + (left * kept) @ right)
