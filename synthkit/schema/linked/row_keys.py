"""Keys of rows: which cells of two tables are one key, and which row a key names."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from synthkit.io.plain_columns import unpacked
from synthkit.schema.cells import is_missing, is_whole_cell, read_each
from synthkit.schema.unit_keys import unit_key

if TYPE_CHECKING:
    from numpy.typing import NDArray

SPELLED_ALIKE = "are found once spelled alike (as 007 and 7): write keys the same way in both tables"
_MAX_EXACT_FLOAT = 2.0**53
_WRITTEN_AS_FLOAT = re.compile(r"-?\d+\.0")


@dataclass(frozen=True)
class RowKeys:
    """The keys of the rows of a table.

    Args:
        parts: texts of each column of the key; None where a cell is missing. **Shape**: each (n,).
    """

    parts: tuple[NDArray[np.object_], ...]

    @classmethod
    def of(cls, frame: pd.DataFrame, columns: Sequence[str]) -> RowKeys:
        """The keys that some columns hold.

        Whole numbers are one key however they are stored (7, 7.0), and so are a number and its shortest text ("7");
        texts that are written otherwise ("007", "A1" beside "a1") are other keys.

        Example:
            >>> frame = pd.DataFrame({"a": [7.0, None], "b": ["x", "y"]})
            >>> RowKeys.of(frame, ["a", "b"]).complete.tolist()
            [True, False]
        """
        return cls(tuple(key_texts(frame[column]) for column in columns))

    def __len__(self) -> int:
        return len(self.parts[0])

    @property
    def missing(self) -> NDArray[np.intp]:
        """How many parts of each key are missing. **Shape**: (n,)."""
        return np.asarray(np.sum([pd.isna(part) for part in self.parts], axis=0), dtype=np.intp)

    @property
    def complete(self) -> NDArray[np.bool_]:
        """Rows whose key has all its parts. **Shape**: (n,)."""
        return np.asarray(self.missing == 0)

    @property
    def repeated(self) -> NDArray[np.bool_]:
        """Rows whose key is complete and stands in another row too. **Shape**: (n,)."""
        codes = self.codes()
        return np.asarray(self.complete & (np.bincount(codes, minlength=1)[codes] > 1))

    def codes(self) -> NDArray[np.int64]:
        """A number for each key, equal where the keys are. **Shape**: (n,)."""
        found = np.zeros(len(self), dtype=np.int64)
        for part in self.parts:
            mine, levels = pd.factorize(part, use_na_sentinel=True)
            found = pd.factorize(found * (len(levels) + 1) + mine + 1)[0]
        return found.astype(np.int64)

    def positions_in(self, to: RowKeys) -> NDArray[np.intp]:
        """Row of `to` that each key names, the first if several have it; -1 for none. **Shape**: (n,).

        A text such as "7.0", which a table of numbers becomes when some of its keys are missing, names the row of "7"
        where there is none of "7.0": codes in which the two differ ("250.0" beside "250") keep their rows.
        """
        found = self._exactly_in(to)
        lost = self.complete & (found < 0)
        if lost.any():
            found[lost] = RowKeys(tuple(part[lost] for part in self.parts)).whole._exactly_in(to.whole)
        return found

    def _exactly_in(self, to: RowKeys) -> NDArray[np.intp]:
        both = RowKeys(tuple(np.r_[theirs, mine] for theirs, mine in zip(to.parts, self.parts, strict=True)))
        codes = both.codes()
        named, asked = codes[: len(to)], codes[len(to) :]
        first = np.full(len(both) + 1, -1, dtype=np.intp)
        first[named[::-1]] = np.arange(len(to))[::-1]
        return np.where(self.complete, first[asked], -1).astype(np.intp)

    def loosely_in(self, to: RowKeys, asked: NDArray[np.bool_]) -> int:
        """How many of the rows asked for name a row of `to` once spelling is left aside: "007" for 7, "a1" for A1."""
        mine = RowKeys(tuple(part[asked] for part in self.parts)).loose
        return int((mine.positions_in(to.loose) >= 0).sum())

    @property
    def whole(self) -> RowKeys:
        """The keys, whole numbers that are written with .0 without it."""
        return RowKeys(tuple(_by_level(part, whole_text) for part in self.parts))

    @property
    def loose(self) -> RowKeys:
        """The keys with spelling left aside."""
        return RowKeys(tuple(_by_level(part, unit_key) for part in self.parts))


def key_texts(values: pd.Series) -> NDArray[np.object_]:
    """The text of each cell as a key, None where it is missing. **Shape**: (n,).

    Example:
        >>> key_texts(pd.Series([7, 7.0, "7", "007", None], dtype=object)).tolist()
        ['7', '7', '7', '007', None]
    """
    values = unpacked(values)
    if pd.api.types.is_object_dtype(values.dtype) and pd.api.types.infer_dtype(values) in ("mixed", "mixed-integer"):
        return read_each(values, _text)[0]  # among cells of any type are such as pandas cannot tell apart
    codes, levels = pd.factorize(values, use_na_sentinel=True)
    table = np.full(len(levels) + 1, None, dtype=object)
    table[:-1] = [_text(level) for level in levels]
    return np.asarray(table[codes], dtype=object)


def _text(cell: Any) -> str | None:
    if is_missing(cell) or (isinstance(cell, str) and not cell):
        return None
    if is_whole_cell(cell):
        return str(int(cell))
    if isinstance(cell, float | np.floating) and float(cell).is_integer() and abs(float(cell)) <= _MAX_EXACT_FLOAT:
        return str(int(cell))
    if isinstance(cell, Decimal) and cell.is_finite() and cell == cell.to_integral_value():
        return str(int(cell))
    return bytes(cell).decode(errors="replace") if isinstance(cell, bytes | bytearray) else str(cell)


def whole_text(text: str) -> str:
    """A key without the .0 of a whole number.

    Example:
        >>> whole_text("201006.0"), whole_text("250.1"), whole_text("1.0.0")
        ('201006', '250.1', '1.0.0')
    """
    return text[:-2] if _WRITTEN_AS_FLOAT.fullmatch(text) else text


def _by_level(part: NDArray[np.object_], of: Callable[[str], str | None]) -> NDArray[np.object_]:
    """A function of each text, missing ones left out. **Shape**: (n,) -> (n,)."""
    codes, levels = pd.factorize(part, use_na_sentinel=True)
    table = np.full(len(levels) + 1, None, dtype=object)
    table[:-1] = [of(level) for level in levels]
    return np.asarray(table[codes], dtype=object)
