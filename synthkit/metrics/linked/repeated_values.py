"""Values that rows repeat: of the row before, of the same series, of the same moment."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from synthkit.metrics.linked import row_groups
from synthkit.metrics.linked.event_types import is_timed
from synthkit.metrics.linked.linked_metric import LinkedMetricSpec
from synthkit.metrics.linked.unit_differences import Parts, absolute, by_units, score
from synthkit.metrics.metric import MetricLabel
from synthkit.metrics.result import Score
from synthkit.metrics.stats import intervals

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from synthkit.metrics.linked.linked_evaluation_data import LinkedEvaluationData
    from synthkit.metrics.linked.linked_side import LinkedSide
    from synthkit.metrics.result import Found

KEPT_SHARE = 0.995  # of training pairs that agree, from which on they are said to agree always
FEWEST_REPEATS = 30  # pairs for a share
PARTNERS = 3  # rows of a moment that are looked back at
_SERIES = "of its series"
Agreements = dict[str, tuple["NDArray[np.float64]", "NDArray[np.intp]"]]  # (1, 0 by row with a row before, its unit)


def repeats(comparison: LinkedEvaluationData, rng: np.random.Generator) -> Found:
    """Share of rows that repeat a value of an earlier row, by column and by which row that is.

    The row before of the same owner; of the same series; of the same unit, table and moment. `repeats`: mean absolute
    difference of the shares; `kept_repeats`: mean synthetic share where 99.5 % of the training pairs agree, of these
    kinds and of pairs of series at one moment.
    """
    drawn, real, known = (agreements(side) for side in (comparison.drawn, comparison.real, comparison.known))
    names = [name for name, (x, _) in real.items() if len(x) >= FEWEST_REPEATS]
    if not names:
        return [], {}
    note = "Mean absolute difference of the share of rows equal to an earlier row's value, over columns and kinds."
    scores = [score("fidelity.repeats", comparison, lambda a, b: _difference(a, b, names), note)]
    always = {**{n: known[n] for n in names}, **partners(comparison.known)}
    kept = [n for n, (x, _) in always.items() if len(x) >= FEWEST_REPEATS and x.mean() >= KEPT_SHARE]
    kept = [name for name in kept if not _is_constant(comparison, name)]
    mine, theirs = ({**found, **partners(side)} for found, side in ((drawn, comparison.drawn), (real, comparison.real)))
    kept = [name for name in kept if _count(mine, name) and _count(theirs, name)]
    if kept:
        scores.append(_kept(mine, theirs, kept, comparison.drawn))
    shares = [{"pair": n, "real": _share(real[n][0]), "synthetic": _share(drawn[n][0])} for n in names]
    return scores, {"repeats": shares}


def agreements(side: LinkedSide) -> Agreements:
    """Whether a row repeats the value of an earlier one, for rows that have one and of which both cells are there."""
    found: Agreements = {}
    for table in side.schema.graph.owners:
        columns, values = side.values(table)[0], side.exact_values(table)
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
        found["of its moment"] = _of_moment(side, table)
    return found


def _of_moment(side: LinkedSide, table: str) -> NDArray[np.intp]:
    """The row before of the same unit, table and moment. **Shape**: (n,)."""
    moments = pd.factorize(side.start(table), use_na_sentinel=False)[0]
    return row_groups.previous_rows(side.units(table), moments)


def partners(side: LinkedSide) -> Agreements:
    """Whether a row agrees with one of another series at the same moment, by pair of series.

    Rows up to three before in the same unit, table and moment are looked at: a second reading taken at once, a line
    that is written under two names.
    """
    found: dict[str, tuple[list[NDArray[np.float64]], list[NDArray[np.intp]]]] = {}
    for table in side.schema.graph.owners:
        many, series = side.types.series[table], side.series(table)
        if many == 1 or not is_timed(side.schema, table):
            continue
        columns, values = side.values(table)[0], side.exact_values(table)
        first = before = _of_moment(side, table)
        for _ in range(PARTNERS):
            rows = np.flatnonzero(before >= 0)
            pair = series[before[rows]] * many + series[rows]
            for k in (k for k, c in enumerate(columns) if c != side.schema.tables[table].series):
                _gather(
                    found,
                    f"{table}.{columns[k]}",
                    (values[rows, k], values[before[rows], k]),
                    pair,
                    many,
                    side.units(table)[rows],
                )
            before = np.where(before >= 0, first[before], -1)
    return {name: (np.concatenate(x), np.concatenate(units)) for name, (x, units) in found.items()}


def _gather(
    found: dict[str, tuple[list[NDArray[np.float64]], list[NDArray[np.intp]]]],
    name: str,
    cells: tuple[NDArray[np.float64], NDArray[np.float64]],
    pair: NDArray[np.intp],
    many: int,
    units: NDArray[np.intp],
) -> None:
    """Agreements of two columns of cells, added to those of each pair of series."""
    seen = ~np.isnan(cells[0]) & ~np.isnan(cells[1]) & (pair // many != pair % many)
    if not seen.any():
        return
    order = np.argsort(pair[seen], kind="stable")
    same, of, whose = (cells[0] == cells[1])[seen][order].astype(float), pair[seen][order], units[seen][order]
    distinct, starts = np.unique(of, return_index=True)
    for code, x, u in zip(distinct.tolist(), np.split(same, starts[1:]), np.split(whose, starts[1:]), strict=True):
        parts = found.setdefault(f"{name}, series {code % many} beside {code // many}", ([], []))
        parts[0].append(x)
        parts[1].append(u)


def _difference(left: LinkedSide, right: LinkedSide, names: list[str]) -> Parts:
    mine, real = agreements(left), agreements(right)
    return {
        name: by_units(absolute(mine[name][0], real[name][0]), left, mine[name][1], right, real[name][1])
        for name in names
    }


def _count(found: Agreements, name: str) -> int:
    return len(found[name][0]) if name in found else 0


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
