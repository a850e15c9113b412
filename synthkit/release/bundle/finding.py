"""What a check of a bundle found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Outcome = Literal["holds", "unvouched", "broken"]


@dataclass(frozen=True)
class CheckResult:
    """One answer.

    Args:
        outcome: `holds`; `broken`, it does not; `unvouched`, nothing speaks against it, and it cannot be told here.
        words: what was found, in a sentence.
    """

    outcome: Outcome
    words: str


def holds(words: str) -> CheckResult:
    """It is as it should be."""
    return CheckResult("holds", words)


def unvouched(words: str) -> CheckResult:
    """Nothing speaks against it, and nothing here can vouch for it."""
    return CheckResult("unvouched", words)


def broken(words: str) -> CheckResult:
    """It is not as it should be."""
    return CheckResult("broken", words)
