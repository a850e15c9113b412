"""What is lost by training on synthetic rows, and is it little enough: the gap and a verdict from a margin."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

from synthkit.evaluate.draws import mean_of_draws, one_fresh_draw
from synthkit.evaluate.result import Score

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MARGIN = 0.05  # a convention, not a finding; a policy file states its own

Verdict = Literal["PASS", "FAIL", "INCONCLUSIVE"]
Measured = tuple[float, "NDArray[np.float64]"]


def verdict(low: float, high: float, margin: float = MARGIN) -> Verdict:
    """Whether a loss with the 95 % interval from `low` to `high` is smaller than `margin`.

    PASS if high < margin, FAIL if low > margin, otherwise INCONCLUSIVE: more test rows would tell. A loss that is not
    significant is no PASS, and one that is significant no FAIL; only the margin decides.

    Args:
        low: lower end of the interval of the loss.
        high: upper end.
        margin: largest loss that does not matter, on the scale of the score; positive.

    Raises:
        ValueError: the ends are in the wrong order, or the margin is not positive.

    References:
        Reporting of Noninferiority and Equivalence Randomized Trials: Extension of the CONSORT 2010 Statement
        (Piaggio, Elbourne, Pocock, Evans & Altman, 2012).

    Example:
        >>> verdict(-0.01, 0.03), verdict(0.06, 0.09), verdict(0.01, 0.07)
        ('PASS', 'FAIL', 'INCONCLUSIVE')
    """
    if not margin > 0:
        msg = f"a margin must be positive; however: {margin}. State the largest loss that does not matter"
        raise ValueError(msg)
    if low > high:
        msg = f"an interval must have low <= high; however: {low} > {high}. Exchange its ends"
        raise ValueError(msg)
    if high < margin:
        return "PASS"
    return "FAIL" if low > margin else "INCONCLUSIVE"


def loss(
    prefix: str,
    learner: str,
    real: Measured,
    synthetic: Sequence[Measured],
    *,
    floor: float | None,
    tested: str,
) -> tuple[Score, dict[str, Any]]:
    """The score `gap` = trtr - tstr, and its part of the utility panel with the verdict at the usual margin.

    Its parts: retention = (tstr - floor) / (trtr - floor), and with several draws the interval of one fresh draw.

    Args:
        prefix: beginning of the score's name.
        learner: which model was trained.
        real: quality after training on real rows, and its bootstrap replicates.
        synthetic: the same after training on each draw, with the same replicates of the test rows.
        floor: what a model that learned nothing scores, if that is known.
        tested: what was resampled: rows or units.
    """
    gaps = [real[0] - value for value, _ in synthetic]
    replicates = [real[1] - each for _, each in synthetic]
    at, fresh = mean_of_draws(gaps, replicates), one_fresh_draw(gaps, replicates)
    parts = {}
    if floor is not None and abs(real[0] - floor) > 1e-9:
        parts["retention"] = 1 - at.value / (real[0] - floor)
    if len(gaps) > 1:
        parts |= {"one fresh draw, low": fresh.low, "one fresh draw, high": fresh.high}
    note = f"What is lost by training on synthetic rows: trtr - tstr of {learner} on the same holdout rows; 0 if real "
    note += f"rows took their place. Interval: joint bootstrap of the test {tested}"
    note += ", and between draws." if len(gaps) > 1 else "; the variation between draws is not in it (one draw)."
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
        "non_inferiority": {"margin": MARGIN, "verdict": verdict(at.low, at.high)},
    }
