"""The INTERNAL look at what a run of linked tables under a budget has saved, in a process of its own.

`python -m synthkit.pipeline.linked.internal_linked_evaluation` reads a task from stdin and says nothing; see
`synthkit.pipeline.internal_evaluation`.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from synthkit.errors import SynthkitError
from synthkit.io.atomic_files import replacing
from synthkit.metrics.linked.linked_evaluation_data import LinkedEvaluationData
from synthkit.metrics.linked.linked_runner import evaluate_linked
from synthkit.metrics.result import Evaluation, Failure
from synthkit.metrics.runner import MEASUREMENT_ERRORS
from synthkit.pipeline.evaluate_tables import with_facts
from synthkit.pipeline.internal_evaluation import CHECK, EVALUATION, REPORT, InternalTask, look, step
from synthkit.pipeline.linked.linked_input import load_mapped_units, read_folder, resolve_linked, typed_draw
from synthkit.pipeline.linked.unit_split import UnitSplit, split_of_roles
from synthkit.pipeline.run_config import RunConfig
from synthkit.release import run_folder as folder
from synthkit.runtime.seeds import Seeds, system_generator
from synthkit.schema.linked import LinkedSchema
from synthkit.schema.linked.public_tables import declared_tables
from synthkit.schema.linked.validate_linked import validate_linked
from synthkit.synthesizer.linked_synthesizer import LinkedSynthesizer
from synthkit.tables import table_files
from synthkit.tables.linked_files import read_linked

if TYPE_CHECKING:
    from synthkit.pipeline.linked.linked_results import Tables
    from synthkit.schema import Schema
    from synthkit.schema.linked.linked_validation import LinkedValidation
    from synthkit.tables.linked_files import LinkedInput
    from synthkit.tables.linked_tables import LinkedTables

LINKED_INSPECTION = "synthkit.pipeline.linked.internal_linked_evaluation"


def inspect_linked(
    tables: str | Path, schema: Schema | LinkedSchema | str | Path, config: RunConfig, saved: str | Path
) -> None:
    """Hold the input of a run against its schema, compare what it saved with the real rows, and draw the page.

    Whatever comes of it, nothing is raised or said, and no file changes but INTERNAL ones.

    Args:
        tables: path of the folder or the DuckDB file that was learned.
        schema: what it means, or the path of the YAML file that says so.
        config: what the run was asked.
        saved: its folder.
    """
    with suppress(OSError, SynthkitError):
        look(LINKED_INSPECTION, tables, resolve_linked(schema), config, saved)


def main() -> None:
    """Do the task on stdin: each step by itself, as far as it goes."""
    task = InternalTask(**json.load(sys.stdin))
    place = Path(task.folder)
    seed = folder.plain_data(place / folder.RUN)["seed"]
    config = RunConfig.model_validate({**task.config, "seed": seed})
    given = LinkedSchema.model_validate(task.schema)
    step(place, CHECK, lambda: _check(task.table, given, config, place))
    step(place, EVALUATION, lambda: _evaluate(task.table, given, config, place))
    step(place, REPORT, lambda: folder.save_page(folder.redraw(place), place))


def _check(tables: str, given: LinkedSchema, config: RunConfig, place: Path) -> None:
    found = broken_by_input(tables, given, config)
    with replacing(place / folder.INTERNAL_FOLDER / folder.VALIDATION_INPUT) as temporary:
        temporary.write_text(found.to_json(), encoding="utf-8")


def _evaluate(tables: str, given: LinkedSchema, config: RunConfig, place: Path) -> None:
    """Roles of the folder to units of the tables, its draws to scores."""
    public = declared_tables(given)

    def compared() -> LinkedEvaluationData:
        roles = place / folder.INTERNAL_FOLDER / folder.ROLES_FILE
        mapped = load_mapped_units(tables, public, config).tables
        parts = split_of_roles(mapped, table_files.read(roles).frame(), system_generator())
        table_files.write(parts.roles, roles)
        model = LinkedSynthesizer.load(place / folder.MODEL, device=config.device) if config.release_model else None
        return linked_comparison(parts, _draws(place, public), model, config)

    found = guarded_linked(compared, config)
    told = with_facts(found, {"seconds": {}, **folder.plain_data(place / folder.RUN)})
    with replacing(place / folder.EVALUATION_FILE) as temporary:
        temporary.write_text(told.to_json(), encoding="utf-8")


def _draws(place: Path, schema: LinkedSchema) -> list[Tables]:
    """The synthetic tables of a run folder."""
    several = sorted((place / folder.DRAWS_FOLDER).glob("*"))
    return [read_linked(each, schema).frames for each in several or [place / folder.SYNTHETIC_FOLDER]]


def broken_by_input(tables: LinkedInput, given: LinkedSchema, config: RunConfig) -> LinkedValidation:
    """What tables break of their schema; INTERNAL.

    Raises:
        TableError: a table cannot be read.
        SchemaError: tables are not declared, or declared and absent.
    """
    return validate_linked(read_folder(tables, given, config).frames, given, orphans="drop")


def checked_input(tables: LinkedInput, given: LinkedSchema, config: RunConfig) -> dict[str, LinkedValidation]:
    """What tables break of their schema, by the name `input`; nothing if it cannot be said."""
    try:
        return {"input": broken_by_input(tables, given, config)}
    except MEASUREMENT_ERRORS:
        return {}


def linked_comparison(
    parts: UnitSplit, draws: Sequence[Tables], model: LinkedSynthesizer | None, config: RunConfig
) -> LinkedEvaluationData:
    """What an evaluation of a run under a budget compares.

    Args:
        parts: the real units, all rows of each, and their roles.
        draws: the synthetic tables.
        model: that of the run, asked if it is to be released too.
        config: what the run was asked.
    """
    typed = tuple(typed_draw(draw, parts.train.schema)[0] for draw in draws)
    return compared_linked(parts, typed, model, config)


def compared_linked(
    parts: UnitSplit, draws: tuple[LinkedTables, ...], model: LinkedSynthesizer | None, config: RunConfig
) -> LinkedEvaluationData:
    """What is compared, and who is attacked: with what the model says of them, if it is to be released too."""
    pool = parts.pool
    if config.release_model and model is not None:
        from synthkit.pipeline.linked.unit_likelihood import with_likelihood

        pool = with_likelihood(pool, model, seed=Seeds(config.seed or 0).of("likelihood") % 2**31)
    first, *further = draws
    return LinkedEvaluationData(
        train=parts.train, holdout=parts.holdout, synthetic=first, further=tuple(further), pool=pool
    )


def measured_linked(
    compared: LinkedEvaluationData, config: RunConfig, progress: Callable[[str, int, int], None] | None = None
) -> Evaluation:
    """The evaluation of a comparison by the seed of its run."""
    seed = Seeds(config.seed or 0).of("evaluate")
    return evaluate_linked(compared, seed=seed, quick=config.quick, progress=progress)


def guarded_linked(
    compared: Callable[[], LinkedEvaluationData],
    config: RunConfig,
    progress: Callable[[str, int, int], None] | None = None,
) -> Evaluation:
    """The evaluation; one that cannot be made, such as of too few units, is a listed failure."""
    try:
        return measured_linked(compared(), config, progress)
    except MEASUREMENT_ERRORS as error:
        run: Mapping[str, object] = {"rows": {}, "quick": config.quick, "seconds": {}}
        return Evaluation(run=run, scores=(), failures=(Failure.of(EVALUATION, error),), panels={})


if __name__ == "__main__":
    main()
