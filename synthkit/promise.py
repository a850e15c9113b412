"""What a run promises: the ledger it charges, and the statement on what was charged."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from synthkit.config import RunConfig
from synthkit.privacy import Ledger
from synthkit.privacy.statement import Statement, packages
from synthkit.schema import Schema
from synthkit.synthesizer import Synthesizer


def ledger(config: RunConfig, schema: Schema) -> Ledger:
    """The ledger of a table: without a budget a new one in memory, else that in its file, made if it is not there.

    Raises:
        ConfigError: the budget cannot be meant, or the file is a ledger for another unit, adjacency or bound.
        BudgetExceededError: the file holds exact answers.
        ArtefactError: the file is no ledger, or its folder is not there.
    """
    config = config.model_copy(update={"unit": schema.unit})
    budget = config.budget
    if budget is None:
        return Ledger.unlimited(unit=schema.unit)
    path = config.ledger or Path(f"{schema.name}.ledger.json")
    return Ledger.open(path, budget) if path.exists() else Ledger.new(path, budget)


def statement(synthesizer: Synthesizer, kept: Ledger) -> dict[str, Any]:
    """What is promised about the release, as plain data."""
    said = Statement.of(kept.archive, synthesizer.schema, model=synthesizer.model_name, versions=packages())
    return said.to_dict()
