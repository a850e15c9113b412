"""The INTERNAL look at what a run under a budget has saved, in a process of its own: input, evaluation, page.

`python -m synthkit.pipeline.internal_evaluation` reads a task from stdin and says nothing.
What may leave is on disk before it begins and stays as it is: a metric that fails, a crash or a full memory tells of a
row to those alone who may read the log.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from synthkit.errors import SynthkitError
from synthkit.io.atomic_files import replacing
from synthkit.metrics.attacks.attack_targets import AttackTargets
from synthkit.metrics.evaluation_data import EvaluationData
from synthkit.metrics.result import Evaluation, Failure
from synthkit.metrics.runner import MEASUREMENT_ERRORS, evaluate
from synthkit.pipeline.evaluate_tables import with_facts
from synthkit.pipeline.load_table import find_violations, load_mapped_table, population, read_raw
from synthkit.pipeline.run_config import RunConfig
from synthkit.pipeline.split import Split
from synthkit.release import run_folder as folder
from synthkit.runtime.processes import crash_reason, start_module
from synthkit.runtime.seeds import Seeds, system_generator
from synthkit.schema import Schema
from synthkit.schema.conform import conform
from synthkit.schema.linked import LinkedSchema
from synthkit.schema.public_domain import declared_domain
from synthkit.schema.resolve import resolve_schema
from synthkit.tables import table_files

if TYPE_CHECKING:
    from synthkit.schema.violations import Validation
    from synthkit.synthesizer.synthesizer import Synthesizer

MODULE = "synthkit.pipeline.internal_evaluation"
CHECK, EVALUATION, REPORT = "check of the input", "evaluation", "report"


@dataclass(frozen=True, kw_only=True)
class InternalTask:
    """What is to be looked at.

    Args:
        table: path of the real rows.
        schema: meaning of the table, as plain data.
        config: what the run was asked, as plain data.
        folder: of the run, saved.
    """

    table: str
    schema: Mapping[str, Any]
    config: Mapping[str, Any]
    folder: str


def inspect(table: str | Path, schema: Schema | str | Path, config: RunConfig, saved: str | Path) -> None:
    """Hold the input of a run against its schema, compare what it saved with the real rows, and draw the page.

    Whatever comes of it, nothing is raised or said, and no file changes but INTERNAL ones: `evaluation.json`, the
    report and its JSON, and what lies under `internal/`, where `log.txt` says how it went.

    Args:
        table: path of the table that was learned.
        schema: what it means, or the path of the YAML file that says so.
        config: what the run was asked.
        saved: its folder.
    """
    with suppress(OSError, SynthkitError):
        look(MODULE, table, resolve_schema(schema, config.unit), config, saved)


def look(module: str, table: str | Path, given: Schema | LinkedSchema, config: RunConfig, saved: str | Path) -> None:
    """Have a task done in a process of its own; how that ended, if it did not end well, is noted in the log.

    Args:
        module: that does it.
        table: path of what was learned.
        given: what it means.
        config: what the run was asked.
        saved: its folder.

    Raises:
        OSError: the process cannot be begun.
        SynthkitError: the log cannot be written.
    """
    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as said:
        task = InternalTask(
            table=str(Path(table).resolve()),
            schema=json.loads(given.model_dump_json(by_alias=True, exclude_none=True)),
            config=json.loads(config.model_dump_json()),
            folder=str(Path(saved).resolve()),
        )
        code = _ended(module, task, said)
        if code:
            said.seek(0)
            folder.append_log(Path(saved), f"inspection: {crash_reason(code, said.read())}")


def _ended(module: str, task: InternalTask, complaints: Any) -> int:
    """The exit status of the process that did a task; it does not outlive this one's wish to stop."""
    process = start_module(module, complaints)
    try:
        process.communicate(json.dumps(asdict(task)).encode())
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()
    return process.returncode


def main() -> None:
    """Do the task on stdin: each step by itself, as far as it goes."""
    task = InternalTask(**json.load(sys.stdin))
    place = Path(task.folder)
    seed = folder.plain_data(place / folder.RUN)["seed"]
    config = RunConfig.model_validate({**task.config, "seed": seed})
    public = declared_domain(Schema.model_validate(task.schema)).schema
    raw = read_raw(Path(task.table), config)
    step(place, CHECK, lambda: _check(raw, public, config, place))
    step(place, EVALUATION, lambda: _evaluate(raw, public, config, place))
    step(place, REPORT, lambda: folder.save_page(folder.redraw(place), place))


def step(place: Path, name: str, make: Callable[[], None]) -> None:
    """One step of a task; how it went is noted, without a cell of the table."""
    try:
        make()
    except MEASUREMENT_ERRORS as error:
        why = str(error) if isinstance(error, SynthkitError) else type(error).__name__
        folder.append_log(place, f"{name}: not made: {why}")
    else:
        folder.append_log(place, f"{name}: made")


def _check(raw: pd.DataFrame, public: Schema, config: RunConfig, place: Path) -> None:
    found = find_violations(raw, public, config)
    with replacing(place / folder.INTERNAL_FOLDER / folder.VALIDATION_INPUT) as temporary:
        temporary.write_text(found.to_json(), encoding="utf-8")


def _evaluate(raw: pd.DataFrame, public: Schema, config: RunConfig, place: Path) -> None:
    """Roles of the folder to rows of the table, its draws to scores; who is isolated is kept beside the roles."""

    def compared() -> EvaluationData:
        roles = place / folder.INTERNAL_FOLDER / folder.ROLES_FILE
        frame = load_mapped_table(raw, public, config).frame
        parts = Split.from_roles(frame, public, table_files.read(roles).frame()).isolating(public, system_generator())
        table_files.write(parts.roles, roles)
        draws, model = folder.audited_tables(place)
        return comparison(parts, draws, public, config, _model(model, config))

    found = with_facts(guarded(compared, config), {"seconds": {}, **folder.plain_data(place / folder.RUN)})
    with replacing(place / folder.EVALUATION_FILE) as temporary:
        temporary.write_text(found.to_json(), encoding="utf-8")


def _model(place: Path, config: RunConfig) -> Synthesizer | None:
    """The model in its folder, if it is to be released and may be asked."""
    if not config.release_model:
        return None
    from synthkit.synthesizer.synthesizer import Synthesizer

    return Synthesizer.load(place, device=config.device)


def checked(table: pd.DataFrame | str | Path, public: Schema, config: RunConfig) -> dict[str, Validation]:
    """What the input breaks of the public schema, by the name `input`; nothing if it cannot be said."""
    try:
        return {"input": find_violations(table, public, config)}
    except MEASUREMENT_ERRORS:
        return {}


def comparison(
    parts: Split, draws: tuple[pd.DataFrame, ...], schema: Schema, config: RunConfig, model: Synthesizer | None
) -> EvaluationData:
    """What an evaluation compares.

    Args:
        parts: the real rows and their roles, the isolated marked.
        draws: the synthetic tables.
        schema: the meaning they share.
        config: names the file of the population, if there is one.
        model: that of a released model, which attackers can ask how probable it finds a row.
    """
    return EvaluationData(
        train=parts.train_frame(),
        holdout=parts.holdout_frame(),
        synthetic=tuple(conform(draw, schema) for draw in draws),
        schema=schema,
        pool=attacked(parts, model, config.seed or 0),
        population=population(schema, config),
        people=parts.people(),
    )


def attacked(parts: Split, model: Synthesizer | None, seed: int) -> AttackTargets:
    """The people who are attacked, with what a released model would say of each of their rows.

    Args:
        parts: the split.
        model: that of a released model; None if rows alone are released.
        seed: root of the fit.
    """
    pool = parts.attacked()
    if model is None:
        return pool
    return replace(pool, likelihood=-model.anomaly_score(pool.frame, seed=Seeds(seed).of("likelihood")))


def measured(
    compared: EvaluationData, config: RunConfig, progress: Callable[[str, int, int], None] | None = None
) -> Evaluation:
    """The evaluation of a comparison by the seed of its run."""
    seed = Seeds(config.seed or 0).of("evaluate")
    return evaluate(compared, seed=seed, quick=config.quick, baselines=config.baselines, progress=progress)


def guarded(
    compared: Callable[[], EvaluationData], config: RunConfig, progress: Callable[[str, int, int], None] | None = None
) -> Evaluation:
    """The evaluation; one that cannot be made, such as of no rows, is a listed failure."""
    try:
        return measured(compared(), config, progress)
    except MEASUREMENT_ERRORS as error:
        run = {"rows": {}, "quick": config.quick, "seconds": {}}
        return Evaluation(run=run, scores=(), failures=(Failure.of(EVALUATION, error),), panels={})


if __name__ == "__main__":
    main()
