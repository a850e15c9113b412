"""What of a column's meaning a watermark's key holds: its name, its kind, and how its cells are written."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, ConfigDict

from synthkit.schema import Numeric
from synthkit.schema.datetimes import MomentWriting
from synthkit.schema.number_formats import Numerals

if TYPE_CHECKING:
    from synthkit.schema import Schema
    from synthkit.schema.columns import Column


class MarkedColumn(BaseModel):
    """What of a column's meaning is needed to read its cells: names and forms, no value of any table.

    Args:
        name: of the column.
        kind: how its cells are read.
        format: of moments in text, besides ISO 8601.
        zone: zone whose clock the column shows.
        pivot: first of the hundred years that two digits mean.
        numerals: how numbers are written as text, if not plainly.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    kind: Literal["number", "moment", "word"]
    format: str | None = None
    zone: str | None = None
    pivot: int | None = None
    numerals: Numeric | None = None

    @property
    def writing(self) -> MomentWriting:
        """How its moments are written."""
        return MomentWriting(format=self.format, zone=self.zone, pivot=self.pivot)


def marked_columns(schema: Schema, names: Iterable[str]) -> tuple[MarkedColumn, ...]:
    """Columns of a table as a key holds them.

    Args:
        schema: what the table means.
        names: of the columns.

    Example:
        >>> from synthkit.schema import Schema
        >>> marked_columns(Schema(columns={"x": {"kind": "numeric"}}), ["x"])[0].kind
        'number'
    """
    kinds = {"numeric": "number", "datetime": "moment"}
    found = []
    for name in names:
        column = schema.columns[name]
        written = {key: getattr(column, key, None) for key in MomentWriting.model_fields}
        told = {"name": name, "kind": kinds.get(column.kind, "word"), **written, "numerals": _numerals(column)}
        found.append(MarkedColumn.model_validate(told))
    return tuple(found)


def _numerals(column: Column) -> Numeric | None:
    """How the numbers of a column are written, without its bounds; None if plainly, or if it has none."""
    if not isinstance(column, Numeric) or not column.written:
        return None
    keys = (*Numerals.model_fields, "decimals")
    return Numeric(**{key: getattr(column, key) for key in keys})
