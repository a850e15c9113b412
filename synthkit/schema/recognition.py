"""What the texts of a column say, seen all together: whole numbers, numbers, truths, moments, or texts."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from synthkit.schema.columns import Datetime
from synthkit.schema.conform import type_column

_WHOLE = r"^-?(0|[1-9]\d{0,17})$"
_REAL = r"^-?((0|[1-9]\d*)(\.\d*)?|\.\d+)([eE][+-]?\d+)?$"
_TRUTH = r"^([Tt]rue|TRUE|[Ff]alse|FALSE)$"
_MOMENT = r"^\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}(\.\d{1,6})?)?)?$"


def recognised(texts: pa.ChunkedArray) -> pd.Series:
    """Cells typed by what all texts of a column look like; numbers with a leading zero stay text.

    **Shape**: (n,) -> (n,).

    Example:
        >>> [recognised(pa.chunked_array([texts])).tolist() for texts in (["61", None, "44"], ["061"])]
        [[61, <NA>, 44], ['061']]
    """
    values = pc.unique(texts.drop_null())
    if not len(values):
        return _series(texts)
    if _alike(values, _WHOLE):
        return _series(texts.cast(pa.int64()), pd.Int64Dtype())
    if _alike(values, _REAL):
        return _series(texts.cast(pa.float64()))
    if _alike(values, _TRUTH):
        return _series(pc.equal(pc.utf8_lower(texts), "true"), pd.BooleanDtype())
    if _alike(values, _MOMENT):
        moments, bad, _ = type_column(_series(texts), Datetime())
        if not bad.any():
            return moments
    return _series(texts)


def _alike(values: pa.Array, pattern: str) -> bool:
    return bool(pc.all(pc.match_substring_regex(values, pattern)).as_py())


def _series(cells: pa.ChunkedArray, nullable: Any = None) -> pd.Series:
    """A pandas column, of the dtype `nullable` if it has missing cells."""
    series: pd.Series = cells.to_pandas(types_mapper={cells.type: nullable if cells.null_count else None}.get)
    return series
