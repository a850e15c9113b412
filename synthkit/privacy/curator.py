"""The only reader of real rows: answers histograms and opens the door to training, charging for both."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import torch

from synthkit.encode.encoder import TableEncoder, count
from synthkit.encode.query import Histogram, Query
from synthkit.encode.rules import Recoding
from synthkit.privacy.door import Door
from synthkit.privacy.ledger import Ledger, NonPrivate
from synthkit.schema import Schema
from synthkit.seeds import Seeds


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

    def rows(self) -> int:
        """How many training rows there are, charged before it is told."""
        self.ledger.charge("number of rows", NonPrivate())
        return len(self._table)

    def training(self, encoder: TableEncoder, device: str | torch.device = "cpu") -> Door:
        """The door for models: encoded rows on `device`, a part of the units held back for early stopping."""
        self.ledger.charge("training rows, through the door", NonPrivate())
        unit = self.schema.unit
        units = None if unit is None else self._table[unit]
        return Door.of(encoder.encode(self._table), encoder.layout, units, self._seeds, torch.device(device))
