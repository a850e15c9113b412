"""Charts of what attackers reach and of what analysts find: curves and intervals, real beside synthetic.

Every chart reads without colour: real is a filled circle or a solid line, synthetic a hollow diamond or a dashed line.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from synthkit.report.charts.theme import MUTED
from synthkit.report.charts.vega import REAL_COLOUR, SYNTHETIC_COLOUR, inline, labels, rendered

if TYPE_CHECKING:
    import altair as alt

    from synthkit.report.charts.chart_data import EpsilonsData
    from synthkit.report.panel_types import CalibrationPanel, EffectsPanel, MembershipPanel, SurvivalPanel

ROW_KINDS, ROW_COLOURS = ["real rows", "synthetic rows"], [REAL_COLOUR, SYNTHETIC_COLOUR]
SeriesValues = Sequence[float | None]
LOWEST_RATE = 1e-3  # rate of false alarms at which the axis of an attack begins


def attack_roc(panel: MembershipPanel) -> str:
    """Members found against false alarms, both on logarithmic scales: few people found for sure count most."""
    import altair as alt

    pairs = zip(panel["roc"]["fpr"], panel["roc"]["tpr"], strict=True)
    curve = [{"fpr": max(f, LOWEST_RATE), "tpr": max(t, LOWEST_RATE)} for f, t in pairs]
    powers = [10.0**k for k in range(-3, 1)]
    axis = alt.Axis(values=powers, format="~%", grid=True)
    scale = alt.Scale(type="log", domain=[LOWEST_RATE, 1], nice=False, clamp=True)
    x = alt.X("fpr:Q", title="False alarms", scale=scale, axis=axis)
    y = alt.Y("tpr:Q", title="Members found", scale=scale, axis=axis)
    guess = inline([{"fpr": LOWEST_RATE, "tpr": LOWEST_RATE}, {"fpr": 1, "tpr": 1}]).mark_line(
        color=MUTED, strokeDash=[4, 4]
    )
    line = inline(curve).mark_line(color=SYNTHETIC_COLOUR, strokeWidth=2.5, interpolate="step-after")
    return rendered((guess.encode(x=x, y=y) + line.encode(x=x, y=y)).properties(width=300, height=300))


def forest(entry: EffectsPanel) -> str:
    """Estimates of effects with their intervals, from real and from synthetic rows, a line each."""
    import altair as alt

    names = labels(entry["names"], 30)
    rows = [
        {
            "effect": name,
            "rows": kind,
            "value": values[k],
            "low": low[k],
            "high": high[k],
        }
        for k, name in enumerate(names)
        for kind, values, low, high in _by_rows(entry)
    ]
    rows = [row for row in rows if row["value"] is not None]
    y = alt.Y("effect:N", sort=names, title=None, axis=alt.Axis(grid=True, labelLimit=240))
    place = alt.YOffset("rows:N", sort=ROW_KINDS)
    colour = alt.Color("rows:N", scale=alt.Scale(domain=ROW_KINDS, range=ROW_COLOURS), legend=_legend())
    base = alt.Chart(alt.InlineData(values=rows)).encode(y=y, yOffset=place, color=colour)
    bar = base.mark_rule(strokeWidth=2).encode(
        x=alt.X("low:Q", title="Estimate", scale=alt.Scale(zero=True)), x2="high:Q"
    )
    shape = alt.Shape("rows:N", scale=alt.Scale(domain=ROW_KINDS, range=["circle", "diamond"]), legend=_legend())
    point = base.mark_point(size=55, strokeWidth=2, fill="#ffffff").encode(x="value:Q", shape=shape)
    return rendered(alt.layer(bar, point).properties(width=420, height=alt.Step(13)))


def survival(panel: SurvivalPanel) -> str:
    """Share of people without the event over time (Kaplan-Meier), with bands of 95 %."""
    import altair as alt

    rows = [
        {
            "time": t,
            "rows": kind,
            "share": shares[k],
            "low": low[k],
            "high": high[k],
        }
        for kind, shares, low, high in _by_rows(panel)
        for k, t in enumerate(panel["times"])
    ]
    x = alt.X("time:Q", title=panel["target"], scale=alt.Scale(nice=False))
    axis = alt.Axis(format="%")
    y = alt.Y("share:Q", title=f"Without {panel['event']}", scale=alt.Scale(domain=[0, 1]), axis=axis)
    legend = alt.Legend(title=None, orient="top", symbolType="stroke", symbolStrokeWidth=2.5, symbolSize=300)
    scale = alt.Scale(domain=ROW_KINDS, range=ROW_COLOURS)
    dash = alt.StrokeDash("rows:N", scale=alt.Scale(domain=ROW_KINDS, range=[[1, 0], [6, 4]]), legend=legend)
    base = alt.Chart(alt.InlineData(values=rows)).encode(x=x)
    low = alt.Y("low:Q", title=f"Without {panel['event']}")
    fill = alt.Fill("rows:N", scale=scale, legend=None)
    band = base.mark_area(opacity=0.15, interpolate="step-after").encode(y=low, y2="high:Q", fill=fill)
    line = base.mark_line(strokeWidth=2.5, interpolate="step-after").encode(
        y=y, strokeDash=dash, color=alt.Color("rows:N", scale=scale, legend=legend)
    )
    return rendered(alt.layer(line, band).properties(width=560, height=260))


def reliability(entry: CalibrationPanel) -> str:
    """Observed against predicted risk of models trained on real and on synthetic rows, in tenths of the predictions."""
    import altair as alt

    rows = [
        {"predicted": p, "observed": o, "rows": kind}
        for kind, curve in zip(ROW_KINDS, (entry["real"], entry["synthetic"]), strict=True)
        for p, o in zip(curve["predicted"], curve["observed"], strict=True)
    ]
    axis = alt.Axis(format="%", tickCount=5)
    x = alt.X("predicted:Q", title="Predicted risk", scale=alt.Scale(domain=[0, 1]), axis=axis)
    y = alt.Y("observed:Q", title="Observed", scale=alt.Scale(domain=[0, 1]), axis=axis)
    right = inline([{"predicted": 0, "observed": 0}, {"predicted": 1, "observed": 1}])
    ideal = right.mark_line(color=MUTED, strokeDash=[4, 4]).encode(x=x, y=y)
    colour = alt.Color("rows:N", scale=alt.Scale(domain=ROW_KINDS, range=ROW_COLOURS), legend=_legend())
    shape = alt.Shape("rows:N", scale=alt.Scale(domain=ROW_KINDS, range=["circle", "diamond"]), legend=_legend())
    point = inline(rows).mark_point(size=70, strokeWidth=2, fill="#ffffff").encode(x=x, y=y, color=colour, shape=shape)
    return rendered((ideal + point).properties(width=290, height=290))


def epsilons(panel: EpsilonsData) -> str:
    """What was promised at most beside what the attacks show at least, on one axis."""
    import altair as alt

    kinds = ["promised at most", "shown at least"]
    both = (panel["promised at most"], panel["shown at least"])
    rows = [{"kind": kind, "epsilon": epsilon} for kind, epsilon in zip(kinds, both, strict=True)]
    y = alt.Y("kind:N", sort=kinds, title=None)
    x = alt.X("epsilon:Q", title="Epsilon", scale=alt.Scale(zero=True))
    bar = (
        inline(rows)
        .mark_bar(height=16)
        .encode(
            x=x,
            y=y,
            color=alt.Color(
                "kind:N", scale=alt.Scale(domain=kinds, range=[REAL_COLOUR, SYNTHETIC_COLOUR]), legend=None
            ),
        )
    )
    text = (
        inline(rows)
        .mark_text(align="left", dx=5, fontSize=12)
        .encode(x=x, y=y, text=alt.Text("epsilon:Q", format=".3f"))
    )
    return rendered((bar + text).properties(width=420, height=alt.Step(30)))


def _by_rows(panel: EffectsPanel | SurvivalPanel) -> tuple[tuple[str, SeriesValues, SeriesValues, SeriesValues], ...]:
    """SeriesValues with the lower and upper ends of their intervals, of real and of synthetic rows."""
    real, synthetic = ROW_KINDS
    return (
        (real, panel["real"], panel["real_low"], panel["real_high"]),
        (synthetic, panel["synthetic"], panel["synthetic_low"], panel["synthetic_high"]),
    )


def _legend() -> alt.Legend:
    import altair as alt

    return alt.Legend(title=None, orient="top")


CURVES: Mapping[str, Callable[[Any], str]] = {
    f.__name__: f for f in (attack_roc, forest, survival, reliability, epsilons)
}
