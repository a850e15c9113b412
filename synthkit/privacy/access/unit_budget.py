"""What a fit of linked tables may spend on what: shared out by public numbers, before anything is drawn."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from synthkit.privacy.access.encoder_budget import PRICE_SHARES, EncoderBudget, EncoderQuery
from synthkit.privacy.accounting.budget_plan import COUNTED, MAX_CODING_SHARE, SOUGHT, TRAINED, UNDER, affordable
from synthkit.privacy.accounting.charge import Charge
from synthkit.privacy.accounting.events import Concentrated
from synthkit.privacy.accounting.noise_calibration import EpsilonDelta, smallest_noise
from synthkit.privacy.dpsgd.dpsgd_plan import DPSGDPlan
from synthkit.privacy.dpsgd.noisy_descent import CalibratedDPSGD

PLACED = 0.25  # share of what the coding costs that buys types, gaps and repeats of rows
TRAINED_ROOT_SHARE = 0.15  # share of what the coding leaves that counts the units' own rows, beside a training
CODED_AND_ALL_COUNTED = "tables of counts and the coding of all linked tables"
CODED_AND_COUNTED = "the coding of all linked tables, and tables of counts of the units' own rows"


@dataclass(frozen=True, kw_only=True)
class UnitBudget:
    """What a fit of linked tables may spend on what, in zero-concentrated differential privacy.

    Args:
        coding: by table, what its columns cost.
        placed: what types, gaps and repeats of rows cost.
        counts: what all counts cost, of the units' own rows and of what is below them; of a training the former alone.
        reserve: all of these together.
        noisy: the training, None for a model that learns from counts alone.
    """

    coding: Mapping[str, EncoderBudget]
    placed: float
    counts: float
    reserve: Concentrated
    noisy: CalibratedDPSGD | None = None

    @classmethod
    def of(cls, asked: Mapping[str, tuple[EncoderQuery, ...]], rho: float, failing: float) -> UnitBudget:
        """The budget shared out by public numbers alone.

        Args:
            asked: what must be known to code each table.
            rho: of all of it.
            failing: probability with which a level that one unit alone has may be told.
        """
        coding = min(COUNTED + SOUGHT * _sought(asked), MAX_CODING_SHARE) * rho
        return cls(
            coding=_shared_out(asked, (1 - PLACED) * coding, failing),
            placed=PLACED * coding * UNDER,
            counts=(rho - coding) * UNDER,
            reserve=Concentrated(rho=rho, delta=failing),
        )

    @classmethod
    def trained(
        cls,
        asked: Mapping[str, tuple[EncoderQuery, ...]],
        left: EpsilonDelta,
        failing: float,
        plan: DPSGDPlan,
        *,
        root_share: float | None,
    ) -> UnitBudget:
        """The budget of a training: the noise on its steps is the smallest at which all of it together fits.

        The coding and counts of the units' own rows are one reserve; it and the steps are composed, not added.

        Args:
            asked: what must be known to code each table.
            left: what may be spent.
            failing: probability with which a level that one unit alone has may be told.
            plan: of the training.
            root_share: share of what the coding leaves that counts the units' own rows; `ROOT_SHARE` if not given.

        Raises:
            BudgetExceededError: nothing is left.
        """
        rho = affordable(left, failing)
        coding = min(TRAINED + SOUGHT * _sought(asked), MAX_CODING_SHARE) * rho
        root = (TRAINED_ROOT_SHARE if root_share is None else root_share) * (rho - coding)
        reserve = Concentrated(rho=coding + root, delta=failing)

        def everything(noise: float) -> list[Charge]:
            steps = CalibratedDPSGD(plan=plan, noise_multiplier=noise).charge()
            return [Charge(what=CODED_AND_COUNTED, spent=reserve), steps]

        noise = smallest_noise(everything, epsilon=left.epsilon, delta=left.delta)
        return cls(
            coding=_shared_out(asked, (1 - PLACED) * coding, failing),
            placed=PLACED * coding * UNDER,
            counts=root * UNDER,
            reserve=reserve,
            noisy=CalibratedDPSGD(plan=plan, noise_multiplier=noise),
        )

    def charges(self) -> list[Charge]:
        """Everything, to be charged at once before the first draw."""
        if self.noisy is None:
            return [Charge(what=CODED_AND_ALL_COUNTED, spent=self.reserve)]
        return [Charge(what=CODED_AND_COUNTED, spent=self.reserve), self.noisy.charge()]


def _sought(asked: Mapping[str, tuple[EncoderQuery, ...]]) -> int:
    """Columns of which levels are sought."""
    return sum(query.kind == "levels" for queries in asked.values() for query in queries)


def _shared_out(asked: Mapping[str, tuple[EncoderQuery, ...]], rho: float, failing: float) -> dict[str, EncoderBudget]:
    """What the columns of each table may cost, by what is asked of them."""
    price = {name: math.fsum(PRICE_SHARES[q.kind] for q in queries) for name, queries in asked.items()}
    levels = {name: sum(q.kind == "levels" for q in queries) for name, queries in asked.items()}
    whole, found = math.fsum(price.values()), max(_sought(asked), 1)
    return {
        name: EncoderBudget(
            queries=queries, rho=rho * price[name] / whole, delta=failing * UNDER * levels[name] / found
        )
        for name, queries in asked.items()
    }
