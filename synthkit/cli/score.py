"""`score`: odd records found with a saved model."""

from __future__ import annotations

from synthkit.cli import options as o
from synthkit.cli.config_flags import config_flags
from synthkit.cli.console import say
from synthkit.cli.drawn_table import check_table_file, warn_of_formulas
from synthkit.cli.linked_models import score_linked
from synthkit.cli.progress_display import progress_display
from synthkit.pipeline.run_config import CSVOptions, RunConfig


@config_flags("seed", "device", "orphans", CSVOptions)
def score(
    folder: o.ModelFolder,
    table: o.InputTable,
    out: o.ScoreFile,
    config: RunConfig,
    spreadsheet_safe: o.SpreadsheetSafe = False,
    overwrite: o.Overwrite = False,
    quiet: o.Quiet = False,
) -> None:
    """Find odd records: how improbable a saved model holds each to be, and which columns make it so.

    The file says of each row its number, its score, higher for odder ones, and the part of every column. The oddest
    come first. Scores of real records are INTERNAL. Of linked tables, a folder or a .duckdb file, people are scored,
    and the part of every table is said.

    Example: synthkit score runs/demo records.csv --out odd.csv
    """
    from synthkit.pipeline.load_table import read_raw, refuse_linked_options
    from synthkit.release.run_folder import is_linked_model, model_in
    from synthkit.synthesizer.anomaly import scored
    from synthkit.tables import table_files

    check_table_file(out, spreadsheet_safe=spreadsheet_safe, overwrite=overwrite)
    found = model_in(folder)
    if is_linked_model(found):
        score_linked(found, table, out, config, spreadsheet_safe=spreadsheet_safe, quiet=quiet)
        return
    refuse_linked_options(config)
    with progress_display(quiet=quiet) as progress:
        progress.stage("load")
        from synthkit.synthesizer.model_files import lawful
        from synthkit.synthesizer.synthesizer import Synthesizer

        synthesizer = Synthesizer.load(found, device=config.device)
        records = read_raw(table, config)
        progress.stage("score")
        with lawful(found):
            parts = scored(synthesizer.anomaly_parts(records, seed=config.seed or 0))
        progress.stage("write")
        table_files.write(parts, out, spreadsheet_safe=spreadsheet_safe)
        progress.stage("")
    warn_of_formulas(parts, out, spreadsheet_safe=spreadsheet_safe)
    say(f"{out}: {len(parts):,} records, the oddest first (INTERNAL)", quiet=quiet)
