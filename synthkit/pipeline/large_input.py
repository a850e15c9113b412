"""A large table at the entrance of a run: the rows that an evaluation looks at are drawn, and the others learned."""

from __future__ import annotations

import secrets
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from synthkit.encoding.keyed_permutation import keyed_uniform
from synthkit.engine.large_table import LargeTable
from synthkit.engine.parquet_sql import rows_at
from synthkit.engine.validate_source import validate_source
from synthkit.engine.written_rows import without_rows
from synthkit.pipeline.split import Split, split
from synthkit.runtime.seeds import Seeds, system_generator
from synthkit.schema.unit_keys import unit_keys
from synthkit.tables.storage import storages

if TYPE_CHECKING:
    from synthkit.engine.parquet_source import ParquetSource
    from synthkit.engine.workplace import Workplace
    from synthkit.pipeline.run_config import RunConfig
    from synthkit.schema import Schema
    from synthkit.synthesizer.checkpoints import Checkpoint
    from synthkit.tables.typed_table import TypedTable

EXAMINED_ROWS = 200_000  # rows that are held out of, attacked and compared; all others are learned
NUMBER = "number"  # of a row in the table, beside the roles that a checkpoint keeps


def load_large(source: ParquetSource, place: Workplace, config: RunConfig) -> LargeTable:
    """Hold a source against its schema.

    Raises:
        SchemaError: it breaks the schema; every violation is listed.
        TableError: a file cannot be read.
    """
    validation = validate_source(source, place.duck, extra=config.suite)
    validation.raise_if_failed()
    first = next(part for part in source.parts if part.rows)
    _, cells = next(source.cells(first))
    return LargeTable(source=source, place=place, storages=storages(cells, source.schema), validation=validation)


def divided(table: LargeTable, schema: Schema, checkpoint: Checkpoint | None) -> tuple[Split, LargeTable]:
    """The split of the rows that are examined, and the table without those of them that are not trained on.

    Args:
        table: all rows.
        schema: their meaning.
        checkpoint: where roles are kept, with the numbers of the rows they are of.
    """
    kept = None if checkpoint is None else checkpoint.roles()
    if kept is not None:
        numbers = np.unique(kept[NUMBER].to_numpy(dtype=np.int64))
        frame = _rows(table.source, numbers)
        roles = kept.drop(columns=NUMBER).drop_duplicates("unit" if schema.unit else None)
        parts = Split.from_roles(frame, schema, _numbered(roles, schema))
    else:
        numbers = examined_numbers(table.source)
        frame = _rows(table.source, numbers)
        parts = split(frame, schema, system_generator())
        if checkpoint is not None:
            checkpoint.keep_roles(parts.roles.iloc[parts.unit].reset_index(drop=True).assign(**{NUMBER: numbers}))
    learned = without_rows(table.source, numbers[~parts.train], table.place.room("rows"))
    return parts, replace(table, source=learned)


def _numbered(roles: pd.DataFrame, schema: Schema) -> pd.DataFrame:
    """Roles of rows that are units by themselves, numbered as those of a frame."""
    return roles if schema.unit else roles.assign(unit=range(len(roles)))


def examined_numbers(source: ParquetSource, rows: int = EXAMINED_ROWS) -> NDArray[np.int64]:
    """Numbers of the rows of units drawn at random by the system, about so many rows; they rise. **Shape**: (k,).

    A unit is drawn with all its rows. Whether it is follows from a fresh key and its own key alone.

    Args:
        source: the table.
        rows: about how many.
    """
    schema = source.schema
    if schema.unit is None:
        return np.sort(system_generator().choice(source.rows, min(rows, source.rows), replace=False))
    key, column, found = secrets.token_hex(16), schema.columns[schema.unit], list[NDArray[np.int64]]()
    for batch in source.batches([schema.unit]):
        units = unit_keys(batch[schema.unit], column).to_numpy(dtype=object)
        drawn = keyed_uniform(pd.util.hash_array(units, categorize=True), key) < rows / source.rows
        found.append(batch.index.to_numpy()[drawn])
    return np.concatenate(found)


def _rows(source: ParquetSource, numbers: NDArray[np.int64]) -> pd.DataFrame:
    return pd.concat(list(rows_at(source, numbers)), ignore_index=True)


def examined_facts(
    table: TypedTable | LargeTable, learned: TypedTable | LargeTable, parts: Split
) -> dict[str, dict[str, int]]:
    """How many rows a large table has, how many were learned, and how many an evaluation looks at."""
    if not isinstance(table, LargeTable):
        return {}
    return {"examined": {"rows": table.rows, "learned": learned.rows, "looked_at": len(parts.frame)}}


def examined_draws(draws: tuple[pd.DataFrame, ...], seeds: Seeds) -> tuple[pd.DataFrame, ...]:
    """As many rows of each draw as an evaluation looks at, chosen at random.

    Args:
        draws: of a run of a large table.
        seeds: of that run.
    """
    rng, most = seeds.numpy("rows looked at"), EXAMINED_ROWS
    return tuple(
        draw
        if len(draw) <= most
        else draw.iloc[np.sort(rng.choice(len(draw), most, replace=False))].reset_index(drop=True)
        for draw in draws
    )
