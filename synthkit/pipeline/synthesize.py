"""One run, from a real table to a report: the whole path as a page of prose."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd

from synthkit.engine.large_table import LargeTable
from synthkit.errors import ConfigError
from synthkit.metrics.evaluation_data import EvaluationData
from synthkit.metrics.result import SIBLING_AUDITED, Evaluation
from synthkit.pipeline import internal_evaluation, privacy_terms, run_info
from synthkit.pipeline.evaluate_tables import with_facts, with_training
from synthkit.pipeline.fit_and_draw import (
    empty_synthesizer,
    fit_and_draw,
    learn,
    root_seed,
    validate_draws,
    watermark_key,
)
from synthkit.pipeline.large_input import divided, examined_draws, examined_facts, load_large
from synthkit.pipeline.large_source import large_source, refuse_of_large, workplace
from synthkit.pipeline.load_table import load_mapped_table, load_table, name_of, refuse_early
from synthkit.pipeline.refits import refits
from synthkit.pipeline.results import Fit, Release, Run
from synthkit.pipeline.run_config import RunConfig
from synthkit.pipeline.split import FEWEST_UNITS, Shares, Split, draw_roles, split
from synthkit.release import run_folder
from synthkit.runtime.progress import Clock, Progress, Silent
from synthkit.runtime.seeds import Seeds, system_generator
from synthkit.schema import Schema
from synthkit.schema.public_domain import declared_domain
from synthkit.schema.resolve import resolve_schema
from synthkit.schema.typed_columns import TypedColumns, check_learnable
from synthkit.schema.violations import Validation
from synthkit.synthesizer.checkpoints import Checkpoint
from synthkit.tables.typed_table import TypedTable
from synthkit.watermark import WatermarkKey

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
    further, coins = refits(parts, made.audited, public, config, clock)
    clock.stage("evaluate")
    measured, checked = _measured(table, made, parts, public, config, clock, further)
    clock.stage("report")
    facts = {**made.facts, "seconds": dict(clock.seconds)}
    measured = with_training(with_facts(measured, facts), made.audited.synthesizer.log)
    page = run_folder.page(
        measured,
        ledger=made.ledger.to_dict(),
        schema=public,
        validations=run_folder.validations_json(checked),
        statement=made.statement,
    )
    clock.stage("")
    told = {**vars(made), "validations": checked, "facts": facts}
    return Run(**told, evaluation=measured, report=page, refits=coins)


def release(
    table: pd.DataFrame | str | Path,
    schema: Schema | str | Path,
    *,
    config: RunConfig | None = None,
    progress: Progress | None = None,
    resume: bool = False,
    **asked: Any,
) -> Release:
    """From a real table to a fitted model and synthetic rows, part of the rows held out, nothing measured yet.

    Under a budget this comes first and is saved; `internal_evaluation` looks at it later, in a process of its own.

    Args:
        table: a frame, or the path of a CSV, Parquet or Arrow file.
        schema: what the table means, or the path of the YAML file that says so.
        config: what the run is asked.
        progress: told of stages and steps.
        resume: whether what an earlier run charged and did not draw is drawn, and nothing is charged.
        asked: keys of `RunConfig` over those of `config`.

    Raises:
        SynthkitError: as `synthesize` does.
    """
    config = _asked(config, None, **asked)
    clock = Clock(progress or Silent())
    made, _, _ = _made(table, schema, config, None, clock, resume=resume)
    clock.stage("")
    return made


def fit(
    table: pd.DataFrame | str | Path,
    schema: Schema | str | Path,
    *,
    config: RunConfig | None = None,
    checkpoint: Checkpoint | None = None,
    progress: Progress | None = None,
    resume: bool = False,
) -> Fit:
    """Learn all rows of a table; nothing is held out, so nothing can be evaluated.

    Args:
        table: a frame, or the path of a CSV, Parquet or Arrow file.
        schema: what the table means, or the path of the YAML file that says so.
        config: model, settings, seed, device, max_minutes, clamp, suite and how CSV files are read.
        checkpoint: where the training is kept, to go on with it after it was killed.
        progress: told of stages and steps.
        resume: under a budget, whether what an earlier fit charged and did not draw is drawn, and nothing is charged.

    Raises:
        ConfigError: a setting cannot be meant, or the checkpoint belongs to another training.
        TableError: the table cannot be read.
        SchemaError: the table breaks its schema, or has fewer than two rows.
    """
    config = _asked(config, checkpoint)
    clock = Clock(progress or Silent())
    clock.stage("read and validate")
    given = resolve_schema(schema, config.unit)
    synthesizer = empty_synthesizer(given, config)
    refuse_early(config, given)
    ledger = privacy_terms.ledger(config, given, resume=resume)
    with _entrance(table, given, config) as (typed, _):
        if isinstance(typed, TypedTable) and config.epsilon is None:
            check_learnable(TypedColumns(frame=typed.frame, width=len(given.columns)), given)
        clock.stage("fit")
        with ledger.accounting():
            learn(synthesizer, typed, config, ledger, checkpoint, clock)
    promised = privacy_terms.statement(synthesizer, ledger)
    clock.stage("")
    return Fit(
        synthesizer=synthesizer,
        schema=synthesizer.schema,
        ledger=ledger,
        statement=promised,
        validations=_of_input(typed),
        clamped=typed.clamped,
        facts=run_info.facts(given, name_of(table), clock.seconds, **run_info.learned(synthesizer, config, clock.said)),
    )


def _made(
    table: pd.DataFrame | str | Path,
    schema: Schema | str | Path,
    config: RunConfig,
    checkpoint: Checkpoint | None,
    clock: Clock,
    *,
    resume: bool = False,
) -> tuple[Release, Split, Schema]:
    """Everything of a run that is not measured; the split, and the meaning in which real and synthetic rows compare."""
    clock.stage("read and validate")
    given = resolve_schema(schema, config.unit)
    synthesizer = empty_synthesizer(given, config)
    key = watermark_key(config, given)
    refuse_early(config, given)
    refuse_few_declared(config)
    ledger = privacy_terms.ledger(config, given, resume=resume)
    with _entrance(table, given, config) as (typed, public):
        clock.stage("split")
        parts, train = _divided(typed, public, checkpoint, config)
        with ledger.accounting():
            synthesizer, draws, sibling = fit_and_draw(
                synthesizer, typed, train, config, ledger, checkpoint, clock, key
            )
    with ledger.accounting():
        clock.stage("validate synthetic rows")
        output = validate_draws(draws, synthesizer.schema, config)
        facts = run_info.facts(
            public,
            name_of(table),
            clock.seconds,
            **_draw_facts(draws, key),
            **examined_facts(typed, train, parts),
            **({"audited": SIBLING_AUDITED, "released": [len(d) for d in draws]} if config.final else {}),
            **run_info.learned(synthesizer, config, clock.said),
        )
        made = Release(
            draws=draws,
            synthesizer=synthesizer,
            schema=synthesizer.schema,
            ledger=ledger,
            statement=privacy_terms.statement(synthesizer, ledger),
            validations={**_of_input(typed), "output": output},
            clamped=typed.clamped,
            roles=parts.roles,
            facts=facts,
            sibling=sibling,
        )
    return made, parts, public


def _draw_facts(draws: tuple[pd.DataFrame, ...], key: WatermarkKey | None) -> dict[str, Any]:
    """How many draws there are, and how their rows were chosen."""
    return {
        "draws": len(draws),
        "draw_seeds": [d.attrs["synthkit_seed"] for d in draws],
        "calibrated": run_info.raked(draws),
        "watermark": None if key is None else {"key": key.name, "candidates": key.candidates},
    }


def refuse_few_declared(config: RunConfig) -> None:
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
    table: pd.DataFrame | str | Path,
    made: Release,
    parts: Split,
    public: Schema,
    config: RunConfig,
    clock: Clock,
    further: tuple[EvaluationData, ...],
) -> tuple[Evaluation, Mapping[str, Validation]]:
    """The evaluation, and what input and output were held against; under a budget nothing here ends a run."""
    draws, model = made.audited.draws, made.audited.synthesizer if config.release_model else None
    if "examined" in made.facts:
        draws = examined_draws(draws, Seeds(config.seed or 0))
    if config.epsilon is None:
        compared = replace(internal_evaluation.comparison(parts, draws, public, config, model), refits=further)
        return internal_evaluation.measured(compared, config, clock.metric), made.validations

    def compare() -> EvaluationData:
        marked = parts.isolating(public, system_generator())
        return internal_evaluation.comparison(marked, draws, public, config, model)

    return internal_evaluation.guarded(compare, config), {
        **internal_evaluation.checked(table, public, config),
        **made.validations,
    }


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
    return config.model_copy(update={"seed": root_seed(config)})


def _of_input(table: TypedTable | LargeTable) -> dict[str, Validation]:
    """What the input was held against, by that name; nothing under a budget, where that comes later."""
    return {} if table.validation is None else {"input": table.validation}


@contextmanager
def _entrance(
    table: pd.DataFrame | str | Path, schema: Schema, config: RunConfig
) -> Iterator[tuple[TypedTable | LargeTable, Schema]]:
    """The table and the meaning it keeps: under a budget the public one, into which every cell is mapped.

    Rows that do not fit in memory stay in their files; what is written of them is gone when the block ends.
    """
    large = large_source(table, schema, config)
    if large is not None:
        with workplace(config) as place:
            yield load_large(large, place, config), schema
    elif config.epsilon is None:
        yield load_table(table, schema, config), schema
    else:
        public = declared_domain(schema).schema
        yield load_mapped_table(table, public, config), public


def _divided(
    table: TypedTable | LargeTable, schema: Schema, checkpoint: Checkpoint | None, config: RunConfig
) -> tuple[Split, TypedTable | LargeTable]:
    """Roles and coins, and the rows that are trained on."""
    if not isinstance(table, TypedTable):
        refuse_of_large(config)
        return divided(table, schema, checkpoint)
    parts = _split(table.frame, schema, checkpoint, config)
    return parts, replace(table, frame=parts.train_frame())


def public_shares(config: RunConfig) -> Shares:
    """Probabilities of roles under a budget: they follow from what was declared, never from the table."""
    return Shares.of(config.public_n or PUBLIC_UNITS)


def _split(frame: pd.DataFrame, schema: Schema, checkpoint: Checkpoint | None, config: RunConfig) -> Split:
    """Roles and coins: those of the run that is taken up, or new ones; under a budget with public probabilities."""
    if config.epsilon is not None:
        return draw_roles(frame, schema, system_generator(), shares=public_shares(config))
    kept = None if checkpoint is None else checkpoint.roles()
    if kept is not None:
        return Split.from_roles(frame, schema, kept)
    parts = split(frame, schema, system_generator())
    if checkpoint is not None:
        checkpoint.keep_roles(parts.roles)
    return parts
