"""Delimited text (CSV, TSV): found delimiter, checked encoding, whole lines; chunks of text in, types out."""

from __future__ import annotations

import codecs
import csv
import gzip
import io
import itertools
import re
import shlex
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import IO, TYPE_CHECKING

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pcsv

from synthkit.errors import TableError
from synthkit.schema import datetimes, number_formats, spreadsheet_formulas
from synthkit.schema.columns import Datetime, Numeric
from synthkit.schema.value_types import recognise_texts

if TYPE_CHECKING:
    from synthkit.schema import Schema

_DELIMITERS = ",;\t|"
_SEP_LINE = re.compile(r'"?sep=([\t -~])"?(?:\r\n|\r|\n|$)', re.IGNORECASE)
_CSV_CHUNK_BYTES = 8 << 20  # bytes of text in one chunk
_DELIMITER_SAMPLE_CHARACTERS = 1 << 18  # characters looked at to find the delimiter
_DELIMITER_SAMPLE_LINES = 200  # lines looked at for that
_MIN_DELIMITER_AGREEMENT = 0.9  # this share of lines has as many cells as the header where a delimiter fits


def read_text(
    path: Path, *, delimiter: str | None, encoding: str, missing: tuple[str, ...], empty: bool = False
) -> Iterator[pa.Table]:
    """Chunks of cells as text; only an empty unquoted cell, or one of `missing`, is null.

    Raises:
        TableError: wrong encoding (byte and line named), no header, no rows unless they may be none (`empty`), repeated
            or empty column names, a delimiter that does not fit, lines with too many or too few cells (line numbers
            named).
    """
    sample, quotes = _checked_sample(path, encoding)
    hint, sample = sep_hint(sample)
    header, delimiter = read_header(path, sample, delimiter or hint)
    ragged: list[int] = []

    def skip(row: pcsv.InvalidRow) -> str:
        ragged.append(row.number)
        return "skip"

    reading = pcsv.ReadOptions(use_threads=False, block_size=_CSV_CHUNK_BYTES, encoding=encoding, column_names=header)
    reading.skip_rows = int(hint is not None)
    parsing = pcsv.ParseOptions(
        delimiter=delimiter,
        newlines_in_values=True,
        ignore_empty_lines=len(header) > 1,  # in a table of one column an empty line is a missing cell
        invalid_row_handler=skip,
    )
    converting = _as_text(header, missing)
    rows, open_end = -1, False  # the header is read as a row, so that the rows a fault counts include it
    try:
        with open_text(path) as file, pcsv.open_csv(file, reading, parsing, converting) as batches:
            for batch in batches:
                chunk = pa.Table.from_batches([batch]).slice(1 if rows < 0 and batch.num_rows else 0)
                rows += batch.num_rows
                if chunk.num_rows and not ragged:
                    # Arrow lets a quote that is never closed swallow the rest of the file
                    last = chunk.slice(chunk.num_rows - 1).to_pylist()[0]
                    open_end = quotes % 2 == 1 and any("\n" in cell for cell in last.values() if cell)
                    yield chunk
    except pa.ArrowInvalid as error:
        raise TableError(_unclosed(path)) from error
    if open_end:
        raise TableError(_unclosed(path))
    if ragged:
        raise TableError(_ragged(path, ragged, len(header), delimiter, encoding))
    if rows < 1 and not empty:
        msg = f"a table has rows; however: {path} holds only a header. Export it again"
        raise TableError(msg)
    if rows < 1:
        yield pa.table({name: pa.array([], pa.string()) for name in header})


def _as_text(names: list[str], missing: tuple[str, ...]) -> pcsv.ConvertOptions:
    """Every cell a text; null where it is empty without quotes, or one of `missing`."""
    return pcsv.ConvertOptions(
        column_types={name: pa.string() for name in names},
        null_values=["", *missing],
        strings_can_be_null=True,
        quoted_strings_can_be_null=False,
    )


def _unclosed(path: Path) -> str:
    return (
        f"{path} must be delimited text; however: a quote is not closed, or one row exceeds "
        f"{_CSV_CHUNK_BYTES >> 20} MiB. Export it again with every quote closed"
    )


def open_text(path: Path) -> IO[bytes]:
    """The file's bytes, unpacked if it is a gzip file."""
    return gzip.open(path) if path.suffix.lower() == ".gz" else path.open("rb")  # type: ignore[return-value]


def _checked_sample(path: Path, encoding: str) -> tuple[str, int]:
    """The first characters of a file whose every byte was decoded, and the number of quotes in all of it."""
    try:
        decoder = codecs.getincrementaldecoder(encoding)()
    except LookupError as error:
        msg = f"`encoding` must be one Python knows, such as utf-8 or cp1252; however: {encoding!r}"
        raise TableError(msg) from error
    sample, quotes, before, lines = "", 0, 0, 1
    try:
        with open_text(path) as file:
            while block := file.read(_CSV_CHUNK_BYTES):
                pending = len(decoder.getstate()[0])
                try:
                    text = decoder.decode(block)
                except UnicodeDecodeError as error:
                    at = before - pending + error.start
                    line = lines + error.object[: error.start].count(b"\n")
                    raise TableError(_undecodable(path, encoding, at, line, block[:2])) from error
                sample, quotes = sample or text[:_DELIMITER_SAMPLE_CHARACTERS], quotes + text.count('"')
                before, lines = before + len(block), lines + block.count(b"\n")
            decoder.decode(b"", final=True)
    except UnicodeDecodeError as error:
        raise TableError(_undecodable(path, encoding, before, lines, b"")) from error
    except (gzip.BadGzipFile, EOFError) as error:
        msg = f"{path} must be a whole gzip file; however: it cannot be unpacked. Export it again"
        raise TableError(msg) from error
    return sample.removeprefix("\ufeff"), quotes


def _undecodable(path: Path, encoding: str, at: int, line: int, start: bytes) -> str:
    guess = "utf-16" if start in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE) else "cp1252"
    return (
        f"{path} must be {encoding} text; however: byte {at:,} (line {line:,}) is not. "
        f"Name the file's encoding, for instance `--encoding {guess}` (in Python: encoding={guess!r}), "
        "or save it as UTF-8"
    )


def sep_hint(text: str) -> tuple[str | None, str]:
    r"""The delimiter that a first line `sep=;` names, as Excel writes and reads it, and the text without that line.

    Example:
        >>> sep_hint("sep=;\na;b"), sep_hint("a;b")
        ((';', 'a;b'), (None, 'a;b'))
    """
    found = _SEP_LINE.match(text)
    return (found[1], text[found.end() :]) if found else (None, text)


def read_header(path: Path, sample: str, delimiter: str | None) -> tuple[list[str], str]:
    """Column names and the delimiter; a wrong delimiter is named together with the one that fits."""
    if delimiter is not None and len(delimiter.encode()) != 1:
        msg = f"`delimiter` must be one character; however: {delimiter!r}"
        raise TableError(msg)
    found = _found_delimiter(path, sample)
    fits = delimiter is None or delimiter == found or _agreement(sample, delimiter) >= _MIN_DELIMITER_AGREEMENT
    if delimiter is not None and not fits and _width(sample, delimiter) < _width(sample, found):
        msg = (
            f"the delimiter must separate the columns of {path}; however: {delimiter!r} gives "
            f"{_width(sample, delimiter)} column and {found!r} gives {_width(sample, found)}. "
            f"Use `--delimiter {shlex.quote(found)}` (in Python: delimiter={found!r})"
        )
        raise TableError(msg)
    chosen = delimiter or found
    names = next(_lines(io.StringIO(sample, newline=""), chosen), (0, []))[1]
    nameless = [str(k + 1) for k, name in enumerate(names) if not name.strip()]
    if nameless or not names:
        msg = (
            f"every column of {path} must have a name; however: column {', '.join(nameless) or '1'} has none. "
            "Name it in the first line (row numbers that pandas wrote are left out with index=False)"
        )
        raise TableError(msg)
    twice = [str(k + 1) for k, name in enumerate(names) if name in names[:k]]
    if twice:  # by number: if the file has no header, its first line holds cells
        msg = f"column names in {path} must differ; however: column {', '.join(twice)} repeats one. Rename the columns"
        raise TableError(msg)
    return names, chosen


def _found_delimiter(path: Path, sample: str) -> str:
    """The delimiter that gives most columns and the same number in most lines; the ending's own if none does."""
    own = "\t" if ".tsv" in [s.lower() for s in path.suffixes] else ","
    candidates = [own, *(d for d in _DELIMITERS if d != own)]
    return max(candidates, key=lambda d: (_agreement(sample, d) >= _MIN_DELIMITER_AGREEMENT, _width(sample, d)))


def _width(sample: str, delimiter: str) -> int:
    return len(next(_lines(io.StringIO(sample, newline=""), delimiter), (0, []))[1])


def _agreement(sample: str, delimiter: str) -> float:
    """Share of the first lines that have as many cells as the header; 0 if the header is one cell.

    0 as well where a quoted cell ends before something else than the delimiter: then what was found stands in texts.
    """
    text = io.StringIO(sample, newline="")
    widths = [
        len(cells)
        for _, cells in itertools.islice(_lines(text, delimiter, strict=True), _DELIMITER_SAMPLE_LINES)
        if cells
    ]
    if len(widths) < _DELIMITER_SAMPLE_LINES and text.tell() < len(sample):
        return 0.0
    return sum(w == widths[0] for w in widths) / len(widths) if widths and widths[0] > 1 else 0.0


def _lines(text: IO[str], delimiter: str, *, strict: bool = False) -> Iterator[tuple[int, list[str]]]:
    """Rows with the number of their first line, up to the first that Python's reader cannot take (an open quote)."""
    reader = csv.reader(text, delimiter=delimiter, strict=strict)
    start = 1
    while True:
        try:
            cells = next(reader)
        except (StopIteration, csv.Error):
            return
        yield start, cells
        start = reader.line_num + 1


def _ragged(path: Path, rows: list[int], expected: int, delimiter: str, encoding: str) -> str:
    """Names lines of the file, which differ from rows where a quoted cell spans several lines."""
    wanted = set(rows[:10])
    lines = []
    with io.TextIOWrapper(open_text(path), encoding=encoding, newline="") as file:
        row = 0
        for start, cells in _lines(file, delimiter):
            row += bool(cells) or expected == 1
            if cells and row in wanted:
                lines.append(f"{start} ({len(cells)})")
            if len(lines) == len(wanted):
                break
    return (
        f"every line of {path} must have {expected} cells, as the header has; however: {len(rows):,} do not: "
        f"line {', '.join(lines)}{', ...' if len(rows) > len(lines) else ''} (number of cells in brackets). "
        f"Quote the cells that contain {delimiter!r}, or correct the lines"
    )


def infer_types(chunks: Iterable[pa.Table]) -> pd.DataFrame:
    """Text cells typed by what all cells of a column look like; numbers with a leading zero stay text."""
    texts = pa.concat_tables(list(chunks))
    return pd.DataFrame({name: recognise_texts(texts.column(name)) for name in texts.column_names})


def write_text(table: pa.Table, path: Path, *, name: str, schema: Schema | None, escape: bool = False) -> None:
    """Write cells as text: missing is empty, texts are quoted, moments ISO 8601 or in the schema's `format`.

    Args:
        table: the rows.
        path: file to write.
        name: final name of the file, whose ending gives the delimiter and the packing.
        schema: meaning of the columns.
        escape: whether names and texts that spreadsheets take for formulas are escaped.
    """
    columns = [_written(table.column(c), schema.columns.get(c) if schema else None) for c in table.column_names]
    endings = [s.lower() for s in Path(name).suffixes]
    options = pcsv.WriteOptions(delimiter="\t" if ".tsv" in endings else ",")
    with gzip.open(path, "wb") if endings[-1] == ".gz" else path.open("wb") as file:
        written = pa.table(columns, names=table.column_names)
        pcsv.write_csv(_mapped(written, spreadsheet_formulas.escape_formula) if escape else written, file, options)


def unescape_cells(table: pa.Table) -> pa.Table:
    """Names and texts as they were before they were escaped for spreadsheets."""
    return _mapped(table, spreadsheet_formulas.unescape_formula)


def _mapped(table: pa.Table, change: Callable[[str], str]) -> pa.Table:
    """The table with every name and every text changed."""
    columns = [_changed(cells, change) for cells in table.columns]
    return pa.table(columns, names=[change(name) for name in table.column_names])


def _changed(cells: pa.ChunkedArray, change: Callable[[str], str]) -> pa.ChunkedArray:
    """Texts changed, each distinct one once; other cells as they are."""
    if not (pa.types.is_string(cells.type) or pa.types.is_large_string(cells.type)):
        return cells
    distinct = cells.unique()
    changed = pa.array([None if text is None else change(text) for text in distinct.to_pylist()], cells.type)
    return changed.take(pc.index_in(cells, distinct))


def _written(cells: pa.ChunkedArray, column: object) -> pa.ChunkedArray:
    if pa.types.is_dictionary(cells.type):
        return cells.cast(cells.type.value_type)
    if isinstance(column, Numeric) and column.told and not pa.types.is_string(cells.type):
        numbers = cells.to_pandas(types_mapper={pa.int64(): pd.Int64Dtype()}.get)
        return pa.chunked_array(
            [pa.array(number_formats.write_numbers(numbers, column), pa.string(), from_pandas=True)]
        )
    if pa.types.is_time(cells.type):
        return pa.chunked_array([pa.array([None if c is None else str(c) for c in cells.to_pylist()], pa.string())])
    if not pa.types.is_timestamp(cells.type):
        return cells
    if isinstance(column, Datetime) and column.written_as is not None:
        texts = datetimes.write_datetimes(cells.to_pandas(), column)
        whole = column.written_as.width is not None and not texts.str.startswith("0").any()
        made = pa.array(
            datetimes.as_numbers(texts) if whole else texts, None if whole else pa.string(), from_pandas=True
        )
        return pa.chunked_array([made])
    days = pc.all(pc.equal(cells, pc.floor_temporal(cells, unit="day"))).as_py()
    return cells.cast(pa.date32()) if days else cells
