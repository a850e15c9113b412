"""Rows written anew as Parquet for the time of a fit: those of another format, or a table without some of its rows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from synthkit.engine.parquet_source import ParquetPart, ParquetSource
from synthkit.engine.source import BATCH_ROWS
from synthkit.errors import TableError
from synthkit.io.arrow_files import refusing

if TYPE_CHECKING:
    import pyarrow as pa

    from synthkit.schema import Schema

WRITTEN_FILE = "rows.parquet"


def written_rows(pieces: Iterable[pa.Table], schema: Schema, folder: Path) -> ParquetSource:
    """Cells as they stand, as one Parquet file.

    Args:
        pieces: tables of the same columns and types; at least one.
        schema: their meaning.
        folder: where; it is there, and its owner alone should be able to read it.

    Raises:
        TableError: the disk is full.
    """
    import pyarrow.parquet as pq

    writer, path = None, folder / WRITTEN_FILE
    try:
        for piece in pieces:
            writer = pq.ParquetWriter(path, piece.schema, compression="zstd") if writer is None else writer
            writer.write_table(piece.cast(writer.schema))
    except OSError as error:
        msg = (
            "rows of a large table are written once while it is worked on; however: "
            f"{error.strerror or type(error).__name__}. Make room, or name another `work_folder`"
        )
        raise TableError(msg) from error
    finally:
        if writer is not None:
            writer.close()
    return ParquetSource.of(path, schema)


def without_rows(source: ParquetSource, left_out: NDArray[np.int64], folder: Path) -> ParquetSource:
    """A source without some of its rows, their cells as they stand.

    Args:
        source: the table.
        left_out: numbers of those rows, which rise.
        folder: where its file is written.

    Raises:
        TableError: the disk is full, or a file of the table cannot be read.
    """
    pieces = (piece for part in source.parts for piece in _kept(source, part, left_out))
    return written_rows(pieces, source.schema, folder)


def _kept(source: ParquetSource, part: ParquetPart, left_out: NDArray[np.int64]) -> Iterator[pa.Table]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    first = part.first
    with refusing(part.path, "parquet"), pq.ParquetFile(part.path) as file:
        for batch in file.iter_batches(batch_size=BATCH_ROWS, columns=list(source.types), use_threads=False):
            low, high = np.searchsorted(left_out, [first, first + len(batch)])
            kept = np.ones(len(batch), dtype=bool)
            kept[left_out[low:high] - first] = False
            first += len(batch)
            table = pa.Table.from_batches([batch]).select(list(source.types)).filter(pa.array(kept))
            wide = [field.with_type(source.types[field.name]) for field in table.schema]
            table = table.cast(pa.schema(wide, metadata=table.schema.metadata))
            for name, value in part.partition.items():
                table = table.append_column(name, pa.array([value] * len(table), type=pa.string()))
            yield table
