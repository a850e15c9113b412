"""The curator: it keeps a training table and its ledger, and hands out the access that the budget allows."""

from __future__ import annotations

import pandas as pd
import torch

from synthkit.privacy.access.data_access import DataAccess
from synthkit.privacy.access.exact_access import ExactAccess
from synthkit.privacy.access.private_access import PrivateAccess
from synthkit.privacy.accounting.ledger import Ledger
from synthkit.runtime.seeds import Seeds
from synthkit.schema import Schema


class Curator:
    """Keeper of the training table and of its ledger.

    Args:
        table: training rows; without a budget in canonical dtypes.
        schema: meaning of the columns.
        ledger: where every look is written down; with a budget in it, answers have noise.
        seeds: for the order of batches and the choice of rows held back, without a budget only.
    """

    def __init__(self, table: pd.DataFrame, schema: Schema, ledger: Ledger, seeds: Seeds) -> None:
        self._table, self._seeds = table, seeds
        self.schema = schema
        self.ledger = ledger

    @property
    def private(self) -> bool:
        """Whether there is a budget."""
        return self.ledger.budget is not None

    def access(self, device: torch.device | str = "cpu") -> DataAccess:
        """What a fit may learn: exact answers without a budget, noisy ones under it."""
        if not self.private:
            return ExactAccess(self._table, self.schema, self.ledger, self._seeds, device)
        return PrivateAccess(self._table, self.schema, self.ledger, device)
