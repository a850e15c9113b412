"""Multiple testing: p-values of several tests adjusted for their number."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike


def holm(p_values: ArrayLike) -> list[float]:
    r"""Adjusted p-values of Holm's step-down method: with whatever dependence, a wrong rejection is as rare as claimed.

    The i-th smallest of k becomes $\max_{j \le i} \min(1, (k - j + 1) p_{(j)})$.

    **Shape**: (k,) -> k numbers in the same order; a nan is a test that was not made and stays nan, uncounted.

    Raises:
        ValueError: a p-value lies outside [0, 1], or they are no list.

    References:
        A Simple Sequentially Rejective Multiple Test Procedure (Holm, 1979).

    Example:
        >>> [round(p, 3) for p in holm([0.01, 0.04, 0.03])]
        [0.03, 0.06, 0.06]
    """
    p = np.asarray(p_values, dtype=float)
    if p.ndim != 1:
        msg = f"p-values must be a list of numbers; however: an array of {p.ndim} dimensions is given"
        raise ValueError(msg)
    made = np.flatnonzero(~np.isnan(p))
    if ((p[made] < 0) | (p[made] > 1)).any():
        msg = "p-values must lie between 0 and 1; however: at least one does not"
        raise ValueError(msg)
    order = made[np.argsort(p[made], kind="stable")]
    stepped = np.minimum(1.0, np.arange(len(order), 0, -1) * p[order])
    adjusted = np.full(len(p), np.nan)
    adjusted[order] = np.maximum.accumulate(stepped)
    return [float(each) for each in adjusted]
