"""The privacy terms of a run: the ledger it charges, and the statement on what was charged."""

from __future__ import annotations

from pathlib import Path

from synthkit.errors import ConfigError
from synthkit.io.json_types import JSONDict
from synthkit.pipeline.run_config import RunConfig
from synthkit.privacy.accounting.ledger import Ledger
from synthkit.privacy.statement import Statement, packages
from synthkit.schema import Schema
from synthkit.schema.linked import LinkedSchema
from synthkit.synthesizer.synthesizer import Synthesizer


def ledger(config: RunConfig, schema: Schema | LinkedSchema, *, resume: bool = False) -> Ledger:
    """The ledger of a table: without a budget a new one in memory, else that in its file, made if it is not there.

    Args:
        config: names the budget and the file.
        schema: names table and unit; of linked tables the unit is their table of units.
        resume: whether what was charged to it and not drawn is taken up, and nothing is charged.

    Raises:
        ConfigError: the budget cannot be meant, the file is a ledger for another unit, adjacency or bound, or there is
            nothing to take up.
        BudgetExceededError: the file holds exact answers.
        ArtefactError: the file is no ledger, or its folder is not there.
    """
    config = config.model_copy(update={"unit": schema.unit})
    budget = config.budget
    if budget is None:
        return Ledger.unlimited(unit=schema.unit)
    if resume and config.final:
        msg = (
            "what is taken up is drawn and nothing is charged; however: --final charges a second fit. Leave out "
            "--final or --resume"
        )
        raise ConfigError(msg)
    path = config.ledger or Path(f"{schema.name}.ledger.json")
    return Ledger.resuming(path, budget) if resume else Ledger.at(path, budget)


def statement(synthesizer: Synthesizer, kept: Ledger) -> JSONDict:
    """What is promised about the release, as plain data."""
    said = Statement.of(kept.archive, synthesizer.schema, model=synthesizer.model_name, versions=packages())
    return said.to_dict()
