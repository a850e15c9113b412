"""Groups of 0/1 columns of which exactly one is 1 in every row: one answer, written as a column for each choice."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from synthkit.schema.columns import Column
from synthkit.schema.infer.column_names import name_words
from synthkit.schema.joint_columns import is_flag
from synthkit.schema.number_cells import numbers
from synthkit.schema.rules import ExactlyOne

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

MIN_ROWS_OF_GROUP = 20  # fewer rows tell no group
_MIN_ROWS_PER_CHOICE = 5
_MAX_GROUP_COLUMNS = 200  # columns of one group

Flags = Mapping[str, "NDArray[np.float64]"]


def find_one_hot_groups(frame: pd.DataFrame, columns: Mapping[str, Column]) -> tuple[ExactlyOne, ...]:
    """Groups found in a frame, in the order of the columns: those that begin alike, then neighbours.

    Every row has exactly one 1 and else 0, or no cell at all; at least 20 rows, and five a column, have one.

    Args:
        frame: the rows.
        columns: the drafted kinds.

    Example:
        >>> import pandas as pd
        >>> from synthkit.schema.columns import Boolean
        >>> frame = pd.DataFrame({"own": [1, 0, 0] * 9, "rent": [0, 1, 0] * 9, "free": [0, 0, 1] * 9})
        >>> find_one_hot_groups(frame, {name: Boolean(levels=(0, 1)) for name in frame})[0].sentence
        'exactly one of own, rent, free'
    """
    order = list(columns)
    flags = {name: numbers(frame[name]) for name, column in columns.items() if is_flag(column)}
    flags = {name: x for name, x in flags.items() if (x == 1).any() and (x == 0).any()}
    found: list[tuple[str, ...]] = []
    taken: set[str] = set()
    for group in (*_alike(flags), *_neighbours(flags)):
        if not taken & set(group) and exactly_one([flags[name] for name in group]):
            taken |= set(group)
            found.append(group)
    return tuple(ExactlyOne(of=group, observed=True) for group in sorted(found, key=lambda g: order.index(g[0])))


def exactly_one(flags: Sequence[NDArray[np.float64]]) -> bool:
    """Whether flags are a group. **Shape**: k columns of (n,), NaN where missing."""
    absent = np.isnan(flags[0])
    if len(flags) < 2 or any((np.isnan(x) != absent).any() for x in flags):
        return False
    rows = int((~absent).sum())
    total = np.sum([np.nan_to_num(x) for x in flags], axis=0)
    return rows >= max(MIN_ROWS_OF_GROUP, _MIN_ROWS_PER_CHOICE * len(flags)) and bool((total[~absent] == 1).all())


def _alike(flags: Flags) -> Iterator[tuple[str, ...]]:
    """Columns whose names differ in the last word only."""
    stems: dict[tuple[str, ...], list[str]] = {}
    for name in flags:
        if len(parts := name_words(name)) > 1:
            stems.setdefault(parts[:-1], []).append(name)
    yield from (tuple(names) for names in stems.values() if len(names) > 1)


def _neighbours(flags: Flags) -> Iterator[tuple[str, ...]]:
    """Runs of columns side by side that are never 1 together, as soon as one is in every row."""
    names = list(flags)
    start = 0
    while start < len(names) - 1:
        run = _run(flags, names[start : start + _MAX_GROUP_COLUMNS])
        if run:
            yield run
        start += max(len(run), 1)


def _run(flags: Flags, names: list[str]) -> tuple[str, ...]:
    absent = np.isnan(flags[names[0]])
    held = np.zeros(len(absent), dtype=bool)
    for k, name in enumerate(names):
        mine = flags[name] == 1
        if (held & mine).any() or (np.isnan(flags[name]) != absent).any():
            return ()
        held |= mine
        if k and held[~absent].all():
            return tuple(names[: k + 1])
    return ()
