"""Grades of effect sizes of attacks against a limit, and the default limits."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Grade(StrEnum):
    """What an attack shows, held against a limit: to be told from chance is one thing, to be dangerous another."""

    NONE = "no evidence"
    BELOW = "detectable, below the limit"
    ABOVE = "above the limit"
    OPEN = "inconclusive"


GRADE_SIGNS: Mapping[Grade, str] = {Grade.NONE: "✓", Grade.BELOW: "✓", Grade.ABOVE: "✗", Grade.OPEN: "?"}


def grade(low: float, high: float, limit: float, *, detected: bool, doubt: bool = False) -> Grade:
    r"""The grade of an effect that lies between two bounds, both held with confidence 95 %.

    *Above* if $low > limit$. Else *inconclusive* unless $high < limit$ and nothing speaks against the evidence; what is
    left is *detectable* if it cannot be put down to chance, and *no evidence* if it can.

    Args:
        low: lower bound on the effect.
        high: upper bound on it; infinity or nan if there is none.
        limit: the most that is allowed.
        detected: whether chance alone would hardly show as much.
        doubt: whether something the evidence rests on does not hold.

    Example:
        >>> [grade(0.06, high, 1.0, detected=True).value for high in (0.4, 1.3)]
        ['detectable, below the limit', 'inconclusive']
    """
    if low > limit:
        return Grade.ABOVE
    if doubt or math.isnan(high) or not high < limit:
        return Grade.OPEN
    return Grade.BELOW if detected else Grade.NONE


@dataclass(frozen=True)
class Limit:
    """A limit on what attacks may reach.

    Args:
        value: the limit.
        source: who or what says so, in words.
    """

    value: float
    source: str


FORMAL_TIER_SOURCE = (
    "synthkit's own, for no policy sets one: the strongest of three tiers of formal promises, Ponomareva et al. 2023"
)
PUBLICATION_SOURCE = (
    "synthkit's own, for no policy sets one: what EMA policy 0070 and Health Canada take for publication"
)
DEFAULT_EFFECT_LIMITS: Mapping[str, Limit] = {  # where no policy says otherwise; docs/evaluation.md gives the reasons
    "membership": Limit(1.0, FORMAL_TIER_SOURCE),
    "attribute": Limit(0.09, PUBLICATION_SOURCE),
    "identity": Limit(0.09, PUBLICATION_SOURCE),
    "copying": Limit(0.001, "synthkit's own, where no policy says otherwise: a convention"),
}
