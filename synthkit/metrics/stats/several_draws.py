"""Means and intervals over several synthetic draws judged on the same test units."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from synthkit.metrics.stats import intervals

if TYPE_CHECKING:
    from numpy.typing import NDArray


def mean_of_draws(values: Sequence[float], replicates: Sequence[NDArray[np.float64]]) -> intervals.Interval:
    """Mean over m draws with its 95 % interval.

    Var = Var_bootstrap(mean over draws) + B / m, where B is the variance between draws. The test units are the same
    for all draws, so their share does not shrink with m. Of one draw: percentiles of the bootstrap.

    **Shape**: m values, m arrays (b,) of joint bootstrap replicates of the test units.

    Example:
        >>> mean_of_draws([1.0, 3.0], [np.array([1.0, 1.0]), np.array([3.0, 3.0])]).value
        2.0
    """
    if len(set(values)) == 1:
        return intervals.percentile_interval(values[0], replicates[0])
    return intervals.normal_interval(float(np.mean(values)), standard_error(values, replicates))


def one_fresh_draw(values: Sequence[float], replicates: Sequence[NDArray[np.float64]]) -> intervals.Interval:
    """95 % interval of what one further draw scores: Var = Var_bootstrap(mean over draws) + (1 + 1/m) B."""
    return intervals.normal_interval(float(np.mean(values)), standard_error(values, replicates, fresh=1))


def standard_error(values: Sequence[float], replicates: Sequence[NDArray[np.float64]], *, fresh: int = 0) -> float:
    """Square root of Var_bootstrap(mean over draws) + (fresh + 1/m) B; inf if fewer than two replicates are finite.

    Args:
        values: one a draw.
        replicates: one array (b,) a draw.
        fresh: further draws that are asked about, 0 or 1.
    """
    mean = np.mean(replicates, axis=0)
    finite = mean[np.isfinite(mean)]
    if len(finite) < 2:
        return float("inf")
    between = float(np.var(values, ddof=1)) if len(values) > 1 else 0.0
    return float(np.sqrt(finite.var(ddof=1) + (fresh + 1 / len(values)) * between))
