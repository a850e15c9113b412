"""How far two tables that differ by one unit can be told apart: lower bounds of what a mechanism really loses."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import stats

CONFIDENCE = 1 - 1e-4
TIGHT_SHARE = 0.8  # a tight audit must measure this share of the claim, or the noise is larger than was paid for
CUTS = 200  # thresholds that are tried

Scores = NDArray[np.float64] | NDArray[np.int64]
Bound = Callable[[NDArray[np.float64], NDArray[np.float64]], NDArray[np.float64]]
Verdict = Literal["holds", "broken", "loose"]


@dataclass(frozen=True, kw_only=True)
class LossBound:
    """What a mechanism claims to lose at most, and what it was seen to lose at least.

    Args:
        what: which mechanism.
        measure: mu of Gaussian differential privacy, epsilon, or delta.
        claim: upper bound by theory.
        measured: lower bound by experiment, too high with probability below 1 - `confidence`.
        confidence: of `measured`.
        tight: whether the experiment is the worst case, so that `measured` must come near the claim.
    """

    what: str
    measure: Literal["mu", "epsilon", "delta"]
    claim: float
    measured: float
    confidence: float = CONFIDENCE
    tight: bool = True

    @property
    def verdict(self) -> Verdict:
        """`broken`: more is lost than claimed. `loose`: a tight audit sees less than .8 of the claim."""
        if self.measured > self.claim:
            return "broken"
        return "loose" if self.tight and self.measured < TIGHT_SHARE * self.claim else "holds"


def at_least(hits: NDArray[np.int64], trials: int, miss: float) -> NDArray[np.float64]:
    """Lower Clopper-Pearson bounds of probabilities, each wrong with probability at most `miss`. **Shape**: (k,)."""
    bound = stats.beta.ppf(miss, hits, trials - hits + 1)
    return np.where(hits == 0, 0.0, bound)


def at_most(hits: NDArray[np.int64], trials: int, miss: float) -> NDArray[np.float64]:
    """Upper Clopper-Pearson bounds of probabilities, each wrong with probability at most `miss`. **Shape**: (k,)."""
    return 1 - at_least(trials - hits, trials, miss)


def mu_seen(without: Scores, joined: Scores, confidence: float = CONFIDENCE) -> float:
    r"""Lower bound of mu: $\Phi^{-1}(p) - \Phi^{-1}(q)$ for an event of probability at least p and at most q.

    **Shape**: (n,), (m,): scores of independent draws from a table and from the same table with one unit more.

    References:
        Dong, Roth, Su: Gaussian differential privacy (2022). Nasr, Hayes, Steinke, Balle, Tramèr, Jagielski, Carlini,
        Terzis: Tight auditing of differentially private machine learning (2023).
    """
    return _seen(without, joined, lambda p, q: stats.norm.ppf(p) - stats.norm.ppf(q), confidence)


def mu_of_odds(without: Scores, joined: Scores, confidence: float = CONFIDENCE) -> float:
    r"""Lower bound of mu by the event that the odds are in favour of the unit, which need not be chosen by looking.

    **Shape**: (n,), (m,): logarithms of how much likelier a draw is with the unit than without, of independent draws.

    Example:
        >>> from synthkit.audit.lower_bounds import mu_of_odds
        >>> rng = np.random.default_rng(1)
        >>> sure = mu_of_odds(rng.normal(-2, 2, 5000), rng.normal(2, 2, 5000))  # of normal noise with mu = 2
        >>> 1.7 < sure < 2
        True
    """
    miss = (1 - confidence) / 2
    zero = np.zeros(1)
    p = at_least(_hits(joined, zero, 1), len(joined), miss)
    q = at_most(_hits(without, zero, 1), len(without), miss)
    return max(0.0, float(stats.norm.ppf(p[0]) - stats.norm.ppf(q[0])))


def epsilon_seen(without: Scores, joined: Scores, confidence: float = CONFIDENCE, delta: float = 0.0) -> float:
    r"""Lower bound of epsilon: $\ln (p - \delta) - \ln q$ for an event of probability at least p and at most q.

    **Shape**: (n,), (m,): scores of independent draws from a table and from the same table with one unit more.

    References:
        Jagielski, Ullman, Oprea: Auditing differentially private machine learning (2020).

    Example:
        >>> from synthkit.audit.lower_bounds import epsilon_seen
        >>> apart = epsilon_seen(np.zeros(1000), np.ones(1000))
        >>> 3 < apart < 5
        True
    """

    def bound(p: NDArray[np.float64], q: NDArray[np.float64]) -> NDArray[np.float64]:
        with np.errstate(divide="ignore"):
            return np.asarray(np.log(np.maximum(p - delta, 0)) - np.log(q))

    return _seen(without, joined, bound, confidence)


def delta_seen(impossible: int, trials: int, confidence: float = CONFIDENCE) -> float:
    """Lower bound of the probability of what could not happen without the unit, seen `impossible` times."""
    return float(at_least(np.array([impossible]), trials, 1 - confidence)[0])


def _seen(without: Scores, joined: Scores, bound: Bound, confidence: float) -> float:
    """Best event on the one half of the draws, its bound on the other: the choice costs no confidence."""
    choice, proof = ((without[half::2], joined[half::2]) for half in (0, 1))
    cuts = np.unique(np.quantile(np.concatenate(choice), np.linspace(0, 1, CUTS), method="nearest"))
    events = [(sign, turned) for sign in (1, -1) for turned in (False, True)]
    tried = [_bounds(*choice, cuts, bound, confidence, *event) for event in events]
    best = int(np.argmax([found.max() for found in tried]))
    cut = cuts[[int(tried[best].argmax())]]
    return max(0.0, float(_bounds(*proof, cut, bound, confidence, *events[best])[0]))


def _bounds(
    without: Scores,
    joined: Scores,
    cuts: Scores,
    bound: Bound,
    confidence: float,
    sign: int,
    turned: bool,
) -> NDArray[np.float64]:
    """Bounds of the events score >= cut (sign 1) or <= cut (-1), likelier with the unit, or without it (turned)."""
    miss = (1 - confidence) / 2
    often, seldom = (without, joined) if turned else (joined, without)
    p = at_least(_hits(often, cuts, sign), len(often), miss)
    q = at_most(_hits(seldom, cuts, sign), len(seldom), miss)
    return bound(p, q)


def _hits(scores: Scores, cuts: Scores, sign: int) -> NDArray[np.int64]:
    ordered = np.sort(scores)
    if sign > 0:
        return len(ordered) - np.searchsorted(ordered, cuts, side="left")
    return np.searchsorted(ordered, cuts, side="right")
