"""Tables that do not fit in memory: when a path means one, and how its rows are reached."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from synthkit.engine.memory_plan import MemoryPlan
from synthkit.engine.parquet_source import ParquetSource, is_parquet_source, parquet_rows
from synthkit.engine.workplace import Workplace, open_workplace
from synthkit.errors import UnsupportedError

if TYPE_CHECKING:
    import pandas as pd

    from synthkit.pipeline.run_config import RunConfig
    from synthkit.schema import Schema


def large_source(table: pd.DataFrame | str | Path, schema: Schema, config: RunConfig) -> ParquetSource | None:
    """The source of a table in Parquet that does not fit in memory; None where it does, or is another format.

    Raises:
        TableError: files are missing, not whole, or differ in their columns.
        SchemaError: columns are missing from the schema or from the table.
        ConfigError: the table is too large for what is asked.
    """
    if not isinstance(table, str | Path) or not is_parquet_source(table):
        return None
    plan, size = MemoryPlan.of(config.memory), (parquet_rows(table), len(schema.columns))
    if plan.holds(*size):
        return None
    source = ParquetSource.of(table, schema)
    if config.epsilon is not None:
        plan.refuse_larger(*size, "a fit under a budget")
    if config.clamp:
        plan.refuse_larger(*size, "`clamp`")
    return source


@contextmanager
def workplace(config: RunConfig) -> Iterator[Workplace]:
    """Where files of a large table lie while it is worked on.

    Raises:
        TableError: its folder cannot be made.
    """
    if config.work_folder is not None:
        config.work_folder.mkdir(parents=True, exist_ok=True)
    with open_workplace(MemoryPlan.of(config.memory).duck, beside=config.work_folder) as place:
        yield place


def refuse_of_large(config: RunConfig) -> None:
    """What a run of a large table cannot be asked.

    Raises:
        UnsupportedError: it is asked.
    """
    asked = [name for name in ("final", "release_model") if getattr(config, name)]
    asked += ["fits"] if (config.fits or 1) > 1 else []
    if asked:
        msg = (
            f"`{asked[0]}` needs a table that fits in memory; however: this one does not. Leave it out, or give more "
            "with `--memory`"
        )
        raise UnsupportedError(msg)
