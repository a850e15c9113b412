"""Keys of units that are given: they stay, so that what is drawn can be joined to what is known."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from synthkit.encoding.codecs.identifier import fresh
from synthkit.errors import SchemaError
from synthkit.schema.columns import Identifier
from synthkit.schema.linked.row_keys import RowKeys

if TYPE_CHECKING:
    from synthkit.schema.linked.linked_schema import LinkedSchema

_ROUNDS = 20  # how often keys are made again that somebody has already


def parted_keys(static: Mapping[str, Any] | pd.DataFrame, schema: LinkedSchema) -> tuple[Any, pd.DataFrame]:
    """What is known of units without their keys, and the keys; of no column if none is given.

    Keys are of one column, an identifier; keys of several columns are made fresh. **Shape**: (units, d).

    Args:
        static: values all units have, by column, or a frame of a row a unit.
        schema: what the tables mean.

    Raises:
        SchemaError: a key stands twice.
    """
    table = schema.tables[schema.unit]
    key = table.key[0] if len(table.key) == 1 else ""
    if not isinstance(static, pd.DataFrame) or key not in static or not isinstance(table.columns[key], Identifier):
        return static, pd.DataFrame()
    keys = static[[key]].reset_index(drop=True)
    there = keys[keys[key].notna()]
    twice = int(RowKeys.of(there, [key]).repeated.sum())
    if twice:
        msg = (
            f"`given` must name each row of `{schema.unit}` by a key of its own; however: {twice:,} keys stand twice. "
            f"Correct them, or leave `{key}` out, so that keys are made fresh"
        )
        raise SchemaError(msg)
    return static.drop(columns=key), keys


def with_keys(roots: pd.DataFrame, keys: pd.DataFrame, schema: LinkedSchema, rng: np.random.Generator) -> pd.DataFrame:
    """Units with the keys that were given; those without one get a fresh one that nobody has.

    Args:
        roots: the units. **Shape**: (units, d).
        keys: their keys, missing where none is known; of no column if none are.
        schema: what the tables mean.
        rng: of fresh keys.

    Raises:
        SchemaError: there are too few fresh keys that nobody has.
    """
    for name in map(str, keys.columns):
        column = schema.tables[schema.unit].columns[name]
        assert isinstance(column, Identifier)
        cells = keys[name].astype(object).to_numpy(copy=True)
        open_ = np.flatnonzero(pd.isna(keys[name]).to_numpy())
        for _ in range(_ROUNDS):
            if not len(open_):
                break
            made = fresh(name, column.model_copy(update={"unique": True}), len(open_), rng)
            cells[open_] = made.to_numpy(dtype=object)
            open_ = open_[RowKeys.of(pd.DataFrame({name: pd.Series(cells)}), [name]).repeated[open_]]
        if len(open_):
            msg = (
                f"every row of `{schema.unit}` must get a key that nobody has; however: after {_ROUNDS} rounds "
                f"{len(open_):,} of {len(cells):,} have none. Widen the `pattern` of `{name}`, or give all keys"
            )
            raise SchemaError(msg)
        roots = roots.assign(**{name: pd.Series(cells, dtype=object)})
    return roots
