"""Frames whose numbers are written as a schema says: decimal commas, groups of digits, units."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from synthkit.schema.number_formats import Numerals, write_numbers
from synthkit.schema.table import Schema


def as_written(frame: pd.DataFrame, schema: Schema, dtypes: Mapping[str, str]) -> pd.DataFrame:
    """A frame with its numbers written as the schema says, but for columns that are to hold numbers.

    Args:
        frame: in canonical dtypes.
        schema: the declared meaning.
        dtypes: names of the dtypes the columns are to have, where they are known.
    """
    out = {}
    for name in frame:
        column = schema.columns.get(str(name))
        told = isinstance(column, Numerals) and column.told and not _is_number(dtypes.get(str(name), "object"))
        out[name] = write_numbers(frame[name], column) if told and isinstance(column, Numerals) else frame[name]
    return pd.DataFrame(out, index=frame.index, copy=False)


def _is_number(dtype: str) -> bool:
    try:
        return bool(pd.api.types.is_numeric_dtype(pd.api.types.pandas_dtype(dtype)))
    except TypeError:
        return False
