"""Tables in and out: CSV, Parquet, Arrow and pandas become typed chunks, and frames become whole files."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from synthkit import columnar
from synthkit.errors import TableError
from synthkit.files import replacing
from synthkit.marking import ESCAPED, KEY, is_escaped, write_beside
from synthkit.schema.conform import column_faults, conform, refuse, type_cells
from synthkit.schema.formulas import ESCAPE
from synthkit.schema.numerals import as_written
from synthkit.schema.violations import Violation

if TYPE_CHECKING:
    import pyarrow as pa

    from synthkit.schema import Schema

__all__ = ["Table", "as_it_came", "conform", "dtypes", "is_text", "read", "read_cells", "restore", "write"]

_FORMATS = ".csv, .csv.gz, .tsv, .tsv.gz, .parquet, .arrow or .feather"


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
        return pd.DataFrame({name: _joined([chunk[name] for chunk in self.chunks]) for name in names}, columns=names)


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

    Raises:
        TableError: a file that is absent, empty, ragged, wrongly encoded or of another format.
        SchemaError: columns or cells that do not fit the schema; lists all of them.
    """
    if isinstance(source, pd.DataFrame):
        return _typed([source], schema)
    if not isinstance(source, str | Path):
        return _typed([_from_arrow(source)], schema)
    path = _existing(Path(source))
    kind = _kind(path)
    if kind == "text":
        from synthkit.delimited import infer_types, read_text

        texts = _undone(path, read_text(path, delimiter=delimiter, encoding=encoding, missing=tuple(missing)))
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


def read_cells(
    path: str | Path,
    *,
    delimiter: str | None = None,
    encoding: str = "utf-8",
    missing: Iterable[str] = (),
    alone: bool = False,
) -> pd.DataFrame:
    """The cells of a file as they stand, so that one validation can list all faults: CSV as text, others typed.

    Args:
        path: as for `read`.
        delimiter: character between cells of a CSV file; found if not given.
        encoding: of a CSV file.
        missing: texts of a CSV file that mean missing, besides the empty cell.
        alone: whether each line of a CSV file, and each text of another, is read by itself, so that what is wrong with
            one keeps no other from being read; see `synthkit.lines`.

    Raises:
        TableError: as for `read`; with `alone` for the file and its header only.
    """
    if not is_text(path):
        existing = _existing(Path(path))
        return Table(tuple(_arrow_chunks(existing, _kind(existing), alone=alone))).frame()
    if alone:
        from synthkit.lines import read_lines

        return read_lines(_existing(Path(path)), delimiter=delimiter, encoding=encoding, missing=tuple(missing))
    from synthkit.delimited import read_text

    chunks = read_text(_existing(Path(path)), delimiter=delimiter, encoding=encoding, missing=tuple(missing))
    return Table(tuple(chunk.to_pandas() for chunk in _undone(Path(path), chunks))).frame()


def _undone(path: Path, chunks: Iterator[pa.Table]) -> Iterator[pa.Table]:
    """The chunks as they were before their texts were escaped for spreadsheets, if the mark beside says they were."""
    from synthkit.delimited import unescaped

    return map(unescaped, chunks) if is_escaped(path) else chunks


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
        msg = f"a table's file name ends in {_FORMATS}; however: {path.name}. Convert or rename the file"
        raise TableError(msg)
    return kind


def _arrow_chunks(path: Path, kind: str, *, alone: bool = False) -> Iterator[pd.DataFrame]:
    for piece in columnar.pieces(path, kind, alone=alone):
        with columnar.refusing(path, kind):
            yield _from_arrow(piece)


_WHOLE = [pd.api.types.pandas_dtype(f"{sign}Int{width}") for sign in ("", "U") for width in (8, 16, 32, 64)]


def _from_arrow(table: pa.Table) -> pd.DataFrame:
    """Frame of an Arrow table: what pandas wrote comes back as it was; otherwise whole numbers stay whole."""
    import pyarrow as pa

    if len(set(table.column_names)) < len(table.column_names):
        twice = sorted({n for n in table.column_names if table.column_names.count(n) > 1})
        msg = f"each column name stands once; however: {', '.join(twice)} is there twice. Rename the columns"
        raise TableError(msg)
    described = table.schema.pandas_metadata or {}
    known = {c.get("field_name"): c.get("numpy_type") for c in described.get("columns", ())}
    nullable = {getattr(pa, str(d).lower())(): d for d in _WHOLE} | {pa.bool_(): pd.BooleanDtype()}
    frame: pd.DataFrame = table.to_pandas(date_as_object=False)
    for i, field in enumerate(table.schema):
        if field.type not in nullable or not table.column(i).null_count or field.name not in frame:
            continue
        if known.get(field.name) is None or pd.api.types.is_float_dtype(frame[field.name].dtype):
            frame[field.name] = table.column(i).to_pandas(types_mapper=nullable.get).array
    return frame.reset_index(drop=True)


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
        mark: what the file is to say of its rows, see `synthkit.marking`; in CSV it stands in a file beside.
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
    table = _to_arrow(frame)
    if mark is not None and kind != "text":
        said = json.dumps(dict(mark), sort_keys=True).encode()
        table = table.replace_schema_metadata({**(table.schema.metadata or {}), KEY: said})
    with replacing(path) as temporary:
        if kind == "text":
            from synthkit.delimited import write_text

            write_text(table, temporary, name=path.name, schema=schema, escape=spreadsheet_safe)
            if mark is not None:  # before the rows are in place: whatever happens, none stand there without it
                write_beside(path, {**mark, ESCAPED: ESCAPE} if spreadsheet_safe else mark, rows=temporary)
        elif kind == "parquet":
            import pyarrow.parquet as pq

            pq.write_table(table, temporary, compression="zstd")
        else:
            from pyarrow import feather

            feather.write_feather(table, str(temporary))


def _to_arrow(frame: pd.DataFrame) -> pa.Table:
    import pyarrow as pa

    if frame.columns.has_duplicates or not len(frame.columns):
        msg = "a table is written with columns, each named once; however: names are missing or repeated. Rename them"
        raise TableError(msg)
    mixed = []
    for name in frame.columns:
        try:
            pa.Array.from_pandas(frame[name])
        except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError):
            mixed.append(str(name))
    if mixed:
        msg = f"a column is written with one type; however: mixed in {', '.join(mixed)}. Pass the frame through conform"
        raise TableError(msg)
    return pa.Table.from_pandas(frame, preserve_index=False)


def dtypes(frame: pd.DataFrame) -> dict[str, str]:
    """Names of the dtypes by column, to be given to `restore`.

    Example:
        >>> dtypes(pd.DataFrame({"dose": pd.Series([0.5], dtype="float32")}))
        {'dose': 'float32'}
    """
    return {str(name): _dtype_name(frame[name].dtype) for name in frame.columns}


def _dtype_name(dtype: Any) -> str:
    if isinstance(dtype, pd.StringDtype):
        return f"string[{dtype.storage}]"
    return str(dtype)


def as_it_came(frame: pd.DataFrame, schema: Schema, wanted: Mapping[str, str]) -> pd.DataFrame:
    """Rows as they stand in a table of a schema: numbers written as it says, in the dtypes that `dtypes` named.

    Example:
        >>> from synthkit.schema import Schema
        >>> schema = Schema(columns={"dose": {"kind": "numeric", "decimal": ","}})
        >>> as_it_came(pd.DataFrame({"dose": [0.5]}), schema, {})["dose"].tolist()
        ['0,5']
    """
    return restore(as_written(conform(frame, schema), schema, wanted), wanted)


def restore(frame: pd.DataFrame, wanted: Mapping[str, str]) -> pd.DataFrame:
    """The frame with the dtypes of another, as `dtypes` named them; no cell is lost to it.

    A column that cannot take its dtype without losing cells keeps the nearest: whole numbers with missing cells
    become Int64 and so on, numbers too large for their width stay wide, fresh text identifiers stay text.

    Example:
        >>> restore(pd.DataFrame({"dose": [0.5]}), {"dose": "float32"}).dtypes.astype(str).to_dict()
        {'dose': 'float32'}
    """
    return pd.DataFrame(
        {name: _recast(frame[name], wanted[str(name)]) if str(name) in wanted else frame[name] for name in frame},
        index=frame.index,
        copy=False,
    )


def _recast(values: pd.Series, wanted: str) -> pd.Series:
    for name in (wanted, _NULLABLE.get(wanted)):
        if name is None:
            continue
        try:
            cast: pd.Series = values.astype(pd.api.types.pandas_dtype(name))
        except (ValueError, TypeError, OverflowError, pd.errors.OutOfBoundsDatetime):
            continue
        if _keeps(values, cast):
            return cast
    return values


_WIDTHS = (8, 16, 32, 64)
_NULLABLE = {"bool": "boolean"} | {f"{u}int{w}": f"{u.upper()}Int{w}" for u in ("", "u") for w in _WIDTHS}


def _keeps(before: pd.Series, after: pd.Series) -> bool:
    """Whether a cast kept missing cells missing and whole numbers as they were (rounding to float32 is meant)."""
    absent = before.isna().to_numpy(dtype=bool)
    if not np.array_equal(absent, after.isna().to_numpy(dtype=bool)):
        return False
    if pd.api.types.is_numeric_dtype(before.dtype) and pd.api.types.is_integer_dtype(after.dtype):
        left = before[~absent].to_numpy(dtype=float)
        return bool(np.array_equal(left, after[~absent].to_numpy(dtype=float)))
    return True
