"""What follows what: pairs of neighbouring events of a unit, and of neighbouring levels of a table."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from synthkit.metrics.linked.linked_metric import LinkedMetricSpec
from synthkit.metrics.linked.unit_differences import Parts, by_units, score
from synthkit.metrics.metric import MetricLabel
from synthkit.metrics.stats import paired_difference
from synthkit.schema.columns import Discrete

if TYPE_CHECKING:
    from synthkit.metrics.linked.linked_evaluation_data import LinkedEvaluationData
    from synthkit.metrics.linked.linked_side import LinkedSide
    from synthkit.metrics.result import Failure, Found, Score

SHOWN_TRANSITIONS = 60


def transitions(comparison: LinkedEvaluationData, rng: np.random.Generator) -> Found:
    """TV of the table (type of an event, type of the next) over whole timelines; types are table or table:series.

    `level_transitions_tv` is the mean over columns of levels of the TV of (level of the row before of the same owner,
    level of the row), the 20 commonest told apart.
    """
    scores: list[Score | Failure] = []
    panels = {}
    sides = (comparison.real, comparison.drawn)
    if comparison.types.types > 1 and any(len(side.timeline.followed) for side in sides):
        note = f"TV of pairs of neighbouring events of a unit, of {comparison.types.types} types in all tables."
        scores.append(score("fidelity.transitions_tv", comparison, _by_type, note, needs="neighbouring events"))
        panels["transitions"] = _panel(comparison)
    if any((side.previous(table) >= 0).any() for side in sides for table, _ in _columns(side)):
        note = "Mean TV of pairs of levels of neighbouring rows of an owner, over columns of levels."
        scores.append(score("fidelity.level_transitions_tv", comparison, _by_level, note, needs="neighbouring rows"))
    return scores, panels


def _columns(side: LinkedSide) -> list[tuple[str, str]]:
    tables = side.schema.tables
    return [
        (t, c)
        for t in side.schema.graph.owners
        for c in tables[t].payload
        if isinstance(tables[t].columns[c], Discrete)
    ]


def _by_type(left: LinkedSide, right: LinkedSide) -> Parts:
    many = left.types.types
    pairs = []
    for side in (left, right):
        at = side.timeline.followed
        pairs.append(side.timeline.kind[at - 1] * many + side.timeline.kind[at])
    if not all(len(each) for each in pairs):
        return {WHOLE: None}
    units = [side.timeline.unit[side.timeline.followed] for side in (left, right)]
    difference = paired_difference.tv(pairs[0], pairs[1], many * many)
    return {WHOLE: by_units(difference, left, units[0], right, units[1])}


def _by_level(left: LinkedSide, right: LinkedSide) -> Parts:
    found = {}
    for table, column in _columns(left):
        size, codes, units = left.types.cuts[table].cuts[column].size, [], []
        for side in (left, right):
            before, own = side.previous(table), side.coarse_column(table, column)
            rows = np.flatnonzero(before >= 0)
            codes.append(own[before[rows]] * size + own[rows])
            units.append(side.units(table)[rows])
        has_rows = all(len(each) for each in codes)
        difference = paired_difference.tv(codes[0], codes[1], size * size) if has_rows else None
        found[f"{table}.{column}"] = by_units(difference, left, units[0], right, units[1])
    return found


def _panel(comparison: LinkedEvaluationData) -> list[dict[str, object]]:
    """The commonest transitions and those that differ most, each with its share on both sides."""
    many, names = comparison.types.types, comparison.types.spelled(comparison.schema)
    shares = []
    for side in (comparison.real, comparison.drawn):
        at = side.timeline.followed
        counts = np.bincount(side.timeline.kind[at - 1] * many + side.timeline.kind[at], minlength=many * many)
        shares.append(counts / max(counts.sum(), 1))
    chosen = np.argsort(-(np.maximum(*shares) + np.abs(shares[0] - shares[1])), kind="stable")[:SHOWN_TRANSITIONS]
    return [
        {"from": names[k // many], "to": names[k % many], "real": float(shares[0][k]), "synthetic": float(shares[1][k])}
        for k in chosen.tolist()
        if shares[0][k] or shares[1][k]
    ]


WHOLE = "all events"
TRANSITIONS_SPEC = LinkedMetricSpec(
    name="fidelity.transitions",
    measure=transitions,
    labels={
        "fidelity.transitions_tv": MetricLabel("What follows what", "TV of pairs of neighbouring events of a unit."),
        "fidelity.level_transitions_tv": MetricLabel(
            "Levels that follow each other", "Mean TV of pairs of levels of neighbouring rows of an owner."
        ),
    },
)
