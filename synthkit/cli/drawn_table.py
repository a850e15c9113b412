"""The file of rows that a saved model made: its ending is checked before any work, its formulas are warned of."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from synthkit.cli.console import formulas, warn
from synthkit.errors import ConfigError

if TYPE_CHECKING:
    import pandas as pd


def check_table_file(out: Path, *, spreadsheet_safe: bool, overwrite: bool) -> None:
    """Refuse a file that is there, an unknown ending, or a safety that only CSV needs, before any work.

    Raises:
        ConfigError: the file is there and not to be replaced, or a safety is asked for that its format does not need.
        TableError: the ending is not one of a table.
    """
    from synthkit.io.atomic_files import check_file
    from synthkit.tables import table_files

    check_file(out, overwrite=overwrite)
    if not table_files.is_text(out) and spreadsheet_safe:
        msg = f"--spreadsheet-safe is for CSV; however: {out.name}. Name a .csv or .tsv file, or leave it away"
        raise ConfigError(msg)


def warn_of_formulas(frame: pd.DataFrame, out: Path, *, spreadsheet_safe: bool) -> None:
    """Name columns of a CSV file that a spreadsheet may run."""
    from synthkit.schema.spreadsheet_formulas import formulas_in_cells
    from synthkit.tables import table_files

    names = formulas_in_cells(frame) if table_files.is_text(out) and not spreadsheet_safe else []
    if names:
        warn(f"{out.name}: {formulas(names)}; say --spreadsheet-safe if somebody may open it in one")
