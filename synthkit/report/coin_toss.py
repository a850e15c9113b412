"""Classifier two-sample tests: how far an AUC lies from a coin toss, which is as good as it can be."""

from __future__ import annotations

from typing import NamedTuple

COIN = 0.5  # AUC of a classifier that cannot tell the two apart
NEARER_IS_BETTER = "nearer to 0.5 is better"


class CoinDistance(NamedTuple):
    """Distance of an AUC from a coin toss, with the interval of that distance."""

    value: float
    low: float
    high: float

    def holds(self, distance: float) -> bool:
        """Whether another distance lies within the interval, or nothing is told from a coin at all."""
        return self.low == 0.0 or self.low <= distance <= self.high


def is_classifier_test(metric: str) -> bool:
    """Whether a score is the AUC of telling synthetic from real, best at a coin toss.

    Example:
        >>> is_classifier_test("fidelity.labs.row_c2st"), is_classifier_test("utility.died.gap")
        (True, False)
    """
    return "c2st" in metric.rpartition(".")[2].split("_")


def coin_distance(value: float, low: float, high: float) -> CoinDistance:
    """How far an AUC and its interval lie from a coin toss: |AUC - 0.5|, on either side.

    Example:
        >>> coin_distance(0.25, 0.125, 0.625)
        CoinDistance(value=0.25, low=0.0, high=0.375)
    """
    ends = abs(low - COIN), abs(high - COIN)
    return CoinDistance(abs(value - COIN), 0.0 if low <= COIN <= high else min(ends), max(ends))
