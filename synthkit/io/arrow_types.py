"""Types of Arrow by their names, and tables brought to them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa


def arrow_type(name: str) -> pa.DataType:
    """The Arrow type of a name.

    Raises:
        ValueError: no such type is known.

    Example:
        >>> str(arrow_type("dictionary<values=string, indices=int8, ordered=0>"))
        'dictionary<values=string, indices=int8, ordered=0>'
    """
    import pyarrow as pa

    if found := re.fullmatch(r"(decimal\d+)\((\d+), (-?\d+)\)", name):
        return getattr(pa, found[1])(int(found[2]), int(found[3]))
    if found := re.fullmatch(r"dictionary<values=(.+), indices=(\w+), ordered=([01])>", name):
        return pa.dictionary(arrow_type(found[2]), arrow_type(found[1]), found[3] == "1")
    if found := re.fullmatch(r"fixed_size_binary\[(\d+)\]", name):
        return pa.binary(int(found[1]))
    if found := re.fullmatch(r"timestamp\[(\w+), tz=(.+)\]", name):
        return pa.timestamp(found[1], tz=found[2])
    return pa.type_for_alias(name)


def retyped(table: pa.Table, types: Mapping[str, str]) -> pa.Table:
    """An Arrow table with columns of the types given, where their cells have a place in them."""
    for k, field in enumerate(table.schema):
        if field.name not in types:
            continue
        try:
            kind = arrow_type(types[field.name])
            table = table.set_column(k, field.with_type(kind), _cast(table.column(k), kind))
        except (ValueError, NotImplementedError):
            continue
    return table


def _cast(column: pa.ChunkedArray, kind: pa.DataType) -> pa.ChunkedArray:
    """A column of another type. Views are made anew: those that pyarrow before 25 casts crash when they are written."""
    import pyarrow as pa

    if kind in (pa.string_view(), pa.binary_view()):
        return pa.chunked_array([pa.array(column.to_pylist(), type=kind)])
    return column.cast(kind)
