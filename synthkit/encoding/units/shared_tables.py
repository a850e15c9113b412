"""Tables that several units have in common: rows that enough of them point to, one in place of all others."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from synthkit.encoding.arrays import Ints
from synthkit.encoding.codecs.identifier import fresh
from synthkit.encoding.units.learned_table import OTHER, pointer
from synthkit.schema import Identifier, Numeric
from synthkit.schema.columns import Code
from synthkit.tables.linked_tables import key_positions

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from synthkit.schema.linked import LinkedSchema
    from synthkit.schema.linked.linked_table import LinkedTable


def remade(
    name: str,
    schema: LinkedSchema,
    frames: Mapping[str, pd.DataFrame],
    hubs: Mapping[str, Ints],
    rng: np.random.Generator,
) -> pd.DataFrame:
    """Rows of a shared table that may be told, in the order of their numbers, and one more for all others.

    The last row takes each of its values from one of the others by itself, so that it is nobody's. Where rows point to
    other shared ones, the number of that row is told in a column of its own (see `pointer`), -1 for none.

    Args:
        name: of the table.
        schema: what the tables mean.
        frames: rows of all shared tables.
        hubs: of each those that enough units point to.
        rng: of the last row.
    """
    table, frame = schema.tables[name], frames[name]
    catalogued = {c for link in table.links if link.kind == "reference" for c in link.columns}
    columns = [c for c, kind in table.columns.items() if not isinstance(kind, Identifier) or c in catalogued]
    columns = [c for c in columns if c not in _pointing(table)]
    told = frame[columns].assign(**_numbers(name, schema, frames, hubs))
    kept = told.iloc[hubs[name]].reset_index(drop=True)
    if not len(frame):
        return kept
    if not len(told.columns):
        return _rows(len(kept) + 1)
    last = {}
    for column in told:
        source = kept[column] if len(kept) else _commonest(told[column])
        value = source.iloc[int(rng.integers(len(source)))]
        if column in table.key:
            kind = table.columns[column]
            value = len(kept) + 1 if isinstance(kind, Numeric) else OTHER if isinstance(kind, Code) else value
        last[column] = pd.Series([value], dtype=kept[column].dtype if len(kept) else told[column].dtype)
    return pd.concat([kept, pd.DataFrame(last, index=[0])], ignore_index=True)


def _pointing(table: LinkedTable) -> set[str]:
    """Columns with the key of a row of another shared table."""
    return {c for link in table.links if link.kind == "shared" for c in link.columns}


def _numbers(
    name: str, schema: LinkedSchema, frames: Mapping[str, pd.DataFrame], hubs: Mapping[str, Ints]
) -> dict[str, Ints]:
    """Number that the row has which each row points to, once the tables are made again; -1 for none."""
    out, frame = {}, frames[name]
    for k, link in enumerate(schema.tables[name].links):
        if link.kind == "shared":
            there = key_positions(frame, link.columns, frames[link.to], schema.tables[link.to].key)
            number = np.full(len(frames[link.to]) + 1, len(hubs[link.to]))
            number[hubs[link.to]], number[-1] = np.arange(len(hubs[link.to])), -1
            out[pointer(k)] = number[there]
    return out


def _rows(n: int) -> pd.DataFrame:
    return pd.DataFrame(index=range(n))


def _commonest(values: pd.Series) -> pd.Series:
    found = values.mode(dropna=False)
    return found if len(found) else values


def with_fresh_keys(
    frames: Mapping[str, pd.DataFrame], schema: LinkedSchema, rng: np.random.Generator
) -> dict[str, pd.DataFrame]:
    """Shared tables that were made again, with identifiers made fresh and links among them in place.

    Args:
        frames: see `remade`.
        schema: what the tables mean.
        rng: of the identifiers.
    """
    out = {name: _fresh(schema.tables[name], frame, rng) for name, frame in frames.items()}
    for name, frame in frames.items():
        table, linked = schema.tables[name], {}
        for k, link in enumerate(table.links):
            if link.kind == "shared":
                to, rows = out[link.to], frame[pointer(k)].to_numpy()
                for column, key in zip(link.columns, schema.tables[link.to].key, strict=True):
                    texts = np.concatenate([to[key].to_numpy(dtype=object), [None]])
                    linked[column] = pd.Series(texts[rows], dtype=object)
        out[name] = out[name].assign(**linked)[list(table.columns)]
    return out


def _fresh(table: LinkedTable, frame: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """The rows with identifiers made fresh, but those of catalogues."""
    made = {}
    for name, kind in table.columns.items():
        if isinstance(kind, Identifier) and name not in frame:
            column = kind.model_copy(update={"unique": True}) if name in table.key else kind
            made[name] = fresh(name, column, len(frame), rng)
    return frame.assign(**made)


def hub_numbers(codes: Iterable[object]) -> Ints:
    """The shared row that each code of a link stands for: its number, -2 for another, -1 for none. **Shape**: (n,).

    Example:
        >>> hub_numbers(["000002", "other", None]).tolist()
        [2, -2, -1]
    """
    return np.array([-1 if pd.isna(c) else -2 if c == OTHER else int(str(c)) for c in codes], dtype=np.int64)  # type: ignore[call-overload]
