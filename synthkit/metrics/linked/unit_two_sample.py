"""Can a classifier tell synthetic units, or rows in their context, from held-out ones: folds by unit."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, cast

import numpy as np
from scipy import stats

from synthkit.errors import MetricError
from synthkit.metrics.fidelity.classifier_two_sample import DETECTION_FOLDS, LIGHTGBM
from synthkit.metrics.linked import row_groups
from synthkit.metrics.linked.linked_metric import LinkedMetric, LinkedMetricSpec
from synthkit.metrics.linked.linked_side import LinkedSide
from synthkit.metrics.linked.unit_aggregates import UnitAggregates
from synthkit.metrics.metric import MetricLabel, MetricOptions
from synthkit.metrics.result import Score
from synthkit.metrics.stats import intervals
from synthkit.metrics.utility.features import without_empty
from synthkit.metrics.utility.learners import LearnerPlan

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from synthkit.metrics.estimator import ProbabilisticClassifier
    from synthkit.metrics.linked.linked_evaluation_data import LinkedEvaluationData
    from synthkit.metrics.result import Scored
    from synthkit.schema.linked import LinkedSchema

MAX_JUDGED_UNITS, MAX_JUDGED_ROWS = 4_000, 20_000  # a side; rows of a table
ALL_JUDGED_ROWS = 80_000  # of all tables, which share them


@dataclass(frozen=True)
class Examples:
    """Inputs of a classifier. **Shape**: (n, d) with nan where missing, (n,) units."""

    names: list[str]
    inputs: NDArray[np.float64]
    units: NDArray[np.intp]


@dataclass(frozen=True)
class LinkedDetection:
    """Ranks out of fold of synthetic (True) and real rows, by unit of their side, and the gain of each input."""

    scores: NDArray[np.float64]
    synthetic: NDArray[np.bool_]
    units: NDArray[np.intp]
    gains: dict[str, float]

    @property
    def auc(self) -> intervals.Interval:
        """AUC with an interval by units."""
        return clustered_auc(self.scores, self.synthetic, self.units)


def clustered_auc(
    scores: NDArray[np.float64], positive: NDArray[np.bool_], units: NDArray[np.intp]
) -> intervals.Interval:
    """AUC with the 95 % interval of DeLong for rows that hang together in units, none of them on both sides.

    The variance is that of the mean placement of each side's rows, summed by unit.

    References:
        Nonparametric Analysis of Clustered ROC Curve Data (Obuchowski, 1997).

    Example:
        >>> clustered_auc(np.array([1.0, 2, 3, 4]), np.array([False, False, True, True]), np.arange(4)).value
        1.0
    """
    a, b = scores[positive], scores[~positive]
    ranks = stats.rankdata(np.concatenate([a, b]))
    above = (ranks[: len(a)] - stats.rankdata(a)) / len(b)
    below = 1 - (ranks[len(a) :] - stats.rankdata(b)) / len(a)
    codes = [np.unique(units[side], return_inverse=True)[1] for side in (positive, ~positive)]
    variance = sum(intervals.variance_of_mean(x, u) for x, u in zip((above, below), codes, strict=True))
    at = intervals.normal_interval(float(above.mean()), float(np.sqrt(variance)), floor=0.0, ceiling=1.0)
    few = min(int(u.max()) + 1 for u in codes)
    return intervals.widened_if_flat(at, few, floor=0.0, ceiling=1.0)


def unit_c2st(comparison: LinkedEvaluationData, rng: np.random.Generator) -> Scored:
    """AUC of telling synthetic from held-out units by their aggregates in all tables, cross-fitted by LightGBM.

    References:
        Benchmarking the Fidelity and Utility of Synthetic Relational Data (Hudovernik, Jurkovič & Štrumbelj, 2024),
        detection by aggregates of child rows.
    """
    what = "units by their counts, shares of types, means, extremes, spreads, last values and times in all tables"
    return _score("fidelity.unit_c2st", comparison, unit_examples, what, MAX_JUDGED_ROWS, None, rng)


def row_c2st(comparison: LinkedEvaluationData, rng: np.random.Generator, *, table: str, most: int) -> Scored:
    """AUC of telling synthetic from held-out rows in their context, folds by unit, cross-fitted by LightGBM.

    Args:
        comparison: the tables.
        rng: source of the choice of units, folds and seeds.
        table: whose rows are judged.
        most: rows a side.
    """
    what = f"rows of `{table}` with the rows before of the same owner and series, place, gap, owner and unit"
    return _score(f"fidelity.{table}.row_c2st", comparison, partial(row_examples, table=table), what, most, table, rng)


def row_metrics(schema: LinkedSchema, options: MetricOptions) -> dict[str, LinkedMetric]:
    """One for each table below the units."""
    owners = schema.graph.owners
    most = min(MAX_JUDGED_ROWS, ALL_JUDGED_ROWS // max(len(owners), 1))
    return {f"fidelity.{table}.row_c2st": partial(row_c2st, table=table, most=most) for table in owners}


def _score(
    metric: str,
    comparison: LinkedEvaluationData,
    examples: Callable[[LinkedSide], Examples],
    what: str,
    most: int,
    table: str | None,
    rng: np.random.Generator,
) -> Scored:
    real = comparison.real
    found = detect(examples, comparison.drawn, real, most, table, rng)
    at, floor = found.auc, detect(examples, comparison.like, real, most, table, rng).auc
    kept = sorted(found.gains, key=lambda name: -found.gains[name])[:20]
    score = Score(
        metric=metric,
        value=at.value,
        low=at.low,
        high=at.high,
        goal="low",
        reference=floor.value,
        parts={name: found.gains[name] for name in kept},
        note=f"AUC of telling {what} from those of held-out units by LightGBM; equal numbers of units, folds by unit, "
        "0.5 is ideal. The reference is training units in place of synthetic ones. Interval: DeLong by units. Parts: "
        "share of the gain of the classifier's splits.",
    )
    return [score], {}


def detect(
    examples: Callable[[LinkedSide], Examples],
    left: LinkedSide,
    right: LinkedSide,
    most: int,
    table: str | None,
    rng: np.random.Generator,
) -> LinkedDetection:
    """Cross-fitted scores of being of `left`, equal numbers of units a side.

    Raises:
        MetricError: there are too few units, or all examples get one score.
    """
    size = min(left.size, right.size, MAX_JUDGED_UNITS)
    if table is not None:
        longest = max(side.rows(table) / side.size for side in (left, right))
        size = min(size, max(2 * DETECTION_FOLDS, int(most / max(longest, 1e-9))))
    if size < 2 * DETECTION_FOLDS:
        msg = f"a classifier needs at least {2 * DETECTION_FOLDS} units a side; however: the smaller side has {size}"
        raise MetricError(msg)
    both = [examples(thinned(side, size, rng)) for side in (left, right)]
    if not all(len(each.units) for each in both):
        msg = "a classifier needs rows on both sides; however: one side has none"
        raise MetricError(msg)
    x = np.concatenate([each.inputs for each in both])
    label = np.repeat([True, False], [len(each.units) for each in both])
    units = np.concatenate([both[0].units, size + both[1].units])
    folds = np.concatenate([rng.permutation(np.arange(size) % DETECTION_FOLDS) for _ in both])[units]
    scores, gains = np.zeros(len(label)), np.zeros(x.shape[1])
    for fold in range(DETECTION_FOLDS):
        scores[folds == fold], gain = _fold(x, label, folds == fold, int(rng.integers(2**31)))
        gains += gain
    shares = dict(zip(both[0].names, (gains / max(gains.sum(), 1e-12)).tolist(), strict=True))
    return LinkedDetection(scores, label, units, shares)


def _fold(
    x: NDArray[np.float64], label: NDArray[np.bool_], test: NDArray[np.bool_], seed: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Ranks in [0, 1] of the rows that are tested, and the gain of each input."""
    train = ~test
    empty = np.asarray(np.isnan(x[train]).all(axis=0))
    model = LIGHTGBM.fresh(LearnerPlan.of([False] * x.shape[1], seed, label[train].astype(float), 2))
    if len(np.unique(label[train])) < 2 or len(np.unique(label[test])) < 2:
        msg = "each fold must have rows of both sides; however: one has rows of one side alone. Bring more units"
        raise MetricError(msg)
    model.fit(without_empty(x[train], empty), label[train])
    able = cast("ProbabilisticClassifier", model)
    found = np.asarray(able.predict_proba(without_empty(x[test], empty))[:, 1])
    if np.ptp(found) == 0:
        msg = "a classifier must tell rows apart to be judged; however: it gives all of them one score"
        raise MetricError(f"{msg}. Bring more units")
    gain = np.asarray(cast("object", model).booster_.feature_importance("gain"))  # type: ignore[attr-defined]
    return stats.rankdata(found) / len(found), gain


def thinned(side: LinkedSide, size: int, rng: np.random.Generator) -> LinkedSide:
    """So many units of a side at random."""
    if side.size == size:
        return side
    return replace(side, tables=side.tables.take(np.sort(rng.choice(side.size, size, replace=False))))


def unit_examples(side: LinkedSide) -> Examples:
    """One row a unit: its aggregates."""
    found = UnitAggregates.of(side)
    return Examples(list(found.frame.columns), found.frame.to_numpy(dtype=float), np.arange(side.size))


def row_examples(side: LinkedSide, table: str) -> Examples:
    """One row a row: it, the rows before, place, gap, and the columns of all its owners."""
    names, own = side.values(table)
    before, series = side.previous(table), side.previous_of_series(table)
    clock = np.stack([side.start(table), side.end(table)], axis=1)
    parts = [own, clock, row_groups.gathered(own, before), clock - row_groups.gathered(clock[:, ::-1], before)]
    found = [*names, "start", "end", *(f"before: {n}" for n in names), "gap", "end since start before"]
    if side.types.series[table] > 1:
        parts += [row_groups.gathered(own, series), (clock - row_groups.gathered(clock, series))[:, :1]]
        found += [*(f"series: {n}" for n in names), "gap in series"]
    parts.append(row_groups.places(side.owners(table)).astype(float)[:, None])
    found.append("place")
    rows = side.owners(table)
    for owner in side.schema.graph.ancestors(table):
        labels, values = side.values(owner)
        parts.append(values[rows])
        found += [f"{owner}.{n}" for n in labels]
        if owner != side.schema.unit:
            parts.append((side.start(table) - side.start(owner)[rows])[:, None])
            found.append(f"since {owner}")
            rows = side.owners(owner)[rows]
    return Examples(found, np.concatenate(parts, axis=1), side.units(table))


UNIT_C2ST_SPEC = LinkedMetricSpec(
    name="fidelity.unit_c2st",
    measure=unit_c2st,
    library="lightgbm",
    labels={
        "fidelity.unit_c2st": MetricLabel(
            "Real or synthetic unit?",
            "AUC of telling whole units apart by what they have in all tables; 0.5 is a toss.",
        ),
    },
)
ROW_C2ST_SPEC = LinkedMetricSpec(
    name="fidelity.row_c2st",
    for_schema=row_metrics,
    library="lightgbm",
    labels={
        "row_c2st": MetricLabel(
            "Real or synthetic row?", "AUC of telling rows apart by themselves, the rows before, and their owners."
        ),
    },
)
