"""Where a run of linked tables comes from, what is promised of it, and the page on both."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

from synthkit.io.json_types import JSONDict
from synthkit.pipeline import run_info
from synthkit.privacy.linked_statement import LinkedStatement
from synthkit.privacy.statement import packages
from synthkit.report.linked_view import build_linked

if TYPE_CHECKING:
    from synthkit.metrics.result import Evaluation
    from synthkit.pipeline.run_config import RunConfig
    from synthkit.privacy.accounting.ledger import Ledger
    from synthkit.report import Report
    from synthkit.report.inputs import LedgerJson, StatementJson
    from synthkit.report.linked_inputs import LinkedValidationJson
    from synthkit.schema.linked import LinkedSchema
    from synthkit.schema.linked.linked_validation import LinkedValidation
    from synthkit.synthesizer.linked_synthesizer import LinkedSynthesizer


def linked_facts(schema: LinkedSchema, source: str, seconds: Mapping[str, float], **more: Any) -> JSONDict:
    """The content of run.json, as plain data.

    Args:
        schema: meaning of the tables.
        source: name of the folder or file the rows came from.
        seconds: time each stage took.
        more: facts only some runs have.
    """
    columns = {name: len(table.columns) for name, table in schema.tables.items()}
    told = {"table": schema.name, "columns": sum(columns.values()), "unit": schema.unit, "tables": columns}
    return {**run_info.facts(schema.tables[schema.unit].alone(schema.unit), source, seconds), **told, **more}


def linked_learned(synthesizer: LinkedSynthesizer, config: RunConfig, said: Sequence[str]) -> JSONDict:
    """What was asked and what came of it: the settings, the steps, what was said."""
    log = synthesizer.log
    trained = None
    if log is not None and log.steps:
        trained = {"steps": log.steps, "kept": log.best_step, "seconds": round(log.seconds, 2)}
    asked = run_info.fitted(config)
    return {**asked, "settings": synthesizer.settings, "trained": trained, "notes": list(said)}


def linked_statement(synthesizer: LinkedSynthesizer, ledger: Ledger) -> JSONDict:
    """What is promised about the release, as plain data."""
    model = synthesizer.model_name
    said = LinkedStatement.of_linked(ledger.archive, synthesizer.schema, model=model, versions=packages())
    return said.to_dict()


def linked_report(
    evaluation: Evaluation,
    schema: LinkedSchema,
    validations: Mapping[str, LinkedValidation],
    *,
    ledger: Ledger | None = None,
    statement: JSONDict | None = None,
) -> Report:
    """The page on an evaluation, from what a run has in memory.

    Args:
        evaluation: scores, failures and panels, with the facts of the run.
        schema: what the tables mean.
        validations: of `input` and `output`; of an evaluation of `holdout` too.
        ledger: what was charged, if there is one.
        statement: what is promised, if anything was fitted.
    """
    return build_linked(
        evaluation,
        schema,
        ledger=cast("LedgerJson | None", None if ledger is None else ledger.to_dict()),
        statement=cast("StatementJson | None", statement),
        validation={name: cast("LinkedValidationJson", each.to_dict()) for name, each in validations.items()},
    )
