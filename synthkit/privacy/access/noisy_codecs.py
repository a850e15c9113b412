"""What is published of levels and combinations that were told with noise, in an order that follows from them alone."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from synthkit.encoding.codecs.categorical import CombinationCodec, LevelsCodec
from synthkit.encoding.codecs.numeric import NumericCodec
from synthkit.encoding.constraints import Codec
from synthkit.encoding.private_binning import bounded, first_of
from synthkit.schema import Code, Identifier, Numeric, Ordinal, Schema
from synthkit.schema.columns import Column, Level
from synthkit.schema.joint_columns import joint_combinations
from synthkit.schema.level_order import in_public_order, level_sort_key
from synthkit.schema.named_levels import levels_named
from synthkit.schema.public_domain import NOT_STATED, Declared
from synthkit.schema.rules import rows_obeying

Row = tuple[Level | None, ...]


def levels_codec(schema: Schema, name: str, told: Mapping[str, int]) -> LevelsCodec:
    """The coding of a column whose levels were told; those that rules and targets name are public and there as well.

    Where no level was told a stand-in is there, so that a fit that was charged comes to its end.

    Args:
        schema: what is public.
        name: the column.
        told: noisy counts by level.
    """
    column = schema.columns[name]
    levels = _admitted(column, {*told, *map(str, levels_named(schema, name))}) or (NOT_STATED,)
    counts = np.array([told.get(level, 0) for level in levels], dtype=np.int64)
    return LevelsCodec(
        levels=levels,
        counts=counts,
        missing=0 if column.nullable else None,
        ordinal=isinstance(column, Ordinal),
        elsewhere=len(levels) if column.nullable else int(counts.argmax()),
        relatives=isinstance(column, Code) and bool(told),  # a function of what was told alone: rows stay apart
    )


def combination_codec(schema: Schema, members: tuple[str, ...], told: Mapping[Row, int]) -> CombinationCodec:
    """The coding of combinations that were told: of these, the ones that keep the rules on their columns.

    Args:
        schema: what is public.
        members: the columns.
        told: noisy counts by combination.
    """
    rows = _obedient(schema, members, sorted(told, key=_place)) or [_stand_in(schema, members)]
    counts = np.array([told.get(row, 0) for row in rows], dtype=np.int64)
    return CombinationCodec(columns=members, combinations=tuple(rows), counts=counts, elsewhere=int(counts.argmax()))


def published(public: Declared, codecs: Mapping[str, Codec]) -> Schema:
    """The schema of the synthetic table: with what was bought in it, marked `paid`; its units are made fresh."""
    columns = dict(public.schema.columns)
    if (unit := public.schema.unit) is not None and not isinstance(columns[unit], Identifier):
        columns[unit] = Identifier(description=columns[unit].description, declared_by=columns[unit].declared_by)
    told = {name: levels for codec in codecs.values() for name, levels in _levels(public.schema, codec).items()}
    for name, keys in public.unknown.items():
        codec, changes = codecs.get(name), dict[str, Any]()
        if isinstance(codec, NumericCodec) and isinstance(columns[name], Numeric):
            bought = {"min": codec.minimum, "max": codec.maximum}
            changes = {key: bought[key] for key in keys if bought.get(key) is not None}
        elif "levels" in keys:
            changes = {"levels": codec.levels if isinstance(codec, LevelsCodec) else told[name]}
        if changes:
            paid = tuple(sorted(changes))
            if changes.get("levels") == (NOT_STATED,) and isinstance(columns[name], Code):
                changes["pattern"] = None  # the stand-in has the shape of no code
            columns[name] = columns[name].model_copy(update={**changes, "paid": paid})
    return public.schema.model_copy(update={"columns": columns})


def _admitted(column: Column, names: set[str]) -> tuple[str, ...]:
    """The levels a column admits, in public order."""
    found = sorted(names, key=level_sort_key)
    fits = column.admits(pd.Series(found, dtype=object))
    return in_public_order(name for name, fit in zip(found, fits, strict=True) if fit)


def _levels(schema: Schema, codec: Codec) -> dict[str, tuple[Level, ...]]:
    """Levels that stand in combinations, and those named of their columns, by column."""
    if not isinstance(codec, CombinationCodec):
        return {}
    found: dict[str, tuple[Level, ...]] = {}
    for k, name in enumerate(codec.columns):
        seen = {str(row[k]) for row in codec.combinations if row[k] is not None}
        found[name] = in_public_order(seen | set(map(str, levels_named(schema, name)))) or (NOT_STATED,)
    return found


def _place(row: Row) -> tuple[Any, ...]:
    """A combination's place among others; missing cells come last."""
    return tuple((cell is None, level_sort_key(str(cell))) for cell in row)


def _obedient(schema: Schema, members: tuple[str, ...], rows: Sequence[Row]) -> list[Row]:
    """The combinations that the columns admit and that keep the rules on them."""
    frame = pd.DataFrame(list(rows), columns=list(members), dtype=object)
    mine = tuple(rule for rule in schema.rules if set(rule.columns) <= set(members))
    kept = rows_obeying(frame, mine)
    for name in members:
        kept &= schema.columns[name].admits(frame[name])
    return [row for row, keep in zip(rows, kept, strict=True) if keep]


def _stand_in(schema: Schema, members: tuple[str, ...]) -> Row:
    """A public combination for all: one that the rules list, the first level or nothing where they list none."""
    lists = [
        [dict(zip(rule.of, row, strict=True)) for row in rule.combinations]
        for rule in joint_combinations(schema)
        if rule.combinations and set(rule.of) <= set(members)
    ]
    for chosen in itertools.product(*lists):
        merged = {name: cell for part in chosen for name, cell in part.items()}
        if all(merged[name] == cell for part in chosen for name, cell in part.items()):
            return tuple(merged[name] if name in merged else _first(schema.columns[name]) for name in members)
    return tuple(_first(schema.columns[name]) for name in members)


def _first(column: Column) -> Level | None:
    if column.nullable:
        return None
    if isinstance(column, Numeric):
        known = (-math.inf if column.min is None else column.min), (math.inf if column.max is None else column.max)
        return first_of(*bounded((0.0, 0.0), known, column.decimals), column.decimals)
    levels: tuple[Level, ...] = getattr(column, "levels", None) or (NOT_STATED,)
    return levels[0]
