"""Utility and fidelity by subgroup: does a protected group lose more than others; small groups are suppressed."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from synthkit.errors import MetricError
from synthkit.io.json_types import JSON
from synthkit.metrics.fidelity.distributions import both_sides, tv_mean
from synthkit.metrics.metric import MetricLabel, MetricSpec
from synthkit.metrics.result import Score, Scored
from synthkit.metrics.stats import intervals, paired_difference
from synthkit.metrics.stats.binning import numbers
from synthkit.metrics.stats.several_draws import standard_error
from synthkit.schema.columns import Discrete, level_key, level_keys

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from synthkit.metrics.evaluation_data import EvaluationData
    from synthkit.metrics.utility.prediction_task import Judged
    from synthkit.schema import Schema

MIN_GROUP_UNITS, MIN_GROUP_EVENTS, SMALLEST_SHOWN_COUNT = 50, 10, 10
Part = tuple["NDArray[np.intp]", "NDArray[np.intp] | None"]  # codes (d, n) of n rows, and their units
QUARTER_NAMES = ("lowest quarter", "second quarter", "third quarter", "highest quarter")


@dataclass(frozen=True)
class SubgroupSplit:
    """Groups of one protected column, fixed by the schema and the training rows.

    Args:
        column: its name.
        labels: names of the groups; levels the schema does not declare share one.
        keys: level key by group of a column with levels.
        cuts: quartiles of the training rows, of a quantity; None for levels.
    """

    column: str
    labels: tuple[str, ...]
    keys: tuple[Hashable, ...] = ()
    cuts: tuple[float, ...] | None = None

    @classmethod
    def of(cls, column: str, train: pd.DataFrame, schema: Schema) -> SubgroupSplit:
        """Declared levels, or quarters of the training rows; then other levels, then missing cells."""
        kind = schema.columns[column]
        if isinstance(kind, Discrete):
            levels = getattr(kind, "levels", None) or ()
            names = tuple(f"{column}: {level}" for level in levels)
            others = (f"{column}: levels not declared", f"{column}: missing")
            return cls(column, names + others, keys=tuple(level_key(level) for level in levels))
        x = numbers(train[column])
        cuts = np.unique(np.nanquantile(x, [0.25, 0.5, 0.75])) if (~np.isnan(x)).any() else np.empty(0)
        names = tuple(
            f"{column}: {QUARTER_NAMES[k]}" for k in ((0, 1, 2, 3) if len(cuts) == 3 else range(len(cuts) + 1))
        )
        return cls(column, (*names, f"{column}: missing"), cuts=tuple(map(float, cuts)))

    def codes(self, frame: pd.DataFrame) -> NDArray[np.intp]:
        """Number of each row's group among `labels`. **Shape**: n rows -> (n,)."""
        values, last = frame[self.column], len(self.labels) - 1
        if self.cuts is None:
            code = pd.Index(self.keys, dtype=object).get_indexer(level_keys(values))
            code = np.where(code < 0, last - 1, code)
        else:
            code = np.searchsorted(self.cuts, numbers(values), side="left")
        return np.asarray(np.where(values.isna().to_numpy(), last, code), dtype=np.intp)


def groupings(comparison: EvaluationData, *, without: str | None = None) -> list[SubgroupSplit]:
    """One grouping for each protected column that is learned, other than the column `without`."""
    schema = comparison.schema
    chosen = [c for c in schema.protected if c in schema.described and c != without]
    return [SubgroupSplit.of(c, comparison.train, schema) for c in chosen]


def utility_by_group(tested: Judged) -> Scored:
    """The gap trtr - tstr of the learner of the headline in every group of the protected columns, worst group first.

    Groups with fewer than 50 test units, or fewer than 10 units with or without the event, are suppressed. With k
    groups the interval of the worst is Bonferroni's: it holds whichever group came out worst. The panel adds rates
    of true positives, false positives and selection at the threshold that selects as large a share of the holdout
    as is positive in training.

    Raises:
        MetricError: every group is too small.

    References:
        Equality of Opportunity in Supervised Learning (Hardt, Price & Srebro, 2016), the rates.
    """
    task, panel, measured = tested.task, [], {}
    for grouping in groupings(task.comparison, without=task.target.column):
        codes = grouping.codes(tested.holdout.frame)
        for k, label in enumerate(grouping.labels):
            rows = np.flatnonzero(codes == k)
            entry: dict[str, JSON] = {"measure": "utility", "target": task.target.column, "group": label}
            entry |= _counts(tested, rows)
            if len(rows) and not entry["suppressed"]:
                value, se = _gap(tested, rows)
                measured[label] = (value, se)
                at = intervals.normal_interval(value, se)
                entry |= {"gap": at.value, "low": at.low, "high": at.high, **_rates(tested, rows)}
            if len(rows):
                panel.append(entry)
    if not measured:
        msg = (
            f"a group is measured if it has {MIN_GROUP_UNITS} test units, {MIN_GROUP_EVENTS} of them with the "
            f"event and {MIN_GROUP_EVENTS} without; "
            "however: no group of the protected columns has. Hold more rows out"
        )
        raise MetricError(msg)
    worst = max(measured, key=lambda label: measured[label][0])
    value, se = measured[worst]
    at = intervals.normal_interval(value, se * _bonferroni(len(measured)))
    score = Score(
        metric=f"{tested.prefix}.worst_group_gap",
        value=at.value,
        low=at.low,
        high=at.high,
        goal="low",
        reference=0.0,
        parts={label: gap for label, (gap, _) in sorted(measured.items(), key=lambda item: -item[1][0])},
        note=f"Largest gap trtr - tstr of {tested.learner.name} among {len(measured)} groups of the protected columns "
        f"with {MIN_GROUP_UNITS} test units and {MIN_GROUP_EVENTS} events; the largest of many is above 0 by "
        "chance. Interval: joint "
        f"bootstrap of the test {task.tested} and between draws, widened for {len(measured)} groups (Bonferroni).",
    )
    return [score], {"subgroups": sorted(panel, key=lambda e: -e.get("gap", -np.inf))}


def fidelity_by_group(comparison: EvaluationData, rng: np.random.Generator) -> Scored:
    """1 - mean one-way total variation between synthetic and holdout rows of each protected group, worst first.

    Groups with fewer than 50 units in the holdout are suppressed. A group no synthetic row belongs to scores 0. The
    reference is that of the training rows of the same group, as many as the draw has rows in all.

    Raises:
        MetricError: every group is too small.
    """
    sides, binning = both_sides(comparison, rng)[0], comparison.binning
    chosen = [(k,) for k in range(len(comparison.schema.described))]
    frames = [comparison.holdout, sides.other, *sides.draws]
    tables = [binning.codes(frame) for frame in frames]
    units = [sides.units(frame) for frame in frames]
    entries: list[tuple[float, JSON]] = []
    measured: dict[str, tuple[intervals.Interval, float]] = {}
    for grouping in groupings(comparison):
        codes = [grouping.codes(frame) for frame in frames]
        for g, label in enumerate(grouping.labels):
            rows = [np.flatnonzero(code == g) for code in codes]
            if not len(rows[0]):
                continue
            count = _units_among(units[0], rows[0])
            if count >= MIN_GROUP_UNITS:
                real, other, *draws = (_part(*each) for each in zip(tables, units, rows, strict=True))
                at = _likeness(draws, real, binning.sizes, chosen)
                measured[label] = (at, _likeness([other], real, binning.sizes, chosen).value)
            entries.append(_likeness_entry(label, count, measured.get(label)))
    if not measured:
        msg = f"a group is measured if it has {MIN_GROUP_UNITS} units in the holdout; however: none has. Hold more "
        msg += "rows out"
        raise MetricError(msg)
    panel = [entry for _, entry in sorted(entries, key=lambda each: each[0])]
    return [_worst_likeness(measured)], {"subgroups": panel}


def _likeness_entry(
    label: str, count: int, measured: tuple[intervals.Interval, float] | None
) -> tuple[float, dict[str, JSON]]:
    """What the panel says of a group, and what it is sorted by; small groups are suppressed."""
    entry: dict[str, JSON] = {"measure": "fidelity", "target": None, "group": label, "units": _shown_count(count)}
    entry["suppressed"] = measured is None
    if measured is None:
        return float("inf"), entry
    at, usual = measured
    return at.value, {**entry, "similarity": at.value, "low": at.low, "high": at.high, "reference": usual}


def _worst_likeness(measured: Mapping[str, tuple[intervals.Interval, float]]) -> Score:
    """The score of the group that is least alike, with an interval that holds for all groups."""
    worst = min(measured, key=lambda label: measured[label][0].value)
    at, usual = measured[worst]
    wide = _bonferroni(len(measured))
    return Score(
        metric="fidelity.worst_group_tv",
        value=at.value,
        low=max(0.0, at.value - wide * (at.value - at.low)),
        high=min(1.0, at.value + wide * (at.high - at.value)),
        goal="high",
        reference=usual,
        parts={label: each.value for label, (each, _) in sorted(measured.items(), key=lambda item: item[1][0].value)},
        note=f"Lowest of 1 - mean TV of single columns, synthetic against holdout, in {len(measured)} groups of the "
        "protected columns; smaller groups differ more by chance: the reference is training rows of the worst group. "
        f"Interval: influence of the rows of both tables, widened for {len(measured)} groups (Bonferroni).",
    )


def threshold(scores: NDArray[np.float64], share: float) -> float:
    """Score from which on rows are selected, so that nearest to `share` of them are; ties are selected together.

    Example:
        >>> threshold(np.array([0.1, 0.2, 0.3, 0.4]), 0.5)
        0.3
    """
    found, counts = np.unique(scores, return_counts=True)
    selected = np.cumsum(counts[::-1])[::-1] / len(scores)
    return float(found[np.argmin(np.abs(selected - share))])


def _part(table: NDArray[np.intp], units: NDArray[np.intp] | None, rows: NDArray[np.intp]) -> Part:
    """Codes and units of some rows."""
    return table[:, rows], None if units is None else np.unique(units[rows], return_inverse=True)[1]


def _likeness(
    draws: Sequence[Part], real: Part, sizes: tuple[int, ...], chosen: Sequence[tuple[int, ...]]
) -> intervals.Interval:
    """1 - mean distance of the draws' rows of a group, 0 for a draw without any."""
    there = [draw for draw in draws if draw[0].shape[1]]
    if not there:
        return intervals.widened_if_flat(intervals.Interval(0.0, 0.0, 0.0), real[0].shape[1], floor=0.0, ceiling=1.0)
    found = [tv_mean(codes, real[0], sizes, chosen).difference for codes, _ in there]
    at = paired_difference.over_draws(found, [units for _, units in there], real[1])
    share = len(there) / len(draws)
    low, high = max(0.0, 1 - at.high), min(1.0, 1 - at.low)
    return intervals.Interval(share * (1 - at.value), share * low, share * high)


def _gap(tested: Judged, rows: NDArray[np.intp]) -> tuple[float, float]:
    """Mean gap over draws among these rows, and its standard error."""
    y, weights = tested.holdout.target[rows], tested.weights[:, rows]
    weights = np.concatenate([np.ones((1, len(rows)), dtype=weights.dtype), weights])
    real = tested.task.quality(y, tested.real[rows], weights)
    gaps = [real - tested.task.quality(y, p[rows], weights) for p in tested.synthetic]
    values = [float(gap[0]) for gap in gaps]
    return float(np.mean(values)), standard_error(values, [gap[1:] for gap in gaps])


def _counts(tested: Judged, rows: NDArray[np.intp]) -> dict[str, JSON]:
    """Units, and units with the event, as far as they may be said; whether the group is too small to be measured."""
    units, y = tested.task.units(tested.holdout)[rows], tested.holdout.target[rows]
    count = len(np.unique(units))
    sides = (
        [len(np.unique(units[y == k])) for k in np.unique(y)]
        if tested.task.classes
        else [MIN_GROUP_EVENTS, MIN_GROUP_EVENTS]
    )
    enough = sum(side >= MIN_GROUP_EVENTS for side in sides) > 1
    entry: dict[str, JSON] = {"units": _shown_count(count)}
    if tested.task.classes == 2:
        entry["events"] = _shown_count(len(np.unique(units[y == 1])))
    return {**entry, "suppressed": count < MIN_GROUP_UNITS or not enough}


def _rates(tested: Judged, rows: NDArray[np.intp]) -> dict[str, JSON]:
    """Rates of a binary task in a group after training on real rows and, mean over draws, on synthetic ones."""
    if tested.task.classes != 2:
        return {}
    y, share = tested.holdout.target[rows] == 1, float(tested.prevalence[1])

    def rates(p: NDArray[np.float64]) -> NDArray[np.float64]:
        chosen = p[rows, 1] >= threshold(p[:, 1], share)
        return np.array([chosen[y].mean(), chosen[~y].mean(), chosen.mean()])

    real, synthetic = rates(tested.real), np.mean([rates(p) for p in tested.synthetic], axis=0)
    return {
        name: {"real": float(real[k]), "synthetic": float(synthetic[k]), "gap": float(synthetic[k] - real[k])}
        for k, name in enumerate(("true_positive_rate", "false_positive_rate", "selection_rate"))
    }


def _units_among(units: NDArray[np.intp] | None, rows: NDArray[np.intp]) -> int:
    return len(rows) if units is None else len(np.unique(units[rows]))


def _shown_count(count: int) -> int | str:
    return f"<{SMALLEST_SHOWN_COUNT}" if count < SMALLEST_SHOWN_COUNT else count


def _bonferroni(groups: int) -> float:
    """How much wider than 95 % intervals those must be that hold for all of so many groups together."""
    from scipy.special import ndtri

    return float(ndtri(1 - 0.025 / groups) / intervals.Z95)


GROUP_LOSS_LABELS = {
    "worst_group_gap": MetricLabel(
        "Loss of the worst group", "The largest loss among the groups to be treated fairly."
    ),
}
SUBGROUPS_SPEC = MetricSpec(
    name="fidelity.subgroups",
    measure=fidelity_by_group,
    needs=frozenset({"protected columns"}),
    labels={
        "fidelity.worst_group_tv": MetricLabel(
            "Likeness of the worst group",
            "Lowest 1 minus mean total variation of single columns among protected groups.",
        ),
    },
)
