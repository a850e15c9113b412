"""A table on its way to the curator: typed if it is not yet, its ledger beside it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import pandas as pd

from synthkit.engine.large_table import LargeTable
from synthkit.errors import ConfigError
from synthkit.privacy.access.curator import Curator
from synthkit.privacy.accounting.ledger import Ledger
from synthkit.runtime.seeds import Seeds
from synthkit.schema.spreads import with_differences
from synthkit.schema.table import Schema
from synthkit.tables.typed_table import TypedTable


class StoresAlike(Protocol):
    """What is to learn a table, and stores its samples as the table was stored."""

    schema: Schema

    def with_storages(self, stored: Mapping[str, str]) -> object:
        """Store samples so, by column."""
        ...


def curated_table(
    synthesizer: StoresAlike,
    table: pd.DataFrame | TypedTable | LargeTable | Curator,
    ledger: Ledger | None,
    seeds: Seeds,
) -> Curator:
    """The curator of a table; under a budget its cells are mapped.

    Args:
        synthesizer: is to learn it; its schema becomes that of the table, and its samples are stored alike.
        table: rows, rows that were typed already, rows in files, or the curator that keeps them.
        ledger: of the table; one without a budget if not given.
        seeds: of the fit.

    Raises:
        ConfigError: there is a ledger beside that of a curator.
    """
    if isinstance(table, Curator):
        if ledger is not None:
            msg = "a curator charges its own ledger; however: another ledger is given. Give the table, or no ledger"
            raise ConfigError(msg)
        return table
    synthesizer.schema = with_differences(synthesizer.schema)
    ledger = ledger or Ledger.unlimited(unit=synthesizer.schema.unit)
    if isinstance(table, pd.DataFrame):
        table = TypedTable.of(table, synthesizer.schema) if ledger.budget is None else TypedTable(frame=table)
    synthesizer.with_storages(table.storages)
    if isinstance(table, LargeTable):
        return Curator(table.source, synthesizer.schema, ledger, seeds, table.place)
    return Curator(table.frame, synthesizer.schema, ledger, seeds)
