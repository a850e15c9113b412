"""Audits of noise, choices, batches and rows of units as results; the experiments lie in the files beside."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from synthkit.audit.audit_result import AuditResult, bounded, of_check, of_finding, of_freshness
from synthkit.audit.noise_audits import (
    audit_bounds,
    audit_choice,
    audit_counts,
    audit_gradients,
    audit_levels,
    audit_quantiles,
)
from synthkit.audit.noise_freshness import audit_freshness
from synthkit.audit.poisson_batches import audit_batches
from synthkit.audit.rows_per_unit import Keeper, audit_kept
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
from synthkit.privacy.mechanisms.rng import bernoulli, gaussian, order
from synthkit.privacy.mechanisms.sparse_histogram import NoisyLevels, sparse_histogram, tell_levels
from synthkit.privacy.mechanisms.unit_sampling import PoissonSampling, kept

NORMAL = (DiscreteGaussian(sigma=1.0), DiscreteGaussian(sigma=5.6, change=4, cells=2))
LAPLACE = (DiscreteLaplace(scale=1.0), DiscreteLaplace(scale=1.5, change=3))
GRADIENTS = (Gaussian(sensitivity=1.0, sigma=1.1), Gaussian(sensitivity=0.3, sigma=0.1))
CHOICE = ReportNoisyMax(sensitivity=0.5, scale=1.0)
SPARSE = sparse_histogram(sigma=1.0, delta=0.06)  # a delta that is seen often enough to be measured
GRID = LogBounds(noise=DiscreteLaplace(scale=1.0), smallest=-4, largest=8)
BINS = Quantiles(low=0, high=1, parts=2, epsilon=1.0, cells=11)
BATCH_SAMPLING_RATE, BATCH_UNITS = 0.02, 500
ROWS_OF_A_UNIT, MAX_ROWS_OF_A_UNIT = 5, 2

Counts = NDArray[np.int64]
Values = NDArray[np.float64]
Masks = Callable[[int, float, int], Iterator[NDArray[np.bool_]]]  # units, rate, steps
Draws = Mapping[str, Callable[[], object]]


def counts(draw: Callable[[Counts, Noise], NoisyAnswer], trials: int, laws: Sequence[Noise]) -> tuple[AuditResult, ...]:
    """Counts with noise, for each law of it."""
    return tuple(of_finding(audit_counts(law, draw, trials=trials), _named(law)) for law in laws)


def gradients(draw: Callable[[tuple[int, ...], float], Tensor], trials: int) -> tuple[AuditResult, ...]:
    """Noise on sums of gradients."""
    found = (audit_gradients(law, draw, trials=trials) for law in GRADIENTS)
    return tuple(of_finding(f, f"sigma {law.sigma:g}") for f, law in zip(found, GRADIENTS, strict=True))


def choices(draw: Callable[[Values, ReportNoisyMax], NoisyAnswer], trials: int) -> tuple[AuditResult, ...]:
    """The first pick of many."""
    return (of_finding(audit_choice(CHOICE, draw, trials=trials), "first pick"),)


def levels(
    draw: Callable[[Sequence[str], Counts, SparseHistogram], NoisyLevels], trials: int
) -> tuple[AuditResult, ...]:
    """Levels of one unit alone, and levels near the threshold."""
    delta, mu = audit_levels(SPARSE, draw, trials=trials)
    return of_finding(delta, "a level of one unit"), of_finding(mu, "a level near the threshold")


def limits(draw: Callable[[Values], Bounds], trials: int) -> tuple[AuditResult, ...]:
    """Bounds of a number."""
    return (of_finding(audit_bounds(GRID, draw, trials=trials), "upper bound"),)


def quantiles(draw: Callable[[Values], Edges], trials: int) -> tuple[AuditResult, ...]:
    """Edges of bins."""
    return (of_finding(audit_quantiles(BINS, draw, trials=trials), "median"),)


def poisson(units: int, rate: float, steps: int) -> Iterator[NDArray[np.bool_]]:
    """Batches as they are drawn in a training."""
    return PoissonSampling(rate=rate, steps=steps).masks(units)


def batches(masks: Masks, trials: int) -> tuple[AuditResult, ...]:
    """Batches of a training of so many steps."""
    return tuple(
        of_check(c)
        for c in audit_batches(np.stack(list(masks(BATCH_UNITS, BATCH_SAMPLING_RATE, trials))), BATCH_SAMPLING_RATE)
    )


def rows_of_a_unit(keep: Keeper, trials: int) -> tuple[AuditResult, ...]:
    """Rows of a unit that are used, of so many units."""
    largest, smallest, checks = audit_kept(keep, rows=ROWS_OF_A_UNIT, most=MAX_ROWS_OF_A_UNIT, trials=trials)
    return (
        bounded("most rows of a unit", "rows", MAX_ROWS_OF_A_UNIT, largest),
        bounded("rows of a unit left out", "rows", ROWS_OF_A_UNIT - MAX_ROWS_OF_A_UNIT, ROWS_OF_A_UNIT - smallest),
        *(of_check(check) for check in checks),
    )


def freshness(draws: Draws, trials: int) -> tuple[AuditResult, ...]:
    """Each draw by two copies of this process, so many times."""
    out = []
    for name, draw in draws.items():
        draw()  # what is built once is built before the copies are made
        told = [audit_freshness(name, lambda draw=draw: repr(draw())) for _ in range(trials)]  # type: ignore[misc]
        out.append(max((of_freshness(t) for t in told), key=lambda result: result.measured))
    return tuple(out)


def shipped_draws() -> Draws:
    """Every draw that touches real rows, long enough not to agree by chance."""
    zeros, ones = np.zeros(64, np.int64), np.full(64, 9, np.int64)
    names = [str(k) for k in range(64)]
    scores, nobody = np.zeros(64), np.zeros(0)
    return {
        "noise of gradients": lambda: gaussian((8,), 1.0).tolist(),
        "coins": lambda: bernoulli(200, 0.5).tolist(),
        "orders": lambda: order(50).tolist(),
        "batches": lambda: [mask.tolist() for mask in poisson(200, 0.5, 1)],
        "rows of units": lambda: kept(np.arange(200) // 2, 1).tolist(),
        "discrete normal noise": lambda: list(add_noise(zeros, DiscreteGaussian(sigma=9.0)).values),
        "discrete Laplace noise": lambda: list(add_noise(zeros, DiscreteLaplace(scale=9.0)).values),
        "choices": lambda: list(choose(scores, ReportNoisyMax(sensitivity=1.0, scale=1.0, picks=40)).values),
        "levels": lambda: list(tell_levels(names, ones, SparseHistogram(sigma=9.0, threshold=9)).counts),
        "bounds": lambda: [LogBounds(noise=DiscreteLaplace(scale=9.0)).draw(nobody).high for _ in range(30)],
        "quantiles": lambda: list(Quantiles(low=0, high=1, parts=64, epsilon=0.1).draw(nobody).values),
    }


def _named(law: Noise) -> str:
    if isinstance(law, DiscreteLaplace):
        return f"scale {law.scale:g}, change {law.change}"
    return f"sigma {law.sigma:g}, change {law.change}, {law.cells} cells"
