"""Charts that compare models: one score of each, and time against that score."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from synthkit.report.charts.theme import INK, MUTED
from synthkit.report.charts.vega import REAL_COLOUR, SYNTHETIC_COLOUR, inline, rendered

if TYPE_CHECKING:
    from synthkit.report.charts.chart_data import ContendersData, MakerEncoding, NameSide, TradeoffData

NAME_SIDES: tuple[tuple[NameSide, int], ...] = (("left", 11), ("right", -11))  # with pixels from the point


def contenders(panel: ContendersData) -> str:
    """One score of several models, each with its interval; a solid line where real rows stand."""
    import altair as alt

    base, made = inline(panel["points"]).encode(y=alt.Y("name:N", sort=None, title=None)), _by_maker()
    x = alt.X("low:Q", title="AUC", scale=alt.Scale(zero=False), axis=alt.Axis(tickCount=6))
    bars = base.mark_rule(strokeWidth=2).encode(x=x, x2="high:Q", color=made["color"])
    layers = [bars, base.mark_point(size=110, strokeWidth=2.2, fill="#ffffff").encode(x="value:Q", **made)]
    if panel["real"] is not None:
        layers.append(inline([{"at": panel["real"]}]).mark_rule(color=REAL_COLOUR, strokeWidth=2.2).encode(x="at:Q"))
    return rendered(alt.layer(*layers).properties(width=330, height=alt.Step(32)))


def tradeoff(panel: TradeoffData) -> str:
    """Seconds to learn against a score, one named point a model."""
    import altair as alt

    axis, wide = alt.Axis(format="~g", tickCount=4), 12  # pixels between a point and the edge
    x = alt.X("seconds:Q", title="Seconds to learn", scale=alt.Scale(type="log", padding=wide), axis=axis)
    y = alt.Y("value:Q", title="AUC", scale=alt.Scale(zero=False, padding=wide))
    layers = [
        inline(panel["points"]).mark_point(size=110, strokeWidth=2.2, fill="#ffffff").encode(x=x, y=y, **_by_maker())
    ]
    for side, dx in NAME_SIDES:
        words = inline([p for p in panel["points"] if p["align"] == side]).mark_text(align=side, dx=dx, fontSize=12)
        layers.append(words.encode(x=x, y=y, text="name:N", color=alt.value(INK)))
    return rendered(alt.layer(*layers).properties(width=400, height=280))


def _by_maker() -> MakerEncoding:
    """Colour and shape by who made a model."""
    import altair as alt

    who, legend = ["by synthkit", "by others"], alt.Legend(title="Made", orient="top")
    colour = alt.Color("made:N", scale=alt.Scale(domain=who, range=[SYNTHETIC_COLOUR, MUTED]), legend=legend)
    return {"color": colour, "shape": alt.Shape("made:N", scale=alt.Scale(domain=who, range=["diamond", "square"]))}


MODEL_CHARTS: Mapping[str, Callable[[Any], str]] = {f.__name__: f for f in (contenders, tradeoff)}
