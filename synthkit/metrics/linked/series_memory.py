"""What a series keeps: correlation of neighbouring values, and spread within a unit."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from synthkit.metrics.linked import row_groups
from synthkit.metrics.linked.linked_metric import LinkedMetricSpec
from synthkit.metrics.linked.unit_differences import Parts, absolute, by_units, score
from synthkit.metrics.metric import MetricLabel
from synthkit.metrics.result import Failure, Score
from synthkit.metrics.stats import intervals
from synthkit.metrics.utility.non_inferiority import jackknife
from synthkit.schema.columns import Datetime, Numeric

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from synthkit.metrics.linked.linked_evaluation_data import LinkedEvaluationData
    from synthkit.metrics.linked.linked_side import LinkedSide
    from synthkit.metrics.result import Found
    from synthkit.schema.linked import LinkedSchema

FEWEST_PAIRS = 30  # of neighbours, on the real side, for a correlation
UNIT_GROUPS = 20  # of units, for the jackknife
MOST_SPREAD = 3.0  # training standard deviations from which on the values of a unit count as no further apart
ROUNDED = 1e-12  # of a number, the part that arithmetic may have changed


def memory(comparison: LinkedEvaluationData, rng: np.random.Generator) -> Found:
    """Rank correlation of a value with the one before in its series, and the standard deviation within a unit.

    `lag_one`: weighted mean over numeric columns and series of |r_synthetic - r_holdout|, weights the numbers of real
    pairs; `within_unit_sd`: mean over columns of the difference of the mean standard deviation of a unit's values
    of one series, in standard deviations of that series among all training rows, three at most: a series that hardly
    varies in training would outweigh all others.
    """
    if not list(_columns(comparison.schema)):
        return [], {}
    scores = [_lag_one(comparison, rng)]
    note = "Difference of the mean standard deviation of a unit's values of a series, in training standard deviations "
    note += f"of the series, {MOST_SPREAD:g} at most; mean over columns."
    spreads = _spreads(comparison.known)
    needs = "units with two values of a series that varies"
    figure = partial(_within, spreads=spreads)
    scores.append(score("fidelity.within_unit_sd", comparison, figure, note, needs=needs))
    return scores, {}


def _columns(schema: LinkedSchema) -> Iterator[tuple[str, str]]:
    for table in schema.graph.owners:
        columns = schema.tables[table].columns
        yield from ((table, c) for c in schema.tables[table].payload if isinstance(columns[c], Numeric | Datetime))


def _lag_one(comparison: LinkedEvaluationData, rng: np.random.Generator) -> Score | Failure:
    groups = [rng.permutation(np.arange(side.size) % UNIT_GROUPS) for side in _sides(comparison)]
    drawn, real, like = (
        {at: _moments(side, *at, group) for at in _columns(comparison.schema)}
        for side, group in zip(_sides(comparison), groups, strict=True)
    )
    weights = {at: m[:, :, 0].sum(axis=1) for at, m in real.items()}
    whole = {
        key: {at: _correlations(m.sum(axis=1)) for at, m in side.items()} for key, side in _named(drawn, real, like)
    }
    value = _error(whole["drawn"], whole["real"], weights)
    if np.isnan(value):
        msg = f"a correlation of neighbours needs {FEWEST_PAIRS} real pairs in a series; however: none has so many"
        return Failure(metric="fidelity.lag_one", reason=f"{msg}. Declare `series`, or bring more rows")
    variance = 0.0
    for key, side in (("drawn", drawn), ("real", real)):
        left_out = []
        for g in range(UNIT_GROUPS):
            r = {at: _correlations(m.sum(axis=1) - m[:, g]) for at, m in side.items()}
            other = {**whole, key: r}
            left_out.append(_error(other["drawn"], other["real"], weights))
        variance += jackknife(left_out) ** 2
    at = intervals.normal_interval(value, float(np.sqrt(variance)), floor=0.0, ceiling=2.0)
    at = intervals.widened_if_flat(at, min(comparison.drawn.size, comparison.real.size), floor=0.0)
    return Score(
        metric="fidelity.lag_one",
        value=at.value,
        low=at.low,
        high=at.high,
        goal="low",
        reference=_error(whole["like"], whole["real"], weights),
        parts=_by_column(whole["drawn"], whole["real"], weights),
        note="Weighted mean absolute difference of the rank correlation of a value with the one before in the same "
        f"series. Interval: jackknife over {UNIT_GROUPS} groups of units of both sides; the reference is as many "
        "training units against the holdout.",
    )


_Correlations = dict[tuple[str, str], "NDArray[np.float64]"]


def _sides(comparison: LinkedEvaluationData) -> tuple[LinkedSide, LinkedSide, LinkedSide]:
    return comparison.drawn, comparison.real, comparison.like


def _named(*sides: dict[tuple[str, str], NDArray[np.float64]]) -> Iterator[tuple[str, _Correlations]]:
    yield from zip(("drawn", "real", "like"), sides, strict=True)


def _moments(side: LinkedSide, table: str, column: str, groups: NDArray[np.intp]) -> NDArray[np.float64]:
    """n, sums and products of the ranks of neighbours. **Shape**: (series, groups, 6)."""
    x, before, series = side.number(table, column), side.previous_of_series(table), side.series(table)
    past = row_groups.gathered(x, before)
    rows = np.flatnonzero(~np.isnan(x) & ~np.isnan(past))
    of = series[rows]
    ranks = [pd.Series(each[rows]).groupby(of).rank().to_numpy() for each in (past, x)]
    size = np.bincount(of, minlength=side.types.series[table])
    a, b = ((rank - 0.5) / size[of] - 0.5 for rank in ranks)
    cell = of * UNIT_GROUPS + groups[side.units(table)[rows]]
    total = side.types.series[table] * UNIT_GROUPS
    sums = [np.bincount(cell, weights=w, minlength=total) for w in (np.ones(len(a)), a, b, a * a, b * b, a * b)]
    return np.stack(sums, axis=1).astype(float).reshape(-1, UNIT_GROUPS, 6)


def _correlations(m: NDArray[np.float64]) -> NDArray[np.float64]:
    """Pearson's r of sums. **Shape**: (series, 6) -> (series,)."""
    with np.errstate(invalid="ignore", divide="ignore"):
        n, a, b, aa, bb, ab = m.T
        va, vb = aa / n - (a / n) ** 2, bb / n - (b / n) ** 2
        r = (ab / n - a * b / n**2) / np.sqrt(va * vb)
    return np.where((va > 1e-9) & (vb > 1e-9), np.clip(r, -1, 1), np.nan)


def _error(left: _Correlations, right: _Correlations, weights: _Correlations) -> float:
    """Weighted mean over all series that are known on the real side; one undefined on the other counts as 0 there."""
    gap, weight = _gaps(left, right, weights)
    return float((gap * weight).sum() / weight.sum()) if weight.sum() else float("nan")


def _gaps(
    left: _Correlations, right: _Correlations, weights: _Correlations
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    a, b, w = (np.concatenate([side[at] for at in right]) for side in (left, right, weights))
    known = ~np.isnan(b) & (w >= FEWEST_PAIRS)
    return np.abs(np.nan_to_num(a[known]) - b[known]), w[known]


def _by_column(left: _Correlations, right: _Correlations, weights: _Correlations) -> dict[str, float]:
    each = {f"{at[0]}.{at[1]}": _error({at: left[at]}, {at: right[at]}, {at: weights[at]}) for at in right}
    return {name: value for name, value in each.items() if not np.isnan(value)}


def _spreads(known: LinkedSide) -> dict[tuple[str, str], NDArray[np.float64]]:
    """Training standard deviation of each series of each column, by which values are divided; NaN of no spread."""
    found = {}
    for table, column in _columns(known.schema):
        x, series, many = known.number(table, column), known.series(table), known.types.series[table]
        sd = row_groups.group_sd(x, series, many)
        least, most = row_groups.group_extremes(x, series, many)
        same = most - least <= ROUNDED * np.maximum(np.abs(least), np.abs(most))  # a sum of equal numbers is rounded
        found[table, column] = np.where(np.isnan(sd) | (sd <= 0) | same, np.nan, sd)
    return found


def _within(left: LinkedSide, right: LinkedSide, spreads: dict[tuple[str, str], NDArray[np.float64]]) -> Parts:
    found = {}
    for (table, column), spread in spreads.items():
        sds = [_unit_sds(side, table, column, spread) for side in (left, right)]
        difference = absolute(sds[0][0], sds[1][0])
        found[f"{table}.{column}"] = by_units(difference, left, sds[0][1], right, sds[1][1])
    return found


def _unit_sds(
    side: LinkedSide, table: str, column: str, spread: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
    """Standard deviation of each unit and series, three spreads at most, and the units."""
    many = side.types.series[table]
    keys = side.units(table) * many + side.series(table)
    distinct, groups = np.unique(keys, return_inverse=True)
    x = side.number(table, column) / spread[side.series(table)]
    return np.minimum(row_groups.group_sd(x, groups, len(distinct)), MOST_SPREAD), distinct // many


MEMORY_SPEC = LinkedMetricSpec(
    name="fidelity.memory",
    measure=memory,
    labels={
        "fidelity.lag_one": MetricLabel(
            "Memory of series", "Difference of the rank correlation of a value with the one before in its series."
        ),
        "fidelity.within_unit_sd": MetricLabel(
            "Spread within a unit", "Difference of how much the values of one unit differ, in standard deviations."
        ),
    },
)
