"""The access that a run of linked tables would have, to imagined units: what is bought, and how all of it is coded."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from synthkit.encoding.units.step_contexts import EVENTS, FlatSteps, StepContexts
from synthkit.encoding.units.unit_encoder import UnitEncoder
from synthkit.models.unit_layout import UnitLayout
from synthkit.models.unit_marginal.model import UnitMarginal
from synthkit.planning.imagined_units import imagined_units, rows_of_unit
from synthkit.privacy.access.bounded_units import most_rows
from synthkit.privacy.access.private_unit_access import PrivateUnitAccess
from synthkit.privacy.access.unit_access import UnitFitPlan
from synthkit.privacy.access.unit_budget import UnitBudget
from synthkit.privacy.access.unit_counts import CLIPPED_AT, UnitCounting
from synthkit.privacy.accounting import accountant
from synthkit.privacy.accounting.budget import Budget
from synthkit.privacy.accounting.budget_plan import FAILING, affordable
from synthkit.privacy.accounting.charge import Charge
from synthkit.privacy.accounting.events import Concentrated
from synthkit.privacy.accounting.ledger import Ledger
from synthkit.privacy.accounting.ledger_file import LedgerFile
from synthkit.privacy.accounting.noise_calibration import EpsilonDelta
from synthkit.schema.linked import LinkedSchema

IMAGINED_ROWS, FEWEST_IMAGINED, MOST_IMAGINED = 40_000, 60, 1_000  # rows of all tables; units
LARGEST_RESERVE = 100.0  # rho: beyond, noise on imagined tables is nothing, and an account of it is no use
IMAGINED_SEED = 20


class ImaginedLedger(Ledger):
    """A ledger under a budget of tables that are nobody's: it lives in memory, and ends with the process.

    Args:
        budget: the cap.
    """

    def __init__(self, budget: Budget) -> None:
        super().__init__(LedgerFile(budget=budget, unit=budget.unit), None)

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Nobody else knows of it."""
        yield

    def _write(self, archive: LedgerFile) -> None:
        self._archive = archive


@dataclass(frozen=True, kw_only=True)
class ImaginedAccess:
    """What a run would buy, and imagined units as it would count them.

    Args:
        frames: imagined tables.
        imagined: how many units they hold.
        scale: units that were stated, over those that are imagined.
        rho: of the whole reserve, in zero-concentrated differential privacy.
        failing: probability with which a level that one unit alone has may be told.
        budget: its parts.
        bought: what nobody declared and must be bought first, in words, by table.
        root: price of the counts of the units' own rows.
        sizes: levels of their slots.
        contexts: the flat tables of steps.
        encoder: the coding of the imagined units.
        parts: imagined steps as they are counted, each with what the run may spend on it.
    """

    frames: Mapping[str, pd.DataFrame]
    imagined: int
    scale: float
    rho: float
    failing: float
    budget: UnitBudget
    bought: Mapping[str, tuple[str, ...]]
    root: float
    sizes: tuple[int, ...]
    contexts: StepContexts
    encoder: UnitEncoder
    parts: Mapping[str, UnitCounting]

    @classmethod
    def of(
        cls,
        schema: LinkedSchema,
        units: int,
        terms: EpsilonDelta,
        frames: Mapping[str, pd.DataFrame],
    ) -> ImaginedAccess:
        """The access of a run on so many units.

        Fewer are imagined: rho grows as the square of what is left out, so that noise keeps its share of the counts.

        Args:
            schema: as it is declared.
            units: as they were stated.
            terms: epsilon and delta of the run.
            frames: imagined tables.

        Raises:
            SchemaError: lines of the schema are not public and cannot be bought.
            UnsupportedError: a table can hold no rows that keep its rules.
            BudgetExceededError: nothing can be bought.
        """
        imagined = len(frames[schema.unit])
        scale = units / imagined
        ledger = ImaginedLedger(Budget(epsilon=_larger(terms, scale), delta=terms.delta, unit=schema.unit))
        access = PrivateUnitAccess(frames, schema, ledger)
        access.reserve(
            UnitFitPlan(coding=UnitMarginal.coding, root=UnitMarginal.root_coding, copies=UnitMarginal.copies)
        )
        queries = {name: each.queries for name, each in access.budget.coding.items()}
        failing = FAILING * terms.delta if any(q.kind == "levels" for each in queries.values() for q in each) else 0.0
        rho = affordable(terms, failing)
        fewer = rho / reserved(ledger)
        encoder = access.fit_encoder()
        UnitMarginal.check(encoder)
        root = access.root().counts()
        contexts = StepContexts(layout=UnitLayout.of(encoder))
        counting = access.below(contexts)
        return cls(
            frames=frames,
            imagined=imagined,
            scale=scale,
            rho=rho,
            failing=failing,
            budget=UnitBudget.of(queries, rho, failing),
            bought={n: tuple(q.words for q in each if q.kind in ("levels", "bounds")) for n, each in queries.items()},
            root=root.rho * fewer,
            sizes=root.sizes,
            contexts=contexts,
            encoder=encoder,
            parts={name: _settled(each, fewer) for name, each in counting.parts.items()},
        )

    def flat(self, name: str) -> FlatSteps:
        """Columns of one of the flat tables."""
        return self.contexts.events() if name == EVENTS else self.contexts.rows(name)

    def at(self, rho: float) -> ImaginedAccess:
        """The same for another reserve: every price in proportion."""
        by = rho / self.rho
        parts = {name: replace(each, rho=each.rho * by) for name, each in self.parts.items()}
        return replace(self, rho=rho, root=self.root * by, parts=parts)

    @property
    def rows(self) -> dict[str, float]:
        """Rows of each table that a unit has in the mean; of what happens at all too."""
        return {name: len(each.owner) / self.imagined for name, each in self.parts.items()}


def reserved(ledger: Ledger) -> float:
    """Rho of the reserve that was charged last."""
    (spent,) = [charge.spent for charge in ledger.charges if isinstance(charge.spent, Concentrated)]
    return spent.rho


def imagined_frames(
    schema: LinkedSchema, units: int, means: Mapping[str, float], tie: float, rows: int
) -> dict[str, pd.DataFrame]:
    """Tables of as many imagined units as have about so many rows, and not more than there are.

    Args:
        schema: the public one.
        units: how many there are.
        means: rows of a unit in the mean, of the tables of which they are stated.
        tie: how much cells follow their unit.
        rows: of all tables together.
    """
    most = most_rows(schema)
    each = sum(min(rows_of_unit(name, schema, means), most[name]) for name in schema.graph.records)
    many = int(min(max(rows / each, FEWEST_IMAGINED), MOST_IMAGINED, units))
    return imagined_units(schema, many, means, tie, np.random.default_rng(IMAGINED_SEED))


def _larger(terms: EpsilonDelta, scale: float) -> float:
    """Epsilon at which a reserve is larger by the square of a scale, as far as that is of use."""
    least = affordable(terms)
    rho = min(least * scale**2, max(LARGEST_RESERVE, least))
    return accountant.epsilon([Charge(what="reserve", spent=Concentrated(rho=rho, delta=0.0))], terms.delta)


def _settled(each: UnitCounting, by: float) -> UnitCounting:
    """A counting with its price, and the number of rows of a unit and of all as they are: nobody's."""
    many = np.bincount(each.owner).astype(np.float64)
    most = max(float(np.quantile(many[many > 0], CLIPPED_AT)) if many.any() else 1.0, 1.0)
    return replace(each, most=most, rows=max(float(len(each.owner)), 1.0), rho=each.rho * by)
