"""Linked tables in and out: a folder of files, one DuckDB file, or frames by name."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, Unpack

import pandas as pd

from synthkit.errors import ConfigError, SchemaError, TableError
from synthkit.io.atomic_files import replacing_folder
from synthkit.schema.linked.validate_linked import typed_columns, validate_columns
from synthkit.schema.violations import Violation, listing
from synthkit.tables import table_files
from synthkit.tables.duckdb_files import DUCKDB_ENDINGS, is_duckdb, read_duckdb, table_names, write_duckdb
from synthkit.tables.linked_tables import LinkedTables, stored_as
from synthkit.tables.table_files import CellOptions, as_it_came, is_text, read_cells

if TYPE_CHECKING:
    import pyarrow as pa

    from synthkit.schema.linked import LinkedSchema
    from synthkit.schema.linked.orphans import Orphans

LinkedInput = str | Path | Mapping[str, "pd.DataFrame | pa.Table | str | Path"]
TABLE_ENDINGS = (".parquet", ".csv", ".csv.gz", ".tsv", ".tsv.gz", ".arrow", ".feather")
MAX_TABLES = 1_000  # more files than that are no database of patients
_DUCKDB_WORDS = ", ".join(f"NAME{ending}" for ending in DUCKDB_ENDINGS)
TABLES_FORMAT: Final = "synthkit-tables/1"
TABLES_MARK = "tables.json"  # in every folder that is written: such a folder may be replaced


@dataclass(frozen=True)
class LinkedCells:
    """Cells of linked tables as they stand.

    Args:
        frames: cells by table.
        texts: tables that came as delimited text, whose cells a schema has to type.
    """

    frames: Mapping[str, pd.DataFrame]
    texts: frozenset[str] = frozenset()


def read_linked(source: LinkedInput, schema: LinkedSchema | None = None, **options: Unpack[CellOptions]) -> LinkedCells:
    """The cells of linked tables as they stand.

    Args:
        source: a folder with a file a table, named by the table (Parquet, CSV, Arrow; other files are passed over); a
            DuckDB file; the file of one table, where the schema declares one; or frames, Arrow tables or paths by name.
        schema: what is declared: other tables are refused by name before any is read.
        options: how delimited text is read, see `CellOptions`.

    Raises:
        TableError: there are no tables, too many, two of one name, or a file cannot be read.
        SchemaError: tables are not declared, or declared and absent; lists all of them.
        UnsupportedError: a DuckDB file, and duckdb is not installed.
    """
    if isinstance(source, Mapping):
        _check_names(list(source), "the mapping", schema)
        return _from_places(dict(source), options)
    path = Path(source)
    if is_duckdb(path):
        names = table_names(path, () if schema is None else tuple(schema.tables))
        _check_names(names, str(path), schema)
        return LinkedCells(read_duckdb(path, names))
    if path.is_dir():
        files = table_paths(path)
        _check_names(list(files), str(path), schema)
        return _from_places(dict(files), options)
    if schema is not None and len(schema.tables) == 1 and path.is_file():
        return _from_places({schema.unit: path}, options)
    msg = (
        f"linked tables are a folder with a file a table, or a DuckDB file ({_DUCKDB_WORDS}); however: "
        f"{path} is {'one file' if path.is_file() else 'not there'}. Name the folder"
    )
    raise TableError(msg)


def table_paths(folder: str | Path) -> dict[str, Path]:
    """Files of a folder that hold tables, by the name of the table, in order of their names.

    Raises:
        TableError: none does, too many do, or two have the name of one table.
    """
    files = sorted(p for p in Path(folder).iterdir() if p.is_file() and not p.name.startswith(".") and _ending(p))
    names = [table_name(path) for path in files]
    twice = sorted(name for name, count in Counter(name.casefold() for name in names).items() if count > 1)
    if twice:
        msg = f"a folder holds one file a table; however: several in {folder} are called {', '.join(twice)}. Keep one"
        raise TableError(msg)
    if not files or len(files) > MAX_TABLES:
        many = f"{len(files):,} do" if files else "none does"
        msg = f"1 to {MAX_TABLES:,} files of {folder} must end in {', '.join(TABLE_ENDINGS)}; however: {many}"
        raise TableError(f"{msg}. Name the folder that holds the tables")
    return dict(zip(names, files, strict=True))


def table_name(path: str | Path) -> str:
    """Name of the table that a file holds: its own without the ending of its format.

    Example:
        >>> table_name("found/labs.csv.gz")
        'labs'
    """
    path = Path(path)
    return path.name[: len(path.name) - len(_ending(path))]


def _ending(path: Path) -> str:
    """The longest ending of a table that a file has; empty if none."""
    return max((end for end in TABLE_ENDINGS if path.name.lower().endswith(end)), key=len, default="")


def _check_names(names: list[str] | tuple[str, ...], where: str, schema: LinkedSchema | None) -> None:
    """Refuse tables that nobody declared, and those that are absent, before any is read."""
    if not names:
        msg = f"linked tables have names; however: {where} holds none. Export them again"
        raise TableError(msg)
    if schema is None:
        return
    faults = [Violation((f"`{n}`",), "declared, but absent") for n in schema.tables if n not in names]
    faults += [Violation((f"`{n}`",), "there, but not declared") for n in names if n not in schema.tables]
    if faults:
        msg = f"{where} must hold the declared tables and no other; however: {len(faults)} differ\n{listing(faults)}"
        raise SchemaError(f"{msg}\n  -> declare the tables (`synthkit init FOLDER` drafts them), or take them out")


def _from_places(places: Mapping[str, pd.DataFrame | pa.Table | str | Path], options: CellOptions) -> LinkedCells:
    told: CellOptions = {**options, "empty": True}
    frames = {name: read_cells(place, **told) for name, place in places.items()}
    texts = (name for name, place in places.items() if isinstance(place, str | Path) and is_text(place))
    return LinkedCells(frames, frozenset(texts))


def load_linked(
    source: LinkedInput,
    schema: LinkedSchema,
    *,
    orphans: Orphans = "refuse",
    suites: Mapping[str, str | Path] | None = None,
    **options: Unpack[CellOptions],
) -> LinkedTables:
    """Read linked tables, type them, hold them against their schema, and put their rows in order.

    Args:
        source: as for `read_linked`.
        schema: the declared meaning.
        orphans: whether rows that belong to nobody are refused, or left out and counted (`drop`).
        suites: paths of the JSON of Great Expectations suites of the user's own, by table.
        options: how delimited text is read, see `CellOptions`.

    Raises:
        TableError: a table cannot be read.
        SchemaError: the tables break their schema; every violation is listed, by table.
        ConfigError: `orphans` is neither of the two, or a suite is none.
    """
    cells = read_linked(source, schema, **options)
    columns = typed_columns(cells.frames, schema, orphans)
    validation = validate_columns(columns, suites=suites)
    validation.raise_if_failed()
    return LinkedTables.of_columns(columns, stored_as(cells.frames, schema, cells.texts), validation)


def write_linked(
    frames: Mapping[str, pd.DataFrame],
    place: str | Path,
    schema: LinkedSchema,
    *,
    stored: Mapping[str, Mapping[str, str]] | None = None,
    ending: str = ".parquet",
    mark: Mapping[str, str] | None = None,
    overwrite: bool = False,
) -> None:
    """Write all tables to a folder or a DuckDB file, which appears whole or not at all.

    Args:
        frames: rows by table, of every table of the schema.
        place: a folder that does not exist yet, or the path of a DuckDB file, which is replaced.
        schema: what the tables mean.
        stored: how each column was stored in what came in, by table and name; so it is stored again.
        ending: of the files of a folder: .parquet, .csv, .csv.gz, .tsv, .tsv.gz, .arrow or .feather.
        mark: what the tables are to say of their rows, see `io.provenance_marks`.
        overwrite: whether a folder that was written so may be replaced.

    Raises:
        SchemaError: the tables are not those of the schema, or a column is not of it.
        ConfigError: no such ending.
        ArtefactError: the folder exists and may not be replaced, or cannot be written.
        TableError: a file cannot be written.
    """
    _check_names(list(frames), "what is written", schema)
    rows = {name: _as_came(frames[name], name, schema, (stored or {}).get(name, {})) for name in schema.tables}
    write_as_stored(rows, place, schema, ending=ending, mark=mark, overwrite=overwrite)


def write_as_stored(
    rows: Mapping[str, pd.DataFrame],
    place: str | Path,
    schema: LinkedSchema,
    *,
    ending: str = ".parquet",
    mark: Mapping[str, str] | None = None,
    spreadsheet_safe: bool = False,
    overwrite: bool = False,
) -> None:
    """Write all tables as `write_linked` does, cells stored as they are; those of a synthesizer are so already.

    Args:
        rows: by table.
        place: as for `write_linked`.
        schema: what the tables mean.
        ending: of the files of a folder.
        mark: what the tables are to say of their rows.
        spreadsheet_safe: in delimited text, escape names and texts that spreadsheets take for formulas.
        overwrite: whether a folder that was written so may be replaced.

    Raises:
        ConfigError: no such ending.
        ArtefactError: the folder exists and may not be replaced, or cannot be written.
        TableError: a file cannot be written.
    """
    if is_duckdb(place):
        write_duckdb(rows, place, mark=mark)
        return
    with replacing_folder(Path(place), overwrite=overwrite, marks=(TABLES_MARK,)) as folder:
        write_files(rows, folder, schema, ending=ending, mark=mark, spreadsheet_safe=spreadsheet_safe)
        said = {"format": TABLES_FORMAT, "tables": {name: len(frame) for name, frame in rows.items()}}
        (folder / TABLES_MARK).write_text(json.dumps(said, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def write_files(
    frames: Mapping[str, pd.DataFrame],
    folder: Path,
    schema: LinkedSchema,
    *,
    ending: str = ".parquet",
    mark: Mapping[str, str] | None = None,
    spreadsheet_safe: bool = False,
) -> None:
    """Write a file a table into a folder that is there, such as one that appears whole when its caller is done.

    Args:
        frames: rows by table, stored as they are to be.
        folder: where.
        schema: what the tables mean; in delimited text it says how moments are written.
        ending: of the files.
        mark: what the files are to say of their rows.
        spreadsheet_safe: in delimited text, escape names and texts that spreadsheets take for formulas.

    Raises:
        ConfigError: no such ending.
        TableError: a file cannot be written, or only delimited text could be made safe.
    """
    if ending not in TABLE_ENDINGS:
        msg = f"`ending` must be one of {', '.join(TABLE_ENDINGS)}; however: {ending!r}. Leave it away for Parquet"
        raise ConfigError(msg)
    for name, frame in frames.items():
        alone = schema.tables[name].alone(name) if schema.tables[name].columns else None
        file = folder / f"{name}{ending}"
        table_files.write(frame, file, schema=alone, mark=mark, spreadsheet_safe=spreadsheet_safe)


def _as_came(frame: pd.DataFrame, name: str, schema: LinkedSchema, stored: Mapping[str, str]) -> pd.DataFrame:
    table = schema.tables[name]
    return as_it_came(frame, table.alone(name), stored) if table.columns else frame
