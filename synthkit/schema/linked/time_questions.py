"""What the moments of linked rows owe each other: ends after beginnings, stays one after another, rows inside stays."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from synthkit.schema.linked.key_questions import link_needs, together, unit_needs
from synthkit.schema.linked.linked_questions import LinkedQuestion
from synthkit.schema.linked.linked_rules import NothingAfter, Within
from synthkit.schema.linked.row_moments import RowMoments

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from synthkit.schema.linked.link import Link
    from synthkit.schema.linked.resolved_tables import ResolvedTables

Needs = dict[str, tuple[str, ...]]


def time_questions(tables: ResolvedTables) -> Iterator[LinkedQuestion]:
    """Questions about when rows happen, by the order of each table, the end of the units, and the rules."""
    for name in tables.schema.graph.records:
        if tables.schema.tables[name].order is not None:
            yield from _by_order(tables, name)
    for name, moment in dict.fromkeys(_ends(tables)):
        yield _nothing_after(tables, name, moment)
    for rule in tables.schema.rules:
        if isinstance(rule, Within):
            yield _within(tables, rule)


def _by_order(tables: ResolvedTables, name: str) -> Iterator[LinkedQuestion]:
    """What the order of one table asks for."""
    table = tables.schema.tables[name]
    order = table.order
    if order is None:
        return
    if order.until is not None:
        yield _lasting(tables, name)
        if not order.overlap and table.owner is not None:
            yield _one_by_one(tables, name)
    if not order.before_owner:
        yield from _after_owner(tables, name)


def _ends(tables: ResolvedTables) -> Iterator[tuple[str, str]]:
    """Tables and the moments of the unit after which nothing of them happens."""
    schema = tables.schema
    ordered = [name for name in schema.graph.owners if schema.tables[name].order is not None]
    end = schema.tables[schema.unit].end
    if end is not None:
        yield from ((name, end) for name in ordered)
    for rule in schema.rules:
        if isinstance(rule, NothingAfter):
            named = ordered if rule.tables == "all" else [name for name in rule.tables if name != schema.unit]
            yield from ((name, rule.moment.partition(".")[2]) for name in named)


def _moments(tables: ResolvedTables, name: str) -> tuple[str, ...]:
    return tables.schema.tables[name].moments


def _held(broken: NDArray[np.bool_] | None, rows: int) -> NDArray[np.bool_]:
    return np.ones(rows, dtype=bool) if broken is None else ~broken


def _later(one: RowMoments | None, other: RowMoments | None) -> NDArray[np.bool_] | None:
    """Where one is later than the other; None if either tells no time."""
    return None if one is None or other is None else one.later(other)


def _lasting(tables: ResolvedTables, name: str) -> LinkedQuestion:
    start, until = _moments(tables, name)

    def holds() -> NDArray[np.bool_]:
        return _held(_later(tables.starts(name), tables.ends(name)), len(tables.frames[name]))

    return LinkedQuestion(name, (start, until), f"{until} not before {start}", {name: (start, until)}, holds)


def _one_by_one(tables: ResolvedTables, name: str) -> LinkedQuestion:
    """A row begins when all that its owner had before have ended."""
    start, until = _moments(tables, name)
    needs = _with_moments(unit_needs(tables, name), tables, name)
    return LinkedQuestion(
        name,
        (start, until),
        f"no row of an owner begins before the one before has ended ({until})",
        needs,
        lambda: ~overlapping(tables, name),
        "correct the rows, or declare `overlap: true`",
    )


def overlapping(tables: ResolvedTables, name: str) -> NDArray[np.bool_]:
    """Rows that begin while an earlier row of the same owner lasts; a row that has no end lasts a moment.

    **Shape**: () -> (n,).
    """
    start, until, owners = tables.starts(name), tables.ends(name), tables.owners(name)
    broken = np.zeros(len(owners), dtype=bool)
    if start is None or until is None:
        return broken
    ends = np.where(until.present, np.maximum(until.values, start.values), start.values)
    rows = np.flatnonzero((owners >= 0) & start.present)
    rows = rows[np.lexsort((rows, ends[rows], start.values[rows], owners[rows]))]
    mine = owners[rows]
    last = pd.Series(ends[rows]).groupby(mine).cummax().to_numpy()
    after = np.r_[False, mine[1:] == mine[:-1]]
    before = RowMoments(np.r_[last[:1], last[:-1]], after, until.step)
    broken[rows] = before.later(RowMoments(start.values[rows], np.ones(len(rows), dtype=bool), start.step))
    return broken


def _after_owner(tables: ResolvedTables, name: str) -> Iterator[LinkedQuestion]:
    """A row does not happen before the nearest row that it belongs to and that has a moment."""
    schema = tables.schema
    of = next((each for each in schema.graph.ancestors(name) if schema.tables[each].order is not None), None)
    if of is None:
        return
    start, theirs = _moments(tables, name)[0], _moments(tables, of)[0]

    def holds() -> NDArray[np.bool_]:
        owner = tables.starts(of)
        above = None if owner is None else owner.at(tables.ancestors(name, of))
        return _held(_later(above, tables.starts(name)), len(tables.frames[name]))

    rule = f"{start} not before {of}.{theirs} of its owner"
    needs = _with_moments(unit_needs(tables, name), tables, name, of)
    yield LinkedQuestion(name, (start,), rule, needs, holds, "correct the rows, or declare `before_owner: true`")


def _with_moments(needs: Needs, tables: ResolvedTables, *names: str) -> Needs:
    return needs | {name: (*needs.get(name, ()), *_moments(tables, name)) for name in names}


def pointing_questions(tables: ResolvedTables) -> Iterator[LinkedQuestion]:
    """Questions about when the rows happen that links of kind `earlier` point to."""
    for name, table in tables.schema.tables.items():
        for link in table.links:
            if link.kind == "earlier":
                yield from pointing_back(tables, name, link)


def pointing_back(tables: ResolvedTables, name: str, link: Link) -> Iterator[LinkedQuestion]:
    """The row pointed to began before, and is still going on if the link is open."""
    schema = tables.schema
    order = schema.tables[name].order
    if schema.tables[link.to].order is None or order is None:
        return
    start, theirs = order.start, _moments(tables, link.to)
    needs = _with_moments(link_needs(tables, name, link), tables, link.to, name)
    if not order.before_owner:
        rule = f"{start} not before {link.to}.{theirs[0]} it names"
        holds = partial(_not_later, tables, name, link, "starts")
        yield LinkedQuestion(name, (*link.columns, start), rule, needs, holds, _BACK_REMEDY)
    if link.open:
        rule = f"{start} not after {link.to}.{theirs[-1]} it names"
        holds = partial(_not_later, tables, name, link, "ends")
        yield LinkedQuestion(name, (*link.columns, start), rule, needs, holds, "correct the rows, or take `open` out")


_BACK_REMEDY = "correct the rows, or declare `before_owner: true`"


def _not_later(tables: ResolvedTables, name: str, link: Link, side: str) -> NDArray[np.bool_]:
    """Whether a row does not begin before the one it points to begins (starts), or after it ends (ends)."""
    other = tables.starts(link.to) if side == "starts" else tables.ends(link.to)
    theirs = None if other is None else other.at(tables.pointed(name, link))
    mine = tables.starts(name)
    broken = _later(theirs, mine) if side == "starts" else _later(mine, theirs)
    return _held(broken, len(tables.frames[name]))


def _nothing_after(tables: ResolvedTables, name: str, moment: str) -> LinkedQuestion:
    unit = tables.schema.unit
    needs = _with_moments(unit_needs(tables, name), tables, name)
    needs[unit] = (*needs[unit], moment)

    def holds() -> NDArray[np.bool_]:
        last = tables.moments(unit, moment)
        theirs = None if last is None else last.at(tables.units(name))
        started = _held(_later(tables.starts(name), theirs), len(tables.frames[name]))
        return started & _held(_later(tables.ends(name), theirs), len(tables.frames[name]))

    rule = f"nothing after {unit}.{moment}"
    remedy = f"correct the rows, or take `{moment}` out of `end` and `nothing_after`"
    return LinkedQuestion(name, _moments(tables, name), rule, needs, holds, remedy)


def _within(tables: ResolvedTables, rule: Within) -> LinkedQuestion:
    """A row lies inside the stay that it belongs to, or else inside all that it points to."""
    name, of = rule.table, rule.of
    owned = of in tables.schema.graph.ancestors(name)
    links = [each for each in tables.schema.tables[name].links if each.kind == "earlier" and each.to == of]
    ways = [unit_needs(tables, name)] if owned else [link_needs(tables, name, link) for link in links]
    needs = _with_moments(together(*ways), tables, name, of)

    def holds() -> NDArray[np.bool_]:
        stays = [tables.ancestors(name, of)] if owned else [tables.pointed(name, link) for link in links]
        return np.asarray(np.logical_and.reduce([_inside(tables, name, of, rows) for rows in stays]))

    remedy = "correct the rows, or take the rule out"
    return LinkedQuestion(name, _moments(tables, name), rule.sentence, needs, holds, remedy)


def _inside(tables: ResolvedTables, name: str, of: str, rows: NDArray[np.intp]) -> NDArray[np.bool_]:
    """Whether each row of a table begins and ends inside a stay. **Shape**: rows of the stays (n,) -> (n,)."""
    started, ended = tables.starts(of), tables.ends(of)
    mine, last = tables.starts(name), tables.ends(name)
    kept = np.ones(len(rows), dtype=bool)
    if started is not None:
        kept &= _held(_later(started.at(rows), mine), len(rows))
    for each in (mine, last):
        kept &= _held(_later(each, None if ended is None else ended.at(rows)), len(rows))
    return kept
