"""Coded columns: what is declared of each, as a codec is chosen for it and fitted to it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from synthkit.encoding.constraints import Recoding, cuts
from synthkit.encoding.datetime_numbers import atom_steps, step_bounds
from synthkit.encoding.gaps import Anchor
from synthkit.encoding.histogram_query import Histogram
from synthkit.encoding.plain_numbers import plain_bounds, plain_decimals, plain_step
from synthkit.schema import Column, Datetime, Numeric, Schema


@dataclass(frozen=True, kw_only=True)
class CodedColumn:
    """A column as it is coded, and what is declared of it.

    Args:
        name: of the coded column.
        members: columns of the table it stands for; several where they only occur together.
        schema: meaning of the table; under a budget the public part of it.
        gapped: whether it holds distances from other columns it may not cross.
        decimals: digits of its numbers, None if unrestricted or no numbers.
        step: what its numbers are multiples of, where that is not a unit of the last decimal.
        own: codes of values that a column of distances keeps as they are.
        cuts: numbers that rules divide it at; no cell may straddle one.
        bounds: declared bounds of its numbers, infinite where open.
        unknown: under a budget, the keys of its declaration that noise must buy.
    """

    name: str
    members: tuple[str, ...]
    schema: Schema
    gapped: bool = False
    decimals: int | None = None
    step: float | None = None
    own: tuple[float, ...] = ()
    cuts: tuple[float, ...] = ()
    bounds: tuple[float, float] = (-math.inf, math.inf)
    unknown: frozenset[str] = frozenset()

    @property
    def column(self) -> Column:
        """The column it stands for, the first of several."""
        return self.schema.columns[self.members[0]]

    def missing(self, histogram: Histogram) -> int | None:
        """Rows without a value, None if the column never is; of one column."""
        absent = histogram.cells[self.name].isna().to_numpy()
        return int(histogram.counts[absent].sum()) if self.column.nullable or absent.any() else None


def coded_columns(recoding: Recoding, unknown: Mapping[str, frozenset[str]] | None = None) -> dict[str, CodedColumn]:
    """The coded columns of a table, in order.

    Args:
        recoding: the passage from the table's columns.
        unknown: under a budget, the keys of each declaration that noise must buy.
    """
    schema, open_ = recoding.schema, unknown or {}
    gaps = {gap.column: gap for gap in recoding.gaps}
    out = {}
    for name, members in recoding.columns.items():
        column, gap = schema.columns[members[0]], gaps.get(name)
        number = len(members) == 1 and isinstance(column, Numeric | Datetime)
        own = plain_decimals(column) if isinstance(column, Numeric) else None
        out[name] = CodedColumn(
            name=name,
            members=members,
            schema=schema,
            gapped=gap is not None,
            decimals=own if gap is None else gap.decimals,
            step=plain_step(column) if number and gap is None and isinstance(column, Numeric) else None,
            own=recoding.own[name].codes if name in recoding.own else (),
            cuts=cuts(schema, name) if number and gap is None and isinstance(column, Numeric) else (),
            bounds=declared_bounds(recoding, name) if number else (-math.inf, math.inf),
            unknown=open_.get(name, frozenset()),
        )
    return out


def declared_bounds(recoding: Recoding, name: str) -> tuple[float, float]:
    """Declared bounds of a coded number, infinite where open; a gap runs from 0 to the distance of the outer bounds.

    Example:
        >>> declared_bounds(Recoding.of(Schema(columns={"age": {"kind": "numeric", "min": 0}})), "age")
        (0.0, inf)
    """
    schema = recoding.schema
    low, high = _own(schema, name)
    gap = next((g for g in recoding.gaps if g.column == name), None)
    if gap is None:
        return low, high
    reached = [_reach(schema, anchor) for anchor in gap.anchors]
    far = high - min(a for a, _ in reached) if gap.up else max(b for _, b in reached) - low
    return 0, max(far, high - gap.origin if gap.up else gap.origin - low)


def _reach(schema: Schema, anchor: Anchor) -> tuple[float, float]:
    """Where a gap from an anchor may start, in steps of the measured column; without bounds at the end of numbers."""
    column = schema.columns[anchor.column]
    low, high = _own(schema, anchor.column)
    if not isinstance(column, Datetime):
        return low, high
    atoms = [atom for atom in atom_steps(column).tolist() if atom not in anchor.atoms]
    low, high = min([low, *atoms]), max([high, *atoms])
    return (
        low if math.isinf(low) else low * anchor.times // anchor.per,
        high if math.isinf(high) else -(-high * anchor.times // anchor.per),
    )


def _own(schema: Schema, name: str) -> tuple[float, float]:
    column = schema.columns[name]
    if isinstance(column, Datetime):
        first, last = step_bounds(column)
        return (-math.inf if column.min is None else first), (math.inf if column.max is None else last)
    low, high = plain_bounds(column) if isinstance(column, Numeric) else (None, None)
    return (-math.inf if low is None else low), (math.inf if high is None else high)
