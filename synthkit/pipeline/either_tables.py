"""The public calls: each does what it says with one table, or with linked ones where the schema is one of those."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

from synthkit.errors import ConfigError
from synthkit.schema.linked.linked_schema import LinkedSchema
from synthkit.schema.violations import ROWS_SHOWN

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd

    from synthkit.io.json_types import JSONObject
    from synthkit.metrics.evaluation_data import EvaluationData
    from synthkit.metrics.linked.linked_evaluation_data import LinkedEvaluationData
    from synthkit.metrics.result import Evaluation
    from synthkit.pipeline.compare.compare_models import Compared
    from synthkit.pipeline.linked.compare_linked import LinkedCompared
    from synthkit.pipeline.linked.linked_results import LinkedRun
    from synthkit.pipeline.results import Run
    from synthkit.pipeline.run_config import RunConfig
    from synthkit.runtime.progress import Progress
    from synthkit.schema import Schema
    from synthkit.schema.linked.linked_validation import LinkedValidation
    from synthkit.schema.linked.orphans import Orphans
    from synthkit.schema.violations import Validation
    from synthkit.synthesizer.checkpoints import Checkpoint

Frames = Mapping[str, "pd.DataFrame"]


@overload
def synthesize(
    table: pd.DataFrame | str | Path,
    schema: Schema,
    *,
    config: RunConfig | None = None,
    checkpoint: Checkpoint | None = None,
    progress: Progress | None = None,
    **asked: Any,
) -> Run: ...
@overload
def synthesize(
    table: pd.DataFrame,
    schema: str | Path,
    *,
    config: RunConfig | None = None,
    checkpoint: Checkpoint | None = None,
    progress: Progress | None = None,
    **asked: Any,
) -> Run: ...
@overload
def synthesize(
    table: Frames | str | Path,
    schema: LinkedSchema,
    *,
    config: RunConfig | None = None,
    checkpoint: Checkpoint | None = None,
    progress: Progress | None = None,
    **asked: Any,
) -> LinkedRun: ...
@overload
def synthesize(
    table: Frames,
    schema: str | Path,
    *,
    config: RunConfig | None = None,
    checkpoint: Checkpoint | None = None,
    progress: Progress | None = None,
    **asked: Any,
) -> LinkedRun: ...
@overload
def synthesize(
    table: str | Path,
    schema: str | Path,
    *,
    config: RunConfig | None = None,
    checkpoint: Checkpoint | None = None,
    progress: Progress | None = None,
    **asked: Any,
) -> Run | LinkedRun: ...
def synthesize(
    table: pd.DataFrame | Frames | str | Path,
    schema: Schema | LinkedSchema | str | Path,
    *,
    config: RunConfig | None = None,
    checkpoint: Checkpoint | None = None,
    progress: Progress | None = None,
    **asked: Any,
) -> Run | LinkedRun:
    """From real rows to synthetic ones, a fitted model and scores, of one table or of linked ones.

    Args:
        table: a frame, or the path of a CSV, Parquet or Arrow file; of linked tables frames by name, a folder with a
            file a table, or a DuckDB file.
        schema: what it means, or the path of the YAML file that says so.
        config: what the run is asked.
        checkpoint: where training and roles are kept, to go on with the run after it was killed.
        progress: told of stages and steps.
        asked: keys of `RunConfig` over those of `config`: `model`, `rows` (of linked tables `units`), `seed` and so on.

    Raises:
        ConfigError: a setting cannot be meant, or the checkpoint belongs to another training.
        TableError: a table cannot be read, or is too small to be split.
        SchemaError: the tables break their schema; every violation is listed.
        BudgetExceededError: too little is left of the budget; nothing was drawn.

    Example:
        >>> from synthkit.data import support2, support2_schema
        >>> from synthkit.pipeline.run_config import RunConfig
        >>> small = RunConfig(model="independent", quick=True)
        >>> synthesize(support2().head(400), support2_schema(), rows=100, seed=1, config=small).synthetic.shape
        (100, 48)
    """
    found = _resolved(schema, linked=isinstance(table, Mapping))
    if isinstance(found, LinkedSchema):
        from synthkit.pipeline.linked.synthesize_linked import synthesize_linked

        given = _linked(table)
        return synthesize_linked(given, found, config=config, checkpoint=checkpoint, progress=progress, **asked)
    from synthkit.pipeline.synthesize import synthesize as one_table

    return one_table(_one(table), found, config=config, checkpoint=checkpoint, progress=progress, **asked)


def evaluate(
    comparison: EvaluationData | LinkedEvaluationData,
    *,
    run: Mapping[str, Any] | None = None,
    seed: int = 0,
    quick: bool = False,
    baselines: Mapping[str, object] | None = None,
    workers: int | None = None,
    progress: Callable[[str, int, int], None] | None = None,
) -> Evaluation:
    """Measure fidelity, utility and risks of synthetic tables; as confidential as the real ones.

    Args:
        comparison: the tables: train, holdout and synthetic.
        run: facts about the run to keep with the scores.
        seed: root of the random streams; every metric has its own, so a failure of one changes no other.
        quick: look at samples of the tables; the run block says so.
        baselines: of one table, your own scikit-learn estimators by name, or their import paths: trained on synthetic
            rows and tested on real ones beside the fixed learners, see `synthkit.metrics.utility.user_estimators`.
        workers: metrics measured at a time, each by one core; as many as there are cores if not given.
        progress: called as progress(name, k, n) when k of n metrics are done, with the name of one that is not.

    Raises:
        TableError: a table is empty or lacks a learned column.
        ConfigError: a metric that another distribution adds cannot be used, a baseline is no estimator that suits, or
            there are baselines and the tables are linked.
    """
    from synthkit.metrics.evaluation_data import EvaluationData
    from synthkit.metrics.linked.linked_runner import evaluate_linked
    from synthkit.metrics.runner import evaluate as one_table

    told: dict[str, Any] = {"run": run, "seed": seed, "quick": quick, "workers": workers, "progress": progress}
    if isinstance(comparison, EvaluationData):
        return one_table(comparison, baselines=baselines, **told)
    if baselines:
        msg = "baselines are trained on one table in this version; however: the tables are linked. Leave them out"
        raise ConfigError(msg)
    return evaluate_linked(comparison, **told)


@overload
def compare(
    table: pd.DataFrame | str | Path,
    schema: Schema,
    *,
    models: Sequence[str],
    out: str | Path,
    settings: Mapping[str, JSONObject] | None = None,
    config: RunConfig | None = None,
    overwrite: bool = False,
    progress: Progress | None = None,
) -> Compared: ...
@overload
def compare(
    table: Frames | str | Path,
    schema: LinkedSchema,
    *,
    models: Sequence[str],
    out: str | Path,
    settings: Mapping[str, JSONObject] | None = None,
    config: RunConfig | None = None,
    overwrite: bool = False,
    progress: Progress | None = None,
) -> LinkedCompared: ...
@overload
def compare(
    table: pd.DataFrame | Frames | str | Path,
    schema: Schema | LinkedSchema | str | Path,
    *,
    models: Sequence[str],
    out: str | Path,
    settings: Mapping[str, JSONObject] | None = None,
    config: RunConfig | None = None,
    overwrite: bool = False,
    progress: Progress | None = None,
) -> Compared | LinkedCompared: ...
def compare(
    table: pd.DataFrame | Frames | str | Path,
    schema: Schema | LinkedSchema | str | Path,
    *,
    models: Sequence[str],
    out: str | Path,
    settings: Mapping[str, JSONObject] | None = None,
    config: RunConfig | None = None,
    overwrite: bool = False,
    progress: Progress | None = None,
) -> Compared | LinkedCompared:
    """Fit several models to the same rows, measure them in the same way, and write one page on all of them.

    The rows are split once. Each model runs in a process of its own, one after the other, with the same seeds, and its
    folder is moved into place when it is done: a comparison that was stopped goes on where it was.

    Args:
        table: as for `synthesize`.
        schema: what it means, or the path of the YAML file that says so.
        models: of one table as for `pipeline.compare.compare_models`; of linked ones `timeline` and `independent`.
        out: folder of the comparison.
        settings: settings by model.
        config: rows (of linked tables units), draws, seed, device, quick, max_minutes and how CSV files are read.
        overwrite: whether to begin anew in a folder that holds a comparison.
        progress: told of models, stages and steps.

    Raises:
        ConfigError: no model, an unknown one, one named twice, a setting that cannot be meant, or a budget.
        TableError: a table cannot be read, or is too small to be split.
        SchemaError: the tables break their schema; every violation is listed.
        ArtefactError: the folder is not a comparison's, or was begun with another table or another plan.
    """
    found = _resolved(schema, linked=isinstance(table, Mapping))
    said: dict[str, Any] = {"models": models, "out": out, "settings": settings, "config": config}
    said |= {"overwrite": overwrite, "progress": progress}
    if isinstance(found, LinkedSchema):
        from synthkit.pipeline.linked.compare_linked import compare_linked

        return compare_linked(_linked(table), found, **said)
    from synthkit.pipeline.compare.compare_models import compare as one_table

    return one_table(_one(table), found, **said)


@overload
def validate(
    frame: pd.DataFrame,
    schema: Schema,
    *,
    extra: str | Path | None = None,
    orphans: Orphans = "refuse",
    rows_shown: int = ROWS_SHOWN,
) -> Validation: ...
@overload
def validate(
    frame: Frames,
    schema: LinkedSchema,
    *,
    extra: Mapping[str, str | Path] | None = None,
    orphans: Orphans = "refuse",
    rows_shown: int = ROWS_SHOWN,
) -> LinkedValidation: ...
def validate(
    frame: pd.DataFrame | Frames,
    schema: Schema | LinkedSchema,
    *,
    extra: str | Path | Mapping[str, str | Path] | None = None,
    orphans: Orphans = "refuse",
    rows_shown: int = ROWS_SHOWN,
) -> Validation | LinkedValidation:
    """Hold a table, or linked ones, against their schema and against suites of the user's own.

    Args:
        frame: any frame, or frames by the name of their table; typed by the schema first.
        schema: the declared meaning.
        extra: path of the JSON of a Great Expectations suite on the same columns; of linked tables paths by table.
        orphans: of linked tables whether rows that belong to nobody are violations (`refuse`), or left out (`drop`).
        rows_shown: how many row numbers each violation keeps.

    Returns:
        Every violation at once, and what could not be checked; both without any value of the tables.

    Raises:
        ConfigError: `extra` is not such a suite, or what is given is not what the schema describes.
    """
    if isinstance(schema, LinkedSchema):
        from synthkit.schema.linked.validate_linked import validate_linked

        if isinstance(extra, str | Path):
            msg = "suites of linked tables are given by table; however: one path is given. Say {'TABLE': path}"
            raise ConfigError(msg)
        return validate_linked(_frames(frame), schema, orphans=orphans, suites=extra, rows_shown=rows_shown)
    from synthkit.pipeline.load_table import refuse_linked_options
    from synthkit.pipeline.run_config import RunConfig
    from synthkit.schema.validation import validate as one_table

    table = _one(frame)
    refuse_linked_options(RunConfig(orphans=orphans))
    if isinstance(extra, Mapping):
        msg = "the suite of one table is given by its path; however: suites by table are given. Give the path alone"
        raise ConfigError(msg)
    return one_table(table, schema, extra=extra, rows_shown=rows_shown)


@overload
def infer_schema(frame: pd.DataFrame, *, name: str = "table", unit: str | None = None) -> Schema: ...
@overload
def infer_schema(frame: Frames, *, name: str = "table", unit: str | None = None) -> LinkedSchema: ...
def infer_schema(
    frame: pd.DataFrame | Frames, *, name: str = "table", unit: str | None = None
) -> Schema | LinkedSchema:
    """A schema the rows satisfy; roles are left to people.

    Args:
        frame: the rows, a frame or an Arrow table; or linked tables by name.
        name: short name of the table, or of all.
        unit: column that names the person whose privacy is protected; of linked tables the table of people.

    Raises:
        TableError: what came is no table.
        SchemaError: a name no table may have, no rows, no columns, column names that are no text or stand twice,
            `unit` that is not there, or cells no kind of column can mean or give back.
    """
    if isinstance(frame, Mapping):
        from synthkit.schema.infer.linked.linked_draft import draft_linked

        return draft_linked(frame, name=name, unit=unit).schema
    from synthkit.schema.infer.draft import infer_schema as one_table

    return one_table(frame, name=name, unit=unit)


def _resolved(schema: Schema | LinkedSchema | str | Path, *, linked: bool) -> Schema | LinkedSchema:
    """The schema of a file; frames by name make one of a single table one of linked ones."""
    from synthkit.schema.linked.either_schema import as_linked, load_either

    if linked:
        return as_linked(schema)
    return load_either(schema) if isinstance(schema, str | Path) else schema


def _one(table: pd.DataFrame | Frames | str | Path) -> Any:
    """What is given for one table, which is read or refused there.

    Raises:
        ConfigError: it is several.
    """
    if isinstance(table, Mapping):
        msg = "one table is given as a frame or a path; however: frames by name are given. Give a schema of linked ones"
        raise ConfigError(msg)
    return table


def _linked(table: pd.DataFrame | Frames | str | Path) -> Frames | str | Path:
    """What is given for linked tables.

    Raises:
        ConfigError: it is one frame.
    """
    return table if isinstance(table, str | Path) else _frames(table)


def _frames(tables: pd.DataFrame | Frames) -> Frames:
    if not isinstance(tables, Mapping):
        msg = (
            "linked tables are given as frames by name, a folder or a DuckDB file; however: one "
            f"{type(tables).__name__} is given. Say {{'TABLE': frame, ...}}"
        )
        raise ConfigError(msg)
    return tables
