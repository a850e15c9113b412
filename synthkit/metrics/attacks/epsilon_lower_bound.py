"""Lower bound on epsilon from membership guesses of a single training: what was lost at least."""

from __future__ import annotations

import math

import numpy as np
from scipy import special, stats

BOUND_CONFIDENCE = 0.95
LARGEST_EPSILON_SOUGHT = 40.0  # epsilons are sought up to here: no number of people could show more


def p_value(trials: int, guesses: int, right: int, *, epsilon: float = 0.0, delta: float = 0.0) -> float:
    r"""Probability, at most, of so many right guesses if the synthesizer were (epsilon, delta)-private.

    $P[B \ge v] + 2 m \delta \max_{1 \le i \le v} P[v > B \ge v - i] / i$ with $B \sim Bin(r, q)$ and
    $q = e^\epsilon / (1 + e^\epsilon)$.

    Args:
        trials: m, coins that were thrown.
        guesses: r, coins that were guessed; about the others nothing is said.
        right: v, guesses that were right.
        epsilon: 0 or more.
        delta: in [0, 1].

    Raises:
        ValueError: not 0 <= right <= guesses <= trials.

    References:
        Steinke, Nasr, Jagielski: Privacy auditing with one (1) training run (2023), theorem 5.2.

    Example:
        >>> round(p_value(1000, 10, 9), 4)
        0.0107
    """
    if not 0 <= right <= guesses <= trials:
        msg = f"right guesses must be at most guesses, and these at most trials; however: {right}, {guesses}, {trials}"
        raise ValueError(msg)
    q = special.expit(epsilon)
    tail = float(stats.binom.sf(right - 1, guesses, q))
    if delta == 0 or right == 0:
        return min(1.0, tail)
    below = stats.binom.cdf(right - 1, guesses, q)
    i = np.arange(1, right + 1)
    between = below - stats.binom.cdf(right - i - 1, guesses, q)
    return min(1.0, tail + 2 * trials * delta * float((between / i).max()))


def epsilon_lower_bound(
    trials: int, guesses: int, right: int, *, delta: float = 0.0, confidence: float = BOUND_CONFIDENCE
) -> float:
    r"""Largest epsilon that so many right guesses refute, 0 if none: with `confidence` the loss was more.

    Without delta this is $\operatorname{logit} B^{-1}(1 - c; v, r - v + 1)$, from the Clopper-Pearson bound of the
    share that was right; all of r right gives about $\ln(r / 3)$.

    Args:
        trials: coins that were thrown.
        guesses: coins that were guessed.
        right: guesses that were right.
        delta: with which the promise may fail; 0 for what promises nothing.
        confidence: of the statement, in (0, 1).

    References:
        Steinke, Nasr, Jagielski: Privacy auditing with one (1) training run (2023).

    Example:
        >>> [round(epsilon_lower_bound(1000, 100, v), 3) for v in (50, 90, 100)]
        [0.0, 1.631, 3.493]
    """
    level = 1 - confidence
    if p_value(trials, guesses, right, delta=delta) > level or guesses == 0:
        return 0.0
    if delta == 0:
        return max(0.0, float(special.logit(special.betaincinv(right, guesses - right + 1, level))))
    low, high = 0.0, LARGEST_EPSILON_SOUGHT
    while high - low > 1e-7:
        middle = (low + high) / 2
        refuted = p_value(trials, guesses, right, epsilon=middle, delta=delta) <= level
        low, high = (middle, high) if refuted else (low, middle)
    return low


def ceiling(guesses: int, confidence: float = BOUND_CONFIDENCE) -> float:
    """What could have been shown at most with so many guesses, all of them right.

    Example:
        >>> [round(ceiling(r), 2) for r in (20, 100, 1000)]
        [1.82, 3.49, 5.81]
    """
    return 0.0 if guesses < 1 else max(0.0, -math.log(math.expm1(-math.log(1 - confidence) / guesses)))
