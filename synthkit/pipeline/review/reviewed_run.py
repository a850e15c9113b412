"""The two sides of a review, from the folder of a run of linked tables and the real tables it was made from."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Unpack

import numpy as np

from synthkit.errors import ArtefactError, ConfigError, TableError
from synthkit.release import run_folder
from synthkit.schema.linked import LinkedSchema
from synthkit.schema.linked.either_schema import load_either
from synthkit.schema.linked.row_keys import key_texts
from synthkit.tables import table_files
from synthkit.tables.linked_files import LinkedInput, read_linked
from synthkit.tables.linked_tables import LinkedTables

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from synthkit.tables.table_files import CellOptions


def sides_of_run(
    folder: str | Path, real: LinkedInput, **options: Unpack[CellOptions]
) -> tuple[LinkedTables, LinkedTables]:
    """The synthetic tables of a run, and of the real ones the units it held out.

    Args:
        folder: of a run of linked tables: its schema, a file a synthetic table, and the roles of the real units.
        real: the tables that the run was made from.
        options: how delimited text of the real tables is read, see `CellOptions`.

    Raises:
        ArtefactError: the folder is not that of a run.
        ConfigError: the run is of one table.
        TableError: a table cannot be read, or the real tables are not those of the run.
        SchemaError: tables are missing, or keys name no row.
    """
    place = Path(folder)
    roles_file = place / run_folder.INTERNAL_FOLDER / run_folder.ROLES_FILE
    if not (place / run_folder.SCHEMA_FILE).is_file() or not roles_file.is_file():
        lacking = run_folder.SCHEMA_FILE if roles_file.is_file() else f"internal/{run_folder.ROLES_FILE}"
        msg = f"{place} must be the folder of a run; however: it holds no {lacking}. Give the folder of `synthkit run`"
        raise ArtefactError(msg)
    schema = load_either(place / run_folder.SCHEMA_FILE)
    if not isinstance(schema, LinkedSchema):
        msg = f"a review is of linked tables, whose people have rows in several; however: {place} is a run of one table"
        raise ConfigError(f"{msg}. Read its rows as they are")
    synthetic = _typed(place / run_folder.SYNTHETIC_FOLDER, schema)
    tables = _typed(real, schema, **options)
    return synthetic, tables.take(_held_out(tables, table_files.read(roles_file).frame()))


def _typed(source: LinkedInput, schema: LinkedSchema, **options: Unpack[CellOptions]) -> LinkedTables:
    cells = read_linked(source, schema, **options)
    return LinkedTables.of(cells.frames, schema, orphans="drop", texts=cells.texts)


def _held_out(tables: LinkedTables, roles: pd.DataFrame) -> NDArray[np.intp]:
    """Positions of the units that were not trained on: the test role, and the tails of the pool.

    Raises:
        TableError: the roles are of other units.
    """
    unit, key = tables.frames[tables.schema.unit], tables.schema.tables[tables.schema.unit].key
    saved = key_texts(roles["unit"])
    mine = key_texts(unit[key[0]]) if len(key) == 1 else np.arange(len(unit)).astype(str)
    tails = (roles["role"] == "pool") & ~roles["coin"].fillna(value=True).astype(bool)
    kept = ((roles["role"] == "test") | tails).to_numpy(dtype=bool)
    held = dict(zip(saved.tolist(), kept.tolist(), strict=True))
    lacking = sum(text not in held for text in mine.tolist())
    if lacking or len(mine) != len(held):
        msg = (
            f"the real tables must be those of the run; however: {lacking:,} of {len(mine):,} units have no role "
            f"there, and there are {len(held):,} roles. Give the folder the run was made from"
        )
        raise TableError(msg)
    return np.flatnonzero([held[text] for text in mine.tolist()]).astype(np.intp)
