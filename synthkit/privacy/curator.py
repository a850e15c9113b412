"""The only reader of real rows: answers histograms and opens the door to training, charging for both."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import torch

from synthkit.encode.encoder import TableEncoder, count
from synthkit.encode.grouping import coded, groupings
from synthkit.encode.pointers import Comparing, Nearness, compare
from synthkit.encode.query import Histogram, Query
from synthkit.encode.rules import Recoding
from synthkit.encode.targets import Targets, tables_of, tabulate
from synthkit.privacy.door import Door
from synthkit.privacy.ledger import Ledger, NonPrivate
from synthkit.schema import Schema
from synthkit.seeds import Seeds

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
        for query in queries:
            self.ledger.charge(f"histogram of {', '.join(query.columns)}", NonPrivate())
        return [count(self._coded, query) for query in queries]

    def compare(self, questions: Sequence[Comparing]) -> list[Nearness]:
        """How near numbers lie to others, charged before it is looked at; on a sample of the rows.

        **Shape**: q questions -> q answers.
        """
        if not questions:
            return []
        self.ledger.charge(f"nearness of {len(questions)} pairs of columns", NonPrivate())
        looked = self._coded
        if len(looked) > COMPARED:
            looked = looked.iloc[self._seeds.numpy("compared").choice(len(looked), COMPARED, replace=False)]
        return [compare(looked, question) for question in questions]

    def rows(self) -> int:
        """How many training rows there are, charged before it is told."""
        self.ledger.charge("number of rows", NonPrivate())
        return len(self._table)

    def targets(self, encoder: TableEncoder) -> Targets:
        """One- and two-way tables of grouped columns, charged before they are counted; rare cells are pooled."""
        found = groupings(encoder)
        tables = tables_of(len(found), self._seeds.numpy("targets"))
        self.ledger.charge("one- or two-way table of grouped columns", NonPrivate(), times=len(tables))
        codes = coded(encoder.encode(self._table).cat.numpy(), found)
        return Targets.of(found, tables, tabulate(codes, found, tables))

    def training(self, encoder: TableEncoder, device: str | torch.device = "cpu") -> Door:
        """The door for models: encoded rows on `device`, a part of the units held back for early stopping."""
        self.ledger.charge("training rows, through the door", NonPrivate())
        unit = self.schema.unit
        units = None if unit is None else self._table[unit]
        return Door.of(encoder.encode(self._table), encoder.layout, units, self._seeds, torch.device(device))
