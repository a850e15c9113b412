"""`impute`: missing cells of a table filled from a saved model."""

from __future__ import annotations

from typing import TYPE_CHECKING

from synthkit.cli import options as o
from synthkit.cli.config_flags import config_flags
from synthkit.cli.console import say
from synthkit.cli.drawn_table import check_table_file, warn_of_formulas
from synthkit.cli.linked_models import LinkedPlace, impute_linked, refuse_of_linked
from synthkit.cli.progress_display import progress_display
from synthkit.pipeline.run_config import CSVOptions, RunConfig

if TYPE_CHECKING:
    import pandas as pd


@config_flags("seed", "device", "orphans", CSVOptions)
def impute(
    folder: o.ModelFolder,
    table: o.InputTable,
    out: o.OutFile,
    config: RunConfig,
    ending: o.Ending = None,
    spreadsheet_safe: o.SpreadsheetSafe = False,
    overwrite: o.Overwrite = False,
    quiet: o.Quiet = False,
) -> None:
    """Fill missing cells with draws from what the model learned; known cells stay as they are.

    A cell that a rule says must be missing stays missing. Of linked tables, a folder or a .duckdb file, keys and
    moments stay as they are.

    Example: synthkit impute runs/demo gaps.csv --out filled.csv --seed 1
    """
    from synthkit.io.provenance_marks import provenance_mark
    from synthkit.pipeline.load_table import read_raw, refuse_linked_options
    from synthkit.release.run_folder import is_linked_model, model_in
    from synthkit.tables import table_files

    found = model_in(folder)
    if is_linked_model(found):
        place = LinkedPlace(out, ending, overwrite, spreadsheet_safe)
        impute_linked(found, table, place, config, quiet=quiet)
        return
    refuse_of_linked(ending=ending)
    refuse_linked_options(config)
    check_table_file(out, spreadsheet_safe=spreadsheet_safe, overwrite=overwrite)
    with progress_display(quiet=quiet) as progress:
        progress.stage("load")
        from synthkit.synthesizer.model_files import lawful
        from synthkit.synthesizer.synthesizer import Synthesizer

        synthesizer = Synthesizer.load(found, device=config.device)
        before = read_raw(table, config)
        progress.stage("impute")
        with lawful(found):
            after = synthesizer.impute(before, seed=config.seed)
        progress.stage("write")
        partly = provenance_mark("partially synthetic")
        table_files.write(after, out, schema=synthesizer.schema, mark=partly, spreadsheet_safe=spreadsheet_safe)
        progress.stage("")
    warn_of_formulas(after, out, spreadsheet_safe=spreadsheet_safe)
    learned = list(synthesizer.schema.learned)
    filled = _missing_cells(before[learned]) - _missing_cells(after[learned])
    say(f"{out}: {len(after):,} rows, {filled:,} cells filled", quiet=quiet)


def _missing_cells(frame: pd.DataFrame) -> int:
    return int(frame.isna().sum().sum())
