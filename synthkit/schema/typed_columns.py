"""A frame typed by a schema, with all that is not of the schema in it: where validation, clamping and fits begin."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from synthkit.io.plain_columns import unpacked
from synthkit.schema.columns import Numeric
from synthkit.schema.conform import column_faults, refuse, type_cells
from synthkit.schema.infer.long_integers import inexact_integers
from synthkit.schema.narrow_patterns import narrow_pattern_faults
from synthkit.schema.violations import Violation

if TYPE_CHECKING:
    import pandas as pd

    from synthkit.schema.table import Schema


@dataclass(frozen=True, kw_only=True)
class TypedColumns:
    """A frame typed by a schema, with everything in which it is not of the schema.

    Args:
        frame: typed columns; those with a cell that cannot be typed as they came.
        width: number of columns it came with.
        misnamed: columns named twice, missing from the table or from the schema.
        untyped: cells that cannot be typed.
        rounded: whole numbers of learned columns that no float equals.
    """

    frame: pd.DataFrame
    width: int
    misnamed: tuple[Violation, ...] = ()
    untyped: tuple[Violation, ...] = ()
    rounded: tuple[Violation, ...] = ()

    @classmethod
    def of(cls, frame: pd.DataFrame, schema: Schema) -> TypedColumns:
        """Type any frame; nothing is refused yet, so that all that is wrong can be listed together."""
        misnamed = tuple(column_faults(list(frame.columns), schema))
        if frame.columns.has_duplicates:
            return cls(frame=frame, width=len(frame.columns), misnamed=misnamed)
        typed, untyped = type_cells(frame, schema)
        rounded = rounded_faults(frame, schema)
        return cls(
            frame=typed, width=len(frame.columns), misnamed=misnamed, untyped=tuple(untyped), rounded=tuple(rounded)
        )

    def fitting(self) -> pd.DataFrame:
        """The typed frame.

        Raises:
            SchemaError: its columns are not those of the schema, or cells cannot be typed; lists all of them.
        """
        refuse(self.misnamed)
        refuse(self.untyped)
        return self.frame


def check_structure(frame: pd.DataFrame, schema: Schema) -> pd.DataFrame:
    """The typed frame, as `conform` gives it; a table nothing can be learned from is refused before any work is done.

    Raises:
        SchemaError: fewer than two rows, no columns, none to learn, columns missing, unknown or named twice, columns
            without a single value that are not nullable, cells that cannot be typed, infinities, whole numbers that
            are learned as others, patterns of fewer values than rows that must all differ; lists all of them.
    """
    typed = TypedColumns.of(frame, schema)
    check_learnable(typed, schema)
    return typed.frame


def check_learnable(typed: TypedColumns, schema: Schema) -> None:
    """Refuse a typed table nothing can be learned from.

    Raises:
        SchemaError: as `check_structure`; lists all that is wrong.
    """
    frame, faults = typed.frame, list(typed.misnamed)
    if len(frame) < 2:
        faults.append(
            Violation(("(table)",), f"at least 2 rows; however: {len(frame)}", remedy="give a table with more rows")
        )
    faults += narrow_pattern_faults(schema, len(frame), unique=True)
    if not schema.learned:
        faults.append(
            Violation(("(table)",), "a column to learn; however: only identifiers", remedy=_NOTHING_LEARNED_REMEDY)
        )
    if not frame.columns.has_duplicates:
        faults += [*typed.untyped, *typed.rounded]
        unread = {each.columns[0] for each in typed.untyped}  # which is no word on whether their cells are missing
        faults += [
            Violation((c,), "a column that is not nullable has values; however: none", remedy=_EMPTY_COLUMN_REMEDY)
            for c, column in schema.columns.items()
            if c in frame and len(frame) and not column.nullable and c not in unread and frame[c].isna().all()
        ]
    refuse(faults)


_NOTHING_LEARNED_REMEDY = "declare another kind for the columns that describe the rows"
_EMPTY_COLUMN_REMEDY = "set `nullable: true` for the column, or take it out of the table and the schema"


def rounded_faults(frame: pd.DataFrame, schema: Schema) -> list[Violation]:
    """Whole numbers of learned columns that no float equals: they are read exactly, but would be learned as others.

    Args:
        frame: cells as they came; columns are named once.
        schema: the declared meaning.
    """
    numeric = [name for name in schema.learned if name in frame and isinstance(schema.columns[name], Numeric)]
    found = {name: inexact_integers(unpacked(frame[name]).reset_index(drop=True)) for name in numeric}
    return [
        Violation.at((name,), _EXACT_AS_FLOAT, where, remedy=_LONG_NUMBER_REMEDY)
        for name, where in found.items()
        if where.any()
    ]


_EXACT_AS_FLOAT = "a whole number that a float of 64 bits equals, as it does up to 2^53"
_LONG_NUMBER_REMEDY = "declare `kind: code` or `identifier`, or take a constant off every cell"
