"""Row rules that hold in every row of a frame: levels that determine others, numbers and dates in order."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from synthkit.schema import one_hot
from synthkit.schema.columns import Boolean, Categorical, Column, Datetime, Level, Numeric, Ordinal, numbers
from synthkit.schema.guess import plain_level
from synthkit.schema.moments import moments
from synthkit.schema.names import stem
from synthkit.schema.rules import Comparison, FixedCombination, Rule

if TYPE_CHECKING:
    from numpy.typing import NDArray

ROWS_A_LEVEL = 20  # fewer on average, and a dependency is chance
MOST_LEVELS = 200
MOST_NUMBERS = 50  # distinct numbers up to which a numeric column may be a recoding of levels
ROWS_A_PAIR = 50
# Words that tell two measurements of one thing apart.
_ENDS = frozenset(
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
        enough = 2 <= len(counts) <= (MOST_NUMBERS if few else MOST_LEVELS) and len(frame) >= ROWS_A_LEVEL * len(counts)
        if enough and len(frame) - counts.iloc[0] >= max(ROWS_A_LEVEL, 0.01 * len(frame)):
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
    typed = {c: pd.Series(moments(frame[c], k)) for c, k in columns.items() if isinstance(k, Datetime)}
    dates = {c: np.where(t.isna(), np.nan, t.astype(np.int64)) for c, t in typed.items()}
    zones = {c: k.zone for c, k in columns.items() if isinstance(k, Datetime)}
    held = [r for a, b in combinations(dates, 2) if zones[a] == zones[b] for r in _compared(a, b, dates)]
    held = [rule for rule in held if rule.holds(pd.DataFrame(typed)).all()]  # of the latest, floats are rounded
    stems: dict[tuple[str, ...], list[str]] = {}
    for name, column in columns.items():
        if isinstance(column, Numeric) and (key := stem(name, _ENDS)):
            stems.setdefault(key, []).append(name)
    for family in stems.values():
        x = {name: numbers(frame[name]) for name in family}
        with np.errstate(over="ignore"):
            held += [rule for a, b in combinations(family, 2) if _alike(x[a], x[b]) for rule in _compared(a, b, x)]
    return _without_implied(held)


def _alike(a: NDArray[np.float64], b: NDArray[np.float64]) -> bool:
    a, b = a[np.isfinite(a)], b[np.isfinite(b)]
    if not len(a) or not len(b):
        return False
    overlap = min(a.max(), b.max()) - max(a.min(), b.min())
    return bool(overlap > 0 and overlap >= 0.5 * min(np.ptp(a), np.ptp(b)))


def _compared(a: str, b: str, x: Mapping[str, NDArray[np.float64]]) -> Iterator[Comparison]:
    both = np.isfinite(x[a]) & np.isfinite(x[b])
    difference = x[b][both] - x[a][both]
    if both.sum() < ROWS_A_PAIR or not difference.any():
        return
    if not (np.isinf(x[a]) | np.isinf(x[b])).any():
        if (difference >= 0).all():
            yield Comparison(left=a, op="<=", right=b, observed=True)
        elif (difference <= 0).all():
            yield Comparison(left=b, op="<=", right=a, observed=True)


def _without_implied(rules: list[Comparison]) -> list[Comparison]:
    """Drop a <= c where a <= b and b <= c are there."""
    pairs = {(r.left, r.right) for r in rules}
    return [r for r in rules if not any((r.left, b) in pairs and (b, r.right) in pairs for _, b in pairs)]


def relations(frame: pd.DataFrame, columns: Mapping[str, Column]) -> tuple[Rule, ...]:
    """All rules found: comparisons first, then groups of which one is true, then fixed combinations they do not say."""
    groups = one_hot.groups(frame, columns)
    fixed = [f for f in fixed_combinations(frame, columns) if not any(set(f.of) <= set(g.of) for g in groups)]
    return (*comparisons(frame, columns), *groups, *fixed)
