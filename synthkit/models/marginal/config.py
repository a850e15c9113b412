"""Settings of the mixture of product distributions."""

from __future__ import annotations

from dataclasses import dataclass

from synthkit.models.marginal.adaptive_measurement import FitSchedule
from synthkit.models.marginal.budget_schedule import BudgetShares


@dataclass(frozen=True, kw_only=True)
class MarginalConfig:
    """Settings of the marginal model; the prices of tables follow from them, the slots and the budget alone.

    Args:
        components: of the mixture.
        rounds: rounds of tables, max(5, d / 3) each: pairs, triples and quadruples compete.
        growth: price of a round over the one before.
        singles: share of the budget that counts single slots.
        outcomes: share of the budget that counts every outcome with each other slot, if there is an outcome.
        choice: share of a table's price that chooses it.
        largest: cells a triple may have; a quadruple a quarter of them, a table of five an eighth.
        candidates: triples looked at in a round, and half as many quadruples, and tables of five with an outcome.
        shrinkage: whether what noise alone reaches is cut from noisy pairs of slots before they are fitted.
        spread: standard deviation of the initial logits.
        learning_rate: of Adam.
        first, between, last: steps before the rounds, after each, and at the end. Few steps are meant: what was not
            measured stays near independent.
    """

    components: int = 3000
    rounds: int = 12
    growth: float = 1.25
    singles: float = 0.07
    outcomes: float = 0.1
    choice: float = 0.15
    largest: int = 2000
    candidates: int = 1000
    shrinkage: bool = True
    spread: float = 1.0
    learning_rate: float = 0.03
    first: int = 150
    between: int = 25
    last: int = 150

    def __post_init__(self) -> None:
        shares = {k: getattr(self, k) for k in ("singles", "outcomes", "choice")}
        wrong = [f"{name} {x:g} (above 0 and below 1)" for name, x in shares.items() if not 0 < x < 1]
        wrong += ["singles and outcomes together (below 1)"] if self.singles + self.outcomes >= 1 else []
        counts = {k: getattr(self, k) for k in ("components", "rounds", "candidates", "last")}
        wrong += [f"{name} {x} (at least 1)" for name, x in counts.items() if x < 1]
        above = {k: getattr(self, k) for k in ("growth", "learning_rate")}
        wrong += [f"{name} {x:g} (above 0)" for name, x in above.items() if not x > 0]
        rest = {k: getattr(self, k) for k in ("largest", "spread", "first", "between")}
        wrong += [f"{name} {x:g} (not negative)" for name, x in rest.items() if x < 0]
        if wrong:
            msg = f"settings must lie in their ranges; however: {', '.join(wrong)}"
            raise ValueError(msg)

    def split(self) -> BudgetShares:
        """How a budget is shared out."""
        names = ("singles", "outcomes", "choice", "rounds", "growth")
        return BudgetShares(**{k: getattr(self, k) for k in names})

    def course(self) -> FitSchedule:
        """How long and how fast to fit."""
        pace = ("components", "spread", "learning_rate", "first", "between", "last")
        names = (*pace, "candidates", "largest", "shrinkage")
        return FitSchedule(**{k: getattr(self, k) for k in names})
