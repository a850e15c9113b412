"""Linked tables that exist already, real and synthetic, to scores; never loads torch."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from synthkit.errors import ConfigError
from synthkit.metrics.linked.linked_evaluation_data import LinkedEvaluationData
from synthkit.metrics.linked.linked_runner import evaluate_linked
from synthkit.pipeline.evaluate_tables import with_facts
from synthkit.pipeline.linked.linked_config import refuse_budget, settled_config
from synthkit.pipeline.linked.linked_facts import linked_facts, linked_report
from synthkit.pipeline.linked.linked_input import load_tables, read_folder, resolve_linked, source_name, typed_draw
from synthkit.pipeline.linked.linked_results import LinkedTablesEvaluation
from synthkit.pipeline.run_config import RunConfig
from synthkit.runtime.progress import Clock, Progress, Silent

if TYPE_CHECKING:
    from synthkit.schema import Schema
    from synthkit.schema.linked import LinkedSchema
    from synthkit.tables.linked_files import LinkedInput


def evaluate_linked_tables(
    train: LinkedInput,
    holdout: LinkedInput,
    synthetic: Sequence[LinkedInput],
    schema: Schema | LinkedSchema | str | Path,
    *,
    config: RunConfig | None = None,
    progress: Progress | None = None,
) -> LinkedTablesEvaluation:
    """Measure synthetic linked tables made by any tool.

    Real tables must keep the schema. Of synthetic ones every key must find its row, so that rows have a place; what
    else they break is listed and scored.

    Args:
        train: units the synthesizer was fitted on: a folder, a DuckDB file, or frames by name.
        holdout: real units it never saw.
        synthetic: units that were drawn, one draw or more.
        schema: the meaning all tables share.
        config: seed, quick, orphans and how CSV files are read; the rest is not looked at.
        progress: told of stages and metrics.

    Raises:
        ConfigError: linked tables cannot be asked for it, or no synthetic ones are given.
        TableError: a table cannot be read, or a side has fewer than two units.
        SchemaError: a real table breaks its schema, or rows of a synthetic one have no place.
    """
    config = settled_config(config)
    refuse_budget(config, "linked tables that exist already are evaluated")
    if not synthetic:
        msg = "at least one draw of synthetic tables must be given; however: none is. Name one with --synthetic"
        raise ConfigError(msg)
    clock = Clock(progress or Silent())
    clock.stage("read and validate")
    given = resolve_linked(schema)
    real, held = load_tables(train, given, config), load_tables(holdout, given, config)
    draws = [typed_draw(read_folder(each, given, config).frames, given) for each in synthetic]
    (drawn, first), further = draws[0], tuple(tables for tables, _ in draws[1:])
    output = next((found for _, found in draws if not found.success), first)
    clock.stage("evaluate")
    compared = LinkedEvaluationData(train=real, holdout=held, synthetic=drawn, further=further)
    found = evaluate_linked(compared, seed=config.seed or 0, quick=config.quick, progress=clock.metric)
    clock.stage("report")
    names = {"synthetic": [source_name(each) for each in synthetic], "holdout": source_name(holdout)}
    facts = linked_facts(given, source_name(train), clock.seconds, draws=len(draws), seed=config.seed, **names)
    checked = {"input": real.validation, "holdout": held.validation, "output": output}
    validations = {name: each for name, each in checked.items() if each is not None}
    measured = with_facts(found, facts)
    page = linked_report(measured, given, validations)
    clock.stage("")
    return LinkedTablesEvaluation(evaluation=measured, report=page, schema=given, validations=validations, facts=facts)
