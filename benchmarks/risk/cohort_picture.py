"""Small cohorts as one SVG picture: fidelity against membership, and both by the number of people."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from synthkit.report.charts.theme import MUTED
from synthkit.report.charts.vega import inline, rendered

Points = Sequence[Mapping[str, Any]]
COHORT_WIDE, COHORT_HIGH = 210, 180  # pixels of a panel
INKS = ["#1b5e8c", "#b3541e", "#2e7d4f", "#7a3e9d", "#444444", "#a0195b", "#8a6d00"]
SHAPES = ["circle", "square", "diamond", "triangle-up", "cross", "triangle-down", "triangle-right"]


def picture(points: Points, *, title: str, said: str) -> str:
    """A row of three panels for each table, which stands alone as a file.

    Args:
        points: `table`, `people`, `who`, `membership` and `likeness`, one for each contestant and cohort.
        title: of the picture.
        said: what it shows, for those who do not see it.
    """
    import altair as alt

    names = list(dict.fromkeys(point["who"] for point in points))
    rows = []
    for table in dict.fromkeys(point["table"] for point in points):
        here = [dict(point) for point in points if point["table"] == table]
        by_people = [_by_people(here, names, key, words) for key, words in WORDS.items()]
        rows.append(alt.hconcat(_frontier(here, names, table), *by_people))
    drawn = rendered(alt.vconcat(*rows))
    data = json.dumps(list(points))  # what it was drawn from, for whoever checks it
    inside = f"<title>{escape(title)}</title><desc>{escape(said)}</desc><metadata>{escape(data)}</metadata>"
    return drawn.replace("<svg ", '<svg role="img" style="background:#ffffff" ', 1).replace(">", f">{inside}", 1) + "\n"


WORDS = {"membership": "membership AUC", "likeness": "likeness less real rows'"}


def _marks(names: Sequence[str]) -> dict[str, Any]:
    """One colour and one shape for each contestant, in one legend."""
    import altair as alt

    legend = alt.Legend(title=None, orient="bottom", columns=4)
    return {
        "color": alt.Color("who:N", scale=alt.Scale(domain=names, range=INKS[: len(names)]), legend=legend),
        "shape": alt.Shape("who:N", scale=alt.Scale(domain=names, range=SHAPES[: len(names)]), legend=legend),
    }


def _frontier(here: list[dict[str, Any]], names: Sequence[str], table: str) -> Any:
    """Good is up and to the left; the larger a mark, the more people were fitted."""
    import altair as alt

    x = alt.X("membership:Q", title=WORDS["membership"], scale=alt.Scale(zero=False))
    y = alt.Y("likeness:Q", title=WORDS["likeness"], scale=alt.Scale(zero=False))
    sizes = sorted({point["people"] for point in here})
    size = alt.Size("people:Q", scale=alt.Scale(type="log", domain=[sizes[0], sizes[-1]], range=[20, 120]), legend=None)
    marks = inline(here).mark_point(filled=True, opacity=0.8).encode(x=x, y=y, size=size, **_marks(names))
    return marks.properties(width=COHORT_WIDE, height=COHORT_HIGH, title=table)


def _by_people(here: list[dict[str, Any]], names: Sequence[str], key: str, words: str) -> Any:
    """A line for each contestant over the number of people."""
    import altair as alt

    sizes = sorted({point["people"] for point in here})
    axis = alt.Axis(values=sizes, format=",d", labelAngle=-45)
    x = alt.X(
        "people:Q",
        title="people fitted",
        scale=alt.Scale(type="log", domain=[sizes[0], sizes[-1]], nice=False),
        axis=axis,
    )
    y = alt.Y(f"{key}:Q", title=words, scale=alt.Scale(zero=False))
    chart = inline(here)
    color = _marks(names)["color"]
    lines = chart.mark_line(strokeWidth=1.5).encode(x=x, y=y, color=color)
    dots = chart.mark_point(filled=True, size=40).encode(x=x, y=y, **_marks(names))
    real = inline([{key: 0.5 if key == "membership" else 0.0}]).mark_rule(color=MUTED, strokeDash=[4, 4])
    return (real.encode(y=y) + lines + dots).properties(width=COHORT_WIDE, height=COHORT_HIGH)
