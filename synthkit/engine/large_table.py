"""A large table that keeps its schema: rows that stay in files, and the place where they are worked on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from synthkit.engine.parquet_source import ParquetSource
    from synthkit.engine.workplace import Workplace
    from synthkit.schema.violations import Validation


@dataclass(frozen=True, kw_only=True)
class LargeTable:
    """What `TypedTable` is to rows in memory.

    Args:
        source: the rows.
        place: where files lie while they are worked on.
        storages: how each column was stored, by name, which samples are to have as well.
        validation: what the table was held against.
        clamped: always empty: no cell is mapped into the domain.
    """

    source: ParquetSource
    place: Workplace
    storages: Mapping[str, str] = field(default_factory=dict)
    validation: Validation | None = None
    clamped: Mapping[str, int] = field(default_factory=dict)

    @property
    def rows(self) -> int:
        """Number of rows."""
        return self.source.rows
