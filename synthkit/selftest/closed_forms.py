"""Closed forms and numbers that others published: no table, no chance."""

from __future__ import annotations

import numpy as np

from synthkit.metrics.attacks.epsilon_lower_bound import ceiling, epsilon_lower_bound
from synthkit.metrics.attacks.record_matching import linked
from synthkit.metrics.attacks.risk_difference import RiskDifference
from synthkit.metrics.stats import intervals
from synthkit.metrics.stats.multiple_testing import holm
from synthkit.metrics.stats.precision_recall import anonymity_loss, prc
from synthkit.metrics.utility.regression_effects import null_overlap
from synthkit.selftest.answers import Answer, equals_figure

LOWER_BOUND_CASES = (  # coins, guesses, right, delta, epsilon (Steinke, Nasr, Jagielski 2023, theorem 5.2)
    (1000, 100, 100, 0.0, 3.4930),
    (1000, 100, 90, 0.0, 1.6308),
    (1000, 1000, 600, 0.0, 0.2975),
    (1000, 1000, 1000, 1e-5, 5.7823),
    (5000, 500, 400, 1e-5, 1.1952),
    (1000, 1000, 500, 0.0, 0.0),
)


def closed_form_answers(rng: np.random.Generator) -> tuple[Answer, ...]:
    """Intervals, bounds, precision-recall and overlaps of which the values are known."""
    out = [
        equals_figure(f"epsilon from {v} of {r} guesses, {m} coins, delta {delta:g}", _bound(m, r, v, delta), epsilon)
        for m, r, v, delta, epsilon in LOWER_BOUND_CASES
    ]
    out += [
        equals_figure(f"epsilon if all of {r} are right", ceiling(r), e, off=5e-3)
        for r, e in ((20, 1.82), (1000, 5.81))
    ]
    low, high = intervals.wilson(23, 100)[1:]
    out += [
        equals_figure("Wilson 23/100, centre", (low + high) / 2, 0.2399882),
        equals_figure("half width", (high - low) / 2, 0.0815557),
    ]
    low, high = intervals.wilson(100, 100)[1:]
    out += [
        equals_figure("Wilson 100/100, centre", (low + high) / 2, 0.9815033),
        equals_figure("half width", (high - low) / 2, 0.0184967),
    ]
    at = intervals.newcombe(56, 70, 48, 80)
    out += [equals_figure("Newcombe 56/70 - 48/80, low", at.low, 0.0524), equals_figure("high", at.high, 0.3339)]
    for recall, value in ((1, 0.9), (0.1, 0.8859), (0.01, 0.7875)):
        out.append(equals_figure(f"precision 0.9 at recall {recall:g}", float(prc(0.9, recall)), value))
    out.append(equals_figure("anonymity loss from 0.5 to 0.75", anonymity_loss(0.75, 0.5), 0.5))
    inside = np.arange(200) < 100
    right = np.r_[np.arange(100) < 90, np.arange(100) < 80]
    out.append(equals_figure("excess 0.9 over 0.8, of what was left", RiskDifference.of(right, inside).normalised, 0.5))
    for k, value in enumerate((0.06, 0.06, 0.02, 0.07)):
        out.append(equals_figure(f"Holm, {k + 1} of four", holm([0.02, 0.03, 0.005, 0.07])[k], value, off=1e-12))
    for draws, value in ((1, 0.7965), (5, 0.909), (10, 0.9356), (200, 0.9856)):
        out.append(equals_figure(f"overlap of intervals expected, {draws} draws", null_overlap(draws), value, off=6e-4))
    return (*out, *_linkability())


def _bound(trials: int, guesses: int, right: int, delta: float) -> float:
    return epsilon_lower_bound(trials, guesses, right, delta=delta)


def _linkability() -> tuple[Answer, ...]:
    """Four people known by two columns, and four synthetic rows of equal values."""
    people, synthetic = ([0, 0, 4, 0], [0, 1, 9, 4]), [0, 1, 4, 9]
    nearest = [np.argsort(np.abs(np.subtract.outer(side, synthetic)), axis=1, kind="stable") for side in people]
    rows = np.arange(4)
    return tuple(
        equals_figure(
            f"share linked by {k} neighbours", linked(nearest[0][:, :k], nearest[1][:, :k], rows, rows).mean(), share
        )
        for k, share in ((1, 0.25), (2, 1.0))
    )
