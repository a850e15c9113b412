"""Tables mapped into a public domain: what a cell becomes follows from the cell and its column, and from nothing else.

| kind | what a present cell becomes | what is no such cell |
|---|---|---|
| numeric | the nearest admissible number: rounded to the decimals, moved to the bounds | missing, or the stand-in |
| datetime | an atom, or the moment on the clock, a zone left out, moved to the bounds | missing, or the stand-in |
| levels | the level it means | missing, or the stand-in |
| code without levels | its text, if it matches the pattern | missing, or the stand-in |
| identifier | its text | missing |
| derived | what is computed from the mapped cells | the same |
| the unit | its key, untouched by any domain | missing: the row is nobody's |

Where nothing may be missing, empty cells and those that are none get the stand-in: the smallest number or moment, the
first level, `(not told)`. The dtype of a column follows from the schema alone as well.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from synthkit.schema.cells import distinct_cells, read_cell_text, read_each, read_moment, read_number, read_truth
from synthkit.schema.columns import Boolean, Categorical, Code, Column, Datetime, Identifier, Numeric, Ordinal
from synthkit.schema.conform import column_faults, refuse
from synthkit.schema.derived import derived_sentence, with_recomputed
from synthkit.schema.infer.long_integers import MAX_EXACT_FLOAT
from synthkit.schema.mixed_levels import spellings
from synthkit.schema.patterns import full_matcher
from synthkit.schema.public_domain import NOT_STATED
from synthkit.schema.table import Schema
from synthkit.schema.unit_keys import unit_keys
from synthkit.schema.violations import Violation

if TYPE_CHECKING:
    from numpy.typing import NDArray

MAX_MAPPED_NUMBER = 2.0**62  # up to it a float is a whole number of 64 bits


@dataclass(frozen=True, kw_only=True)
class MappedTable:
    """A table in the public domain; all but the frame is INTERNAL.

    Args:
        frame: the rows, in dtypes that follow from the schema; the unit column holds keys.
        counts: how many cells of a column were changed, for the columns that had such cells.
        faults: what those cells were not.
    """

    frame: pd.DataFrame
    counts: Mapping[str, int]
    faults: tuple[Violation, ...]


@dataclass(frozen=True)
class _Cells:
    """A column after each cell was read: values in their final dtype, missing where `absent` or `bad`."""

    values: pd.Series
    absent: NDArray[np.bool_]
    bad: NDArray[np.bool_]  # no cell of this kind at all
    moved: NDArray[np.bool_]  # one of this kind, outside the domain


def into_domain(frame: pd.DataFrame, schema: Schema) -> pd.DataFrame:
    """Every cell mapped into the declared domain, each by itself: no row is refused, and none moves another.

    Raises:
        SchemaError: columns are missing, unknown or named twice.

    Example:
        >>> schema = Schema(columns={"sex": {"kind": "categorical", "levels": ["f", "m"]}})
        >>> into_domain(pd.DataFrame({"sex": ["m", "x", None]}), schema)["sex"].tolist()
        ['m', 'f', 'f']
    """
    return map_into_domain(frame, schema).frame


def map_into_domain(frame: pd.DataFrame, schema: Schema) -> MappedTable:
    """The same, with what was changed.

    Raises:
        SchemaError: columns are missing, unknown or named twice.
    """
    refuse(column_faults(list(frame.columns), schema))
    columns, counts, faults, unread = {}, {}, list[Violation](), {}
    for name, column in schema.columns.items():
        values = frame[name].reset_index(drop=True)
        if name in schema.derived:  # what stands there is held against what is computed
            read = _read(values, column)
            columns[name], unread[name] = read.values, read.bad
            continue
        if name == schema.unit:
            columns[name] = unit_keys(values, column)
            continue
        columns[name], changed, found = map_column(values, column)
        if changed.any():
            counts[name] = int(changed.sum())
        faults += [Violation.at((name,), rule, where) for rule, where in found.items() if where.any()]
    out, broken = with_recomputed(pd.DataFrame(columns, index=pd.RangeIndex(len(frame)), copy=False), schema)
    for name, off in broken.items():
        where = off | unread[name]
        counts |= {name: int(where.sum())} if where.any() else {}
        faults += [Violation.at((name,), derived_sentence(name, schema.derived[name]), where)] * bool(where.any())
    return MappedTable(frame=out, counts=counts, faults=tuple(faults))


def map_column(values: pd.Series, column: Column) -> tuple[pd.Series, NDArray[np.bool_], dict[str, NDArray[np.bool_]]]:
    """One column in the domain; which cells were changed; and which broke which rule.

    **Shape**: (n,) -> (n,), (n,), (n,) each.
    """
    read = _read(values, column)
    empty = read.absent | read.bad
    out = read.values
    stands = not column.nullable and not isinstance(column, Identifier)
    if stands and empty.any():
        out = out.copy()
        out[empty] = stand_in(column)
    out = out if column.nullable else _without_gaps(out)
    lacking = read.absent & stands
    faults = {"a cell of the column's kind": read.bad, "the declared domain": read.moved, "no missing cell": lacking}
    return out, read.bad | read.moved | lacking, faults


def stand_in(column: Column) -> object:
    """What stands where nothing may be missing: a function of the schema."""
    if isinstance(column, Numeric):
        x = 0.0 if column.min is None and column.max is None else _first(column.min, column.max)
        x = float(_nearest(np.array([x]), column)[0])
        return int(x) if column.decimals == 0 else x
    if isinstance(column, Datetime):
        return _first(column.low, column.high, np.datetime64("1970-01-01", "us"))
    levels = getattr(column, "levels", None)
    return levels[0] if levels else NOT_STATED


def _first(*values: object) -> Any:
    return next((value for value in values if value is not None), None)


def _without_gaps(values: pd.Series) -> pd.Series:
    """A column without missing cells in the dtype that cannot hold any."""
    plain: Any = {"Int64": "int64", "boolean": "bool"}.get(str(values.dtype))
    return values if plain is None else values.astype(plain)


def _read(values: pd.Series, column: Column) -> _Cells:
    if isinstance(column, Numeric):
        return _numbers(values, column)
    if isinstance(column, Datetime):
        return _moments(values, column)
    if isinstance(column, Identifier):
        return _texts(values)
    return _levels(values, column) if column.levels else _texts(values, getattr(column, "pattern", None))


def _numbers(values: pd.Series, column: Numeric) -> _Cells:
    codes, cells = distinct_cells(values)
    read = list(map(column.reader(), cells)) if column.written else cells
    said = np.array([_float(read_number(cell)) for cell in read] + [np.nan])[codes]
    absent = np.array([cell is None for cell in read] + [True])[codes]
    bad = np.isnan(said) & ~absent
    near = _nearest(said, column)
    far = ~np.isclose(near, said, rtol=0, atol=10.0 ** -((column.decimals or 0) + 4)) & ~absent & ~bad
    return _Cells(_typed_numbers(near, whole=column.decimals == 0), absent, bad, far)


def _float(x: float | None) -> float:
    return np.nan if x is None else float(x)


def _nearest(x: NDArray[np.float64], column: Numeric) -> NDArray[np.float64]:
    """The admissible number closest to each; bounds move inwards to the grid of the decimals."""
    # where no bound is declared, numbers end where floats no longer tell whole ones apart
    low = min(-MAX_EXACT_FLOAT, column.max or 0.0) if column.min is None else column.min
    high = max(MAX_EXACT_FLOAT, column.min or 0.0) if column.max is None else column.max
    if (lattice := column.lattice) is not None:
        return lattice.inside(x, low, high)
    if column.decimals is not None:
        grid = 10.0**column.decimals
        with np.errstate(over="ignore", invalid="ignore"):  # beyond 2**52 floats have no decimals to round
            x = np.where(np.abs(x) < MAX_EXACT_FLOAT / 2, np.round(x, column.decimals), x)
        low = math.ceil(low * grid - 1e-9) / grid if abs(low) * grid < MAX_EXACT_FLOAT else low
        high = math.floor(high * grid + 1e-9) / grid if abs(high) * grid < MAX_EXACT_FLOAT else high
    if column.decimals == 0:
        low, high = max(low, -MAX_MAPPED_NUMBER), min(high, MAX_MAPPED_NUMBER)
    return np.clip(x, low, high) + 0.0  # no sign of zero


def _typed_numbers(x: NDArray[np.float64], *, whole: bool) -> pd.Series:
    if not whole:
        return pd.Series(x)
    gaps = np.isnan(x)
    return pd.Series(pd.arrays.IntegerArray(np.where(gaps, 0, x).astype(np.int64), gaps))


def _moments(values: pd.Series, column: Datetime) -> _Cells:
    codes, cells = distinct_cells(values)
    read = [read_moment(cell, column) for cell in cells]
    nat = np.datetime64("NaT", "us")
    said = np.array([nat if m is None else m[0] for m in read] + [nat], dtype="datetime64[us]")[codes]
    zoned = np.array([m is not None and m[1] for m in read] + [False], dtype=bool)[codes]
    kept = np.isnat(said) | np.isin(said, column.points)
    near = np.where(kept, said, np.clip(said, *column.ends))
    absent = codes < 0
    return _Cells(pd.Series(near), absent, np.isnat(said) & ~absent, zoned | ((near != said) & ~np.isnat(said)))


def _texts(values: pd.Series, pattern: str | None = None) -> _Cells:
    fits = full_matcher(pattern) if pattern is not None else None
    said, absent = read_each(values, lambda cell: _fitting(read_cell_text(cell), fits))
    bad = np.array([cell is None for cell in said], dtype=bool) & ~absent
    return _Cells(pd.Series(said, dtype=object), absent, bad, np.zeros_like(bad))


def _fitting(said: str | None, fits: Callable[[str], bool] | None) -> str | None:
    return said if said is None or fits is None or fits(said) else None


def _levels(values: pd.Series, column: Categorical | Ordinal | Boolean | Code) -> _Cells:
    levels = column.levels or ()
    boolean = all(isinstance(level, bool) for level in levels)
    numeric = not boolean and all(isinstance(level, bool | int | float) for level in levels)
    if boolean:
        said, absent = read_each(values, lambda cell: next((v for v in levels if v is read_truth(cell)), None))
    else:
        meant: dict[Any, Any] = {level: level for level in levels if not isinstance(level, str)}
        meant |= {} if numeric else spellings(levels)
        said, absent = read_each(values, lambda cell: _meant(cell, meant, numeric=numeric))
    bad = np.array([cell is None for cell in said], dtype=bool) & ~absent
    return _Cells(_typed_levels(said, levels, boolean=boolean, numeric=numeric), absent, bad, np.zeros_like(bad))


def _meant(cell: object, levels: Mapping[object, object], *, numeric: bool) -> object:
    """The level a cell means, None if it means none: by its value if it is a number, else by its text."""
    keys: list[object] = [] if isinstance(cell, str) and not numeric else [read_number(cell)]
    keys += [] if numeric else [read_cell_text(cell)]
    return next((levels[key] for key in keys if key is not None and key in levels), None)


def _typed_levels(said: NDArray[np.object_], levels: tuple[object, ...], *, boolean: bool, numeric: bool) -> pd.Series:
    gaps = np.array([cell is None for cell in said], dtype=bool)
    if boolean:
        return pd.Series(pd.arrays.BooleanArray(np.where(gaps, False, said).astype(bool), gaps))
    if numeric and all(isinstance(level, int) for level in levels):
        return pd.Series(pd.arrays.IntegerArray(np.where(gaps, 0, said).astype(np.int64), gaps))
    if numeric:
        return pd.Series(np.where(gaps, np.nan, said).astype(float))
    return pd.Series(said, dtype=object)
