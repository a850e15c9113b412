"""A plain table of a page: every cell is a text that its JSON holds at the same place."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypedDict


class TableHead(TypedDict):
    """A column's heading, and whether its cells are numbers."""

    label: str
    number: bool


class TableCell(TypedDict):
    """A cell as it is shown."""

    text: str


class TableRow(TypedDict):
    """A row: its name, what is said below it, and its cells."""

    name: str
    note: str
    cells: Sequence[TableCell]


class DataTable(TypedDict):
    """Caption, headings and rows."""

    caption: str
    heads: Sequence[TableHead]
    rows: Sequence[TableRow]


def data_table(caption: str, heads: Sequence[str], rows: Sequence[Sequence[str]]) -> DataTable:
    """A table from texts.

    Args:
        caption: what it shows.
        heads: of each column, that of the names first; one that begins with `#` stands over numbers.
        rows: name and cells; a name may have a note behind a line break.

    Example:
        >>> data_table("Sizes", ["Table", "#Rows"], [["visits", "3"]])["rows"][0]["cells"]
        [{'text': '3'}]
    """
    made: list[TableRow] = []
    for first, *cells in rows:
        name, _, note = first.partition("\n")
        made.append({"name": name, "note": note, "cells": [{"text": cell} for cell in cells]})
    marks: list[TableHead] = [{"label": head.removeprefix("#"), "number": head.startswith("#")} for head in heads]
    return {"caption": caption, "heads": marks, "rows": made}
