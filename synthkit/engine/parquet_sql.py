"""Rows of Parquet files as SQL: types that DuckDB tells apart as a frame would, files, and rows drawn from them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from synthkit.engine.parquet_source import ParquetSource
from synthkit.engine.sql_names import quoted, text_literal
from synthkit.schema.conform import refuse, type_cells

if TYPE_CHECKING:
    import pyarrow as pa

    from synthkit.engine.duck import Duck
    from synthkit.engine.source import Source


def is_countable(kind: pa.DataType | None) -> bool:
    """Whether DuckDB tells cells of an Arrow type apart, and gives them back, as a frame of them would.

    Args:
        kind: the type; None for a column that folders name.

    Example:
        >>> import pyarrow as pa
        >>> is_countable(pa.int64()), is_countable(pa.decimal128(9, 2)), is_countable(None)
        (True, False, False)
    """
    import pyarrow as pa

    types = pa.types
    if kind is None:
        return False
    if types.is_dictionary(kind):
        kind = kind.value_type
    plain = (types.is_integer, types.is_float32, types.is_float64, types.is_boolean, types.is_string)
    return any(is_(kind) for is_ in (*plain, types.is_large_string, types.is_date32))


def relation(source: ParquetSource) -> str:
    """The files of a source as SQL; what their folders are called is no column of it."""
    files = ", ".join(text_literal(str(path)) for path in source.files)
    return f"read_parquet([{files}], union_by_name = true, hive_partitioning = false)"


def sampled(source: ParquetSource, columns: Sequence[str], rows: int, seed: int, *, ends: bool = False) -> str:
    """Some rows of a source as SQL, drawn at random without replacement: the same ones whatever the threads.

    Args:
        source: of which.
        columns: that are wanted.
        rows: how many.
        seed: same seed, same rows.
        ends: whether a row with the smallest and one with the largest value of the first column are added.
    """
    listed = ", ".join(quoted(name) for name in columns)
    drawn = f"SELECT {listed} FROM {relation(source)} USING SAMPLE reservoir({rows} ROWS) REPEATABLE ({seed % 2**31})"
    if not ends:
        return f"({drawn})"
    first = quoted(columns[0])
    edges = " UNION ALL ".join(f"SELECT {which}({first}) FROM {relation(source)}" for which in ("min", "max"))
    return f"(SELECT * FROM ({drawn}) UNION ALL {edges})"


def typed(cells: pd.DataFrame, source: ParquetSource) -> pd.DataFrame:
    """Cells of a source in the schema's dtypes.

    Raises:
        SchemaError: some cannot be typed.
    """
    frame, faults = type_cells(cells, source.schema)
    refuse(faults)
    return frame


def rows_drawn(source: Source, duck: Duck, rows: int, seed: int, columns: Sequence[str]) -> pd.DataFrame:
    """Some rows in canonical dtypes, drawn at random without replacement; all of them if there are no more.

    Args:
        source: of which.
        duck: draws where it can.
        rows: how many.
        seed: same seed, same rows, whatever the threads.
        columns: that are wanted.
    """
    if source.rows <= rows:
        return pd.concat(list(source.batches(columns)), ignore_index=True)
    if isinstance(source, ParquetSource) and all(is_countable(source.types.get(name)) for name in columns):
        drawn = duck.pieces(f"SELECT * FROM {sampled(source, columns, rows, seed)}")
        return pd.concat([typed(piece, source) for piece in drawn], ignore_index=True)
    chosen = np.sort(np.random.default_rng(seed).choice(source.rows, rows, replace=False))
    return pd.concat(list(rows_at(source, chosen, columns)), ignore_index=True)


def rows_at(source: Source, numbers: NDArray[np.int64], columns: Sequence[str] | None = None) -> Iterator[pd.DataFrame]:
    """Rows by their numbers, which rise, batch by batch."""
    for batch in source.batches(columns):
        first, last = np.searchsorted(numbers, [batch.index[0], batch.index[-1] + 1])
        if last > first:
            yield batch.loc[numbers[first:last]]
