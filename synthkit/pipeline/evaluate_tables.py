"""Tables that exist already, real and synthetic, to scores and a page; never loads torch."""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from synthkit.errors import ConfigError
from synthkit.metrics.evaluation_data import EvaluationData
from synthkit.metrics.result import Evaluation
from synthkit.metrics.runner import evaluate
from synthkit.pipeline import run_info
from synthkit.pipeline.load_table import (
    check_baselines,
    load_table,
    name_of,
    population,
    read_raw,
    refuse_linked_options,
)
from synthkit.pipeline.results import TableEvaluation
from synthkit.pipeline.run_config import RunConfig
from synthkit.release import run_folder
from synthkit.runtime.progress import Clock, Progress, Silent
from synthkit.schema import Schema
from synthkit.schema.conform import conform
from synthkit.schema.resolve import resolve_schema
from synthkit.schema.typed_columns import TypedColumns
from synthkit.schema.validation import validate_typed

if TYPE_CHECKING:
    import pandas as pd

    from synthkit.models.base import TrainingLog


def evaluate_tables(
    train: pd.DataFrame | str | Path,
    holdout: pd.DataFrame | str | Path,
    synthetic: Sequence[pd.DataFrame | str | Path],
    schema: Schema | str | Path,
    *,
    others: Sequence[pd.DataFrame | str | Path] = (),
    config: RunConfig | None = None,
    progress: Progress | None = None,
) -> TableEvaluation:
    """Measure synthetic tables made elsewhere.

    Real tables must keep the schema. Synthetic ones need only be typed by it: what they break is listed and scored.
    Attackers have the synthetic tables and the other releases together; nothing else looks at the others.

    Args:
        train: rows the synthesizer was fitted on.
        holdout: real rows it never saw.
        synthetic: one table a draw.
        schema: the meaning all tables share.
        others: rows of other releases made from the same training rows, and from nobody who is held out.
        config: seed, quick, baselines, clamp, suite, population and how CSV files are read; the rest is not looked at.
        progress: told of stages and metrics.

    Raises:
        ConfigError: no synthetic table is given, a baseline is no estimator that suits a target, or an option is one of
            linked tables.
        TableError: a table cannot be read or is too small.
        SchemaError: a real table breaks its schema, or a cell of a synthetic one cannot be typed.
    """
    config = config or RunConfig()
    _refuse(config, synthetic)
    seed = secrets.randbits(31) if config.seed is None else config.seed
    clock = Clock(progress or Silent())
    clock.stage("read and validate")
    schema = resolve_schema(schema)
    check_baselines(schema, config)
    real = load_table(train, schema, config)
    held = load_table(holdout, schema, config)
    counts = population(schema, config)
    typed = [TypedColumns.of(read_raw(table, config), schema) for table in synthetic]
    output = validate_typed(typed[0], schema, extra=config.suite)
    validations = {"output": output} if real.validation is None else {"input": real.validation, "output": output}
    draws = tuple(columns.fitting() for columns in typed)
    clock.stage("evaluate")
    comparison = EvaluationData(
        train=real.frame,
        holdout=held.frame,
        synthetic=draws,
        schema=schema,
        population=counts,
        others=tuple(conform(read_raw(table, config), schema) for table in others),
    )
    measured = evaluate(comparison, seed=seed, quick=config.quick, baselines=config.baselines, progress=clock.metric)
    clock.stage("report")
    names = _names_of_tables(holdout, synthetic, others)
    facts = run_info.facts(schema, name_of(train), clock.seconds, draws=len(draws), seed=seed, **names)
    measured = with_facts(measured, facts)
    page = run_folder.page(measured, ledger=None, schema=schema, validations=run_folder.validations_json(validations))
    clock.stage("")
    return TableEvaluation(
        evaluation=measured,
        report=page,
        schema=schema,
        validations=validations,
        clamped=dict(Counter(real.clamped) + Counter(held.clamped)),
        facts=facts,
    )


def _refuse(config: RunConfig, synthetic: Sequence[pd.DataFrame | str | Path]) -> None:
    """Refuse what cannot be evaluated.

    Raises:
        ConfigError: an option is one of linked tables, or no synthetic table is given.
    """
    refuse_linked_options(config)
    if not synthetic:
        msg = "at least one synthetic table must be given; however: none is. Name one with --synthetic"
        raise ConfigError(msg)


def _names_of_tables(
    holdout: pd.DataFrame | str | Path,
    synthetic: Sequence[pd.DataFrame | str | Path],
    others: Sequence[pd.DataFrame | str | Path],
) -> dict[str, str | list[str]]:
    """What the tables are called, by what they are."""
    names: dict[str, str | list[str]] = {
        "synthetic": [name_of(table) for table in synthetic],
        "holdout": name_of(holdout),
    }
    return {**names, "others": [name_of(table) for table in others]} if others else names


def with_facts(evaluation: Evaluation, facts: Mapping[str, Any]) -> Evaluation:
    """The evaluation with facts about the run it belongs to; seconds of stages stand before those of metrics."""
    seconds = {**facts["seconds"], **evaluation.run["seconds"]}
    return replace(evaluation, run={**evaluation.run, **facts, "seconds": seconds})


def with_training(evaluation: Evaluation, log: TrainingLog | None) -> Evaluation:
    """The evaluation with the loss curve among its panels."""
    if log is None or not log.at:
        return evaluation
    curve = {
        "steps": list(log.at),
        "train": list(log.train),
        "validation": None if log.validation is None else list(log.validation),
        "best_step": log.best_step,
    }
    return replace(evaluation, panels={**evaluation.panels, "training": curve})
