"""Distributions of columns, pairs and triples of synthetic rows against holdout and train."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

import numpy as np
import pandas as pd

from synthkit.metrics import panels
from synthkit.metrics.metric import MetricLabel, MetricSpec
from synthkit.metrics.result import Score, Scored
from synthkit.metrics.stats import paired_difference
from synthkit.metrics.stats.binning import Binning, cells, combined, numbers, quantities, tuples

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from synthkit.metrics.evaluation_data import EvaluationData

MAX_EXHAUSTIVE_PAIRS, MAX_EXHAUSTIVE_TRIPLES = (
    2_000,
    500,
)  # with more tuples of columns than this, 300 random ones stand for all
Prepared = tuple["NDArray[np.float64]", "NDArray[np.intp]"]  # quantities and codes by column
_T = TypeVar("_T")

_AGAINST = {
    "": "Against the holdout; the reference is as many training rows against the holdout.",
    "_train": "Against the training rows, as published benchmarks do; the reference is the holdout against them.",
}
_INFLUENCE_INTERVAL = (
    "Interval: first-order influence of the rows of both tables (whole units where a unit is declared)."
)


@dataclass(frozen=True, kw_only=True)
class Sides:
    """Synthetic draws, the real table they are held against, and other real rows that play the synthetic part."""

    suffix: str
    draws: tuple[pd.DataFrame, ...]
    real: pd.DataFrame
    other: pd.DataFrame
    unit: str | None

    def units(self, frame: pd.DataFrame) -> NDArray[np.intp] | None:
        """Unit code of every row; None if each row is its own unit."""
        return unit_codes(frame, self.unit)


@dataclass(frozen=True, kw_only=True)
class TableDistances:
    """One similarity: its score, and the distances behind it by tuple of columns."""

    score: Score
    keys: tuple[tuple[int, ...], ...]
    values: NDArray[np.float64]
    reference: NDArray[np.float64]


def columns(comparison: EvaluationData, rng: np.random.Generator) -> Scored:
    """Column shapes (1 - KS or 1 - TV) and one-way total variation, and the distributions behind them.

    `shape` is the definition of SDMetrics' Column Shapes: numbers and moments by 1 - KS, levels by 1 - TV, missing
    cells left out. `tv1` counts missing cells and cuts numbers at the deciles of the training rows.
    """
    scores, tv1 = [], []
    for sides in both_sides(comparison, rng):
        scores.append(_shape(comparison, sides).score)
        tv1.append(_tv(comparison, sides, 1, rng))
    scores += [m.score for m in tv1]
    return scores, {"distributions": panels.distributions(comparison, tv1[0].values, tv1[0].reference)}


def pairs(comparison: EvaluationData, rng: np.random.Generator) -> Scored:
    """Two-way total variation and pair trends, and the error of every pair.

    `trend` is the definition of SDMetrics' Column Pair Trends with both thresholds at 0: 1 - |difference of Pearson
    correlations| / 2 for two quantities, otherwise 1 - TV of the contingency tables, quantities cut into ten equal
    widths of the real column.

    NOTE[DIFF]: SDMetrics 0.32 cuts the synthetic column at its own ten widths in the report; we use the real
    column's on both sides, as its ContingencySimilarity does.
    """
    if len(comparison.schema.described) < 2:
        return [], {}
    scores, tv2 = [], []
    for sides in both_sides(comparison, rng):
        scores.append(_trend(comparison, sides, rng).score)
        tv2.append(_tv(comparison, sides, 2, rng))
    scores += [m.score for m in tv2]
    errors = dict(zip(tv2[0].keys, tv2[0].values, strict=True))
    floor = dict(zip(tv2[0].keys, tv2[0].reference, strict=True))
    return scores, {
        "pairs": panels.pair_errors(comparison, errors, floor),
        "worst_cells": panels.worst_cells(comparison, errors),
    }


def triples(comparison: EvaluationData, rng: np.random.Generator) -> Scored:
    """Three-way total variation over all, or 300 random, triples of columns."""
    if len(comparison.schema.described) < 3:
        return [], {}
    return [_tv(comparison, sides, 3, rng).score for sides in both_sides(comparison, rng)], {}


def both_sides(comparison: EvaluationData, rng: np.random.Generator) -> tuple[Sides, Sides]:
    """The draws against the holdout, and against the training rows."""
    c, size = comparison, min(len(draw) for draw in comparison.synthetic)
    like = c.train if size >= len(c.train) else c.train.iloc[np.sort(rng.choice(len(c.train), size, replace=False))]
    return (
        Sides(suffix="", draws=c.synthetic, real=c.holdout, other=like, unit=c.schema.unit),
        Sides(suffix="_train", draws=c.synthetic, real=c.train, other=c.holdout, unit=c.schema.unit),
    )


def unit_codes(frame: pd.DataFrame, unit: str | None) -> NDArray[np.intp] | None:
    """Unit code of every row; None if no unit is declared or the frame has no such column."""
    if unit is None or unit not in frame:
        return None
    codes, uniques = pd.factorize(frame[unit], use_na_sentinel=False)
    return None if len(uniques) == len(frame) else codes


def _shape(comparison: EvaluationData, sides: Sides) -> TableDistances:
    schema, binning = comparison.schema, Binning.equal_width(sides.real, comparison.schema)
    numeric = set(quantities(schema))

    def distance(left: pd.DataFrame, right: pd.DataFrame) -> paired_difference.Mean:
        def one(name: str) -> paired_difference.PairedDifference | None:
            if name in numeric:
                return paired_difference.ks(numbers(left[name]), numbers(right[name]))
            cuts = binning.cuts[name]
            return paired_difference.tv_seen(cuts.codes(left[name]), cuts.codes(right[name]), cuts.size, cuts.size - 2)

        return paired_difference.mean(one(name) for name in schema.described)

    keys = [(k,) for k in range(len(schema.described))]
    return _measure("fidelity.shape", sides, lambda frame: frame, distance, keys, schema.described)


def _trend(comparison: EvaluationData, sides: Sides, rng: np.random.Generator) -> TableDistances:
    schema, binning = comparison.schema, Binning.equal_width(sides.real, comparison.schema)
    numeric = set(quantities(schema))
    names, sizes = schema.described, binning.sizes
    chosen = tuples(len(names), 2, MAX_EXHAUSTIVE_PAIRS, rng)

    def prepare(frame: pd.DataFrame) -> Prepared:
        blank = np.full(len(frame), np.nan)
        return np.stack([numbers(frame[n]) if n in numeric else blank for n in names]), binning.codes(frame)

    def distance(left: Prepared, right: Prepared) -> paired_difference.Mean:
        def one(pair: tuple[int, ...]) -> paired_difference.PairedDifference | None:
            if all(names[k] in numeric for k in pair):
                return paired_difference.pearson(left[0][list(pair)], right[0][list(pair)])
            return paired_difference.tv(
                combined(left[1], sizes, pair), combined(right[1], sizes, pair), cells(sizes, pair)
            )

        return paired_difference.mean(map(one, chosen))

    return _measure("fidelity.trend", sides, prepare, distance, chosen, names)


def _tv(comparison: EvaluationData, sides: Sides, k: int, rng: np.random.Generator) -> TableDistances:
    binning, names = comparison.binning, comparison.schema.described
    chosen = tuples(len(names), k, MAX_EXHAUSTIVE_PAIRS if k < 3 else MAX_EXHAUSTIVE_TRIPLES, rng)
    return _measure(
        f"fidelity.tv{k}", sides, binning.codes, lambda a, b: tv_mean(a, b, binning.sizes, chosen), chosen, names
    )


def tv_mean(
    left: NDArray[np.intp], right: NDArray[np.intp], sizes: tuple[int, ...], chosen: Sequence[tuple[int, ...]]
) -> paired_difference.Mean:
    """Mean total variation over tuples of columns. **Shape**: (d, n), (d, m) codes."""
    return paired_difference.mean(
        paired_difference.tv(combined(left, sizes, t), combined(right, sizes, t), cells(sizes, t)) for t in chosen
    )


def _measure(
    metric: str,
    sides: Sides,
    prepare: Callable[[pd.DataFrame], _T],
    distance: Callable[[_T, _T], paired_difference.Mean],
    keys: Sequence[tuple[int, ...]],
    names: tuple[str, ...],
) -> TableDistances:
    """Score one minus a mean distance of every draw to the real table, and the same for other real rows."""
    real = prepare(sides.real)
    means = [distance(prepare(draw), real) for draw in sides.draws]
    values = np.mean([m.values for m in means], axis=0)
    reference = distance(prepare(sides.other), real)
    seen = values[~np.isnan(values)]
    is_sample = len(keys) < math.comb(len(names), len(keys[0]))
    at = paired_difference.over_draws(
        [m.difference for m in means],
        [sides.units(draw) for draw in sides.draws],
        sides.units(sides.real),
        extra=float(seen.var(ddof=1) / len(seen)) if is_sample else 0.0,
    )
    score = Score(
        metric=metric + sides.suffix,
        value=1 - at.value,
        low=max(0.0, 1 - at.high),
        high=min(1.0, 1 - at.low),
        goal="high",
        reference=1 - reference.difference.value,
        parts=_by_column(keys, values, names),
        note=f"{_AGAINST[sides.suffix]} {_INFLUENCE_INTERVAL}"
        + (f" {len(keys)} random column tuples." if is_sample else ""),
    )
    return TableDistances(score=score, keys=tuple(keys), values=values, reference=np.array(reference.values))


def _by_column(
    keys: Sequence[tuple[int, ...]], values: NDArray[np.float64], names: tuple[str, ...]
) -> dict[str, float]:
    """Mean similarity of the tuples a column takes part in."""
    total, count = np.zeros(len(names)), np.zeros(len(names))
    for key, value in zip(keys, values, strict=True):
        if not np.isnan(value):
            total[list(key)] += value
            count[list(key)] += 1
    return {name: float(1 - total[k] / count[k]) for k, name in enumerate(names) if count[k]}


COLUMNS_SPEC = MetricSpec(
    name="fidelity.columns",
    measure=columns,
    labels={
        "fidelity.shape": MetricLabel(
            "Column shapes", "How alike single columns are, averaged over columns; 1 is identical."
        ),
        "fidelity.tv1": MetricLabel("One-way tables", "1 minus the mean total variation distance of single columns."),
    },
)
PAIRS_SPEC = MetricSpec(
    name="fidelity.pairs",
    measure=pairs,
    labels={
        "fidelity.trend": MetricLabel(
            "Pair trends", "How alike relations between two columns are, averaged over pairs."
        ),
        "fidelity.tv2": MetricLabel(
            "Two-way tables", "1 minus the mean total variation distance of tables of two columns."
        ),
    },
)
TRIPLES_SPEC = MetricSpec(
    name="fidelity.triples",
    measure=triples,
    labels={
        "fidelity.tv3": MetricLabel(
            "Three-way tables", "1 minus the mean total variation distance of tables of three columns."
        ),
    },
)
