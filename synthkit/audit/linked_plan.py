"""How far the whole plan of a fit of linked tables tells two tiny hospitals apart that differ by one patient."""

from __future__ import annotations

import math
from collections import defaultdict

import numpy as np
from numpy.typing import NDArray

from synthkit.audit.audit_result import AuditResult, of_estimate
from synthkit.audit.linked_fits import OpenAccess, audited_fit, shipped_model
from synthkit.audit.overheard_answers import HeardAnswer
from synthkit.audit.tiny_hospital import TINY_BOUNDS, below, tiny_hospital, tiny_patient
from synthkit.privacy.accounting.budget import Budget
from synthkit.privacy.accounting.events import ReportNoisyMax, StackedGaussian
from synthkit.privacy.accounting.normal_noise import is_normal
from synthkit.privacy.mechanisms.noise import add_noise

PLAN_BUDGET = Budget(epsilon=1.0, delta=1e-5, unit="patients")
MANY_PATIENTS, HEAVY_SHARE = 2_000, 0.16  # so many that a clip is found below the rows of those who have many

Odds = NDArray[np.float64]


def plan(open_access: OpenAccess, trials: int) -> tuple[AuditResult, ...]:
    r"""The noise of a fit of `marginal` at epsilon 1, with and without one patient whose rows reach every clip.

    The fit with the patient is given the answers of that without, so that both ask the same; then the noise of each
    answer is drawn anew so many times.

    The score of a draw is the logarithm of how much likelier all its noisy counts are with the patient than without,
    summed over all answers of all tables: $\sum_q \langle x_q - a_q, b_q - a_q \rangle / \sigma_q^2$, and no test can
    be better. It is normal, and $\mu$ is the distance of its two means in standard deviations, with a standard error
    of $\sqrt{2 / n + \mu^2 / 4 n}$; with the exact distance, $\sum_q |b_q - a_q|^2 / \sigma_q^2$, in the place of
    that of the draws, of $\mu / \sqrt{4 n}$. What is claimed is $\mu = \sqrt{2 \rho}$ of the charges for normal noise:
    choices and noisy quantiles, which are bought by exponential mechanisms, tell less than they cost and are left out.

    Args:
        open_access: from tables and their ledger to the access.
        trials: draws of either hospital.

    References:
        Dong, Roth, Su: Gaussian differential privacy (2022). Bun, Steinke: Concentrated differential privacy (2016).
    """
    table = tiny_hospital(MANY_PATIENTS, heavy=HEAVY_SHARE)
    more = below([table, tiny_patient("x", TINY_BOUNDS["visits"], TINY_BOUNDS["labs"], level=2)])
    without = audited_fit(open_access, table, PLAN_BUDGET, shipped_model())
    joined = audited_fit(open_access, more, PLAN_BUDGET, shipped_model(), before=without.ear)
    pairs = [(a, b) for a, b in zip(without.answers, joined.answers, strict=True) if is_normal(a.spent)]
    odds: dict[str, Odds] = defaultdict(lambda: np.zeros((2, trials)))
    for old, new in pairs:
        odds[old.stage] += drawn_odds(old, new, trials)
    claims = {stage: math.sqrt(2 * without.charged(stage, normal=True)) for stage in odds}
    claim, every = math.hypot(*claims.values()), np.sum(list(odds.values()), axis=0)
    share = without.charged(normal=True) / without.reserve
    whole = f"whole plan at epsilon {PLAN_BUDGET.epsilon:g}, {share:.0%} of its rho normal noise"
    exact = math.fsum(float(log_odds_weights(*pair) @ moved_cells(*pair)) for pair in pairs)
    return (
        *(of_estimate(stage, "mu", claims[stage], *mu_estimated(each)) for stage, each in odds.items()),
        of_estimate(whole, "mu", claim, *mu_estimated(every)),
        of_estimate("whole plan, exact distance over drawn noise", "mu", claim, *mu_estimated(every, exact)),
    )


def moved_cells(old: HeardAnswer, new: HeardAnswer) -> NDArray[np.int64]:
    """By how much a patient moves the cells that move. **Shape**: -> (cells that move,)."""
    by = (new.exact - old.exact).ravel()
    return np.asarray(by[by != 0], dtype=np.int64)


def log_odds_weights(old: HeardAnswer, new: HeardAnswer) -> NDArray[np.float64]:
    """What one count more of each cell that moves adds to the log-odds. **Shape**: -> (cells that move,)."""
    spent = old.spent
    sigma = (
        spent.noise_multiplier * old.norm if isinstance(spent, StackedGaussian) else getattr(spent, "sigma", math.inf)
    )
    return np.asarray(moved_cells(old, new) / sigma**2)


def drawn_odds(old: HeardAnswer, new: HeardAnswer, trials: int) -> Odds:
    """Log-odds of so many draws of one noisy answer without a patient, and with one. **Shape**: -> (2, trials)."""
    here, weight = np.flatnonzero((new.exact - old.exact).ravel()), log_odds_weights(old, new)
    out = np.zeros((2, trials))
    for k, each in enumerate((old, new)):
        assert not isinstance(each.spent, ReportNoisyMax)
        exact = np.tile(each.exact.ravel()[here], (trials, 1))
        noisy = add_noise(exact, each.spent, each.norm).values
        out[k] = (noisy - old.exact.ravel()[here]) @ weight
    return out


def mu_estimated(odds: Odds, exact: float | None = None) -> tuple[float, float]:
    """Distance of the means of two normal laws in standard deviations, and its standard error. **Shape**: (2, n).

    Args:
        odds: draws of both.
        exact: the distance of their means, if it is known.

    Example:
        >>> mu, error = mu_estimated(np.random.default_rng(1).normal([[0.0], [0.5]], 1.0, (2, 40_000)))
        >>> round(mu, 2), round(error, 3)
        (0.51, 0.007)
    """
    spread, n = math.sqrt(float(odds.var(axis=1, ddof=1).mean())), odds.shape[1]
    far = float(odds[1].mean() - odds[0].mean()) if exact is None else exact
    mu = far / spread if spread > 0 else 0.0
    return mu, math.sqrt((0 if exact is not None else 2 / n) + mu**2 / (4 * n))
