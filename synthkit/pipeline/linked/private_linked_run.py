"""What a run of linked tables under a budget may let out: a model and units drawn from it, nothing measured yet."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from synthkit.pipeline import privacy_terms
from synthkit.pipeline.linked.fit_and_draw_linked import (
    checked_draws,
    drawn_linked,
    empty_linked,
    learn_linked,
    marked_facts,
    unit_watermark_key,
)
from synthkit.pipeline.linked.linked_config import settled_config
from synthkit.pipeline.linked.linked_facts import linked_facts, linked_learned, linked_statement
from synthkit.pipeline.linked.linked_input import load_mapped_units, resolve_linked, source_name
from synthkit.pipeline.linked.linked_results import LinkedFit, LinkedRelease
from synthkit.pipeline.linked.unit_split import draw_unit_roles
from synthkit.pipeline.synthesize import public_shares, refuse_few_declared
from synthkit.runtime.progress import Clock, Progress, Silent
from synthkit.runtime.seeds import system_generator
from synthkit.schema.linked.public_tables import declared_tables

if TYPE_CHECKING:
    from synthkit.pipeline.run_config import RunConfig
    from synthkit.schema import Schema
    from synthkit.schema.linked import LinkedSchema
    from synthkit.synthesizer.checkpoints import Checkpoint
    from synthkit.tables.linked_files import LinkedInput
    from synthkit.tables.linked_tables import LinkedTables


def release_linked(
    tables: LinkedInput,
    schema: Schema | LinkedSchema | str | Path,
    *,
    config: RunConfig,
    progress: Progress | None = None,
    resume: bool = False,
    **asked: Any,
) -> LinkedRelease:
    """From real linked tables to a fitted model and synthetic units, part of the units held out.

    This comes first and is saved; `internal_linked_evaluation` looks at it later, in a process of its own.

    Args:
        tables: a folder with a file a table, a DuckDB file, or frames by name.
        schema: what they mean, or the path of the YAML file that says so.
        config: what the run is asked, a budget among it.
        progress: told of stages and steps.
        resume: whether what an earlier run charged and did not draw is drawn, and nothing is charged.
        asked: keys of `RunConfig` over those of `config`.

    Raises:
        SynthkitError: as `synthesize_linked` does under a budget.
    """
    settled = settled_config(config, **asked)
    clock = Clock(progress or Silent())
    made, _ = made_privately(tables, resolve_linked(schema), settled, None, clock, resume=resume)
    clock.stage("")
    return made


def made_privately(
    tables: LinkedInput,
    given: LinkedSchema,
    config: RunConfig,
    checkpoint: Checkpoint | None,
    clock: Clock,
    *,
    resume: bool = False,
) -> tuple[LinkedRelease, LinkedTables]:
    """Everything of a run under a budget that is not measured, and all real units; no row decides whether it ends.

    Raises:
        ConfigError: a public n too small to be split is declared, a setting would tell of the rows, or the ledger is
            for another unit.
        TableError: a table cannot be read.
        SchemaError: lines of the schema are not public and cannot be bought, or tables and columns are not declared.
        BudgetExceededError: too little is left of the budget; nothing was drawn.
    """
    clock.stage("read and validate")
    synthesizer, public = empty_linked(given, config), declared_tables(given)
    key = unit_watermark_key(config, given)
    refuse_few_declared(config)
    ledger = privacy_terms.ledger(config, given, resume=resume)
    mapped = load_mapped_units(tables, public, config)
    clock.stage("split")
    parts = draw_unit_roles(mapped.tables, system_generator(), public_shares(config))
    with ledger.accounting():
        clock.stage("fit")
        learn_linked(synthesizer, parts.train, config, ledger, checkpoint, clock)
        clock.stage("sample")
        draws, seeds = drawn_linked(synthesizer, 0, config, key, clock)
        clock.stage("validate synthetic tables")
        _, output = checked_draws(draws, synthesizer.schema)
        told = {
            "draws": len(draws),
            "draw_seeds": seeds,
            **marked_facts(key),
            **linked_learned(synthesizer, config, clock.said),
        }
        made = LinkedRelease(
            draws=draws,
            synthesizer=synthesizer,
            schema=synthesizer.schema,
            ledger=ledger,
            statement=linked_statement(synthesizer, ledger),
            validations={"output": output},
            roles=parts.roles,
            facts=linked_facts(public, source_name(tables), clock.seconds, **told),
            changed=mapped.changed,
        )
    return made, mapped.tables


def fitted_privately(
    tables: LinkedInput,
    given: LinkedSchema,
    config: RunConfig,
    checkpoint: Checkpoint | None,
    clock: Clock,
    *,
    resume: bool = False,
) -> LinkedFit:
    """A model of all units under a budget.

    Raises:
        SynthkitError: as `made_privately` does.
    """
    synthesizer, public = empty_linked(given, config), declared_tables(given)
    ledger = privacy_terms.ledger(config, given, resume=resume)
    mapped = load_mapped_units(tables, public, config)
    clock.stage("fit")
    with ledger.accounting():
        learn_linked(synthesizer, mapped.tables, config, ledger, checkpoint, clock)
    clock.stage("")
    learned = linked_learned(synthesizer, config, clock.said)
    return LinkedFit(
        synthesizer=synthesizer,
        schema=synthesizer.schema,
        ledger=ledger,
        statement=linked_statement(synthesizer, ledger),
        validations={},
        facts=linked_facts(public, source_name(tables), clock.seconds, **learned),
        changed=mapped.changed,
    )
