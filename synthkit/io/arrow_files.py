"""Parquet and Arrow files, which a stranger may have written: measured and read piece by piece, or refused in words."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from synthkit.errors import TableError
from synthkit.io.documents import MALFORMED_DATA_ERRORS

if TYPE_CHECKING:
    import pyarrow as pa

MAX_PIECE_ROWS = 2**20  # of a piece: what pandas writes as one
MAX_PIECE_BYTES = 2**30  # bytes of all texts of a column of a piece, each written out
MAX_BYTES_PER_CELL = MAX_PIECE_BYTES // MAX_PIECE_ROWS  # bytes of a cell, where all have as many


@dataclass(frozen=True)
class Extent:
    """What a file says of its size, before a row of it is read.

    Args:
        rows: number of rows.
        columns: number of columns.
    """

    rows: int
    columns: int


def arrow_extent(content: bytes, name: str) -> Extent:
    """Rows and columns of a Parquet file, from its footer.

    Args:
        content: the file's bytes.
        name: of the file, for messages.

    Raises:
        TableError: it has none that can be read.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    with refusing(name, "parquet"), pq.ParquetFile(pa.BufferReader(content)) as file:
        return Extent(file.metadata.num_rows, file.metadata.num_columns)


def read_metadata(path: Path, kind: str, key: bytes) -> bytes | None:
    """What stands under a key in the metadata of a file, None if nothing does.

    Raises:
        TableError: the file cannot be read.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    with refusing(path, kind):
        if kind == "parquet":
            metadata = pq.read_schema(path).metadata
        else:
            with pa.OSFile(str(path)) as source:
                metadata = pa.ipc.open_file(source).schema.metadata
        found: bytes | None = (metadata or {}).get(key)
        return found


def read_pieces(path: Path, kind: str, *, alone: bool = False) -> Iterator[pa.Table]:
    """The rows, at most 1,048,576 at a time; every byte of a piece was held against its type.

    Args:
        path: of the file.
        kind: `parquet` or `arrow`.
        alone: whether texts come as bytes where one of them is not UTF-8, so that it keeps no other from being read.

    Raises:
        TableError: the file is not whole, its columns hold lists or records, or its texts would fill the memory.
    """
    with refusing(path, kind):
        for piece in _parquet(path) if kind == "parquet" else _arrow(path):
            check_types(path, piece.schema)
            read = _loose(piece) if alone else piece
            read.validate(full=True)
            yield read


@contextmanager
def refusing(path: str | Path, kind: str) -> Iterator[None]:
    """Say of whatever cannot be read in a file that it is not whole; what Arrow says of it may hold cells.

    Raises:
        TableError: something cannot be read.
    """
    import pyarrow as pa

    try:
        yield
    except TableError:
        raise
    except (pa.ArrowException, OSError, RecursionError, *MALFORMED_DATA_ERRORS) as error:
        msg = f"{path} must be a whole {kind} file; however: it cannot be read as one. Export it again"
        raise TableError(msg) from error


def _parquet(path: Path) -> Iterator[pa.Table]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    with pq.ParquetFile(path) as file:
        schema = file.schema_arrow
    check_types(path, schema)
    texts = [field.name for field in schema if _is_text(field.type)]
    # a text that stands in a million rows is stored once: it is weighed before it is written out
    with pq.ParquetFile(path, read_dictionary=texts) as file:
        if file.metadata.num_rows == 0:
            yield schema.empty_table()
        for group in range(file.num_row_groups):
            for batch in file.iter_batches(batch_size=MAX_PIECE_ROWS, row_groups=[group], use_threads=False):
                both = zip(batch.columns, schema, strict=True)
                columns = [_written_out(path, column, field) for column, field in both]
                yield pa.Table.from_arrays(columns, schema=schema)


def _written_out(path: Path, column: pa.Array, field: pa.Field) -> pa.Array:
    import pyarrow as pa
    import pyarrow.compute as pc

    if column.type == field.type:
        return column
    if pa.types.is_dictionary(column.type):
        each = pc.take(pc.binary_length(column.dictionary), column.indices)
        if (pc.sum(each).as_py() or 0) > MAX_PIECE_BYTES:
            many = f"{MAX_PIECE_BYTES >> 20:,} MiB of text in {MAX_PIECE_ROWS:,} rows"
            msg = f"a column of {path} must hold at most {many}; however: one holds more. Split the file"
            raise TableError(msg)
    return column.cast(field.type)


def _arrow(path: Path) -> Iterator[pa.Table]:
    import pyarrow as pa

    with pa.OSFile(str(path)) as source, pa.ipc.open_file(source) as file:
        if file.num_record_batches == 0:
            yield file.schema.empty_table()
        for k in range(file.num_record_batches):
            yield pa.Table.from_batches([file.get_batch(k)])


def _loose(table: pa.Table) -> pa.Table:
    """The table with those columns as bytes of whose texts one is not UTF-8."""
    import pyarrow as pa

    for k, field in enumerate(table.schema):
        if not (pa.types.is_string(field.type) or pa.types.is_large_string(field.type)):
            continue
        try:
            table.column(k).validate(full=True)
        except pa.ArrowInvalid:
            table = table.set_column(k, field.name, table.column(k).cast(pa.large_binary()))
    return table


def _is_text(kind: pa.DataType) -> bool:
    import pyarrow as pa

    types = pa.types
    return any(is_(kind) for is_ in (types.is_string, types.is_binary, types.is_large_string, types.is_large_binary))


def check_types(path: Path, schema: pa.Schema) -> None:
    """One cell, one value: lists and records are no cells; and bytes of one length, which can be any, are few.

    Raises:
        TableError: some columns hold others.
    """
    import pyarrow as pa

    inner = {f.name: f.type.value_type if pa.types.is_dictionary(f.type) else f.type for f in schema}
    long = [
        name
        for name, kind in inner.items()
        if pa.types.is_fixed_size_binary(kind) and kind.byte_width > MAX_BYTES_PER_CELL
    ]
    if long:
        msg = (
            f"bytes of one length in {path} must be at most {MAX_BYTES_PER_CELL:,} a cell; "
            f"however: those of {', '.join(long)} are "
            "more. Store them as `binary`"
        )
        raise TableError(msg)
    strange = [name for name, kind in inner.items() if pa.types.is_nested(kind)]
    if strange:
        named = ", ".join(strange)
        msg = f"a cell of {path} must hold one value; however: those of {named} hold others. Spread them over columns"
        raise TableError(msg)
