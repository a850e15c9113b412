"""Several sets of linked tables as one: the units of each, one set after the other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from synthkit.errors import TableError
from synthkit.tables.linked_tables import LinkedTables

if TYPE_CHECKING:
    from numpy.typing import NDArray


def stacked(parts: Sequence[LinkedTables]) -> LinkedTables:
    """The units of all parts with their rows; keys are not looked at, for every row knows its owner by position.

    Args:
        parts: tables of one schema, at least one.

    Raises:
        TableError: nothing is given, or the parts are of different schemas.
    """
    if not parts or any(part.schema != parts[0].schema for part in parts):
        msg = "tables to be stacked must be of one schema, one set at least; however: they are not. Type them anew"
        raise TableError(msg)
    if len(parts) == 1:
        return parts[0]
    first = parts[0]
    to = {(name, k): first.schema.tables[name].links[k].to for name, k in first.earlier}
    return replace(
        first,
        frames=_one([part.frames for part in parts]),
        shared=_one([part.shared for part in parts]),
        owners={
            name: _shifted([part.owners[name] for part in parts], parts, owner)
            for name, owner in first.schema.graph.owners.items()
        },
        earlier={link: _shifted([part.earlier[link] for part in parts], parts, to[link]) for link in first.earlier},
        validation=None,
    )


def _one(frames: Sequence[Mapping[str, pd.DataFrame]]) -> dict[str, pd.DataFrame]:
    return {name: pd.concat([each[name] for each in frames], ignore_index=True) for name in frames[0]}


def _shifted(positions: Sequence[NDArray[np.intp]], parts: Sequence[LinkedTables], to: str) -> NDArray[np.intp]:
    """Positions of rows of a table where the tables of all parts stand below each other; -1 stays."""
    sizes = [len(part.shared[to] if to in part.shared else part.frames[to]) for part in parts]
    before = np.cumsum([0, *sizes[:-1]])
    moved = [np.where(rows < 0, rows, rows + n) for rows, n in zip(positions, before, strict=True)]
    return np.concatenate(moved).astype(np.intp)
