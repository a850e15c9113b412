"""`sample`, `impute` and `score`: new rows, missing cells filled, and odd records found, from a saved model."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Optional

import typer

from synthkit.cli import options as o
from synthkit.cli.arguments import config, given
from synthkit.cli.console import formulas, say, selection, warn, watching
from synthkit.errors import ConfigError
from synthkit.io.provenance_marks import provenance_mark

if TYPE_CHECKING:
    import pandas as pd

    from synthkit.schema import Schema


def sample(
    folder: o.ModelFolder,
    out: o.OutFile,
    rows: Annotated[
        Optional[int], typer.Option("--rows", min=0, help="How many rows; those of --given-file if not given.")
    ] = None,
    given_: Annotated[
        Optional[list[str]],
        typer.Option(
            "--given",
            metavar="COL=VALUE",
            help="A value all rows must have; `COL=` means missing; may be repeated.",
        ),
    ] = None,
    given_file: Annotated[
        Optional[Path],
        typer.Option("--given-file", help="A table of partial rows, one for each row; empty cells are drawn."),
    ] = None,
    calibrate: o.Calibrate = None,
    watermark: o.Watermark = None,
    seed: o.Seed = None,
    device: o.Device = None,
    spreadsheet_safe: o.SpreadsheetSafe = False,
    overwrite: o.Overwrite = False,
    quiet: o.Quiet = False,
) -> None:
    """Draw new rows from a saved model, all of them obeying the rules of its schema.

    Example: synthkit sample runs/demo --rows 1000 --given hospdead=1 --out deaths.csv
    """
    from synthkit.io.atomic_files import check_file
    from synthkit.release.run_folder import model_in
    from synthkit.tables import table_files
    from synthkit.watermark import WatermarkKey

    check_file(out, overwrite=overwrite)
    _check_ending(out, spreadsheet_safe=spreadsheet_safe)
    found = model_in(folder)
    key = None if watermark is None else WatermarkKey.load(watermark)
    with watching(quiet=quiet) as progress:
        progress.stage("load")
        from synthkit.synthesizer.model_files import lawful
        from synthkit.synthesizer.synthesizer import Synthesizer

        synthesizer = Synthesizer.load(found, device=device or "auto")
        key = key and key.of(synthesizer.schema)
        fixed = _given(given_ or [], given_file, synthesizer.schema)
        many = _many(rows, given_file, fixed)
        progress.stage("sample")
        with lawful(found):
            drawn = synthesizer.sample(many, given=fixed, calibrate=bool(calibrate), seed=seed, watermark=key)
        progress.stage("write")
        table_files.write(
            drawn, out, schema=synthesizer.schema, mark=provenance_mark(), spreadsheet_safe=spreadsheet_safe
        )
        progress.stage("")
    _warn_of_formulas(drawn, out, spreadsheet_safe=spreadsheet_safe)
    say(f"{out}: {len(drawn):,} synthetic rows (seed {drawn.attrs['synthkit_seed']})", quiet=quiet)
    if calibrate:
        say(selection(len(drawn), drawn.attrs["synthkit_pool"]), quiet=quiet)
    if key is not None:
        say(f"watermarked: each row is one of {key.candidates}, chosen by key {key.name}", quiet=quiet)


def impute(
    folder: o.ModelFolder,
    table: o.Table,
    out: o.OutFile,
    seed: o.Seed = None,
    device: o.Device = None,
    delimiter: o.Delimiter = None,
    encoding: o.Encoding = None,
    missing: o.Missing = None,
    spreadsheet_safe: o.SpreadsheetSafe = False,
    overwrite: o.Overwrite = False,
    quiet: o.Quiet = False,
) -> None:
    """Fill missing cells with draws from what the model learned; known cells stay as they are.

    A cell that a rule says must be missing stays missing.

    Example: synthkit impute runs/demo gaps.csv --out filled.csv --seed 1
    """
    from synthkit.io.atomic_files import check_file
    from synthkit.pipeline.load_table import read_raw
    from synthkit.release.run_folder import model_in
    from synthkit.tables import table_files

    check_file(out, overwrite=overwrite)
    _check_ending(out, spreadsheet_safe=spreadsheet_safe)
    found = model_in(folder)
    asked = config(None, delimiter=delimiter, encoding=encoding, missing=missing)
    with watching(quiet=quiet) as progress:
        progress.stage("load")
        from synthkit.synthesizer.model_files import lawful
        from synthkit.synthesizer.synthesizer import Synthesizer

        synthesizer = Synthesizer.load(found, device=device or "auto")
        before = read_raw(table, asked)
        progress.stage("impute")
        with lawful(found):
            after = synthesizer.impute(before, seed=seed)
        progress.stage("write")
        said = provenance_mark("partially synthetic")
        table_files.write(after, out, schema=synthesizer.schema, mark=said, spreadsheet_safe=spreadsheet_safe)
        progress.stage("")
    _warn_of_formulas(after, out, spreadsheet_safe=spreadsheet_safe)
    learned = list(synthesizer.schema.learned)
    filled = int(before[learned].isna().sum().sum()) - int(after[learned].isna().sum().sum())
    say(f"{out}: {len(after):,} rows, {filled:,} cells filled", quiet=quiet)


def score(
    folder: o.ModelFolder,
    table: o.Table,
    out: o.OutFile,
    seed: o.Seed = None,
    device: o.Device = None,
    delimiter: o.Delimiter = None,
    encoding: o.Encoding = None,
    missing: o.Missing = None,
    spreadsheet_safe: o.SpreadsheetSafe = False,
    overwrite: o.Overwrite = False,
    quiet: o.Quiet = False,
) -> None:
    """Find odd records: how improbable a saved model holds each to be, and which columns make it so.

    The file says of each row its number, its score, higher for odder ones, and the part of every column. The oddest
    come first. Scores of real records are INTERNAL.

    Example: synthkit score runs/demo records.csv --out odd.csv
    """
    from synthkit.io.atomic_files import check_file
    from synthkit.pipeline.load_table import read_raw
    from synthkit.release.run_folder import model_in
    from synthkit.synthesizer.anomaly import scored
    from synthkit.tables import table_files

    check_file(out, overwrite=overwrite)
    _check_ending(out, spreadsheet_safe=spreadsheet_safe)
    found = model_in(folder)
    asked = config(None, delimiter=delimiter, encoding=encoding, missing=missing)
    with watching(quiet=quiet) as progress:
        progress.stage("load")
        from synthkit.synthesizer.model_files import lawful
        from synthkit.synthesizer.synthesizer import Synthesizer

        synthesizer = Synthesizer.load(found, device=device or "auto")
        records = read_raw(table, asked)
        progress.stage("score")
        with lawful(found):
            parts = synthesizer.anomaly_parts(records, seed=seed or 0)
        parts = scored(parts)
        progress.stage("write")
        table_files.write(parts, out, spreadsheet_safe=spreadsheet_safe)
        progress.stage("")
    _warn_of_formulas(parts, out, spreadsheet_safe=spreadsheet_safe)
    say(f"{out}: {len(parts):,} records, the oddest first (INTERNAL)", quiet=quiet)


def _check_ending(out: Path, *, spreadsheet_safe: bool) -> None:
    """Refuse an unknown ending, or a safety that only CSV needs, before any work."""
    from synthkit.tables import table_files

    if not table_files.is_text(out) and spreadsheet_safe:
        msg = f"--spreadsheet-safe is for CSV; however: {out.name}. Name a .csv or .tsv file, or leave it away"
        raise ConfigError(msg)


def _warn_of_formulas(frame: pd.DataFrame, out: Path, *, spreadsheet_safe: bool) -> None:
    """Name columns of a CSV file that a spreadsheet may run."""
    from synthkit.schema.spreadsheet_formulas import formulas_in_cells
    from synthkit.tables import table_files

    names = formulas_in_cells(frame) if table_files.is_text(out) and not spreadsheet_safe else []
    if names:
        warn(f"{out.name}: {formulas(names)}; say --spreadsheet-safe if somebody may open it in one")


def _given(pairs: list[str], file: Path | None, schema: Schema) -> dict[str, Any] | pd.DataFrame | None:
    from synthkit.tables import table_files

    if pairs and file is not None:
        msg = "values are given to all rows or by a file; however: both --given and --given-file. Keep one"
        raise ConfigError(msg)
    if file is not None:
        return table_files.read_cells(file)
    return given(pairs, schema) if pairs else None


def _many(rows: int | None, file: Path | None, fixed: Any) -> int:
    if rows is not None:
        return rows
    if file is None:
        msg = "the number of rows must be said; however: there is no --rows. For example: --rows 1000"
        raise ConfigError(msg)
    return len(fixed)
