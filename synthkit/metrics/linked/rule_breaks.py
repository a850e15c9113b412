"""Rows that break a rule across tables that speaks of no time: total, once."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from synthkit.schema.columns import level_keys
from synthkit.schema.linked.linked_rules import Once, Total

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from synthkit.metrics.linked.linked_side import LinkedSide

SLACK = 1e-6  # relative, of sums of floats


def rule_breaks(side: LinkedSide) -> Iterator[tuple[str, str, NDArray[np.bool_]]]:
    """Table, rule in words, and True where a row breaks it, for each total and each once-only rule."""
    for rule in side.schema.rules:
        if isinstance(rule, Total):
            yield rule.parent.partition(".")[0], rule.sentence, _wrong_total(side, rule)
        elif isinstance(rule, Once):
            yield rule.table, rule.sentence, _again(side, rule)


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
