"""Columns of a row beside columns of the row it belongs or points to."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from synthkit.metrics.linked.linked_metric import LinkedMetricSpec
from synthkit.metrics.linked.table_distributions import described
from synthkit.metrics.linked.unit_differences import Parts, by_units, score
from synthkit.metrics.metric import MetricLabel
from synthkit.metrics.result import Score
from synthkit.metrics.stats import paired_difference
from synthkit.schema.columns import Code

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from synthkit.metrics.linked.linked_evaluation_data import LinkedEvaluationData
    from synthkit.metrics.linked.linked_side import LinkedSide
    from synthkit.metrics.result import Found
    from synthkit.schema.linked import LinkedSchema

MAX_OWNER_PAIRS, SHOWN_OWNER_PAIRS = 1_000, 40  # with more pairs of columns so many random ones stand for all


@dataclass(frozen=True)
class _Pair:
    """A column of a table beside one of the table it is linked to.

    `link` numbers an `earlier` link, whose columns are `key`; -1 stands for the owner.
    """

    table: str
    column: str
    to: str
    other: str
    link: int
    key: str

    @property
    def name(self) -> str:
        by = f" by {self.key}" if self.key else ""
        return f"{self.to}.{self.other} x {self.table}.{self.column}{by}"


def owner_pairs(comparison: LinkedEvaluationData, rng: np.random.Generator) -> Found:
    """Mean TV of tables of an owner's column and a row's column, over all pairs or 1,000 random ones.

    Quantities are cut into five at training quantiles, of levels the 20 commonest are told apart. Rows count beside
    their owner, and beside the row that an `earlier` link points to. `owner_codes_tv` is the same of pairs of codes
    alone.
    """
    pairs = list(_pairs(comparison.schema))
    if not pairs:
        return [], {}
    if len(pairs) > MAX_OWNER_PAIRS:
        pairs = [pairs[k] for k in np.sort(rng.choice(len(pairs), MAX_OWNER_PAIRS, replace=False))]
    note = "Mean TV of tables of a column of the owner (or of the earlier row pointed to) and a column of the row."
    found = score("fidelity.owner_pairs_tv", comparison, lambda a, b: _distances(a, b, pairs), note)
    parts = found.parts if isinstance(found, Score) else {}
    worst = sorted(parts, key=lambda name: -parts[name])
    columns = {name: table.columns for name, table in comparison.schema.tables.items()}
    codes = [
        p for p in pairs if all(isinstance(columns[t][c], Code) for t, c in ((p.table, p.column), (p.to, p.other)))
    ]
    scores = [found]
    if codes:
        note = "The same of pairs of codes alone, the 20 commonest of each told apart."
        scores.append(score("fidelity.owner_codes_tv", comparison, lambda a, b: _distances(a, b, codes), note))
    panel = [{"pair": name, "tv": round(parts[name], 5)} for name in worst[:SHOWN_OWNER_PAIRS]]
    return scores, {"owner_pairs": panel}


def _pairs(schema: LinkedSchema) -> Iterator[_Pair]:
    for table, owner in schema.graph.owners.items():
        links = enumerate(schema.tables[table].links)
        targets = [(owner, -1, "")]
        targets += [(each.to, k, ", ".join(each.columns)) for k, each in links if each.kind == "earlier"]
        for to, link, key in targets:
            for other in described(schema, to):
                for column in described(schema, table):
                    yield _Pair(table, column, to, other, link, key)


def _distances(left: LinkedSide, right: LinkedSide, pairs: list[_Pair]) -> Parts:
    return {
        pair.name: by_units(_difference(left, right, pair), left, _units(left, pair), right, _units(right, pair))
        for pair in pairs
    }


def _difference(left: LinkedSide, right: LinkedSide, pair: _Pair) -> paired_difference.PairedDifference | None:
    codes, cells = zip(*(_codes(side, pair) for side in (left, right)), strict=True)
    if not all(len(each) for each in codes):
        return None
    return paired_difference.tv(codes[0], codes[1], cells[0])


def _target(side: LinkedSide, pair: _Pair) -> NDArray[np.intp]:
    return side.owners(pair.table) if pair.link < 0 else side.tables.earlier[pair.table, pair.link]


def _units(side: LinkedSide, pair: _Pair) -> NDArray[np.intp]:
    return side.units(pair.table)[_target(side, pair) >= 0]


def _codes(side: LinkedSide, pair: _Pair) -> tuple[NDArray[np.intp], int]:
    """One code a row for both cells, and how many there can be."""
    target = _target(side, pair)
    rows = np.flatnonzero(target >= 0)
    mine, theirs = (side.types.cuts[t].cuts[c] for t, c in ((pair.table, pair.column), (pair.to, pair.other)))
    own = side.coarse_column(pair.table, pair.column)[rows]
    return own * theirs.size + side.coarse_column(pair.to, pair.other)[target[rows]], mine.size * theirs.size


OWNER_PAIRS_SPEC = LinkedMetricSpec(
    name="fidelity.owner_pairs",
    measure=owner_pairs,
    labels={
        "fidelity.owner_pairs_tv": MetricLabel(
            "Rows beside their owners",
            "Mean TV of tables of an owner's column and a column of its rows; 0 is identical.",
        ),
        "fidelity.owner_codes_tv": MetricLabel(
            "Codes beside their owners' codes", "The same of pairs of codes, the commonest told apart."
        ),
    },
)
