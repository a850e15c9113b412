"""Levels and combinations coded under a budget: what was bought with noise, in an order that follows from it alone."""

from __future__ import annotations

import itertools
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from synthkit.encoding.codecs.categorical import LevelsCodec
from synthkit.encoding.codecs.codec import plain
from synthkit.encoding.codecs.combination import CombinationCodec, LevelRow, listed_combinations
from synthkit.encoding.coded_columns import CodedColumn
from synthkit.encoding.coding import Coding
from synthkit.encoding.histogram_query import QueryKind
from synthkit.encoding.noisy_answers import NoisyAnswers
from synthkit.encoding.private_binning import bounded, first_of
from synthkit.schema import Code, Numeric, Ordinal, Schema
from synthkit.schema.columns import Column, Level
from synthkit.schema.joint_columns import joint_combinations
from synthkit.schema.level_order import in_public_order, level_sort_key
from synthkit.schema.named_levels import levels_named
from synthkit.schema.public_domain import NOT_STATED
from synthkit.schema.rules import rows_obeying


def level_queries(column: CodedColumn, counted: bool) -> tuple[QueryKind, ...]:
    """Levels that nobody declared; of declared ones their counts, if they are asked."""
    return ("levels",) if column.unknown else ("counts",) if counted else ()


def combination_queries(column: CodedColumn, counted: bool) -> tuple[QueryKind, ...]:
    """Combinations that nobody listed; of listed ones their counts, if they are asked."""
    if listed_combinations(column) is None:
        return ("levels",)
    return ("counts",) if counted else ()


def fit_levels(column: CodedColumn, answers: NoisyAnswers, coding: Coding) -> LevelsCodec:
    """The codec of a column of levels."""
    del coding
    kind = column.column
    if "levels" in answers.kinds:
        return levels_codec(column.schema, column.name, answers.levels(_texts))
    levels = tuple(getattr(kind, "levels", None) or ())
    bare = LevelsCodec(
        levels=levels,
        counts=np.ones(len(levels), dtype=np.int64),
        missing=1 if kind.nullable else None,
        ordinal=isinstance(kind, Ordinal),
        elsewhere=len(levels) if kind.nullable else 0,
    )
    if "counts" not in answers.kinds:
        return bare
    found = answers.counts("counts", lambda rows: bare.encode_column(rows)[0][:, 0], bare.size)
    noisy = np.maximum(found.counts, 0)
    return replace(bare, counts=noisy[: len(levels)], missing=int(noisy[-1]) if kind.nullable else None)


def fit_combination(column: CodedColumn, answers: NoisyAnswers, coding: Coding) -> CombinationCodec:
    """The codec of columns that only occur together."""
    del coding
    listed = listed_combinations(column)
    if "levels" in answers.kinds or listed is None:
        found = answers.levels(lambda rows: _row_names(rows, column))
        noisy = {tuple(json.loads(name)): count for name, count in found.items()}
        return combination_codec(column.schema, column.members, noisy)
    bare = CombinationCodec(
        columns=column.members, combinations=listed, counts=np.ones(len(listed), dtype=np.int64), elsewhere=0
    )
    if "counts" not in answers.kinds:
        return bare
    counts = answers.counts("counts", lambda rows: bare.encode_column(rows)[0][:, 0], bare.size)
    return replace(bare, counts=np.maximum(counts.counts, 0))


def _texts(rows: pd.DataFrame) -> list[str | None]:
    """Cells of one column as texts."""
    values, out = rows.iloc[:, 0], np.full(len(rows), None, dtype=object)
    present = values.notna().to_numpy()
    out[present] = values[present].astype(str).to_numpy(dtype=object)
    return list(out)


def _row_names(rows: pd.DataFrame, column: CodedColumn) -> list[str | None]:
    """Rows of several columns as JSON, made once for each that occurs."""
    cells = rows.astype(object).where(rows.notna(), None)
    number = cells.groupby(list(column.members), dropna=False, sort=False).ngroup().to_numpy()
    _, first = np.unique(number, return_index=True)
    kinds = [column.schema.columns[name] for name in column.members]
    names = [
        json.dumps([None if pd.isna(v) else _level(v, kind) for v, kind in zip(row, kinds, strict=True)])
        for row in cells.iloc[first].itertuples(index=False, name=None)
    ]
    return [names[k] for k in number]


def _level(value: object, kind: Column) -> Level:
    """A cell as plain data; a number's type follows from its declared digits, never from other cells."""
    out = plain(value)
    if isinstance(kind, Numeric):
        return int(out) if kind.decimals == 0 else float(out)
    return out


def levels_codec(schema: Schema, name: str, noisy: Mapping[str, int]) -> LevelsCodec:
    """The coding of a column whose levels were found; those that rules and targets name are public and there as well.

    Where no level was found a stand-in is there, so that a fit that was charged comes to its end.

    Args:
        schema: what is public.
        name: the column.
        noisy: noisy counts by level.
    """
    column = schema.columns[name]
    levels = _admitted(column, {*noisy, *map(str, levels_named(schema, name))}) or (NOT_STATED,)
    counts = np.array([noisy.get(level, 0) for level in levels], dtype=np.int64)
    return LevelsCodec(
        levels=levels,
        counts=counts,
        missing=0 if column.nullable else None,
        ordinal=isinstance(column, Ordinal),
        elsewhere=len(levels) if column.nullable else int(counts.argmax()),
        relatives=isinstance(column, Code)
        and bool(noisy),  # a function of noisy counts alone: each row is coded by itself
    )


def combination_codec(schema: Schema, members: tuple[str, ...], noisy: Mapping[LevelRow, int]) -> CombinationCodec:
    """The coding of combinations that were found: of these, the ones that keep the rules on their columns.

    Args:
        schema: what is public.
        members: the columns.
        noisy: noisy counts by combination.
    """
    rows = _rule_abiding(schema, members, sorted(noisy, key=_sort_key)) or [_stand_in(schema, members)]
    counts = np.array([noisy.get(row, 0) for row in rows], dtype=np.int64)
    return CombinationCodec(columns=members, combinations=tuple(rows), counts=counts, elsewhere=int(counts.argmax()))


def _admitted(column: Column, names: set[str]) -> tuple[str, ...]:
    """The levels a column admits, in public order."""
    found = sorted(names, key=level_sort_key)
    fits = column.admits(pd.Series(found, dtype=object))
    return in_public_order(name for name, fit in zip(found, fits, strict=True) if fit)


def _sort_key(row: LevelRow) -> tuple[tuple[bool, object], ...]:
    """A combination's place among others; missing cells come last."""
    return tuple((cell is None, level_sort_key(str(cell))) for cell in row)


def _rule_abiding(schema: Schema, members: tuple[str, ...], rows: Sequence[LevelRow]) -> list[LevelRow]:
    """The combinations that the columns admit and that keep the rules on them."""
    frame = pd.DataFrame(list(rows), columns=list(members), dtype=object)
    mine = tuple(rule for rule in schema.rules if set(rule.columns) <= set(members))
    kept = rows_obeying(frame, mine)
    for name in members:
        kept &= schema.columns[name].admits(frame[name])
    return [row for row, keep in zip(rows, kept, strict=True) if keep]


def _stand_in(schema: Schema, members: tuple[str, ...]) -> LevelRow:
    """A public combination for all: one that the rules list, the first level or nothing where they list none."""
    lists = [
        [dict(zip(rule.of, row, strict=True)) for row in rule.combinations]
        for rule in joint_combinations(schema)
        if rule.combinations and set(rule.of) <= set(members)
    ]
    for chosen in itertools.product(*lists):
        merged = {name: cell for part in chosen for name, cell in part.items()}
        if all(merged[name] == cell for part in chosen for name, cell in part.items()):
            return tuple(merged[name] if name in merged else _public_cell(schema.columns[name]) for name in members)
    return tuple(_public_cell(schema.columns[name]) for name in members)


def _public_cell(column: Column) -> Level | None:
    if column.nullable:
        return None
    if isinstance(column, Numeric):
        known = (-math.inf if column.min is None else column.min), (math.inf if column.max is None else column.max)
        first = first_of(*bounded((0.0, 0.0), known, column.decimals), column.decimals)
        return first if column.lattice is None else float(column.lattice.inside(np.array([first]), *known)[0])
    levels: tuple[Level, ...] = getattr(column, "levels", None) or (NOT_STATED,)
    return levels[0]
