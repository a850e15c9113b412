"""The curves of a watermark as one SVG picture: how often it is found after damage, and where there is none."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from synthkit.report.charts.theme import MUTED
from synthkit.report.charts.vega import inline, rendered

Points = Sequence[Mapping[str, Any]]
WIDE, HIGH = 215, 190  # pixels of a panel
COLOURS = ["#1b5e8c", "#b3541e", "#2e7d4f", "#7a3e9d", "#444444", "#a0195b"]
DASHES = [[1, 0], [6, 3], [2, 3], [8, 3, 2, 3], [1, 2], [10, 4]]


def picture(found: Points, alarms: Points, *, title: str, said: str) -> str:
    """A panel of shares found over rows for each table, and one of false alarms, which stands alone as a file.

    Args:
        found: `table`, `damage`, `rows` and `share` of tables found, one for each point.
        alarms: `level` and `share` of tables without a mark whose p is at most that.
        title: of the picture.
        said: what it shows, for those who do not see it.
    """
    import altair as alt

    tables = list(dict.fromkeys(point["table"] for point in found))
    panels = [_found([point for point in found if point["table"] == table], table) for table in tables]
    drawn = rendered(alt.hconcat(*panels, _alarms(alarms)))
    data = json.dumps({"found": list(found), "alarms": list(alarms)})  # what it was drawn from, for whoever checks it
    inside = f"<title>{escape(title)}</title><desc>{escape(said)}</desc><metadata>{escape(data)}</metadata>"
    return drawn.replace("<svg ", '<svg role="img" style="background:#ffffff" ', 1).replace(">", f">{inside}", 1) + "\n"


def _found(points: Points, table: str) -> Any:
    import altair as alt

    sizes = sorted({point["rows"] for point in points})
    axis = alt.Axis(values=sizes, format=",d", labelAngle=-45)
    x = alt.X(
        "rows:Q",
        title="rows released",
        scale=alt.Scale(type="log", domain=[sizes[0], sizes[-1]], nice=False),
        axis=axis,
    )
    y = alt.Y("share:Q", title="share found", scale=alt.Scale(domain=[0, 1]))
    legend = alt.Legend(title=None, orient="bottom", columns=3, symbolSize=600, symbolType="stroke")
    names = list(dict.fromkeys(point["damage"] for point in points))
    lines = inline(list(map(dict, points))).mark_line(strokeWidth=2)
    encoded = lines.encode(
        x=x,
        y=y,
        color=alt.Color("damage:N", scale=alt.Scale(domain=names, range=COLOURS), legend=legend),
        strokeDash=alt.StrokeDash("damage:N", scale=alt.Scale(domain=names, range=DASHES), legend=legend),
    )
    return encoded.properties(width=WIDE, height=HIGH, title=table)


def _alarms(points: Points) -> Any:
    """Below the dashed line there are fewer false alarms than p says."""
    import altair as alt

    least = min(point["level"] for point in points)
    scale = alt.Scale(type="log", domain=[least, 1], nice=False, clamp=True)
    axis = alt.Axis(format="~g", values=[0.001, 0.01, 0.1, 1])
    x = alt.X("level:Q", title="p at most", scale=scale, axis=axis)
    y = alt.Y("share:Q", title="share of tables without a mark", scale=scale, axis=axis)
    ends = inline([{"level": least, "share": least}, {"level": 1, "share": 1}]).mark_line(
        color=MUTED, strokeDash=[4, 4]
    )
    seen = [dict(point) for point in points if point["share"] > 0]
    curve = inline(seen).mark_line(color="#1f5fa8", strokeWidth=2, interpolate="step-after")
    both = ends.encode(x=x, y=y) + curve.encode(x=x, y=y)
    return both.properties(width=WIDE, height=HIGH, title="false alarms")
