"""Random columns of a schema with cells that keep it and cells that break it, in every storage that holds them.

The check is made beside ours: plain Python over the cells, before anything stores them.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pandas as pd
import pyarrow as pa
from hypothesis import strategies as st


@dataclass(frozen=True)
class OddColumn:
    """One column: what is declared, its cells as plain Python, and which of them break the declaration."""

    declared: dict[str, Any]
    cells: tuple[Any, ...]

    def broken(self) -> list[bool]:
        """Which cells break the declaration, asked of each cell alone."""
        return [self._broken(cell) for cell in self.cells]

    def _broken(self, cell: Any) -> bool:
        if cell is None:
            return not self.declared.get("nullable", False)
        if "levels" in self.declared:
            return cell not in self.declared["levels"]
        if str(cell) in self.declared.get("atoms", ()):
            return False
        if self.declared["kind"] == "datetime":
            return not self.declared["min"] <= cell.isoformat() <= self.declared["max"]
        return not self.declared["min"] <= cell <= self.declared["max"]


def _texts(cells: tuple[Any, ...]) -> list[str | None]:
    return [None if cell is None else str(cell) for cell in cells]


def _arrow(kind: pa.DataType) -> Callable[[tuple[Any, ...]], pd.Series]:
    return lambda cells: pd.Series(pd.array(list(cells), dtype=pd.ArrowDtype(kind)))


def _dtype(name: Any) -> Callable[[tuple[Any, ...]], pd.Series]:
    return lambda cells: pd.Series(list(cells), dtype=name)


def _each(write: Callable[[Any], Any], dtype: Any = object) -> Callable[[tuple[Any, ...]], pd.Series]:
    """Cells as people write them, by plain Python."""
    return lambda cells: pd.Series([None if cell is None else write(cell) for cell in cells], dtype=dtype)


def _german(cell: float) -> str:
    return f"{cell:,.3f}".translate(str.maketrans(",.", ".,"))


def _whole_day(cell: dt.date) -> int:
    return 10_000 * cell.year + 100 * cell.month + cell.day


def _bytes(cells: tuple[Any, ...]) -> pd.Series:
    return pd.Series([None if cell is None else cell.encode() for cell in cells], dtype=object)


STORAGES: dict[str, dict[str, Callable[[tuple[Any, ...]], pd.Series]]] = {
    "text": {
        **{"object": _dtype(object), "string": _dtype("string[python]"), "category": _dtype("category")},
        **{"large": _arrow(pa.large_string()), "dictionary": _arrow(pa.dictionary(pa.int16(), pa.string()))},
        "bytes": _bytes,
    },
    "whole": {
        **{"Int64": _dtype("Int64"), "float": _dtype(float), "Int16": _dtype("Int16"), "object": _dtype(object)},
        **{"arrow": _arrow(pa.int16()), "category": _dtype("category")},
        "texts": lambda cells: pd.Series(_texts(cells), dtype=object),
        "decimal": lambda cells: pd.Series([None if c is None else Decimal(c) for c in cells], dtype=object),
    },
    "real": {
        **{
            "float": _dtype(float),
            "Float64": _dtype("Float64"),
            "object": _dtype(object),
            "category": _dtype("category"),
        },
        **{"texts": lambda cells: pd.Series(_texts(cells), dtype=object), "arrow": _arrow(pa.float64())},
        "decimal": lambda cells: pd.Series([None if c is None else Decimal(str(c)) for c in cells], dtype=object),
    },
    "date": {
        **{"object": _dtype(object), "arrow": _arrow(pa.date32()), "timestamp": _arrow(pa.timestamp("us"))},
        "datetime": lambda cells: pd.Series(pd.array(list(cells), dtype="datetime64[us]")),
        "texts": lambda cells: pd.Series(_texts(cells), dtype=object),
    },
    "truth": {
        **{"boolean": _dtype("boolean"), "object": _dtype(object), "arrow": _arrow(pa.bool_())},
        "texts": lambda cells: pd.Series(_texts(cells), dtype=object),
    },
    "german": {"object": _each(_german), "category": _each(_german, "category")},
    "milligrams": {"object": _each(lambda cell: f"{cell:.3f} mg"), "string": _each(lambda c: f"{c:.3f} mg", "string")},
    "day written": {
        "object": _each(lambda cell: f"{cell:%d.%m.%Y}"),
        "category": _each("{:%d.%m.%Y}".format, "category"),
    },
    "day as a number": {"Int64": _each(_whole_day, "Int64"), "texts": _each(lambda cell: str(_whole_day(cell)))},
    "still open": {"texts": _each(str), "object": _dtype(object), "arrow": _arrow(pa.timestamp("us"))},
    "mixed": {"texts": _each(str), "object": _each(lambda cell: int(cell) if cell.isdigit() else cell)},
}
_OPEN = dt.date(9999, 12, 31)
_DAYS = {"precision": "day", "min": "1920-01-01", "max": "2080-01-01"}
_GERMAN = {"decimal": ",", "thousands": ".", "trailing_zeros": True}
_WORDS = ("a", "b", "c d", "none", "A", "é")
_CELLS: dict[str, st.SearchStrategy[Any]] = {
    "text": st.sampled_from(_WORDS),
    "whole": st.integers(-300, 300),
    "real": st.integers(-3000, 3000).map(lambda k: k / 8),
    "date": st.dates(dt.date(1900, 1, 1), dt.date(2100, 1, 1)),
    "truth": st.booleans(),
    "german": st.integers(-3_000_000, 3_000_000).map(lambda k: k / 8),
    "milligrams": st.integers(-3000, 3000).map(lambda k: k / 8),
    "day written": st.dates(dt.date(1900, 1, 1), dt.date(2100, 1, 1)),
    "day as a number": st.dates(dt.date(1900, 1, 1), dt.date(2100, 1, 1)),
    "still open": st.dates(dt.date(1900, 1, 1), dt.date(2100, 1, 1)) | st.just(_OPEN),
    "mixed": st.sampled_from(("1", "2", "30", "unknown", "other")),
}
_DECLARED: dict[str, dict[str, Any]] = {
    "text": {"kind": "categorical", "levels": list(_WORDS[:4])},
    "whole": {"kind": "numeric", "decimals": 0, "min": -200, "max": 200},
    "real": {"kind": "numeric", "decimals": 3, "min": -300.5, "max": 300.5},
    "date": {"kind": "datetime", "precision": "day", "min": "1920-01-01", "max": "2080-01-01"},
    "truth": {"kind": "boolean", "levels": [False, True]},
    "german": {"kind": "numeric", "min": -300_000, "max": 300_000, "decimals": 3, **_GERMAN},
    "milligrams": {"kind": "numeric", "min": -300, "max": 300, "decimals": 3, "suffix": " mg", "trailing_zeros": True},
    "day written": {"kind": "datetime", "format": "%d.%m.%Y", **_DAYS},
    "day as a number": {"kind": "datetime", "format": "%Y%m%d", **_DAYS},
    "still open": {"kind": "datetime", "atoms": [str(_OPEN)], **_DAYS},
    "mixed": {"kind": "categorical", "levels": ["1", "2", "30", "unknown"]},
}


@st.composite
def columns(draw: st.DrawFn, *, good: bool = False, rows: int = 24) -> tuple[str, OddColumn]:
    """A family and a column of it; `good` ones keep their declaration."""
    family = draw(st.sampled_from(sorted(_CELLS)))
    nullable = draw(st.booleans())
    declared = {**_DECLARED[family], "nullable": nullable}
    one = _CELLS[family] if good and not nullable else st.none() | _CELLS[family]
    if good:
        one = one.filter(lambda cell: not OddColumn(declared, (cell,)).broken()[0])
    few = draw(st.lists(one, min_size=2, max_size=6))
    cells = draw(st.lists(st.sampled_from(few), min_size=rows, max_size=rows))
    cells[0] = next((cell for cell in few if cell is not None), draw(_CELLS[family].filter(_good(declared))))
    return family, OddColumn(declared, tuple(cells))


def _good(declared: dict[str, Any]) -> Callable[[Any], bool]:
    return lambda cell: not OddColumn(declared, (cell,)).broken()[0]
