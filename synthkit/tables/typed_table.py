"""A table typed once by its schema: what every later step takes as it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from synthkit.schema.typed_columns import check_structure
from synthkit.tables.storage import storages

if TYPE_CHECKING:
    import pandas as pd

    from synthkit.schema import Schema
    from synthkit.schema.violations import Validation


@dataclass(frozen=True, kw_only=True)
class TypedTable:
    """Rows in the dtypes of their schema, with what is remembered of the table they came in.

    Args:
        frame: the rows, in canonical dtypes (`synthkit.schema.conform`).
        storages: how each column was stored, by name, which samples are to have as well; none for text, whose cells
            the schema alone types, and under a budget, where they would tell of cells.
        validation: what the table was held against; None where it was typed alone, or that comes later.
        clamped: number of cells mapped into the declared domain, by column, and of lines and rows left out; INTERNAL.
    """

    frame: pd.DataFrame
    storages: Mapping[str, str] = field(default_factory=dict)
    validation: Validation | None = None
    clamped: Mapping[str, int] = field(default_factory=dict)

    @property
    def rows(self) -> int:
        """Number of rows."""
        return len(self.frame)

    @classmethod
    def of(cls, frame: pd.DataFrame, schema: Schema) -> TypedTable:
        """Type a frame something is to be learned from; its domain is not asked.

        Raises:
            SchemaError: nothing can be learned from the frame, as `synthkit.schema.typed_columns.check_structure` says.

        Example:
            >>> import pandas as pd
            >>> from synthkit.schema import Schema
            >>> schema = Schema(columns={"age": {"kind": "numeric", "decimals": 0}})
            >>> table = TypedTable.of(pd.DataFrame({"age": [61.0, 44.0]}), schema)
            >>> table.frame["age"].tolist(), dict(table.storages)
            ([61, 44], {'age': 'float64'})
        """
        typed = check_structure(frame, schema)
        return cls(frame=typed, storages=storages(frame, schema))
