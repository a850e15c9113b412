"""Tables without rows among those drafted: what names and types of their columns tell, and that the rest is unknown."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from synthkit.schema.columns import Boolean, Column, Datetime, Identifier, Numeric
from synthkit.schema.infer.linked.foreign_keys import names_agreement
from synthkit.schema.linked.link import Link
from synthkit.schema.linked.linked_table import LinkedTable

if TYPE_CHECKING:
    from synthkit.schema.infer.linked.unit_tree import UnitTree

_UNKNOWN = "has no rows, so nobody can tell what it is"
_UNTOLD = "columns whose type tells nothing are drafted as identifiers, which are never learned"
_AGAIN = "check every line, or draft again once it has rows"


@dataclass(frozen=True)
class RowlessDraft:
    """What is drafted of a table without rows: never a public catalogue, for later rows may be people's.

    Args:
        table: its lines.
        note: what could be told, and what not.
    """

    table: LinkedTable
    note: str


def draft_rowless(name: str, frame: pd.DataFrame, tree: UnitTree) -> RowlessDraft:
    """The lines of a table without rows.

    A column that is called like the key of the units makes its rows theirs; otherwise several units share them.

    Args:
        name: of the table.
        frame: its columns, of no row. **Shape**: (0, d).
        tree: what the other tables are.

    Example:
        >>> from synthkit.schema.infer.linked.unit_tree import draft_tree
        >>> frames = {"people": pd.DataFrame({"pid": [1, 2]}), "notes": pd.DataFrame({"pid": [], "text": []})}
        >>> draft = draft_rowless("notes", frames["notes"], draft_tree(frames))
        >>> draft.table.role, draft.table.owner.to
        ('records', 'people')
    """
    key = tree.keys.get(tree.unit)
    named = [] if key is None else [c for c in map(str, frame.columns) if names_agreement(c, key, tree.unit)]
    if key is None or not named:
        columns = _columns(frame)
        note = f"{_UNKNOWN}: taken for rows that several units have in common; {_UNTOLD}; {_AGAIN}"
        return RowlessDraft(LinkedTable(role="shared", columns=columns), note)
    best = max(named, key=lambda c: names_agreement(c, key, tree.unit))
    columns = {**_columns(frame), best: Identifier()}
    note = (
        f"{_UNKNOWN}: `{best}` is called like the key of `{tree.unit}`, so its rows are taken for theirs; {_UNTOLD}; "
        f"{_AGAIN}"
    )
    return RowlessDraft(LinkedTable(links=(Link(columns=(best,), to=tree.unit, kind="owner"),), columns=columns), note)


def _columns(frame: pd.DataFrame) -> dict[str, Column]:
    return {str(name): _kind(frame[name]) for name in frame.columns}


def _kind(cells: pd.Series) -> Column:
    """The kind that a type tells; a column that was never filled may have missing cells."""
    dtype = cells.dtype
    if pd.api.types.is_bool_dtype(dtype):
        return Boolean(nullable=True)
    if pd.api.types.is_datetime64_any_dtype(dtype):
        return Datetime(nullable=True, precision="microsecond")
    if pd.api.types.is_numeric_dtype(dtype):
        return Numeric(nullable=True, decimals=0 if pd.api.types.is_integer_dtype(dtype) else None)
    return Identifier(nullable=True)
