"""Levels and combinations of levels as small integers, fitted from a histogram."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from synthkit.encoding.codecs.numeric import Ints
from synthkit.encoding.layout import Slot
from synthkit.encoding.smoothing import log_shares
from synthkit.errors import EncodingError
from synthkit.schema import Condition
from synthkit.schema.columns import Level, level_index, level_key, level_keys
from synthkit.schema.rules import MISSING_LEVEL


@dataclass(frozen=True, kw_only=True)
class LevelsCodec:
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

    def slots(self, name: str) -> list[Slot]:
        """The one slot of this column."""
        counts = self.counts if self.missing is None else np.append(self.counts, self.missing)
        return [
            Slot(
                name=name,
                size=self.size,
                ordinal=self.ordinal,
                missing=self.missing is not None,
                parent=None,
                prior=log_shares(counts),
            )
        ]

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
            heads = _heads([str(level) for level in self.levels], self.counts)
            found, which = np.unique(values[strange].astype(str).to_numpy(), return_inverse=True)
            code[strange] = np.array([_relative(each, heads) for each in found])[which]
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

    def meets(self, condition: Condition) -> NDArray[np.bool_]:
        """Which levels meet a condition. **Shape**: (K,) bool."""
        return condition.met(self.decode(np.arange(self.size)[:, None]))

    def to_dict(self) -> dict[str, Any]:
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
    def from_dict(cls, data: dict[str, Any]) -> LevelsCodec:
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
    heads = _heads([str(level) for level in known], counts[kept])
    kin = [(levels[k], _relative(str(levels[k]), heads)) for k in np.flatnonzero(~kept)]
    for (_, at), k in zip(kin, np.flatnonzero(~kept), strict=True):
        mass[at] += counts[k]
    return LevelsCodec(levels=tuple(known), counts=mass, missing=missing, ordinal=False, rare=tuple(kin))


def _heads(known: list[str], mass: Ints) -> dict[str, int]:
    """For every beginning of a known code, the most frequent code that begins so."""
    heads: dict[str, int] = {}
    for k in np.argsort(-mass, kind="stable").tolist():
        for length in range(len(known[k]) + 1):
            heads.setdefault(known[k][:length], k)
    return heads


def _relative(code: str, heads: dict[str, int]) -> int:
    return next(heads[code[:length]] for length in range(len(code), -1, -1) if code[:length] in heads)


@dataclass(frozen=True, kw_only=True)
class CombinationCodec:
    """Columns that only occur in fixed combinations, as one joint slot.

    Args:
        columns: the columns, two or more.
        combinations: the admissible tuples, None for missing. **Shape**: K tuples.
        counts: rows that have each. **Shape**: (K,).
        elsewhere: position of the combination that stands for every one not listed; None where there must be none.
    """

    columns: tuple[str, ...]
    combinations: tuple[tuple[Level | None, ...], ...]
    counts: Ints
    elsewhere: int | None = None

    @property
    def size(self) -> int:
        """Number of combinations."""
        return len(self.combinations)

    def slots(self, name: str) -> list[Slot]:
        """The one slot of these columns."""
        return [
            Slot(name=name, size=self.size, ordinal=False, missing=False, parent=None, prior=log_shares(self.counts))
        ]

    def _keys(self) -> pd.MultiIndex:
        rows = [tuple(MISSING_LEVEL if v is None else level_key(v) for v in row) for row in self.combinations]
        return pd.MultiIndex.from_tuples(rows)

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

    def matching(self, frame: pd.DataFrame, known: NDArray[np.bool_], *, present: bool) -> NDArray[np.bool_]:
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

    def meets(self, column: str, condition: Condition) -> NDArray[np.bool_]:
        """Which combinations meet a condition on one of the columns. **Shape**: (K,) bool."""
        return condition.met(self.decode(np.arange(self.size)[:, None])[column])

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return {
            "columns": list(self.columns),
            "combinations": [list(row) for row in self.combinations],
            "counts": self.counts.tolist(),
            "elsewhere": self.elsewhere,
        }

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> CombinationCodec:
        """Read what `to_dict` gave."""
        return cls(
            columns=tuple(data["columns"]),
            combinations=tuple(tuple(row) for row in data["combinations"]),
            counts=np.array(data["counts"], dtype=np.int64),
            elsewhere=data.get("elsewhere"),
        )
