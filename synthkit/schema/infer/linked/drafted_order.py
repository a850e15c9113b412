"""When rows happen, which continue each other, and which column numbers them: found in the rows of owners."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from synthkit.schema.columns import Code, Column, Datetime, Discrete, Numeric
from synthkit.schema.datetimes import read_datetimes
from synthkit.schema.infer import column_names
from synthkit.schema.infer.linked.evidence import NEARLY_ALWAYS, Evidence, shuffled
from synthkit.schema.number_cells import numbers

if TYPE_CHECKING:
    from numpy.typing import NDArray

_START = frozenset(
    (
        *("start", "admit", "admitted", "admittime", "in", "begin", "from", "date", "time", "chart", "taken", "at"),
        *("on", "day", "when", "charttime", "chartdate", "intime", "starttime", "startdate", "year"),
    )
)
_END = frozenset(
    (
        *("stop", "end", "disch", "discharge", "discharged", "dischtime", "out", "until", "to", "finish"),
        *("outtime", "endtime", "enddate", "finished", "closed"),
    )
)
_OTHER_MOMENTS = frozenset(
    (
        "birth",
        "dob",
        "born",
        "death",
        "dod",
        "died",
        "deathtime",
        "store",
        "storetime",
        "stored",
        "updated",
        "edregtime",
    )
)
_CLOCKS = frozenset(("year", "yr", "day", "month", "week", "quarter", "time", "age", "wave", "seq", "period"))
MIN_ORDERED = 0.99  # share of pairs or owners that must agree
MIN_ENDED = 0.5  # share of rows with an end, below which rows do not last
_MAX_SERIES = 2_000  # names of series
_MIN_SERIES_SHARE = 0.3  # share of the spread of ranks that names must explain to be those of series


@dataclass(frozen=True)
class DraftedOrder:
    """When rows of a table seem to happen.

    Args:
        start: column of the moment or number.
        until: column of the end, if rows last.
        overlap: whether rows of an owner begin before the one before has ended.
        notes: what was seen.
    """

    start: str
    until: str | None
    overlap: bool
    notes: tuple[str, ...]


def find_order(frame: pd.DataFrame, columns: Mapping[str, Column], owner: NDArray[np.intp]) -> DraftedOrder | None:
    """When rows happen: a complete column of moments called like a beginning, else whole numbers that grow.

    Args:
        frame: the rows.
        columns: drafted kinds.
        owner: position of the owner of each row. **Shape**: (n,).
    """
    moments = {c: clock(frame[c], kind) for c, kind in columns.items() if isinstance(kind, Datetime)}
    full = [c for c, x in moments.items() if np.isfinite(x).all() and not _OTHER_MOMENTS & set(_name(c))]
    full = [c for c in full if not _END & set(_name(c))] or full
    if not full:
        return _growing(frame, columns, owner)
    start = min(full, key=lambda c: (not _START & set(_name(c)), list(columns).index(c)))
    for until, last in moments.items():
        if until != start and np.isfinite(last).mean() >= MIN_ENDED and _END & set(_name(until)):
            seen = _not_before(*told_alike(moments[start], last, columns[start], columns[until]))
            if seen.nearly_always:
                return _lasting(start, until, moments, columns, owner, seen)
    return DraftedOrder(start, None, False, (f"`{start}` is complete and called like a moment of the row",))


def _lasting(
    start: str,
    until: str,
    moments: Mapping[str, NDArray[np.float64]],
    columns: Mapping[str, Column],
    owner: NDArray[np.intp],
    seen: Evidence,
) -> DraftedOrder:
    ends = np.fmax(moments[until], moments[start])  # a row that has no end, or one before it began, lasts a moment
    apart = _one_by_one(moments[start], ends, owner, (columns[start], columns[until]))
    overlap = apart.cases > 0 and not apart.nearly_always
    alone = str(apart) if overlap else apart.said("declare `overlap: true`")
    notes = (
        f"{start} <= {until} {seen.said('take `until` out')}",
        f"a row of an owner begins after all before it: {alone}",
    )
    return DraftedOrder(start, until, overlap, notes)


def _one_by_one(
    first: NDArray[np.float64], last: NDArray[np.float64], owner: NDArray[np.intp], kinds: tuple[Column, Column]
) -> Evidence:
    """How often a row begins when all that its owner had before have ended, of rows with one before."""
    rows = np.flatnonzero(owner >= 0)
    rows = rows[np.lexsort((rows, last[rows], first[rows], owner[rows]))]
    first, last, owner = first[rows], last[rows], owner[rows]
    same = owner[1:] == owner[:-1]

    def apart(ends: NDArray[np.float64]) -> NDArray[np.bool_]:
        before: NDArray[np.float64] = np.asarray(pd.Series(ends).groupby(owner).cummax(), dtype=np.float64)
        begun, ended = told_alike(first[1:], before[:-1], *kinds)
        return np.asarray((begun >= ended)[same])

    return Evidence.of(apart(last), apart(last[shuffled(len(last))]))


def _not_before(start: NDArray[np.float64], until: NDArray[np.float64]) -> Evidence:
    start, until = start[np.isfinite(until)], until[np.isfinite(until)]
    return Evidence.of(until >= start, until[shuffled(len(until))] >= start)


def _growing(frame: pd.DataFrame, columns: Mapping[str, Column], owner: NDArray[np.intp]) -> DraftedOrder | None:
    """Whole numbers called like a clock that never fall from one row of an owner to the next."""
    order = np.argsort(owner, kind="stable")
    same = owner[order][1:] == owner[order][:-1]
    for name, kind in columns.items():
        if isinstance(kind, Numeric) and kind.decimals == 0 and not kind.nullable and _CLOCKS & set(_name(name)):
            x = numbers(frame[name])[order]
            y = x[shuffled(len(x))]
            seen = Evidence.of((x[1:] >= x[:-1])[same], (y[1:] >= y[:-1])[same])
            if same.any() and seen.beyond_chance(MIN_ORDERED):
                return DraftedOrder(name, None, False, (f"does not fall from row to row of an owner: {seen}",))
    return None


def is_clock(words: tuple[str, ...]) -> bool:
    """Whether words of a name are that of a clock alone.

    Example:
        >>> is_clock(("year",)), is_clock(("birth", "year"))
        (True, False)
    """
    return len(words) == 1 and words[0] in _CLOCKS


def find_position(
    frame: pd.DataFrame, columns: Mapping[str, Column], owner: NDArray[np.intp]
) -> tuple[str, Evidence] | None:
    """A column that numbers the rows of each owner from 1, and how often it does among owners of several rows."""
    kept = owner >= 0
    for name, kind in columns.items():
        if isinstance(kind, Numeric) and kind.decimals == 0 and not kind.nullable:
            x = numbers(frame[name])[kept]
            if (x == 1).any():
                seen = Evidence.of(_numbered(x, owner[kept]), _numbered(x[shuffled(len(x))], owner[kept]))
                if seen.beyond_chance(NEARLY_ALWAYS):
                    return name, seen
    return None


def _numbered(x: NDArray[np.float64], owner: NDArray[np.intp]) -> NDArray[np.bool_]:
    """Of each owner of two rows or more, whether its numbers are 1 to n."""
    order = np.lexsort((x, owner))
    owner, x = owner[order], x[order]
    first = np.flatnonzero(np.r_[True, owner[1:] != owner[:-1]])
    size = np.diff(np.r_[first, len(owner)])
    right = x == np.arange(len(x)) - np.repeat(first, size) + 1
    return np.logical_and.reduceat(right, first)[size > 1] if len(x) else np.zeros(0, dtype=bool)


def find_series(
    frame: pd.DataFrame, columns: Mapping[str, Column], units: NDArray[np.intp]
) -> tuple[str, Evidence] | None:
    """A column of names under which numbers of the row differ, and that come again in a unit: those of its tests.

    The share is that of the spread of the ranks of a number that the names explain; by chance, of shuffled numbers. Of
    several, complete columns come first, then those called codes, then the one that explains most.
    """
    fits = []
    for name in _names_of_series(frame, columns, units):
        codes = pd.factorize(frame[name], use_na_sentinel=False)[0]
        for number, kind in columns.items():
            if not isinstance(kind, Numeric) or number == name:
                continue
            x = numbers(frame[number])
            there = np.isfinite(x)
            if there.sum() < 50:
                continue
            ranks = pd.Series(x[there]).rank().to_numpy().astype(np.float64)
            share = _explained(ranks, codes[there])
            chance = _explained(ranks[shuffled(len(ranks))], codes[there])
            seen = Evidence(round(share * int(there.sum())), int(there.sum()), chance)
            if share - chance >= _MIN_SERIES_SHARE:
                fits.append((frame[name].isna().any(), not column_names.says_code(name), -seen.share, name, seen))
    return min(fits, key=lambda fit: fit[:4])[3:] if fits else None


def _names_of_series(frame: pd.DataFrame, columns: Mapping[str, Column], units: NDArray[np.intp]) -> Iterator[str]:
    for name, kind in columns.items():
        discrete = isinstance(kind, (Code, *Discrete)) or (isinstance(kind, Numeric) and column_names.says_code(name))
        if discrete and 2 <= frame[name].nunique() <= min(_MAX_SERIES, len(frame) / 5):
            pairs = len(pd.DataFrame({"u": units, "s": frame[name].to_numpy()}).drop_duplicates())
            if len(frame) >= 1.2 * pairs:
                yield name


def _explained(x: NDArray[np.float64], codes: NDArray[np.int64]) -> float:
    """Share of the variance of x between groups."""
    sizes = np.bincount(codes)
    means = np.bincount(codes, x) / np.maximum(sizes, 1)
    return float((sizes * (means - x.mean()) ** 2).sum() / max(((x - x.mean()) ** 2).sum(), 1e-12))


def clock(cells: pd.Series, kind: Column) -> NDArray[np.float64]:
    """Moments as seconds, numbers as they are; nan where missing. **Shape**: (n,) -> (n,)."""
    if not isinstance(kind, Datetime):
        return numbers(cells)
    t = read_datetimes(cells, kind)
    return np.where(np.isnat(t), np.nan, t.astype("datetime64[us]").astype(np.int64) / 1e6)


def told_alike(
    x: NDArray[np.float64], y: NDArray[np.float64], *kinds: Column
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Two clocks told as finely as the coarser of their columns is. **Shape**: (n,), (m,) -> (n,), (m,)."""
    step = max((kind.step / 1e6 for kind in kinds if isinstance(kind, Datetime)), default=0.0)
    return (x // step, y // step) if step else (x, y)


def _name(column: str) -> tuple[str, ...]:
    return column_names.name_words(column)
