"""What a figure must be, what it is, and whether that agrees."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Answer:
    """One figure of which it is known what it must be.

    Args:
        what: the figure.
        expected: what it must be, in words.
        measured: what it is.
        holds: whether that agrees.
    """

    what: str
    expected: str
    measured: float | str
    holds: bool

    def __str__(self) -> str:
        shown = self.measured if isinstance(self.measured, str) else f"{self.measured:.4g}"
        return f"{self.what}: must be {self.expected}, is {shown}"


def equals_figure(what: str, measured: float, expected: float, *, off: float = 5e-5) -> Answer:
    """A figure known to so many digits.

    Example:
        >>> equals_figure("share", 0.23, 0.23).holds, equals_figure("share", 0.23, 0.24).holds
        (True, False)
    """
    return Answer(what=what, expected=f"{expected:g}", measured=measured, holds=abs(measured - expected) <= off)


def lies_within(what: str, measured: float, low: float, high: float = math.inf) -> Answer:
    """A figure between two limits, both allowed.

    Example:
        >>> str(lies_within("AUC", 0.7, 0.4, 0.6)), lies_within("AUC", 0.7, 0.4, 0.6).holds
        ('AUC: must be 0.4 to 0.6, is 0.7', False)
    """
    words = f"{low:g} or more" if math.isinf(high) else f"{low:g} to {high:g}"
    return Answer(what=what, expected=words, measured=measured, holds=low <= measured <= high)


def equals_word(what: str, measured: str, *expected: str) -> Answer:
    """A word."""
    return Answer(what=what, expected=" or ".join(expected), measured=measured, holds=measured in expected)


def interval_covers(what: str, low: float, high: float, value: float) -> Answer:
    """An interval that must hold a value."""
    return Answer(
        what=what,
        expected=f"an interval around {value:g}",
        measured=f"[{low:.3f}, {high:.3f}]",
        holds=low <= value <= high,
    )
