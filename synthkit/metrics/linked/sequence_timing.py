"""When things happen: gaps between rows, offsets from the owner, durations, lengths of sequences."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from synthkit.metrics.linked import row_groups
from synthkit.metrics.linked.event_types import clocks, is_timed
from synthkit.metrics.linked.linked_metric import LinkedMetricSpec
from synthkit.metrics.linked.unit_differences import Parts, by_units, score
from synthkit.metrics.metric import MetricLabel
from synthkit.metrics.stats import paired_difference
from synthkit.metrics.stats.paired_difference import PairedDifference

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from synthkit.metrics.linked.linked_evaluation_data import LinkedEvaluationData
    from synthkit.metrics.linked.linked_side import LinkedSide
    from synthkit.metrics.result import Failure, Found, Score
    from synthkit.schema.linked import LinkedSchema

WHOLE_TIMELINE = "all events"


def timing(comparison: LinkedEvaluationData, rng: np.random.Generator) -> Found:
    """KS distances of gaps, offsets and durations by table, and of the number of events of a unit.

    A gap is the time from the row before of the same owner, from its end where rows last; an offset the time from the
    start of the owner to its first row; a duration that from start to end. Lengths are numbers of events of a unit in
    all tables together, and by table in the parts.
    """
    schema = comparison.schema
    timed = [name for name in schema.graph.owners if is_timed(schema, name)]
    wanted: list[tuple[str, list[str], Callable[[LinkedSide, str], NDArray[np.float64]], str]] = [
        ("gap", timed, gaps, "the time since the row before of the same owner"),
        ("offset", [n for n in timed if _is_nested(schema, n)], _offsets, "the time from the owner to its first row"),
        ("duration", [n for n in timed if _lasts(schema, n)], _durations, "how long a row lasts"),
    ]
    scores: list[Score | Failure] = [
        score(
            f"fidelity.{name}_ks",
            comparison,
            lambda a, b, tables=tables, of=of: _by_table(a, b, tables, of),  # type: ignore[misc]
            f"Mean Kolmogorov-Smirnov distance of {words}, over tables.",
        )
        for name, tables, of, words in wanted
        if any(_is_measurable(comparison, table, of) for table in tables)
    ]
    if schema.graph.owners:
        note = "Kolmogorov-Smirnov distance of the number of events of a unit; parts: by table."
        scores.append(score("fidelity.length_ks", comparison, _lengths, note, headline=WHOLE_TIMELINE, needs="units"))
    return scores, {"gaps": {name: _panel(comparison, name) for name in timed}}


def gaps(side: LinkedSide, table: str) -> NDArray[np.float64]:
    """Time from the row before of the same owner, from its end where rows last; nan for first rows. **Shape**: (n,)."""
    return side.start(table) - row_groups.gathered(side.end(table), side.previous(table))


def _offsets(side: LinkedSide, table: str) -> NDArray[np.float64]:
    start = side.start(side.schema.graph.owners[table])[side.owners(table)]
    return np.where(side.previous(table) < 0, side.start(table) - start, np.nan)


def _durations(side: LinkedSide, table: str) -> NDArray[np.float64]:
    order = side.schema.tables[table].order
    assert order is not None
    assert order.until is not None
    return side.number(table, order.until) - side.start(table)


def _is_nested(schema: LinkedSchema, table: str) -> bool:
    owner = schema.graph.owners[table]
    return owner != schema.unit and is_timed(schema, owner) and clocks(schema)[owner] == clocks(schema)[table]


def _lasts(schema: LinkedSchema, table: str) -> bool:
    order = schema.tables[table].order
    return order is not None and order.until is not None


def _is_measurable(
    comparison: LinkedEvaluationData, table: str, of: Callable[[LinkedSide, str], NDArray[np.float64]]
) -> bool:
    return all((~np.isnan(of(side, table))).any() for side in (comparison.drawn, comparison.real))


def _by_table(
    left: LinkedSide, right: LinkedSide, tables: list[str], of: Callable[[LinkedSide, str], NDArray[np.float64]]
) -> Parts:
    return {
        table: by_units(
            paired_difference.ks(of(left, table), of(right, table)), left, left.units(table), right, right.units(table)
        )
        for table in tables
    }


def _lengths(left: LinkedSide, right: LinkedSide) -> Parts:
    found: dict[str, PairedDifference | None] = {}
    whole = [np.bincount(side.timeline.unit, minlength=side.size).astype(float) for side in (left, right)]
    found[WHOLE_TIMELINE] = paired_difference.ks(*whole)
    for table in left.schema.graph.owners:
        rows = [np.bincount(side.units(table), minlength=side.size).astype(float) for side in (left, right)]
        found[table] = paired_difference.ks(*rows)
    return found


def _panel(comparison: LinkedEvaluationData, table: str) -> dict[str, list[float]]:
    """Centiles of the gaps, 5th to 95th."""
    found = {}
    for name, side in (("real", comparison.real), ("synthetic", comparison.drawn)):
        x = gaps(side, table)
        x = x[~np.isnan(x)]
        found[name] = np.quantile(x, np.arange(1, 20) / 20).tolist() if len(x) else []
    return found


TIMING_SPEC = LinkedMetricSpec(
    name="fidelity.timing",
    measure=timing,
    labels={
        "fidelity.gap_ks": MetricLabel("Gaps in time", "KS distance of the time between a row and the one before."),
        "fidelity.offset_ks": MetricLabel("First row of an owner", "KS distance of the time to an owner's first row."),
        "fidelity.duration_ks": MetricLabel("Durations", "KS distance of how long rows last."),
        "fidelity.length_ks": MetricLabel("Length of histories", "KS distance of the number of events of a unit."),
    },
)
