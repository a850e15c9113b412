"""`sample`: new rows from a saved model."""

from __future__ import annotations

from collections.abc import Sized
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Optional

import typer

from synthkit.cli import options as o
from synthkit.cli.arguments import given as parse_given
from synthkit.cli.config_flags import config_flags
from synthkit.cli.console import say
from synthkit.cli.drawn_shards import ShardsAsked, refuse_of_shards, sample_shards
from synthkit.cli.drawn_table import check_table_file, warn_of_formulas
from synthkit.cli.linked_models import LinkedPlace, refuse_of_linked, refuse_of_one_table, sample_linked
from synthkit.cli.progress_display import progress_display
from synthkit.cli.score_summary import raking_sentence
from synthkit.errors import ConfigError
from synthkit.pipeline.run_config import RunConfig

if TYPE_CHECKING:
    import pandas as pd

    from synthkit.schema import Schema
    from synthkit.watermark import WatermarkKey


@config_flags("rake", "rake_to", "watermark", "seed", "device", "memory")
def sample(
    folder: o.ModelFolder,
    out: o.OutFile,
    rows: Annotated[
        Optional[int], typer.Option("--rows", min=0, help="How many rows; those of --given-file if not given.")
    ] = None,
    units: Annotated[
        Optional[int],
        typer.Option("--units", min=0, help="Of linked tables: how many people; those of --given if not given."),
    ] = None,
    given: Annotated[
        Optional[list[str]],
        typer.Option(
            "--given",
            metavar="COL=VALUE",
            help="A value all rows must have; `COL=` means missing; may be repeated. Of linked tables a file of people "
            "whose other cells and rows are drawn, or a folder with what has happened to them so far.",
        ),
    ] = None,
    given_file: Annotated[
        Optional[Path],
        typer.Option("--given-file", help="A table of partial rows, one for each row; empty cells are drawn."),
    ] = None,
    shard_rows: Annotated[
        Optional[int],
        typer.Option(
            "--shard-rows", min=1, help="Draw into a folder of Parquet files with so many rows each; 100,000."
        ),
    ] = None,
    *,
    config: RunConfig,
    engine: o.EngineName = "local",
    workers: o.Workers = None,
    insecure_cluster: o.InsecureCluster = False,
    ending: o.Ending = None,
    spreadsheet_safe: o.SpreadsheetSafe = False,
    overwrite: o.Overwrite = False,
    quiet: o.Quiet = False,
) -> None:
    """Draw new rows from a saved model, all of them obeying the rules of its schema.

    Where --out is a folder the rows are drawn in shards, Parquet files that follow from model, seed and number alone:
    the same command again goes on with those that are missing, and it does not matter who draws them.

    A model of linked tables draws people, each with all that belongs to them, into a folder or a .duckdb file.

    Example: synthkit sample runs/demo --rows 1000 --given hospdead=1 --out deaths.csv

    Example: synthkit sample runs/demo --rows 100000000 --out many/ --workers 4

    Example: synthkit sample runs/hospital --units 1000 -o more
    """
    from synthkit.io.provenance_marks import provenance_mark
    from synthkit.release.run_folder import is_linked_model, model_in
    from synthkit.tables import table_files
    from synthkit.watermark import WatermarkKey

    found = model_in(folder)
    if is_linked_model(found):
        refuse_of_one_table(rows=rows, rake=config.rake)
        place = LinkedPlace(out, ending, overwrite, spreadsheet_safe)
        sample_linked(found, place, units, [*(given or ()), *filter(None, [given_file])], config, quiet=quiet)
        return
    refuse_of_linked(units=units, ending=ending)
    shards = ShardsAsked(shard_rows=shard_rows, engine=engine, workers=workers, insecure=insecure_cluster)
    if shards.meant(out):
        refuse_of_shards(given, given_file)
        sample_shards(found, out, rows, config, shards, quiet=quiet)
        return
    check_table_file(out, spreadsheet_safe=spreadsheet_safe, overwrite=overwrite)
    key = None if config.watermark is None else WatermarkKey.load(config.watermark)
    with progress_display(quiet=quiet) as progress:
        progress.stage("load")
        from synthkit.synthesizer.model_files import lawful
        from synthkit.synthesizer.synthesizer import Synthesizer

        synthesizer = Synthesizer.load(found, device=config.device)
        key = key and key.of(synthesizer.schema)
        fixed = _fixed_values(given or [], given_file, synthesizer.schema)
        count = _row_count(rows, given_file, fixed)
        progress.stage("sample")
        with lawful(found):
            drawn = synthesizer.sample(count, given=fixed, rake=config.raked, seed=config.seed, watermark=key)
        progress.stage("write")
        table_files.write(
            drawn, out, schema=synthesizer.schema, mark=provenance_mark(), spreadsheet_safe=spreadsheet_safe
        )
        progress.stage("")
    warn_of_formulas(drawn, out, spreadsheet_safe=spreadsheet_safe)
    if not quiet:
        _show(drawn, out, key, raked=config.rake)


def _show(drawn: pd.DataFrame, out: Path, key: WatermarkKey | None, *, raked: bool) -> None:
    """Where the rows are, by which seed, and how they were chosen."""
    say(f"{out}: {len(drawn):,} synthetic rows (seed {drawn.attrs['synthkit_seed']})")
    if raked:
        say(raking_sentence(len(drawn), drawn.attrs["synthkit_pool"]))
    if key is not None:
        say(f"watermarked: each row is one of {key.candidates}, chosen by key {key.name}")


def _fixed_values(pairs: list[str], file: Path | None, schema: Schema) -> dict[str, str | None] | pd.DataFrame | None:
    """Values that the rows must have: the same for all, or a partial row for each."""
    from synthkit.tables import table_files

    if pairs and file is not None:
        msg = "values are given to all rows or by a file; however: both --given and --given-file. Keep one"
        raise ConfigError(msg)
    if file is not None:
        return table_files.read_cells(file)
    return parse_given(pairs, schema) if pairs else None


def _row_count(rows: int | None, file: Path | None, fixed: Sized | None) -> int:
    if rows is not None:
        return rows
    if file is None or fixed is None:
        msg = "the number of rows must be said; however: there is no --rows. For example: --rows 1000"
        raise ConfigError(msg)
    return len(fixed)
