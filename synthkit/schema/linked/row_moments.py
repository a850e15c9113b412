"""When rows happen, on one clock: moments or numbers that compare as finely as the coarser of two columns tells."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from synthkit.schema.columns import Column, Datetime, Numeric

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True)
class RowMoments:
    """A moment or number a row.

    Args:
        values: microseconds, or numbers; 0 where there is none. **Shape**: (n,).
        present: where there is one. **Shape**: (n,).
        step: microseconds the column tells apart; 0 for numbers.
    """

    values: NDArray[np.int64] | NDArray[np.float64]
    present: NDArray[np.bool_]
    step: int = 0

    @classmethod
    def of(cls, values: pd.Series, column: Column) -> RowMoments | None:
        """Those of a typed column; None if it is neither a moment nor a number."""
        present = values.notna().to_numpy()
        if isinstance(column, Datetime) and pd.api.types.is_datetime64_dtype(values.dtype):
            ticks = values.to_numpy(dtype="datetime64[us]").astype(np.int64)
            return cls(np.where(present, ticks, 0), present, column.step)
        if isinstance(column, Numeric) and pd.api.types.is_numeric_dtype(values.dtype):
            numbers = values.to_numpy(dtype=np.float64, na_value=np.nan)
            return cls(np.where(present, numbers, 0.0), present)
        return None

    def at(self, positions: NDArray[np.intp]) -> RowMoments:
        """Those of other rows, -1 for none."""
        if not len(self.values):
            return RowMoments(np.zeros(len(positions)), np.zeros(len(positions), dtype=bool), self.step)
        return RowMoments(self.values[positions], self.present[positions] & (positions >= 0), self.step)

    def later(self, other: RowMoments) -> NDArray[np.bool_]:
        """Where both are there and this one is later, as far as the coarser of the two tells. **Shape**: (n,).

        A day that is written without an hour may be any moment of it.

        Example:
            >>> day = Datetime(precision="day")
            >>> noon = RowMoments.of(pd.Series(pd.to_datetime(["2021-07-01 12:00"])), Datetime())
            >>> noon.later(RowMoments.of(pd.Series(pd.to_datetime(["2021-07-01"])), day)).tolist()
            [False]
        """
        step = max(self.step, other.step)
        mine, theirs = (self.values, other.values) if step <= 1 else (self.values // step, other.values // step)
        return np.asarray(self.present & other.present & (mine > theirs))
