"""A table in Parquet: one file, or the files of a folder or a pattern; read part by part, never as a whole."""

from __future__ import annotations

import glob
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING, Any

from synthkit.engine.source import BATCH_ROWS
from synthkit.errors import TableError
from synthkit.io.arrow_files import check_types, read_pieces, refusing
from synthkit.io.plain_columns import from_arrow, without_index
from synthkit.schema.conform import column_faults, refuse, type_cells
from synthkit.tables.table_files import Table

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

    from synthkit.schema import Schema

PARQUET_SUFFIX = ".parquet"
NULL_PARTITION = "__HIVE_DEFAULT_PARTITION__"  # how a folder is called whose column is missing


def is_parquet_source(path: str | Path) -> bool:
    """Whether a path is a folder or a pattern of Parquet files, or one such file.

    Example:
        >>> is_parquet_source("visits.parquet"), is_parquet_source("visits/*.parquet"), is_parquet_source("visits.csv")
        (True, True, False)
    """
    return Path(path).suffix.lower() == PARQUET_SUFFIX or (Path(path).is_dir() and bool(_inside(Path(path))))


def is_several_files(path: str | Path) -> bool:
    """Whether a path is a folder or a pattern of Parquet files, not a file."""
    return is_parquet_source(path) and not Path(path).is_file()


def parquet_rows(path: str | Path) -> int:
    """How many rows the files at a path have, as they say; nothing else is asked of them.

    Raises:
        TableError: there is none, or one is not whole.
    """
    import pyarrow.parquet as pq

    rows = 0
    for file in _files(Path(path)):
        with refusing(file, "parquet"):
            rows += pq.read_metadata(file).num_rows
    return rows


def read_parts(path: str | Path, *, alone: bool = False) -> pd.DataFrame:
    """Cells of all files of a folder or a pattern as they stand, as one frame.

    Args:
        path: of the folder, or the pattern.
        alone: as for `synthkit.tables.table_files.read_cells`.

    Raises:
        TableError: there is no file, one is not whole, or they differ in their columns.
    """
    files = _files(Path(path))
    root = Path(path) if Path(path).is_dir() else None
    frames = []
    for file in files:
        with refusing(file, "parquet"):
            frames.append(Table(tuple(map(from_arrow, read_pieces(file, "parquet", alone=alone)))).frame())
        for name, value in _partition(file, root).items():
            frames[-1][name] = value
    _refuse_unlike(files, root)
    return Table(tuple(frame[list(frames[0].columns)] for frame in frames)).frame()


@dataclass(frozen=True, kw_only=True)
class ParquetPart:
    """One file of a table.

    Args:
        path: of the file.
        rows: how many it has.
        first: number of its first row in the table, from 0.
        partition: columns that its folders name, by name; None for a missing value.
    """

    path: Path
    rows: int
    first: int
    partition: Mapping[str, str | None]


@dataclass(frozen=True, kw_only=True)
class ParquetSource:
    """Rows of Parquet files; see `Source`.

    Args:
        parts: the files, in the order of their names.
        schema: meaning of the columns, by which cells are typed.
        types: Arrow type of each column that the files hold, by name.

    Example:
        >>> import tempfile
        >>> import pandas as pd
        >>> from synthkit.schema import Schema
        >>> schema = Schema(columns={"age": {"kind": "numeric", "decimals": 0}})
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     for k in (0, 1):
        ...         pd.DataFrame({"age": [61, 44]}).to_parquet(f"{folder}/part-{k}.parquet")
        ...     source = ParquetSource.of(folder, schema)
        ...     source.rows, [batch.index.tolist() for batch in source.batches()]
        (4, [[0, 1], [2, 3]])
    """

    parts: tuple[ParquetPart, ...]
    schema: Schema
    types: Mapping[str, pa.DataType]

    @classmethod
    def of(cls, path: str | Path, schema: Schema) -> ParquetSource:
        """The table at a path.

        Args:
            path: a file, a folder with `.parquet` files in it or in folders called `column=value`, or a pattern.
            schema: meaning of the columns.

        Raises:
            TableError: there is no file, one is not whole, has columns of other types than the first, or cells that
                hold several values.
            SchemaError: columns are missing from the schema or from the table.
        """
        files, root = _files(Path(path)), Path(path) if Path(path).is_dir() else None
        types, counts = _refuse_unlike(files, root)
        partitions = [_partition(file, root) for file in files]
        refuse(column_faults([*types, *partitions[0]], schema))
        first = list(accumulate(counts, initial=0))[:-1]
        parts = [
            ParquetPart(path=p, rows=n, first=k, partition=named)
            for p, n, k, named in zip(files, counts, first, partitions, strict=True)
        ]
        return cls(parts=tuple(parts), schema=schema, types=types)

    @property
    def files(self) -> tuple[Path, ...]:
        """Paths of the files."""
        return tuple(part.path for part in self.parts)

    @property
    def rows(self) -> int:
        """Number of rows, as the files say."""
        return sum(part.rows for part in self.parts)

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the columns, in the order of the schema."""
        return tuple(self.schema.columns)

    def batches(self, columns: Sequence[str] | None = None, size: int = BATCH_ROWS) -> Iterator[pd.DataFrame]:
        """Typed rows; see `Source`.

        Raises:
            TableError: a file has vanished, or is not whole.
            SchemaError: cells cannot be typed; the first batch with any is told of.
        """
        for part in self.parts:
            for first, cells in self.cells(part, columns, size):
                frame, faults = type_cells(cells, self.schema, first=first + 1)
                refuse(faults)
                frame.index = frame.index + first
                yield frame

    def cells(
        self, part: ParquetPart, columns: Sequence[str] | None = None, size: int = BATCH_ROWS
    ) -> Iterator[tuple[int, pd.DataFrame]]:
        """Cells of one file as they stand, with the number of the first row of each batch.

        Args:
            part: the file.
            columns: those that are wanted; all if not given.
            size: rows of a batch, at most.

        Raises:
            TableError: the file has vanished, or is not whole.
        """
        import pyarrow as pa
        import pyarrow.parquet as pq

        wanted = list(self.schema.columns if columns is None else columns)
        held = [name for name in wanted if name in self.types]
        first = part.first
        with refusing(part.path, "parquet"), pq.ParquetFile(part.path) as file:
            # one batch at a time: a scanner of datasets reads ahead, and holds several times as much
            for batch in file.iter_batches(batch_size=size, columns=held, use_threads=False):
                piece = pa.Table.from_batches([batch])
                piece.validate(full=True)
                frame = from_arrow(piece)
                for name in wanted:
                    if name in part.partition:
                        frame[name] = part.partition[name]
                yield first, frame
                first += len(frame)

    def slice(self, part: ParquetPart, start: int, stop: int) -> pd.DataFrame:
        """Cells of some rows of one file as they stand, numbered from 0.

        Args:
            part: the file.
            start: number of the first row in it.
            stop: number of the first one behind.

        Raises:
            TableError: the file has vanished, or is not whole.
        """
        import pyarrow as pa
        import pyarrow.parquet as pq

        with refusing(part.path, "parquet"), pq.ParquetFile(part.path) as file:
            pieces, first = [], 0
            for group in range(file.num_row_groups):
                rows = file.metadata.row_group(group).num_rows
                if first < stop and first + rows > start:
                    pieces += list(_between(file, group, start - first, stop - first))
                first += rows
            frame = from_arrow(pa.Table.from_batches(pieces, schema=file.schema_arrow))
        for name, value in part.partition.items():
            frame[name] = value
        return frame


def _inside(folder: Path) -> list[Path]:
    """Parquet files of a folder and of the folders in it, in the order of their names; hidden ones are left out."""
    found = (path for path in folder.rglob(f"*{PARQUET_SUFFIX}") if path.is_file())
    return sorted(path for path in found if not any(p.startswith((".", "_")) for p in path.relative_to(folder).parts))


def _between(file: Any, group: int, start: int, stop: int) -> Iterator[pa.RecordBatch]:
    """Rows of a row group between two numbers, batch by batch."""
    first = 0
    for batch in file.iter_batches(batch_size=BATCH_ROWS, row_groups=[group], use_threads=False):
        low, high = max(start - first, 0), min(stop - first, len(batch))
        if high > low:
            yield batch.slice(low, high - low)
        first += len(batch)


def _files(path: Path) -> list[Path]:
    """The files a path means.

    Raises:
        TableError: there are none.
    """
    if path.is_dir():
        found, where = _inside(path), f"the folder {path} has none"
    elif path.exists():
        found, where = [path], ""
    else:
        found, where = [Path(each) for each in sorted(glob.glob(str(path)))], f"there is none at {path}"
    if not found:
        msg = f"a table in Parquet has files that end in {PARQUET_SUFFIX}; however: {where}. Check the path"
        raise TableError(msg)
    return found


def _refuse_unlike(files: Sequence[Path], root: Path | None) -> tuple[dict[str, pa.DataType], list[int]]:
    """Types of the columns of all files, and how many rows each has.

    Raises:
        TableError: one is not whole, has other columns or types than the first, or cells that hold several values.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    read, counts = [], []
    for file in files:
        with refusing(file, "parquet"), pq.ParquetFile(file) as opened:
            read.append(without_index(opened.schema_arrow.empty_table()).schema)
            counts.append(opened.metadata.num_rows)
        check_types(file, read[-1])
    found = [{field.name: field.type for field in schema} for schema in read]
    types = dict(found[0])
    for each in found[1:]:  # a column without a single value has no type, whatever it has elsewhere
        types |= {name: kind for name, kind in each.items() if pa.types.is_null(types.get(name, kind))}
    for file, each in zip(files, found, strict=True):
        _refuse_other_columns(file, files[0], each, types)
    _refuse_other_folders(files, [_partition(file, root) for file in files])
    return types, counts


def _partition(file: Path, root: Path | None) -> dict[str, str | None]:
    """Columns that folders called `column=value` name."""
    from urllib.parse import unquote

    folders = file.parent.relative_to(root).parts if root is not None else file.parent.parts
    named = (folder.partition("=") for folder in folders if "=" in folder)
    return {unquote(name): None if value == NULL_PARTITION else unquote(value) for name, _, value in named}


def _refuse_other_columns(
    file: Path, first: Path, found: Mapping[str, pa.DataType], wanted: Mapping[str, pa.DataType]
) -> None:
    """All parts of a table have the same columns; their order may differ.

    Raises:
        TableError: a part has another column, lacks one, or stores one as another type.
    """
    import pyarrow as pa

    for name in dict.fromkeys([*wanted, *found]):
        if name not in found or name not in wanted:
            has, lacks = (file, first) if name in found else (first, file)
            msg = (
                f"all parts of a table have the same columns; however: `{name}` is in {has.name} and not in "
                f"{lacks.name}. Write the parts anew with the same columns"
            )
            raise TableError(msg)
        if found[name] != wanted[name] and not pa.types.is_null(found[name]):
            msg = (
                f"all parts of a table store a column alike; however: `{name}` is {wanted[name]} in {first.name} and "
                f"{found[name]} in {file.name}. Write the parts anew with the same types"
            )
            raise TableError(msg)


def _refuse_other_folders(files: Sequence[Path], partitions: Sequence[Mapping[str, object]]) -> None:
    """All parts lie in folders that name the same columns.

    Raises:
        TableError: one does not.
    """
    for file, named in zip(files, partitions, strict=True):
        if set(named) != set(partitions[0]):
            msg = (
                "all parts of a table lie in folders that name the same columns; however: those of "
                f"{file.name} are other ones than those of {files[0].name}. Move the files"
            )
            raise TableError(msg)
