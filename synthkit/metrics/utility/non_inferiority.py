"""Non-inferiority of training on synthetic rows: the gap, and a verdict from a margin."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

import numpy as np

from synthkit.io.json_types import JSON
from synthkit.metrics.result import REDRAWN_HIGH, Score
from synthkit.metrics.stats import intervals
from synthkit.metrics.stats.several_draws import mean_of_draws, one_fresh_draw

if TYPE_CHECKING:
    from numpy.typing import NDArray

T_OF_TWO = 4.303  # 97.5th centile of Student's t with the two degrees of freedom of three folds
DEFAULT_MARGIN = 0.05  # a convention, not a finding; a policy file states its own

Verdict = Literal["PASS", "FAIL", "INCONCLUSIVE", "WEAK REFERENCE"]
Measured = tuple[float, "NDArray[np.float64]"]


def verdict(low: float, high: float, margin: float = DEFAULT_MARGIN, *, redrawn: float | None = None) -> Verdict:
    """Whether a loss with the 95 % interval from `low` to `high` is smaller than `margin`.

    PASS if high < margin, FAIL if low > margin, otherwise INCONCLUSIVE: more test rows would tell. A loss that is not
    significant is no PASS, and one that is significant no FAIL; only the margin decides. If even `redrawn` is below 0
    the rows would be better than those they were learned from: what real rows reach was not reached, the reference is
    weak, and nothing is known of the loss.

    Args:
        low: lower end of the interval of the loss.
        high: upper end.
        margin: largest loss that does not matter, on the scale of the score; positive.
        redrawn: upper end if other rows of the same law had been trained on; `high` if not given.

    Raises:
        ValueError: the ends are in the wrong order, or the margin is not positive.

    References:
        Reporting of Noninferiority and Equivalence Randomized Trials: Extension of the CONSORT 2010 Statement
        (Piaggio, Elbourne, Pocock, Evans & Altman, 2012).

    Example:
        >>> verdict(-0.01, 0.03), verdict(0.06, 0.09), verdict(0.01, 0.07), verdict(-0.3, -0.2)
        ('PASS', 'FAIL', 'INCONCLUSIVE', 'WEAK REFERENCE')
    """
    if not margin > 0:
        msg = f"a margin must be positive; however: {margin}. State the largest loss that does not matter"
        raise ValueError(msg)
    if low > high:
        msg = f"an interval must have low <= high; however: {low} > {high}. Exchange its ends"
        raise ValueError(msg)
    if max(high, high if redrawn is None else redrawn) < 0:
        return "WEAK REFERENCE"
    if high < margin:
        return "PASS"
    return "FAIL" if low > margin else "INCONCLUSIVE"


def jackknife(qualities: Sequence[float]) -> float:
    r"""Standard error over redraws of the training rows, of what models reach that each leave one of K parts out.

    $\sqrt{\frac{K - 1}{K} \sum_k (q_k - \bar q)^2}$

    References:
        The Jackknife, the Bootstrap and Other Resampling Plans (Efron, 1982), with groups left out.

    Example:
        >>> round(jackknife([0.8, 0.83, 0.8]), 6)
        0.02
    """
    q = np.asarray(qualities, dtype=float)
    return float(np.sqrt((len(q) - 1) / len(q) * ((q - q.mean()) ** 2).sum()))


def loss(
    prefix: str,
    learner: str,
    real: Measured,
    synthetic: Sequence[Measured],
    *,
    floor: float | None,
    tested: str,
    hidden: int,
    noise: float,
) -> tuple[Score, dict[str, JSON]]:
    """The score `gap` = trtr - tstr, and its part of the utility panel with the verdict at the usual margin.

    Its parts: retention = (tstr - floor) / (trtr - floor), and with several draws the interval of one fresh draw.

    Args:
        prefix: beginning of the score's name.
        learner: which model was trained.
        real: quality after training on real rows, and its bootstrap replicates.
        synthetic: the same after training on each draw, with the same replicates of the test rows.
        floor: what a model that learned nothing scores, if that is known.
        tested: what was resampled: rows or units.
        hidden: test rows of the rarest class, or all of them: so few could have hidden a difference.
        noise: standard error of the quality over redraws of the training rows, see `jackknife`.
    """
    gaps = [real[0] - value for value, _ in synthetic]
    replicates = [real[1] - each for _, each in synthetic]
    at, fresh = intervals.widened_if_flat(mean_of_draws(gaps, replicates), hidden), one_fresh_draw(gaps, replicates)
    redrawn = at.value + float(np.hypot(at.high - at.value, T_OF_TWO * np.sqrt(2) * noise))
    if at.high < -DEFAULT_MARGIN:  # a reference of which chance takes that much is weak for that
        redrawn = at.high
    parts = {REDRAWN_HIGH: redrawn}
    if floor is not None and abs(real[0] - floor) > 1e-9:
        parts["retention"] = 1 - at.value / (real[0] - floor)
    if len(gaps) > 1:
        parts |= {"one fresh draw, low": fresh.low, "one fresh draw, high": fresh.high}
    note = f"What is lost by training on synthetic rows: trtr - tstr of {learner} on the same holdout rows; 0 if real "
    note += f"rows took their place. Interval: joint bootstrap of the test {tested}"
    note += ", and between draws." if len(gaps) > 1 else "; the variation between draws is not in it (one draw)."
    if redrawn < 0:
        note += " Better than real rows beyond the interval: the reference is weak, and no gain."
    score = Score(
        metric=f"{prefix}.gap",
        value=at.value,
        low=at.low,
        high=at.high,
        goal="low",
        reference=0.0,
        parts=parts,
        note=note,
    )
    return score, {
        "gap": {"value": at.value, "low": at.low, "high": at.high},
        "non_inferiority": {"margin": DEFAULT_MARGIN, "verdict": verdict(at.low, at.high, redrawn=redrawn)},
    }
