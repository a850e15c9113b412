"""Features of learners: columns encoded as inputs, fitted on the rows a model is trained on and on nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd

from synthkit.metrics.stats.binning import numbers
from synthkit.schema.columns import Discrete, level_keys

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping

    from numpy.typing import NDArray

    from synthkit.schema import Schema

MAX_ONE_HOT_LEVELS, MAX_TREE_CODES = (
    40,
    250,
)  # levels that get a column of their own; codes a boosted tree takes natively


@dataclass(frozen=True)
class FeatureEncoder:
    """Inputs in two forms: numbers and integer codes for trees, standardised and one-hot for linear models.

    Args:
        numeric: centre, spread and median of each quantity in the fitted rows.
        levels: rank by frequency of each level of a discrete column in the fitted rows.
    """

    numeric: Mapping[str, tuple[float, float, float]]
    levels: Mapping[str, Mapping[Hashable, int]]

    @classmethod
    def fit(cls, frame: pd.DataFrame, schema: Schema, names: Sequence[str]) -> FeatureEncoder:
        """Learn centres and levels of the columns `names` from `frame`."""
        numeric, levels = {}, {}
        for name in names:
            if isinstance(schema.columns[name], Discrete):
                counts = pd.Series(level_keys(frame[name].dropna())).value_counts()
                order = sorted(counts.index, key=lambda key: (-counts[key], str(key)))
                levels[name] = {key: k for k, key in enumerate(order)}
            else:
                x = numbers(frame[name])
                x = x[~np.isnan(x)]
                numeric[name] = (
                    (float(x.mean()), float(x.std()) or 1.0, float(np.median(x))) if len(x) else (0.0, 1.0, 0.0)
                )
        return cls(numeric, levels)

    @property
    def names(self) -> tuple[str, ...]:
        """Columns in the order of `trees`: quantities, then levels."""
        return (*self.numeric, *self.levels)

    @property
    def categorical(self) -> list[bool]:
        """Which columns of `trees` are codes."""
        return [False] * len(self.numeric) + [True] * len(self.levels)

    def blocks(self, form: Literal["linear", "trees"]) -> list[slice]:
        """Which inputs of a form come of each of `names`."""
        if form == "trees":
            return [slice(k, k + 1) for k in range(len(self.names))]
        widths = [2] * len(self.numeric) + [min(len(ranks), MAX_ONE_HOT_LEVELS) for ranks in self.levels.values()]
        return [slice(end - width, end) for width, end in zip(widths, np.cumsum(widths).tolist(), strict=True)]

    def trees(self, frame: pd.DataFrame) -> NDArray[np.float64]:
        """Numbers as they are and levels as codes; missing and unknown cells are nan. **Shape**: n rows -> (n, d)."""
        columns = [numbers(frame[name]) for name in self.numeric]
        for name in self.levels:
            codes = self._codes(frame, name, MAX_TREE_CODES)
            columns.append(np.where(codes < 0, np.nan, codes))
        return np.stack(columns, axis=1) if columns else np.empty((len(frame), 0))

    def linear(self, frame: pd.DataFrame) -> NDArray[np.float64]:
        """Standardised numbers with the median for missing ones and a flag, levels one-hot.

        Rare levels share a column; unknown and missing ones have none set. Numbers are cut to +-10 spreads, so that
        one absurd cell does not steer a linear model. **Shape**: n rows -> (n, p).
        """
        blocks = []
        for name, (centre, spread, median) in self.numeric.items():
            x = numbers(frame[name])
            absent = np.isnan(x)
            scaled = np.clip((np.where(absent, median, x) - centre) / spread, -10, 10)
            blocks.append(np.stack([scaled, absent.astype(float)], axis=1))
        for name, ranks in self.levels.items():
            codes = self._codes(frame, name, MAX_ONE_HOT_LEVELS)
            hot = np.zeros((len(frame), min(len(ranks), MAX_ONE_HOT_LEVELS)))
            seen = np.flatnonzero(codes >= 0)
            hot[seen, codes[seen]] = 1
            blocks.append(hot)
        return np.concatenate(blocks, axis=1) if blocks else np.zeros((len(frame), 1))

    def _codes(self, frame: pd.DataFrame, name: str, most: int) -> NDArray[np.intp]:
        codes, uniques = pd.factorize(level_keys(frame[name]), use_na_sentinel=True)
        ranks = self.levels[name]
        table = np.array([*(min(ranks.get(key, -1), most - 1) for key in uniques), -1], dtype=np.intp)
        return table[codes]


def without_empty(x: NDArray[np.float64], empty: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Inputs with nought in columns that no fitted row has a value in: boosted trees cannot cut them.

    **Shape**: (n, d), (d,) -> (n, d).
    """
    return np.where(empty, 0.0, x)
