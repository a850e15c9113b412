"""`compare`: several models on one table, measured in the same way, and one report on all of them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Optional

import typer

from synthkit.cli import options as o
from synthkit.cli.arguments import read_either_schema, settings_by_model
from synthkit.cli.config_flags import config_flags
from synthkit.cli.console import say, show_paths, warn, warn_copied, warn_orphans
from synthkit.cli.progress_display import progress_display
from synthkit.pipeline.run_config import CSVOptions, RunConfig

if TYPE_CHECKING:
    from synthkit.pipeline.compare.compare_models import Compared
    from synthkit.pipeline.linked.compare_linked import LinkedCompared

COMPARISON_CONTENTS = {
    "report.html": "the comparison: open this first, in a browser (INTERNAL: exact figures of real rows)",
    "comparison.json": "the same numbers (INTERNAL: measured on real rows)",
    "schema.yaml": "what the columns mean",
    "models/": "each model's rows, scores and own report; the fitted model where it is ours (INTERNAL)",
    "internal/": "who was trained on (INTERNAL: never release)",
}


@config_flags(
    "rows", "units", "draws", "seed", "max_minutes", "device", "orphans", "clamp", "quick", "suite", CSVOptions
)
def compare(
    table: o.InputTable,
    schema: o.SchemaFile,
    out: Annotated[Path, typer.Option("--out", help="Folder of the comparison; a model that is done in it is kept.")],
    models: Annotated[
        str, typer.Option("--models", metavar="A,B,C", help="Models and references, with commas; MODEL+raked too.")
    ],
    config: RunConfig,
    set_: Annotated[
        Optional[list[str]],
        typer.Option("--set", metavar="MODEL.KEY=VALUE", help="A setting of one of the models; may be repeated."),
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Begin anew in a folder that holds a comparison.")
    ] = False,
    quiet: o.Quiet = False,
) -> None:
    """Fit several models to the same rows, measure them in the same way, and write one report on all of them.

    Each model runs in a process of its own; one that fails is listed. Stopped, it goes on where it was when it is run
    again; more models can be added. References made by others need the extra `sdv`. With a schema of linked tables
    TABLE is a folder or a .duckdb file, and the models are timeline and independent.

    Example: synthkit compare icu.csv --schema icu.yaml --models autoregressive,independent --out runs/compared
    """
    names = [name.strip() for name in models.split(",") if name.strip()]
    settings = settings_by_model(set_)
    known = read_either_schema(schema)
    with _resumable(out), progress_display(quiet=quiet) as progress:
        progress.stage("load libraries")
        from synthkit.pipeline.either_tables import compare as compare_models

        made = compare_models(
            table,
            known,
            models=names,
            out=out,
            settings=settings,
            config=config,
            overwrite=overwrite,
            progress=progress,
        )
    from synthkit.pipeline.linked.compare_linked import LinkedCompared

    if isinstance(made, LinkedCompared):
        warn_orphans(made.orphans)
        warn_copied(made.copied)
    for outcome in made.outcomes:
        if not outcome.done:
            warn(f"{outcome.name} failed: {outcome.reason}")
    if not quiet:
        _show(made, linked=isinstance(made, LinkedCompared))
        show_paths({out / name: what for name, what in COMPARISON_CONTENTS.items()})


@contextmanager
def _resumable(out: Path) -> Iterator[None]:
    try:
        yield
    except KeyboardInterrupt as error:
        msg = f"stopped; models that are done are kept in {out}, and the same command goes on"
        raise KeyboardInterrupt(msg) from error


def _show(made: Compared | LinkedCompared, *, linked: bool) -> None:
    """The headline scores, a line a model."""
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table

    from synthkit.report.labels import number, seconds, span

    plan = made.plan
    what = "units" if linked else "rows"
    say(f"\n{plan.train:,} real {what} fitted, {plan.holdout:,} held out; {plan.rows:,} synthetic {what} a draw")
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    for k, title in enumerate(("model", "AUC, real or synthetic?", "rows breaking a rule", "time to learn", "memory")):
        table.add_column(title, justify="right" if k else "left", no_wrap=k < 2)
    for outcome in made.outcomes:
        if not outcome.done:
            table.add_row(outcome.name, "failed")
            continue
        score = outcome.score("fidelity.unit_c2st" if linked else "fidelity.c2st")
        table.add_row(
            outcome.name,
            f"{number(score['value'])} {span(score['low'], score['high'])}" if score else number(None),
            number(outcome.broken_rows / sum(outcome.rows), "share"),
            seconds(outcome.seconds["fit"]),
            "not measured" if outcome.peak_mib is None else f"{outcome.peak_mib:,.0f} MiB",
        )
    Console(highlight=False, markup=False).print(table)
