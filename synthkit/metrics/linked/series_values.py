"""Values within each level of a series: the haemoglobins by themselves, the potassiums by themselves."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from synthkit.metrics.linked.linked_metric import LinkedMetric, LinkedMetricSpec
from synthkit.metrics.linked.unit_differences import Parts, score
from synthkit.metrics.metric import MetricLabel, MetricOptions
from synthkit.metrics.stats import paired_difference
from synthkit.metrics.stats.binning import label
from synthkit.metrics.stats.paired_difference import PairedDifference
from synthkit.schema.columns import Datetime, Discrete, Numeric

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from synthkit.metrics.linked.linked_evaluation_data import LinkedEvaluationData
    from synthkit.metrics.linked.linked_side import LinkedSide
    from synthkit.metrics.result import Found
    from synthkit.schema.linked import LinkedSchema

FEWEST_LEVEL_ROWS = 30  # of a level of a series, held-out and synthetic, for a distance
LISTED_LEVELS = 30  # lines of the panel, those farthest above what real rows score


def series_values(comparison: LinkedEvaluationData, rng: np.random.Generator, *, table: str) -> Found:
    """Distance of each column within each level of the table's series: KS of quantities, TV of levels.

    `series_values` = mean over columns of sum_l n_l d_l / sum_l n_l, n_l the held-out rows of level l. A missing
    quantity counts as one above all others. Levels of fewer than 30 held-out or synthetic rows are left out; the
    panel counts them, and names the levels farthest above what as many training units score.
    """
    levels = _Levels.of(comparison, table)
    note = "KS distance (TV for levels) within each level of the series, weighted by held-out rows; mean over columns. "
    note += f"Levels of fewer than {FEWEST_LEVEL_ROWS} held-out or synthetic rows are left out: {levels.left_out}."
    needs = f"{FEWEST_LEVEL_ROWS} rows of a level of the series"
    figure = partial(_by_column, levels=levels)
    found = score(f"fidelity.{table}.series_values", comparison, figure, note, needs=needs)
    panel = {"compared": len(levels.chosen), "left out": levels.left_out, "levels": _panel(comparison, levels)}
    return [found], {"series_values": {table: panel}} if panel["levels"] else {}


@dataclass(frozen=True)
class _Levels:
    """Levels of a table's series that have rows enough, by rank among the training rows.

    **Shape**: chosen (k,), weights (k,): shares of their held-out rows.
    """

    table: str
    chosen: NDArray[np.intp]
    weights: NDArray[np.float64]
    left_out: int

    @classmethod
    def of(cls, comparison: LinkedEvaluationData, table: str) -> _Levels:
        """Those with rows enough on both sides; levels that training never had are not compared."""
        sides = (comparison.real, comparison.drawn)
        many = len(comparison.types.levels[table][_series(comparison.schema, table)])
        real, drawn = (np.bincount(_codes(side, table), minlength=many + 2)[1 : many + 1] for side in sides)
        known = np.bincount(_codes(comparison.known, table), minlength=many + 2)[1 : many + 1] > 0
        enough = (np.minimum(real, drawn) >= FEWEST_LEVEL_ROWS) & known
        chosen = np.flatnonzero(enough)
        left_out = int((np.maximum(real, drawn)[~enough] > 0).sum())
        return cls(table, chosen, real[chosen] / max(real[chosen].sum(), 1), left_out)

    def rows(self, side: LinkedSide) -> list[NDArray[np.intp]]:
        """Rows of each level, in their order."""
        codes = _codes(side, self.table) - 1
        order = np.argsort(codes, kind="stable")
        ends = [np.searchsorted(codes[order], self.chosen, side=end) for end in ("left", "right")]
        return [order[a:b] for a, b in zip(*ends, strict=True)]


def _series(schema: LinkedSchema, table: str) -> str:
    return schema.tables[table].series or ""


def _codes(side: LinkedSide, table: str) -> NDArray[np.intp]:
    """1 and more for the levels of the series, 0 where it is missing."""
    return side.levels(table, _series(side.schema, table)) + 1


def compared_columns(schema: LinkedSchema, table: str) -> tuple[str, ...]:
    """Columns that are compared within the levels of a table's series; none without a series of levels."""
    known = schema.tables[table]
    if known.series is None or not isinstance(known.columns[known.series], Discrete):
        return ()
    kinds = (Numeric, Datetime, *Discrete)
    return tuple(c for c in known.payload if c != known.series and isinstance(known.columns[c], kinds))


def _by_column(left: LinkedSide, right: LinkedSide, levels: _Levels) -> Parts:
    rows = levels.rows(left), levels.rows(right)
    found = {}
    for column in compared_columns(left.schema, levels.table):
        distances = _distances(left, right, levels.table, column, rows)
        found[column] = _weighted(left, right, levels, distances, rows)
    return found


_Rows = tuple[list["NDArray[np.intp]"], list["NDArray[np.intp]"]]


def _distances(
    left: LinkedSide, right: LinkedSide, table: str, column: str, rows: _Rows
) -> list[PairedDifference | None]:
    """Distance within each level, with contributions of its rows; None where a side has no row."""
    pairs = list(zip(*rows, strict=True))
    if isinstance(left.schema.tables[table].columns[column], Discrete):
        a, b = (side.coarse_column(table, column) for side in (left, right))
        size = left.types.cuts[table].cuts[column].size
        return [paired_difference.tv(a[i], b[j], size) if len(i) and len(j) else None for i, j in pairs]
    x, y = (np.nan_to_num(side.number(table, column), nan=np.inf) for side in (left, right))
    return [paired_difference.ks(x[i], y[j]) for i, j in pairs]


def _weighted(
    left: LinkedSide, right: LinkedSide, levels: _Levels, distances: list[PairedDifference | None], rows: _Rows
) -> PairedDifference | None:
    """Mean over levels by their weights, with the influence of units: as `by_units`, for all levels at once."""
    known = [k for k, each in enumerate(distances) if each is not None]
    if not known:
        return None
    shares = levels.weights[known] / levels.weights[known].sum()
    value = 0.0
    pulls = [np.zeros(side.rows(levels.table)) for side in (left, right)]
    for k, share in zip(known, shares, strict=True):
        each = distances[k]
        assert each is not None
        value += share * each.value
        for pull, rows_of, part in zip(pulls, rows, (each.left, each.right), strict=True):
            pull[rows_of[k]] = share * (part - part.mean()) / len(part)
    a, b = (_by_unit(side, levels.table, pull) for side, pull in zip((left, right), pulls, strict=True))
    return PairedDifference(float(value), a, b)


def _by_unit(side: LinkedSide, table: str, pull: NDArray[np.float64]) -> NDArray[np.float64]:
    """What the rows of each unit do to a sum over all, as its influence on a mean over units."""
    return np.asarray(np.bincount(side.units(table), weights=pull, minlength=side.size) * side.size, dtype=float)


def _panel(comparison: LinkedEvaluationData, levels: _Levels) -> list[dict[str, object]]:
    """Columns within levels, those farthest above the floor first, with rows of both sides."""
    sides = (comparison.drawn, comparison.real, comparison.like)
    drawn, real, like = (levels.rows(side) for side in sides)
    ranks = comparison.types.levels[levels.table][_series(comparison.schema, levels.table)]
    names = {rank: label(key) for key, rank in ranks.items()}
    found = []
    for column in compared_columns(comparison.schema, levels.table):
        values = _distances(sides[0], sides[1], levels.table, column, (drawn, real))
        floors = _distances(sides[2], sides[1], levels.table, column, (like, real))
        for k, (value, floor) in enumerate(zip(values, floors, strict=True)):
            assert value is not None  # both sides have rows enough
            least = 0.0 if floor is None else floor.value
            line = {
                "level": names[int(levels.chosen[k])],
                "column": column,
                "value": round(value.value, 5),
                "reference": None if floor is None else round(floor.value, 5),
                "real rows": len(real[k]),
                "synthetic rows": len(drawn[k]),
            }
            found.append((least - value.value, line))
    return [line for _, line in sorted(found, key=lambda each: each[0])[:LISTED_LEVELS]]


def of_tables(schema: LinkedSchema, options: MetricOptions) -> dict[str, LinkedMetric]:
    """A metric for each table with a series and a column beside it."""
    return {
        f"fidelity.{table}.series_values": partial(series_values, table=table)
        for table in schema.graph.owners
        if compared_columns(schema, table)
    }


SERIES_VALUES_SPEC = LinkedMetricSpec(
    name="fidelity.series_values",
    for_schema=of_tables,
    labels={
        "series_values": MetricLabel(
            "Values within each level of the series",
            "Distance of a column within each level of the table's series, mean by rows; 0 is identical.",
        ),
    },
)
