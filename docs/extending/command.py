"""`count-rows`: how many rows and missing cells a table has; a command that lives outside synthkit."""

from __future__ import annotations

from synthkit.cli.config_flags import config_flags
from synthkit.cli.console import say
from synthkit.cli.options import InputTable, Quiet
from synthkit.pipeline.load_table import read_raw
from synthkit.pipeline.run_config import CSVOptions, RunConfig


@config_flags(CSVOptions)
def count_rows(table: InputTable, config: RunConfig, quiet: Quiet = False) -> None:
    """Count the rows of a table, and its missing cells.

    Example: synthkit count-rows icu.csv --missing NA
    """
    frame = read_raw(table, config)
    say(f"{table.name}: {len(frame):,} rows, {int(frame.isna().sum().sum()):,} missing cells", quiet=quiet)
