"""Charges that were planned together, and what several such plans cost one after the other."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from synthkit.errors import ConfigError
from synthkit.privacy.accounting import accountant
from synthkit.privacy.accounting.charge import Charge
from synthkit.privacy.accounting.events import Concentrated
from synthkit.privacy.accounting.zcdp import PrivacyFilter


@dataclass(frozen=True, kw_only=True)
class ComposedPlan:
    """Charges whose numbers were all fixed before the first of them was drawn.

    Args:
        delta: at which delta its epsilon is stated, in (0, 1); 0 where nothing finite is claimed.
        charges: everything in it, composed jointly, in any order; one of them may be a reserve for adaptive steps.
        inside: steps drawn from the reserve so far, which the reserve has paid for.
        drawn: whether anything of it may have been drawn; before that a run can take it up in place of one that ended.

    Raises:
        ConfigError: there are several reserves, steps without one, or steps of what was never drawn.
        BudgetExceededError: the steps exceed the reserve.
    """

    delta: float
    charges: tuple[Charge, ...]
    inside: tuple[Charge, ...] = ()
    drawn: bool = True

    def __post_init__(self) -> None:
        reserves = [charge for charge in self.charges if isinstance(charge.spent, Concentrated)]
        if sum(charge.times for charge in reserves) > 1:
            msg = (
                f"a plan may hold one reserve for adaptive steps; however: {sum(charge.times for charge in reserves)}. "
                "Add up their rho"
            )
            raise ConfigError(msg)
        if self.inside and not reserves:
            msg = (
                f"adaptive steps need a reserve in their plan; however: {self.inside[0].what} has none. "
                "Charge a plan with a `Concentrated` reserve first"
            )
            raise ConfigError(msg)
        if self.inside and not self.drawn:
            msg = f"a plan with steps was drawn from; however: {self.inside[0].what} stands in one that says it was not"
            raise ConfigError(msg)
        for charge in reserves:
            if isinstance(charge.spent, Concentrated):
                PrivacyFilter(reserve=charge.spent).admit(self.inside)

    def drawing(self, steps: Sequence[Charge]) -> ComposedPlan:
        """The part after more steps from its reserve.

        Raises:
            ConfigError: it has no reserve.
            BudgetExceededError: the reserve does not pay for them.
        """
        return replace(self, inside=self.inside + tuple(steps), drawn=True)

    def grows_to(self, later: ComposedPlan) -> bool:
        """Whether `later` can be this part after more was drawn: what was charged stays, steps are only added."""
        same = (later.delta, later.charges) == (self.delta, self.charges)
        return same and later.drawn >= self.drawn and later.inside[: len(self.inside)] == self.inside

    def epsilon(self) -> float:
        """What the charges cost together at the part's delta; infinite where that is 0."""
        return _epsilon(self.charges, self.delta)


@lru_cache(maxsize=256)
def _epsilon(charges: tuple[Charge, ...], delta: float) -> float:
    return accountant.epsilon(charges, delta) if delta > 0 or not charges else math.inf


def total(parts: Sequence[ComposedPlan]) -> tuple[float, float]:
    r"""Epsilon and delta of plans made one after the other, each perhaps in view of what the former told.

    $(\sum \epsilon_i, \sum \delta_i)$: what composes plans that were not made together. Inside a plan nothing is
    added, so that one plan for everything is the cheaper way.

    References:
        Rogers, Roth, Ullman, Vadhan: Privacy odometers and filters: pay-as-you-go composition (2016).
    """
    return math.fsum(part.epsilon() for part in parts), math.fsum(part.delta for part in parts)
