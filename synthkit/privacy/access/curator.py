"""The reader of real rows where there is no budget: answers histograms and opens the door, charging for both."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import torch

from synthkit.encoding.column_groups import coded, groupings
from synthkit.encoding.constraints import Recoding
from synthkit.encoding.encoder import TableEncoder, count
from synthkit.encoding.histogram_query import Histogram, Query
from synthkit.encoding.raking_margins import RakingMargins, tables_of, tabulate
from synthkit.encoding.value_links import Comparing, Nearness, compare
from synthkit.privacy.access.counts import ExactCounting
from synthkit.privacy.access.loader import ExactLoader
from synthkit.privacy.accounting.charge import Charge
from synthkit.privacy.accounting.events import NonPrivate
from synthkit.privacy.accounting.ledger import Ledger
from synthkit.runtime.seeds import Seeds
from synthkit.schema import Schema
from synthkit.schema.unit_keys import unit_keys

COMPARED = 20_000  # rows looked at to see which numbers lie near others


class Curator:
    """Keeper of the training table and of its ledger.

    Args:
        table: training rows in canonical dtypes.
        schema: meaning of the columns.
        ledger: where every look is written down.
        seeds: for the order of batches and the choice of rows held back, without a budget only.
    """

    def __init__(self, table: pd.DataFrame, schema: Schema, ledger: Ledger, seeds: Seeds) -> None:
        self._table = table
        self._coded = Recoding.of(schema).forward(table)
        self._seeds = seeds
        self.schema = schema
        self.ledger = ledger

    def ask(self, queries: Sequence[Query]) -> list[Histogram]:
        """Histograms of coded columns, charged before they are counted. **Shape**: q queries -> q histograms."""
        if queries:
            self._charge(*(f"histogram of {', '.join(query.columns)}" for query in queries))
        return [count(self._coded, query) for query in queries]

    def compare(self, questions: Sequence[Comparing]) -> list[Nearness]:
        """How near numbers lie to others, charged before it is looked at; on a sample of the rows.

        **Shape**: q questions -> q answers.
        """
        if not questions:
            return []
        self._charge(f"nearness of {len(questions)} pairs of columns")
        looked = self._coded
        if len(looked) > COMPARED:
            looked = looked.iloc[self._seeds.numpy("compared").choice(len(looked), COMPARED, replace=False)]
        return [compare(looked, question) for question in questions]

    def rows(self) -> int:
        """How many training rows there are, charged before it is told."""
        self._charge("number of rows")
        return len(self._table)

    def targets(self, encoder: TableEncoder) -> RakingMargins:
        """One- and two-way tables of grouped columns, charged before they are counted; rare cells are pooled."""
        found = groupings(encoder)
        tables = tables_of(len(found), self._seeds.numpy("targets"))
        self._charge("one- or two-way table of grouped columns", times=len(tables))
        codes = coded(encoder.encode(self._table).cat.numpy(), found)
        return RakingMargins.of(found, tables, tabulate(codes, found, tables))

    def counting(self, encoder: TableEncoder) -> ExactCounting:
        """Exact counts of the coarse slots of the encoded rows, charged before they are counted."""
        self._charge("tables of counts, as the model asks for them")
        slots = list(encoder.layout.coarse)
        return ExactCounting.of(
            encoder.encode(self._table).cat.numpy()[:, slots], tuple(encoder.layout.sizes[j] for j in slots)
        )

    def training(self, encoder: TableEncoder, device: str | torch.device = "cpu") -> ExactLoader:
        """The door for models: encoded rows on `device`, a part of the units held back for early stopping."""
        self._charge("training rows, through the door")
        unit = self.schema.unit
        units = None if unit is None else unit_keys(self._table[unit], self.schema.columns[unit])
        return ExactLoader.of(encoder.encode(self._table), encoder.layout, units, self._seeds, torch.device(device))

    def _charge(self, *whats: str, times: int = 1) -> None:
        """Put down what is about to be told exactly.

        Raises:
            BudgetExceededError: there is a budget, which an exact answer always exceeds.
        """
        self.ledger.charge([Charge(what=what, spent=NonPrivate(), times=times) for what in whats])
