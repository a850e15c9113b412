"""Bars of what gives synthetic rows away, a column or a pair of columns each, real rows beside.

A bar ends at the synthetic rows' figure, the line across its end is the interval; the filled circle is the same figure
of training rows in place of the synthetic ones.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from synthkit.report.charts.theme import INK, MUTED
from synthkit.report.charts.vega import REAL_COLOUR, SYNTHETIC_COLOUR, ChartRows, inline, labels, rendered

if TYPE_CHECKING:
    from synthkit.report.panel_types import TellingColumnsPanel, TellingPairsPanel

SHOWN_BARS = 12
COIN_TOSS = 0.5
KINDS = ["synthetic rows", "training rows"]


def telling_columns(panel: TellingColumnsPanel) -> str:
    """AUC by single columns, most telling first."""
    shown = panel["columns"][:SHOWN_BARS]
    names = labels([each["column"] for each in shown], 44)
    rows = [
        {"name": name, "value": e["auc"], "low": e["low"], "high": e["high"], "real": e["reference"]}
        for name, e in zip(names, shown, strict=True)
    ]
    return _bars(rows, "AUC by this column alone", COIN_TOSS)


def telling_pairs(panel: TellingPairsPanel) -> str:
    """What pairs of columns add to the better of the two, most telling first."""
    shown = panel["pairs"][:SHOWN_BARS]
    names = labels([" × ".join(labels(each["columns"])) for each in shown], 50)
    rows = [
        {"name": name, "value": e["gain"], "low": e["low"], "high": e["high"], "real": e["reference"]}
        for name, e in zip(names, shown, strict=True)
    ]
    return _bars(rows, "AUC gained by the pair", 0.0)


def _bars(rows: ChartRows, title: str, nothing: float) -> str:
    """Bars from `nothing`, which is what cannot be told, with intervals and the real rows' figure."""
    import altair as alt

    names = [str(row["name"]) for row in rows]
    y = alt.Y("name:N", sort=names, title=None, axis=alt.Axis(labelLimit=380))
    x = alt.X("value:Q", title=title, scale=alt.Scale(zero=False, nice=True), axis=alt.Axis(tickCount=5))
    legend = alt.Legend(title=None, orient="top")
    colour = alt.Color("rows:N", scale=alt.Scale(domain=KINDS, range=[SYNTHETIC_COLOUR, REAL_COLOUR]), legend=legend)
    shape = alt.Shape("rows:N", scale=alt.Scale(domain=KINDS, range=["square", "circle"]), legend=legend)
    bars = [{**row, "from": nothing, "rows": KINDS[0]} for row in rows]
    points = [{"name": row["name"], "value": row[of], "rows": kind} for row in rows for of, kind in _ends()]
    base = inline(bars).encode(y=y)
    bar = base.mark_bar(color=SYNTHETIC_COLOUR, height=9, opacity=0.45).encode(x=x, x2="from:Q")
    width = base.mark_rule(color=INK, strokeWidth=1.4).encode(x=alt.X("low:Q", title=title), x2="high:Q")
    point = inline(points).mark_point(filled=True, size=55).encode(x="value:Q", y=y, color=colour, shape=shape)
    zero = inline([{"value": nothing}]).mark_rule(color=MUTED, strokeDash=[4, 4]).encode(x="value:Q")
    return rendered(alt.layer(bar, zero, width, point).properties(width=380, height=alt.Step(22)))


def _ends() -> list[tuple[str, str]]:
    return [("value", KINDS[0]), ("real", KINDS[1])]


TELLING_CHARTS: Mapping[str, Callable[[Any], str]] = {f.__name__: f for f in (telling_columns, telling_pairs)}
