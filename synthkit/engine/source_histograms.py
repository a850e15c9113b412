"""Exact histograms of a table that is larger than memory: by one scan of its files, or batch by batch.

DuckDB counts the cells as they stand. What it tells, distinct cells and how many rows have each, is then typed by the
schema and recoded as the rows themselves would be, and cells that have become the same are counted together. So an
answer is that of a frame of all rows.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from synthkit.encoding.constraints import Recoding
from synthkit.encoding.histogram_query import Histogram, Query
from synthkit.engine.parquet_source import ParquetSource
from synthkit.engine.parquet_sql import is_countable, relation, sampled, typed
from synthkit.engine.sql_names import quoted
from synthkit.schema.columns import Numeric

if TYPE_CHECKING:
    from synthkit.engine.duck import Duck
    from synthkit.engine.source import Source

MOST_VALUES = 1_000_000  # distinct values of a column that are told; of one with more, so many rows stand for all
COUNT = "synthkit_rows"  # how the column of counts is called
ROWS_MERGED = 2_000_000  # lines that wait to be counted together


@dataclass(frozen=True, kw_only=True)
class SourceHistograms:
    """Answers to what encoders ask, of a source.

    A column of numbers with more than a million distinct values is answered by a million rows drawn at random, its
    smallest and its largest value among them: cells of a number hold hundreds of rows each, and their edges move by a
    thousandth of the rows at most.

    Args:
        source: the rows.
        duck: where files are counted.
        seed: of the rows that are drawn.
    """

    source: Source
    duck: Duck
    seed: int
    _many: dict[str, bool] = field(default_factory=dict)

    def count(self, recoding: Recoding, query: Query) -> Histogram:
        """The histogram of some coded columns: every combination that occurs, missing included."""
        names = list(query.columns)
        merged = _Merged(names)
        for cells, counts in self._told(recoding.needed(names)):
            merged.add(recoding.coded(cells, names), counts)
        return merged.histogram()

    def cells(self, name: str) -> Histogram:
        """The histogram of a column of the table, in its canonical dtype."""
        merged = _Merged([name])
        for cells, counts in self._told([name]):
            merged.add(cells, counts)
        return merged.histogram()

    def _told(self, columns: Sequence[str]) -> Iterator[tuple[pd.DataFrame, NDArray[np.int64]]]:
        """Typed cells of some columns and how many rows have each; a line may come twice."""
        source = self.source
        if not (isinstance(source, ParquetSource) and all(is_countable(source.types.get(name)) for name in columns)):
            for batch in source.batches(columns):
                yield batch.reset_index(drop=True), np.ones(len(batch), dtype=np.int64)
            return
        listed = ", ".join(quoted(name) for name in columns)
        rows = relation(source)
        if len(columns) == 1 and self._has_many(columns[0]):
            rows = sampled(source, columns, MOST_VALUES, self.seed, ends=True)
        sql = f"SELECT {listed}, count(*)::BIGINT AS {COUNT} FROM {rows} GROUP BY ALL"
        for piece in self.duck.pieces(sql):
            counts = piece.pop(COUNT).to_numpy(dtype=np.int64)
            yield typed(piece, source), counts

    def _has_many(self, name: str) -> bool:
        """Whether a column of numbers has more distinct values than are told."""
        if not isinstance(self.source, ParquetSource) or not isinstance(self.source.schema.columns[name], Numeric):
            return False
        if self.source.rows <= MOST_VALUES:
            return False
        if not self._many:
            numeric = [
                n for n, c in self.source.schema.columns.items() if isinstance(c, Numeric) and n in self.source.types
            ]
            asked = ", ".join(f"approx_count_distinct({quoted(n)})" for n in numeric)
            found = self.duck.row(f"SELECT {asked} FROM {relation(self.source)}")
            self._many.update({n: v > MOST_VALUES for n, v in zip(numeric, found, strict=True)})
        return self._many.get(name, False)


class _Merged:
    """Counts of typed and recoded cells, those that are the same together."""

    def __init__(self, names: Sequence[str]) -> None:
        self._names, self._parts, self._waiting = list(names), list[pd.DataFrame](), 0

    def add(self, cells: pd.DataFrame, counts: NDArray[np.int64]) -> None:
        part = cells.assign(**{COUNT: counts})
        self._parts.append(part)
        self._waiting += len(part)
        if self._waiting > ROWS_MERGED:
            self._parts = [self._together()]
            self._waiting = 0

    def _together(self) -> pd.DataFrame:
        whole = pd.concat(self._parts, ignore_index=True) if len(self._parts) != 1 else self._parts[0]
        return whole.groupby(self._names, dropna=False, sort=False, observed=True)[COUNT].sum().reset_index()

    def histogram(self) -> Histogram:
        whole = self._together()
        counts = whole.pop(COUNT).to_numpy(dtype=np.int64)
        return Histogram(cells=whole[self._names], counts=counts)
