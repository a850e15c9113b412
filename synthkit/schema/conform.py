"""One dtype for each kind: any frame typed by its schema, or refused with every column that cannot be.

Domain questions (bounds, levels, missing cells) are not asked here; `synthkit.schema.validation` asks them.

| kind | dtype | missing |
|---|---|---|
| numeric, `decimals: 0` | int64; Int64 if nullable; uint64 and UInt64 beyond 2^63 | pd.NA |
| numeric | float64 | NaN |
| levels all true/false | bool; boolean if nullable | pd.NA |
| levels all whole numbers | the same | pd.NA |
| levels all numbers | float64 | NaN |
| other levels, code | object holding str | None |
| datetime | datetime64[us], no time zone | NaT |
| identifier | as it comes | as it comes |
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from synthkit.errors import SchemaError
from synthkit.io.plain_columns import TYPES_ATTRIBUTE, unpacked
from synthkit.schema import number_formats
from synthkit.schema.cells import invalid_texts
from synthkit.schema.columns import (
    Boolean,
    Categorical,
    Code,
    Column,
    Datetime,
    Identifier,
    Level,
    Numeric,
    Ordinal,
    level_key,
)
from synthkit.schema.datetimes import read_datetimes
from synthkit.schema.infer import unsupported_cells
from synthkit.schema.infer.unrestorable_types import find_unrestorable
from synthkit.schema.level_texts import declared_or_text
from synthkit.schema.mixed_levels import spellings
from synthkit.schema.violations import Violation, listing, total

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from synthkit.schema.table import Schema

Typed = tuple[pd.Series, "NDArray[np.bool_]", str]
_INT64_LIMIT = float(2**63)
_MAX_INT64 = 2**63 - 1


def conform(frame: pd.DataFrame, schema: Schema, *, partial: bool = False) -> pd.DataFrame:
    """The frame in the schema's dtypes (table above), columns in the schema's order, rows numbered from 0.

    A cell that has the right type and breaks the domain passes through, for the validation to list: a missing
    cell where none may be makes an int64 column Int64, a fraction where `decimals` is 0 makes it float64.

    Args:
        frame: any frame; it is not changed.
        schema: the declared meaning.
        partial: whether columns of the schema may be absent, as in a frame of given values.

    Raises:
        SchemaError: columns missing, unknown or named twice, or cells that cannot be typed; lists all of them.

    Example:
        >>> from synthkit.schema import Schema
        >>> schema = Schema(columns={"age": {"kind": "numeric", "decimals": 0}, "icd": {"kind": "code"}})
        >>> conform(pd.DataFrame({"icd": ["250.00", None], "age": ["61", "44"]}), schema).dtypes.astype(str).to_dict()
        {'age': 'int64', 'icd': 'object'}
    """
    refuse(column_faults(list(frame.columns), schema, partial=partial))
    typed, faults = type_cells(frame, schema)
    refuse(faults)
    return typed


def column_faults(names: Sequence[object], schema: Schema, *, partial: bool = False) -> list[Violation]:
    """Columns named twice, missing from the table, or missing from the schema."""
    faults = []
    if not names:
        faults.append(Violation(("(table)",), "at least one column; however: none", remedy="give a table with columns"))
    faults += [
        Violation(
            (f"column {k + 1}",), "a name that is not blank", remedy="name the column, in the table and the schema"
        )
        for k, name in enumerate(names)
        if isinstance(name, str) and not name.strip()
    ]
    for name in dict.fromkeys(n for n in names if list(names).count(n) > 1):
        faults.append(Violation((str(name),), "each column name once", remedy="rename the columns that share a name"))
    if not partial:
        faults += [
            Violation((c,), "declared in the schema, missing from the table", remedy=_COLUMNS_REMEDY)
            for c in schema.columns
            if c not in names
        ]
    known = sum(name in schema.columns for name in names)
    faults += [
        # where hardly a name is known, the first line may be a row: its cells are not names to be shown
        Violation((str(n) if 2 * known >= len(names) else f"column {k + 1}",), _UNKNOWN_COLUMN, remedy=_COLUMNS_REMEDY)
        for k, n in enumerate(names)
        if n not in schema.columns and n not in names[:k]
    ]
    return faults


_VALID_TEXT, _INVALID_TEXT_REMEDY = (
    "text without NUL (U+0000) and half letters (surrogates)",
    "take the signs out of the cells",
)
_UNKNOWN_COLUMN = "in the table, missing from the schema"


_COLUMNS_REMEDY = "let the schema declare exactly the columns of the table (`synthkit init TABLE` drafts one)"


def refuse(faults: Sequence[Violation]) -> None:
    """Raise SchemaError listing `faults`, if there are any."""
    if faults:
        msg = f"the table must fit its schema; however: {total(faults)}\n{listing(faults)}"
        raise SchemaError(msg)


def type_cells(frame: pd.DataFrame, schema: Schema, *, first: int = 1) -> tuple[pd.DataFrame, list[Violation]]:
    """Typed columns of a frame whose column names are in order, and the cells that cannot be typed.

    Args:
        frame: columns named once; those the schema does not know are dropped.
        schema: the declared meaning.
        first: number of the frame's first row, for a frame that is a chunk.
    """
    columns, faults = {}, []
    types: dict[str, str] = frame.attrs.get(TYPES_ATTRIBUTE, {})
    for name, column in schema.columns.items():
        if name not in frame:
            continue
        values = unpacked(frame[name]).reset_index(drop=True)
        unfit, rule, remedy = _unfit(values, column)
        if (found := find_unrestorable(frame[name], column, types.get(name, ""))) is not None and not unfit.any():
            unfit, rule, remedy = found.where, f"{found.what} can be given back; however: {found.why}", found.remedy
        if unfit.any():
            faults.append(Violation.at((name,), rule, unfit, remedy=remedy, first=first))
            columns[name] = values
            continue
        columns[name], bad, rule = type_column(values, column)
        if bad.any():
            faults.append(Violation.at((name,), rule, bad, remedy=_remedy(column), first=first))
    return pd.DataFrame(columns, index=pd.RangeIndex(len(frame)), copy=False), faults


def _unfit(values: pd.Series, column: Column) -> tuple[NDArray[np.bool_], str, str]:
    """Cells no column can hold; what must hold instead; and what to do."""
    halves = invalid_texts(values)
    if halves.any():  # pandas would end the text at NUL, and take two texts for one
        return halves, _VALID_TEXT, _INVALID_TEXT_REMEDY
    return *unsupported_cells.find_unsupported(
        values, numeric=_are_numbers(column)
    ), unsupported_cells.UNSUPPORTED_REMEDY


def _are_numbers(column: Column) -> bool:
    levels = getattr(column, "levels", None) or ()
    return isinstance(column, Numeric) or (bool(levels) and not any(isinstance(level, str) for level in levels))


def _remedy(column: Column) -> str:
    if isinstance(column, Datetime):
        return "correct the cells, set `format` to the one the file uses, or name a `zone` if cells name theirs"
    return "correct the cells, leave them empty if they mean missing, or change the kind in the schema"


def type_column(values: pd.Series, column: Column) -> Typed:
    """One column in its dtype; where that is impossible; and what must hold there."""
    if isinstance(column, Identifier):
        return values, np.zeros(len(values), dtype=bool), ""
    if isinstance(column, Numeric):
        numbers = number_formats.read_numbers(values, column)
        typed = _numbers(numbers, whole=column.decimals == 0, nullable=column.nullable)
        typed = _on_grid(typed, column) if column.decimals else typed
        return (*typed[:2], column.sentence) if column.written else typed
    if isinstance(column, Datetime):
        return _moments(values, column)
    return _levels(values, column)


def _levels(values: pd.Series, column: Categorical | Ordinal | Boolean | Code) -> Typed:
    levels = column.levels or ()
    if not levels:
        return _text(values, ())
    if all(isinstance(level, bool) for level in levels):
        return _truth(values, nullable=column.nullable)
    if all(isinstance(level, int | float) for level in levels):
        whole = all(isinstance(level, int) for level in levels)
        return _numbers(values, whole=whole, nullable=column.nullable)
    return _text(values, levels)


def _numbers(values: pd.Series, *, whole: bool, nullable: bool) -> Typed:
    absent = values.isna().to_numpy(dtype=bool)
    rule = "a number, finite and without units or thousands separators"
    if pd.api.types.is_datetime64_any_dtype(values.dtype):
        return values, ~absent, rule
    present = _parsed_numbers(values[~absent])
    x = present.to_numpy(dtype=float, na_value=np.nan)
    bad = np.zeros(len(values), dtype=bool)
    bad[~absent] = ~np.isfinite(x)
    if bad.any():
        return values, bad, rule
    exact = pd.api.types.is_integer_dtype(present.dtype)
    if whole and (exact or ((x == np.floor(x)).all() and (np.abs(x) < _INT64_LIMIT).all())):
        return _whole(present, absent, nullable=nullable), bad, rule
    out = np.full(len(values), np.nan)
    out[~absent] = x
    return pd.Series(out, name=values.name), bad, rule


def _on_grid(typed: Typed, column: Numeric) -> Typed:
    """Numbers that are a rounding error away from the declared decimals (0.1 + 0.2) brought onto them."""
    values, bad, rule = typed
    if not bad.any():
        x = values.to_numpy(dtype=float)
        near = np.round(x, column.decimals or 0)
        close = np.isclose(x, near, rtol=0, atol=10.0 ** -((column.decimals or 0) + 4))
        values = pd.Series(np.where(close, near, x), name=values.name)
    return values, bad, rule


def _parsed_numbers(present: pd.Series) -> pd.Series:
    """Numbers of present cells, NaN where there is none; text is parsed to the nearest float."""
    if pd.api.types.is_numeric_dtype(present.dtype):
        return present
    cells = present.astype(object)
    x = pd.to_numeric(cells, errors="coerce")
    if pd.api.types.is_float_dtype(x.dtype):  # pandas' parser is off by a few units in the last place
        exact = x.to_numpy(dtype=np.float64, copy=True)
        known = np.isfinite(exact)
        exact[known] = cells.to_numpy()[known].astype(np.float64)
        return pd.Series(exact, index=present.index, name=present.name)
    return x


def _whole(present: pd.Series, absent: NDArray[np.bool_], *, nullable: bool) -> pd.Series:
    """Whole numbers without a detour through floats, so that numbers beyond 2**53 stay exact."""
    beyond = pd.api.types.is_unsigned_integer_dtype(present.dtype) and bool((present > _MAX_INT64).any())
    dtype: Any = np.uint64 if beyond else np.int64
    cells = np.zeros(len(absent), dtype=dtype)
    cells[~absent] = present.to_numpy(dtype=dtype)
    if nullable or absent.any():
        return pd.Series(pd.arrays.IntegerArray(cells, absent), name=present.name)
    return pd.Series(cells, name=present.name)


_TRUTH_OF_TEXT = {"true": True, "false": False, "1": True, "0": False, "1.0": True, "0.0": False}


def _truth(values: pd.Series, *, nullable: bool) -> Typed:
    codes, uniques = pd.factorize(values, use_na_sentinel=True)
    meaning = [_TRUTH_OF_TEXT.get(str(u).strip().lower()) for u in uniques]
    known = np.array([m is not None for m in meaning] + [True], dtype=bool)
    cells = np.array([bool(m) for m in meaning] + [False], dtype=bool)[codes]
    absent, bad = codes < 0, ~known[codes]
    rule = "true or false"
    if nullable or absent.any():
        return pd.Series(pd.arrays.BooleanArray(cells, absent), name=values.name), bad, rule
    return pd.Series(cells, name=values.name), bad, rule


def _text(values: pd.Series, levels: tuple[Level, ...]) -> Typed:
    codes, uniques = pd.factorize(values, use_na_sentinel=True)
    declared = {level_key(level): level for level in levels} | spellings(levels)
    table = np.empty(len(uniques) + 1, dtype=object)
    table[:-1] = [declared_or_text(u, declared) for u in uniques]
    return pd.Series(table[codes], name=values.name, dtype=object), np.zeros(len(values), dtype=bool), ""


def _moments(values: pd.Series, column: Datetime) -> Typed:
    absent = values.isna().to_numpy(dtype=bool)
    cells = read_datetimes(values, column)
    bad = np.isnat(cells) & ~absent
    whole = pd.api.types.is_numeric_dtype(values.dtype) or isinstance(values.dtype, pd.DatetimeTZDtype)
    return (values if whole and bad.any() else pd.Series(cells, name=values.name)), bad, column.sentence
