"""Access under a budget: everything is charged before the first draw, and every answer has noise."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd
import torch

from synthkit.encoding import rare_code_notes
from synthkit.encoding.encoder import TableEncoder
from synthkit.encoding.raking_margins import RakingMargins
from synthkit.encoding.slot_counts import Counting
from synthkit.errors import ConfigError
from synthkit.privacy.access.data_access import FitPlan, fitted
from synthkit.privacy.access.encoder_budget import encoder_queries
from synthkit.privacy.access.private_curator import PrivateCurator, public_tables
from synthkit.privacy.access.private_loader import PrivateLoader
from synthkit.privacy.accounting.budget import MOST_ROWS
from synthkit.privacy.accounting.budget_plan import BudgetPlan, for_counts, for_gradients
from synthkit.privacy.accounting.charge import Charge
from synthkit.privacy.accounting.ledger import Ledger
from synthkit.privacy.dpsgd.dpsgd_plan import DPSGDPlan
from synthkit.privacy.dpsgd.noisy_descent import CalibratedDPSGD
from synthkit.schema import Schema
from synthkit.schema.public_domain import declared_domain


class PrivateAccess:
    """Noisy answers about one training table, inside what is left of a budget; see `DataAccess`.

    Args:
        table: training rows.
        schema: meaning of the columns; lines that were read off the data are bought, or refused.
        ledger: the ledger of the table, with a budget.
        device: where a model computes.

    Raises:
        SchemaError: lines of the schema are not public and cannot be bought.
    """

    def __init__(self, table: pd.DataFrame, schema: Schema, ledger: Ledger, device: torch.device | str = "cpu") -> None:
        self._table: pd.DataFrame | None = table
        self._asked = schema
        self._public = declared_domain(schema)
        self._curator: PrivateCurator | None = None
        self._dpsgd: DPSGDPlan | None = None
        self._plan: FitPlan | None = None
        self._budget: BudgetPlan | None = None
        self._encoder: TableEncoder | None = None
        self._loader: PrivateLoader | None = None
        self.units: float | None = None
        self.ledger = ledger
        self.device = torch.device(device)

    @property
    def private(self) -> bool:
        """Yes."""
        return True

    @property
    def schema(self) -> Schema:
        """The public part of the schema, and once the encoder is fitted what was bought as well."""
        return self._public.schema if self._encoder is None else self._encoder.schema

    @property
    def encoder(self) -> TableEncoder:
        """The fitted encoder.

        Raises:
            ConfigError: none is fitted yet.
        """
        return fitted(self._encoder)

    def rows(self) -> float | None:
        """None: the budget is not spent on the choice of a model."""
        return None

    def reserve(self, plan: FitPlan) -> None:
        """Charge the whole fit: one reserve for a model of counts, all steps for one that is trained.

        Raises:
            BudgetExceededError: nothing is left of the budget; nothing was drawn.
            SchemaError: columns are missing or unknown.
        """
        budget = self.ledger.budget
        public_n = None if budget is None or budget.public_n is None else float(budget.public_n)
        dpsgd = None if plan.dpsgd is None else plan.dpsgd(public_n)
        assert self._table is not None
        self._curator, self._table = PrivateCurator.of(self._table, self._public), None
        margins = len(public_tables(len(self._public.schema.learned))) if plan.margins else 0
        with self.ledger.alone():
            left = self.ledger.left().part(plan.share)
            if dpsgd is None:
                bought = for_counts(encoder_queries(self._public, chosen=plan.codecs), left, margins=margins)
            else:
                bought = for_gradients(
                    encoder_queries(self._public, counted=True, chosen=plan.codecs),
                    left,
                    lambda noise: CalibratedDPSGD(plan=dpsgd, noise_multiplier=noise).charge(),
                    margins=margins,
                )
            self.ledger.charge(bought.plan, delta=left.delta)
        if not bought.reserved:
            self.ledger.begin()
        self._plan, self._budget, self._dpsgd = plan, bought, dpsgd

    def fit_encoder(self) -> TableEncoder:
        """A coding of which every number is public or paid for; its schema holds what was bought."""
        curator, plan, bought = self._open()
        if self._dpsgd is not None:
            self.units = curator.rows(bought.encoder_budget, self._pay)
        self._encoder = curator.encoder(bought.encoder_budget, plan.coding, self._pay, plan.codecs)
        return self._encoder

    def margins(self) -> RakingMargins | None:
        """Noisy tables of grouped columns, if the plan has them."""
        curator, _, bought = self._open()
        return None if bought.margins is None else curator.margins(self.encoder, bought.margins, self._pay)

    def counts(self) -> Counting:
        """Noisy counts of the coarse slots; the last look at the table, whose copies make room."""
        curator, _, bought = self._open()
        self._curator = None
        return curator.counting(self.encoder, list(self.encoder.layout.coarse), bought.rho, self._pay, self._most())

    def batches(self) -> PrivateLoader:
        """The loader that makes the noisy steps which were charged."""
        if self._loader is None:
            curator, _, bought = self._open()
            assert self._dpsgd is not None
            assert self.units is not None
            noisy = CalibratedDPSGD(plan=self._dpsgd, noise_multiplier=bought.noise_multiplier or 0.0)
            self._loader = curator.training(self.encoder, noisy, n=self.units, most=self._most(), device=self.device)
        return self._loader

    def _most(self) -> int:
        """Rows of one unit that are looked at."""
        budget = self.ledger.budget
        return 1 if self._public.schema.unit is None else (budget and budget.max_rows_per_unit) or MOST_ROWS

    def remarks(self) -> Iterator[str]:
        """A sentence for each catalogue whose codes were bought, from what was told alone."""
        return rare_code_notes.bought_codes(self._asked, self.schema)

    def _open(self) -> tuple[PrivateCurator, FitPlan, BudgetPlan]:
        """The curator of the rows, once everything is charged.

        Raises:
            ConfigError: nothing is charged yet, or the table was given up.
        """
        if self._curator is None or self._plan is None or self._budget is None:
            msg = "answers under a budget must be charged before they are drawn; however: they are not. Call reserve()"
            raise ConfigError(msg)
        return self._curator, self._plan, self._budget

    def _pay(self, charge: Charge) -> None:
        """Draw inside the reserve; of a plan that was charged line by line, hold that it has the line."""
        assert self._budget is not None
        if self._budget.reserved:
            self.ledger.draw_inside([charge])
        else:
            assert charge in self._budget.plan
