"""`evaluate` and `report`: scores of tables made elsewhere, and a report drawn again. Never loads torch."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Optional

import typer

from synthkit.cli import options as o
from synthkit.cli.arguments import config, read_schema
from synthkit.cli.console import say, show_paths, show_scores, warn, warn_clamped, watching


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
    seed: o.Seed = None,
    clamp: o.Clamp = None,
    quick: o.Quick = None,
    suite: o.Suite = None,
    population: o.Population = None,
    delimiter: o.Delimiter = None,
    encoding: o.Encoding = None,
    missing: o.Missing = None,
    overwrite: o.Overwrite = False,
    quiet: o.Quiet = False,
) -> None:
    """Measure synthetic tables made by any tool against real ones, and draw the report.

    Real tables must keep the schema; what synthetic ones break is listed and scored.

    Example: synthkit evaluate --train a.csv --holdout b.csv --synthetic s.csv --schema icu.yaml --out runs/icu
    """
    asked = config(
        None,
        seed=seed,
        clamp=clamp,
        quick=quick,
        suite=suite,
        population=population,
        delimiter=delimiter,
        encoding=encoding,
        missing=missing,
    )
    known = read_schema(schema)
    from synthkit.io.atomic_files import check_folder
    from synthkit.release.run_folder import MARKS, contents

    check_folder(out, overwrite=overwrite, marks=MARKS)
    with watching(quiet=quiet) as progress:
        progress.stage("load libraries")
        from synthkit.pipeline.evaluate_tables import evaluate_tables

        made = evaluate_tables(train, holdout, synthetic, known, others=with_ or (), config=asked, progress=progress)
    made.save(out, overwrite=overwrite)
    warn_clamped(made.clamped)
    if not made.validations["output"].success:
        warn(f"synthetic rows: {made.validations['output']}")
    if not quiet:
        show_scores(made.evaluation, None)
        show_paths(contents(out))


def report(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder of a run or an evaluation.")],
    tier: Annotated[
        str, typer.Option("--tier", help="internal (the default) or shareable: without what outsiders should not see.")
    ] = "internal",
    pdf: Annotated[bool, typer.Option("--pdf", help="A PDF beside the page; needs the extra `pdf`.")] = False,
    quiet: o.Quiet = False,
) -> None:
    """Draw report.html and report.json again from evaluation.json and the files beside it; no table is read.

    The shareable edition is written beside them, as shareable.html and shareable.json.

    Example: synthkit report runs/demo --tier shareable --pdf
    """
    from synthkit.errors import ConfigError
    from synthkit.release.run_folder import REPORT_FILE, REPORT_JSON_FILE, redraw

    if tier not in ("internal", "shareable"):
        msg = f"`--tier` must be internal or shareable; however: `{tier}`"
        raise ConfigError(msg)
    made = redraw(folder, tier)  # type: ignore[arg-type]
    name = REPORT_FILE if tier == "internal" else f"{tier}.html"
    say(f"{made.save(folder / name)}: drawn again", quiet=quiet)
    if made.document:
        made.save_json((folder / name).with_suffix(".json") if tier != "internal" else folder / REPORT_JSON_FILE)
    if pdf:
        say(f"{made.save_pdf((folder / name).with_suffix('.pdf'))}: drawn", quiet=quiet)
