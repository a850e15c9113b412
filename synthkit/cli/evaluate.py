"""`evaluate`: scores of tables made elsewhere. Never loads torch."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Optional

import typer

from synthkit.cli import options as o
from synthkit.cli.arguments import read_either_schema
from synthkit.cli.config_flags import config_flags
from synthkit.cli.console import show_paths, warn, warn_clamped
from synthkit.cli.linked_runs import evaluate_linked_folders
from synthkit.cli.progress_display import progress_display
from synthkit.cli.score_summary import show_scores
from synthkit.errors import ConfigError
from synthkit.pipeline.run_config import CSVOptions, RunConfig


@config_flags("seed", "orphans", "clamp", "quick", "suite", "population", CSVOptions)
def evaluate(
    train: Annotated[Path, typer.Option("--train", help="Real rows the synthesizer was fitted on.")],
    holdout: Annotated[Path, typer.Option("--holdout", help="Real rows it never saw.")],
    synthetic: Annotated[list[Path], typer.Option("--synthetic", help="Synthetic rows; repeat it for more draws.")],
    schema: o.SchemaFile,
    out: o.OutFolder,
    with_: Annotated[
        Optional[list[Path]],
        typer.Option(
            "--with",
            help="Rows of another release made from the same training rows: attackers have all together; repeat.",
        ),
    ] = None,
    *,
    config: RunConfig,
    overwrite: o.Overwrite = False,
    quiet: o.Quiet = False,
) -> None:
    """Measure synthetic tables made by any tool against real ones, and draw the report.

    Real tables must keep the schema; what synthetic ones break is listed and scored. With a schema of linked tables
    each side is a folder with a file a table, or a .duckdb file.

    Example: synthkit evaluate --train a.csv --holdout b.csv --synthetic s.csv --schema icu.yaml --out runs/icu
    """
    known = read_either_schema(schema)
    from synthkit.io.atomic_files import check_folder
    from synthkit.release.run_folder import MARKS, contents
    from synthkit.schema import Schema

    if not isinstance(known, Schema):
        if with_:
            msg = "`--with` is of one table in this version; however: the schema is of linked tables. Leave it out"
            raise ConfigError(msg)
        real = {"train": train, "holdout": holdout}
        evaluate_linked_folders(real, synthetic, known, out, config, overwrite=overwrite, quiet=quiet)
        return
    check_folder(out, overwrite=overwrite, marks=MARKS)
    with progress_display(quiet=quiet) as progress:
        progress.stage("load libraries")
        from synthkit.pipeline.evaluate_tables import evaluate_tables

        made = evaluate_tables(train, holdout, synthetic, known, others=with_ or (), config=config, progress=progress)
    made.save(out, overwrite=overwrite)
    warn_clamped(made.clamped)
    if not made.validations["output"].success:
        warn(f"synthetic rows: {made.validations['output']}")
    if not quiet:
        show_scores(made.evaluation, None)
        show_paths(contents(out))
