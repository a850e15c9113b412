"""Linked frames typed by their schema, with everything in which they are not of it: where validation begins."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from synthkit.schema.linked.linked_questions import LinkedQuestion
from synthkit.schema.linked.orphans import OrphanCount, without_orphans
from synthkit.schema.linked.resolved_tables import ResolvedTables
from synthkit.schema.row_checks import RowCheck
from synthkit.schema.typed_columns import TypedColumns
from synthkit.schema.violations import Unchecked, Violation

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from synthkit.schema.linked.linked_schema import LinkedSchema


@dataclass(frozen=True, kw_only=True)
class LinkedColumns:
    """Frames typed by a linked schema; nothing is refused yet, so that all that is wrong can be listed together.

    Args:
        schema: the declared meaning.
        typed: typed columns of each table that declares some and is there.
        bare: references whose columns nobody declared, as they came.
        amiss: tables that are absent, not declared, or without rows.
        orphans: what was left out, by table.
        rows: number of each row in the table as it came, where rows were left out.
        came: tables some cells of which are at fault, as they came: of fewer rows, fewer may be.
    """

    schema: LinkedSchema
    typed: Mapping[str, TypedColumns]
    bare: Mapping[str, pd.DataFrame]
    amiss: tuple[Violation, ...] = ()
    orphans: Mapping[str, OrphanCount] = field(default_factory=dict)
    rows: Mapping[str, NDArray[np.intp]] = field(default_factory=dict)
    came: Mapping[str, pd.DataFrame] = field(default_factory=dict, repr=False)

    @classmethod
    def of(cls, frames: Mapping[str, pd.DataFrame], schema: LinkedSchema) -> LinkedColumns:
        """Type the tables that are declared."""
        here = {name: frames[name] for name in schema.tables if name in frames}
        described = {name for name, table in schema.tables.items() if table.columns}
        typed = {
            name: TypedColumns.of(frame, schema.tables[name].alone(name))
            for name, frame in here.items()
            if name in described
        }
        return cls(
            schema=schema,
            typed=typed,
            bare={name: frame.reset_index(drop=True) for name, frame in here.items() if name not in described},
            amiss=tuple(_amiss(frames, schema)),
            came={name: here[name] for name, each in typed.items() if each.untyped or each.rounded},
        )

    @property
    def absent(self) -> frozenset[str]:
        """Tables that are not there, or have other columns than the schema."""
        misnamed = {name for name, each in self.typed.items() if each.misnamed}
        misnamed |= {name for name, frame in self.bare.items() if _keyless(frame, self.schema, name)}
        return frozenset({*misnamed, *(set(self.schema.tables) - {*self.typed, *self.bare})})

    @property
    def copied(self) -> dict[str, int]:
        """Rows of catalogues without declared columns that nobody declared public, by table; of empty ones none."""
        told, schema = self.schema.tables, self.schema
        silent = [name for name in self.bare if told[name].declared_by is None and schema.declared_by is None]
        return {name: len(self.bare[name]) for name in silent if len(self.bare[name])}

    @property
    def unreadable(self) -> frozenset[tuple[str, str]]:
        """Tables and columns with cells that cannot be typed."""
        return frozenset((name, v.columns[0]) for name, each in self.typed.items() for v in each.untyped)

    @property
    def resolved(self) -> ResolvedTables:
        """The tables that are there, to be looked up in."""
        frames = {name: each.frame for name, each in self.typed.items() if name not in self.absent}
        return ResolvedTables({**frames, **self.bare}, self.schema)

    @property
    def readable(self) -> bool:
        """Whether every table is there and every key can be read, so that orphans can be told."""
        links = [(name, c) for name, table in self.schema.tables.items() for link in table.links for c in link.columns]
        keys = [(name, c) for name, table in self.schema.tables.items() for c in table.key]
        return not self.absent and not self.unreadable & {*links, *keys}

    def without_orphans(self) -> LinkedColumns:
        """Tables in which every key names a row, and what was left out; as they are if keys cannot be read."""
        if not self.readable:
            return self
        kept = without_orphans(self.resolved.frames, self.schema)
        return replace(
            self,
            typed={name: self._kept(name, kept.frames[name], kept.rows[name]) for name in self.typed},
            bare={name: kept.frames[name] for name in self.bare},
            orphans=kept.counts,
            rows=kept.rows,
        )

    def _kept(self, name: str, frame: pd.DataFrame, rows: NDArray[np.intp]) -> TypedColumns:
        """A table of fewer rows; faults of cells are looked for again among those that were kept."""
        before = self.typed[name]
        if name not in self.came or len(rows) == len(before.frame):
            return replace(before, frame=frame)
        again = TypedColumns.of(self.came[name].iloc[rows], self.schema.tables[name].alone(name))
        read = {each.columns[0]: again.frame[each.columns[0]] for each in before.untyped}
        return replace(before, frame=frame.assign(**read), untyped=again.untyped, rounded=again.rounded)

    def answers(self, questions: Iterable[LinkedQuestion]) -> dict[str, tuple[list[RowCheck], list[Unchecked]]]:
        """What questions are answered, by table: where the rules hold, and which could not be asked."""
        found: dict[str, tuple[list[RowCheck], list[Unchecked]]] = {name: ([], []) for name in self.schema.tables}
        absent, unreadable = self.absent, self.unreadable
        for question in questions:
            answer = question.asked(unreadable, absent)
            if isinstance(answer, RowCheck):
                found[question.table][0].append(answer)
            else:
                found[question.table][1].append(answer)
        return found

    def numbered(self, name: str, violation: Violation) -> Violation:
        """The violation with the numbers of the rows in the table as it came."""
        if name not in self.rows:
            return violation
        return replace(violation, rows=tuple(int(self.rows[name][k - 1]) + 1 for k in violation.rows))


def _amiss(frames: Mapping[str, pd.DataFrame], schema: LinkedSchema) -> list[Violation]:
    absent = [name for name in schema.tables if name not in frames]
    faults = [
        Violation((f"`{name}`",), "a declared table is given; however: it is absent", 0, (), _GIVE) for name in absent
    ]
    faults += [
        Violation((f"`{name}`",), "a table that is given is declared; however: it is not", 0, (), _DECLARE)
        for name in frames
        if name not in schema.tables
    ]
    for name in (each for each, table in schema.tables.items() if each in frames and not table.columns):
        lost = ", ".join(f"`{column}`" for column in _keyless(frames[name], schema, name))
        if lost:
            rule = (
                f"a reference has the columns of its key; however: {lost} {'are' if ', ' in lost else 'is'} not there"
            )
            faults.append(Violation((f"`{name}`",), rule, 0, (), _NAME_KEY))
    if schema.unit in frames and not len(frames[schema.unit]):
        where = (f"`{schema.unit}`",)
        faults.append(Violation(where, "the table of units has rows; however: none", 0, (), "give a table with rows"))
    return faults


def _keyless(frame: pd.DataFrame, schema: LinkedSchema, name: str) -> tuple[str, ...]:
    """Columns of the key of a reference that its frame lacks."""
    return tuple(column for column in schema.tables[name].key if column not in frame.columns)


_GIVE = "give the table, or take it and the links to it out of the schema"
_NAME_KEY = "name under `key` columns that the table has, or correct the table"
_DECLARE = "declare the table (`synthkit init FOLDER` drafts it), or take it out of the folder"
