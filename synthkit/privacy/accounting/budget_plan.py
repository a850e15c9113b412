"""What a fit under a budget is going to cost, laid out whole before the first draw."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from synthkit.errors import BudgetExceededError
from synthkit.privacy.access.encoder_budget import EncoderBudget, EncoderQuery, count_level_queries
from synthkit.privacy.accounting.charge import Charge
from synthkit.privacy.accounting.events import Concentrated, DiscreteGaussian
from synthkit.privacy.accounting.noise_calibration import EpsilonDelta, smallest_noise

COUNTED = 0.08  # share of rho that buys the coding of a model that learns from counts
TRAINED = 0.05  # the same of a model that learns from gradients
SOUGHT = 0.04  # more for each column whose levels nobody declared
MAX_CODING_SHARE = 0.25  # of rho for coding, however many those are
TARGETED = 0.2  # share of rho for the tables that raked draws are to match, where they are asked for
FAILING = 0.1  # share of delta for levels that one unit alone has
UNDER = 1 - 1e-6  # what steps inside a reserve may spend of it, so that rounding never exceeds it

Steps = Callable[[float], Charge]  # the training with a noise multiplier


@dataclass(frozen=True, kw_only=True)
class BudgetPlan:
    """The plan of a fit.

    Args:
        encoder_budget: what the encoder buys.
        plan: everything, to be charged at once.
        rho: what the model may spend on counts, 0 if it learns from gradients.
        noise_multiplier: of the gradients, None if the model learns from counts.
        margins: the noise on the tables that raked draws are to match, None without them.
    """

    encoder_budget: EncoderBudget
    plan: tuple[Charge, ...]
    rho: float = 0.0
    noise_multiplier: float | None = None
    margins: Charge | None = None

    @property
    def reserved(self) -> bool:
        """Whether what is drawn is charged to a reserve, not one by one."""
        return any(isinstance(charge.spent, Concentrated) for charge in self.plan)


def for_counts(asked: Sequence[EncoderQuery], left: EpsilonDelta, *, margins: int = 0) -> BudgetPlan:
    """The plan of a model that chooses its tables by what earlier ones told: one reserve, closed by a filter.

    Args:
        asked: what the encoder must know.
        left: what may be spent.
        margins: tables that raked draws are to match.

    Raises:
        BudgetExceededError: nothing is left.

    Example:
        >>> asked = [EncoderQuery(kind="cells", column="age")]
        >>> plan = for_counts(asked, EpsilonDelta(epsilon=1.0, delta=1e-5))
        >>> round(plan.rho + plan.encoder_budget.rho, 4)
        0.0306
    """
    failing = FAILING * left.delta if count_level_queries(asked) else 0.0
    rho = affordable(left, failing)
    reserve = Charge(what="tables of counts and the coding of the columns", spent=Concentrated(rho=rho, delta=failing))
    prepared = _coding(COUNTED, asked) * rho
    matched = TARGETED * rho if margins else 0.0
    encoder_budget = EncoderBudget(queries=tuple(asked), rho=prepared, delta=failing * UNDER)
    return BudgetPlan(
        encoder_budget=encoder_budget,
        plan=(reserve,),
        rho=(rho - prepared - matched) * UNDER,
        margins=_margins(margins, matched) if margins else None,
    )


def for_gradients(asked: Sequence[EncoderQuery], left: EpsilonDelta, steps: Steps, *, margins: int = 0) -> BudgetPlan:
    """The plan of a model trained by noisy steps: the noise is the smallest at which all of it together fits.

    Args:
        asked: what the encoder must know.
        left: what may be spent.
        steps: the training, given its noise multiplier.
        margins: tables that raked draws are to match.

    Raises:
        BudgetExceededError: nothing is left.
    """
    failing = FAILING * left.delta if count_level_queries(asked) else 0.0
    rho = affordable(left, failing)
    encoder_budget = EncoderBudget(queries=tuple(asked), rho=_coding(TRAINED, asked) * rho, delta=failing * UNDER)
    matched = _margins(margins, TARGETED * rho) if margins else None
    bought = [*encoder_budget.charges(), *([matched] if matched else [])]
    noise = smallest_noise(lambda s: [*bought, steps(s)], epsilon=left.epsilon, delta=left.delta)
    return BudgetPlan(
        encoder_budget=encoder_budget, plan=(*bought, steps(noise)), noise_multiplier=noise, margins=matched
    )


def _coding(share: float, asked: Sequence[EncoderQuery]) -> float:
    """Share of rho that buys the coding of the columns."""
    return min(share + SOUGHT * count_level_queries(asked), MAX_CODING_SHARE) if asked else 0.0


def _margins(tables: int, rho: float) -> Charge:
    """So many tables of counts, for so much together."""
    noise = DiscreteGaussian(sigma=math.sqrt(tables / (2 * rho * UNDER)))
    return Charge(what="one- or two-way table of grouped columns", spent=noise, times=tables)


def affordable(left: EpsilonDelta, failing: float = 0.0) -> float:
    """The largest reserve of zero-concentrated differential privacy that what is left pays for.

    Args:
        left: what may be spent.
        failing: probability of failure of the steps inside.

    Raises:
        BudgetExceededError: nothing is left.

    Example:
        >>> round(affordable(EpsilonDelta(epsilon=1.0, delta=1e-5)), 5)
        0.03056
    """
    if left.epsilon <= 0 or left.delta <= 0:
        msg = (
            f"a fit needs a budget; however: epsilon {left.epsilon:g} and delta {left.delta:g} are left. "
            "Raise the budget: what was spent on a table stays spent"
        )
        raise BudgetExceededError(msg)

    def plan(scale: float) -> list[Charge]:
        return [Charge(what="reserve", spent=Concentrated(rho=1 / (2 * scale**2), delta=failing))]

    return 1 / (2 * smallest_noise(plan, epsilon=left.epsilon, delta=left.delta) ** 2)
