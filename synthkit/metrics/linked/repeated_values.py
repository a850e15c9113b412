"""Values that rows repeat: of the row before, of the same series, of the same moment."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from synthkit.metrics.linked import row_groups
from synthkit.metrics.linked.linked_metric import LinkedMetricSpec
from synthkit.metrics.linked.unit_differences import Parts, absolute, by_units, score
from synthkit.metrics.metric import MetricLabel
from synthkit.metrics.result import Score
from synthkit.metrics.stats import intervals

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from synthkit.metrics.linked.linked_evaluation_data import LinkedEvaluationData
    from synthkit.metrics.linked.linked_side import LinkedSide
    from synthkit.metrics.result import Scored

KEPT_SHARE = 0.995  # of training pairs that agree, from which on they are said to agree always
FEWEST_REPEATS = 30  # training pairs for that
_SERIES = "of its series"
Agreements = dict[str, tuple["NDArray[np.float64]", "NDArray[np.intp]"]]  # (1, 0 by row with a row before, its unit)


def repeats(comparison: LinkedEvaluationData, rng: np.random.Generator) -> Scored:
    """Share of rows that repeat a value of an earlier row, by column and by which row that is.

    The row before of the same owner; of the same series; of the same unit, table and moment. `repeats`: mean absolute
    difference of the shares; `kept_repeats`: mean synthetic share where 99.5 % of the training pairs agree.
    """
    names = list(agreements(comparison.real))
    if not names or not any(len(x) for x, _ in agreements(comparison.real).values()):
        return [], {}
    note = "Mean absolute difference of the share of rows equal to an earlier row's value, over columns and kinds."
    scores = [score("fidelity.repeats", comparison, _difference, note)]
    known = agreements(comparison.known)
    kept = [n for n, (x, _) in known.items() if len(x) >= FEWEST_REPEATS and x.mean() >= KEPT_SHARE]
    drawn, real = agreements(comparison.drawn), agreements(comparison.real)
    kept = [name for name in kept if len(drawn[name][0]) and len(real[name][0]) and not _is_constant(comparison, name)]
    if kept:
        scores.append(_kept(drawn, real, kept, comparison.drawn))
    shares = [{"pair": n, "real": _share(real[n][0]), "synthetic": _share(drawn[n][0])} for n in names]
    return scores, {"repeats": [each for each in shares if each["real"] is not None]}


def agreements(side: LinkedSide) -> Agreements:
    """Whether a row repeats the value of an earlier one, for rows that have one and of which both cells are there."""
    found: Agreements = {}
    for table in side.schema.graph.owners:
        columns, values = side.values(table)
        for kind, before in _before(side, table).items():
            rows = np.flatnonzero(before >= 0)
            for k, column in enumerate(columns):
                if kind == _SERIES and column == side.schema.tables[table].series:
                    continue  # rows of a series agree on it
                a, b = values[rows, k], values[before[rows], k]
                seen = ~np.isnan(a) & ~np.isnan(b)
                found[f"{table}.{column}, {kind}"] = (a[seen] == b[seen]).astype(float), side.units(table)[rows[seen]]
    return found


def _before(side: LinkedSide, table: str) -> dict[str, NDArray[np.intp]]:
    found = {"row before": side.previous(table)}
    if side.schema.tables[table].series is not None:
        found[_SERIES] = side.previous_of_series(table)
    if side.schema.tables[table].order is not None:
        moments = pd.factorize(side.start(table), use_na_sentinel=False)[0]
        found["of its moment"] = row_groups.previous_rows(side.units(table), moments)
    return found


def _difference(left: LinkedSide, right: LinkedSide) -> Parts:
    mine, real = agreements(left), agreements(right)
    return {
        name: by_units(absolute(mine[name][0], real[name][0]), left, mine[name][1], right, real[name][1])
        for name in real
    }


def _is_constant(comparison: LinkedEvaluationData, name: str) -> bool:
    """Whether a column has one value in training, which nobody needs to repeat."""
    table, _, rest = name.partition(".")
    columns, values = comparison.known.values(table)
    x = values[:, columns.index(rest.rpartition(", ")[0])]
    return len(np.unique(x[~np.isnan(x)])) < 2


def _kept(drawn: Agreements, real: Agreements, names: list[str], side: LinkedSide) -> Score:
    """Mean share over pairs, its interval by units."""
    influence = np.zeros(side.size)
    for name in names:
        x, units = drawn[name]
        influence += np.bincount(units, weights=x - x.mean(), minlength=side.size) * side.size / len(x) / len(names)
    value = float(np.mean([drawn[name][0].mean() for name in names]))
    se = float(np.sqrt(intervals.variance_of_mean(influence)))
    at = intervals.normal_interval(value, se, floor=0.0, ceiling=1.0)
    at = intervals.widened_if_flat(at, side.size, floor=0.0, ceiling=1.0)
    return Score(
        metric="fidelity.kept_repeats",
        value=at.value,
        low=at.low,
        high=at.high,
        goal="high",
        reference=float(np.mean([real[name][0].mean() for name in names])),
        parts={name: float(drawn[name][0].mean()) for name in names},
        note="Share of synthetic rows equal to an earlier row's value where real rows always are; the reference is the "
        "holdout's share. Interval: first-order influence of units.",
    )


def _share(x: NDArray[np.float64]) -> float | None:
    return round(float(x.mean()), 5) if len(x) else None


REPEATS_SPEC = LinkedMetricSpec(
    name="fidelity.repeats",
    measure=repeats,
    labels={
        "fidelity.repeats": MetricLabel(
            "Repeated values", "Difference of the share of rows that repeat a value of an earlier row.", "share"
        ),
        "fidelity.kept_repeats": MetricLabel(
            "Values that always repeat", "Share of rows that repeat a value where real rows always do.", "share"
        ),
    },
)
