"""Delimited text read line by line, as it is under a budget: what stands in one line moves no other.

A row is a line that has as many cells as the header and in which every quote is closed. Bytes that are not of the
encoding become U+FFFD. Any other line is no row, and is counted: an open quote would swallow its neighbours, and cells
that have moved would give a row to somebody else. The delimiter follows from the header alone.
"""

from __future__ import annotations

import gzip
import io
import re
import zlib
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.csv as pcsv

from synthkit.errors import TableError
from synthkit.tables.csv import open_text, read_header, sep_hint

LEFT_OUT_LINES = "synthkit_left_out"  # attribute of the frame: how many lines were no rows; INTERNAL
_LINE_BLOCK_BYTES = 8 << 20  # characters that are parsed together
_LINE_ENDS = re.compile(r"\r\n|\r|\n")


def read_lines(path: Path, *, delimiter: str | None, encoding: str, missing: tuple[str, ...]) -> pd.DataFrame:
    """Cells as text; only an empty unquoted cell, or one of `missing`, is None.

    Args:
        path: of the file.
        delimiter: character between cells; if not given, the one that gives the header most columns.
        encoding: one in which a line ends as in ASCII.
        missing: texts that mean missing.

    Raises:
        TableError: another encoding, a header that is none, a file that cannot be unpacked; never for another line.
    """
    _check_encoding(path, encoding)
    lines = _decoded(path, encoding)
    hint, first = sep_hint(next(lines, ""))
    names, delimiter = read_header(path, first if hint is None else next(lines, ""), delimiter or hint)
    parts, left_out = [pa.table({name: pa.array([], pa.string()) for name in names})], 0
    for block in _blocks(lines):
        rows, bad = _parsed(block, names, delimiter, missing)
        parts.append(rows)
        left_out += bad
    frame: pd.DataFrame = pa.concat_tables(parts).to_pandas()
    frame.attrs[LEFT_OUT_LINES] = left_out
    return frame


def _check_encoding(path: Path, encoding: str) -> None:
    try:
        alike = '\n,"'.encode(encoding) == b'\n,"'
    except (LookupError, UnicodeError):
        alike = False
    if not alike:
        msg = (
            f"under a budget {path} is read line by line, in an encoding that ends lines as ASCII does; however: "
            f"{encoding!r} does not. Save it as UTF-8"
        )
        raise TableError(msg)


def _decoded(path: Path, encoding: str) -> Iterator[str]:
    """Lines without their ends, each decoded by itself."""
    try:
        with open_text(path) as file:
            for line in file:
                ended = _LINE_ENDS.split(line.decode(encoding, errors="replace"))
                for text in ended if ended[-1] else ended[:-1]:
                    yield text.lstrip("\ufeff")  # a mark of the byte order says nothing
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        msg = f"{path} must be a whole gzip file; however: it cannot be unpacked. Export it again"
        raise TableError(msg) from error


def _blocks(lines: Iterator[str]) -> Iterator[list[str]]:
    block, size = list[str](), 0
    for line in lines:
        block.append(line)
        size += len(line)
        if size >= _LINE_BLOCK_BYTES:
            yield block
            block, size = [], 0
    if block:
        yield block


def _parsed(block: list[str], names: list[str], delimiter: str, missing: tuple[str, ...]) -> tuple[pa.Table, int]:
    """Rows of a block of lines, and how many lines were none."""
    d = re.escape(delimiter)
    cell = rf'(?:"(?:[^"]|"")*"|[^"{d}]*)'
    closed = re.compile(rf"{cell}(?:{d}{cell})*")
    whole = [line for line in block if '"' not in line or closed.fullmatch(line)]
    left_out = len(block) - len(whole)
    text = "".join(f"{line}\n" for line in whole).encode("utf-8", errors="replace")
    other: list[int] = []

    def skip(row: pcsv.InvalidRow) -> str:
        other.append(1)
        return "skip"

    if not whole:
        return pa.table({name: pa.array([], pa.string()) for name in names}), left_out
    rows = pcsv.read_csv(
        io.BytesIO(text),
        pcsv.ReadOptions(use_threads=False, block_size=len(text) + 1, column_names=names),
        pcsv.ParseOptions(
            delimiter=delimiter,
            newlines_in_values=False,
            ignore_empty_lines=len(names) > 1,  # in a table of one column an empty line is a missing cell
            invalid_row_handler=skip,
        ),
        pcsv.ConvertOptions(
            column_types={name: pa.string() for name in names},
            null_values=["", *missing],
            strings_can_be_null=True,
            quoted_strings_can_be_null=False,
        ),
    )
    return rows, left_out + len(other)
