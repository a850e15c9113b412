"""What numbers of linked rows owe: at most so many an owner, numbered from 1, summing up, once a unit."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from synthkit.schema.columns import Numeric
from synthkit.schema.linked.key_questions import unit_needs
from synthkit.schema.linked.linked_questions import LinkedQuestion
from synthkit.schema.linked.linked_rules import Once, Total
from synthkit.schema.linked.row_keys import RowKeys
from synthkit.schema.number_cells import numbers

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from synthkit.schema.linked.resolved_tables import ResolvedTables


def count_questions(tables: ResolvedTables) -> Iterator[LinkedQuestion]:
    """Questions about how many rows there are, what they are numbered, and what they sum up to."""
    schema = tables.schema
    for name in schema.graph.owners:
        table = schema.tables[name]
        owner = table.owner
        if owner is not None and owner.max_rows_per_owner is not None:
            yield _at_most(tables, name, owner.to, owner.max_rows_per_owner)
        if table.max_rows_per_unit is not None:
            yield _at_most(tables, name, schema.unit, table.max_rows_per_unit)
        if table.position is not None:
            yield _numbered(tables, name, table.position)
    for rule in schema.rules:
        if isinstance(rule, Total):
            yield _sums_up(tables, rule)
        elif isinstance(rule, Once):
            yield _once(tables, rule)


def _counts(tables: ResolvedTables, name: str, of: str) -> NDArray[np.int64]:
    rows = tables.ancestors(name, of)
    return np.bincount(rows[rows >= 0], minlength=len(tables.frames[of])).astype(np.int64)


def _at_most(tables: ResolvedTables, name: str, of: str, most: int) -> LinkedQuestion:
    """Asked of the owners: one that has too many rows is one violation."""
    return LinkedQuestion(
        of,
        tables.schema.tables[of].key,
        f"at most {most:,} rows of `{name}`",
        unit_needs(tables, name),
        lambda: np.asarray(_counts(tables, name, of) <= most),
        "raise the number in the schema, or leave rows out",
    )


def _numbered(tables: ResolvedTables, name: str, position: str) -> LinkedQuestion:
    """Rows of one owner are numbered 1, 2, 3 and so on, each number once."""
    needs = unit_needs(tables, name)
    needs[name] = (*needs[name], position)
    rule = f"{position} numbers the rows of an owner from 1"
    return LinkedQuestion(name, (position,), rule, needs, partial(_in_turn, tables, name, position))


def _in_turn(tables: ResolvedTables, name: str, position: str) -> NDArray[np.bool_]:
    owners, x = tables.owners(name), numbers(tables.frames[name][position])
    order = np.lexsort((x, owners))
    mine = owners[order]
    first = np.flatnonzero(np.r_[True, mine[1:] != mine[:-1]]) if len(mine) else np.zeros(0, dtype=np.intp)
    sizes = np.diff(np.r_[first, len(mine)])
    turn = np.arange(len(mine)) - np.repeat(first, sizes) + 1
    holds = np.ones(len(owners), dtype=bool)
    holds[order] = (x[order] == turn) | (mine < 0)
    return holds


def _sums_up(tables: ResolvedTables, rule: Total) -> LinkedQuestion:
    """A number of the owner is the sum over its rows, or how many they are; a missing cell adds nothing."""
    parent, _, total = rule.parent.partition(".")
    child, _, summed = rule.child.partition(".")
    owner = tables.schema.tables[child].owner
    needs = {parent: (total, *tables.schema.tables[parent].key), child: (*(owner.columns if owner else ()),)}
    needs[child] += (summed,) if summed else ()

    def holds() -> NDArray[np.bool_]:
        rows = tables.owners(child)
        known = rows >= 0
        parts = numbers(tables.frames[child][summed]) if summed else np.ones(len(rows))
        sums = np.bincount(rows[known], np.nan_to_num(parts[known]), minlength=len(tables.frames[parent]))
        said = numbers(tables.frames[parent][total])
        column = tables.schema.tables[parent].columns[total]
        digits = column.decimals if isinstance(column, Numeric) and column.decimals is not None else 9
        slack = 0.5 * 10.0**-digits + 1e-9 * np.abs(said)
        return np.asarray(np.isnan(said) | (np.abs(said - sums) <= slack))

    return LinkedQuestion(parent, (total,), rule.sentence, needs, holds)


def _once(tables: ResolvedTables, rule: Once) -> LinkedQuestion:
    needs = unit_needs(tables, rule.table)
    needs[rule.table] = (*needs[rule.table], *rule.of, *rule.when)
    columns = tuple(dict.fromkeys((*rule.of, *rule.when))) or tables.schema.tables[rule.table].key or ("(table)",)
    remedy = "take the rows out that stand twice, or take the rule out"
    return LinkedQuestion(rule.table, columns, rule.sentence, needs, partial(_first_of_unit, tables, rule), remedy)


def _first_of_unit(tables: ResolvedTables, rule: Once) -> NDArray[np.bool_]:
    """Whether no row of the same unit that the rule is about stands above; rows without a value are not counted."""
    frame, units = tables.frames[rule.table], tables.units(rule.table)
    about = units >= 0
    for name, condition in rule.when.items():
        about &= condition.met(frame[name])
    codes = units
    if rule.of:
        keys = RowKeys.of(frame, rule.of)
        about &= keys.complete
        codes = keys.codes()
    seen = pd.DataFrame({"unit": units[about], "what": codes[about]}).duplicated().to_numpy()
    holds = np.ones(len(frame), dtype=bool)
    holds[np.flatnonzero(about)[seen]] = False
    return holds
