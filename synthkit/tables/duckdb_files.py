"""Tables of a DuckDB file in and out; the only file that imports duckdb."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from synthkit.errors import TableError, UnsupportedError
from synthkit.io.arrow_files import check_types
from synthkit.io.atomic_files import replacing
from synthkit.io.plain_columns import from_arrow
from synthkit.tables.table_files import to_arrow

if TYPE_CHECKING:
    import pandas as pd

DUCKDB_ENDINGS = (".duckdb", ".ddb")


def is_duckdb(path: str | Path) -> bool:
    """Whether a path is that of a DuckDB file.

    Example:
        >>> is_duckdb("hospital.duckdb"), is_duckdb("hospital")
        (True, False)
    """
    return Path(path).suffix.lower() in DUCKDB_ENDINGS


def table_names(path: str | Path, wanted: Collection[str] = ()) -> tuple[str, ...]:
    """Tables of a DuckDB file, in its schema `main`; of its views those that are wanted.

    Raises:
        TableError: there is no such file, or DuckDB cannot open it.
        UnsupportedError: duckdb is not installed.
    """
    with _opened(Path(path)) as connection:
        asked = "select table_name, table_type from information_schema.tables where table_schema = 'main' order by 1"
        found = connection.execute(asked).fetchall()
    return tuple(name for name, kind in found if kind != "VIEW" or name in wanted)


def read_duckdb(path: str | Path, names: Collection[str]) -> dict[str, pd.DataFrame]:
    """Some tables of a DuckDB file.

    The file is opened to be read only, and may not make DuckDB read others.

    Args:
        path: of the file.
        names: of its tables.

    Raises:
        TableError: there is no such file or table, DuckDB cannot open it, or cells hold lists or records.
        UnsupportedError: duckdb is not installed.
    """
    path = Path(path)
    frames = {}
    with _opened(path) as connection:
        for name in names:
            table = connection.sql(f"select * from main.{_quoted(name)}").to_arrow_table()
            check_types(Path(f"{path} ({name})"), table.schema)
            frames[name] = from_arrow(table)
    return frames


def write_duckdb(
    tables: Mapping[str, pd.DataFrame], path: str | Path, *, mark: Mapping[str, str] | None = None
) -> None:
    """Write tables as one DuckDB file, which appears whole or not at all.

    Args:
        tables: rows by name.
        path: where; an existing file is replaced.
        mark: what the file is to say of its rows, as the comment of each table.

    Raises:
        TableError: the file cannot be written, or a column mixes types and so has no place in it.
        UnsupportedError: duckdb is not installed.
    """
    duckdb = _duckdb()
    for name, frame in tables.items():
        _check_case(name, [str(column) for column in frame.columns])
    arrow = {name: to_arrow(frame) for name, frame in tables.items()}
    said = json.dumps(dict(mark), sort_keys=True).replace("'", "''") if mark is not None else ""
    with replacing(path) as temporary:
        temporary.unlink()  # an empty file is no database
        try:
            with duckdb.connect(str(temporary), config={"threads": 1}) as connection:
                for name, table in arrow.items():
                    connection.register(_ROWS, table)
                    connection.execute(f"create table {_quoted(name)} as select * from {_ROWS}")
                    connection.unregister(_ROWS)
                    if said:
                        connection.execute(f"comment on table {_quoted(name)} is '{said}'")
        except duckdb.Error as error:  # whose text may hold cells
            msg = (
                f"{path} must be writable by DuckDB; however: it is not ({type(error).__name__}). Write Parquet instead"
            )
            raise TableError(msg) from error


def _check_case(table: str, columns: list[str]) -> None:
    """DuckDB takes names that differ in case for one, and renames the second without a word."""
    twice = sorted(name for name, count in Counter(column.casefold() for column in columns).items() if count > 1)
    if twice:
        msg = (
            f"columns of a DuckDB table must differ by more than case; however: {', '.join(twice)} of `{table}` do not"
        )
        raise TableError(f"{msg}. Rename them, or write Parquet instead")


_ROWS = "synthkit_rows_to_write"


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    duckdb = _duckdb()
    if not path.is_file():
        msg = f"tables are read from a DuckDB file that exists; however: there is no {path}. Check the path"
        raise TableError(msg)
    try:
        with duckdb.connect(str(path), read_only=True, config=_CLOSED) as connection:
            connection.execute("set TimeZone = 'UTC'")  # moments with a zone are instants: the machine's must not show
            yield connection
    except duckdb.Error as error:  # whose text may hold cells
        msg = (
            f"{path} must be a DuckDB file that can be opened and read; however: DuckDB does not "
            f"({type(error).__name__}). Close the program that writes to it, or export it again"
        )
        raise TableError(msg) from error


_CLOSED = {"enable_external_access": "false", "autoinstall_known_extensions": "false"}


def _duckdb() -> Any:
    try:
        import duckdb
    except ModuleNotFoundError as error:
        msg = "a DuckDB file needs duckdb; however: it is not installed. Run: pip install 'synthkit[duckdb]'"
        raise UnsupportedError(msg) from error
    return duckdb


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
