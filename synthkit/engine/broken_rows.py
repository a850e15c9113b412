"""Where a table breaks its schema: all questions about rows in one scan, and the parts where one is broken."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from synthkit.engine.parquet_sql import is_countable, relation
from synthkit.engine.sql_names import quoted, text_literal
from synthkit.schema.columns import Boolean, Categorical, Code, Datetime, Identifier, Numeric, Ordinal
from synthkit.schema.rules_sql import SQLCheck, checks

if TYPE_CHECKING:
    import pyarrow as pa

    from synthkit.engine.duck import Duck
    from synthkit.engine.parquet_source import ParquetSource
    from synthkit.schema.columns import Column

BLOCK_ROWS = 131_072  # rows that are looked at together where something is broken
_EXACT_AS_FLOAT = 2**53
_NUMBER = "file_row_number"


@dataclass(frozen=True)
class RowBlock:
    """Rows of one file that lie together.

    Args:
        part: number of the file.
        number: of the block in it.
    """

    part: int
    number: int


def blocks(source: ParquetSource) -> list[RowBlock]:
    """All blocks of a source, in the order of its rows."""
    return [RowBlock(k, b) for k, part in enumerate(source.parts) for b in range(-(-part.rows // BLOCK_ROWS))]


def broken_blocks(source: ParquetSource, duck: Duck) -> list[RowBlock] | None:
    """Blocks with a row that breaks something its schema asks of a row, in their order.

    Returns:
        None where SQL cannot say so of every column and rule, so that all blocks have to be looked at.
    """
    conditions = list(_conditions(source))
    if None in conditions:
        return None
    asked = [condition for condition in conditions if condition is not None]
    if not asked:
        return []
    counts = ", ".join(f"count(*) FILTER (WHERE {condition})" for condition in asked)
    found = duck.row(f"SELECT {counts} FROM {relation(source)}")
    wrong = [condition for condition, count in zip(asked, found, strict=True) if count]
    if not wrong:
        return []
    return list(_where(source, duck, " OR ".join(f"({condition})" for condition in wrong)))


def _where(source: ParquetSource, duck: Duck, condition: str) -> Iterator[RowBlock]:
    """Blocks with a row of which a condition is true."""
    for k, part in enumerate(source.parts):
        file = f"read_parquet({text_literal(str(part.path))}, file_row_number = true, hive_partitioning = false)"
        sql = (
            f"SELECT block FROM (SELECT {_NUMBER} // {BLOCK_ROWS} AS block, count(*) FILTER (WHERE {condition}) AS n "
            f"FROM {file} GROUP BY ALL) WHERE n > 0 ORDER BY block"
        )
        for piece in duck.pieces(sql):
            yield from (RowBlock(k, int(number)) for number in piece["block"])


def _conditions(source: ParquetSource) -> Iterator[str | None]:
    """Conditions that are true of rows that break something; None for what SQL cannot say of a row."""
    for name, column in source.schema.columns.items():
        kind = source.types.get(name)
        if isinstance(column, Identifier):
            yield f"{quoted(name)} IS NULL" if not column.nullable else "false"
            continue
        if not is_plain(kind, column):
            yield None
            continue
        if kind is not None and is_wide_integer(kind) and isinstance(column, Numeric):
            yield f"coalesce(abs({quoted(name)}::HUGEINT) > {_EXACT_AS_FLOAT}, false)"
    for check in checks(source.schema, ""):
        if not _of_a_table(check, source):
            yield check.broken


def _of_a_table(check: SQLCheck, source: ParquetSource) -> bool:
    """Whether a question is none about a row: which columns there are, and values that come twice."""
    if check.columns == ("(table)",):
        return True
    return len(check.columns) == 1 and isinstance(source.schema.columns[check.columns[0]], Identifier)


def is_plain(kind: pa.DataType | None, column: Column) -> bool:
    """Whether cells are stored as the kind of their column is: then SQL and the validation read them alike.

    Example:
        >>> import pyarrow as pa
        >>> is_plain(pa.int64(), Numeric()), is_plain(pa.string(), Numeric())
        (True, False)
    """
    import pyarrow as pa

    if kind is None:
        return False
    types, inner = pa.types, kind.value_type if pa.types.is_dictionary(kind) else kind
    number = types.is_integer(inner) or types.is_float32(inner) or types.is_float64(inner)
    if isinstance(column, Numeric):
        return bool(number) and not column.written
    if isinstance(column, Datetime):
        return bool(types.is_timestamp(inner) and inner.tz is None and inner.unit in ("us", "ms", "s"))
    assert isinstance(column, Categorical | Ordinal | Boolean | Code)
    levels = column.levels or ()
    if levels and all(isinstance(level, bool) for level in levels):
        return bool(types.is_boolean(inner))
    if levels and all(isinstance(level, int | float) for level in levels):
        return bool(number)
    return is_countable(kind) and bool(types.is_string(inner) or types.is_large_string(inner))


def is_wide_integer(kind: pa.DataType) -> bool:
    """Whether numbers of a type may be too long for a float."""
    import pyarrow as pa

    return bool(pa.types.is_int64(kind) or pa.types.is_uint64(kind))
