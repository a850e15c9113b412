"""Whether rows of two tables know of each other's time: how long ago the nearest row of the other table was."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import numpy as np

from synthkit.metrics.linked import row_groups
from synthkit.metrics.linked.event_types import clocks, is_timed
from synthkit.metrics.linked.linked_metric import LinkedMetricSpec
from synthkit.metrics.linked.unit_differences import Parts, absolute, by_units, score
from synthkit.metrics.metric import MetricLabel
from synthkit.metrics.stats import paired_difference
from synthkit.schema.linked.table_graph import TableGraph

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from synthkit.metrics.linked.linked_evaluation_data import LinkedEvaluationData
    from synthkit.metrics.linked.linked_side import LinkedSide
    from synthkit.metrics.result import Found

MAX_ALIGNED_PAIRS = 40  # of tables, those with most rows
SHORT = 0.1  # quantile of the training delays that is a short time
Pair = tuple[str, str]


def alignment(comparison: LinkedEvaluationData, rng: np.random.Generator) -> Found:
    """Time from a row back to the nearest row of another table of the same unit, by pair of tables with moments.

    `alignment_ks`: mean KS distance, a row with no such row before it counting as infinitely late;
    `alignment_share`: mean difference of the share of rows with one within a short time, the least tenth of the
    training delays.
    """
    pairs = _pairs(comparison.real)
    pairs = [p for p in pairs if all(side.rows(t) for t in p for side in (comparison.drawn, comparison.real))]
    if not pairs:
        return [], {}
    windows = {pair: _short(delays(comparison.known, *pair)) for pair in pairs}
    note = (
        "Mean Kolmogorov-Smirnov distance of the time back to the nearest row of another table, over pairs of tables."
    )
    ks = score("fidelity.alignment_ks", comparison, lambda a, b: _ks(a, b, pairs), note)
    note = "Mean difference of the share of rows with a row of another table a short time before (the least tenth)."
    share = score("fidelity.alignment_share", comparison, lambda a, b: _shares(a, b, windows), note)
    panel = {
        _name(pair): {"window": window, "real": _within(comparison.real, pair, window).mean(),
                      "synthetic": _within(comparison.drawn, pair, window).mean()}
        for pair, window in windows.items()
    }  # fmt: skip
    return [ks, share], {"alignment": panel}


def delays(side: LinkedSide, table: str, other: str) -> NDArray[np.float64]:
    """Time from each row of `table` back to the nearest row of `other` of its unit, inf for none. **Shape**: (n,)."""
    start, then = side.start(table), side.start(other)
    keys, others = row_groups.lexicographic(side.units(table), start, side.units(other), then)
    order = np.argsort(others, kind="stable")
    at = np.searchsorted(others[order], keys, side="right") - 1
    found = order[np.maximum(at, 0)] if len(order) else np.zeros(len(at), dtype=np.intp)
    if not len(order):
        return np.full(len(at), np.inf)
    known = (at >= 0) & (side.units(other)[found] == side.units(table)) & ~np.isnan(start) & ~np.isnan(then[found])
    return np.where(known, start - then[found], np.inf)


def _pairs(side: LinkedSide) -> list[Pair]:
    clock, graph = clocks(side.schema), side.schema.graph
    timed = [name for name in graph.owners if is_timed(side.schema, name)]
    found = [(a, b) for a, b in itertools.permutations(timed, 2) if clock[a] == clock[b] and not _owns(graph, a, b)]
    return sorted(found, key=lambda pair: -side.rows(pair[0]) * side.rows(pair[1]))[:MAX_ALIGNED_PAIRS]


def _owns(graph: TableGraph, a: str, b: str) -> bool:
    """Whether rows of one belong to rows of the other: then offsets tell it."""
    return a in graph.ancestors(b) or b in graph.ancestors(a)


def _short(found: NDArray[np.float64]) -> float:
    finite = found[np.isfinite(found)]
    return float(np.quantile(finite, SHORT)) if len(finite) else 0.0


def _name(pair: Pair) -> str:
    return f"{pair[0]} after {pair[1]}"


def _within(side: LinkedSide, pair: Pair, window: float) -> NDArray[np.float64]:
    return (delays(side, *pair) <= window).astype(float)


def _ks(left: LinkedSide, right: LinkedSide, pairs: list[Pair]) -> Parts:
    return {
        _name(p): by_units(
            paired_difference.ks(delays(left, *p), delays(right, *p)), left, left.units(p[0]), right, right.units(p[0])
        )
        for p in pairs
    }


def _shares(left: LinkedSide, right: LinkedSide, windows: dict[Pair, float]) -> Parts:
    return {
        _name(p): by_units(
            absolute(_within(left, p, w), _within(right, p, w)), left, left.units(p[0]), right, right.units(p[0])
        )
        for p, w in windows.items()
    }


ALIGNMENT_SPEC = LinkedMetricSpec(
    name="fidelity.alignment",
    measure=alignment,
    labels={
        "fidelity.alignment_ks": MetricLabel(
            "Tables beside each other in time", "KS distance of the time back to the nearest row of another table."
        ),
        "fidelity.alignment_share": MetricLabel(
            "Close in time", "Difference of the share of rows shortly after a row of another table.", "share"
        ),
    },
)
