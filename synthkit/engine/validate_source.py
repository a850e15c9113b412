"""A table that is larger than memory held against its schema: the verdict of `validate`, by one scan.

DuckDB says in which parts of the table something is broken. Great Expectations is asked about these, for the rows and
in its own words, and about the first part in any case.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from synthkit.engine.broken_rows import BLOCK_ROWS, RowBlock, blocks, broken_blocks
from synthkit.engine.repeated_identifiers import repeated, unique_columns
from synthkit.schema.columns import Identifier
from synthkit.schema.expectation_suite import expectation_suite
from synthkit.schema.narrow_patterns import narrow_pattern_faults
from synthkit.schema.typed_columns import TypedColumns
from synthkit.schema.validation import about, read_suite, said, validate_typed
from synthkit.schema.violations import ROWS_SHOWN, Checked, Unchecked, Validation, Violation

if TYPE_CHECKING:
    from synthkit.engine.duck import Duck
    from synthkit.engine.parquet_source import ParquetSource
    from synthkit.schema import Schema

_OF_A_ROW = ("expect_column_values_to_", "expect_column_pair_values_", "expect_multicolumn_")
_OF_ALL_ROWS = ("_unique", "_increasing", "_decreasing", "_sum_to_equal")  # how names of those end that are none
_READ_IN_PARTS = "it is asked of the table as a whole, and a large table is read in parts"


def validate_source(
    source: ParquetSource, duck: Duck, *, extra: str | Path | None = None, rows_shown: int = ROWS_SHOWN
) -> Validation:
    """Hold a source against its schema, and against a suite of the user's own.

    Args:
        source: the table, with its schema.
        duck: scans it within its bounds.
        extra: path of the JSON of a Great Expectations suite on the same columns; all rows are shown to it.
        rows_shown: how many row numbers each violation keeps.

    Returns:
        What `synthkit.schema.validation.validate` says of a frame of all rows; of a suite of the user's own, what is
        no question about a row is unchecked.

    Raises:
        ConfigError: `extra` is not such a suite.
        TableError: a file cannot be read.
    """
    schema, own = source.schema, read_suite(extra) if extra is not None else []
    by_row = [e for e in own if _is_of_a_row(e["type"])]
    found = None if by_row else broken_blocks(source, duck)
    every = blocks(source)
    looked = every if found is None else sorted({*found, *every[:1]}, key=lambda each: (each.part, each.number))
    inner, suite = _without_uniqueness(schema), extra if by_row else None
    parts = [_of_block(source, inner, each, suite, rows_shown) for each in looked]
    unasked = dict.fromkeys(each for part in parts for each in part.unchecked)
    lost = {(each.columns, each.rule) for each in unasked}
    every_fault = [*_merged(parts, rows_shown), *_twice(source, duck, rows_shown)]
    faults = [each for each in every_fault if (each.columns, each.rule) not in lost]
    faults += narrow_pattern_faults(schema, source.rows, unique=True)
    asked = [(about(e), said(e)) for e in expectation_suite(schema)["expectations"]]
    rank = {each: k for k, each in enumerate([*asked, *((about(e), said(e)) for e in own)])}
    faults.sort(key=lambda each: rank.get((each.columns, each.rule), -1))
    unchecked = sorted(unasked, key=lambda each: rank.get((each.columns, each.rule), -1))
    unchecked += [Unchecked(about(e), said(e), _READ_IN_PARTS) for e in own if not _is_of_a_row(e["type"])]
    checked = Checked(source.rows, len(schema.columns), len(asked) + len(own))
    return Validation(checked, tuple(faults), tuple(unchecked))


def _is_of_a_row(kind: str) -> bool:
    return kind.startswith(_OF_A_ROW) and not kind.endswith(_OF_ALL_ROWS)


def _without_uniqueness(schema: Schema) -> Schema:
    """The schema without the one question of a column that no part of the rows can answer."""
    columns = {
        name: column.model_copy(update={"unique": False}) if isinstance(column, Identifier) else column
        for name, column in schema.columns.items()
    }
    return schema.model_copy(update={"columns": columns})


def _of_block(
    source: ParquetSource, schema: Schema, block: RowBlock, extra: str | Path | None, rows_shown: int
) -> Validation:
    """What some rows break, with their numbers in the table."""
    part, start = source.parts[block.part], block.number * BLOCK_ROWS
    cells = source.slice(part, start, min(start + BLOCK_ROWS, part.rows))
    found = validate_typed(TypedColumns.of(cells, schema), schema, extra=extra, rows_shown=rows_shown)
    first = part.first + start
    moved = tuple(replace(each, rows=tuple(row + first for row in each.rows)) for each in found.violations)
    return replace(found, violations=moved)


def _merged(parts: Iterable[Validation], rows_shown: int) -> list[Violation]:
    """Violations of the same rule in several parts as one."""
    merged: dict[tuple[tuple[str, ...], str], Violation] = {}
    for each in (violation for part in parts for violation in part.violations):
        key = (each.columns, each.rule)
        seen = merged.get(key)
        merged[key] = (
            each
            if seen is None
            else replace(seen, count=seen.count + each.count, rows=(seen.rows + each.rows)[:rows_shown])
        )
    return list(merged.values())


def _twice(source: ParquetSource, duck: Duck, rows_shown: int) -> Iterator[Violation]:
    """Identifiers that come twice, in the words of the suite."""
    asked = {about(e): e for e in expectation_suite(source.schema)["expectations"] if e["type"].endswith("_unique")}
    for name in unique_columns(source):
        e: dict[str, Any] = asked[(name,)]
        if name in source.types:
            count, rows = repeated(source, duck, name, rows_shown)
        else:
            count, rows = _twice_in_folders(source, name, rows_shown)
        if count:
            yield Violation((name,), said(e), count, rows, e["meta"].get("remedy", ""))


def _twice_in_folders(source: ParquetSource, name: str, rows_shown: int) -> tuple[int, tuple[int, ...]]:
    """The same of a column that folders name: all rows of a file have one value."""
    values = pd.Series([part.partition[name] for part in source.parts for _ in range(min(part.rows, 2))])
    rows = [part.rows for part in source.parts if (values == part.partition[name]).sum() > 1]
    numbers = [
        part.first + k + 1
        for part in source.parts
        if (values == part.partition[name]).sum() > 1
        for k in range(min(part.rows, rows_shown))
    ]
    return sum(rows), tuple(numbers[:rows_shown])
