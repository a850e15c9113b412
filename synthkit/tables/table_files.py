"""Tables in and out: CSV, Parquet, Arrow and pandas become typed chunks, and frames become whole files."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict, Unpack

import numpy as np
import pandas as pd

from synthkit.errors import TableError
from synthkit.io import arrow_files
from synthkit.io.arrow_types import retyped
from synthkit.io.atomic_files import replacing
from synthkit.io.plain_columns import TYPES_ATTRIBUTE, as_frame, from_arrow
from synthkit.io.portable_types import storable
from synthkit.io.provenance_marks import ESCAPED_KEY, PROVENANCE_KEY, is_escaped, write_sidecar
from synthkit.schema.conform import column_faults, conform, refuse, type_cells
from synthkit.schema.spreadsheet_formulas import FORMULA_ESCAPE
from synthkit.schema.violations import Violation
from synthkit.schema.written_numbers import as_written
from synthkit.tables.storage import holds_numbers, restore

if TYPE_CHECKING:
    import pyarrow as pa

    from synthkit.schema import Schema

__all__ = ["CellOptions", "Table", "as_it_came", "conform", "is_text", "read", "read_cells", "write"]

_FILE_ENDINGS = ".csv, .csv.gz, .tsv, .tsv.gz, .parquet, .arrow or .feather"


@dataclass(frozen=True)
class Table:
    """Rows of one entity as frames that share their columns.

    Args:
        chunks: the frames, in order; iterated anew by each reader, so a lazy sequence may stand here one day.

    Example:
        >>> table = Table.of(pd.DataFrame({"age": [61, 44]}))
        >>> table.rows, table.columns
        (2, ('age',))
    """

    chunks: tuple[pd.DataFrame, ...]

    @classmethod
    def of(cls, frame: pd.DataFrame) -> Table:
        """A table of one chunk."""
        return cls((frame,))

    @property
    def rows(self) -> int:
        """Number of rows."""
        return sum(len(chunk) for chunk in self.chunks)

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the columns, in order."""
        return tuple(self.chunks[0].columns) if self.chunks else ()

    def frame(self) -> pd.DataFrame:
        """All rows as one frame, numbered from 0."""
        if len(self.chunks) == 1:
            return self.chunks[0].reset_index(drop=True)
        names = self.columns
        parts = {name: _joined([chunk[name] for chunk in self.chunks]) for name in names}
        frame = pd.DataFrame(parts, columns=names)
        frame.attrs = dict(self.chunks[0].attrs) if self.chunks else {}
        return frame


def _joined(parts: list[pd.Series]) -> pd.Series:
    """One column from its chunks: whole numbers stay whole beside missing ones, fractions make all floats."""
    kinds = {str(part.dtype) for part in parts}
    if {"float64", "Int64"} <= kinds:
        parts = [pd.Series(p.to_numpy(dtype=float, na_value=np.nan)) for p in parts]
    return pd.concat(parts, ignore_index=True)


def read(
    source: str | Path | pd.DataFrame | pa.Table,
    *,
    schema: Schema | None = None,
    delimiter: str | None = None,
    encoding: str = "utf-8",
    missing: Iterable[str] = (),
    empty: bool = False,
) -> Table:
    """A table from a file, an Arrow table or a frame.

    In CSV only an empty cell without quotes is missing, unless `missing` lists further texts; "None", "NA", "nan"
    and "null" are texts like any other. With a schema the cells get its dtypes (`conform`); without one, numbers,
    true/false and ISO 8601 moments are recognised and numbers with a leading zero stay text.

    Args:
        source: a path (.csv, .csv.gz, .tsv, .parquet, .arrow, .feather), a DataFrame or a pyarrow Table.
        schema: meaning of the columns.
        delimiter: character between cells of a CSV file; found if not given.
        encoding: of a CSV file.
        missing: texts of a CSV file that mean missing, besides the empty cell.
        empty: whether a CSV file may hold a header only.

    Raises:
        TableError: a file that is absent, empty, ragged, wrongly encoded or of another format.
        SchemaError: columns or cells that do not fit the schema; lists all of them.
    """
    if not isinstance(source, str | Path):
        return _typed([as_frame(source)], schema)
    path = _existing(Path(source))
    kind = _kind(path)
    if kind == "text":
        from synthkit.tables.csv import infer_types, read_text

        chunks = read_text(path, delimiter=delimiter, encoding=encoding, missing=tuple(missing), empty=empty)
        texts = _undone(path, chunks)
        return Table.of(infer_types(texts)) if schema is None else _typed((t.to_pandas() for t in texts), schema)
    return _typed(_arrow_chunks(path, kind), schema)


def is_text(path: str | Path) -> bool:
    """Whether the cells of a file are text that a schema has to type; other formats bring dtypes of their own.

    Raises:
        TableError: the file name has no known ending.

    Example:
        >>> is_text("icu.csv.gz"), is_text("icu.parquet")
        (True, False)
    """
    return _kind(Path(path)) == "text"


class CellOptions(TypedDict, total=False):
    """How the cells of a file are read.

    Args:
        delimiter: character between cells of a CSV file; found if not given.
        encoding: of a CSV file; UTF-8 if not given.
        missing: texts of a CSV file that mean missing, besides the empty cell.
        alone: whether each line of a CSV file, and each text of another, is read by itself, so that what is wrong with
            one keeps no other from being read; see `synthkit.tables.csv_lines`.
        empty: whether a CSV file may hold a header only, as tables do that are linked to others.
    """

    delimiter: str | None
    encoding: str
    missing: Iterable[str]
    alone: bool
    empty: bool


def read_cells(source: str | Path | pd.DataFrame | pa.Table, **options: Unpack[CellOptions]) -> pd.DataFrame:
    """The cells of a table as they stand, so that one validation can list all faults: CSV as text, others typed.

    Args:
        source: as for `read`.
        options: of files, see `CellOptions`.

    Raises:
        TableError: as for `read`; with `alone` for the file and its header only.
    """
    if not isinstance(source, str | Path):
        return as_frame(source).reset_index(drop=True)
    kind, path, alone = _kind(Path(source)), _existing(Path(source)), options.get("alone", False)
    if kind != "text":
        return Table(tuple(_arrow_chunks(path, kind, alone=alone))).frame()
    delimiter, encoding = options.get("delimiter"), options.get("encoding", "utf-8")
    missing = tuple(options.get("missing", ()))
    if alone:
        from synthkit.tables.csv_lines import read_lines

        return read_lines(path, delimiter=delimiter, encoding=encoding, missing=missing)
    from synthkit.tables.csv import read_text

    empty = options.get("empty", False)
    chunks = read_text(path, delimiter=delimiter, encoding=encoding, missing=missing, empty=empty)
    return Table(tuple(chunk.to_pandas() for chunk in _undone(path, chunks))).frame()


def _undone(path: Path, chunks: Iterator[pa.Table]) -> Iterator[pa.Table]:
    """The chunks as they were before their texts were escaped for spreadsheets, if the mark beside says they were."""
    from synthkit.tables.csv import unescape_cells

    return map(unescape_cells, chunks) if is_escaped(path) else chunks


def _typed(chunks: Iterable[pd.DataFrame], schema: Schema | None) -> Table:
    """Chunks in the schema's dtypes; faults of all chunks are raised together."""
    typed: list[pd.DataFrame] = []
    faults: list[Violation] = []
    first = 1
    for chunk in chunks:
        if schema is None:
            typed.append(chunk)
            continue
        refuse(column_faults(list(chunk.columns), schema))
        frame, found = type_cells(chunk, schema, first=first)
        typed.append(frame)
        faults += found
        first += len(chunk)
    refuse(_merged(faults))
    return Table(tuple(typed))


def _merged(faults: list[Violation]) -> list[Violation]:
    """Faults of the same rule in several chunks as one."""
    merged: dict[tuple[tuple[str, ...], str], Violation] = {}
    for fault in faults:
        key = (fault.columns, fault.rule)
        seen = merged.get(key, Violation(fault.columns, fault.rule, remedy=fault.remedy))
        merged[key] = Violation(*key, seen.count + fault.count, (seen.rows + fault.rows)[:20], fault.remedy)
    return list(merged.values())


def _existing(path: Path) -> Path:
    if path.is_dir():
        msg = f"a table is read from a file; however: {path} is a folder. Name the file in it"
        raise TableError(msg)
    if not path.exists():
        msg = f"a table is read from a file that exists; however: there is no {path}. Check the path"
        raise TableError(msg)
    if path.stat().st_size == 0:
        msg = f"a table has a header and rows; however: {path} is empty. Export it again"
        raise TableError(msg)
    return path


def _kind(path: Path) -> str:
    suffixes = [s.lower() for s in path.suffixes]
    last = suffixes[-2] if suffixes[-1:] == [".gz"] and len(suffixes) > 1 else "".join(suffixes[-1:])
    kinds = {".csv": "text", ".tsv": "text", ".txt": "text", ".parquet": "parquet", ".arrow": "arrow"}
    kind = (kinds | {".feather": "arrow"}).get(last)
    if kind is None or (suffixes[-1:] == [".gz"] and kind != "text"):
        msg = f"a table's file name ends in {_FILE_ENDINGS}; however: {path.name}. Convert or rename the file"
        raise TableError(msg)
    return kind


def _arrow_chunks(path: Path, kind: str, *, alone: bool = False) -> Iterator[pd.DataFrame]:
    for piece in arrow_files.read_pieces(path, kind, alone=alone):
        with arrow_files.refusing(path, kind):
            yield from_arrow(piece)


def write(
    frame: pd.DataFrame,
    path: str | Path,
    *,
    schema: Schema | None = None,
    mark: Mapping[str, str] | None = None,
    spreadsheet_safe: bool = False,
) -> None:
    """Write a frame as CSV, Parquet or Arrow, by the ending of `path`; the file appears whole or not at all.

    In CSV a missing cell is empty and a text stands in quotes, so that the two are told apart; moments are
    ISO 8601, or in the schema's `format`.

    Args:
        frame: rows to write; its index is not written.
        path: where; an existing file is replaced.
        schema: for CSV, the columns whose moments have a `format`.
        mark: what the file is to say of its rows, see `io.provenance_marks`; in CSV it stands in a file beside.
        spreadsheet_safe: in CSV, escape names and texts that spreadsheets take for formulas; the mark says so, and
            `read` undoes it.

    Raises:
        TableError: something else than CSV is to be made safe for spreadsheets; an ending that is not known, a folder
            that cannot be written to, a full disk, or a column that mixes types and so has no place in a file.
    """
    path = Path(path)
    kind = _kind(path)
    if spreadsheet_safe and kind != "text":
        msg = f"only delimited text is made safe for spreadsheets; however: {path.name}. Write CSV, or leave it away"
        raise TableError(msg)
    table = to_arrow(frame, typed=kind != "text")
    if mark is not None and kind != "text":
        said = json.dumps(dict(mark), sort_keys=True).encode()
        table = table.replace_schema_metadata({**(table.schema.metadata or {}), PROVENANCE_KEY: said})
    with replacing(path) as temporary:
        if kind == "text":
            from synthkit.tables.csv import write_text

            write_text(table, temporary, name=path.name, schema=schema, escape=spreadsheet_safe)
            if mark is not None:  # before the rows are in place: whatever happens, none stand there without it
                write_sidecar(path, {**mark, ESCAPED_KEY: FORMULA_ESCAPE} if spreadsheet_safe else mark, rows=temporary)
        elif kind == "parquet":
            import pyarrow.parquet as pq

            pq.write_table(table, temporary, compression="zstd")
        else:
            from pyarrow import feather

            feather.write_feather(table, str(temporary))


def to_arrow(frame: pd.DataFrame, *, typed: bool = True) -> pa.Table:
    """The frame as it is written, with the Arrow types it came with if `typed`.

    Raises:
        TableError: columns are not named once each, or mix types.
    """
    import pyarrow as pa

    if frame.columns.has_duplicates or not len(frame.columns):
        msg = "a table is written with columns, each named once; however: names are missing or repeated. Rename them"
        raise TableError(msg)
    frame = storable(frame)
    plain, mixed = frame.copy(deep=False), list[str]()
    plain.attrs = dict(frame.attrs)
    for name in frame.columns:
        try:
            pa.Array.from_pandas(frame[name])
        except OverflowError:  # whole numbers that only fit without a sign
            plain[name] = _unsigned(frame[name])
            mixed += [str(name)] * (plain[name].dtype != "UInt64")
        except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError, UnicodeEncodeError):
            mixed.append(str(name))
    if mixed:
        msg = f"a column is written with one type; however: mixed in {', '.join(mixed)}. Pass the frame through conform"
        raise TableError(msg)
    types = plain.attrs.pop(TYPES_ATTRIBUTE, {})
    table = pa.Table.from_pandas(plain, preserve_index=False)
    return retyped(table, types) if typed else table


def _unsigned(values: pd.Series) -> pd.Series:
    try:
        return values.astype("UInt64")
    except (OverflowError, TypeError, ValueError):
        return values


def as_it_came(frame: pd.DataFrame, schema: Schema, wanted: Mapping[str, str]) -> pd.DataFrame:
    """Rows as they stand in a table of a schema: numbers written as it says, stored as `storages` named it.

    Example:
        >>> from synthkit.schema import Schema
        >>> schema = Schema(columns={"dose": {"kind": "numeric", "decimal": ","}})
        >>> as_it_came(pd.DataFrame({"dose": [0.5]}), schema, {})["dose"].tolist()
        ['0,5']
    """
    dtypes = {name: "float64" if holds_numbers(stored) else "object" for name, stored in wanted.items()}
    return restore(as_written(conform(frame, schema), schema, dtypes), wanted, schema)
