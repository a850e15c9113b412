"""Numbers that repeat or continue others: a bill that is last month's, a total beside its parts, a second measurement.

Two columns are linked where their values fall near each other, on the cells of one of them, more often than they would
if they were independent. A model is then shown where the one value lies among the cells of the other, and values that
fall in the same cell are made equal as often as they are in the training rows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass

import numpy as np
import pandas as pd

from synthkit.encoding.arrays import Cells, Ints, Numbers
from synthkit.encoding.codecs.codec import Codec, JsonObject, NumberCells
from synthkit.encoding.layout import Layout, ValueLink
from synthkit.errors import ArtefactError

NEAR_CELLS = 2  # cells: so near that a model is shown it
PARTS_OF_A_CELL = 8  # of a cell of the source: the two columns are cut differently
LEAST_EXCESS_NEARNESS = 0.03  # share of rows by which nearness must exceed chance
LEAST_LINKED_CELLS = 40  # a column with fewer cells needs no link: its levels say it all
LEAST_SHARE_IN_RANGE = 0.3  # share of the source's rows that must lie within the target's range


@dataclass(frozen=True, kw_only=True)
class ColumnLink:
    """A column whose values lie near those of another.

    Args:
        target, source: names of coded columns.
        equal: of the rows whose value lies in the interval that holds its source's, the share in which both are equal.
    """

    target: str
    source: str
    equal: float

    def to_dict(self) -> JsonObject:
        """Plain data for JSON."""
        return asdict(self)


@dataclass(frozen=True, kw_only=True)
class Comparing:
    """A question about two columns: how often do their values fall near each other, on the cells of the first?"""

    target: str
    source: str
    codec: NumberCells


@dataclass(frozen=True, kw_only=True)
class Nearness:
    """An answer, in rows: looked at, near (at most two cells apart), in the same interval, equal."""

    rows: int
    near: int
    shared: int
    equal: int


Compare = Callable[[Sequence[Comparing]], list[Nearness]]


def find(codecs: Mapping[str, Codec], compare: Compare, *, most: int) -> tuple[ColumnLink, ...]:
    """The columns that are linked.

    Args:
        codecs: of the coded columns that may be; those of numbers are looked at.
        compare: answers questions about pairs of coded columns; the curator's.
        most: links to columns before it that a target may have; the strongest are kept, and the strongest one to a
            column behind it, which helps only in orders other than the table's own.
    """
    numbers = {name: cells for name, codec in codecs.items() if (cells := codec.number_cells) is not None}
    chances = _candidates(numbers) if most else {}
    questions = [Comparing(target=t, source=s, codec=numbers[t]) for t, s in chances]
    found: dict[tuple[str, bool], list[tuple[float, ColumnLink]]] = {}
    order = {name: k for k, name in enumerate(codecs)}
    for question, answer in zip(questions, compare(questions), strict=True):
        target, source = question.target, question.source
        excess = answer.near / max(answer.rows, 1) - chances[target, source]
        if excess > LEAST_EXCESS_NEARNESS:
            link = ColumnLink(target=target, source=source, equal=round(answer.equal / max(answer.shared, 1), 3))
            found.setdefault((target, order[source] < order[target]), []).append((excess, link))
    out: list[ColumnLink] = []
    for (_, before), links in found.items():
        strongest = sorted(links, key=lambda pair: -pair[0])
        out += [link for _, link in strongest[: most if before else 1]]
    return tuple(out)


def slot_links(links: Sequence[ColumnLink], codecs: Mapping[str, Codec], layout: Layout) -> tuple[ValueLink, ...]:
    """What links of columns mean in terms of slots."""
    return tuple(
        ValueLink(
            target=layout.slots_of(link.target)[0],
            source=layout.slots_of(link.source)[0],
            cell=_cells(_numbers(codecs, link.target), _numbers(codecs, link.source)),
        )
        for link in links
    )


def compare(coded: pd.DataFrame, question: Comparing) -> Nearness:
    """Exact answer about coded columns; rows without one of the values are far apart."""
    codec = question.codec
    t, s = (codec.read(coded[c]) for c in (question.target, question.source))
    both = ~(codec.absent(t) | codec.absent(s))
    t, s = t[both], s[both]
    here, there = codec.cells(t), _holding(codec, s)
    shared = (here == there) & (codec.low < codec.high)[here]
    return Nearness(
        rows=len(both),
        near=int(((there >= 0) & (np.abs(here - there) <= NEAR_CELLS)).sum()),
        shared=int(shared.sum()),
        equal=int((shared & (t == s)).sum()),
    )


def repeat(
    coded: Mapping[str, Cells], links: Sequence[ColumnLink], codecs: Mapping[str, Codec], rng: np.random.Generator
) -> dict[str, Cells]:
    """Decoded columns in which values that share an interval with their source are equal to it as often as before.

    Args:
        coded: decoded values by coded column, in order; a source that comes later is let be.
        links: which columns lie near which.
        codecs: of the coded columns.
        rng: decides which of the rows.
    """
    out, order = dict(coded), {name: k for k, name in enumerate(coded)}
    for link in sorted(links, key=lambda link: order[link.target]):
        if order[link.source] > order[link.target] or not link.equal:
            continue
        codec = _numbers(codecs, link.target)
        x, y = np.asarray(out[link.target]), np.asarray(out[link.source])
        both = np.flatnonzero(~(codec.absent(x) | codec.absent(y)))
        here = codec.cells(x[both])
        same = (
            (here == _holding(codec, y[both])) & (codec.low < codec.high)[here] & (rng.random(len(both)) < link.equal)
        )
        out[link.target] = x.copy()
        kept = y[both[same]]
        bounded = (codec.minimum, codec.maximum) != (None, None)
        out[link.target][both[same]] = np.clip(kept, codec.minimum, codec.maximum) if bounded else kept
    return out


def _numbers(codecs: Mapping[str, Codec], name: str) -> NumberCells:
    cells = codecs[name].number_cells
    if cells is None:
        msg = (
            f"a column that is linked to others must be coded in cells of numbers; however: `{name}` is not. Fit again"
        )
        raise ArtefactError(msg)
    return cells


def _candidates(numbers: Mapping[str, NumberCells]) -> dict[tuple[str, str], float]:
    """Pairs whose ranges overlap, and how often independent values would be near."""
    out = {}
    for target, codec in numbers.items():
        if len(codec.low) < LEAST_LINKED_CELLS:
            continue
        window = np.convolve(codec.mass / max(codec.mass.sum(), 1), np.ones(2 * NEAR_CELLS + 1), "same")
        for source, other in numbers.items():
            # off the target's grid a value could not be repeated
            alike = other.low.dtype == codec.low.dtype and (other.decimals is None) == (codec.decimals is None)
            if source == target or not alike:
                continue
            cell = _holding(codec, (other.low + other.high) / 2)
            share = other.mass / max(other.mass.sum(), 1)
            if share[cell >= 0].sum() >= LEAST_SHARE_IN_RANGE:
                out[target, source] = float((share * window[cell])[cell >= 0].sum())
    return out


def _holding(codec: NumberCells, x: Numbers) -> Ints:
    """The cell that holds each value, -1 outside the range of all. **Shape**: (n,) -> (n,)."""
    outside = (x < codec.low.min()) | (x > codec.high.max())
    return np.where(outside, -1, codec.cells(x))


def _cells(target: NumberCells, source: NumberCells) -> Ints:
    """The target's cell for each coarse level, fine level and part of a cell of the source."""
    within = _within(source)
    out = np.full((source.levels, int(within.max()) + 1, PARTS_OF_A_CELL), -1, dtype=np.int64)
    for part in range(PARTS_OF_A_CELL):
        x = source.low + (part + 0.5) / PARTS_OF_A_CELL * (source.high - source.low)
        scale = None if source.decimals is None else 10.0**source.decimals
        on_grid = np.asarray(x if scale is None else np.floor(x * scale) / scale, dtype=np.float64)
        out[source.group, within, part] = _holding(target, on_grid)
    return out


def _within(codec: NumberCells) -> Ints:
    """Number of each cell inside its coarse level. **Shape**: (m,)."""
    first = np.searchsorted(codec.group, codec.group)
    return np.arange(len(codec.group)) - first
