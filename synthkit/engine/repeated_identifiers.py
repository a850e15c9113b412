"""Identifiers that come twice in a table that is larger than memory."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from synthkit.engine.parquet_sql import relation
from synthkit.engine.sql_names import quoted, text_literal
from synthkit.schema.columns import Identifier

if TYPE_CHECKING:
    from synthkit.engine.duck import Duck
    from synthkit.engine.parquet_source import ParquetSource


def unique_columns(source: ParquetSource) -> tuple[str, ...]:
    """Columns in which no value may come twice."""
    return tuple(n for n, c in source.schema.columns.items() if isinstance(c, Identifier) and c.unique)


def repeated(source: ParquetSource, duck: Duck, name: str, shown: int) -> tuple[int, tuple[int, ...]]:
    """How many rows of a column have a value that another row has too, and the numbers of the first of them, from 1.

    Args:
        source: the table.
        duck: groups the values, and spills what is too much for its memory.
        name: of the column, which files hold.
        shown: how many numbers are told.
    """
    column = quoted(name)
    twice = f"SELECT {column} FROM {relation(source)} WHERE {column} IS NOT NULL GROUP BY ALL HAVING count(*) > 1"
    count = int(duck.row(f"SELECT count(*) FROM {relation(source)} WHERE {column} IN ({twice})")[0])
    if not count:
        return 0, ()
    first = list[int]()
    for number in _numbers(source, duck, f"{column} IN ({twice})", shown):
        first.append(number)
        if len(first) == shown:
            break
    return count, tuple(first)


def _numbers(source: ParquetSource, duck: Duck, condition: str, shown: int) -> Iterator[int]:
    """Numbers of the rows of which a condition is true, in their order, file by file."""
    for part in source.parts:
        file = f"read_parquet({text_literal(str(part.path))}, file_row_number = true, hive_partitioning = false)"
        sql = f"SELECT file_row_number AS number FROM {file} WHERE {condition} ORDER BY 1 LIMIT {shown}"
        for piece in duck.pieces(sql):
            yield from (part.first + int(number) + 1 for number in piece["number"])
