"""One run of linked tables, from real ones to synthetic ones and scores: the whole path as a page of prose."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from synthkit.errors import SchemaError
from synthkit.io.json_types import JSONDict
from synthkit.metrics.linked.linked_evaluation_data import LinkedEvaluationData
from synthkit.metrics.linked.linked_runner import QUICK_LINKED_UNITS, evaluate_linked
from synthkit.pipeline.evaluate_tables import with_facts, with_training
from synthkit.pipeline.linked.linked_config import settled_config
from synthkit.pipeline.linked.linked_facts import linked_facts, linked_learned, linked_report, linked_statement
from synthkit.pipeline.linked.linked_input import load_tables, resolve_linked, source_name, typed_draw
from synthkit.pipeline.linked.linked_results import LinkedFit, LinkedRun, Tables
from synthkit.pipeline.linked.unit_likelihood import with_likelihood
from synthkit.pipeline.linked.unit_split import UnitSplit, split_units
from synthkit.pipeline.run_config import RunConfig
from synthkit.privacy.accounting.ledger import Ledger
from synthkit.runtime.progress import Clock, Progress, Silent
from synthkit.runtime.seeds import Seeds, system_generator
from synthkit.synthesizer.linked_synthesizer import LinkedSynthesizer
from synthkit.watermark import UnitWatermarkKey

if TYPE_CHECKING:
    from collections.abc import Mapping

    from synthkit.io.json_types import JSON
    from synthkit.metrics.result import Evaluation
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
        asked: keys of `RunConfig` over those of `config`: `model`, `units`, `draws`, `seed`, `orphans` and so on.

    Raises:
        ConfigError: a setting cannot be meant, linked tables cannot be asked for it, or the checkpoint belongs to
            another training.
        TableError: a table cannot be read, or there are too few units to be split.
        SchemaError: the tables break their schema, every violation listed; or synthetic ones do.
    """
    config = settled_config(config, checkpoint, **asked)
    clock = Clock(progress or Silent())
    clock.stage("read and validate")
    given = resolve_linked(schema)
    synthesizer, key = _empty(given, config), _watermark_key(config, given)
    real = load_tables(tables, given, config)
    clock.stage("split")
    parts = split_units(real, system_generator(), checkpoint)
    clock.stage("fit")
    ledger = _learn(synthesizer, parts.train, config, checkpoint, clock)
    clock.stage("sample")
    draws, seeds = _draws(synthesizer, len(parts.train.frames[given.unit]), config, key, clock)
    clock.stage("validate synthetic tables")
    typed, output = _checked(draws, given)
    clock.stage("evaluate")
    found = _measured(_compared(parts, typed, synthesizer, config), config, clock)
    clock.stage("report")
    learned = linked_learned(synthesizer, config, clock.said)
    told = {"draws": len(draws), "draw_seeds": seeds, "people": _people(parts, config), **_marked(key), **learned}
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


def fit_linked(
    tables: LinkedInput,
    schema: Schema | LinkedSchema | str | Path,
    *,
    config: RunConfig | None = None,
    checkpoint: Checkpoint | None = None,
    progress: Progress | None = None,
) -> LinkedFit:
    """Learn all units of linked tables; nothing is held out, so nothing can be evaluated.

    Args:
        tables: a folder with a file a table, a DuckDB file, or frames by name.
        schema: what they mean, or the path of the YAML file that says so.
        config: model, settings, seed, device, max_minutes, orphans and how CSV files are read.
        checkpoint: where the training is kept, to go on with it after it was killed.
        progress: told of stages and steps.

    Raises:
        ConfigError: a setting cannot be meant, linked tables cannot be asked for it, or the checkpoint belongs to
            another training.
        TableError: a table cannot be read.
        SchemaError: the tables break their schema, or have fewer than two units.
    """
    config = settled_config(config, checkpoint)
    clock = Clock(progress or Silent())
    clock.stage("read and validate")
    given = resolve_linked(schema)
    synthesizer = _empty(given, config)
    real = load_tables(tables, given, config)
    units = len(real.frames[given.unit])
    if units < 2:
        msg = f"a model is learned from two units on; however: `{given.unit}` has {units}. Bring more"
        raise SchemaError(msg)
    clock.stage("fit")
    ledger = _learn(synthesizer, real, config, checkpoint, clock)
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


def _empty(schema: LinkedSchema, config: RunConfig) -> LinkedSynthesizer:
    """Before its fit; a model or a setting that is not of linked tables is refused here, before any is read."""
    return LinkedSynthesizer(schema, config.model, seed=config.seed, device=config.device, settings=config.settings)


def _root(config: RunConfig) -> int:
    return config.seed or 0


def _learn(
    synthesizer: LinkedSynthesizer,
    tables: LinkedTables,
    config: RunConfig,
    checkpoint: Checkpoint | None,
    clock: Clock,
) -> Ledger:
    """Fit units; what was looked at stands in the ledger that is returned."""
    ledger = Ledger.unlimited(unit=synthesizer.schema.unit)
    synthesizer.fit(
        tables,
        seed=config.seed,
        max_minutes=config.max_minutes,
        checkpoint=checkpoint,
        progress=clock.training,
        stage=clock.part,
        say=clock.say,
        ledger=ledger,
    )
    return ledger


def _watermark_key(config: RunConfig, schema: LinkedSchema) -> UnitWatermarkKey | None:
    """The key of the watermark, held against the schema before any work is done."""
    return None if config.watermark is None else UnitWatermarkKey.load(config.watermark).of(schema)


def _marked(key: UnitWatermarkKey | None) -> dict[str, JSON]:
    """What a run tells of its watermark."""
    return {"watermark": None if key is None else {"key": key.name, "candidates": key.candidates}}


def _draws(
    synthesizer: LinkedSynthesizer, fitted: int, config: RunConfig, key: UnitWatermarkKey | None, clock: Clock
) -> tuple[tuple[Tables, ...], list[int]]:
    """As many units a draw as were asked for, or fitted; and the seed of each draw."""
    seeds = [Seeds(_root(config)).of(f"draw {k}") % 2**31 for k in range(config.draws)]
    units = config.units or fitted
    return tuple(synthesizer.sample(units, seed=seed, watermark=key, progress=clock.rows) for seed in seeds), seeds


def _compared(
    parts: UnitSplit, draws: tuple[LinkedTables, ...], synthesizer: LinkedSynthesizer, config: RunConfig
) -> LinkedEvaluationData:
    """What is compared, and who is attacked: with what the model says of them, if it is to be released too."""
    pool = parts.pool
    if config.release_model:
        pool = with_likelihood(pool, synthesizer, seed=Seeds(_root(config)).of("likelihood") % 2**31)
    return LinkedEvaluationData(
        train=parts.train, holdout=parts.holdout, synthetic=draws[0], further=draws[1:], pool=pool
    )


def _measured(compared: LinkedEvaluationData, config: RunConfig, clock: Clock) -> Evaluation:
    """The evaluation of a comparison by the seed of its run."""
    seed = Seeds(_root(config)).of("evaluate")
    return evaluate_linked(compared, seed=seed, quick=config.quick, progress=clock.metric)


def _people(parts: UnitSplit, config: RunConfig) -> JSONDict:
    """How many units went where, and how many are attacked."""
    pool = len(parts.pool.member)
    return {**parts.people, "attacked": [min(pool, QUICK_LINKED_UNITS) if config.quick else pool]}


def _checked(draws: tuple[Tables, ...], schema: LinkedSchema) -> tuple[tuple[LinkedTables, ...], LinkedValidation]:
    """The draws, typed, and the validation of the first; every draw must pass, for each may be released.

    Raises:
        SchemaError: a draw breaks the schema.
    """
    found = [typed_draw(draw, schema) for draw in draws]
    for k, (_, validation) in enumerate(found):
        if not validation.success:
            msg = f"synthetic tables must keep the schema they were made for; however: draw {k + 1} does not"
            raise SchemaError(f"{msg}\n{validation}")
    return tuple(tables for tables, _ in found), found[0][1]


def _validations(real: LinkedTables, output: LinkedValidation | None = None) -> Mapping[str, LinkedValidation]:
    found = {"input": real.validation, "output": output}
    return {name: validation for name, validation in found.items() if validation is not None}
