"""How far the whole plan of a fit of linked tables tells two tiny hospitals apart that differ by one patient."""

from __future__ import annotations

import math
from collections import defaultdict

import numpy as np
from numpy.typing import NDArray

from synthkit.audit.audit_result import AuditResult, of_estimate
from synthkit.audit.linked_fits import AuditedFit, OpenAccess, audited_fit
from synthkit.audit.overheard_answers import HeardAnswer
from synthkit.audit.tiny_hospital import TINY_BOUNDS, below, tiny_hospital, tiny_patient
from synthkit.privacy.accounting.budget import Budget
from synthkit.privacy.accounting.events import StackedGaussian
from synthkit.privacy.accounting.normal_noise import is_normal
from synthkit.privacy.mechanisms.noise import add_noise

PLAN_BUDGET = Budget(epsilon=1.0, delta=1e-5, unit="patients")
MANY_PATIENTS, HEAVY_SHARE = 2_000, 0.16  # so many that a clip is found below the rows of those who have many

Odds = NDArray[np.float64]


def plan(open_access: OpenAccess, trials: int) -> tuple[AuditResult, ...]:
    r"""The noise of a plan at epsilon 1, drawn so often with and without one patient whose rows reach every clip.

    The score of a draw is the logarithm of how much likelier all its noisy counts are with the patient than without,
    summed over all answers of all tables: $\sum_q \langle x_q - a_q, b_q - a_q \rangle / \sigma_q^2$, and no test can
    be better. It is normal, and $\mu$ is the distance of its two means in standard deviations, with a standard error
    of $\sqrt{2 / n + \mu^2 / 4 n}$. What is claimed is $\mu = \sqrt{2 \rho}$ of the charges for normal noise: choices
    and noisy quantiles, which are bought by exponential mechanisms, tell less than they cost and are left out of both.

    Args:
        open_access: from tables and their ledger to the access.
        trials: draws of either hospital.

    References:
        Dong, Roth, Su: Gaussian differential privacy (2022). Bun, Steinke: Concentrated differential privacy (2016).
    """
    table = tiny_hospital(MANY_PATIENTS, heavy=HEAVY_SHARE)
    more = below([table, tiny_patient("x", TINY_BOUNDS["visits"], TINY_BOUNDS["labs"], level=2)])
    without = audited_fit(open_access, table, PLAN_BUDGET)
    joined = audited_fit(open_access, more, PLAN_BUDGET, before=without.ear)
    odds: dict[str, list[Odds]] = defaultdict(lambda: [np.zeros((2, trials))])
    for old, new in zip(without.answers, joined.answers, strict=True):
        if is_normal(old.spent):
            odds[old.stage].append(drawn_odds(old, new, trials))
    parts = {stage: np.sum(each, axis=0) for stage, each in odds.items()}
    share = without.charged(normal=True) / without.reserve
    found = [_estimated(each, without, trials, stage, stage) for stage, each in parts.items()]
    whole = f"whole plan at epsilon {PLAN_BUDGET.epsilon:g}, {share:.0%} of its rho normal noise"
    return (*found, _estimated(np.sum(list(parts.values()), axis=0), without, trials, whole, *parts))


def drawn_odds(old: HeardAnswer, new: HeardAnswer, trials: int) -> Odds:
    """Log-odds of so many draws of one noisy answer without a patient, and with one. **Shape**: -> (2, trials)."""
    by = (new.exact - old.exact).ravel()
    here, spent = np.flatnonzero(by), old.spent
    assert not hasattr(spent, "picks")
    sigma = (
        spent.noise_multiplier * old.norm if isinstance(spent, StackedGaussian) else getattr(spent, "sigma", math.inf)
    )
    weight = by[here] / sigma**2
    out = np.zeros((2, trials))
    for k, each in enumerate((old, new)):
        exact = np.tile(each.exact.ravel()[here], (trials, 1))
        noisy = add_noise(exact, each.spent, each.norm).values  # type: ignore[arg-type]
        out[k] = (noisy - old.exact.ravel()[here]) @ weight
    return out


def mu_estimated(odds: Odds) -> tuple[float, float]:
    """Distance of the means of two normal laws in standard deviations, and its standard error. **Shape**: (2, n).

    Example:
        >>> mu, error = mu_estimated(np.random.default_rng(1).normal([[0.0], [0.5]], 1.0, (2, 40_000)))
        >>> round(mu, 2), round(error, 3)
        (0.49, 0.007)
    """
    spread = math.sqrt(float(odds.var(axis=1, ddof=1).mean()))
    mu = float(odds[1].mean() - odds[0].mean()) / spread if spread > 0 else 0.0
    n = odds.shape[1]
    return mu, math.sqrt(2 / n + mu**2 / (4 * n))


def _estimated(odds: Odds, fit: AuditedFit, trials: int, what: str, *stages: str) -> AuditResult:
    measured, error = mu_estimated(odds)
    return of_estimate(what, "mu", math.sqrt(2 * fit.charged(*stages, normal=True)), measured, error)
