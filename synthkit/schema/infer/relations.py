"""Row rules that hold in every row of a frame: levels that determine others, numbers and dates in order."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from synthkit.schema.columns import Boolean, Categorical, Column, Datetime, Level, Numeric, Ordinal
from synthkit.schema.datetimes import read_datetimes
from synthkit.schema.infer import one_hot_groups
from synthkit.schema.infer.column_names import name_stem
from synthkit.schema.infer.level_values import plain_level
from synthkit.schema.number_cells import numbers
from synthkit.schema.rules import Comparison, FixedCombination, Rule

if TYPE_CHECKING:
    from numpy.typing import NDArray

MIN_ROWS_PER_DETERMINED_LEVEL = 20  # fewer on average, and a dependency is chance
MAX_DETERMINED_LEVELS = 200
MAX_COMPARED_NUMBERS = 50  # distinct numbers up to which a numeric column may be a recoding of levels
MIN_ROWS_PER_PAIR = 50
_MAX_CONTINGENCY_CELLS = 4_000_000  # most cells that are held against a column at once
# Words that tell two measurements of one thing apart.
_RANGE_END_WORDS = frozenset(
    (
        *("min", "max", "low", "high", "lower", "upper", "start", "end", "stop", "first", "last", "from", "to"),
        *("mean", "median", "worst", "best", "systolic", "diastolic", "sys", "dia", "value", "score"),
        *("total", "count", "num", "number", "n", "no", "m", "d", "h", "days", "hours", "of", "at", "the"),
    )
)


def fixed_combinations(frame: pd.DataFrame, columns: Mapping[str, Column]) -> list[FixedCombination]:
    """Rules for columns whose level determines the level of others, each with its combinations.

    A column counts if it has 2 to 200 levels (missing is one), 20 rows a level on average, and a hundredth of the
    rows outside its most frequent level: what is nearly constant is determined by everything. A column and all that
    it determines make one rule; what such a rule says already is not said again.

    Args:
        frame: the rows.
        columns: the declared or drafted kinds.
    """
    coded = {name: pd.factorize(frame[name], use_na_sentinel=False) for name in _candidates(frame, columns)}
    codes = {name: c.astype(np.int64) for name, (c, _) in coded.items()}
    sizes = {name: len(uniques) for name, (_, uniques) in coded.items()}
    found, said = [], set[str]()
    for name in sorted(codes, key=lambda c: -sizes[c]):
        if name in said:
            continue
        follows = [b for b in codes if b != name and sizes[b] <= sizes[name] and _determines(codes, sizes, name, b)]
        members = [c for c in columns if c == name or c in follows]
        if follows and not all(isinstance(columns[c], Numeric) for c in members):
            said |= set(members)
            found.append(FixedCombination(of=tuple(members), combinations=_listed(frame, members), observed=True))
    return sorted(found, key=lambda rule: list(columns).index(rule.of[0]))


def _candidates(frame: pd.DataFrame, columns: Mapping[str, Column]) -> Iterator[str]:
    for name, column in columns.items():
        few = isinstance(column, Numeric) and column.decimals == 0
        if not (isinstance(column, Categorical | Ordinal | Boolean) or few):
            continue
        counts = frame[name].value_counts(dropna=False)
        enough = 2 <= len(counts) <= (MAX_COMPARED_NUMBERS if few else MAX_DETERMINED_LEVELS) and len(
            frame
        ) >= MIN_ROWS_PER_DETERMINED_LEVEL * len(counts)
        if enough and len(frame) - counts.iloc[0] >= max(MIN_ROWS_PER_DETERMINED_LEVEL, 0.01 * len(frame)):
            yield name


def _determines(codes: Mapping[str, NDArray[np.int64]], sizes: Mapping[str, int], a: str, b: str) -> bool:
    """Whether every level of `a` meets one level of `b` only; a first look at 2,000 rows spares most counting."""
    for rows in (slice(2000), slice(None)):
        left = codes[a][rows]
        pairs = np.bincount(left * sizes[b] + codes[b][rows], minlength=sizes[a] * sizes[b]) > 0
        if (pairs.reshape(sizes[a], sizes[b]).sum(axis=1) > 1).any():
            return False
    return True


def _listed(frame: pd.DataFrame, members: list[str]) -> tuple[tuple[Level | None, ...], ...]:
    rows = frame[members].drop_duplicates().itertuples(index=False, name=None)  # one a level, not one a row
    listed = [tuple(None if pd.isna(v) else plain_level(v) for v in row) for row in rows]
    return tuple(sorted(listed, key=lambda row: [(v is None, str(type(v) is str), _sortable(v)) for v in row]))


def _sortable(value: object) -> tuple[float, str]:
    return (float(value), "") if isinstance(value, bool | int | float) else (0.0, str(value))


def comparisons(frame: pd.DataFrame, columns: Mapping[str, Column]) -> list[Comparison]:
    """Rules `a <= b` that hold in every row, for dates and for numbers that belong together by name and range.

    Numbers belong together if their names differ only in words such as min and max or in digits, and the smaller of
    their two spans overlaps the larger by half of it. At least 50 rows must have both, some of them different.

    Args:
        frame: the rows.
        columns: the declared or drafted kinds.
    """
    typed = {c: pd.Series(read_datetimes(frame[c], k)) for c, k in columns.items() if isinstance(k, Datetime)}
    dates = {c: np.where(t.isna(), np.nan, t.astype(np.int64)) for c, t in typed.items()}
    zones: dict[str | None, list[str]] = {}
    for c in dates:
        kind = columns[c]
        zones.setdefault(kind.zone if isinstance(kind, Datetime) else None, []).append(c)
    held = [rule for mine in zones.values() for rule in _in_order({c: dates[c] for c in mine})]
    told = pd.DataFrame(typed)
    held = [rule for rule in held if rule.holds(told).all()]  # of the latest, floats are rounded
    stems: dict[tuple[str, ...], list[str]] = {}
    for name, column in columns.items():
        if isinstance(column, Numeric) and (key := name_stem(name, _RANGE_END_WORDS)):
            stems.setdefault(key, []).append(name)
    for family in stems.values():
        if len(family) > 1:
            held += _in_order({name: numbers(frame[name]) for name in family}, alike=True)
    return _without_implied(held)


def _in_order(x: Mapping[str, NDArray[np.float64]], *, alike: bool = False) -> Iterator[Comparison]:
    """Rules between any two columns of which one is never greater, each column held against all behind it at once."""
    names = list(x)
    if len(names) < 2:
        return
    cells = np.array([x[name] for name in names])
    known, ends = np.isfinite(cells), _ends(cells)
    endless = np.isinf(cells).any(axis=1)
    at_once = max(_MAX_CONTINGENCY_CELLS // max(cells.shape[1], 1), 1)
    for k, name in enumerate(names):
        for first in range(k + 1, len(names), at_once):
            others = np.arange(first, min(first + at_once, len(names)))
            others = others[~(endless[k] | endless[others])]
            if alike:
                others = others[_alike(ends, k, others)]
            both = known[k] & known[others]
            with np.errstate(over="ignore", invalid="ignore"):
                away = np.where(both, cells[others] - cells[k], 0.0)
            told = (both.sum(axis=1) >= MIN_ROWS_PER_PAIR) & (away != 0).any(axis=1)
            above, below = told & (away >= 0).all(axis=1), told & (away <= 0).all(axis=1)
            for at in np.flatnonzero(above | below):
                left, right = (name, names[others[at]])[:: 1 if above[at] else -1]
                yield Comparison(left=left, op="<=", right=right, observed=True)


def _ends(cells: NDArray[np.float64]) -> NDArray[np.float64]:
    """Least and greatest finite number of a column, inf and -inf where there is none. **Shape**: (m, n) -> (2, m)."""
    known = np.isfinite(cells)
    low = np.where(known, cells, np.inf).min(axis=1, initial=np.inf)
    return np.stack([low, np.where(known, cells, -np.inf).max(axis=1, initial=-np.inf)])


def _alike(ends: NDArray[np.float64], k: int, others: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Which columns' spans overlap that of column k by half of the smaller of the two. **Shape**: (m,) -> (m,)."""
    low, high = ends
    with np.errstate(over="ignore", invalid="ignore"):
        overlap = np.minimum(high[k], high[others]) - np.maximum(low[k], low[others])
        smaller = np.minimum(high[k] - low[k], high[others] - low[others])
    return np.asarray((overlap > 0) & (overlap >= 0.5 * smaller))


def _without_implied(rules: list[Comparison]) -> list[Comparison]:
    """Drop a <= c where a <= b and b <= c are there."""
    above: dict[str, set[str]] = {}
    below: dict[str, set[str]] = {}
    for rule in rules:
        above.setdefault(rule.left, set()).add(rule.right)
        below.setdefault(rule.right, set()).add(rule.left)
    return [rule for rule in rules if not above[rule.left] & below[rule.right]]


def relations(frame: pd.DataFrame, columns: Mapping[str, Column]) -> tuple[Rule, ...]:
    """All rules found: comparisons first, then groups of which one is true, then fixed combinations they do not say."""
    groups = one_hot_groups.find_one_hot_groups(frame, columns)
    fixed = [f for f in fixed_combinations(frame, columns) if not any(set(f.of) <= set(g.of) for g in groups)]
    return (*comparisons(frame, columns), *groups, *fixed)
