"""Tables and columns unpacked: whatever holds the cells, they come as plain numbers, truths, moments and texts."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from synthkit.errors import TableError

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

TYPES_ATTRIBUTE = "synthkit_types"  # of `attrs`: Arrow types by column, where a frame cannot tell them
_INDEX_COLUMN = re.compile(r"__index_level_\d+__")  # how pandas calls a level of an index that has no name
NULLABLE_DTYPES = {"bool": "boolean"} | {f"{u}int{w}": f"{u.upper()}Int{w}" for u in ("", "u") for w in (8, 16, 32, 64)}
_NULLABLE_INTEGERS = [pd.api.types.pandas_dtype(name) for name in NULLABLE_DTYPES.values() if name != "boolean"]


def as_frame(table: object, what: str = "a table") -> pd.DataFrame:
    """The frame itself, or that of an Arrow table or of anything that gives one through the Arrow interface.

    Args:
        table: a frame, a table or a batch.
        what: what is asked for, in the message.

    Raises:
        TableError: it is none of them; its type is named, never what it holds.

    Example:
        >>> import pyarrow as pa
        >>> as_frame(pa.table({"age": [61, None]}))["age"].tolist()
        [61, <NA>]
    """
    if isinstance(table, pd.DataFrame):
        return table
    if hasattr(table, "__arrow_c_stream__") and hasattr(table, "columns"):
        import pyarrow as pa

        return from_arrow(table if isinstance(table, pa.Table) else pa.table(table))
    msg = (
        f"{what} is a DataFrame or an Arrow table; however: a `{type(table).__name__}` came. "
        "Make it a DataFrame with named columns, such as pandas.DataFrame(records)"
    )
    raise TableError(msg)


def from_arrow(table: pa.Table) -> pd.DataFrame:
    """Frame of an Arrow table: what pandas wrote comes back as it was; otherwise whole numbers stay whole.

    Raises:
        TableError: a column name stands twice.
    """
    import pyarrow as pa

    if len(set(table.column_names)) < len(table.column_names):
        twice = sorted({n for n in table.column_names if table.column_names.count(n) > 1})
        msg = f"each column name stands once; however: {', '.join(twice)} is there twice. Rename the columns"
        raise TableError(msg)
    table = without_index(table)
    described = table.schema.pandas_metadata or {}
    known = {c.get("field_name"): str(c.get("numpy_type")) for c in described.get("columns", ())}
    nullable = {getattr(pa, str(d).lower())(): d for d in _NULLABLE_INTEGERS} | {pa.bool_(): pd.BooleanDtype()}
    frame: pd.DataFrame = _without_arrow_dtypes(table, described).to_pandas(date_as_object=False)
    types = {}
    for i, field in enumerate(table.schema):
        if field.name not in frame:
            continue
        if _held_by_arrow(known.get(field.name, "")):
            frame[field.name] = pd.Series(pd.array(table.column(i), dtype=pd.ArrowDtype(field.type)))
            continue
        if _untold(field.type):
            types[field.name] = str(field.type)
        if field.type not in nullable or not table.column(i).null_count:
            continue
        if known.get(field.name, "None") == "None" or pd.api.types.is_float_dtype(frame[field.name].dtype):
            frame[field.name] = table.column(i).to_pandas(types_mapper=nullable.get).array
    frame = frame.reset_index(drop=True)
    frame.attrs = {TYPES_ATTRIBUTE: types} if types else {}
    return frame


def without_index(table: pa.Table) -> pa.Table:
    """The table with what pandas kept as the index: named, it is a column like others; without a name, nothing."""
    described = table.schema.pandas_metadata or {}
    levels = [name for name in described.get("index_columns", ()) if name in table.column_names]
    if not levels:
        return table
    said = json.dumps({**described, "index_columns": []}).encode()
    nameless = [name for name in levels if _INDEX_COLUMN.fullmatch(name)]
    return table.drop_columns(nameless).replace_schema_metadata({**table.schema.metadata, b"pandas": said})


def _held_by_arrow(numpy_type: str) -> bool:
    """Whether pandas wrote the column from a dtype that Arrow holds; one text dtype of its own has such a name."""
    return numpy_type.endswith("[pyarrow]") and numpy_type != "string[pyarrow]"


def _without_arrow_dtypes(table: pa.Table, described: dict[str, Any]) -> pa.Table:
    """The table without notes of dtypes whose names pandas writes and cannot read."""
    if not any(_held_by_arrow(str(c.get("numpy_type"))) for c in described.get("columns", ())):
        return table
    columns = [
        c | ({"numpy_type": "object"} if _held_by_arrow(str(c["numpy_type"])) else {}) for c in described["columns"]
    ]
    said = json.dumps({**described, "columns": columns}).encode()
    return table.replace_schema_metadata({**(table.schema.metadata or {}), b"pandas": said})


def _untold(kind: pa.DataType) -> bool:
    """Whether a frame of pandas, written again, would give another Arrow type."""
    import pyarrow as pa

    types = pa.types
    texts = (types.is_large_string, types.is_string_view, types.is_large_binary, types.is_binary_view)
    others = (types.is_date, types.is_decimal, types.is_dictionary, types.is_time, types.is_fixed_size_binary)
    return any(is_(kind) for is_ in (*texts, *others))


def unpacked(values: pd.Series) -> pd.Series:
    """The cells of a column without what holds them: categories, dictionaries, Arrow and sparse arrays, bytes of text.

    Bytes that are no UTF-8 stay bytes. **Shape**: (n,) -> (n,).

    Example:
        >>> unpacked(pd.Series([b"A1", None])).tolist(), unpacked(pd.Series([1, None], dtype="category")).tolist()
        (['A1', None], [1, <NA>])
    """
    dtype = values.dtype
    if isinstance(dtype, pd.CategoricalDtype):
        return _taken(unpacked(pd.Series(dtype.categories)), values.cat.codes.to_numpy(), values)
    if isinstance(dtype, pd.ArrowDtype):
        return _of_arrow(values)
    if isinstance(dtype, pd.SparseDtype):
        dense: pd.Series = pd.Series(values.array.to_dense(), index=values.index, name=values.name)
        return dense
    if isinstance(dtype, pd.StringDtype):
        return _without_na(values)
    return _decoded(values) if pd.api.types.is_object_dtype(dtype) else values


def unpacked_frame(frame: pd.DataFrame) -> pd.DataFrame:
    """`unpacked` of every column; columns are named once."""
    return pd.DataFrame({name: unpacked(frame[name]) for name in frame}, index=frame.index, copy=False)


def _taken(cells: pd.Series, codes: NDArray[Any], like: pd.Series) -> pd.Series:
    """Cells by their numbers, missing where the number is -1; whole numbers and truths stay what they are."""
    if pd.api.types.is_object_dtype(cells.dtype):
        table = np.empty(len(cells) + 1, dtype=object)
        table[:-1] = cells.to_numpy()
        return pd.Series(table[codes], index=like.index, name=like.name, dtype=object)
    dtype: Any = NULLABLE_DTYPES.get(str(cells.dtype), cells.dtype)
    out: pd.Series = (cells.astype(dtype) if (codes < 0).any() else cells).reindex(codes)
    out.index, out.name = like.index, like.name
    return out


def _of_arrow(values: pd.Series) -> pd.Series:
    import pyarrow as pa

    held: Any = values.array
    out = unpacked(from_arrow(pa.table({"x": pa.chunked_array(held.__arrow_array__())}))["x"])
    out.index, out.name = values.index, values.name
    return out


def _without_na(values: pd.Series) -> pd.Series:
    cells = values.to_numpy(dtype=object)
    cells[values.isna().to_numpy()] = None
    return pd.Series(cells, index=values.index, name=values.name, dtype=object)


def _decoded(values: pd.Series) -> pd.Series:
    """Bytes as texts; each cell is looked at by itself."""
    if pd.api.types.infer_dtype(values, skipna=True) not in ("bytes", "mixed"):
        return values
    cells = np.empty(len(values), dtype=object)
    for k, cell in enumerate(values):
        cells[k] = _text(bytes(cell)) if isinstance(cell, bytes | bytearray) else cell
    return pd.Series(cells, index=values.index, name=values.name, dtype=object)


def _text(cell: bytes) -> str | bytes:
    try:
        return cell.decode()
    except UnicodeDecodeError:
        return cell
