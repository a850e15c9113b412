"""Linked tables held against their schema: each table by itself, keys, links, times and counts across tables."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, get_args

import numpy as np
import pandas as pd

from synthkit.errors import ConfigError
from synthkit.schema.expectation_suite import DERIVED_REMEDY, OUT_OF_DOMAIN_REMEDY
from synthkit.schema.linked.count_questions import count_questions
from synthkit.schema.linked.key_questions import agreeing_questions, key_questions, resolving_questions
from synthkit.schema.linked.link import LinkKind
from synthkit.schema.linked.linked_columns import LinkedColumns
from synthkit.schema.linked.linked_validation import LinkCount, LinkedValidation
from synthkit.schema.linked.orphans import ORPHANS, Orphans
from synthkit.schema.linked.time_questions import pointing_questions, time_questions
from synthkit.schema.row_checks import RowCheck
from synthkit.schema.typed_columns import TypedColumns
from synthkit.schema.validation import validate_typed
from synthkit.schema.violations import NO_MISSING_CELL, ROWS_SHOWN, Checked, Unchecked, Validation, Violation

if TYPE_CHECKING:
    from synthkit.schema.linked.linked_schema import LinkedSchema
    from synthkit.schema.linked.resolved_tables import ResolvedTables


def validate_linked(
    frames: Mapping[str, pd.DataFrame],
    schema: LinkedSchema,
    *,
    orphans: Orphans = "refuse",
    suites: Mapping[str, str | Path] | None = None,
    rows_shown: int = ROWS_SHOWN,
) -> LinkedValidation:
    """Hold linked tables against their schema.

    Args:
        frames: any frames by the name of their table; typed by the schema first.
        schema: the declared meaning.
        orphans: whether rows that belong to nobody are violations (`refuse`), or left out and counted (`drop`).
        suites: paths of the JSON of Great Expectations suites of the user's own, by table.
        rows_shown: how many row numbers each violation keeps.

    Returns:
        Every violation at once, by table, and what could not be checked; all without any value of the tables.

    Raises:
        ConfigError: `orphans` is none of the two, or a suite is none.

    Example:
        >>> from synthkit.schema.linked import LinkedSchema
        >>> key = {"id": {"kind": "identifier"}}
        >>> links = [{"columns": ["id"], "to": "people", "kind": "owner"}]
        >>> tables = {"people": {"key": ["id"], "columns": key}, "visits": {"links": links, "columns": key}}
        >>> frames = {"people": pd.DataFrame({"id": [1, 2]}), "visits": pd.DataFrame({"id": [1, 3]})}
        >>> found = validate_linked(frames, LinkedSchema(unit="people", tables=tables))
        >>> found.violations["visits"][0].rule, found.violations["visits"][0].count
        ('names a row of `people`', 1)
    """
    return validate_columns(typed_columns(frames, schema, orphans), suites=suites, rows_shown=rows_shown)


def typed_columns(frames: Mapping[str, pd.DataFrame], schema: LinkedSchema, orphans: Orphans) -> LinkedColumns:
    """The tables typed, orphans left out if asked for.

    Raises:
        ConfigError: `orphans` is neither `refuse` nor `drop`.
    """
    if orphans not in ORPHANS:
        msg = f"`orphans` must be one of {', '.join(ORPHANS)}; however: {orphans!r}"
        raise ConfigError(msg)
    columns = LinkedColumns.of(frames, schema)
    return columns.without_orphans() if orphans == "drop" else columns


def validate_columns(
    columns: LinkedColumns, *, suites: Mapping[str, str | Path] | None = None, rows_shown: int = ROWS_SHOWN
) -> LinkedValidation:
    """As `validate_linked`, of tables that the schema has typed already.

    Raises:
        ConfigError: a suite is none.
    """
    tables = columns.resolved
    keys = (*key_questions(tables), *resolving_questions(tables, *get_args(LinkKind)), *agreeing_questions(tables))
    times = (*time_questions(tables), *pointing_questions(tables))
    answers = columns.answers((*keys, *times, *count_questions(tables)))
    suites = suites or {}
    found = {}
    for name, typed in columns.typed.items():
        checks, unchecked = answers[name]
        alone = columns.schema.tables[name].alone(name)
        if len(typed.frame) or typed.misnamed:
            each = validate_typed(typed, alone, extra=suites.get(name), answered=checks, rows_shown=rows_shown)
        else:  # of no row nothing can be wrong
            each = Validation(Checked(0, typed.width, len(checks)))
        found[name] = replace(
            each,
            violations=tuple(_of_linked(columns, name, v) for v in each.violations),
            unchecked=(*each.unchecked, *unchecked),
        )
    for name, frame in columns.bare.items():
        found[name] = _counted(Checked(len(frame), len(frame.columns), 0), *answers[name], rows_shown)
    return _result(columns, found, tuple(_links(columns, tables)))


def validate_structure(columns: LinkedColumns, *, few: bool = False) -> LinkedValidation:
    """Whether rows can be put in their places: tables, columns, types, keys, and the links that name rows.

    Domains, times and rules are not asked about; `validate_columns` does that.

    Args:
        columns: the typed tables.
        few: whether only owners are asked about, for rows other units point to may be absent.
    """
    tables = columns.resolved
    placing = resolving_questions(tables, "owner", *(() if few else ("earlier", "peer", "shared")))
    answers = columns.answers((*key_questions(tables), *placing))
    found = {}
    for name, typed in columns.typed.items():
        checks, unchecked = answers[name]
        checked = Checked(len(typed.frame), typed.width, 0)
        each = _counted(checked, [*checks, *_incomplete(columns, name)], unchecked)
        found[name] = replace(each, violations=(*_faults(typed), *each.violations))
    for name, frame in columns.bare.items():
        found[name] = _counted(Checked(len(frame), len(frame.columns), 0), *answers[name])
    return _result(columns, found, ())


def _of_linked(columns: LinkedColumns, name: str, violation: Violation) -> Violation:
    """A violation with the remedy of linked tables: keys may not be declared nullable, and no cell is mapped."""
    keyed = violation.rule == NO_MISSING_CELL and violation.columns[0] in _needed(columns.schema, name)
    remedy = _FILL_KEY if keyed else _UNMAPPED.get(violation.remedy, violation.remedy)
    return replace(violation, remedy=remedy)


def _needed(schema: LinkedSchema, name: str) -> tuple[str, ...]:
    """Columns of a table's key and of its owner's."""
    table = schema.tables[name]
    return tuple(dict.fromkeys((*table.key, *(table.owner.columns if table.owner is not None else ()))))


def _incomplete(columns: LinkedColumns, name: str) -> Iterator[RowCheck]:
    """Cells of keys and owners that are missing; in a whole validation the suite of the table asks for them."""
    key = columns.schema.tables[name].key
    for column in _needed(columns.schema, name):
        if len(key) > 1 and column in key:  # its parts are asked for together
            continue
        if name not in columns.absent and (name, column) not in columns.unreadable:
            holds = columns.typed[name].frame[column].notna().to_numpy()
            yield RowCheck((column,), NO_MISSING_CELL, _FILL_KEY, holds)


_UNMAPPED = {  # remedies of one table that name --clamp, which linked ones have not
    OUT_OF_DOMAIN_REMEDY: "widen the bounds or add the levels in the schema, or correct the cells",
    DERIVED_REMEDY: "correct the cells, or take the column out of `derived`, so that it is learned",
}
_FILL_KEY = "fill the cells, or leave such rows out with orphans=drop (--orphans drop)"


def _faults(typed: TypedColumns) -> tuple[Violation, ...]:
    return (*typed.misnamed, *typed.untyped, *typed.rounded)


def _counted(
    checked: Checked, checks: list[RowCheck], unchecked: list[Unchecked], shown: int = ROWS_SHOWN
) -> Validation:
    """What was answered row by row, counted."""
    broken = [
        Violation.at(each.columns, each.rule, ~each.holds, remedy=each.remedy, shown=shown)
        for each in checks
        if not each.holds.all()
    ]
    asked = checked.expectations + len(checks)
    return Validation(replace(checked, expectations=asked), tuple(broken), tuple(unchecked))


def _result(columns: LinkedColumns, found: Mapping[str, Validation], links: tuple[LinkCount, ...]) -> LinkedValidation:
    numbered = {
        name: replace(each, violations=tuple(columns.numbered(name, v) for v in each.violations))
        for name, each in found.items()
    }
    in_order = {name: numbered[name] for name in columns.schema.tables if name in numbered}
    return LinkedValidation(in_order, columns.amiss, links, columns.orphans, columns.copied)


def _links(columns: LinkedColumns, tables: ResolvedTables) -> Iterator[LinkCount]:
    """How rows are linked, wherever that can be told."""
    for name, table in columns.schema.tables.items():
        for link in table.links:
            key = tables.key_of(link)
            asked = {(name, c) for c in link.columns} | {(link.to, c) for c in key}
            there = name in tables.frames and link.to in tables.frames
            if not there or asked & columns.unreadable or not set(key) <= set(tables.frames[link.to].columns):
                continue
            rows, complete = tables.pointed(name, link), tables.keys(name, link.columns).complete
            named = np.bincount(rows[rows >= 0], minlength=len(tables.frames[link.to]))
            yield LinkCount(
                table=name,
                columns=link.columns,
                to=link.to,
                kind=link.kind,
                rows=len(rows),
                missing=int((~complete).sum()),
                dangling=int((complete & (rows < 0)).sum()),
                without=int((named == 0).sum()),
                most=int(named.max(initial=0)),
            )
