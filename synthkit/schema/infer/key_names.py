"""Keys of few persons or encounters: told by what the column is called together with what its cells do.

A key of fifty patients has no more values than a column of levels. Its name alone would take counts and school subjects
for keys as well; so either its cells are long numbers, or traits of the person never change within one value.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from synthkit.schema.columns import Boolean, Column, Datetime, Identifier
from synthkit.schema.infer import column_names
from synthkit.schema.infer.keys_of_entities import (
    EntityKey,
    key_role,
    list_in_words,
    repetition_in_words,
    trait_columns,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

MIN_KEY_DIGITS = 5  # digits of a number that hardly is a count, a grade or a level
_MAX_LOG_CHANCE = -9.0  # log-probability that a column never changes within a value: so rarely by chance
_MIN_CONSTANT_TRAITS = 2  # columns that must not change


def find_keys_by_name(
    frame: pd.DataFrame, columns: Mapping[str, Column], besides: Collection[str] = ()
) -> tuple[EntityKey, ...]:
    """Columns drafted as something else that are keys by their name and their cells, in the order of the columns.

    Args:
        frame: the rows.
        columns: the drafted kinds.
        besides: columns that somebody says are no keys.
    """
    return tuple(_called(frame, columns, besides))


def _called(frame: pd.DataFrame, columns: Mapping[str, Column], besides: Collection[str]) -> Iterator[EntityKey]:
    for name, column in columns.items():
        somebody = column_names.is_somebody(name)
        if not (somebody or column_names.numbers_somebody(name) or column_names.is_owner(name)):
            continue
        if name in besides or isinstance(column, Identifier | Datetime | Boolean):
            continue
        present = frame[name].dropna()
        rows, distinct = len(present), int(present.nunique())
        if not 2 <= distinct < rows:
            continue
        said = "long numbers" if (somebody or column_names.numbers_somebody(name)) and _long(present) else ""
        said = said or _constant(name, frame, columns)
        if said:
            yield EntityKey(name, key_role(name), rows, distinct, f"{repetition_in_words(rows, distinct)}; {said}")


def _texts(present: pd.Series) -> list[str]:
    """Different cells as texts, whole floats without their point."""
    return [str(cell).removesuffix(".0") for cell in present.unique()]


def _long(present: pd.Series) -> bool:
    """Whether every cell is a number of many digits, perhaps with letters before or behind it."""
    texts = _texts(present)
    return all(sum(c.isdigit() for c in text) >= MIN_KEY_DIGITS and text.isalnum() for text in texts)


def _constant(name: str, frame: pd.DataFrame, columns: Mapping[str, Column]) -> str:
    """Which columns never change within a value of `name`, in words; nothing if chance would do as much."""
    whole = frame[frame[name].notna()]
    texts = _texts(whole[name])
    if len(texts) < 3 or np.mean([any(c.isdigit() for c in text) for text in texts]) < 0.9:
        return ""  # levels that are words: subjects of a school, not people
    # rows that stand twice would tie everything to everything
    whole = whole.drop_duplicates([c for c, column in columns.items() if not isinstance(column, Identifier)])
    key = pd.factorize(whole[name])[0]
    others = {c: pd.factorize(whole[c], use_na_sentinel=False)[0] for c in trait_columns(whole, columns) if c != name}
    tied = [c for c, cells in others.items() if _never_changes(key, cells)]
    # what has as many values as the key is its other name, and says nothing of whom it names
    coarser = any(int(others[c].max()) < int(key.max()) for c in tied)
    return list_in_words(tied) if len(tied) >= _MIN_CONSTANT_TRAITS and coarser else ""


def _never_changes(key: NDArray[np.int64], other: NDArray[np.int64]) -> bool:
    """Whether `other` is the same in all rows of each value of `key`, and would not be by chance."""
    if len(np.unique(key.astype(np.int64) * (int(other.max()) + 1) + other)) > len(np.unique(key)):
        return False
    shares = np.bincount(other) / len(other)
    rows, values = np.unique(np.bincount(key), return_counts=True)
    chance = sum(n * float(np.log(np.power(shares, m).sum())) for m, n in zip(rows, values, strict=True) if m > 1)
    return bool(chance < _MAX_LOG_CHANCE)
