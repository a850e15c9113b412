"""`circular`: hours of the day, months, angles. The circle is cut open where fewest rows lie, so that no peak is."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import ClassVar, Self

import numpy as np
import pandas as pd

from synthkit.encoding.arrays import Bools, Cells, Floats, Ints, Residuals
from synthkit.encoding.codecs.codec import Codec, JsonObject
from synthkit.encoding.codecs.spec import CodecSpec, PrivateFit
from synthkit.encoding.coded_columns import CodedColumn
from synthkit.encoding.coding import Coding
from synthkit.encoding.histogram_query import Histogram, QueryKind
from synthkit.encoding.layout import Slot
from synthkit.encoding.noisy_answers import NoisyAnswers
from synthkit.encoding.smoothing import log_shares
from synthkit.errors import EncodingError
from synthkit.schema import Numeric

MOST_ARCS = 24


@dataclass(frozen=True, kw_only=True)
class CircularCodec(Codec):
    """A number that begins again behind its maximum, as arcs of the circle.

    Args:
        first: the smallest value.
        step: from one value to the next.
        size: number of values on the circle.
        cut: arc at which the circle is cut open: it has level 0.
        counts: rows in each arc, from the smallest value on.
        missing: rows without a value, None if the column is never missing.
    """

    residual_count: ClassVar[int] = 1
    first: float
    step: float
    size: int
    cut: int
    counts: tuple[int, ...]
    missing: int | None

    @property
    def level_counts(self) -> Ints:
        """Rows in each arc from the cut on, and those without a value."""
        return np.array([*np.roll(self.counts, -self.cut), *([] if self.missing is None else [self.missing])])

    def slots(self, name: str, at: int = 0) -> list[Slot]:
        """One slot, in which neighbours are alike."""
        del at
        law, absent = log_shares(self.level_counts), self.missing is not None
        return [Slot(name=name, size=len(law), ordinal=True, missing=absent, parent=None, prior=law)]

    def encode_column(self, cells: pd.DataFrame) -> tuple[Ints, Residuals]:
        """The arc of each value, and where in it the value lies."""
        place, absent = self._place(cells)
        if absent.any() and self.missing is None:
            msg = f"every value must be present; however: {absent.sum()} are missing. Declare `nullable: true`"
            raise EncodingError(msg)
        arcs = len(self.counts)
        arc = place * arcs // self.size
        level = np.where(absent, arcs, (arc - self.cut) % arcs)
        begin, length = self._arc(arc)
        inside = np.where(absent, 0.5, (place - begin + 0.5) / length)
        return level[:, None], inside.astype(np.float32)[:, None]

    def decode_column(self, levels: Ints, residuals: Residuals) -> tuple[Cells, ...]:
        """The values of arcs and places in them, NaN for missing."""
        arcs = len(self.counts)
        begin, length = self._arc((levels[:, 0] + self.cut) % arcs)
        x = self.first + self.step * (begin + np.floor(residuals[:, 0] * length))
        return (np.where(levels[:, 0] == arcs, np.nan, np.round(x, 9)),)

    def to_dict(self) -> JsonObject:
        """Plain data for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: JsonObject) -> Self:
        """Read what `to_dict` gave."""
        return cls(**{**data, "counts": tuple(data["counts"])})

    def log_width(self, cells: pd.DataFrame, *, graded: bool = False) -> Floats:
        """Log of how many values share the arc."""
        del graded
        place, absent = self._place(cells)
        _, length = self._arc(place * len(self.counts) // self.size)
        return np.where(absent, 0.0, np.log(length))

    def _place(self, cells: pd.DataFrame) -> tuple[Ints, Bools]:
        """Number of each value on the circle, and where there is none."""
        x = cells.iloc[:, 0].to_numpy(dtype=np.float64, na_value=np.nan)
        turns = np.rint((np.nan_to_num(x, nan=self.first) - self.first) / self.step)
        return (turns % self.size).astype(np.int64), np.isnan(x)

    def _arc(self, arc: Ints) -> tuple[Ints, Ints]:
        """Number of the first value of an arc, and how many values it has."""
        arcs = len(self.counts)
        begin, end = -(-arc * self.size // arcs), -(-(arc + 1) * self.size // arcs)
        return begin, end - begin


def empty(column: CodedColumn) -> CircularCodec:
    """The arcs of a column, no row in any of them yet."""
    kind = column.column
    assert isinstance(kind, Numeric)
    low, high = column.bounds
    step = 10.0 ** -(kind.decimals or 0)
    size = round((high - low) / step) + 1
    none, missing = (0,) * min(size, MOST_ARCS), 0 if kind.nullable else None
    return CircularCodec(first=low, step=step, size=size, cut=0, counts=none, missing=missing)


def filled(codec: CircularCodec, counts: Ints) -> CircularCodec:
    """The same with rows in the arcs, cut open at the emptiest."""
    arcs = counts[: len(codec.counts)]
    missing = None if codec.missing is None else int(counts[-1])
    return replace(codec, cut=int(arcs.argmin()), counts=tuple(arcs.tolist()), missing=missing)


def fit(column: CodedColumn, histogram: Histogram, coding: Coding) -> CircularCodec:
    """Count rows in arcs."""
    del coding
    codec = empty(column)
    arc = codec.encode_column(histogram.cells)[0][:, 0]
    counts = np.bincount(arc, weights=histogram.counts, minlength=len(codec.level_counts))
    return filled(codec, counts.astype(np.int64))


def fit_privately(column: CodedColumn, answers: NoisyAnswers, coding: Coding) -> CircularCodec:
    """The same with noise: the arcs are public, the rows in them are not, and the cut follows from noisy counts."""
    del coding
    codec = empty(column)
    size = len(codec.level_counts)
    found = answers.counts("cells", lambda rows: codec.encode_column(rows)[0][:, 0], size)
    return filled(codec, np.maximum(found.counts, 0))


def handles(column: CodedColumn) -> bool:
    """Numbers with digits and both bounds, which are no distances from other columns."""
    kind = column.column
    declared = isinstance(kind, Numeric) and kind.decimals is not None and bool(np.isfinite(column.bounds).all())
    return declared and len(column.members) == 1 and not column.gapped


def queries(column: CodedColumn, counted: bool) -> tuple[QueryKind, ...]:
    """Under a budget one histogram is bought."""
    del column, counted
    return ("cells",)


SPEC = CodecSpec(codec=CircularCodec, handles=handles, fit=fit, private=PrivateFit(queries=queries, fit=fit_privately))
