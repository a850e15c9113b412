"""Audits of the mechanisms on tables that differ by one unit, where the difference shows most.

Each takes the function that draws, so that a broken one can be put in its place.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import stats
from torch import Tensor

from synthkit.audit.lower_bounds import CONFIDENCE, LossBound, delta_seen, epsilon_seen, mu_seen
from synthkit.privacy.accounting.events import (
    DiscreteGaussian,
    DiscreteLaplace,
    Gaussian,
    ReportNoisyMax,
    SparseHistogram,
)
from synthkit.privacy.mechanisms.bounds import Bounds, LogBounds
from synthkit.privacy.mechanisms.noise import Noise, NoisyAnswer, add_noise, choose
from synthkit.privacy.mechanisms.quantiles import Edges, Quantiles
from synthkit.privacy.mechanisms.rng import gaussian
from synthkit.privacy.mechanisms.sparse_histogram import NoisyLevels, tell_levels

RIVALS = 10  # candidates that lose where one wins: the more, the nearer to the worst case

Counts = NDArray[np.int64]
Values = NDArray[np.float64]


def audit_counts(
    spent: Noise, draw: Callable[[Counts, Noise], NoisyAnswer] = add_noise, *, trials: int = 30_000
) -> LossBound:
    """Counts of zeros against counts that one unit has moved as far as it may; the sum over its cells is the score.

    The discrete Laplace law is measured in epsilon = change / scale. The discrete normal law is measured in mu: its
    claim is the largest mu of any threshold on the sum, from the exact law, which for small sigma is a little more than
    change sqrt(cells) / sigma.

    Args:
        spent: the noise as claimed.
        draw: the mechanism.
        trials: draws of each table, at least 2.
    """
    cells = spent.cells if isinstance(spent, DiscreteGaussian) else 1
    tables = (np.zeros((trials, cells), np.int64), np.full((trials, cells), spent.change, np.int64))
    without, joined = (draw(table, spent).values.sum(axis=1) for table in tables)
    if isinstance(spent, DiscreteLaplace):
        claim = spent.change / spent.scale
        return LossBound(what=spent.kind, measure="epsilon", claim=claim, measured=epsilon_seen(without, joined))
    return LossBound(what=spent.kind, measure="mu", claim=mu_of(spent), measured=mu_seen(without, joined))


def mu_of(spent: DiscreteGaussian) -> float:
    """Largest mu that a threshold on the sum of the cells one unit moves can show, by convolution of the law.

    Example:
        >>> from synthkit.audit.noise_audits import mu_of
        >>> [round(mu_of(DiscreteGaussian(sigma=sigma)), 2) for sigma in (1, 10)]
        [1.05, 0.1]
    """
    far = math.ceil(12 * spent.sigma) + spent.change
    weights = np.exp(-0.5 * (np.arange(-far, far + 1) / spent.sigma) ** 2)
    law = weights / weights.sum()
    total = law
    for _ in range(spent.cells - 1):
        total = np.convolve(total, law)
    beyond = total[::-1].cumsum()[::-1]
    moved = spent.change * spent.cells
    p, q = beyond[:-moved], beyond[moved:]
    some = (q > 1e-9) & (p < 1 - 1e-9)
    least = spent.change * math.sqrt(spent.cells) / spent.sigma
    return float((stats.norm.ppf(p[some]) - stats.norm.ppf(q[some])).max(initial=least))


def audit_gradients(
    spent: Gaussian, draw: Callable[[tuple[int, ...], float], Tensor] = gaussian, *, trials: int = 200_000
) -> LossBound:
    """A sum of gradients of norm 0 against one of norm `sensitivity`, in mu = sensitivity / sigma."""
    without, joined = (draw((trials,), spent.sigma).numpy() + moved for moved in (0.0, spent.sensitivity))
    claim = spent.sensitivity / spent.sigma
    return LossBound(what=spent.kind, measure="mu", claim=claim, measured=mu_seen(without, joined))


def audit_choice(
    spent: ReportNoisyMax, draw: Callable[[Values, ReportNoisyMax], NoisyAnswer] = choose, *, trials: int = 10_000
) -> LossBound:
    """Equal scores against one that is raised where all others are lowered, for a first pick.

    The bound of theory is reached with infinitely many candidates only: upper side.
    """
    equal = np.zeros(RIVALS + 1)
    unequal = np.where(np.arange(RIVALS + 1) == 0, spent.sensitivity, -spent.sensitivity)
    without, joined = (
        np.array([draw(scores, spent).values[0] == 0 for _ in range(trials)], np.int64) for scores in (equal, unequal)
    )
    claim = spent.width * spent.picks
    measured = epsilon_seen(without, joined)
    return LossBound(what=spent.kind, measure="epsilon", claim=claim, measured=measured, tight=False)


def audit_levels(
    spent: SparseHistogram,
    draw: Callable[[Sequence[str], Counts, SparseHistogram], NoisyLevels] = tell_levels,
    *,
    trials: int = 100_000,
) -> tuple[LossBound, LossBound]:
    """A level of nobody against one of a single unit (delta), and a level at the threshold with a unit less (mu).

    A delta of .01 or so is needed to see anything: audit an exaggerated one.
    """
    names = [str(k) for k in range(trials)]
    rare = draw(names, np.ones(trials, np.int64), spent)
    delta = LossBound(
        what=spent.kind, measure="delta", claim=spent.failure, measured=delta_seen(len(rare.names), trials)
    )
    scores = []
    for count in (spent.threshold - 1, spent.threshold):
        told = draw(names[: trials // 3], np.full(trials // 3, count, np.int64), spent)
        score = np.zeros(trials // 3, np.int64)
        score[[int(name) for name in told.names]] = told.counts
        scores.append(score)
    claim = mu_of(DiscreteGaussian(sigma=spent.sigma))
    return delta, LossBound(what=spent.kind, measure="mu", claim=claim, measured=mu_seen(scores[0], scores[1]))


def audit_bounds(grid: LogBounds, draw: Callable[[Values], Bounds] | None = None, *, trials: int = 3_000) -> LossBound:
    """One large number more: where there was none, and where the largest cell was one short of counting.

    Upper side: which cells count says less than their counts.
    """
    draw = draw or grid.draw
    most, noise = float(grid.edges[-1]), grid.noise
    confidence = 1 - (1 - CONFIDENCE) / 2
    seen, measured = mu_seen if isinstance(noise, DiscreteGaussian) else epsilon_seen, 0.0
    for large in (0, grid.level - 1):
        table = np.concatenate([np.ones(10 * grid.level), np.full(large, most)])
        without, joined = (
            np.array([draw(values).high for _ in range(trials)]) for values in (table, np.append(table, most))
        )
        measured = max(measured, seen(without, joined, confidence))
    if isinstance(noise, DiscreteGaussian):
        return LossBound(what="bounds", measure="mu", claim=mu_of(noise), measured=measured, tight=False)
    return LossBound(what="bounds", measure="epsilon", claim=1 / noise.scale, measured=measured, tight=False)


def audit_quantiles(
    bins: Quantiles, draw: Callable[[Values], Edges] | None = None, *, trials: int = 10_000
) -> LossBound:
    """An odd table whose median lies between the lowest edge and all others, and the same with one small number more.

    Upper side: the bound is reached with infinitely many edges only, and for two parts.
    """
    draw = draw or bins.draw
    first = bins.grid[1]
    width = bins.grid[2] - first
    table = np.concatenate([np.full(20, bins.low), [first + width / 2], np.full(20, bins.high)])
    without, joined = (
        np.array([first in draw(values).values for _ in range(trials)], np.int64)
        for values in (table, np.append(table, bins.low))
    )
    measured = epsilon_seen(without, joined)
    return LossBound(what="quantiles", measure="epsilon", claim=bins.epsilon, measured=measured, tight=False)
