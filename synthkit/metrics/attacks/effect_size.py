"""Effect size of the attacks of one kind: the worst of the kind, with both bounds."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from synthkit.metrics.attacks.effect_grade import Grade, grade

if TYPE_CHECKING:
    from synthkit.metrics.result import Evaluation, Score

LARGEST_EPSILON_OF_SHARE = 40.0  # no number of people could show a larger epsilon
EFFECT_TEST_LEVEL = 0.05  # of all tests of one kind together
SCORE_OF_STRATUM = {"all": "membership", "isolated": "membership.isolated"}  # of people, and how their scores begin
REIDENTIFICATION_SCORES = (
    "replicated_uniques",
    "disclosive.",
    "unique_exact_matches",
    "linkability.",
)  # ways of finding somebody again
NEEDED_IDENTITY_SCORES = frozenset(
    {"identity.unique_exact_matches", "identity.linkability.k1", "identity.replicated_uniques"}
)


@dataclass(frozen=True, kw_only=True)
class Effect:
    """The size of what attacks of one kind reach.

    Args:
        about: the score, the worst of its kind.
        value: the measurement; of membership, what is shown to be lost at least.
        low: lower bound, with confidence 95 %.
        high: upper bound.
        detected: whether chance alone would hardly show as much.
        doubt: what the evidence rests on and does not hold; empty if all holds.
        lacking: why nothing can be said; empty if something can.
        is_alarm: whether it can only show too much: nothing follows from what is not found.
    """

    about: str = ""
    value: float = math.nan
    low: float = math.nan
    high: float = math.nan
    detected: bool = False
    doubt: str = ""
    lacking: str = ""
    is_alarm: bool = False

    def against(self, limit: float) -> Grade | None:
        """Its grade; None if nothing was measured."""
        if self.lacking:
            return None
        high = -math.inf if self.is_alarm else self.high
        return grade(self.low, high, limit, detected=self.detected, doubt=bool(self.doubt))


def epsilon_of(share: float) -> float:
    r"""Epsilon at which so large a share of guesses about fair coins is right: $\ln(q / (1 - q))$, in [0, 40].

    Example:
        >>> [round(epsilon_of(q), 2) for q in (0.3, 0.5, 0.73, 1.0)]
        [0.0, 0.0, 0.99, 40.0]
    """
    return (
        LARGEST_EPSILON_OF_SHARE
        if share >= 1
        else min(LARGEST_EPSILON_OF_SHARE, math.log(max(share, 0.5) / (1 - max(share, 0.5))))
    )


def share_of(epsilon: float) -> float:
    r"""Share of guesses about fair coins that can be right at an epsilon: $e^\epsilon / (1 + e^\epsilon)$.

    Example:
        >>> [round(share_of(e), 2) for e in (0.0, 1.0, 2.0)]
        [0.5, 0.73, 0.88]
    """
    return 1 / (1 + math.exp(-epsilon))


def of_membership(evaluation: Evaluation) -> Effect:
    """Epsilon that guesses about everybody and about unusual people prove lost, and that the surest leave room for."""
    panel = evaluation.panels.get("membership")
    scores = {s.metric: s for s in evaluation.scores if s.metric.startswith("membership.")}
    proven = [scores.get(f"{start}.epsilon_lower_bound") for start in SCORE_OF_STRATUM.values()]
    there = [score for score in proven if score is not None]
    if panel is None or len(there) < len(proven):
        failures = _failed(evaluation, "membership")
        return Effect(lacking=f"no attack on membership was made{': ' + failures[0] if failures else ''}")
    if any(not math.isfinite(score.value) for score in there):
        return Effect(lacking=f"{there[0].metric} is not a number")
    most = max(there, key=lambda s: s.value)
    surest = [scores.get(f"{start}.surest") for start in SCORE_OF_STRATUM.values()]
    ends = [epsilon_of(score.high) for score in surest if score is not None]
    unsound = [check["name"] for check in panel["checks"] if not check["holds"]]
    if len(ends) < len(surest):
        unsound.append("the surest guesses were counted")
    return Effect(
        about=most.metric,
        value=most.value,
        low=most.value,
        high=max([most.value, *ends]) if len(ends) == len(surest) else math.inf,
        detected=min(panel["p"].values(), default=1.0) < EFFECT_TEST_LEVEL,
        doubt=f"what it rests on does not hold ({', '.join(unsound)})" if unsound else "",
    )


def of_attributes(evaluation: Evaluation) -> Effect:
    """The largest excess of secrets learned of members over those learned of people not in the data."""
    scores = [s for s in evaluation.scores if s.metric.startswith("attribute.") and s.metric.endswith(".excess")]
    return _worst(scores, "what is learned of secrets", _failed(evaluation, "attribute."))


def of_identities(evaluation: Evaluation) -> Effect:
    """The largest excess of members who are matched, disclosed, copied or linked over people not in the data."""
    scores = [s for s in evaluation.scores if s.metric.removeprefix("identity.").startswith(REIDENTIFICATION_SCORES)]
    scores = [s for s in scores if s.metric.startswith("identity.")]
    absent = NEEDED_IDENTITY_SCORES - {s.metric for s in scores}
    if absent:
        return Effect(lacking=f"{min(absent)} was not measured")
    failures = _failed(evaluation, "identity.linkability", "identity.disclosive")
    return _worst(scores, "who is found again", failures)


def of_copies(evaluation: Evaluation) -> Effect:
    """The share of people trained on who are copied, by the columns by which most is proven."""
    scores = [s for s in evaluation.scores if s.metric.startswith("copying.excess.")]
    failures = _failed(evaluation, "copying.excess")
    if failures or not scores:
        return Effect(lacking=f"copies of people were not counted{': ' + failures[0] if failures else ''}")
    most = max(scores, key=lambda s: (s.low, s.value))
    return Effect(
        about=most.metric,
        value=most.value,
        low=most.low,
        high=most.high,
        detected=most.low > 0,
        is_alarm=True,
    )


EFFECTS = {
    "membership": of_membership,
    "attribute": of_attributes,
    "identity": of_identities,
    "copying": of_copies,
}


def _worst(scores: Sequence[Score], label: str, failures: Sequence[str]) -> Effect:
    """The score with the largest upper end; detected if its interval or the smallest p of all is beyond chance."""
    if failures:
        return Effect(lacking=f"{label} could not be measured: {failures[0]}")
    if not scores:
        return Effect(lacking=f"{label} was not measured")
    most = max(scores, key=lambda s: (s.high, s.value))
    if not math.isfinite(most.value):
        return Effect(lacking=f"{most.metric} is not a number")
    detected = most.low > 0 or _by_chance(scores) < EFFECT_TEST_LEVEL
    return Effect(about=most.metric, value=most.value, low=most.low, high=most.high, detected=detected)


def _by_chance(scores: Iterable[Score]) -> float:
    """Probability, at most, that coins alone make the surest of several scores as sure (Bonferroni)."""
    found = [s.parts["p"] for s in scores if "p" in s.parts]
    return min([1.0, *(p * len(found) for p in found)])


def _failed(evaluation: Evaluation, *starts: str) -> list[str]:
    return [f"{f.metric}: {f.reason}" for f in evaluation.failures if f.metric.startswith(starts)]
