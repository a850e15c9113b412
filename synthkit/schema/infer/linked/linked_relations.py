"""Rules across tables that hold in the rows: inside stays, nothing after the end, totals, what happens once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from synthkit.schema.columns import Code, Column, Datetime, Discrete, Numeric
from synthkit.schema.infer import column_names
from synthkit.schema.infer.linked.drafted_order import DraftedOrder, clock, told_alike
from synthkit.schema.infer.linked.evidence import NEARLY_ALWAYS, Evidence, shuffled
from synthkit.schema.infer.linked.unit_tree import UnitTree
from synthkit.schema.linked.linked_rules import LinkedRule, NothingAfter, Once, Total, Within
from synthkit.schema.number_cells import numbers

if TYPE_CHECKING:
    from numpy.typing import NDArray

_ENDS = frozenset(("death", "dod", "died", "dead", "deathdate", "deceased", "end", "exit", "censored", "followup"))
_MIN_CASES = 20  # rows or owners, fewer of which show nothing
_NEARLY_ONCE = 0.999  # share of rows from which on a name that comes once but for these is told
_FEWER_BREAKS = 0.9  # part of the rows that would break it by chance, and do not, for that to be told
_TOTAL_TOLERANCE = 0.005  # money is rounded to hundredths


@dataclass(frozen=True)
class TableLook:
    """A table as it was looked at.

    Args:
        frame: its rows.
        columns: drafted kinds.
        order: when rows happen.
        position: column that numbers the rows of an owner, and how often.
        series: column that names series, and how much it explains.
    """

    frame: pd.DataFrame
    columns: Mapping[str, Column]
    order: DraftedOrder | None = None
    position: tuple[str, Evidence] | None = None
    series: tuple[str, Evidence] | None = None

    def clock(self, column: str) -> NDArray[np.float64]:
        """A column as seconds or numbers. **Shape**: (n,)."""
        return clock(self.frame[column], self.columns[column])

    @property
    def by_moments(self) -> bool:
        """Whether rows happen at moments, not at numbers."""
        return self.order is not None and isinstance(self.columns[self.order.start], Datetime)


def is_open(look: TableLook, of: TableLook, rows: NDArray[np.intp]) -> bool:
    """Whether every row that points to a row of another table happens while that one goes on."""
    seen = _inside(look, of, rows, whole=False)
    return seen is not None and seen.share == 1.0


def find_linked_rules(looks: Mapping[str, TableLook], tree: UnitTree) -> Iterator[tuple[LinkedRule, Evidence]]:
    """Rules that hold in all cases or nearly all, and would not by chance."""
    yield from _insides(looks, tree)
    end = find_end(looks, tree)
    if end is not None:
        moment = f"{tree.unit}.{end.column}"
        yield NothingAfter(moment=moment, tables="all" if end.whole else end.tables, observed=True), end.seen
    yield from _totals(looks, tree)
    yield from _onces(looks, tree)


def _insides(looks: Mapping[str, TableLook], tree: UnitTree) -> Iterator[tuple[LinkedRule, Evidence]]:
    for name, look in looks.items():
        here = tree.owners.get(name)
        if not look.by_moments or look.order is None or here is None:
            continue
        rows = here
        for of in tree.ancestors(name):
            seen = _inside(look, looks[of], rows, whole=True)
            if seen is not None and seen.beyond_chance(NEARLY_ALWAYS):
                yield Within(table=name, of=of, observed=True), seen
                break
            if of in tree.owners:
                rows = np.where(rows >= 0, tree.owners[of][rows], -1)


def _inside(look: TableLook, of: TableLook, rows: NDArray[np.intp], *, whole: bool) -> Evidence | None:
    """How often rows begin, or happen as a whole, within the stay of a row further up."""
    if not of.by_moments or of.order is None or of.order.until is None or look.order is None:
        return None
    kept = rows >= 0
    if kept.sum() < _MIN_CASES:
        return None
    moments = (look.order.start, look.order.until) if whole and look.order.until else (look.order.start,)
    mixed = shuffled(int(kept.sum()))
    held, by_chance = np.ones(len(mixed), dtype=bool), np.ones(len(mixed), dtype=bool)
    for moment in moments:
        t, kind = look.clock(moment)[kept], look.columns[moment]
        for edge, sign in ((of.order.start, 1), (of.order.until, -1)):
            mine, limit = told_alike(t, of.clock(edge)[rows[kept]], kind, of.columns[edge])
            held &= ~(sign * mine < sign * limit)  # a moment that is missing lies nowhere
            by_chance &= ~(sign * mine < sign * limit[mixed])
    return Evidence.of(held, by_chance)


def not_before(look: TableLook, of: TableLook, rows: NDArray[np.intp]) -> Evidence | None:
    """How often rows do not happen before others, told as finely as the coarser column is; None if either has no order.

    Args:
        look: the rows.
        of: the table of the others.
        rows: the row there of each row, -1 for none. **Shape**: (n,).
    """
    if look.order is None or of.order is None or look.by_moments != of.by_moments:
        return None
    kept = np.flatnonzero(rows >= 0)
    kinds = (look.columns[look.order.start], of.columns[of.order.start])
    mine, theirs = told_alike(look.clock(look.order.start)[kept], of.clock(of.order.start)[rows[kept]], *kinds)
    return Evidence.of(mine >= theirs, mine >= theirs[shuffled(len(theirs))])


@dataclass(frozen=True)
class FoundEnd:
    """A moment of a unit after which nothing happens.

    Args:
        column: of the table of units.
        tables: tables in which nothing happens after it.
        whole: whether these are all tables whose rows happen at moments.
        seen: how often that holds.
    """

    column: str
    tables: tuple[str, ...]
    whole: bool
    seen: Evidence


def find_end(looks: Mapping[str, TableLook], tree: UnitTree) -> FoundEnd | None:
    """The moment of a unit after which nothing happens, in which tables, and how often that holds.

    It is called like an end, or missing in some units and not so by chance.
    """
    units = looks[tree.unit]
    for name, kind in units.columns.items():
        named = bool(_ENDS & set(column_names.name_words(name)))
        if not isinstance(kind, Datetime) or not (named or kind.nullable):
            continue
        timed = {table: look for table, look in looks.items() if table != tree.unit and look.by_moments}
        found = {table: _before(look, (units, name), tree.units[table]) for table, look in timed.items()}
        held = {table: seen for table, seen in found.items() if seen is not None and seen.nearly_always}
        seen = _together(tuple(held.values()))
        if seen.cases and (named or seen.beyond_chance(NEARLY_ALWAYS)):
            return FoundEnd(name, tuple(held), all(each is None or t in held for t, each in found.items()), seen)
    return None


def _together(seen: tuple[Evidence, ...]) -> Evidence:
    cases = sum(each.cases for each in seen)
    measured = [(each.chance, each.cases) for each in seen if each.chance is not None and each.cases]
    chance = sum(x * many for x, many in measured) / sum(many for _, many in measured) if measured else None
    return Evidence(sum(each.held for each in seen), cases, chance)


def _before(look: TableLook, end: tuple[TableLook, str], units: NDArray[np.intp]) -> Evidence | None:
    """How often rows are over when a moment of their unit comes; one that has no end is over as it begins."""
    assert look.order is not None
    until, (of, column) = look.order.until or look.order.start, end
    t = np.fmax(look.clock(until), look.clock(look.order.start))
    t, ends = told_alike(t, of.clock(column), look.columns[until], of.columns[column])
    limit = np.where(units >= 0, ends[units], np.nan)
    known = np.isfinite(limit) & np.isfinite(t)
    if known.sum() < _MIN_CASES:
        return None
    return Evidence.of(t[known] <= limit[known], t[known] <= limit[known][shuffled(int(known.sum()))])


def _totals(looks: Mapping[str, TableLook], tree: UnitTree) -> Iterator[tuple[LinkedRule, Evidence]]:
    """Numbers of owners that are sums over their rows, or counts of them."""
    for child, look in looks.items():
        parent = tree.owner(child)
        if parent is None:
            continue
        rows = tree.owners[child]
        kept = rows >= 0
        n = len(looks[parent].frame)
        summed = {"": np.bincount(rows[kept], minlength=n).astype(float)}
        for column, kind in look.columns.items():
            if isinstance(kind, Numeric):
                x = np.nan_to_num(numbers(look.frame[column]))
                summed[column] = np.bincount(rows[kept], x[kept], minlength=n)
        yield from _sums(parent, child, looks[parent], summed, summed[""] > 1)


def _sums(
    parent: str, child: str, look: TableLook, summed: Mapping[str, NDArray[np.float64]], several: NDArray[np.bool_]
) -> Iterator[tuple[LinkedRule, Evidence]]:
    for column, kind in look.columns.items():
        if not isinstance(kind, Numeric):
            continue
        x = numbers(look.frame[column])
        known = np.isfinite(x) & several
        if known.sum() < _MIN_CASES:
            continue
        for name, total in summed.items():
            mixed = total[known][shuffled(int(known.sum()))]
            close = np.abs(x - total) <= _TOTAL_TOLERANCE + 1e-9 * np.abs(x)
            seen = Evidence.of(close[np.isfinite(x)], np.abs(x[known] - mixed) <= _TOTAL_TOLERANCE)
            if seen.beyond_chance(NEARLY_ALWAYS):
                of = f"{child}.{name}" if name else child
                yield Total(parent=f"{parent}.{column}", child=of, observed=True), seen
                break


def _onces(looks: Mapping[str, TableLook], tree: UnitTree) -> Iterator[tuple[LinkedRule, Evidence]]:
    """Tables of which a unit has one row, and names of which it has each at most once, though its rows are many."""
    for table, look in looks.items():
        if table == tree.unit or table not in tree.units:
            continue
        units = tree.units[table]
        counts = np.bincount(units[units >= 0])
        if (counts[counts > 0] == 1).all():
            if (counts > 0).sum() >= _MIN_CASES:
                owners = int((counts > 0).sum())
                yield Once(table=table, observed=True), Evidence(owners, owners, None)
            continue
        for column, seen in _names_alone(look, units):
            if seen.share == 1.0 and seen.beyond_chance(1.0):
                yield Once(table=table, columns=(column,), observed=True), seen


def nearly_onces(looks: Mapping[str, TableLook], tree: UnitTree) -> Iterator[tuple[Once, Evidence]]:
    """Names of which a unit has each once but for a tiny share of rows, and by chance far less; none is drafted."""
    for table, look in looks.items():
        if table == tree.unit or table not in tree.units:
            continue
        for column, seen in _names_alone(look, tree.units[table]):
            if seen.share < 1.0 and seen.beyond_chance(_NEARLY_ONCE, gap=_FEWER_BREAKS):
                yield Once(table=table, columns=(column,)), seen


def _names_alone(look: TableLook, units: NDArray[np.intp]) -> Iterator[tuple[str, Evidence]]:
    """How often rows have a level that their unit has no other time, by column, of units of several rows."""
    many = np.bincount(units[units >= 0]) > 1
    for column, kind in look.columns.items():
        if not isinstance(kind, (Code, *Discrete)):
            continue
        codes = pd.factorize(look.frame[column])[0]
        several = np.isin(units, np.flatnonzero(many)) & (codes >= 0)
        mixed = codes[several][shuffled(several.sum())]
        seen = Evidence.of(_alone(units[several], codes[several]), _alone(units[several], mixed))
        if seen.cases >= _MIN_CASES:
            yield column, seen


def _alone(units: NDArray[np.intp], codes: NDArray[np.intp]) -> NDArray[np.bool_]:
    """Of each row, whether its unit has the code no other time."""
    pairs = units.astype(np.int64) * (int(codes.max(initial=0)) + 1) + codes
    _, where, many = np.unique(pairs, return_inverse=True, return_counts=True)
    return np.asarray(many[where] == 1)
