"""What an audit found, one line for each thing it looked at; how it was found lies in the files beside."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

from scipy import stats

from synthkit.audit.lower_bounds import CONFIDENCE, TIGHT_SHARE, LossBound
from synthkit.audit.noise_freshness import Freshness
from synthkit.audit.poisson_batches import FLAKE, BatchCheck

Verdict = Literal["holds", "broken", "loose"]
CLOSE_SHARE = 0.9  # of a claim that an estimate of what is lost must reach


@dataclass(frozen=True, kw_only=True)
class AuditResult:
    """One thing an audit looked at.

    Args:
        what: what was looked at.
        measure: what was measured: mu, epsilon, delta, a p-value, a norm, a distance, or how often noise came twice.
        limit: what the claim is: the measured figure is to be at most, at least, or between .8 (a lower bound) or .9
            (an estimate) and 1 of `claimed`.
        claimed: by theory.
        measured: by experiment.
        verdict: `holds`; `broken`, more is lost than claimed; `loose`, so much less that a claim was overpaid.
        error: standard error of `measured` where that is an estimate; None where it is a bound, or exact.

    Example:
        >>> print(of_finding(LossBound(what="gaussian", measure="mu", claim=1.0, measured=0.91)))
        gaussian: mu between 0.8 and 1 claimed, 0.91 measured: holds
    """

    what: str
    measure: str
    limit: Literal["at most", "at least", "between"]
    claimed: float
    measured: float
    verdict: Verdict
    error: float | None = None

    def __str__(self) -> str:
        return f"{self.what}: {self.measure} {self.claim} claimed, {self.found} measured: {self.verdict}"

    @property
    def found(self) -> str:
        """What was measured, in words."""
        return f"{self.measured:.3g}" + ("" if self.error is None else f" (standard error {self.error:.2g})")

    @property
    def claim(self) -> str:
        """The claim in words."""
        if self.limit == "between":
            share = TIGHT_SHARE if self.error is None else CLOSE_SHARE
            return f"between {share * self.claimed:.3g} and {self.claimed:.3g}"
        return f"{self.limit} {self.claimed:.3g}"

    @property
    def holds(self) -> bool:
        """Whether the claim holds, from both sides."""
        return self.verdict == "holds"

    def to_dict(self) -> dict[str, Any]:
        """Plain data."""
        return asdict(self)


def of_finding(found: LossBound, what: str | None = None) -> AuditResult:
    """A lower bound of a loss, which must not exceed the claim, nor stay far below it where the audit is tight."""
    return AuditResult(
        what=what or found.what,
        measure=found.measure,
        limit="between" if found.tight else "at most",
        claimed=found.claim,
        measured=found.measured,
        verdict=found.verdict,
    )


def of_check(check: BatchCheck) -> AuditResult:
    """A p-value, which chance must not make that small."""
    return AuditResult(
        what=check.what,
        measure="p-value",
        limit="at least",
        claimed=FLAKE,
        measured=check.p_value,
        verdict=check.verdict,
    )


def of_freshness(told: Freshness) -> AuditResult:
    """Whether two processes drew the same."""
    return AuditResult(
        what=told.what,
        measure="draws that came twice",
        limit="at most",
        claimed=0.0,
        measured=float(told.repeated),
        verdict=told.verdict,
    )


def bounded(what: str, measure: str, claimed: float, measured: float) -> AuditResult:
    """A figure that must not exceed what is claimed; what is not a number does."""
    verdict: Verdict = "holds" if measured <= claimed else "broken"
    return AuditResult(what=what, measure=measure, limit="at most", claimed=claimed, measured=measured, verdict=verdict)


def of_estimate(what: str, measure: str, claimed: float, measured: float, error: float) -> AuditResult:
    """An estimate of a loss, which must lie between .9 of the claim and the claim, but for chance.

    Example:
        >>> print(of_estimate("plan", "mu", 0.25, 0.245, 0.007))
        plan: mu between 0.225 and 0.25 claimed, 0.245 (standard error 0.007) measured: holds
    """
    slack = float(stats.norm.ppf(CONFIDENCE)) * error
    verdict: Verdict = "holds"
    if not measured - slack <= claimed:
        verdict = "broken"
    elif measured + slack < CLOSE_SHARE * claimed:
        verdict = "loose"
    return AuditResult(
        what=what, measure=measure, limit="between", claimed=claimed, measured=measured, verdict=verdict, error=error
    )
