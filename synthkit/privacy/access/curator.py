"""The curator: it keeps a training table and its ledger, and hands out the access that the budget allows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
import torch

from synthkit.errors import ConfigError
from synthkit.privacy.access.data_access import DataAccess
from synthkit.privacy.access.exact_access import ExactAccess
from synthkit.privacy.access.private_access import PrivateAccess
from synthkit.privacy.accounting.ledger import Ledger
from synthkit.runtime.seeds import Seeds
from synthkit.schema import Schema

if TYPE_CHECKING:
    from synthkit.engine.source import Source
    from synthkit.engine.workplace import Workplace


class Curator:
    """Keeper of the training table and of its ledger.

    Args:
        table: training rows; without a budget in canonical dtypes, or a source of such rows.
        schema: meaning of the columns.
        ledger: where every look is written down; with a budget in it, answers have noise.
        seeds: for the order of batches and the choice of rows held back, without a budget only.
        place: where files of a fit lie whose rows are not in memory; needed for a source.
    """

    def __init__(
        self, table: pd.DataFrame | Source, schema: Schema, ledger: Ledger, seeds: Seeds, place: Workplace | None = None
    ) -> None:
        self._table, self._seeds, self._place = table, seeds, place
        self.schema = schema
        self.ledger = ledger

    @property
    def private(self) -> bool:
        """Whether there is a budget."""
        return self.ledger.budget is not None

    def access(self, device: torch.device | str = "cpu") -> DataAccess:
        """What a fit may learn: exact answers without a budget, noisy ones under it.

        Raises:
            ConfigError: there is a source, and no place to work in.
        """
        if not isinstance(self._table, pd.DataFrame):
            return self._of_source(self._table, device)
        if not self.private:
            return ExactAccess(self._table, self.schema, self.ledger, self._seeds, device)
        return PrivateAccess(self._table, self.schema, self.ledger, device)

    def _of_source(self, source: Source, device: torch.device | str) -> DataAccess:
        if self._place is None:
            msg = "rows that are not in memory need a place for files; however: there is none. Give an open workplace"
            raise ConfigError(msg)
        from synthkit.privacy.access.source_access import SourceAccess

        return SourceAccess(source, self.schema, self.ledger, self._seeds, self._place, device)
