"""Small public tables in the card of a model: cells as JSON holds them, and the dtypes that bring them back."""

from __future__ import annotations

from typing import Any

import pandas as pd


def frame_to_dict(frame: pd.DataFrame) -> dict[str, Any]:
    """A table as plain data: missing cells null, moments in ISO 8601.

    Example:
        >>> frame_to_dict(pd.DataFrame({"code": ["a", None]}))["columns"]["code"]["cells"]
        ['a', None]
    """
    columns = {}
    for name in frame.columns:
        values = frame[name]
        if pd.api.types.is_datetime64_any_dtype(values.dtype):
            cells = [None if pd.isna(t) else t.isoformat() for t in values]
        else:
            cells = [None if pd.isna(x) else x for x in values.astype(object).tolist()]
        columns[str(name)] = {"dtype": str(values.dtype), "cells": cells}
    return {"rows": len(frame), "columns": columns}


def frame_from_dict(data: dict[str, Any]) -> pd.DataFrame:
    """Read what `frame_to_dict` gave."""
    columns = {}
    for name, each in data["columns"].items():
        cells = pd.Series(each["cells"], dtype=object, index=range(data["rows"]))
        if each["dtype"].startswith("datetime64"):
            columns[name] = pd.to_datetime(cells, format="ISO8601").astype(each["dtype"])
        else:
            columns[name] = cells if each["dtype"] == "object" else cells.astype(each["dtype"])
    return pd.DataFrame(columns, index=range(data["rows"]))
