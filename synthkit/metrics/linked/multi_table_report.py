"""SDMetrics' multi-table quality report beside our own figures, so that nobody need trust our scorer."""

from __future__ import annotations

import warnings
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from synthkit.errors import MetricError
from synthkit.metrics.linked.linked_metric import LinkedMetricSpec
from synthkit.metrics.linked.table_distributions import described
from synthkit.metrics.linked.unit_two_sample import thinned
from synthkit.metrics.metric import MetricLabel
from synthkit.metrics.result import Failure, Score
from synthkit.metrics.stats import intervals
from synthkit.schema.columns import Boolean, Datetime, Numeric, level_keys

if TYPE_CHECKING:
    from synthkit.metrics.linked.linked_evaluation_data import LinkedEvaluationData
    from synthkit.metrics.linked.linked_side import LinkedSide
    from synthkit.metrics.result import Found
    from synthkit.schema.linked import LinkedSchema

PROPERTIES = {
    "Column Shapes": "column_shapes",
    "Column Pair Trends": "column_pair_trends",
    "Cardinality": "cardinality",
    "Intertable Trends": "intertable_trends",
}
REPORT_GROUPS = 5  # of units, of which each is left out once for the interval
REPORT_UNITS = 4_000  # a side
REPORT_ROWS = 50_000  # of a table of a side; of more SDMetrics draws some itself, without our seed


def multi_table_report(comparison: LinkedEvaluationData, rng: np.random.Generator) -> Found:
    """SDMetrics' quality report of the synthetic against the held-out tables, and its four properties.

    All pairs of columns count: its thresholds on the strength of a pair are 0. The interval is a jackknife over
    five groups of units.

    Raises:
        MetricError: SDMetrics cannot score these tables.
    """
    meaning = metadata(comparison.schema)
    drawn, real, like = (_thin(side, rng) for side in (comparison.drawn, comparison.real, comparison.like))
    value, floor = _report(drawn, real, meaning), _report(like, real, meaning)
    left_out: dict[str, list[float]] = {name: [] for name in value}
    for group in range(REPORT_GROUPS):
        parts = [_without(side, group) for side in (drawn, real)]
        for name, each in _report(parts[0], parts[1], meaning).items():
            left_out[name].append(each)
    scores: list[Score | Failure] = []
    for name, each in value.items():
        metric = f"fidelity.sdmetrics.{name}"
        if np.isnan(each):
            scores.append(Failure(metric=metric, reason="SDMetrics gives no number for these tables"))
            continue
        replicates = np.array(left_out[name])
        se = float(np.sqrt((REPORT_GROUPS - 1) / REPORT_GROUPS * ((replicates - replicates.mean()) ** 2).sum()))
        at = intervals.normal_interval(each, se, floor=0.0, ceiling=1.0)
        at = intervals.widened_if_flat(at, min(drawn.size, real.size), floor=0.0, ceiling=1.0)
        note = "SDMetrics' multi-table quality report, synthetic against held-out units; the reference is as many "
        note += f"training units. Interval: jackknife over {REPORT_GROUPS} groups of units of both sides."
        scores.append(
            Score(metric=metric, value=at.value, low=at.low, high=at.high, goal="high", reference=_or_none(floor[name]),
                  note=note)
        )  # fmt: skip
    return scores, {}


def metadata(schema: LinkedSchema) -> dict[str, Any]:
    """The schema in the words of SDMetrics: columns by kind, keys, and links of kind owner."""
    tables = {}
    for name in schema.graph.records:
        columns = {"row": {"sdtype": "id"}}
        if name != schema.unit:
            columns["owner row"] = {"sdtype": "id"}
        for column in described(schema, name):
            columns[_safe(column)] = {"sdtype": _sdtype(schema.tables[name].columns[column])}
        tables[name] = {"columns": columns, "primary_key": "row"}
    links = [
        {"parent_table_name": owner, "parent_primary_key": "row", "child_table_name": name,
         "child_foreign_key": "owner row"}
        for name, owner in schema.graph.owners.items()
    ]  # fmt: skip
    return {"tables": tables, "relationships": links}


def _sdtype(column: object) -> str:
    if isinstance(column, Numeric):
        return "numerical"
    if isinstance(column, Datetime):
        return "datetime"
    return "boolean" if isinstance(column, Boolean) else "categorical"


def _safe(column: str) -> str:
    """A column's name beside `row` and `owner row`."""
    return f"column {column}" if column in ("row", "owner row") else column


def _frames(side: LinkedSide) -> dict[str, pd.DataFrame]:
    frames = {}
    for name in side.schema.graph.records:
        rows, columns = side.tables.frames[name], side.schema.tables[name].columns
        found: dict[str, Any] = {"row": np.arange(len(rows))}
        if name != side.schema.unit:
            found["owner row"] = side.owners(name)
        for column in described(side.schema, name):
            is_quantity = isinstance(columns[column], Numeric | Datetime)
            found[_safe(column)] = (
                rows[column] if is_quantity else pd.Series(level_keys(rows[column]), index=rows.index)
            )
        frames[name] = pd.DataFrame(found)
    return frames


def _report(left: LinkedSide, right: LinkedSide, meaning: dict[str, Any]) -> dict[str, float]:
    """The score and its properties; nan where SDMetrics has no answer."""
    from sdmetrics.errors import IncomputableMetricError
    from sdmetrics.reports import QualityReport

    report = QualityReport()
    report.real_correlation_threshold = report.real_association_threshold = 0.0  # all pairs count
    frames = _frames(right), _frames(left)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            report.generate(*frames, meaning, verbose=False)
            properties = report.get_properties()
            whole = float(report.get_score())
    except (IncomputableMetricError, KeyError, TypeError, AttributeError, ValueError) as error:
        msg = f"SDMetrics must be able to score the tables; however: it raised a {type(error).__name__}"
        raise MetricError(msg) from error
    scores = dict(zip(properties["Property"], properties["Score"], strict=True))
    return {"quality": whole, **{name: float(scores.get(title, np.nan)) for title, name in PROPERTIES.items()}}


def _thin(side: LinkedSide, rng: np.random.Generator) -> LinkedSide:
    """As many units at random as there is room for, each with all its rows."""
    side = thinned(side, min(side.size, REPORT_UNITS), rng)
    order = rng.permutation(side.size)
    by_unit = (np.bincount(side.units(name), minlength=side.size) for name in side.schema.graph.records)
    rows = np.max([np.cumsum(counts[order]) for counts in by_unit], axis=0)
    fitting = max(int((rows <= REPORT_ROWS).sum()), REPORT_GROUPS)
    return side if fitting >= side.size else replace(side, tables=side.tables.take(np.sort(order[:fitting])))


def _without(side: LinkedSide, group: int) -> LinkedSide:
    kept = np.flatnonzero(np.arange(side.size) % REPORT_GROUPS != group)
    return type(side)(side.tables.take(kept), side.types)


def _or_none(value: float) -> float | None:
    return None if np.isnan(value) else value


SDMETRICS_SPEC = LinkedMetricSpec(
    name="fidelity.sdmetrics",
    measure=multi_table_report,
    in_quick=False,
    library="sdmetrics",
    labels={
        "sdmetrics.quality": MetricLabel("SDMetrics: quality", "Its multi-table quality score; 1 is identical."),
        "sdmetrics.column_shapes": MetricLabel("SDMetrics: column shapes", "Its mean similarity of single columns."),
        "sdmetrics.column_pair_trends": MetricLabel(
            "SDMetrics: pair trends", "Its mean similarity of pairs of columns."
        ),
        "sdmetrics.cardinality": MetricLabel("SDMetrics: cardinality", "Its similarity of numbers of rows by owner."),
        "sdmetrics.intertable_trends": MetricLabel(
            "SDMetrics: trends between tables", "Its mean similarity of pairs of columns of an owner and its rows."
        ),
    },
)
