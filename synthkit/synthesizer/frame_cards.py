"""Small public tables in the card of a model: cells as JSON holds them, and the dtypes that bring them back."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, Final

import numpy as np
import pandas as pd

from synthkit.errors import UnsupportedError
from synthkit.io.arrow_types import arrow_type
from synthkit.io.portable_types import storable

_ARROW = "[pyarrow]"
_PLAIN: Final = (str, bool, int)
# the most special kinds first: a moment is a day too
_SAID: Final[Mapping[str, tuple[type, Callable[[Any], str], Callable[[str], Any]]]] = {
    "number": (float, repr, float),
    "decimal": (Decimal, str, Decimal),
    "timestamp": (pd.Timestamp, pd.Timestamp.isoformat, pd.Timestamp),
    "moment": (dt.datetime, dt.datetime.isoformat, dt.datetime.fromisoformat),
    "day": (dt.date, dt.date.isoformat, dt.date.fromisoformat),
    "time": (dt.time, dt.time.isoformat, dt.time.fromisoformat),
    "duration": (pd.Timedelta, pd.Timedelta.isoformat, pd.Timedelta),
    "difference": (dt.timedelta, lambda x: pd.Timedelta(x).isoformat(), lambda x: pd.Timedelta(x).to_pytimedelta()),
    "bytes": (bytes, bytes.hex, bytes.fromhex),
}


def frame_to_dict(frame: pd.DataFrame) -> dict[str, Any]:
    """A table as plain data: missing cells null, moments in ISO 8601, other cells with the name of what they are.

    Raises:
        UnsupportedError: a cell holds what no file could, such as a list.

    Example:
        >>> frame_to_dict(pd.DataFrame({"code": ["a", None]}))["columns"]["code"]["cells"]
        ['a', None]
        >>> frame_to_dict(pd.DataFrame({"price": [Decimal("1.50")]}))["columns"]["price"]["cells"]
        [{'decimal': '1.50'}]
    """
    plain = storable(frame)
    return {"rows": len(frame), "columns": {str(name): _column(plain[name]) for name in plain.columns}}


def frame_from_dict(data: dict[str, Any]) -> pd.DataFrame:
    """Read what `frame_to_dict` gave."""
    columns = {name: _values(each, range(data["rows"])) for name, each in data["columns"].items()}
    return pd.DataFrame(columns, index=range(data["rows"]))


def _column(values: pd.Series) -> dict[str, Any]:
    """A column as plain data."""
    told = {"dtype": str(values.dtype)}
    if isinstance(values.dtype, pd.CategoricalDtype):
        levels = _column(pd.Series(values.dtype.categories))
        return {**told, "cells": values.cat.codes.tolist(), "levels": levels, "ordered": bool(values.dtype.ordered)}
    if pd.api.types.is_datetime64_any_dtype(values.dtype):
        return {**told, "cells": [None if pd.isna(t) else t.isoformat() for t in values]}
    return {**told, "cells": [_cell(x, str(values.name)) for x in values.astype(object).tolist()]}


def _cell(cell: Any, column: str) -> Any:
    """A cell as JSON holds it."""
    cell = cell.item() if isinstance(cell, np.generic) else cell
    if isinstance(cell, _PLAIN) or (isinstance(cell, float) and math.isfinite(cell)):
        return cell
    if pd.api.types.is_scalar(cell) and pd.isna(cell):
        return None
    for name, (kind, said, _) in _SAID.items():
        if isinstance(cell, kind):
            return {name: said(cell)}
    msg = f"a cell of a catalogue must hold one value; however: `{column}` has a `{type(cell).__name__}`"
    raise UnsupportedError(f"{msg}. Spread it over columns")


def _values(each: Mapping[str, Any], index: range) -> pd.Series:
    """A column that was plain data."""
    if "levels" in each:
        levels = pd.Index(_values(each["levels"], range(len(each["levels"]["cells"]))))
        kind = pd.CategoricalDtype(levels, ordered=each["ordered"])
        return pd.Series(pd.Categorical.from_codes(each["cells"], dtype=kind), index=index)
    told = [_told(x) for x in each["cells"]]
    cells = pd.Series(told, dtype=object, index=index)
    name = each["dtype"]
    dtype = pd.ArrowDtype(arrow_type(name.removesuffix(_ARROW))) if _held_by_arrow(name) else name
    if name.startswith("datetime64"):
        moments = pd.to_datetime(cells, format="ISO8601", utc="," in name)  # one zone has several offsets
        return moments.astype(name)
    return cells if name == "object" else cells.astype(dtype)


def _told(cell: object) -> object:
    """What a cell in the card stands for."""
    if not isinstance(cell, dict):
        return cell
    ((name, text),) = cell.items()
    return _SAID[name][2](text)


def _held_by_arrow(name: str) -> bool:
    return name.endswith(_ARROW) and name != f"string{_ARROW}"
