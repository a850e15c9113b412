"""Levels of one column as small integers; of an open catalogue, rare codes as their nearest relatives."""

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
from synthkit.schema import Code, Condition, Identifier, Ordinal, Schema
from synthkit.schema.columns import Level, level_index, level_key, level_keys


@dataclass(frozen=True, kw_only=True)
class LevelsCodec(Codec):
    """Reversible coding of one column with levels.

    Args:
        levels: the levels a model learns, in order.
        counts: rows that have each. **Shape**: (K,).
        missing: rows without a value, None if the column is never missing.
        ordinal: whether the order means something.
        rare: levels too rare to be learned, each with the position of the level that stands for it.
        elsewhere: position of the level that stands for every value not listed; None where there must be none.
        relatives: whether a value not listed is coded as the level that shares the longest beginning with it.

    Example:
        >>> codec = LevelsCodec(levels=("no", "yes"), counts=np.array([3, 1]), missing=None, ordinal=False)
        >>> codec.encode(pd.Series(["yes", "no"])).ravel().tolist()
        [1, 0]
    """

    levels: tuple[Level, ...]
    counts: Ints
    missing: int | None
    ordinal: bool
    rare: tuple[tuple[Level, int], ...] = ()
    elsewhere: int | None = None
    relatives: bool = False

    @property
    def size(self) -> int:
        """Number of levels, missing included."""
        return len(self.levels) + (self.missing is not None)

    @property
    def level_counts(self) -> Ints:
        """Rows at each level, missing included. **Shape**: (K,)."""
        return self.counts if self.missing is None else np.append(self.counts, self.missing)

    def slots(self, name: str, at: int = 0) -> list[Slot]:
        """The one slot of this column."""
        del at
        return [
            Slot(
                name=name,
                size=self.size,
                ordinal=self.ordinal,
                missing=self.missing is not None,
                parent=None,
                prior=log_shares(self.level_counts),
            )
        ]

    def encode_column(self, cells: pd.DataFrame) -> tuple[Ints, Residuals]:
        """Codes of the one column. **Shape**: n rows -> (n, 1), (n, 0)."""
        return self.encode(cells.iloc[:, 0]), np.empty((len(cells), 0), dtype=np.float32)

    def decode_column(self, levels: Ints, residuals: Residuals) -> tuple[Cells, ...]:
        """Levels of codes. **Shape**: (n, 1), (n, 0) -> (n,)."""
        del residuals
        return (self.decode(levels),)

    def encode(self, values: pd.Series) -> Ints:
        """Levels as integers. **Shape**: (n,) -> (n, 1).

        Raises:
            EncodingError: a value is none of the levels, or missing where nothing may be.
        """
        index = level_index(self.levels)
        code = index.get_indexer(level_keys(values)).astype(np.int64)
        if self.rare:
            kin = pd.Series({level_key(level): k for level, k in self.rare})
            stand_in = kin.reindex(level_keys(values)).to_numpy(dtype=float)
            code = np.where((code < 0) & ~np.isnan(stand_in), np.nan_to_num(stand_in), code).astype(np.int64)
        absent = values.isna().to_numpy()
        if self.relatives and (strange := (code < 0) & ~absent).any():
            heads = heads_of([str(level) for level in self.levels], self.counts)
            found, which = np.unique(values[strange].astype(str).to_numpy(), return_inverse=True)
            code[strange] = np.array([nearest_relative(each, heads) for each in found])[which]
        if self.missing is not None:
            code = np.where(absent, len(self.levels), code)
        if self.elsewhere is not None:
            code = np.where(code < 0, self.elsewhere, code)
        if (code < 0).any():
            msg = (
                f"every value must be a level the encoder was fitted on; however: {int((code < 0).sum())} rows are not "
                f"({int((absent & (code < 0)).sum())} of them missing). Declare the level or `nullable: true`"
            )
            raise EncodingError(msg)
        return code[:, None]

    def decode(self, cat: Ints) -> pd.Series:
        """Integers as levels, missing as None. **Shape**: (n, 1) -> (n,)."""
        table = np.empty(len(self.levels) + 1, dtype=object)
        table[:-1] = self.levels
        table[-1] = None
        return pd.Series(table[cat[:, 0]], dtype=object)

    def meets(self, condition: Condition, column: str = "") -> tuple[Bools, Bools]:
        """Which levels surely, and which possibly, meet a condition: the same ones. **Shape**: two of (K,) bool."""
        del column
        met = condition.met(self.decode(np.arange(self.size)[:, None]))
        return met, met

    def unseen(self, cells: pd.DataFrame) -> tuple[Bools, tuple[Level | None, ...]]:
        """Cells that are no level, nor a rare one, and the commonest level. **Shape**: n rows -> (n,)."""
        values = cells.iloc[:, 0]
        absent = values.isna().to_numpy()
        learned = level_index((*self.levels, *(level for level, _ in self.rare)))
        foreign = learned.get_indexer(level_keys(values)) < 0
        strange: Bools = np.where(absent, self.missing is None, foreign)
        return strange, (self.levels[int(self.counts.argmax())] if self.levels else None,)

    def published_keys(self, schema: Schema, column: str) -> dict[str, object]:
        """The levels."""
        del schema, column
        return {"levels": self.levels}

    @property
    def rare_level_count(self) -> int:
        """Levels that are coded as others."""
        return len(self.rare)

    def to_dict(self) -> JsonObject:
        """Plain data for JSON."""
        return {
            "levels": list(self.levels),
            "counts": self.counts.tolist(),
            "missing": self.missing,
            "ordinal": self.ordinal,
            "rare": [list(r) for r in self.rare],
            "elsewhere": self.elsewhere,
            "relatives": self.relatives,
        }

    @classmethod
    def from_dict(cls, data: JsonObject) -> Self:
        """Read what `to_dict` gave."""
        return cls(
            levels=tuple(data["levels"]),
            counts=np.array(data["counts"], dtype=np.int64),
            missing=data["missing"],
            ordinal=data["ordinal"],
            rare=tuple((level, k) for level, k in data["rare"]),
            elsewhere=data.get("elsewhere"),
            relatives=data.get("relatives", False),
        )


def fit_column(column: CodedColumn, histogram: Histogram, coding: Coding) -> LevelsCodec:
    """Fit a codec to the histogram of a column of levels; those of a code nobody listed are the ones that occur."""
    kind, values = column.column, histogram.cells[column.name]
    absent = values.isna().to_numpy()
    present, missing = histogram.counts[~absent], column.missing(histogram)
    if isinstance(kind, Code) and kind.levels is None:
        return fit_code([plain(v) for v in values[~absent]], present, missing, rare=coding.rare)
    counts = {level_key(v): int(c) for v, c in zip(values[~absent], present, strict=True)}
    listed: tuple[Level, ...] = () if isinstance(kind, Identifier) else getattr(kind, "levels", None) or ()
    return LevelsCodec(
        levels=listed,
        counts=np.array([counts.get(level_key(v), 0) for v in listed], dtype=np.int64),
        missing=missing,
        ordinal=isinstance(kind, Ordinal),
    )


def fit_code(levels: list[Level], counts: Ints, missing: int | None, *, rare: int) -> LevelsCodec:
    """Fit a codec to an open catalogue: codes held by fewer than `rare` rows are coded as their nearest relative.

    The nearest relative of a code is the learned code that shares the longest prefix with it, the more frequent one
    where several do: a rare ICD-9 code 250.53 is learned, and released, as another code under 250.5, or 250.

    Args:
        levels: the codes that occur. **Shape**: (v,).
        counts: rows that have each. **Shape**: (v,).
        missing: rows without a code, None if that cannot happen.
        rare: smallest count to be learned by itself.
    """
    order = sorted(range(len(levels)), key=lambda k: str(levels[k]))
    levels, counts = [levels[k] for k in order], counts[order]
    kept = counts >= rare if (counts >= rare).any() else counts == counts.max(initial=0)
    known = [levels[k] for k in np.flatnonzero(kept)]
    mass = counts[kept].copy()
    heads = heads_of([str(level) for level in known], counts[kept])
    kin = [(levels[k], nearest_relative(str(levels[k]), heads)) for k in np.flatnonzero(~kept)]
    for (_, at), k in zip(kin, np.flatnonzero(~kept), strict=True):
        mass[at] += counts[k]
    return LevelsCodec(levels=tuple(known), counts=mass, missing=missing, ordinal=False, rare=tuple(kin))


def heads_of(known: list[str], mass: Ints) -> dict[str, int]:
    """For every beginning of a known code, the most frequent code that begins so."""
    heads: dict[str, int] = {}
    for k in np.argsort(-mass, kind="stable").tolist():
        for length in range(len(known[k]) + 1):
            heads.setdefault(known[k][:length], k)
    return heads


def nearest_relative(code: str, heads: dict[str, int]) -> int:
    """Position of the known code with the longest beginning in common, the most frequent one of several."""
    return next(heads[code[:length]] for length in range(len(code), -1, -1) if code[:length] in heads)
