"""How many rows owners have, table by table and of sibling tables together."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import numpy as np
from scipy import stats

from synthkit.metrics.linked.linked_metric import LinkedMetricSpec
from synthkit.metrics.linked.unit_differences import Parts, absolute, by_units, score
from synthkit.metrics.metric import MetricLabel
from synthkit.metrics.stats import paired_difference
from synthkit.metrics.stats.binning import quantile_edges
from synthkit.metrics.stats.paired_difference import PairedDifference

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from synthkit.metrics.linked.linked_evaluation_data import LinkedEvaluationData
    from synthkit.metrics.linked.linked_side import LinkedSide
    from synthkit.metrics.result import Failure, Found, Score

COUNT_BINS = 6  # of numbers of rows in tables of two sibling tables
SHOWN_COUNTS = 20  # numbers of rows, or ranges of them, that a chart tells apart


def fan_outs(comparison: LinkedEvaluationData, rng: np.random.Generator) -> Found:
    """Rows by owner: KS distance, difference of means, and of the share of owners without rows, by link.

    Of sibling tables the joint law of their numbers of rows by owner: difference of rank correlations, and TV of the
    table of both numbers cut at training quantiles.
    """
    if not comparison.schema.graph.owners:
        return [], {}
    said = "of the number of rows by owner, over links of kind owner."
    scores = [
        score("fidelity.fan_out_ks", comparison, _ks, f"Mean Kolmogorov-Smirnov distance {said}", needs="owners"),
        score(
            "fidelity.fan_out_mean",
            comparison,
            _mean,
            f"Relative difference of the mean {said}",
            needs="owners with rows",
        ),
        score(
            "fidelity.childless",
            comparison,
            _childless,
            "Difference of the share of owners without rows.",
            needs="owners",
        ),
    ]
    if _siblings(comparison.real):
        scores += _of_siblings(comparison)
    return scores, {"fan_outs": {t: _panel(comparison, t) for t in comparison.schema.graph.owners}}


def _of_siblings(comparison: LinkedEvaluationData) -> list[Score | Failure]:
    cuts = _cuts(comparison.known)
    said = "an owner's numbers of rows in two sibling tables"
    return [
        score(
            "fidelity.sibling_correlation",
            comparison,
            _rank_correlation,
            f"Absolute difference of the rank correlation of {said}.",
            needs="owners whose numbers of rows differ in each of two sibling tables",
        ),
        score(
            "fidelity.sibling_tv",
            comparison,
            lambda left, right: _joint(left, right, cuts),
            f"TV of the table of {said}, {COUNT_BINS} cuts each.",
            needs="owners",
        ),
    ]


def _counts(side: LinkedSide, child: str) -> NDArray[np.float64]:
    return side.tables.counts(child).astype(float)


def _owner_units(side: LinkedSide, child: str) -> NDArray[np.intp]:
    return side.units(side.schema.graph.owners[child])


def _by_link(
    left: LinkedSide, right: LinkedSide, child: str, difference: PairedDifference | None
) -> PairedDifference | None:
    return by_units(difference, left, _owner_units(left, child), right, _owner_units(right, child))


def _ks(left: LinkedSide, right: LinkedSide) -> Parts:
    return {
        child: _by_link(left, right, child, paired_difference.ks(_counts(left, child), _counts(right, child)))
        for child in left.schema.graph.owners
    }


def _mean(left: LinkedSide, right: LinkedSide) -> Parts:
    return {
        child: _by_link(left, right, child, absolute(_counts(left, child), _counts(right, child), relative=True))
        for child in left.schema.graph.owners
    }


def _childless(left: LinkedSide, right: LinkedSide) -> Parts:
    found = {}
    for child in left.schema.graph.owners:
        none = [(_counts(side, child) == 0).astype(float) for side in (left, right)]
        found[child] = _by_link(left, right, child, absolute(*none))
    return found


def _siblings(side: LinkedSide) -> list[tuple[str, str]]:
    graph = side.schema.graph
    return [pair for owner in graph.records for pair in itertools.combinations(graph.children(owner), 2)]


def _rank_correlation(left: LinkedSide, right: LinkedSide) -> Parts:
    found: dict[str, PairedDifference | None] = {}
    for a, b in _siblings(left):
        ranks = [np.stack([stats.rankdata(_counts(side, child)) for child in (a, b)]) for side in (left, right)]
        half = paired_difference.pearson(*ranks)
        whole = None if half is None else PairedDifference(2 * half.value, 2 * half.left, 2 * half.right)
        found[f"{a} x {b}"] = _by_link(left, right, a, whole)
    return found


def _cuts(known: LinkedSide) -> dict[str, NDArray[np.float64]]:
    """Edges at training quantiles; owners without rows are a bin of their own."""
    found = {}
    for child in known.schema.graph.owners:
        counts = _counts(known, child)
        edges = quantile_edges(*np.unique(counts[counts > 0], return_counts=True), COUNT_BINS - 1)
        found[child] = np.append(0.5, edges)
    return found


def _joint(left: LinkedSide, right: LinkedSide, cuts: dict[str, NDArray[np.float64]]) -> Parts:
    found: dict[str, PairedDifference | None] = {}
    for a, b in _siblings(left):
        codes = [
            np.searchsorted(cuts[a], _counts(side, a), side="right") * (len(cuts[b]) + 1)
            + np.searchsorted(cuts[b], _counts(side, b), side="right")
            for side in (left, right)
        ]
        cells = (len(cuts[a]) + 1) * (len(cuts[b]) + 1)
        has_owners = all(len(each) for each in codes)
        joint = paired_difference.tv(codes[0], codes[1], cells) if has_owners else None
        found[f"{a} x {b}"] = _by_link(left, right, a, joint)
    return found


def _panel(comparison: LinkedEvaluationData, child: str) -> dict[str, object]:
    """Shares of owners by number of rows, 0 to 20 and more; by ranges of `step` numbers where there are many."""
    counts = {"real": comparison.real.tables.counts(child), "synthetic": comparison.drawn.tables.counts(child)}
    most = max((float(np.quantile(x, 0.95)) for x in counts.values() if len(x)), default=0.0)
    step = max(int(np.ceil(most / SHOWN_COUNTS)), 1)
    shares: dict[str, object] = {"step": step}
    for name, x in counts.items():
        ranges = np.minimum(x // step, SHOWN_COUNTS)
        shares[name] = np.round(np.bincount(ranges, minlength=SHOWN_COUNTS + 1) / max(len(x), 1), 5).tolist()
    return shares


FAN_OUTS_SPEC = LinkedMetricSpec(
    name="fidelity.fan_outs",
    measure=fan_outs,
    labels={
        "fidelity.fan_out_ks": MetricLabel(
            "Rows by owner", "Largest gap between the distributions of the number of rows an owner has; 0 is identical."
        ),
        "fidelity.fan_out_mean": MetricLabel(
            "Mean rows by owner", "Relative difference of the mean number of rows an owner has.", "share"
        ),
        "fidelity.childless": MetricLabel(
            "Owners without rows", "Difference of the share of owners that have no row in a table.", "share"
        ),
        "fidelity.sibling_correlation": MetricLabel(
            "Sibling tables' correlation", "Difference of the correlation of an owner's rows in two tables."
        ),
        "fidelity.sibling_tv": MetricLabel(
            "Sibling tables' joint law", "TV of the joint distribution of an owner's rows in two tables."
        ),
    },
)
