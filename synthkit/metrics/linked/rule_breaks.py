"""Rows that break a rule across tables: within, nothing after, total, once."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from synthkit.metrics.linked.event_types import is_timed
from synthkit.schema.columns import level_keys
from synthkit.schema.linked.linked_rules import NothingAfter, Once, Total, Within

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from synthkit.metrics.linked.linked_side import LinkedSide

SLACK = 1e-6  # relative, of sums of floats


def rule_breaks(side: LinkedSide) -> Iterator[tuple[str, str, NDArray[np.bool_]]]:
    """Table, rule in words, and True where a row breaks it, for each rule across tables."""
    for rule in side.schema.rules:
        if isinstance(rule, Within):
            yield rule.table, rule.sentence, _outside(side, rule)
        elif isinstance(rule, NothingAfter):
            yield from _after(side, rule)
        elif isinstance(rule, Total):
            yield rule.parent.partition(".")[0], rule.sentence, _wrong_total(side, rule)
        else:
            yield rule.table, rule.sentence, _again(side, rule)


def _outside(side: LinkedSide, rule: Within) -> NDArray[np.bool_]:
    """Rows that begin before the stay or end after it; rows that point to none are outside of nothing."""
    schema, rows = side.schema, np.arange(side.rows(rule.table))
    if rule.of in schema.graph.ancestors(rule.table):
        target, name = rows, rule.table
        while name != rule.of:
            target, name = side.owners(name)[target], schema.graph.owners[name]
    else:
        links = schema.tables[rule.table].links
        k = next(k for k, link in enumerate(links) if link.kind == "earlier" and link.to == rule.of)
        target = side.tables.earlier[rule.table, k]
    order = schema.tables[rule.of].order
    assert order is not None
    assert order.until is not None
    inside = np.flatnonzero(target >= 0)
    begins, ends = side.number(rule.of, order.start)[target[inside]], side.number(rule.of, order.until)[target[inside]]
    found = np.zeros(len(rows), dtype=bool)
    found[inside] = (side.start(rule.table)[inside] < begins) | (side.end(rule.table)[inside] > ends)
    return found


def _after(side: LinkedSide, rule: NothingAfter) -> Iterator[tuple[str, str, NDArray[np.bool_]]]:
    unit, _, column = rule.moment.partition(".")
    moment = side.number(unit, column)
    for name in side.schema.graph.owners if rule.tables == "all" else rule.tables:
        if is_timed(side.schema, name) and name != unit:
            yield name, rule.sentence, side.end(name) > moment[side.units(name)]


def _wrong_total(side: LinkedSide, rule: Total) -> NDArray[np.bool_]:
    """Owners whose number is not the sum over their rows; where it is missing nothing is said."""
    parent, _, column = rule.parent.partition(".")
    child, _, summed = rule.child.partition(".")
    size = side.rows(parent)
    weights = np.nan_to_num(side.number(child, summed)) if summed else np.ones(side.rows(child))
    total, said = np.bincount(side.owners(child), weights=weights, minlength=size), side.number(parent, column)
    return np.asarray(np.abs(said - total) > SLACK * (1 + np.abs(total)))


def _again(side: LinkedSide, rule: Once) -> NDArray[np.bool_]:
    """Rows whose unit had one like it before."""
    frame = side.tables.frames[rule.table]
    about = np.ones(len(frame), dtype=bool)
    for name, condition in rule.when.items():
        about &= condition.met(frame[name])
    keys = pd.DataFrame({"unit": side.units(rule.table), **{f"of {c}": level_keys(frame[c]) for c in rule.of}})
    found = np.zeros(len(frame), dtype=bool)
    found[about] = keys[about].duplicated().to_numpy()
    return found
