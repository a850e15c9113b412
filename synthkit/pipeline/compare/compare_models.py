"""Several models on one table: split once, each fitted and measured in the same way, one page on all of them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from synthkit.baselines import REFERENCES
from synthkit.errors import ConfigError
from synthkit.io.json_types import JSONObject
from synthkit.models import registry
from synthkit.models.auto import AUTO
from synthkit.pipeline.compare.model_result import ModelResult
from synthkit.pipeline.compare.setup import ComparisonPlan, ComparisonSetup, refuse_unclear
from synthkit.pipeline.compare.worker import RAKED, WorkerTask
from synthkit.pipeline.compare.worker_process import launch
from synthkit.pipeline.load_table import check_baselines, load_table, name_of, refuse_linked_options
from synthkit.pipeline.run_config import RunConfig
from synthkit.release.run_folder import SYNTHETIC
from synthkit.report import Report
from synthkit.runtime.progress import Progress, Silent
from synthkit.schema import Schema
from synthkit.schema.resolve import resolve_schema
from synthkit.synthesizer.synthesizer import Synthesizer
from synthkit.tables import table_files

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, kw_only=True, repr=False)
class Compared:
    """A finished comparison; everything lies in its folder already.

    Args:
        folder: where.
        plan: what all models shared.
        outcomes: what became of each model, in the order they were named.
        report: the page on all of them.
    """

    folder: Path
    plan: ComparisonPlan
    outcomes: tuple[ModelResult, ...]
    report: Report

    def synthetic(self, name: str) -> pd.DataFrame:
        """The first draw of a model.

        Raises:
            ConfigError: there is no such model, or it failed.
        """
        if name not in [o.name for o in self.outcomes if o.done]:
            msg = f"rows are there of entrants that finished; however: `{name}` is none of them"
            raise ConfigError(msg)
        return table_files.read(ComparisonSetup.place(self.folder, name) / SYNTHETIC).frame()

    def table(self) -> pd.DataFrame:
        """Value of each score by model, those that failed left out."""
        import pandas as pd

        scores = {o.name: {s["metric"]: s["value"] for s in o.scores} for o in self.outcomes if o.done}
        return pd.DataFrame(scores)

    def __repr__(self) -> str:
        done = ", ".join(o.name + ("" if o.done else " (failed)") for o in self.outcomes)
        return f"Compared(folder={str(self.folder)!r}, {done})"

    def _repr_html_(self) -> str:
        """The report, for notebooks."""
        return self.report._repr_html_()


def compare(
    table: pd.DataFrame | str | Path,
    schema: Schema | str | Path,
    *,
    models: Sequence[str],
    out: str | Path,
    settings: Mapping[str, JSONObject] | None = None,
    config: RunConfig | None = None,
    overwrite: bool = False,
    progress: Progress | None = None,
) -> Compared:
    """Fit several models to the same rows, measure them in the same way, and write one page on all of them.

    The table is split once. Each model runs in a process of its own, one after the other, with the same seeds, and
    its folder is moved into place when it is done: a comparison that was stopped goes on where it was, and more models
    can be added to it. A model that fails is listed with its reason; the others go on.

    Args:
        table: a frame, or the path of a CSV, Parquet or Arrow file.
        schema: what the table means, or the path of the YAML file that says so.
        models: names from `synthkit.models.registry.models`, or `auto`, each with the ending `+raked` if its rows
            are to be chosen from a pool so that tables match; and names from `synthkit.baselines.REFERENCES`.
        out: folder of the comparison.
        settings: settings by model; a raked one has those of its plain name as well.
        config: rows, draws, seed, device, clamp, quick, baselines, suite and how CSV files are read, and `max_minutes`:
            our models plan their steps to fit; a reference that takes longer, or a model that takes twice as long, is
            stopped and listed as failed. The rest is not looked at.
        overwrite: whether to begin anew in a folder that holds a comparison.
        progress: told of models, stages and steps.

    Raises:
        ConfigError: no model, an unknown one, one named twice, a setting that cannot be meant, or a budget.
        TableError: the table cannot be read or is too small to be split.
        SchemaError: the table breaks its schema; every violation is listed.
        ArtefactError: the folder is not a comparison's, or was begun with another table or another plan.
    """
    config, out = config or RunConfig(), Path(out)
    if config.budget is not None:
        msg = (
            "models are compared by exact scores of fits without a budget; however: one is given, and each model would "
            "spend it anew. Compare on public rows, then run the one you choose with the budget"
        )
        raise ConfigError(msg)
    said = settings or {}
    asked = {name: {**said.get(_model(name), {}), **said.get(name, {})} for name in models}
    _check(models, said)
    schema = resolve_schema(schema)
    refuse_linked_options(config)
    check_baselines(schema, config)
    for name in set(models) - set(REFERENCES):
        Synthesizer(schema, _model(name), settings=asked[name], device=config.device)
    ComparisonSetup.check(out)
    told = progress or Silent()
    told.stage("read and validate")
    admitted = load_table(table, schema, config)
    told.stage("split")
    contest = ComparisonSetup.of(out, admitted.frame, schema, config, anew=overwrite)
    done = {name: contest.finished(name, asked[name]) for name in models}
    outcomes: list[ModelResult] = []
    for name in models:
        outcome = done[name]
        if outcome is None:
            task = _task(name, asked[name], contest, name_of(table), config)
            train, holdout = contest.parts.train_frame(), contest.parts.holdout_frame()
            outcome = launch(task, train, holdout, progress=told)
        outcomes.append(outcome)
        report = contest.tell(outcomes, name_of(table))
    told.stage("")
    return Compared(folder=out, plan=contest.plan, outcomes=tuple(outcomes), report=report)


def _model(name: str) -> str:
    return name.removesuffix(RAKED)


def _check(models: Sequence[str], settings: JSONObject) -> None:
    """Refuse models and settings that cannot be meant, before any work is done."""
    known = [AUTO, *sorted(registry.models()), *REFERENCES]
    ours = (AUTO, *registry.models())
    strange = [m for m in dict.fromkeys(models) if m not in known and not (m.endswith(RAKED) and _model(m) in ours)]
    if not models or strange:
        what = ", ".join(f"`{name}`" for name in strange) or "none is named"
        msg = f"models must be among {', '.join(known)}; however: {what}. A model of ours may end in {RAKED}"
        raise ConfigError(msg)
    refuse_unclear(models, settings, {_model(name) for name in models})


def _task(name: str, settings: JSONObject, contest: ComparisonSetup, source: str, config: RunConfig) -> WorkerTask:
    schema = contest.schema
    return WorkerTask(
        name=name,
        reference=name in REFERENCES,
        settings=settings,
        schema=json.loads(schema.model_dump_json(by_alias=True, exclude_none=True)),
        source=source,
        folder=str(ComparisonSetup.place(contest.folder, name).resolve()),
        seed=contest.plan.seed,
        rows=contest.plan.rows,
        draws=contest.plan.draws,
        quick=contest.plan.quick,
        baselines=config.baselines,
        device=config.device,
        max_minutes=config.max_minutes,
    )
