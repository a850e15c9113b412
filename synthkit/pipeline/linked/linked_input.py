"""The entrance of linked tables: a folder, a DuckDB file or frames, read, typed and held against their schema."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from synthkit.errors import SchemaError
from synthkit.pipeline.load_table import UNREADABLE_LINES
from synthkit.pipeline.run_config import RunConfig
from synthkit.schema.linked.either_schema import as_linked
from synthkit.schema.linked.orphans import KeptRows
from synthkit.schema.linked.validate_linked import typed_columns, validate_columns
from synthkit.tables.csv_lines import LEFT_OUT_LINES
from synthkit.tables.duckdb_files import is_duckdb
from synthkit.tables.linked_files import LinkedCells, LinkedInput, load_linked, read_linked, table_name
from synthkit.tables.linked_tables import LinkedTables, stored_as
from synthkit.tables.table_files import CellOptions

if TYPE_CHECKING:
    import pandas as pd

    from synthkit.privacy.access.bounded_units import MappedUnits
    from synthkit.schema import Schema
    from synthkit.schema.linked import LinkedSchema
    from synthkit.schema.linked.linked_columns import LinkedColumns
    from synthkit.schema.linked.linked_validation import LinkedValidation


def resolve_linked(schema: Schema | LinkedSchema | str | Path) -> LinkedSchema:
    """The schema of linked tables in a file, or as it is; that of one table becomes one of a single linked table.

    Raises:
        SchemaError: the file holds no schema, or nothing in it can be learned.
    """
    found = as_linked(schema)
    if not any(found.tables[name].payload or found.tables[name].moments for name in found.graph.records):
        msg = (
            "a schema must declare a column to learn; however: its tables hold keys alone, which are made fresh. "
            "Declare another kind for the columns that describe the rows"
        )
        raise SchemaError(msg)
    return found


def cell_options(config: RunConfig) -> CellOptions:
    """How files are read; under a budget each line by itself."""
    return CellOptions(
        delimiter=config.delimiter,
        encoding=config.encoding,
        missing=config.missing,
        alone=config.epsilon is not None,
    )


def read_folder(source: LinkedInput, schema: LinkedSchema | None, config: RunConfig) -> LinkedCells:
    """The cells of linked tables as they stand, read as the configuration says.

    Raises:
        TableError: a table cannot be read.
        SchemaError: tables are not declared, or declared and absent.
    """
    return read_linked(source, schema, **cell_options(config))


def found_tables(source: str | Path, config: RunConfig) -> Mapping[str, pd.DataFrame]:
    """Tables that somebody found, by name, whatever they are: a folder, a DuckDB file, or the file of one of them.

    Raises:
        TableError: a table cannot be read.
    """
    path = Path(source)
    one = path.is_file() and not is_duckdb(path)
    return read_folder({table_name(path): path} if one else path, None, config).frames


def kept_cells(source: LinkedInput, schema: LinkedSchema, config: RunConfig) -> KeptRows:
    """The cells as `read_folder`, without orphans where the configuration leaves them out.

    Rows that are left out are not among the cells, and keys that name no row are empty.

    Raises:
        TableError: a table cannot be read.
        SchemaError: tables are not declared, or declared and absent.
    """
    frames = read_folder(source, schema, config).frames
    columns = typed_columns(frames, schema, config.orphans)
    kept = {name: _kept(frame, name, columns) for name, frame in frames.items()}
    rows = {name: columns.rows.get(name, np.arange(len(frame))) for name, frame in frames.items()}
    return KeptRows(kept, rows, columns.orphans)


def _kept(frame: pd.DataFrame, name: str, columns: LinkedColumns) -> pd.DataFrame:
    """The rows of a table that are no orphans, as they came but for keys that were emptied."""
    if name not in columns.rows:
        return frame
    kept = frame.iloc[columns.rows[name]].reset_index(drop=True)
    typed = columns.resolved.frames[name]
    for column in dict.fromkeys(c for link in columns.schema.tables[name].links for c in link.columns):
        emptied = typed[column].isna().to_numpy() & kept[column].notna().to_numpy()
        if emptied.any():
            kept[column] = kept[column].astype(object).mask(emptied, None)
    return kept


def load_tables(source: LinkedInput, schema: LinkedSchema, config: RunConfig) -> LinkedTables:
    """Linked tables that keep their schema, rows of one unit together.

    Raises:
        TableError: a table cannot be read.
        SchemaError: the tables break their schema; every violation is listed, by table.
    """
    return load_linked(source, schema, orphans=config.orphans, **cell_options(config))


def load_mapped_units(source: LinkedInput, public: LinkedSchema, config: RunConfig) -> MappedUnits:
    """Read linked tables and map every cell into the public domain, refusing none, and holding them against nothing.

    Rows of nobody are dropped; bounds on rows are not applied.

    Raises:
        TableError: a table cannot be read.
        SchemaError: tables or columns are missing or unknown, or a catalogue is not what is declared.
    """
    from synthkit.privacy.access.bounded_units import mapped_units  # loads torch, which `detect` does without

    frames = read_folder(source, public, config).frames
    found = mapped_units(frames, public)
    changed = {name: dict(each) for name, each in found.changed.items()}
    for name, frame in frames.items():
        if lines := int(frame.attrs.get(LEFT_OUT_LINES, 0)):
            changed[name] = {**changed.get(name, {}), UNREADABLE_LINES: lines}
    return replace(found, changed=changed)


def typed_draw(frames: Mapping[str, pd.DataFrame], schema: LinkedSchema) -> tuple[LinkedTables, LinkedValidation]:
    """Synthetic tables typed, and what they break of the schema.

    Raises:
        SchemaError: keys are missing, stand twice or name no row, so that the rows cannot be put in their places.
    """
    columns = typed_columns(frames, schema, "refuse")
    found = validate_columns(columns)
    if not found.success:
        LinkedTables.of(frames, schema)  # refuses what has no place
    return LinkedTables.of_columns(columns, stored_as(frames, schema), found), found


def source_name(source: LinkedInput) -> str:
    """What to call the origin of tables: the name of the folder or file without those above it."""
    return Path(source).name if isinstance(source, str | Path) else "frames"
