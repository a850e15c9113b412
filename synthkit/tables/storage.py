"""How a column is stored: its type and what its cells are, remembered where a table comes in and given back."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from synthkit.io.arrow_types import arrow_type
from synthkit.io.object_cells import object_cell_types, truth_words
from synthkit.io.plain_columns import NULLABLE_DTYPES, TYPES_ATTRIBUTE, unpacked
from synthkit.schema import Datetime, datetimes

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

    from synthkit.schema import Schema
    from synthkit.schema.columns import Column

ARROW_PREFIX = "arrow:"  # how the name of a dtype begins whose arrays are Arrow's
_NUMERIC_DTYPE = re.compile(r"u?int|float|double|decimal")
_ZONED_DTYPE = re.compile(r"^datetime64\[\w+, |timestamp\[\w+, tz=")
_PERIOD_PRECISIONS = {"D": "day", "h": "hour", "min": "minute", "s": "second", "ms": "millisecond"}
_TIME_PRECISIONS = ("day", "hour", "minute", "second", "millisecond", "microsecond")


@dataclass(frozen=True, kw_only=True)
class Storage:
    """How one column is stored.

    Args:
        dtype: name of the dtype of pandas; of one that Arrow holds, `arrow:` and the Arrow type.
        cells: what the cells are where the dtype does not say: text, bytes, number, decimal, date,
            datetime, moment, time, period, interval.
        scale: digits behind the point of decimals, and of numbers in text that all have as many.
        ordered: whether categories have an order.
        levels: declared levels among the categories, in their order; levels nobody has among them.
        of: how the categories themselves are stored; the dtype that periods or intervals among objects would have.
        words: texts of false and true.
        zoned: whether each cell of a column of objects names a zone.
        arrow: Arrow type of the file it came from, where the dtype does not tell it.

    Example:
        >>> str(Storage.of_column(pd.Series([Decimal("1.50")])))
        'object {"cells": "decimal", "scale": 2}'
    """

    dtype: str
    cells: str = ""
    scale: int | None = None
    ordered: bool = False
    levels: tuple[object, ...] = ()
    of: str = ""
    words: tuple[str, ...] = ()
    zoned: bool = False
    arrow: str = ""

    @classmethod
    def of_column(cls, values: pd.Series, column: Column | None = None, arrow: str = "") -> Storage:
        """How a column is stored; of its categories only those are kept that the schema declares."""
        dtype = values.dtype
        if isinstance(dtype, pd.CategoricalDtype):
            categories = pd.Series(dtype.categories)
            return cls(
                dtype="category",
                ordered=bool(dtype.ordered),
                levels=_declared(categories, column),
                of=str(cls.of_column(categories)),
                arrow=arrow,
            )
        if isinstance(dtype, pd.ArrowDtype):
            return cls(dtype=f"{ARROW_PREFIX}{dtype.pyarrow_dtype}", **truth_words(unpacked(values)))
        if isinstance(dtype, pd.StringDtype):
            return cls(dtype=f"string[{dtype.storage}]", arrow=arrow, **truth_words(values))
        if pd.api.types.is_object_dtype(dtype):
            return cls(dtype="object", arrow=arrow, **object_cell_types(values))
        return cls(dtype=str(dtype), arrow=arrow)

    @classmethod
    def parse(cls, text: str) -> Storage:
        """What `str` gave; a name alone is a dtype."""
        name, brace, rest = text.partition(" {")
        said = json.loads("{" + rest) if brace else {}
        lists = {key: tuple(said[key]) for key in ("levels", "words") if key in said}
        return cls(dtype=name, **{**said, **lists})

    def __str__(self) -> str:
        said = {key: value for key, value in asdict(self).items() if key != "dtype"}
        plain = {key: value for key, value in said.items() if value not in ("", None, (), False)}
        return f"{self.dtype} {json.dumps(plain, ensure_ascii=False)}" if plain else self.dtype


def storages(frame: pd.DataFrame, schema: Schema | None = None) -> dict[str, str]:
    """How each column is stored, to be given to `restore`.

    Example:
        >>> storages(pd.DataFrame({"dose": pd.Series([0.5], dtype="float32")}))
        {'dose': 'float32'}
    """
    types: Mapping[str, str] = frame.attrs.get(TYPES_ATTRIBUTE, {})
    columns = {} if schema is None else schema.columns
    return {
        str(name): str(Storage.of_column(frame[name], columns.get(str(name)), types.get(str(name), "")))
        for name in frame.columns
    }


def holds_numbers(stored: str) -> bool:
    """Whether cells stored so are numbers, not texts that say some.

    Example:
        >>> holds_numbers("arrow:int8"), holds_numbers('object {"cells": "text"}')
        (True, False)
    """
    storage = Storage.parse(stored)
    if storage.of:
        return holds_numbers(storage.of)
    name = storage.dtype.removeprefix(ARROW_PREFIX)
    return storage.cells in ("number", "decimal") or _NUMERIC_DTYPE.match(name.lower()) is not None


def restore(frame: pd.DataFrame, wanted: Mapping[str, str], schema: Schema | None = None) -> pd.DataFrame:
    """The frame stored as another was, as `storages` named it; no cell is lost to it.

    A column that cannot be stored so without losing cells keeps the nearest: whole numbers with missing cells
    become Int64 and so on, numbers too large for their width stay wide, fresh text identifiers stay text.

    Args:
        frame: rows in canonical dtypes.
        wanted: storages by column.
        schema: meaning of the columns, for the levels of categories and the pattern of moments in text.

    Example:
        >>> restore(pd.DataFrame({"dose": [0.5]}), {"dose": "float32"}).dtypes.astype(str).to_dict()
        {'dose': 'float32'}
    """
    columns = {} if schema is None else schema.columns
    stored = {str(name): Storage.parse(text) for name, text in wanted.items()}
    out = {
        name: _given_back(frame[name], stored[str(name)], columns.get(str(name)))
        if str(name) in stored
        else frame[name]
        for name in frame
    }
    made = pd.DataFrame(out, index=frame.index, copy=False)
    made.attrs = dict(frame.attrs)
    if types := {name: each.arrow for name, each in stored.items() if each.arrow and name in frame}:
        made.attrs[TYPES_ATTRIBUTE] = types
    return made


def _given_back(values: pd.Series, storage: Storage, column: Column | None) -> pd.Series:
    values = _as_stored(values, storage, column)
    for dtype in (storage.dtype, NULLABLE_DTYPES.get(storage.dtype)):
        if dtype is None:
            continue
        try:
            cast = _cast(values, replace(storage, dtype=dtype), column)
        except (ValueError, TypeError, OverflowError, ArithmeticError, NotImplementedError):
            continue
        if _keeps(values, cast):
            return cast
    return values


def _as_stored(values: pd.Series, storage: Storage, column: Column | None) -> pd.Series:
    """Moments as whole numbers of digits, or with their zone, where they are stored so."""
    if not isinstance(column, Datetime) or not pd.api.types.is_datetime64_dtype(values.dtype):
        return values
    if storage.zoned or _ZONED_DTYPE.search(storage.dtype):
        return datetimes.with_zone(values, column)
    digits = column.written_as is not None and column.written_as.width is not None
    numbers = storage.cells in ("number", "decimal") or _NUMERIC_DTYPE.match(
        storage.dtype.removeprefix(ARROW_PREFIX).lower()
    )
    return datetimes.as_numbers(datetimes.write_datetimes(values, column)) if digits and numbers else values


def _cast(values: pd.Series, storage: Storage, column: Column | None) -> pd.Series:
    if storage.dtype == "category":
        return _category(values, storage, column)
    if storage.dtype.startswith(ARROW_PREFIX):
        kind = arrow_type(storage.dtype.removeprefix(ARROW_PREFIX))
        return pd.Series(pd.array(_arrow(values, kind, storage, column), dtype=pd.ArrowDtype(kind)))
    if storage.dtype.startswith("string["):
        return _written(values, storage, column).astype(storage.dtype)  # type: ignore[call-overload, no-any-return]
    if storage.dtype == "object":
        return _objects(values, storage, column)
    if storage.dtype.startswith("interval"):
        return _intervals(values, storage.dtype)
    if storage.dtype in ("bool", "boolean") and pd.api.types.is_object_dtype(
        values.dtype
    ):  # any text is true to pandas
        values = values.map(lambda cell: {"true": True, "false": False}.get(str(cell).lower(), cell))
    dtype: Any = pd.api.types.pandas_dtype(storage.dtype)
    return values.astype(dtype)


def _keeps(before: pd.Series, after: pd.Series) -> bool:
    """Whether a cast kept missing cells missing and whole numbers as they were (rounding to float32 is meant)."""
    absent = before.isna().to_numpy(dtype=bool)
    if not np.array_equal(absent, after.isna().to_numpy(dtype=bool)):
        return False
    if pd.api.types.is_numeric_dtype(before.dtype) and pd.api.types.is_integer_dtype(after.dtype):
        left, right = before[~absent].to_numpy(dtype=float), unpacked(after)[~absent].to_numpy(dtype=float)
        return bool(np.array_equal(left, right))
    return True


def _category(values: pd.Series, storage: Storage, column: Column | None) -> pd.Series:
    """Categories in their order: the declared ones, or those that occur where none is declared."""
    cells = values.to_numpy(dtype=object)
    declared = list(getattr(column, "levels", None) or ())
    if not declared:
        levels = sorted(values.dropna().unique())
    elif storage.ordered and set(declared) - set(storage.levels):
        levels = declared
    else:
        levels = [*storage.levels, *(level for level in declared if level not in storage.levels)]
    codes = pd.Index(levels, dtype=object).get_indexer(pd.Index(cells, dtype=object))
    codes = np.where(values.isna().to_numpy(dtype=bool), -1, codes)
    typed = pd.Series(levels, dtype=values.dtype if levels else object)
    of = Storage.parse(storage.of or "object")
    names = pd.Index(_given_back(typed, of, column if isinstance(column, Datetime) else None))
    made = pd.Categorical.from_codes(codes, categories=names, ordered=storage.ordered)
    return pd.Series(made, index=values.index, name=values.name)


def _objects(values: pd.Series, storage: Storage, column: Column | None) -> pd.Series:
    absent = values.isna().to_numpy(dtype=bool)
    if storage.cells == "text":
        return _written(values, storage, column)
    made = _cells(values, storage)
    made[absent] = None
    return pd.Series(made, index=values.index, name=values.name, dtype=object)


def _cells(values: pd.Series, storage: Storage) -> NDArray[np.object_]:
    """Cells of a type of Python's own."""
    made: dict[str, Callable[[Any], object]] = {
        "bytes": lambda cell: str(cell).encode(),
        "decimal": lambda cell: Decimal(cell if isinstance(cell, str) else f"{cell:.{storage.scale or 0}f}"),
        "time": dt.time.fromisoformat,
        "date": dt.date.fromisoformat,
        "datetime": pd.Timestamp.to_pydatetime,
    }
    if storage.cells in ("period", "interval"):
        return _cast(values, Storage.parse(storage.of), None).to_numpy(dtype=object)
    if storage.cells == "date" and pd.api.types.is_datetime64_dtype(values.dtype):
        return np.array(values.dt.date, dtype=object)
    if storage.cells in made:
        return _each(values, made[storage.cells])
    return np.array(values.astype(object).to_numpy(), dtype=object)


def _each(values: pd.Series, change: Callable[[Any], object]) -> NDArray[np.object_]:
    """Every present cell changed, each distinct one once; missing ones are None."""
    codes, cells = pd.factorize(values, use_na_sentinel=True)
    table = np.empty(len(cells) + 1, dtype=object)
    for k, cell in enumerate(cells):
        table[k] = change(cell)
    return np.asarray(table[codes], dtype=object)


def _written(values: pd.Series, storage: Storage, column: Column | None) -> pd.Series:
    """Cells as texts, as a file of text would hold them; None where missing."""
    if pd.api.types.is_object_dtype(values.dtype):
        made = values.to_numpy(dtype=object).copy()
    elif pd.api.types.is_bool_dtype(values.dtype):
        words = storage.words or ("False", "True")
        made = _each(values, lambda cell: words[bool(cell)])
    elif pd.api.types.is_datetime64_dtype(values.dtype) and isinstance(column, Datetime) and column.format:
        made = datetimes.write_datetimes(values, column).to_numpy(dtype=object)
    elif pd.api.types.is_datetime64_dtype(values.dtype):
        days = bool((values.dropna() == values.dropna().dt.normalize()).all())
        made = _each(values, lambda cell: str(cell.date() if days else cell))
    else:
        made = _each(values, lambda cell: _number(cell, storage.scale))
    made[values.isna().to_numpy(dtype=bool)] = None
    return pd.Series(made, index=values.index, name=values.name, dtype=object)


def _number(cell: Any, scale: int | None) -> str:
    if scale is not None:
        return f"{cell:.{scale}f}"
    return str(int(cell)) if float(cell).is_integer() else repr(float(cell))


def _intervals(values: pd.Series, dtype: str) -> pd.Series:
    """Texts such as `(0, 10]` as the intervals they were."""
    kind: Any = pd.api.types.pandas_dtype(dtype)
    ends = values.astype(object).str[1:-1].str.split(", ", expand=True)
    if ends.shape[1] != 2:
        msg = "an interval is written with two ends"
        raise ValueError(msg)
    whole = pd.api.types.is_numeric_dtype(kind.subtype)
    left, right = ((ends[k].astype(float) if whole else ends[k]).astype(kind.subtype) for k in (0, 1))
    return pd.Series(pd.arrays.IntervalArray.from_arrays(left, right, closed=kind.closed), index=values.index)


def _arrow(values: pd.Series, kind: pa.DataType, storage: Storage, column: Column | None) -> pa.Array:
    import pyarrow as pa

    types = pa.types
    if types.is_dictionary(kind):
        return _arrow(values, kind.value_type, storage, column).dictionary_encode().cast(kind)
    if any(is_(kind) for is_ in (types.is_string, types.is_large_string, types.is_string_view)):
        cells: object = _written(values, storage, column)
    elif any(is_(kind) for is_ in (types.is_binary, types.is_large_binary, types.is_binary_view)) or (
        types.is_fixed_size_binary(kind)
    ):
        cells = _objects(values, replace(storage, cells="bytes"), column)
    elif types.is_decimal(kind):
        cells = _objects(values, replace(storage, cells="decimal", scale=kind.scale), column)
    elif types.is_date(kind):
        cells = _objects(values, replace(storage, cells="date"), column)
    elif types.is_time(kind):
        cells = _objects(values, replace(storage, cells="time"), column)
    else:
        cells = values
    return pa.array(cells, type=kind, from_pandas=True)


def narrowed(schema: Schema, wanted: Mapping[str, str]) -> Schema:
    """The schema with what the storage says besides: whole numbers and decimals have so many digits, dates no hours.

    Example:
        >>> from synthkit.schema import Schema
        >>> narrowed(Schema(columns={"beds": {"kind": "numeric"}}), {"beds": "int64"}).columns["beds"].decimals
        0
    """
    stored = {name: Storage.parse(text) for name, text in wanted.items()}
    columns = {name: _narrowed(c, stored[name]) if name in stored else c for name, c in schema.columns.items()}
    return schema.model_copy(update={"columns": columns})


def _narrowed(column: Any, storage: Storage) -> Any:
    if storage.of:
        storage = Storage.parse(storage.of)
    name = storage.dtype.removeprefix(ARROW_PREFIX)
    if column.kind == "numeric" and column.decimals is None:
        scale = storage.scale
        scale = 0 if re.fullmatch(r"u?int\d+", name.lower()) else scale
        return column if scale is None else _seen(column, decimals=min(scale, 15))
    if column.kind == "datetime":
        unit = re.fullmatch(r"(?:datetime64|timestamp|period)\[(D|h|min|s|ms)\]", name)
        finest = "day" if storage.cells == "date" or name.startswith("date3") else unit and _PERIOD_PRECISIONS[unit[1]]
        if finest and _TIME_PRECISIONS.index(finest) < _TIME_PRECISIONS.index(column.precision):
            return _seen(column, precision=finest)
    return column


def _seen(column: Any, **keys: Any) -> Any:
    """The column with keys that were read off the data, and are marked so."""
    return column.model_copy(update={**keys, "observed": tuple(dict.fromkeys((*column.observed, *keys)))})


def _declared(categories: pd.Series, column: Column | None) -> tuple[object, ...]:
    """Declared levels in the order of the categories that mean them; no category that nobody declared."""
    levels = getattr(column, "levels", None) or ()
    meant = {str(level): level for level in levels} | {level: level for level in levels if not isinstance(level, str)}
    found = [meant.get(str(cell), meant.get(cell)) for cell in unpacked(categories)]
    return tuple(level for level in found if level is not None)
