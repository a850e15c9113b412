"""Typed linked tables in which every key has been looked up: what questions across tables are asked of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from synthkit.schema.linked.row_keys import RowKeys
from synthkit.schema.linked.row_moments import RowMoments

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from synthkit.schema.linked.link import Link
    from synthkit.schema.linked.linked_schema import LinkedSchema


@dataclass(frozen=True)
class ResolvedTables:
    """Typed frames of linked tables, rows as they came, and what is looked up in them, each thing once.

    Args:
        frames: typed rows by table; references without declared columns as they came.
        schema: the declared meaning.
    """

    frames: Mapping[str, pd.DataFrame]
    schema: LinkedSchema
    _keys: dict[tuple[str, tuple[str, ...]], RowKeys] = field(default_factory=dict, init=False, repr=False)
    _rows: dict[tuple[str, object], NDArray[np.intp]] = field(default_factory=dict, init=False, repr=False)

    def keys(self, table: str, columns: tuple[str, ...]) -> RowKeys:
        """The keys that some columns of a table hold."""
        if (table, columns) not in self._keys:
            self._keys[table, columns] = RowKeys.of(self.frames[table], columns)
        return self._keys[table, columns]

    def key_of(self, link: Link) -> tuple[str, ...]:
        """Columns of the table that a link points to; of a reference that declares no key, those of the same names."""
        return self.schema.tables[link.to].key or link.columns

    def pointed(self, table: str, link: Link) -> NDArray[np.intp]:
        """Row that each row points to, -1 for none. **Shape**: (n,)."""
        if (table, link) not in self._rows:
            mine = self.keys(table, link.columns)
            self._rows[table, link] = mine.positions_in(self.keys(link.to, self.key_of(link)))
        return self._rows[table, link]

    def owners(self, table: str) -> NDArray[np.intp]:
        """Row that each row belongs to, -1 for none; of units and tables beside them -1. **Shape**: (n,)."""
        link = self.schema.tables[table].owner
        return np.full(len(self.frames[table]), -1) if link is None else self.pointed(table, link)

    def ancestors(self, table: str, of: str) -> NDArray[np.intp]:
        """Row of an owner further up, or of the table itself, that each row belongs to; -1: none. **Shape**: (n,)."""
        if table == of:
            return np.arange(len(self.frames[table]))
        if (table, of) not in self._rows:
            above = self.ancestors(self.schema.graph.owners[table], of)
            self._rows[table, of] = np.r_[above, -1][self.owners(table)]
        return self._rows[table, of]

    def units(self, table: str) -> NDArray[np.intp]:
        """Unit of each row, -1 for none. **Shape**: (n,)."""
        return self.ancestors(table, self.schema.unit)

    def moments(self, table: str, column: str | None) -> RowMoments | None:
        """When rows happen by a column; None without one, or if it tells no time."""
        if column is None:
            return None
        return RowMoments.of(self.frames[table][column], self.schema.tables[table].columns[column])

    def starts(self, table: str) -> RowMoments | None:
        """When rows happen or begin."""
        order = self.schema.tables[table].order
        return None if order is None else self.moments(table, order.start)

    def ends(self, table: str) -> RowMoments | None:
        """When rows end; None if they do not last."""
        order = self.schema.tables[table].order
        return None if order is None else self.moments(table, order.until)
