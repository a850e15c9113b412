"""Charts of linked tables: rows by owner, gaps in time, what follows what, and how well each table is told apart.

Every chart reads without colour: real is a filled circle or a solid line, synthetic a hollow diamond or a dashed line.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypedDict

from synthkit.report.charts.theme import INK, MUTED
from synthkit.report.charts.vega import REAL_COLOUR, SYNTHETIC_COLOUR, inline, labels, rendered

if TYPE_CHECKING:
    import altair as alt

UNIT_KINDS, UNIT_COLOURS = ["held-out", "synthetic"], [REAL_COLOUR, SYNTHETIC_COLOUR]
GAP_TICKS = (0, 1, 7, 30, 90, 365, 1_000, 3_650, 10_000, 100_000, 1_000_000)  # of a unit of time
SHORT_GAP_TICKS = (0, 0.5, 1, 2, 5, 10, 20)  # where most gaps are short

_LINE_ROOM = 8  # pixels beside an axis, in which a line that goes straight up is told from it


class CurvePair(TypedDict):
    """A line of held-out and one of synthetic rows over the same axis."""

    x: str
    y: str
    real: Sequence[tuple[float, float]]
    synthetic: Sequence[tuple[float, float]]


class SharePair(TypedDict):
    """A share of held-out and of synthetic rows."""

    name: str
    real: float
    synthetic: float


class SharePairs(TypedDict):
    """Shares by name, and what they are of."""

    x: str
    rows: Sequence[SharePair]


class ToldApart(TypedDict):
    """What a classifier reaches, with its interval and what real rows reach in the same place."""

    name: str
    value: float
    low: float | None
    high: float | None
    reference: float | None


class ToldApartData(TypedDict):
    """Classifiers by what they look at."""

    points: Sequence[ToldApart]


def fan_out(panel: CurvePair) -> str:
    """Shares of owners by their number of rows."""
    import altair as alt

    axis = alt.Axis(tickMinStep=1, format="d", tickCount=6, grid=False)
    x = alt.X("x:Q", title=panel["x"], scale=alt.Scale(zero=True, nice=False), axis=axis)
    return _two_lines(panel, x, alt.Axis(format="%", tickCount=4), points=True)


def gap_curve(panel: CurvePair) -> str:
    """Share of gaps that are not longer, from the 5th to the 95th centile."""
    import altair as alt

    told = [t for side in (panel["real"], panel["synthetic"]) for t, _ in side]
    least, most = min([0.0, *told]), max([1.0, *told])
    ticks = GAP_TICKS if max(most, -least) > SHORT_GAP_TICKS[-1] else SHORT_GAP_TICKS
    values = [t for t in (*(-t for t in reversed(ticks[1:])), *ticks) if least <= t <= most]
    words = "format(datum.value, ',.6~g')"  # an axis of logarithms would round them
    axis = alt.Axis(values=values, labelExpr=words, grid=False, labelOverlap="greedy")
    x = alt.X("x:Q", title=panel["x"], scale=alt.Scale(type="symlog", nice=False, padding=_LINE_ROOM), axis=axis)
    return _two_lines(panel, x, alt.Axis(format="%", tickCount=4), points=False)


def _two_lines(panel: CurvePair, x: alt.X, axis: alt.Axis, *, points: bool) -> str:
    import altair as alt

    both = zip(UNIT_KINDS, (panel["real"], panel["synthetic"]), strict=True)
    rows = [{"x": a, "y": b, "rows": kind} for kind, side in both for a, b in side]
    size = 70 if points else 300
    legend = alt.Legend(title=None, orient="top", symbolType="stroke", symbolStrokeWidth=2.5, symbolSize=size)
    colour = alt.Color("rows:N", scale=alt.Scale(domain=UNIT_KINDS, range=UNIT_COLOURS), legend=legend)
    dash = alt.StrokeDash("rows:N", scale=alt.Scale(domain=UNIT_KINDS, range=[[1, 0], [6, 4]]), legend=legend)
    base = inline(rows).encode(x=x, y=alt.Y("y:Q", title=panel["y"], scale=alt.Scale(zero=True), axis=axis))
    layers = [base.mark_line(strokeWidth=2.2).encode(color=colour, strokeDash=dash)]
    if points:
        colour = alt.Color("rows:N", scale=alt.Scale(domain=UNIT_KINDS, range=UNIT_COLOURS), legend=None)
        shape = alt.Shape("rows:N", scale=alt.Scale(domain=UNIT_KINDS, range=["circle", "diamond"]), legend=None)
        layers.append(base.mark_point(size=45, strokeWidth=2, fill="#ffffff").encode(color=colour, shape=shape))
    return rendered(alt.layer(*layers).properties(width=300, height=170))


def share_pairs(panel: SharePairs) -> str:
    """Shares of held-out and of synthetic rows by name, joined by a line where they differ."""
    import altair as alt

    names = labels([row["name"] for row in panel["rows"]], 60)
    spans = [
        {"name": n, "low": min(r["real"], r["synthetic"]), "high": max(r["real"], r["synthetic"])}
        for n, r in zip(names, panel["rows"], strict=True)
    ]
    points = [
        {"name": n, "rows": kind, "share": share}
        for n, r in zip(names, panel["rows"], strict=True)
        for kind, share in zip(UNIT_KINDS, (r["real"], r["synthetic"]), strict=True)
    ]
    y = alt.Y("name:N", sort=names, title=None, axis=alt.Axis(labelLimit=400, grid=False))
    x = alt.X("low:Q", title=panel["x"], axis=alt.Axis(format="%", tickCount=6), scale=alt.Scale(zero=True))
    legend = alt.Legend(title=None, orient="top")
    colour = alt.Color("rows:N", scale=alt.Scale(domain=UNIT_KINDS, range=UNIT_COLOURS), legend=legend)
    shape = alt.Shape("rows:N", scale=alt.Scale(domain=UNIT_KINDS, range=["circle", "diamond"]), legend=legend)
    rule = inline(spans).mark_rule(color=MUTED, strokeWidth=1.5).encode(x=x, x2="high:Q", y=y)
    marks = inline(points).mark_point(size=60, strokeWidth=2, fill="#ffffff")
    return rendered(
        alt.layer(rule, marks.encode(x="share:Q", y=y, color=colour, shape=shape)).properties(
            width=360, height=alt.Step(21)
        )
    )


def told_apart(panel: ToldApartData) -> str:
    """AUC of telling synthetic from held-out units and rows, with intervals; a bar where real rows stand."""
    import altair as alt

    names = [point["name"] for point in panel["points"]]
    base = inline(panel["points"]).encode(y=alt.Y("name:N", sort=names, title=None, axis=alt.Axis(labelLimit=260)))
    x = alt.X("low:Q", title="AUC", scale=alt.Scale(zero=False), axis=alt.Axis(tickCount=6, format=".2f"))
    layers: list[alt.Chart] = [
        inline([{"at": 0.5}]).mark_rule(color=MUTED, strokeDash=[4, 4]).encode(x="at:Q"),
        base.mark_rule(strokeWidth=2.2, color=SYNTHETIC_COLOUR).encode(x=x, x2="high:Q"),
        base.mark_point(size=100, strokeWidth=2.2, fill="#ffffff", color=SYNTHETIC_COLOUR, shape="diamond").encode(
            x="value:Q"
        ),
        base.transform_filter("isValid(datum.reference)")
        .mark_tick(color=INK, thickness=3, size=18)
        .encode(x="reference:Q"),
    ]
    return rendered(alt.layer(*layers).properties(width=420, height=alt.Step(30)))


LINKED_CHARTS: Mapping[str, Callable[[Any], str]] = {
    f.__name__: f for f in (fan_out, gap_curve, share_pairs, told_apart)
}
