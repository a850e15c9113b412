"""Typed dicts of the panels of an evaluation of linked tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NotRequired, TypedDict

from synthkit.report.panel_types import DistributionPanel, TrainingPanel

_BrokenReal = TypedDict("_BrokenReal", {"broken real": int})  # a key with a space


class BrokenRowsPanel(_BrokenReal):
    """What must hold in a table, and rows in which it does not."""

    table: str
    kind: str
    rows: int
    broken: int


class TwoSides(TypedDict):
    """Numbers of held-out and of synthetic rows, side by side."""

    real: Sequence[float]
    synthetic: Sequence[float]


class FanOutPanel(TwoSides):
    """Shares of owners by their number of rows, in ranges of so many."""

    step: NotRequired[int]


class ContradictionSide(TypedDict):
    """Rows that contradict, rows that were asked, units with such a row, and all units."""

    rows: int
    asked: int
    units: int
    of: int


class ContradictionPanel(TypedDict):
    """One declared contradiction, counted on both sides."""

    name: str
    synthetic: ContradictionSide
    real: ContradictionSide


class OwnerPairPanel(TypedDict):
    """A column beside one of the owner, and how far their tables lie apart."""

    pair: str
    tv: float


_FromTo = TypedDict("_FromTo", {"from": str})  # a key that is a word of the language


class TransitionPanel(_FromTo):
    """An event and the next, with their shares."""

    to: str
    real: float
    synthetic: float


class RepeatPanel(TypedDict):
    """Shares of rows that repeat a value of an earlier one."""

    pair: str
    real: float | None
    synthetic: float | None


_RowsOfSides = TypedDict("_RowsOfSides", {"real rows": int, "synthetic rows": int})  # keys with a space


class SeriesLevelPanel(_RowsOfSides):
    """A column within one level of a series: its distance, and what real rows score."""

    level: str
    column: str
    value: float
    reference: float | None


_LeftOut = TypedDict("_LeftOut", {"left out": int})  # a key with a space


class SeriesValuesPanel(_LeftOut):
    """Levels of a series that were compared, and the farthest apart of them."""

    compared: int
    levels: Sequence[SeriesLevelPanel]


class AlignmentPanel(TypedDict):
    """Shares of rows shortly after a row of another table."""

    window: float
    real: float | None
    synthetic: float | None


class DrawnUnit(TypedDict):
    """Events of one synthetic unit: time since its first, and number of the table."""

    events: Sequence[tuple[float, int]]
    rows: int
    end: float | None


_NotDrawn = TypedDict("_NotDrawn", {"not drawn": Sequence[str], "no rows": NotRequired[Sequence[str]]})  # with spaces


class TimelinesPanel(_NotDrawn):
    """Timelines of a few synthetic units."""

    clock: str
    tables: Sequence[str]
    units: Sequence[DrawnUnit]


class LinkedPanels(TypedDict, total=False):
    """All panels of an evaluation of linked tables by name; what was not measured is not there."""

    integrity: Sequence[BrokenRowsPanel]
    contradictions: Sequence[ContradictionPanel]
    fan_outs: Mapping[str, FanOutPanel]
    table_distributions: Mapping[str, Sequence[DistributionPanel]]
    owner_pairs: Sequence[OwnerPairPanel]
    gaps: Mapping[str, TwoSides]
    transitions: Sequence[TransitionPanel]
    repeats: Sequence[RepeatPanel]
    series_values: Mapping[str, SeriesValuesPanel]
    alignment: Mapping[str, AlignmentPanel]
    timelines: TimelinesPanel
    training: TrainingPanel
