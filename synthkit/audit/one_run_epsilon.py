"""What guesses about many units at once, after one run, say of the loss: a lower bound of epsilon."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from synthkit.audit.lower_bounds import CONFIDENCE
from synthkit.errors import ConfigError

HIGHEST = 60.0  # no epsilon is looked for beyond: a guess is right with probability 1 - 1e-26 there


def epsilon_of_guesses(right: int, guesses: int, canaries: int, delta: float, confidence: float = CONFIDENCE) -> float:
    r"""Largest epsilon at which so many right guesses would be too lucky.

    Each of m canaries takes part if its own fair coin says so; after the run somebody guesses some of the coins. If the
    run is $(\epsilon, \delta)$-DP, then with $S \sim \mathrm{Bin}(r, e^\epsilon / (1 + e^\epsilon))$ the number W of
    right ones among r guesses obeys

    $P[W \ge v] \le P[S \ge v] + 2 m \delta \max_i P[v > S \ge v - i] / i$.

    Args:
        right: guesses that were right.
        guesses: how many were made; that number must not depend on which are right.
        canaries: m, of which coins were thrown.
        delta: at which the loss is stated.
        confidence: with which the bound is not too high.

    Returns:
        The bound, 0 where nothing is shown.

    Raises:
        ConfigError: the numbers do not rise from right guesses over guesses to canaries, or no guess was made.

    References:
        Steinke, Nasr, Jagielski: Privacy auditing with one (1) training run (2023).

    Example:
        >>> 3 < epsilon_of_guesses(500, 500, 500, 1e-9) < 5
        True
        >>> epsilon_of_guesses(250, 500, 500, 1e-9)
        0.0
    """
    if not 0 <= right <= guesses <= canaries or guesses < 1:
        msg = (
            f"right guesses must be among the guesses, and these among the canaries; however: {right}, {guesses} and "
            f"{canaries} came. Count them again"
        )
        raise ConfigError(msg)
    low, high = 0.0, HIGHEST
    if _luck(right, guesses, canaries, low, delta) > 1 - confidence:
        return 0.0
    while high - low > 1e-6:
        middle = (low + high) / 2
        if _luck(right, guesses, canaries, middle, delta) > 1 - confidence:
            high = middle
        else:
            low = middle
    return low


def _luck(right: int, guesses: int, canaries: int, epsilon: float, delta: float) -> float:
    """How often so many guesses or more are right at most, at an epsilon."""
    law = stats.binom(guesses, 1 / (1 + math.exp(-epsilon)))
    beyond = float(law.sf(right - 1))
    fewer: NDArray[np.float64] = law.sf(right - 1 - np.arange(1, right + 1)) - beyond
    slip = float((fewer / np.arange(1, right + 1)).max(initial=0.0))
    return beyond + 2 * canaries * delta * slip
