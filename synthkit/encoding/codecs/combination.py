"""Columns that only occur in fixed combinations, as one joint slot."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
import pandas as pd

from synthkit.encoding.arrays import Bools, Cells, Ints, Residuals
from synthkit.encoding.codecs.codec import Codec, JsonObject, plain
from synthkit.encoding.coded_columns import CodedColumn
from synthkit.encoding.coding import Coding
from synthkit.encoding.histogram_query import Histogram
from synthkit.encoding.layout import Slot
from synthkit.encoding.smoothing import log_shares
from synthkit.errors import EncodingError
from synthkit.schema import Condition, Schema
from synthkit.schema.columns import Level, level_key, level_keys
from synthkit.schema.joint_columns import joint_combinations
from synthkit.schema.level_order import in_public_order
from synthkit.schema.named_levels import levels_named
from synthkit.schema.public_domain import NOT_STATED
from synthkit.schema.rules import MISSING_LEVEL

LevelRow = tuple[Level | None, ...]


@dataclass(frozen=True, kw_only=True)
class CombinationCodec(Codec):
    """Columns that only occur in fixed combinations, as one joint slot.

    Args:
        columns: the columns, two or more.
        combinations: the admissible tuples, None for missing. **Shape**: K tuples.
        counts: rows that have each. **Shape**: (K,).
        elsewhere: position of the combination that stands for every one not listed; None where there must be none.
    """

    columns: tuple[str, ...]
    combinations: tuple[LevelRow, ...]
    counts: Ints
    elsewhere: int | None = None

    @property
    def size(self) -> int:
        """Number of combinations."""
        return len(self.combinations)

    @property
    def level_counts(self) -> Ints:
        """Rows that have each combination. **Shape**: (K,)."""
        return self.counts

    def slots(self, name: str, at: int = 0) -> list[Slot]:
        """The one slot of these columns."""
        del at
        return [
            Slot(name=name, size=self.size, ordinal=False, missing=False, parent=None, prior=log_shares(self.counts))
        ]

    def encode_column(self, cells: pd.DataFrame) -> tuple[Ints, Residuals]:
        """Codes of the columns. **Shape**: n rows -> (n, 1), (n, 0)."""
        return self.encode(cells), np.empty((len(cells), 0), dtype=np.float32)

    def decode_column(self, levels: Ints, residuals: Residuals) -> tuple[Cells, ...]:
        """The columns of codes. **Shape**: (n, 1), (n, 0) -> (n,) each."""
        del residuals
        return tuple(values for _, values in self.decode(levels).items())

    def _keys(self) -> pd.MultiIndex:
        return pd.MultiIndex.from_tuples([_row_key(row) for row in self.combinations])

    def encode(self, frame: pd.DataFrame) -> Ints:
        """Combinations as integers. **Shape**: frame of n rows -> (n, 1).

        Raises:
            EncodingError: a row has a combination that is not admissible.
        """
        code = self._keys().get_indexer(self.row_keys(frame)).astype(np.int64)
        if self.elsewhere is not None:
            code = np.where(code < 0, self.elsewhere, code)
        if (code < 0).any():
            msg = (
                f"every row must have a known combination of {', '.join(self.columns)}; however: "
                f"{int((code < 0).sum())} rows have not. Add them to the rule's `combinations`"
            )
            raise EncodingError(msg)
        return code[:, None]

    def row_keys(self, frame: pd.DataFrame) -> pd.MultiIndex:
        """One comparable key a row."""
        return pd.MultiIndex.from_arrays(
            [level_keys(frame[c]).where(frame[c].notna().to_numpy(), MISSING_LEVEL) for c in self.columns]
        )

    def decode(self, cat: Ints) -> pd.DataFrame:
        """Integers as columns. **Shape**: (n, 1) -> frame of n rows."""
        out = {}
        for k, column in enumerate(self.columns):
            table = np.empty(self.size, dtype=object)
            table[:] = [row[k] for row in self.combinations]
            out[column] = pd.Series(table[cat[:, 0]], dtype=object)
        return pd.DataFrame(out)

    def matching(self, frame: pd.DataFrame, known: Bools, *, present: bool) -> Bools:
        """Combinations that agree with what is known of each row. **Shape**: frame of n rows, (n, c) -> (n, K) bool.

        Args:
            frame: the columns, anything where unknown.
            known: which cells are known. **Shape**: (n, number of columns).
            present: whether an unknown cell must not be missing.
        """
        out = np.ones((len(frame), self.size), dtype=bool)
        for k, column in enumerate(self.columns):
            mine = pd.Index([MISSING_LEVEL if row[k] is None else level_key(row[k]) for row in self.combinations])
            keys = level_keys(frame[column]).where(frame[column].notna().to_numpy(), MISSING_LEVEL)
            agree = keys.to_numpy()[:, None] == mine.to_numpy()[None, :]
            free = np.ones(self.size, dtype=bool) if not present else mine.to_numpy() != MISSING_LEVEL
            out &= np.where(known[:, [k]], agree, free[None, :])
        return out

    def meets(self, condition: Condition, column: str) -> tuple[Bools, Bools]:
        """Which combinations meet a condition on one column, surely and possibly. **Shape**: two of (K,) bool."""
        met = condition.met(self.decode(np.arange(self.size)[:, None])[column])
        return met, met

    def unseen(self, cells: pd.DataFrame) -> tuple[Bools, LevelRow]:
        """Rows of a combination that is not listed, and the commonest one. **Shape**: n rows -> (n,)."""
        known = np.ones(cells.shape, dtype=bool)
        listed = self.matching(cells, known, present=False).any(axis=1)
        return np.asarray(~listed), self.combinations[int(self.counts.argmax())]

    def published_keys(self, schema: Schema, column: str) -> dict[str, object]:
        """The levels that stand in combinations, and those that rules and targets name."""
        k = self.columns.index(column)
        found = {str(row[k]) for row in self.combinations if row[k] is not None}
        return {"levels": in_public_order(found | set(map(str, levels_named(schema, column)))) or (NOT_STATED,)}

    def to_dict(self) -> JsonObject:
        """Plain data for JSON."""
        return {
            "columns": list(self.columns),
            "combinations": [list(row) for row in self.combinations],
            "counts": self.counts.tolist(),
            "elsewhere": self.elsewhere,
        }

    @classmethod
    def from_dict(cls, data: JsonObject) -> Self:
        """Read what `to_dict` gave."""
        return cls(
            columns=tuple(data["columns"]),
            combinations=tuple(tuple(row) for row in data["combinations"]),
            counts=np.array(data["counts"], dtype=np.int64),
            elsewhere=data.get("elsewhere"),
        )


def fit_column(column: CodedColumn, histogram: Histogram, coding: Coding) -> CombinationCodec:
    """Fit a codec to a joint histogram: combinations of one rule that lists them all, otherwise those that occur."""
    del coding
    listed = listed_combinations(column)
    rows = [
        tuple(None if pd.isna(v) else plain(v) for v in row)
        for row in histogram.cells[list(column.members)].itertuples(index=False)
    ]
    counts = {_row_key(row): int(c) for row, c in zip(rows, histogram.counts, strict=True)}
    combinations = tuple(sorted(rows, key=lambda row: tuple(str(v) for v in row))) if listed is None else listed
    return CombinationCodec(
        columns=column.members,
        combinations=combinations,
        counts=np.array([counts.get(_row_key(row), 0) for row in combinations], dtype=np.int64),
    )


def listed_combinations(column: CodedColumn) -> tuple[LevelRow, ...] | None:
    """The combinations that a rule lists of exactly these columns, None where none does."""
    rules = (r.combinations for r in joint_combinations(column.schema) if r.of == column.members)
    return next((listed for listed in rules if listed is not None), None)


def _row_key(row: LevelRow) -> tuple[object, ...]:
    return tuple(MISSING_LEVEL if v is None else level_key(v) for v in row)
