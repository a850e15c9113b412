"""Sources of rows: a frame, or Parquet files that are larger than memory, typed by their schema batch by batch."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import pandas as pd

BATCH_ROWS = 65_536  # rows that are typed and encoded at once


class Source(Protocol):
    """Rows of one table, in batches that share their columns; iterated anew by each reader."""

    @property
    def rows(self) -> int:
        """Number of rows."""
        ...

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the columns, in the order of the schema."""
        ...

    def batches(self, columns: Sequence[str] | None = None, size: int = BATCH_ROWS) -> Iterator[pd.DataFrame]:
        """Rows in the schema's canonical dtypes, in their order, each numbered by its place in the table from 0.

        Args:
            columns: those that are wanted; all if not given.
            size: rows of a batch, at most.
        """
        ...


@dataclass(frozen=True)
class FrameSource:
    """Rows in memory, in canonical dtypes.

    Args:
        frame: the rows.

    Example:
        >>> import pandas as pd
        >>> [len(batch) for batch in FrameSource(pd.DataFrame({"age": [61, 44, 70]})).batches(size=2)]
        [2, 1]
    """

    frame: pd.DataFrame

    @property
    def rows(self) -> int:
        """Number of rows."""
        return len(self.frame)

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the columns."""
        return tuple(self.frame.columns)

    def batches(self, columns: Sequence[str] | None = None, size: int = BATCH_ROWS) -> Iterator[pd.DataFrame]:
        """Slices of the frame; see `Source`."""
        wanted = self.frame if columns is None else self.frame[list(columns)]
        for start in range(0, len(wanted), size):
            part = wanted.iloc[start : start + size]
            yield part.set_axis(range(start, start + len(part)), axis=0)
