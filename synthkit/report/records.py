"""Typed dicts of what a page is made of: figures, score rows, and the page itself as `synthkit-report/1` holds it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, NotRequired, TypedDict

SectionData = Mapping[str, object]
Fact = tuple[str, str]  # label and value, or topic and sentence


class Figure(TypedDict):
    """A chart to be drawn: which one, of what, and in words."""

    chart: str
    data: object
    title: str
    description: str
    caption: str
    key: str


class AgainstReference(TypedDict):
    """How a score stands to that of a real holdout."""

    sign: str
    word: str


class ScoreRow(TypedDict):
    """A score as a row of a table: exact values beside what a person reads."""

    metric: str
    label: str
    meaning: str
    subject: str
    value: float
    low: float | None
    high: float | None
    reference: float | None
    text: str
    interval: str
    reference_text: str
    goal: str
    against: AgainstReference | None
    note: str


class ScoreCard(TypedDict):
    """A headline figure: a score row, or less of it where there is no interval."""

    metric: str
    label: str
    meaning: str
    text: str
    value: float | str
    against: AgainstReference | None
    subject: NotRequired[str]
    low: NotRequired[float | None]
    high: NotRequired[float | None]
    reference: NotRequired[float | None]
    interval: NotRequired[str]
    reference_text: NotRequired[str]
    goal: NotRequired[str]
    note: NotRequired[str]


class FigureSection(TypedDict, total=False):
    """A section of figures alone, or the sentence that says why there is none."""

    figures: Sequence[Figure]
    absent: str


class Page(TypedDict):
    """A page before it is drawn; `sections` hold `id`, `title`, `tag`, `absent` and their own content."""

    tier: Literal["internal", "shareable"]
    title: str
    table: str
    kind: str
    twin: str
    date: str | None
    version: str | None
    sections: Sequence[SectionData]


def figure(chart: str, data: object, *, title: str, description: str, caption: str = "", key: str = "") -> Figure:
    """A chart to be drawn: which one, of what, and in words.

    Args:
        chart: name in `synthkit.report.charts`.
        data: what it is drawn from.
        title: a few words.
        description: what it shows, for those who cannot see it.
        caption: how it is read.
        key: unique in the page; the name of the chart with hyphens if not given.

    Example:
        >>> figure("attack_roc", {}, title="t", description="d")["key"]
        'attack-roc'
    """
    key = key or chart.replace("_", "-")
    return {"chart": chart, "data": data, "title": title, "description": description, "caption": caption, "key": key}
