"""DuckDB within bounds: so much memory and a folder of its own to spill to; no other file of the room imports it."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from synthkit.errors import TableError
from synthkit.io.documents import MALFORMED_DATA_ERRORS
from synthkit.io.plain_columns import from_arrow

if TYPE_CHECKING:
    import pandas as pd

DEFAULT_MEMORY = 2**30  # bytes DuckDB may hold where nobody says
LEAST_MEMORY = 2**27  # bytes below which it cannot count a wide table
ANSWER_ROWS = 65_536  # rows of an answer that are looked at once


@dataclass(frozen=True)
class Duck:
    """One connection to DuckDB that holds no table of its own.

    Args:
        connection: what the library gives; see `open_duck`.
    """

    connection: Any

    def pieces(self, sql: str) -> Iterator[pd.DataFrame]:
        """The rows of an answer, piece by piece, as a file of them would be read.

        Raises:
            TableError: a file cannot be read, or memory and the folder to spill to are full.
        """
        import pyarrow as pa

        with _in_words(), self.connection.cursor() as cursor:  # its own, so that an answer may be left half read
            for batch in cursor.sql(sql).to_arrow_reader(ANSWER_ROWS):
                yield from_arrow(pa.Table.from_batches([batch]))

    def row(self, sql: str) -> tuple[Any, ...]:
        """The one row of an answer.

        Raises:
            TableError: as for `pieces`.
        """
        with _in_words():
            with self.connection.cursor() as cursor:
                found: list[tuple[Any, ...]] = cursor.execute(sql).fetchall()
            return found[0]


@contextmanager
def open_duck(
    memory: int = DEFAULT_MEMORY, *, beside: Path | None = None, threads: int | None = None
) -> Iterator[Duck]:
    """A connection that keeps to its bounds; what it spills is removed when the block ends.

    Args:
        memory: bytes it may hold, `LEAST_MEMORY` or more.
        beside: folder in which it makes one to spill to, that only its owner may read; where the system keeps temporary
            files if not given.
        threads: how many it may use; as many as there are processors if not given.

    Example:
        >>> with open_duck() as duck:
        ...     duck.row("SELECT sum(n) FROM range(5) AS t(n)")
        (10,)
    """
    import duckdb

    spill = tempfile.mkdtemp(prefix=".synthkit-spill-", dir=beside)  # with rights of 0700
    settings: dict[str, Any] = {
        "memory_limit": f"{max(memory, LEAST_MEMORY)}B",
        "temp_directory": spill,
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
        "allow_community_extensions": False,
        "preserve_insertion_order": False,
    }
    if threads is not None:
        settings["threads"] = threads
    try:
        connection = duckdb.connect(":memory:", config=settings)
        try:
            connection.execute("SET GLOBAL TimeZone = 'UTC'")
            yield Duck(connection)
        finally:
            connection.close()
    finally:
        shutil.rmtree(spill, ignore_errors=True)


@contextmanager
def _in_words() -> Iterator[None]:
    """What DuckDB says may hold cells: only the kind of a failure is told.

    Raises:
        TableError: it failed.
    """
    import duckdb

    try:
        yield
    except duckdb.OutOfMemoryException as error:
        msg = (
            "a table is counted within the memory and the disk that are there; however: both are full. Give more with "
            "`--memory`, or make room on the disk"
        )
        raise TableError(msg) from error
    except duckdb.IOException as error:
        msg = (
            "the files of a table stay whole while it is counted, and there is room beside them; however: one could "
            "not be read, or the disk is full. Look for the file, make room and run it again"
        )
        raise TableError(msg) from error
    except (duckdb.Error, *MALFORMED_DATA_ERRORS) as error:
        msg = (
            "a table must be one that can be counted; however: a file of it cannot be read as it says. Write the "
            "file anew"
        )
        raise TableError(msg) from error
