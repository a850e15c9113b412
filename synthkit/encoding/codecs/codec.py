"""What a codec is: a reversible coding of one column, or of columns that go together.

A codec turns cells into small integers, the levels of its slots, and for numbers into a position inside a cell. Six
members say how; the others ask what rules, conditional draws, anomaly scores, raking and privacy need to know of it,
and have answers that hold for any codec: override those of which yours knows more.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar, Protocol, Self

import numpy as np
import pandas as pd

from synthkit.encoding.arrays import Bools, Cells, Floats, Ints, Numbers, Residuals
from synthkit.encoding.layout import Slot
from synthkit.schema import Condition, Schema
from synthkit.schema.columns import Level

JsonObject = dict[str, Any]


class NumberCells(Protocol):
    """The cells of a codec of numbers, ordered by position: what value links are found in and drawn with."""

    @property
    def low(self) -> Numbers:
        """Lower bounds, with those of `high` equal for a point. **Shape**: (m,)."""
        ...

    @property
    def high(self) -> Numbers:
        """Upper bounds, which belong to the next cell. **Shape**: (m,)."""
        ...

    @property
    def group(self) -> Ints:
        """Coarse level of each cell, non-decreasing. **Shape**: (m,)."""
        ...

    @property
    def mass(self) -> Ints:
        """Rows in each cell. **Shape**: (m,)."""
        ...

    @property
    def levels(self) -> int:
        """Coarse levels, missing included."""
        ...

    @property
    def decimals(self) -> int | None:
        """Digits kept, None if unrestricted."""
        ...

    @property
    def minimum(self) -> float | None:
        """Declared minimum."""
        ...

    @property
    def maximum(self) -> float | None:
        """Declared maximum."""
        ...

    def read(self, values: pd.Series) -> Numbers:
        """The numbers of a coded column. **Shape**: (n,) -> (n,)."""
        ...

    def absent(self, x: Numbers) -> Bools:
        """Where no value is. **Shape**: (n,) -> (n,)."""
        ...

    def cells(self, x: Numbers) -> Ints:
        """The cell of each value, the nearest where none holds it. **Shape**: (n,) -> (n,)."""
        ...


class Codec(ABC):
    """A reversible coding of the cells of a coded column; frozen, and a function of what it was fitted to.

    The contract, which `tests/contract/test_codecs.py` holds every codec of the registry against:

    1. Levels lie in `range(slot.size)` of their slot and residuals in [0, 1); there are as many of both as `slots` and
       `residual_count` say. The first slot is the coarse one; a second may lie under it. A slot with `missing` has
       that as its last level.
    2. What was coded decodes to the cells it came from, to the precision the codec states; codes of what was decoded
       are the same codes.
    3. Any levels and residuals that can be drawn decode to cells the column admits.
    4. `level_counts` are the rows it was fitted to, and the coarse slot's prior their smoothed shares.
    5. A level meets a condition `surely` only if every cell it decodes to does, and `possibly` if any might.
    6. A copy made of `to_dict` through JSON codes and decodes alike; its keys are kept for ever.
    """

    residual_count: ClassVar[int] = 0  # positions inside cells that a row has: 1 for numbers

    @abstractmethod
    def slots(self, name: str, at: int = 0) -> list[Slot]:
        """The slots of a row.

        Args:
            name: the coded column, for people.
            at: index that the first slot has in the layout; the parent of a fine slot.
        """

    @property
    @abstractmethod
    def level_counts(self) -> Floats | Ints:
        """Rows at each level of the first slot, noisy or not. **Shape**: (K,)."""

    @abstractmethod
    def encode_column(self, cells: pd.DataFrame) -> tuple[Ints, Residuals]:
        """Codes of cells, a frame of the columns that go together. **Shape**: n rows -> (n, slots), (n, residuals).

        Raises:
            EncodingError: a cell has no code; says how many, and none of them.
        """

    @abstractmethod
    def decode_column(self, levels: Ints, residuals: Residuals) -> tuple[Cells, ...]:
        """Cells of codes, one array a column. **Shape**: (n, slots), (n, residuals) -> (n,) each."""

    @abstractmethod
    def to_dict(self) -> JsonObject:
        """Plain data for JSON."""

    @classmethod
    @abstractmethod
    def from_dict(cls, data: JsonObject) -> Self:
        """Read what `to_dict` gave."""

    def meets(self, condition: Condition, column: str) -> tuple[Bools, Bools]:
        """Which levels of the first slot surely, and which possibly, meet a condition. **Shape**: (K,) each.

        Unless overridden nothing is sure and everything possible: such a rule is kept by drawing again.
        """
        del condition, column
        size = self.slots("")[0].size
        return np.zeros(size, dtype=bool), np.ones(size, dtype=bool)

    def matching(self, cells: pd.DataFrame, known: Bools, *, present: bool) -> Bools | None:
        """Levels of the first slot that agree with cells known in part; None where a column stands alone.

        A codec of several columns must override it. **Shape**: n rows, (n, columns) -> (n, K).

        Args:
            cells: the columns, anything where unknown.
            known: which cells are known.
            present: whether an unknown cell must not be missing.
        """
        del cells, known, present
        return None

    def unseen(self, cells: pd.DataFrame) -> tuple[Bools, tuple[Level | None, ...]]:
        """Rows whose cells have no code, and the commonest cells in their place, one a column. **Shape**: (n,)."""
        slot = self.slots("")[0]
        levels = np.full((1, len(self.slots(""))), 0, dtype=np.int64)
        levels[0, 0] = int(self.level_counts[: slot.size - slot.missing].argmax()) if slot.size > slot.missing else 0
        usual = self.decode_column(levels, np.full((1, self.residual_count), 0.5, dtype=np.float32))
        absent = cells.isna().any(axis=1).to_numpy(dtype=bool)
        return absent & (not slot.missing), tuple(plain(pd.Series(each).iloc[0]) for each in usual)

    def log_width(self, cells: pd.DataFrame, *, graded: bool = False) -> Floats:
        """Log of how many values share the codes of each row. **Shape**: n rows -> (n,).

        The probability of a code divided by it is that of the value.

        Args:
            cells: the columns.
            graded: whether a value no cell holds counts by how far off it lies, instead of next to nothing.
        """
        del graded
        return np.zeros(len(cells))

    def published_keys(self, schema: Schema, column: str) -> Mapping[str, object]:
        """What of a column's declaration this codec was told under a budget, by key of the schema."""
        del schema, column
        return {}

    @property
    def number_cells(self) -> NumberCells | None:
        """The cells in which other numbers may be found again; None where there are none."""
        return None

    @property
    def rare_level_count(self) -> int:
        """Levels that occur and are coded as others, for too few rows have them."""
        return 0


def plain(value: Any) -> Level:
    """A cell as plain data for JSON."""
    out: Level = value.item() if hasattr(value, "item") else value
    return out
