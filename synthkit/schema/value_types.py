"""What the cells of a column say, seen all together: whole numbers, numbers, truths, moments, or texts.

The same values give the same draft of a schema, whatever holds them: objects, texts,
categories, Arrow, or a file of text.
"""

from __future__ import annotations

import math
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from synthkit.io.plain_columns import from_arrow, unpacked
from synthkit.schema.columns import Datetime, Level
from synthkit.schema.conform import type_column
from synthkit.schema.datetimes import is_moment
from synthkit.schema.infer.level_values import plain_level
from synthkit.schema.infer.long_integers import MAX_EXACT_FLOAT, inexact_integers
from synthkit.schema.infer.type_inference import MAX_INFERRED_LEVELS
from synthkit.schema.level_texts import as_text

if TYPE_CHECKING:
    from numpy.typing import NDArray

_MAX_SIGNED = 2**63 - 1
_INTEGER_TEXT = r"^-?(0|[1-9]\d{0,19})$"
_REAL_TEXT = r"^-?((0|[1-9]\d*)(\.\d*)?|\.\d+)([eE][+-]?\d+)?$"
_TRUTH_TEXT = r"^([Tt]rue|TRUE|[Ff]alse|FALSE)$"
_DATETIME_TEXT = r"^\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}(\.\d{1,6})?)?)?$"


def with_value_types(frame: pd.DataFrame) -> pd.DataFrame:
    """A frame in which the same values have the same dtype; columns are named once.

    Example:
        >>> beds = pd.DataFrame({"text": ["4", "12"], "float": [4.0, 12.0], "category": pd.Categorical([4, 12])})
        >>> with_value_types(beds).dtypes.astype(str).tolist()
        ['Int64', 'Int64', 'Int64']
    """
    return pd.DataFrame({name: _settled(unpacked(frame[name])) for name in frame}, index=frame.index, copy=False)


def category_orders(frame: pd.DataFrame) -> dict[str, list[Level]]:
    """Levels of the columns whose categories have an order, lowest first, with those that nobody has.

    Example:
        >>> grades = pd.Categorical(["b", None], ["c", "b", "a"], ordered=True)
        >>> category_orders(pd.DataFrame({"grade": grades, "age": [1, 2]}))
        {'grade': ['c', 'b', 'a']}
    """
    found = {}
    for name in frame:
        dtype = frame[name].dtype
        if isinstance(dtype, pd.ArrowDtype) and pa.types.is_dictionary(dtype.pyarrow_dtype):
            dtype = from_arrow(pa.table({"x": pa.chunked_array(frame[name].array.__arrow_array__())}))["x"].dtype
        if not (
            isinstance(dtype, pd.CategoricalDtype)
            and dtype.ordered
            and 0 < len(dtype.categories) <= MAX_INFERRED_LEVELS
        ):
            continue
        cells = _settled(unpacked(pd.Series(dtype.categories)))
        if not pd.api.types.is_datetime64_any_dtype(cells.dtype):
            found[str(name)] = [plain_level(cell) for cell in cells]
    return found


def _settled(values: pd.Series) -> pd.Series:
    dtype = values.dtype
    if pd.api.types.is_object_dtype(dtype):
        return _settled_objects(values)
    if pd.api.types.is_bool_dtype(dtype):
        return values.astype("boolean")
    if pd.api.types.is_float_dtype(dtype):
        return _settled_floats(values)
    if isinstance(dtype, pd.IntervalDtype | pd.PeriodDtype):
        of_days = isinstance(dtype, pd.PeriodDtype) and is_moment(dtype)
        return type_column(values, Datetime())[0] if of_days else values.astype(str).where(values.notna(), None)
    if pd.api.types.is_integer_dtype(dtype):
        return _settled_whole(values)
    return values.astype("datetime64[us]") if pd.api.types.is_datetime64_dtype(dtype) else values


def _settled_whole(values: pd.Series) -> pd.Series:
    """Whole numbers; all are texts where one has more digits than a float holds, for a quantity has not."""
    if inexact_integers(values).any():
        return values.astype(object).where(values.notna(), None).map(str, na_action="ignore")
    large = pd.api.types.is_unsigned_integer_dtype(values.dtype) and (values > _MAX_SIGNED).any()
    return values.astype("UInt64" if large else "Int64")


def _settled_floats(values: pd.Series) -> pd.Series:
    """Whole numbers that stand in floats, for beside missing cells they had no other place."""
    x = values.to_numpy(dtype=float, na_value=np.nan)
    absent = np.isnan(x)
    if absent.all() or not (np.abs(x[~absent]) < MAX_EXACT_FLOAT).all() or (x[~absent] != np.floor(x[~absent])).any():
        return pd.Series(x, index=values.index, name=values.name)
    whole = np.where(absent, 0, x).astype(np.int64)
    return pd.Series(pd.arrays.IntegerArray(whole, absent), index=values.index, name=values.name)


def _settled_objects(values: pd.Series) -> pd.Series:
    """Objects typed by what they are; texts, and texts among numbers, by what they say."""
    seen = pd.api.types.infer_dtype(values, skipna=True)
    absent = values.isna().to_numpy(dtype=bool)
    cells = values.where(~absent, None)
    if seen in ("string", "mixed-integer") or (seen == "mixed" and _only(values[~absent], (str, bool, int, float))):
        texts = list(cells)
        if seen != "string":  # what is text already is not written once more, cell by cell
            texts = [None if gone else as_text(cell) for cell, gone in zip(values, absent, strict=True)]
        said = recognise_texts(pa.chunked_array([texts], pa.string()))
        said.index, said.name = values.index, values.name
        return said if pd.api.types.is_object_dtype(said.dtype) else _settled(said)
    if seen == "boolean":
        return cells.astype("boolean")
    if seen in ("integer", "floating", "mixed-integer-float", "decimal"):
        return _settled_numbers(values, absent)
    if seen in ("date", "datetime", "datetime64"):
        typed, bad, _ = type_column(values, Datetime())
        return values if bad.any() else typed
    if seen in ("period", "interval"):
        held: object = pd.array(list(values[~absent]))  # of their own dtype, if they have one
        return _settled(pd.Series(held, index=values.index[~absent]).reindex(values.index))
    return cells


def _settled_numbers(values: pd.Series, absent: NDArray[np.bool_]) -> pd.Series:
    if all(map(_is_whole, values[~absent])):
        if inexact_integers(values).any():
            return pd.Series(
                [None if gone else str(cell) for cell, gone in zip(values, absent, strict=True)], values.index
            )
        exact = np.array([0 if gone else int(v) for v, gone in zip(values, absent, strict=True)], dtype=object)
        if all(-(2**63) <= v < 2**63 for v in exact):
            array = pd.arrays.IntegerArray(exact.astype(np.int64), absent)
            return pd.Series(array, index=values.index, name=values.name)
        if all(0 <= v < 2**64 for v in exact):
            array = pd.arrays.IntegerArray(exact.astype(np.uint64), absent)
            return pd.Series(array, index=values.index, name=values.name)
        return values
    return pd.to_numeric(values.where(~absent, np.nan)).astype(float)


def _is_whole(cell: Any) -> bool:
    return isinstance(cell, int) or (math.isfinite(cell) and int(cell) == cell)


def _only(present: pd.Series, kinds: tuple[type, ...]) -> bool:
    return all(isinstance(cell, kinds) for cell in present)


def recognise_texts(texts: pa.ChunkedArray) -> pd.Series:
    """Cells typed by what all texts of a column look like; numbers with a leading zero stay text.

    **Shape**: (n,) -> (n,).

    Example:
        >>> [recognise_texts(pa.chunked_array([texts])).tolist() for texts in (["61", None, "44"], ["061"])]
        [[61, <NA>, 44], ['061']]
    """
    values = pc.unique(texts.drop_null())
    if not len(values) or inexact_integers(values.to_pandas()).any():
        return _series(texts)
    if _alike(values, _INTEGER_TEXT) and (whole := _whole(texts)) is not None:
        return whole
    if _alike(values, _REAL_TEXT):
        return _series(texts.cast(pa.float64()))
    if _alike(values, _TRUTH_TEXT):
        return _series(pc.equal(pc.utf8_lower(texts), "true"), pd.BooleanDtype())
    if _alike(values, _DATETIME_TEXT):
        moments, bad, _ = type_column(_series(texts), Datetime())
        if not bad.any():
            return moments
    return _series(texts)


def _whole(texts: pa.ChunkedArray) -> pd.Series | None:
    """Whole numbers of 64 bits; None if some are larger."""
    for kind, nullable in ((pa.int64(), pd.Int64Dtype()), (pa.uint64(), pd.UInt64Dtype())):
        with suppress(pa.ArrowInvalid):
            return _series(texts.cast(kind), nullable)
    return None


def _alike(values: pa.Array, pattern: str) -> bool:
    return bool(pc.all(pc.match_substring_regex(values, pattern)).as_py())


def _series(cells: pa.ChunkedArray, nullable: object = None) -> pd.Series:
    """A pandas column, of the dtype `nullable` if it has missing cells."""
    series: pd.Series = cells.to_pandas(types_mapper={cells.type: nullable if cells.null_count else None}.get)
    return series
