"""Tables that several units have in common: rows that enough of them point to, one in place of all others."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from synthkit.encoding.arrays import Ints
from synthkit.encoding.codecs.identifier import fresh
from synthkit.encoding.units.learned_table import OTHER
from synthkit.schema import Identifier, Numeric
from synthkit.schema.columns import Code

if TYPE_CHECKING:
    from synthkit.schema.linked.linked_table import LinkedTable


def remade(table: LinkedTable, frame: pd.DataFrame, hubs: Ints, rng: np.random.Generator) -> pd.DataFrame:
    """Rows of a shared table that may be told, in the order of their numbers, and one more for all others.

    The last row takes each of its values from one of the others by itself, so that it is nobody's.

    Args:
        table: its meaning.
        frame: its rows.
        hubs: those that enough units point to.
        rng: of the last row.
    """
    columns = [c for c, kind in table.columns.items() if not isinstance(kind, Identifier)]
    kept = frame.iloc[hubs][columns].reset_index(drop=True)
    if not len(frame):
        return kept
    last = {}
    for name in columns:
        kind = table.columns[name]
        source = kept[name] if len(kept) else _commonest(frame[name])
        value = source.iloc[int(rng.integers(len(source)))]
        if name in table.key:
            value = len(kept) + 1 if isinstance(kind, Numeric) else OTHER if isinstance(kind, Code) else value
        last[name] = pd.Series([value], dtype=kept[name].dtype if len(kept) else frame[name].dtype)
    return pd.concat([kept, pd.DataFrame(last, index=[0])], ignore_index=True) if columns else _rows(len(hubs) + 1)


def _rows(n: int) -> pd.DataFrame:
    return pd.DataFrame(index=range(n))


def _commonest(values: pd.Series) -> pd.Series:
    found = values.mode(dropna=False)
    return found if len(found) else values


def with_fresh_keys(table: LinkedTable, frame: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """The rows with identifiers made fresh."""
    made = {}
    for name, kind in table.columns.items():
        if isinstance(kind, Identifier):
            column = kind.model_copy(update={"unique": True}) if name in table.key else kind
            made[name] = fresh(name, column, len(frame), rng)
    return frame.assign(**made)[list(table.columns)]
