"""Several models on the same linked tables: split once by units, each fitted and measured in the same way."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from synthkit.errors import ConfigError
from synthkit.io.json_types import JSONObject
from synthkit.models.unit_registry import unit_models
from synthkit.pipeline.compare.model_result import ModelResult
from synthkit.pipeline.compare.setup import ComparisonPlan, ComparisonSetup, refuse_unclear
from synthkit.pipeline.compare.worker import WorkerTask
from synthkit.pipeline.compare.worker_process import launch
from synthkit.pipeline.linked.linked_config import refuse_budget, settled_config
from synthkit.pipeline.linked.linked_input import load_tables, resolve_linked, source_name
from synthkit.pipeline.linked.unit_split import UnitSplit, refuse_few_units, unit_schema
from synthkit.pipeline.run_config import RunConfig
from synthkit.release.run_folder import SYNTHETIC_FOLDER
from synthkit.report import Report
from synthkit.runtime.progress import Progress, Silent
from synthkit.synthesizer.linked_synthesizer import LinkedSynthesizer
from synthkit.tables.linked_files import read_linked

if TYPE_CHECKING:
    import pandas as pd

    from synthkit.schema import Schema
    from synthkit.schema.linked import LinkedSchema
    from synthkit.schema.linked.orphans import OrphanCount
    from synthkit.tables.linked_files import LinkedInput
    from synthkit.tables.linked_tables import LinkedTables

LINKED_WORKER = "synthkit.pipeline.linked.linked_worker"


@dataclass(frozen=True, kw_only=True, repr=False)
class LinkedCompared:
    """A finished comparison of models of linked tables; everything lies in its folder already.

    Args:
        folder: where.
        schema: meaning of the tables.
        plan: what all models shared; its rows are units.
        outcomes: what became of each model, in the order they were named.
        report: the page on all of them.
        orphans: rows and keys that were left out, by table.
        copied: rows of catalogues that are copied and that nobody declared public, by table.
    """

    folder: Path
    schema: LinkedSchema
    plan: ComparisonPlan
    outcomes: tuple[ModelResult, ...]
    report: Report
    orphans: Mapping[str, OrphanCount] = field(default_factory=dict)
    copied: Mapping[str, int] = field(default_factory=dict)

    def synthetic(self, name: str) -> Mapping[str, pd.DataFrame]:
        """The first draw of a model, frames by table.

        Raises:
            ConfigError: there is no such model, or it failed.
        """
        if name not in [o.name for o in self.outcomes if o.done]:
            msg = f"rows are there of entrants that finished; however: `{name}` is none of them"
            raise ConfigError(msg)
        return read_linked(ComparisonSetup.place(self.folder, name) / SYNTHETIC_FOLDER, self.schema).frames

    def table(self) -> pd.DataFrame:
        """Value of each score by model, those that failed left out."""
        import pandas as pd

        return pd.DataFrame({o.name: {s["metric"]: s["value"] for s in o.scores} for o in self.outcomes if o.done})

    def __repr__(self) -> str:
        done = ", ".join(o.name + ("" if o.done else " (failed)") for o in self.outcomes)
        return f"LinkedCompared(folder={str(self.folder)!r}, {done})"


def compare_linked(
    tables: LinkedInput,
    schema: Schema | LinkedSchema | str | Path,
    *,
    models: Sequence[str],
    out: str | Path,
    settings: Mapping[str, JSONObject] | None = None,
    config: RunConfig | None = None,
    overwrite: bool = False,
    progress: Progress | None = None,
) -> LinkedCompared:
    """Fit several models to the same units, measure them in the same way, and write one page on all of them.

    Each model runs in a process of its own, one after the other, with the same seeds; a comparison that was stopped
    goes on where it was, as `pipeline.compare` does with one table.

    Args:
        tables: a folder with a file a table, a DuckDB file, or frames by name.
        schema: what they mean, or the path of the YAML file that says so.
        models: names from `synthkit.models.unit_registry.unit_models`.
        out: folder of the comparison.
        settings: settings by model.
        config: units, draws, seed, device, quick, orphans, max_minutes and how CSV files are read.
        overwrite: whether to begin anew in a folder that holds a comparison.
        progress: told of models, stages and steps.

    Raises:
        ConfigError: no model, an unknown one, one named twice, or what linked tables cannot be asked for.
        TableError: a table cannot be read, or there are too few units.
        SchemaError: the tables break their schema; every violation is listed.
        ArtefactError: the folder is not a comparison's, or was begun with other tables or another plan.
    """
    asked_seed = None if config is None else config.seed
    config, out, said = settled_config(config), Path(out), settings or {}
    refuse_budget(config, "models of linked tables are compared")
    given = resolve_linked(schema)
    _check(models, said)
    for name in models:
        LinkedSynthesizer(given, name, settings=said.get(name, {}), device=config.device)
    ComparisonSetup.check(out)
    told = progress or Silent()
    told.stage("read and validate")
    real = load_tables(tables, given, config)
    refuse_few_units(real)
    told.stage("split")
    plan = config.model_copy(update={"rows": config.units, "seed": asked_seed})
    contest = ComparisonSetup.of(out, real.frames[given.unit], unit_schema(given), plan, anew=overwrite, linked=given)
    parts, source = UnitSplit.of(real, contest.parts), source_name(tables)
    done = {name: contest.finished(name, said.get(name, {})) for name in models}
    outcomes: list[ModelResult] = []
    for name in models:
        task = _task(name, said.get(name, {}), contest, source, config)
        outcomes.append(done[name] or launch(task, *_frames(parts), progress=told, module=LINKED_WORKER))
        report = contest.tell(outcomes, source)
    told.stage("")
    return LinkedCompared(
        folder=out,
        schema=given,
        plan=contest.plan,
        outcomes=tuple(outcomes),
        report=report,
        orphans={} if real.validation is None else real.validation.orphans,
        copied={} if real.validation is None else real.validation.copied,
    )


def _check(models: Sequence[str], settings: Mapping[str, JSONObject]) -> None:
    """Refuse models that cannot be meant, before any work is done."""
    known = sorted(unit_models())
    strange = [name for name in dict.fromkeys(models) if name not in known]
    if not models or strange:
        what = ", ".join(f"`{name}`" for name in strange) or "none is named"
        msg = f"models of linked tables must be among {', '.join(known)}; however: {what}"
        raise ConfigError(msg)
    refuse_unclear(models, settings)


def _task(name: str, settings: JSONObject, contest: ComparisonSetup, source: str, config: RunConfig) -> WorkerTask:
    assert contest.linked is not None
    return WorkerTask(
        name=name,
        reference=False,
        settings=settings,
        schema=json.loads(contest.linked.model_dump_json(by_alias=True, exclude_none=True)),
        source=source,
        folder=str(ComparisonSetup.place(contest.folder, name).resolve()),
        seed=contest.plan.seed,
        rows=contest.plan.rows,
        draws=contest.plan.draws,
        quick=contest.plan.quick,
        baselines={},
        device=config.device,
        max_minutes=config.max_minutes,
    )


def _frames(parts: UnitSplit) -> list[pd.DataFrame]:
    """All tables that are trained on, then all that are held out, each in the order of the schema."""
    return [_frame(side, name) for side in (parts.train, parts.holdout) for name in side.schema.tables]


def _frame(side: LinkedTables, name: str) -> pd.DataFrame:
    return {**side.frames, **side.references, **side.shared}[name]
