"""What most sections on linked tables are made of: sentences, scores, charts, tables, and what is folded away."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TypedDict

from synthkit.report.audience import rounded_row
from synthkit.report.data_table import DataTable
from synthkit.report.records import Figure, ScoreRow


class FoldedTables(TypedDict):
    """Tables under a line that opens them."""

    title: str
    tables: Sequence[DataTable]


class LinkedSectionData(TypedDict, total=False):
    """Everything that stands in a section, in this order; what is not given is not shown.

    `figures` have the whole width, small ones stand in pairs.
    """

    absent: str
    paragraphs: Sequence[str]
    caption: str
    scores: Sequence[ScoreRow]
    figures: Sequence[Figure]
    pairs: Sequence[Figure]
    tables: Sequence[DataTable]
    folded: Sequence[FoldedTables]


LINKED_TEMPLATE = "sections/linked.html"


def scores_alone(data: LinkedSectionData) -> LinkedSectionData:
    """For outsiders: the scores to two digits, and no chart and no table of theirs."""
    if data.get("absent"):
        return data
    return {"scores": [rounded_row(row) for row in data.get("scores", ())], "caption": data.get("caption", "Scores")}


def farthest(names: Iterable[str], parts: Mapping[str, float], most: int) -> list[str]:
    """At most so many names, those with the largest parts of a score, in the order they came.

    Example:
        >>> farthest(["a", "b", "c"], {"a": 0.1, "b": 0.3, "c": 0.2}, 2)
        ['b', 'c']
    """
    given = list(names)
    chosen = sorted(given, key=lambda name: -parts.get(name, 0.0))[:most]
    return [name for name in given if name in chosen]
