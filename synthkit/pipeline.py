"""One run, from a real table to a report: the whole path as a page of prose."""

from __future__ import annotations

import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd

from synthkit import folder, provenance, tables
from synthkit.config import RunConfig
from synthkit.errors import TableError
from synthkit.evaluate import Comparison, Evaluation, evaluate
from synthkit.models import TrainingLog
from synthkit.privacy import Curator, Ledger
from synthkit.progress import Progress, Silent
from synthkit.report import Report, build
from synthkit.schema import Schema
from synthkit.schema.clamp import clamp
from synthkit.schema.conform import conform
from synthkit.schema.expectations import validate
from synthkit.schema.violations import Validation
from synthkit.seeds import Seeds, system_generator
from synthkit.split import Split, split
from synthkit.synthesizer import Synthesizer


@dataclass(frozen=True, kw_only=True)
class Run:
    """What a run made; nothing is on disk until `save`.

    Args:
        draws: the synthetic tables.
        synthesizer: the fitted encoder and model.
        schema: the meaning both tables share.
        ledger: what was spent.
        evaluation: how good, how risky; INTERNAL.
        report: the page.
        validations: of input and output, by these names.
        roles: roles and coins of the units; INTERNAL.
        facts: version, seeds, packages, seconds: the content of run.json.
    """

    draws: tuple[pd.DataFrame, ...]
    synthesizer: Synthesizer
    schema: Schema
    ledger: Ledger
    evaluation: Evaluation
    report: Report
    validations: Mapping[str, Validation]
    roles: pd.DataFrame
    facts: Mapping[str, Any]

    @property
    def synthetic(self) -> pd.DataFrame:
        """The first draw."""
        return self.draws[0]

    def save(self, path: str | Path, *, overwrite: bool = False) -> Path:
        """Write the run folder; it appears whole or not at all.

        Raises:
            ArtefactError: the folder exists and `overwrite` is not set, or cannot be written.
        """
        return folder.save(self, Path(path), overwrite=overwrite)

    def _repr_html_(self) -> str:
        """First synthetic rows over the report, for notebooks."""
        return f"{self.synthetic.head().to_html(border=0)}{self.report._repr_html_()}"  # noqa: SLF001


def synthesize(
    table: pd.DataFrame | str | Path,
    schema: Schema | str | Path,
    *,
    model: str | None = None,
    rows: int | None = None,
    seed: int | None = None,
    config: RunConfig | None = None,
    progress: Progress | None = None,
) -> Run:
    """From a real table to synthetic rows, a fitted model and a report.

    Args:
        table: a frame, or the path of a CSV, Parquet or Arrow file.
        schema: what the table means, or the path of the YAML file that says so.
        model: name of the model; over `config`.
        rows: rows a draw; over `config`.
        seed: root of every random choice but roles and coins; over `config`.
        config: everything else a run can be asked.
        progress: told of stages and steps.

    Raises:
        TableError: the table cannot be read or is too small to be split.
        SchemaError: the table breaks its schema; every violation is listed.

    Example:
        >>> from synthkit.data import support2, support2_schema
        >>> small = RunConfig(model="independent", quick=True)
        >>> run = synthesize(support2().head(400), support2_schema(), rows=100, seed=1, config=small)
        >>> run.synthetic.shape
        (100, 48)
    """
    over = {"model": model, "rows": rows, "seed": seed}
    config = RunConfig.of(**((config or RunConfig()).model_dump() | {k: v for k, v in over.items() if v is not None}))
    config = config.model_copy(update={"seed": secrets.randbits(31) if config.seed is None else config.seed})
    clock = Clock(progress or Silent())

    clock.stage("read")
    schema = schema if isinstance(schema, Schema) else Schema.load(schema)
    source = "a frame" if isinstance(table, pd.DataFrame) else Path(table).name
    raw = (
        table
        if isinstance(table, pd.DataFrame)
        else tables.read(table, schema=schema if _is_text(table) else None).frame()
    )

    clock.stage("validate input")
    real, checked = admitted(raw, schema, config)

    clock.stage("split")
    parts = split(real, schema, system_generator())
    _large_enough(parts)

    clock.stage("fit")
    seeds = Seeds(config.seed or 0)
    ledger = Ledger(budget=None, unit=schema.unit)
    curator = Curator(parts.train_frame(), schema, ledger, seeds)
    synthesizer = Synthesizer(schema, config.model, settings=config.settings, device=config.device)
    synthesizer.with_dtypes(tables.dtypes(raw)).fit(curator, seed=config.seed, progress=clock.training)

    clock.stage("sample")
    n = config.rows or len(parts.train_frame())
    drawn = tuple(synthesizer.sample(n, seed=seeds.of(f"draw {k}") % 2**31) for k in range(config.draws))

    clock.stage("validate output")
    released = validate(drawn[0], schema, extra=config.suite)
    released.raise_if_failed()

    clock.stage("evaluate")
    comparison = Comparison(
        train=parts.train_frame(),
        holdout=parts.holdout_frame(),
        synthetic=tuple(conform(d, schema) for d in drawn),
        schema=schema,
        roles=parts.roles,
    )
    measured = evaluate(comparison, seed=seeds.of("evaluate"), quick=config.quick, progress=clock.metric)

    clock.stage("report")
    facts = provenance.facts(config, source, schema, drawn, clock.seconds)
    measured = replace(measured, run={**measured.run, **facts, "seconds": {**clock.seconds, **measured.run["seconds"]}})
    measured = with_training(measured, synthesizer.log)
    validations = {"input": checked, "output": released}
    page = report_on(measured, ledger, schema, validations)
    clock.stage("done")
    return Run(
        draws=drawn,
        synthesizer=synthesizer,
        schema=schema,
        ledger=ledger,
        evaluation=measured,
        report=page,
        validations=validations,
        roles=parts.roles,
        facts=facts,
    )


def _is_text(path: str | Path) -> bool:
    """Whether cells are text that needs the schema to be typed; other formats bring dtypes, which samples keep."""
    return not Path(path).name.lower().endswith((".parquet", ".arrow", ".feather"))


def admitted(raw: pd.DataFrame, schema: Schema, config: RunConfig) -> tuple[pd.DataFrame, Validation]:
    """The table in canonical dtypes and its validation; clamped first if asked.

    Raises:
        SchemaError: the table breaks its schema; every violation is listed.
    """
    real = conform(raw, schema)
    if config.clamp:
        real, _ = clamp(real, schema)
    checked = validate(real, schema, extra=config.suite)
    checked.raise_if_failed()
    return real, checked


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


def report_on(
    evaluation: Evaluation, ledger: Ledger | None, schema: Schema, validations: Mapping[str, Validation] | None
) -> Report:
    """The page on a run."""
    checked = {name: provenance.plain(v.to_json()) for name, v in (validations or {}).items()}
    return build(
        evaluation, ledger=None if ledger is None else ledger.to_dict(), schema=schema, validation=checked or None
    )


def _large_enough(parts: Split) -> None:
    trained, held = int(parts.train.sum()), int(parts.holdout.sum())
    if trained < 20 or held < 10:
        msg = (
            f"a run needs at least 20 rows to fit on and 10 to hold out; however: {trained} and {held}. "
            "Use `synthkit fit`, which holds nothing out, or a larger table"
        )
        raise TableError(msg)


class Clock:
    """Takes the time of each stage and passes progress on."""

    def __init__(self, progress: Progress) -> None:
        self.seconds: dict[str, float] = {}
        self._progress, self._name, self._since = progress, "", time.perf_counter()
        self.training = partial(self._steps, "loss {:.3f}")

    def stage(self, name: str) -> None:
        """A new stage begins."""
        now = time.perf_counter()
        if self._name:
            self.seconds[self._name] = round(now - self._since, 2)
        self._name, self._since = name, now
        self._progress.stage(name)

    def _steps(self, form: str, done: int, total: int, value: float) -> None:
        self._progress.advance(done, total, form.format(value))

    def metric(self, name: str, done: int, total: int) -> None:
        """Metric `done` of `total` begins."""
        self._progress.advance(done, total, name)
