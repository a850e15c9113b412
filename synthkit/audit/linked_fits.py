"""A fit of a tiny hospital under a budget as it is shipped, every answer overheard; with one patient more, the same."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from synthkit.audit.overheard_answers import HeardAnswer, Listener, listening
from synthkit.audit.tiny_hospital import TINY_HOSPITAL, Tables
from synthkit.encoding.slot_counts import AskedCounts, Counting, Scope
from synthkit.encoding.units.step_contexts import StepContexts
from synthkit.models.unit_layout import UnitLayout
from synthkit.models.unit_marginal.config import UnitMarginalConfig
from synthkit.models.unit_marginal.model import UnitMarginal
from synthkit.privacy.access.private_unit_access import PrivateUnitAccess
from synthkit.privacy.access.unit_access import UnitFitPlan
from synthkit.privacy.accounting import zcdp
from synthkit.privacy.accounting.budget import Budget
from synthkit.privacy.accounting.budget_plan import UNDER
from synthkit.privacy.accounting.charge import Charge
from synthkit.privacy.accounting.ledger import Ledger
from synthkit.privacy.accounting.normal_noise import normal_rho

CODING, OWN_ROWS, ROWS_BELOW = "coding, types and gaps", "patients' own rows", "rows below patients"
MODEL_TABLES = "tables of the model"
AUDITED_UNIT_MODEL = UnitMarginalConfig(components=2, rounds=1, first=0, between=0, last=1, candidates=1)
CHOSEN = 0.1  # share of a price that chooses a table; the rest tells tables
TOLD_SLOTS = 2  # of each table below the patients: one table of counts each, and one of both

OpenAccess = Callable[[Tables, Ledger], PrivateUnitAccess]
Steps = Mapping[str, Callable[[PrivateUnitAccess], object]]  # parts of a fit, by name


@dataclass(frozen=True, kw_only=True)
class AuditedFit:
    """What a fit was told, and what it paid.

    Args:
        ear: that heard the answers.
        charges: what was charged in each part of the fit.
        reserve: all that it may cost, in zero-concentrated differential privacy.
    """

    ear: Listener
    charges: Mapping[str, Sequence[Charge]]
    reserve: float

    @property
    def answers(self) -> Sequence[HeardAnswer]:
        """All answers, in order."""
        return self.ear.heard

    def charged(self, *stages: str, normal: bool = False) -> float:
        """What was charged in some parts of the fit, or in all of them: rho.

        Args:
            stages: the parts.
            normal: whether normal noise alone is meant.
        """
        charges = [each for stage in stages or self.charges for each in self.charges[stage]]
        if normal:
            return normal_rho(charges)
        return math.fsum(each.times * zcdp.cost(each.spent).rho for each in charges)

    @property
    def drawn(self) -> float:
        """What the answers cost by the noise that was really drawn: rho."""
        return math.fsum(zcdp.cost(answer.spent).rho for answer in self.answers)


def shipped_access(tables: Tables, ledger: Ledger) -> PrivateUnitAccess:
    """The access to linked tables under a budget, as fits get it."""
    return PrivateUnitAccess(tables, TINY_HOSPITAL, ledger)


def audited_fit(
    open_access: OpenAccess, tables: Tables, budget: Budget, steps: Steps, before: Listener | None = None
) -> AuditedFit:
    """One fit that may spend the whole budget.

    Args:
        open_access: from tables and their ledger to the access.
        tables: of the tiny hospital.
        budget: what may be spent.
        steps: what is asked, in order: `all_kinds`, or `shipped_model`.
        before: an earlier fit whose answers are given again.
    """
    ear, charges = Listener(before=before), dict[str, Sequence[Charge]]()
    with TemporaryDirectory() as folder, listening(ear):
        ledger = Ledger.new(Path(folder) / "ledger.json", budget)
        access = open_access(tables, ledger)
        access.reserve(UnitFitPlan(coding=UnitMarginal.coding, root=UnitMarginal.root_coding))
        for stage, step in steps.items():
            ear.stage, paid = stage, len(ledger.parts[-1].inside)
            step(access)
            charges[stage] = ledger.parts[-1].inside[paid:]
    return AuditedFit(ear=ear, charges=charges, reserve=zcdp.cost(ledger.parts[-1].charges[0].spent).rho)


def all_kinds() -> Steps:
    """Coding, the patients' own rows, all rows below them, and choices: every kind of answer, for the whole budget."""
    return {CODING: lambda access: access.fit_encoder(), OWN_ROWS: _own_rows, ROWS_BELOW: _rows_below}


def shipped_model() -> Steps:
    """Coding, and whatever the model of small budgets asks for, in few rounds."""
    return {CODING: lambda access: access.fit_encoder(), MODEL_TABLES: _fit_model}


def _fit_model(access: PrivateUnitAccess) -> None:
    """The fit of `marginal` of linked tables; its seed is the same for every hospital."""
    UnitMarginal(UnitLayout.of(access.encoder), AUDITED_UNIT_MODEL).fit(access, seed=0)


def _own_rows(access: PrivateUnitAccess) -> None:
    """One table of counts for each slot, and a choice of tables."""
    counting = access.root().counts()
    scopes: list[Scope] = [(j,) for j in range(len(counting.sizes))]
    counting.measure(scopes, (1 - CHOSEN) * counting.rho * UNDER / len(scopes))
    _choose(counting)


def _rows_below(access: PrivateUnitAccess) -> None:
    """Tables of counts of the rows of all tables, told together, and a choice of tables of each."""
    counting = access.below(StepContexts(layout=UnitLayout.of(access.encoder)))
    scopes: list[Scope] = [*((j,) for j in range(TOLD_SLOTS)), tuple(range(TOLD_SLOTS))]
    asked = [
        AskedCounts(counting=part, scopes=scopes, rho=(1 - CHOSEN) * part.rho * UNDER / len(scopes))
        for part in counting.parts.values()
    ]
    counting.measure(asked)
    for part in counting.parts.values():
        _choose(part)


def _choose(counting: Counting) -> None:
    """The worst of the tables of two slots, where nothing was expected."""
    scopes: list[Scope] = [(0, j) for j in range(1, len(counting.sizes))]
    nothing = [np.zeros([counting.sizes[j] for j in scope]) for scope in scopes]
    counting.worst(scopes, nothing, [0.0] * len(scopes), many=1, rho=CHOSEN * counting.rho * UNDER)
