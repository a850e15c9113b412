"""Whether keys, links, order and rules hold in linked tables: rows in which they do not, by table and kind."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from synthkit.metrics.linked import row_groups
from synthkit.metrics.linked.linked_metric import LinkedMetricSpec
from synthkit.metrics.linked.rule_breaks import rule_breaks
from synthkit.metrics.metric import MetricLabel
from synthkit.metrics.result import Score
from synthkit.metrics.stats import intervals
from synthkit.schema.linked.time_questions import pointing_back, time_questions

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from synthkit.metrics.linked.linked_evaluation_data import LinkedEvaluationData
    from synthkit.metrics.linked.linked_side import LinkedSide
    from synthkit.metrics.result import Scored
    from synthkit.schema.linked.link import Link

Broken = Iterator[tuple[str, str, "NDArray[np.bool_]"]]  # table, what was looked at, True where a row breaks it


def integrity(comparison: LinkedEvaluationData, rng: np.random.Generator) -> Scored:
    """Share of synthetic units with a row that breaks a key, link, order or rule; none may.

    Parts and panel: rows by table and kind. Keys are looked up anew in the cells, whatever positions were resolved
    before. Exact interval (Clopper-Pearson) of units: none broken of n still allows 3.7/n.
    """
    found, held = list(breaks(comparison.drawn)), list(breaks(comparison.real))
    units = _units(comparison.drawn, found)
    at = intervals.clopper_pearson(int(units.sum()), comparison.drawn.size)
    score = Score(
        metric="fidelity.integrity",
        value=at.value,
        low=at.low,
        high=at.high,
        goal="low",
        reference=float(_units(comparison.real, held).mean()),
        parts={f"{table}: {what}": float(rows.sum()) for table, what, rows in found},
        note="Share of units with a row that breaks a key, link, order or rule; parts: numbers of such rows. The "
        "reference is the holdout's share. Exact interval of units.",
    )
    real = {(table, what): int(rows.sum()) for table, what, rows in held}
    panel = [
        {"table": t, "kind": what, "rows": len(rows), "broken": int(rows.sum()), "broken real": real[t, what]}
        for t, what, rows in found
    ]
    return [score], {"integrity": panel}


def breaks(side: LinkedSide) -> Broken:
    """Everything that must hold in a side, and the rows in which it does not; the same for every side of a schema."""
    for name in side.schema.graph.records:
        yield from _keys(side, name)
        for link in side.schema.tables[name].links:
            yield from _link(side, name, link)
        position = side.schema.tables[name].position
        if position is not None:
            yield name, "position", _misnumbered(side, name, position)
        for rule in side.schema.tables[name].rules:
            yield name, f"rule {rule.sentence}", ~rule.holds(side.tables.frames[name])
    for question in time_questions(side.resolved):
        yield question.table, question.rule, ~question.answer()
    yield from rule_breaks(side)


def _units(side: LinkedSide, found: list[tuple[str, str, NDArray[np.bool_]]]) -> NDArray[np.bool_]:
    """Units with a broken row. **Shape**: (units,)."""
    bad = np.zeros(side.size, dtype=bool)
    for table, _, rows in found:
        bad[side.units(table)[rows]] = True
    return bad


def _keys(side: LinkedSide, name: str) -> Broken:
    key, frame = list(side.schema.tables[name].key), side.tables.frames[name]
    if key:
        missing = frame[key].isna().any(axis=1).to_numpy()
        yield name, "key", np.asarray(missing | frame.duplicated(key).to_numpy())


def _link(side: LinkedSide, name: str, link: Link) -> Broken:
    tables = side.resolved
    if link.kind == "reference":
        if link.to in tables.frames and set(tables.key_of(link)) <= set(tables.frames[link.to].columns):
            yield name, link_name(link), _dangles(side, name, link)
        return
    what = link_name(link)
    if link.kind in ("owner", "implied"):
        yield name, what, tables.pointed(name, link) != _ancestor(side, name, link.to)
        if link.kind == "owner" and link.max_rows_per_owner is not None:
            yield name, "rows by owner", row_groups.places(side.owners(name)) >= link.max_rows_per_owner
        return
    wrong = _dangles(side, name, link)
    if link.kind == "earlier":
        wrong |= _not_earlier(side, name, link)
    yield name, what, wrong


def link_name(link: Link) -> str:
    """What a link is called among what must hold, of each table.

    Example:
        >>> from synthkit.schema.linked.link import Link
        >>> link_name(Link(columns=("patient_id",), to="patients", kind="owner"))
        'owner link patient_id to patients'
    """
    kind = "" if link.kind == "reference" else f"{link.kind} "
    return f"{kind}link {', '.join(link.columns)} to {link.to}"


def _dangles(side: LinkedSide, name: str, link: Link) -> NDArray[np.bool_]:
    """Rows whose key is there and names no row."""
    return np.asarray(side.resolved.keys(name, link.columns).complete & (side.resolved.pointed(name, link) < 0))


def _ancestor(side: LinkedSide, name: str, to: str) -> NDArray[np.intp]:
    """Position of the row of an owner further up."""
    at = np.arange(side.rows(name))
    while name != to:
        at, name = side.owners(name)[at], side.schema.graph.owners[name]
    return at


def _not_earlier(side: LinkedSide, name: str, link: Link) -> NDArray[np.bool_]:
    """Rows that point to a row of another unit, to one that begins later, or to one that is over if it must be open."""
    found = side.resolved.pointed(name, link)
    wrong = np.zeros(len(found), dtype=bool)
    rows = np.flatnonzero(found >= 0)
    wrong[rows] = side.units(link.to)[found[rows]] != side.units(name)[rows]
    for question in pointing_back(side.resolved, name, link):
        wrong |= ~question.answer()
    return wrong


def _misnumbered(side: LinkedSide, name: str, column: str) -> NDArray[np.bool_]:
    """Rows whose number is not their place, or whose number another row of the owner has."""
    number = _whole(side, name, column)
    return np.asarray(number != row_groups.places(side.owners(name)) + 1)


def _whole(side: LinkedSide, name: str, column: str) -> NDArray[np.float64]:
    return np.asarray(pd.to_numeric(side.tables.frames[name][column], errors="coerce").to_numpy(dtype=float))


INTEGRITY_SPEC = LinkedMetricSpec(
    name="fidelity.integrity",
    measure=integrity,
    labels={
        "fidelity.integrity": MetricLabel(
            "Keys and rules broken", "Share of units with a row that breaks a key, link, order or rule.", "share"
        ),
    },
)
