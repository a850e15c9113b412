"""Tables without missing cells, for packages that take none, and the way back.

A missing level is a level of its own; a missing number is the column's mean, and beside the column stands a discrete
one that says so, from which the sample gets its gaps. That is RDT's treatment `from_column`, the one of the two that
keeps who lacks a value.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

NONE = "(missing)"
FLAG = "{} is missing"


@dataclass(frozen=True)
class Gapless:
    """A table without missing cells.

    Args:
        rows: numbers as floats, levels as texts.
        discrete: the columns with levels.
        gaps: the numbers that had gaps.
        columns: those of the table, in their order.
    """

    rows: pd.DataFrame
    discrete: list[str]
    gaps: list[str]
    columns: list[str]

    @classmethod
    def of(cls, table: pd.DataFrame, kinds: Mapping[str, str]) -> Gapless:
        """The table with its gaps filled and flagged."""
        out = table.copy()
        numbers = [name for name, kind in kinds.items() if kind == "numeric"]
        gaps = [name for name in numbers if table[name].isna().any()]
        for name in numbers:
            values = table[name].astype(float)
            out[name] = values.fillna(values.mean()).fillna(0.0)  # 0: a column without any value has no mean
        discrete = [name for name in table if name not in numbers]
        out[discrete] = out[discrete].fillna(NONE)
        for name in gaps:
            out[FLAG.format(name)] = np.where(table[name].isna(), "yes", "no")
        return cls(out, [*discrete, *(FLAG.format(name) for name in gaps)], gaps, list(table.columns))

    @property
    def codes(self) -> tuple[pd.DataFrame, dict[str, pd.Index]]:
        """The rows with whole numbers for levels, and the levels of each discrete column in the order of its codes."""
        out, levels = self.rows.copy(), {}
        for name in self.discrete:
            found, levels[name] = pd.factorize(out[name], sort=True)
            out[name] = found.astype("int64")
        return out, levels

    def restored(self, drawn: pd.DataFrame) -> pd.DataFrame:
        """Drawn rows with gaps where they say so."""
        out = drawn.copy()
        for name in self.gaps:
            out[name] = out[name].mask((out[FLAG.format(name)] == "yes").to_numpy())
        return out[self.columns].replace({NONE: None})

    def decoded(self, drawn: pd.DataFrame, levels: Mapping[str, pd.Index]) -> pd.DataFrame:
        """The same of drawn codes."""
        out = drawn.copy()
        for name, known in levels.items():
            out[name] = known.to_numpy()[out[name].to_numpy().astype("int64")]
        return self.restored(out)
