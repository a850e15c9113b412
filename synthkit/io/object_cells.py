"""What the cells of a column of objects or texts are, where the dtype does not say."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

import pandas as pd

_DECIMAL_TEXT = re.compile(r"-?\d+\.(\d+)")


def object_cell_types(values: pd.Series) -> dict[str, Any]:
    """What cells of any type are, as keys of a storage.

    Example:
        >>> object_cell_types(pd.Series([b"A1", None]))
        {'cells': 'bytes'}
    """
    seen = pd.api.types.infer_dtype(values, skipna=True)
    first = next((cell for cell in values if cell is not None and cell is not pd.NA and cell == cell), None)  # noqa: PLR0124
    if seen == "string":
        return {"cells": "text", **truth_words(values)}
    if seen == "decimal":
        digits = (-int(cell.as_tuple().exponent) for cell in values.dropna() if cell.is_finite())
        return {"cells": "decimal", "scale": max(0, *digits, 0)}
    if seen in ("datetime", "date"):
        return _of_moments(values)
    if seen == "mixed" and isinstance(first, str | bytes | bytearray):
        return {"cells": "text"}
    if seen in ("period", "interval"):
        return {"cells": seen, "of": str(pd.array(list(values.dropna())).dtype)}
    same = {"bytes": "bytes", "time": "time"}
    same |= {"integer": "number", "floating": "number", "mixed-integer-float": "number"}
    return {"cells": same[seen]} if seen in same else {}


def _of_moments(values: pd.Series) -> dict[str, Any]:
    """What days and moments are: one moment among days makes moments of all, so that no time of day is lost."""
    present = [cell for cell in values.dropna() if isinstance(cell, dt.date)]
    timed = [cell for cell in present if isinstance(cell, dt.datetime)]
    if not timed:
        return {"cells": "date"}
    zoned = any(cell.tzinfo is not None for cell in timed)
    said = {"cells": "moment" if any(isinstance(cell, pd.Timestamp) for cell in timed) else "datetime"}
    return {**said, "zoned": True} if zoned else said


def truth_words(values: pd.Series) -> dict[str, Any]:
    """The texts of false and true, or how many digits stand behind each point, if the texts of a column are such."""
    if not pd.api.types.is_string_dtype(values.dtype):
        return {}
    first = str(next(iter(values.dropna()), ""))
    if _DECIMAL_TEXT.fullmatch(first):
        digits = {found and len(found[1]) for found in map(_DECIMAL_TEXT.fullmatch, map(str, values.dropna().unique()))}
        return {} if len(digits) > 1 else {"scale": digits.pop()}
    if first.lower() not in ("true", "false"):
        return {}
    said = {str(text).lower(): str(text) for text in values.dropna().unique()}
    if set(said) - {"true", "false"}:
        return {}
    style = str.upper if any(t.isupper() for t in said.values()) else str.title
    style = str.lower if any(t.islower() for t in said.values()) else style
    return {"words": (style("false"), style("true"))}
