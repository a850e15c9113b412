"""One run of linked tables, from real ones to synthetic ones and scores: the whole path as a page of prose."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from synthkit.errors import SchemaError
from synthkit.io.json_types import JSONDict
from synthkit.metrics.linked.linked_evaluation_data import LinkedEvaluationData
from synthkit.metrics.linked.linked_runner import QUICK_LINKED_UNITS
from synthkit.pipeline.evaluate_tables import with_facts, with_training
from synthkit.pipeline.linked.fit_and_draw_linked import (
    checked_draws,
    drawn_linked,
    empty_linked,
    learn_linked,
    marked_facts,
    unit_watermark_key,
)
from synthkit.pipeline.linked.internal_linked_evaluation import (
    checked_input,
    compared_linked,
    guarded_linked,
    linked_comparison,
    measured_linked,
)
from synthkit.pipeline.linked.linked_config import settled_config
from synthkit.pipeline.linked.linked_facts import linked_facts, linked_learned, linked_report, linked_statement
from synthkit.pipeline.linked.linked_input import load_tables, resolve_linked, source_name
from synthkit.pipeline.linked.linked_results import LinkedFit, LinkedRun
from synthkit.pipeline.linked.private_linked_run import fitted_privately, made_privately
from synthkit.pipeline.linked.unit_split import UnitSplit, split_of_roles, split_units
from synthkit.pipeline.run_config import RunConfig
from synthkit.privacy.accounting.ledger import Ledger
from synthkit.runtime.progress import Clock, Progress, Silent
from synthkit.runtime.seeds import system_generator

if TYPE_CHECKING:
    from collections.abc import Mapping

    from synthkit.schema import Schema
    from synthkit.schema.linked import LinkedSchema
    from synthkit.schema.linked.linked_validation import LinkedValidation
    from synthkit.synthesizer.checkpoints import Checkpoint
    from synthkit.tables.linked_files import LinkedInput
    from synthkit.tables.linked_tables import LinkedTables


def synthesize_linked(
    tables: LinkedInput,
    schema: Schema | LinkedSchema | str | Path,
    *,
    config: RunConfig | None = None,
    checkpoint: Checkpoint | None = None,
    progress: Progress | None = None,
    **asked: Any,
) -> LinkedRun:
    """From real linked tables to synthetic ones, a fitted model and scores.

    Units are parted: some are trained on, some held out, and all rows follow their unit.

    Args:
        tables: a folder with a file a table, a DuckDB file, or frames by name.
        schema: what they mean, or the path of the YAML file that says so.
        config: what the run is asked.
        checkpoint: where the training and the roles are kept, to go on with the run after it was killed.
        progress: told of stages and steps.
        asked: keys of `RunConfig` over those of `config`: `model`, `units`, `draws`, `seed`, `epsilon` and so on.

    Raises:
        ConfigError: a setting cannot be meant, linked tables cannot be asked for it, or the checkpoint belongs to
            another training.
        TableError: a table cannot be read, or there are too few units to be split.
        SchemaError: the tables break their schema, every violation listed; or synthetic ones do. Under a budget no row
            is refused: lines of the schema are not public and cannot be bought.
        BudgetExceededError: too little is left of the budget; nothing was drawn.
    """
    config = settled_config(config, checkpoint, **asked)
    clock = Clock(progress or Silent())
    given = resolve_linked(schema)
    if config.epsilon is not None:
        return _under_budget(tables, given, config, checkpoint, clock)
    return _without_budget(tables, given, config, checkpoint, clock)


def _without_budget(
    tables: LinkedInput, given: LinkedSchema, config: RunConfig, checkpoint: Checkpoint | None, clock: Clock
) -> LinkedRun:
    """A run without a budget: what breaks the schema ends it before anything is learned."""
    clock.stage("read and validate")
    synthesizer, key = empty_linked(given, config), unit_watermark_key(config, given)
    real = load_tables(tables, given, config)
    clock.stage("split")
    parts = split_units(real, system_generator(), checkpoint)
    clock.stage("fit")
    ledger = Ledger.unlimited(unit=given.unit)
    learn_linked(synthesizer, parts.train, config, ledger, checkpoint, clock)
    clock.stage("sample")
    draws, seeds = drawn_linked(synthesizer, len(parts.train.frames[given.unit]), config, key, clock)
    clock.stage("validate synthetic tables")
    typed, output = checked_draws(draws, given)
    clock.stage("evaluate")
    found = measured_linked(compared_linked(parts, typed, synthesizer, config), config, clock.metric)
    clock.stage("report")
    learned = linked_learned(synthesizer, config, clock.said)
    told = {"draws": len(draws), "draw_seeds": seeds, "people": _people(parts, config), **marked_facts(key), **learned}
    facts = linked_facts(given, source_name(tables), clock.seconds, **told)
    measured = with_training(with_facts(found, facts), synthesizer.log)
    promised, checked = linked_statement(synthesizer, ledger), _validations(real, output)
    page = linked_report(measured, given, checked, ledger=ledger, statement=promised)
    clock.stage("")
    return LinkedRun(
        draws=draws,
        synthesizer=synthesizer,
        schema=given,
        ledger=ledger,
        statement=promised,
        validations=checked,
        roles=parts.roles,
        evaluation=measured,
        report=page,
        facts={**facts, "seconds": dict(clock.seconds)},
    )


def _under_budget(
    tables: LinkedInput, given: LinkedSchema, config: RunConfig, checkpoint: Checkpoint | None, clock: Clock
) -> LinkedRun:
    """A run under a budget: what may leave is made first, and nothing that is measured afterwards ends it."""
    made, mapped = made_privately(tables, given, config, checkpoint, clock)
    clock.stage("evaluate")

    def compare() -> LinkedEvaluationData:
        return linked_comparison(
            split_of_roles(mapped, made.roles, system_generator()), made.draws, made.synthesizer, config
        )

    found = guarded_linked(compare, config, clock.metric)
    checked = {**checked_input(tables, given, config), **made.validations}
    clock.stage("report")
    facts = {**made.facts, "seconds": dict(clock.seconds)}
    measured = with_training(with_facts(found, facts), made.synthesizer.log)
    page = linked_report(measured, made.schema, checked, ledger=made.ledger, statement=dict(made.statement))
    clock.stage("")
    told = {**vars(made), "validations": checked, "facts": {**facts, "seconds": dict(clock.seconds)}}
    return LinkedRun(**told, evaluation=measured, report=page)


def fit_linked(
    tables: LinkedInput,
    schema: Schema | LinkedSchema | str | Path,
    *,
    config: RunConfig | None = None,
    checkpoint: Checkpoint | None = None,
    progress: Progress | None = None,
    resume: bool = False,
) -> LinkedFit:
    """Learn all units of linked tables; nothing is held out, so nothing can be evaluated.

    Args:
        tables: a folder with a file a table, a DuckDB file, or frames by name.
        schema: what they mean, or the path of the YAML file that says so.
        config: model, settings, seed, device, max_minutes, orphans and how CSV files are read.
        checkpoint: where the training is kept, to go on with it after it was killed.
        progress: told of stages and steps.
        resume: under a budget, whether what an earlier fit charged and did not draw is drawn, and nothing is charged.

    Raises:
        ConfigError: a setting cannot be meant, linked tables cannot be asked for it, or the checkpoint belongs to
            another training.
        TableError: a table cannot be read.
        SchemaError: the tables break their schema, or have fewer than two units. Under a budget: lines of the schema
            are not public and cannot be bought.
        BudgetExceededError: too little is left of the budget; nothing was drawn.
    """
    config = settled_config(config, checkpoint)
    clock = Clock(progress or Silent())
    clock.stage("read and validate")
    given = resolve_linked(schema)
    if config.epsilon is not None:
        return fitted_privately(tables, given, config, checkpoint, clock, resume=resume)
    synthesizer = empty_linked(given, config)
    real = load_tables(tables, given, config)
    units = len(real.frames[given.unit])
    if units < 2:
        msg = f"a model is learned from two units on; however: `{given.unit}` has {units}. Bring more"
        raise SchemaError(msg)
    clock.stage("fit")
    ledger = Ledger.unlimited(unit=given.unit)
    learn_linked(synthesizer, real, config, ledger, checkpoint, clock)
    clock.stage("")
    learned = linked_learned(synthesizer, config, clock.said)
    return LinkedFit(
        synthesizer=synthesizer,
        schema=given,
        ledger=ledger,
        statement=linked_statement(synthesizer, ledger),
        validations=_validations(real),
        facts=linked_facts(given, source_name(tables), clock.seconds, **learned),
    )


def _people(parts: UnitSplit, config: RunConfig) -> JSONDict:
    """How many units went where, and how many are attacked."""
    pool = len(parts.pool.member)
    return {**parts.people, "attacked": [min(pool, QUICK_LINKED_UNITS) if config.quick else pool]}


def _validations(real: LinkedTables, output: LinkedValidation | None = None) -> Mapping[str, LinkedValidation]:
    found = {"input": real.validation, "output": output}
    return {name: validation for name, validation in found.items() if validation is not None}
