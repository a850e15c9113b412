"""Row rules that hold by construction: combinations become one slot, comparisons a gap, implications clauses.

`a <= b` is kept by coding one column as its gap from the other, so that a decoded b can never fall below its a: b from
a, or a from b where the rule says so (see `schema.spreads`) or only a may be missing. In rows where the other is
missing the gap is taken from a declared bound, so nothing is lost. A column with several others to mind is measured
from the nearest of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from graphlib import CycleError, TopologicalSorter

import numpy as np
import pandas as pd

from synthkit.encoding import datetime_numbers
from synthkit.encoding.arrays import Bools, Cells, Numbers
from synthkit.encoding.codecs.codec import Codec
from synthkit.encoding.gaps import Gap, NumberGap, gap
from synthkit.encoding.layout import ForbiddenCombination
from synthkit.encoding.own_values import OwnValues
from synthkit.encoding.plain_numbers import plain_condition, plain_decimals, plain_numbers, written_numbers
from synthkit.errors import SchemaError
from synthkit.schema import Comparison, Condition, Datetime, Implication, Numeric, Schema
from synthkit.schema.joint_columns import joint_combinations


@dataclass(frozen=True)
class Recoding:
    """The passage between a table's columns and the coded columns a model learns; reversible, row by row.

    Args:
        schema: meaning of the table.
        groups: sets of columns that are one combination.
        gaps: columns measured from others, in the order in which they can be decoded.

    Numbers with a declared step pass between what is written and what is learned, see `encoding.plain_numbers`.
    """

    schema: Schema
    groups: tuple[tuple[str, ...], ...]
    gaps: tuple[Gap, ...]

    @classmethod
    def of(cls, schema: Schema, own: Mapping[str, OwnValues] | None = None) -> Recoding:
        """The recoding a schema's rules ask for.

        Args:
            schema: meaning of the table.
            own: values that measured columns keep as they are, by column.

        Raises:
            SchemaError: comparisons run in a circle.
        """
        groups = _merged([r.of for r in joint_combinations(schema)])
        taken = {c for group in groups for c in group}
        return cls(schema, groups, tuple(each.keeping((own or {}).get(each.column)) for each in _gaps(schema, taken)))

    @property
    def own(self) -> dict[str, OwnValues]:
        """Values that measured columns keep as they are, by column."""
        return {each.column: each.own for each in self.gaps if isinstance(each, NumberGap) and each.own is not None}

    @cached_property
    def columns(self) -> dict[str, tuple[str, ...]]:
        """Coded columns by name, each with the table columns it stands for; in the table's order."""
        member = {c: group for group in self.groups for c in group}
        out: dict[str, tuple[str, ...]] = {}
        for name in self.schema.learned:
            group = member.get(name, (name,))
            out.setdefault("+".join(group), group)
        return out

    def comparisons(self) -> tuple[Comparison, ...]:
        """The comparisons of learned columns."""
        learned = set(self.schema.learned)
        return tuple(r for r in self.schema.rules if isinstance(r, Comparison) and learned >= set(r.columns))

    def numbers(self, frame: pd.DataFrame) -> dict[str, Numbers]:
        """Numeric columns as they are learned, NaN for missing; moments as steps, see `encoding.datetime_numbers`."""
        out: dict[str, Numbers] = {}
        for name in self.schema.learned:
            column = self.schema.columns[name]
            if name not in frame:
                continue
            if isinstance(column, Numeric):
                out[name] = plain_numbers(frame[name].to_numpy(dtype=np.float64, na_value=np.nan), column)
            elif isinstance(column, Datetime):
                out[name] = datetime_numbers.datetime_steps_of(frame[name], column)
        return out

    def forward(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Table columns -> coded columns: numbers as floats, moments as whole numbers, everything else as it is."""
        return self.coded(frame, self.schema.learned)

    def coded(self, frame: pd.DataFrame, names: Sequence[str]) -> pd.DataFrame:
        """Some coded columns, as `forward` gives all; `needed` says which columns of the table the frame must have."""
        numbers = self.numbers(frame)
        grouped = {c for group in self.groups for c in group}
        measured = dict(numbers)
        for each in self.gaps:
            if each.column in names:
                measured[each.column] = each.coded(numbers)
        return pd.DataFrame(
            {
                name: _column(measured[name])
                if name in measured and name not in grouped
                else frame[name].reset_index(drop=True)
                for name in names
            },
            index=range(len(frame)),
        )

    def needed(self, names: Sequence[str]) -> tuple[str, ...]:
        """Columns of the table that some coded columns are made of: themselves, and what they are measured from."""
        anchors = {each.column: [anchor.column for anchor in each.anchors] for each in self.gaps}
        return tuple(dict.fromkeys(c for name in names for c in (name, *anchors.get(name, ()))))

    def backward(self, coded: Mapping[str, Cells]) -> pd.DataFrame:
        """Coded columns -> table columns; comparisons hold wherever the declared bounds let them."""
        grouped = {c for group in self.groups for c in group}
        kinds = self.schema.columns
        numbers = {
            name: datetime_numbers.as_steps(cells)
            if isinstance(kinds[name], Datetime)
            else np.asarray(cells, dtype=np.float64)
            for name, cells in coded.items()
            if name not in grouped and isinstance(kinds[name], Numeric | Datetime)
        }
        for each in self.gaps:
            numbers[each.column] = each.measured(numbers, kinds[each.column])
        out = {}
        for name in self.schema.learned:
            column = kinds[name]
            if name in numbers and isinstance(column, Datetime):
                out[name] = datetime_numbers.moments_of(numbers[name], column)
            elif name in numbers and isinstance(column, Numeric):
                out[name] = pd.Series(written_numbers(np.asarray(numbers[name], dtype=np.float64), column))
            else:
                out[name] = pd.Series(coded[name])
        return pd.DataFrame(out, copy=False)


def _column(x: Numbers) -> Cells:
    """Numbers as they are, steps as whole numbers that may be missing."""
    return datetime_numbers.nullable_steps(x.astype(np.int64)) if x.dtype.kind == "i" else x


def _merged(groups: list[tuple[str, ...]]) -> tuple[tuple[str, ...], ...]:
    """Groups that share a column become one, in order of first mention."""
    merged: list[list[str]] = []
    for group in groups:
        touching = [m for m in merged if set(m) & set(group)]
        union = list(dict.fromkeys([c for m in touching for c in m] + list(group)))
        merged = [m for m in merged if m not in touching] + [union]
    return tuple(tuple(m) for m in merged)


def _gaps(schema: Schema, taken: set[str]) -> tuple[Gap, ...]:
    """Which column of each comparison is measured from the other; None of them twice in opposite directions."""
    compared = [r for r in schema.rules if isinstance(r, Comparison)]
    _no_circle(compared)
    anchors: dict[str, list[tuple[str, bool]]] = {}
    upward: dict[str, bool] = {}
    for rule in compared:
        if set(rule.columns) & taken or not set(rule.columns) <= set(schema.learned):
            continue
        left_only = schema.columns[rule.left].nullable and not schema.columns[rule.right].nullable
        down = left_only if rule.difference is None else rule.difference == "left"
        for up in (False, True) if down else (True, False):
            name, anchor = (rule.right, rule.left) if up else (rule.left, rule.right)
            trial = {**anchors, name: [*anchors.get(name, []), (anchor, rule.op == "<")]}
            if upward.get(name, up) == up and _order(trial) is not None:
                anchors, upward[name] = trial, up
                break
    return tuple(gap(schema.columns, name, upward[name], tuple(anchors[name])) for name in _order(anchors) or ())


def _order(anchors: Mapping[str, list[tuple[str, bool]]]) -> list[str] | None:
    """Measured columns, each behind its anchors; None if they run in a circle."""
    try:
        order = TopologicalSorter({name: {a for a, _ in mine} for name, mine in anchors.items()}).static_order()
        return [name for name in order if name in anchors]
    except CycleError:
        return None


def _no_circle(compared: list[Comparison]) -> None:
    below: dict[str, set[str]] = {}
    for rule in compared:
        below.setdefault(rule.right, set()).add(rule.left)
    try:
        TopologicalSorter(below).prepare()
    except CycleError as error:
        circle = ", ".join(dict.fromkeys(error.args[1]))
        msg = f"comparisons must not run in a circle; however: those of {circle} do. Remove one of these rules"
        raise SchemaError(msg) from error


def cuts(schema: Schema, column: str) -> tuple[float, ...]:
    """Numbers at which the rules' conditions divide a column, so that no cell straddles them."""
    out: set[float] = set()
    kind = schema.columns[column]
    decimals = plain_decimals(kind) if isinstance(kind, Numeric) else None
    for rule in schema.rules:
        if isinstance(rule, Implication):
            for condition in (rule.if_.get(column), rule.then.get(column)):
                if condition is None:
                    continue
                learned = plain_condition(kind, condition)
                if learned.min is not None:
                    out.add(_first_from(learned.min, decimals))
                if learned.max is not None:
                    out.add(_first_from(float(np.nextafter(learned.max, np.inf)), decimals))
    return tuple(sorted(out))


def _first_from(bound: float, decimals: int | None) -> float:
    """Smallest number of so many decimals that is not below `bound`."""
    if decimals is None:
        return bound
    near = round(bound, decimals)
    return near if near >= bound else round(near + 10.0**-decimals, decimals)


def clauses(
    schema: Schema, recoding: Recoding, codecs: Mapping[str, Codec], first: Mapping[str, int]
) -> tuple[ForbiddenCombination, ...]:
    """What implications forbid, in terms of slots.

    `if A and B then C and D` forbids {A, B, not C} and {A, B, not D}. A condition on the value of a gap cannot be told
    from its slot alone; such a rule is left to the check at the exit.

    Args:
        schema: the rules.
        recoding: which column belongs to which coded column.
        codecs: codec of each coded column.
        first: index of the first slot of each coded column.
    """
    gapped = {each.column for each in recoding.gaps}
    coded = {c: name for name, members in recoding.columns.items() for c in members}
    out = []
    for rule in schema.rules:
        if not isinstance(rule, Implication) or not set(rule.columns) <= set(coded):
            continue
        if any(c in gapped and _asks_value(condition) for c, condition in [*rule.if_.items(), *rule.then.items()]):
            continue
        asked = {c: plain_condition(schema.columns[c], condition) for c, condition in rule.if_.items()}
        holds = [(first[coded[c]], codecs[coded[c]].meets(condition, c)[0]) for c, condition in asked.items()]
        for c, condition in rule.then.items():
            wanted = plain_condition(schema.columns[c], condition)
            broken = (first[coded[c]], ~codecs[coded[c]].meets(wanted, c)[1])
            out.append(_clause([*holds, broken]))
    return tuple(c for c in out if c is not None)


def _asks_value(condition: Condition) -> bool:
    return condition.in_ is not None or condition.min is not None or condition.max is not None


def _clause(literals: list[tuple[int, Bools]]) -> ForbiddenCombination | None:
    """Literals on one slot are one; a clause with a literal no level meets forbids nothing."""
    joined: dict[int, Bools] = {}
    for slot, marked in literals:
        joined[slot] = joined[slot] & marked if slot in joined else marked
    if not all(marked.any() for marked in joined.values()):
        return None
    return ForbiddenCombination(tuple(joined.items()))
