"""An audit as a value: a mechanism, the experiment it is held against, and how often that is repeated."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from synthkit.audit.audit_result import AuditResult

M = TypeVar("M")


@dataclass(frozen=True, kw_only=True)
class Audit(Generic[M]):
    """An experiment that a mechanism must pass, and every broken twin of it must not.

    Args:
        about: what is held against what, in a sentence without its end.
        ours: the mechanism as it is shipped.
        experiment: takes a mechanism and a number of trials.
        trials: how many are worth their time.
        quick: how many are enough to tell twins apart.
    """

    about: str
    ours: M
    experiment: Callable[[M, int], tuple[AuditResult, ...]]
    trials: int
    quick: int

    def run(self, *, quick: bool = False) -> tuple[AuditResult, ...]:
        """The experiment on what is shipped."""
        return self.experiment(self.ours, self.quick if quick else self.trials)

    def run_on(self, twin: M) -> tuple[AuditResult, ...]:
        """The quick experiment on something else in its place."""
        return self.experiment(twin, self.quick)
