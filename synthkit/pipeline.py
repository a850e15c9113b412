"""One run, from a real table to a report: the whole path as a page of prose."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from synthkit import folder, inspection, promise, provenance
from synthkit.admission import Admitted, admit, admit_mapped, meaning, name_of, population
from synthkit.assessment import with_facts, with_training
from synthkit.checkpoint import Checkpoint
from synthkit.config import RunConfig
from synthkit.errors import ConfigError, SchemaError, UnsupportedError
from synthkit.evaluate import Comparison, Evaluation
from synthkit.models import MODELS, Autoregressive, HasSurprise, TrainingLog
from synthkit.privacy import Curator, Ledger
from synthkit.progress import Clock, Progress, Silent
from synthkit.results import Fit, Release, Run
from synthkit.schema import Schema
from synthkit.schema.conform import check_structure
from synthkit.schema.declared import declared
from synthkit.schema.expectations import own, validate
from synthkit.schema.violations import Validation
from synthkit.seeds import Seeds, system_generator
from synthkit.split import FEWEST_UNITS, Shares, Split, draw_roles, split
from synthkit.synthesizer import Synthesizer
from synthkit.watermark import Key

PUBLIC_UNITS = 20_000  # units for whom shares of roles are chosen under a budget, where nobody declared a number


def synthesize(
    table: pd.DataFrame | str | Path,
    schema: Schema | str | Path,
    *,
    config: RunConfig | None = None,
    checkpoint: Checkpoint | None = None,
    progress: Progress | None = None,
    **asked: Any,
) -> Run:
    """From a real table to synthetic rows, a fitted model and a report.

    Args:
        table: a frame, or the path of a CSV, Parquet or Arrow file.
        schema: what the table means, or the path of the YAML file that says so.
        config: what the run is asked.
        checkpoint: where the training and the roles are kept, to go on with the run after it was killed.
        progress: told of stages and steps.
        asked: keys of `RunConfig` over those of `config`: `model`, `rows`, `seed`, `epsilon`, `delta` and so on.

    Raises:
        ConfigError: a setting cannot be meant, or the checkpoint belongs to another training.
        TableError: the table cannot be read or is too small to be split.
        SchemaError: the table breaks its schema; every violation is listed. Under a budget: lines of the schema are
            not public and cannot be bought.
        BudgetExceededError: too little is left of the budget; nothing was drawn.

    Example:
        >>> from synthkit.data import support2, support2_schema
        >>> small = RunConfig(model="independent", quick=True)
        >>> run = synthesize(support2().head(400), support2_schema(), rows=100, seed=1, config=small)
        >>> run.synthetic.shape
        (100, 48)
    """
    config = _asked(config, checkpoint, **asked)
    clock = Clock(progress or Silent())
    made, parts, public = _made(table, schema, config, checkpoint, clock)
    clock.stage("evaluate")
    measured, checked = _measured(table, made, parts, public, config, clock)
    clock.stage("report")
    facts = {**made.facts, "seconds": dict(clock.seconds)}
    measured = with_training(with_facts(measured, facts), made.synthesizer.log)
    page = folder.page(
        measured,
        ledger=made.ledger.to_dict(),
        schema=public,
        validations=folder.plain(checked),
        statement=made.statement,
    )
    clock.stage("")
    return Run(**{**vars(made), "validations": checked, "facts": facts}, evaluation=measured, report=page)


def release(
    table: pd.DataFrame | str | Path,
    schema: Schema | str | Path,
    *,
    config: RunConfig | None = None,
    progress: Progress | None = None,
    **asked: Any,
) -> Release:
    """From a real table to a fitted model and synthetic rows, part of the rows held out, nothing measured yet.

    Under a budget this comes first and is saved; `inspection.inspect` looks at it afterwards, in a process of its own.

    Args:
        table: a frame, or the path of a CSV, Parquet or Arrow file.
        schema: what the table means, or the path of the YAML file that says so.
        config: what the run is asked.
        progress: told of stages and steps.
        asked: keys of `RunConfig` over those of `config`.

    Raises:
        SynthkitError: as `synthesize` does.
    """
    config = _asked(config, None, **asked)
    clock = Clock(progress or Silent())
    made, _, _ = _made(table, schema, config, None, clock)
    clock.stage("")
    return made


def fit(
    table: pd.DataFrame | str | Path,
    schema: Schema | str | Path,
    *,
    config: RunConfig | None = None,
    checkpoint: Checkpoint | None = None,
    progress: Progress | None = None,
) -> Fit:
    """Learn all rows of a table; nothing is held out, so nothing can be evaluated.

    Args:
        table: a frame, or the path of a CSV, Parquet or Arrow file.
        schema: what the table means, or the path of the YAML file that says so.
        config: model, settings, seed, device, max_minutes, clamp, suite and how CSV files are read.
        checkpoint: where the training is kept, to go on with it after it was killed.
        progress: told of stages and steps.

    Raises:
        ConfigError: a setting cannot be meant, or the checkpoint belongs to another training.
        TableError: the table cannot be read.
        SchemaError: the table breaks its schema, or has fewer than two rows.
    """
    config = _asked(config, checkpoint)
    clock = Clock(progress or Silent())
    clock.stage("read and validate")
    given = meaning(schema, config.unit)
    synthesizer = _empty(given, config)
    _refuse_early(config, given)
    ledger = promise.ledger(config, given)
    admitted, _ = _admitted(table, given, config)
    if config.epsilon is None:
        check_structure(admitted.frame, given)
    clock.stage("fit")
    _learn(synthesizer, admitted.frame, admitted, config, ledger, checkpoint, clock)
    promised = promise.statement(synthesizer, ledger)
    clock.stage("")
    return Fit(
        synthesizer=synthesizer,
        schema=synthesizer.schema,
        ledger=ledger,
        statement=promised,
        validations=admitted.validations,
        clamped=admitted.clamped,
        facts=provenance.facts(given, name_of(table), clock.seconds, **_learned(synthesizer, config, clock)),
    )


def _made(
    table: pd.DataFrame | str | Path,
    schema: Schema | str | Path,
    config: RunConfig,
    checkpoint: Checkpoint | None,
    clock: Clock,
) -> tuple[Release, Split, Schema]:
    """Everything of a run that is not measured; the split, and the meaning in which real and synthetic rows compare."""
    clock.stage("read and validate")
    given = meaning(schema, config.unit)
    synthesizer = _empty(given, config)
    key = _key(config, given)
    _refuse_early(config, given)
    _refuse_few(config)
    ledger = promise.ledger(config, given)
    admitted, public = _admitted(table, given, config)
    clock.stage("split")
    parts = _split(admitted.frame, public, checkpoint, config)
    clock.stage("fit")
    _learn(synthesizer, parts.train_frame(), admitted, config, ledger, checkpoint, clock)
    clock.stage("sample")
    drawn = config.rows or (int(parts.train.sum()) if synthesizer.rows is None else round(synthesizer.rows))
    draws = _drawn(synthesizer, drawn, config, key)
    clock.stage("validate synthetic rows")
    output = _released(draws, synthesizer.schema, config)
    facts = provenance.facts(
        public,
        name_of(table),
        clock.seconds,
        draws=len(draws),
        draw_seeds=[d.attrs["synthkit_seed"] for d in draws],
        calibrated=_calibrated(draws),
        watermark=None if key is None else {"key": key.name, "candidates": key.candidates},
        **_learned(synthesizer, config, clock),
    )
    made = Release(
        draws=draws,
        synthesizer=synthesizer,
        schema=synthesizer.schema,
        ledger=ledger,
        statement=promise.statement(synthesizer, ledger),
        validations={**admitted.validations, "output": output},
        clamped=admitted.clamped,
        roles=parts.roles,
        facts=facts,
    )
    return made, parts, public


def _refuse_early(config: RunConfig, schema: Schema) -> None:
    """Files beside the table are looked at before any work is done.

    Raises:
        ConfigError: the suite is none.
        TableError: the population cannot be read, or lacks a column or a count.
        SchemaError: there is a population, but no quasi-identifiers are declared.
    """
    population(schema, config)
    if config.suite is not None:
        own(config.suite)


def _refuse_few(config: RunConfig) -> None:
    """Under a budget the size of a table is what was declared; the rows are not counted.

    Raises:
        ConfigError: fewer units are declared than a split needs.
    """
    if config.public_n is not None and config.public_n < FEWEST_UNITS:
        msg = (
            f"a table is split from {FEWEST_UNITS} units on; however: a public n of {config.public_n} is declared. "
            "Fit without a split (`synthkit fit`)"
        )
        raise ConfigError(msg)


def _measured(
    table: pd.DataFrame | str | Path, made: Release, parts: Split, public: Schema, config: RunConfig, clock: Clock
) -> tuple[Evaluation, Mapping[str, Validation]]:
    """The evaluation, and what input and output were held against; under a budget nothing here ends a run."""
    model = made.synthesizer if config.release_model else None
    if config.epsilon is None:
        compared = inspection.comparison(parts, made.draws, public, config, model)
        return inspection.measured(compared, config, clock.metric), made.validations

    def compare() -> Comparison:
        marked = parts.isolating(public, system_generator())
        return inspection.comparison(marked, made.draws, public, config, model)

    return inspection.guarded(compare, config), {**inspection.checked(table, public, config), **made.validations}


def _asked(
    config: RunConfig | None,
    checkpoint: Checkpoint | None,
    **said: Any,
) -> RunConfig:
    """The configuration with what was said beside it, and a seed in any case: that of the training taken up."""
    plain = {} if config is None else config.model_dump(exclude_unset=True)
    config = RunConfig.of(**plain | {k: v for k, v in said.items() if v is not None})
    if config.seed is None and checkpoint is not None and checkpoint.seed is not None:
        return config.model_copy(update={"seed": checkpoint.seed})
    return config.model_copy(update={"seed": _root(config)})


def _root(config: RunConfig) -> int:
    """The root seed of a run; drawn from the operating system if none was asked for."""
    return secrets.randbits(31) if config.seed is None else config.seed


def _empty(schema: Schema, config: RunConfig) -> Synthesizer:
    """A synthesizer before its fit; under a budget it measures what calibrated draws need if they are asked for.

    Raises:
        UnsupportedError: the model is to be released, and nothing is known of it that an attacker could ask.
    """
    if config.release_model and not issubclass(MODELS.get(config.model, Autoregressive), HasSurprise):
        msg = (
            f"a model is released only if an attack by its likelihood can be made first; however: {config.model} says "
            "of no row how probable it is. Use autoregressive, or release rows only"
        )
        raise UnsupportedError(msg)
    return Synthesizer(
        schema,
        config.model,
        settings=config.settings,
        device=config.device,
        targets=config.calibrate if config.epsilon is not None else None,
    )


def _admitted(table: pd.DataFrame | str | Path, schema: Schema, config: RunConfig) -> tuple[Admitted, Schema]:
    """The table and the meaning it keeps: under a budget the public one, into which every cell is mapped."""
    if config.epsilon is None:
        return admit(table, schema, config), schema
    public = declared(schema).schema
    return admit_mapped(table, public, config), public


def _split(frame: pd.DataFrame, schema: Schema, checkpoint: Checkpoint | None, config: RunConfig) -> Split:
    """Roles and coins: those of the run that is taken up, or new ones; under a budget with public probabilities."""
    if config.epsilon is not None:
        return draw_roles(frame, schema, system_generator(), shares=Shares.of(config.public_n or PUBLIC_UNITS))
    kept = None if checkpoint is None else checkpoint.roles()
    if kept is not None:
        return Split.from_roles(frame, schema, kept)
    parts = split(frame, schema, system_generator())
    if checkpoint is not None:
        checkpoint.keep_roles(parts.roles)
    return parts


def _learn(
    synthesizer: Synthesizer,
    train: pd.DataFrame,
    admitted: Admitted,
    config: RunConfig,
    ledger: Ledger,
    checkpoint: Checkpoint | None,
    clock: Clock,
) -> None:
    """Fit through a curator, who writes down in the ledger what is learned while doing so."""
    schema = synthesizer.schema
    private = ledger.budget is not None
    synthesizer.with_dtypes(admitted.dtypes).fit(
        train if private else Curator(train, schema, ledger, Seeds(_root(config))),
        seed=config.seed,
        max_minutes=config.max_minutes,
        checkpoint=checkpoint,
        progress=clock.training,
        say=clock.say,
        ledger=ledger if private else None,
    )


def _learned(synthesizer: Synthesizer, config: RunConfig, clock: Clock) -> dict[str, Any]:
    """What was asked and what came of it: the model `auto` chose, every setting, the steps, what was said."""
    log = synthesizer.log
    trained = None if log is None or not log.steps else _trained(log)
    return {
        **provenance.fitted(config),
        "model": synthesizer.model_name,
        "why": synthesizer.why,
        "settings": synthesizer.settings,
        "trained": trained,
        "notes": list(clock.said),
    }


def _trained(log: TrainingLog) -> dict[str, Any]:
    """Steps made, the step whose weights were kept, and the memory it was estimated to take."""
    memory = None if log.memory is None else round(log.memory / 2**20)
    return {"steps": log.steps, "kept": log.best_step, "seconds": round(log.seconds, 2), "memory_mib": memory}


def _key(config: RunConfig, schema: Schema) -> Key | None:
    """The key of the watermark, held against the schema before any work is done."""
    return None if config.watermark is None else Key.load(config.watermark).of(schema)


def _drawn(synthesizer: Synthesizer, rows: int, config: RunConfig, key: Key | None) -> tuple[pd.DataFrame, ...]:
    seeds = Seeds(_root(config))
    each = (seeds.of(f"draw {k}") % 2**31 for k in range(config.draws))
    return tuple(synthesizer.sample(rows, calibrate=config.calibrate, seed=seed, watermark=key) for seed in each)


def _calibrated(draws: tuple[pd.DataFrame, ...]) -> dict[str, int] | None:
    """Of calibrated draws, how many rows were chosen from how many; None if they are plain."""
    attrs = draws[0].attrs
    return {"rows": len(draws[0]), "pool": attrs["synthkit_pool"]} if attrs["synthkit_calibrated"] else None


def _released(draws: tuple[pd.DataFrame, ...], schema: Schema, config: RunConfig) -> Validation:
    """The validation of the first draw; every draw must pass, for each may be released."""
    validations = [validate(draw, schema, extra=config.suite) for draw in draws]
    for k, validation in enumerate(validations):
        if not validation.success:
            msg = (
                f"synthetic rows must keep the schema they were made for; however: draw {k + 1} does not\n{validation}"
            )
            raise SchemaError(msg)
    return validations[0]
