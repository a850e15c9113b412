"""Charts of a report in Altair, drawn as inline SVG; what they say in words is written in the sections.

Every chart reads without colour: real is a filled circle or a solid line, synthetic a hollow diamond or a dashed line.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from html import escape
from typing import TYPE_CHECKING, Any, Literal

from synthkit.report.charts.svg_text import writable
from synthkit.report.charts.theme import INK, MUTED, theme
from synthkit.report.labels import GUESSING_LEARNER
from synthkit.report.render_versions import fonts

if TYPE_CHECKING:
    import altair as alt

    from synthkit.report.charts.chart_data import PrivacyCurve
    from synthkit.report.panel_types import (
        CorrelationPanel,
        DetectionPanel,
        Matrix,
        MissingnessPanel,
        PairErrorsPanel,
        SampleSizePanel,
        TrainingPanel,
        UtilityPanel,
    )

REAL_COLOUR, SYNTHETIC_COLOUR = "#1f5fa8", "#c8540a"
ERROR_COLOURS = ("#eef3f9", "#c6d7ea", "#8fb1d8", "#4f82bd", "#1f5fa8", "#0b3263")
ChartRows = Sequence[Mapping[str, object]]  # of a chart's data
CELL_PIXELS = 15  # pixels of a row of a heat map: room for a 12 pixel label
WIDEST_ERRORS, WIDEST_CORRELATIONS = 48, 18  # columns a map can show with readable labels


def embed(svg: str, title: str, description: str, key: str) -> str:
    """An SVG that can stand inside a page: a title and a description, ids of its own, a width that may shrink.

    Args:
        svg: what vl-convert wrote.
        title: short name, read out by a screen reader.
        description: what the chart shows, for those who cannot see it.
        key: unique in the page; letters, digits and hyphens.

    Raises:
        ValueError: the key has other characters, or the SVG has no size.
    """
    if re.fullmatch(r"[A-Za-z0-9-]+", key) is None:
        msg = f"the key of a chart must be letters, digits and hyphens; however: {key!r}. Name it so"
        raise ValueError(msg)
    svg = re.sub(r'\bid="([^"]+)"', rf'id="{key}-\1"', svg)
    svg = re.sub(r"url\(#([^)]+)\)", rf"url(#{key}-\1)", svg)
    size = re.search(r'width="([\d.]+)" height="([\d.]+)"', svg)
    if size is None:
        msg = "a chart must state its width and height; however: the SVG has none"
        raise ValueError(msg)
    width, height = size.groups()
    svg = svg.replace(size.group(0), "", 1)
    svg = re.sub(r' xmlns(:xlink)?="[^"]+"| version="1.1"| class="marks"', "", svg, count=4)
    svg = re.sub(r' (?:role="graphics-[^"]*"|aria-\w+="[^"]*")', "", svg)  # inside an image they say nothing
    head = (
        f'<svg role="img" aria-labelledby="{key}-t {key}-d" '
        f'style="width:100%;max-width:{width}px;aspect-ratio:{width}/{height}" '
    )
    svg = svg.replace("<svg ", head, 1)
    inside = f'><title id="{key}-t">{escape(title)}</title><desc id="{key}-d">{escape(description)}</desc>'
    return svg.replace(">", inside, 1)


def pair_errors(panel: PairErrorsPanel) -> str:
    """Two-way error of each pair as a triangle of squares, darker for larger."""
    import altair as alt

    columns, error = panel["columns"], panel["error"]
    shown = sorted(sorted(range(len(columns)), key=lambda i: -_mean(error[i]))[:WIDEST_ERRORS])
    names = labels([columns[i] for i in shown])
    pairs = [(a, b, error[i][j]) for a, i in enumerate(shown) for b, j in enumerate(shown[:a])]
    known = [(a, b, e) for a, b, e in pairs if e is not None]
    colour = alt.Color(
        "error:Q",
        scale=alt.Scale(type="quantize", domain=[0, max([0.01, *(e for *_, e in known)])], range=ERROR_COLOURS),
        legend=alt.Legend(title="Two-way error (TV)", format=".3f", orient="top", titleLimit=300),
    )
    chart = (
        inline([{"x": names[b], "y": names[a], "error": e} for a, b, e in known])
        .mark_rect(stroke="#ffffff", strokeWidth=1)
        .encode(
            x=alt.X("x:N", sort=names[:-1], title=None, axis=alt.Axis(labelAngle=-90, grid=False)),
            y=alt.Y("y:N", sort=names[1:], title=None, axis=alt.Axis(grid=False)),
            color=colour,
        )
        .properties(width=alt.Step(CELL_PIXELS), height=alt.Step(CELL_PIXELS))
    )
    return rendered(chart)


def correlations(panel: CorrelationPanel) -> str:
    """Real, synthetic and their difference side by side; size is strength, filled is positive, hollow negative."""
    import altair as alt

    columns, real, synthetic = panel["columns"], panel["real"], panel["synthetic"]
    difference = [[_minus(s, r) for s, r in zip(*rows, strict=True)] for rows in zip(synthetic, real, strict=True)]
    worst = sorted(range(len(columns)), key=lambda i: -max([0.0, *(abs(d) for d in difference[i] if d is not None)]))
    shown = sorted(worst[:WIDEST_CORRELATIONS])
    names = labels([columns[i] for i in shown])
    maps: list[alt.Chart] = []
    for title, matrix in (("Real", real), ("Synthetic", synthetic), ("Synthetic minus real", difference)):
        cells = _signed(matrix, shown, names)
        axis = alt.Axis(grid=True, labels=not maps, ticks=False)
        maps.append(
            inline(cells)
            .mark_square(strokeWidth=1.5)
            .encode(
                x=alt.X("x:N", title=None, axis=alt.Axis(labelAngle=-90), scale=alt.Scale(domain=names[:-1])),
                y=alt.Y("y:N", title=None, axis=axis, scale=alt.Scale(domain=names[1:])),
                size=alt.Size(
                    "size:Q",
                    scale=alt.Scale(domain=[0, 1], range=[0, CELL_PIXELS * CELL_PIXELS * 0.8]),
                    legend=alt.Legend(title="Strength", values=[0.1, 0.3, 0.6, 1], symbolType="square"),
                ),
                stroke=alt.Stroke(
                    "sign:N", scale=_signs(REAL_COLOUR, SYNTHETIC_COLOUR), legend=alt.Legend(title="Sign")
                ),
                fill=alt.Fill("sign:N", scale=_signs(REAL_COLOUR, "transparent"), legend=alt.Legend(title="Sign")),
            )
            .properties(width=alt.Step(CELL_PIXELS), height=alt.Step(CELL_PIXELS), title=title)
        )
    return rendered(alt.hconcat(*maps, spacing=14))


def missingness(rows: Sequence[MissingnessPanel]) -> str:
    """Share of missing cells by column in training, holdout and synthetic rows."""
    import altair as alt

    names = labels([r["column"] for r in rows])
    points = [
        {"column": n, "rows": label, "share": share}
        for n, r in zip(names, rows, strict=True)
        for share, label in ((r["train"], "Training"), (r.get("holdout"), "Holdout"), (r["synthetic"], "Synthetic"))
        if share is not None
    ]
    kinds = ["Training", "Holdout", "Synthetic"]
    colour = alt.Scale(domain=kinds, range=[REAL_COLOUR, INK, SYNTHETIC_COLOUR])
    shape = alt.Scale(domain=kinds, range=["circle", "stroke", "diamond"])
    legend = alt.Legend(title=None, orient="top")
    chart = (
        inline(points)
        .mark_point(size=75, filled=False, strokeWidth=2)
        .encode(
            x=alt.X(
                "share:Q",
                title="Share of cells missing",
                axis=alt.Axis(format="%", tickCount=6),
                scale=alt.Scale(zero=True),
            ),
            y=alt.Y("column:N", sort=names, title=None),
            color=alt.Color("rows:N", scale=colour, legend=legend),
            shape=alt.Shape("rows:N", scale=shape, legend=legend),
        )
        .properties(width=560, height=alt.Step(22))
    )
    return rendered(chart)


def roc(panel: DetectionPanel) -> str:
    """ROC curve of the classifier that tells synthetic from real; the dashed diagonal is a coin toss."""
    import altair as alt

    curve = [{"fpr": f, "tpr": t} for f, t in zip(panel["roc"]["fpr"], panel["roc"]["tpr"], strict=True)]
    x = alt.X("fpr:Q", title="Real rows taken for synthetic", axis=alt.Axis(format="%", tickCount=5))
    y = alt.Y("tpr:Q", title="Synthetic rows recognised", axis=alt.Axis(format="%", tickCount=5))
    toss = inline([{"fpr": 0, "tpr": 0}, {"fpr": 1, "tpr": 1}]).mark_line(color=MUTED, strokeDash=[4, 4])
    line = inline(curve).mark_line(color=SYNTHETIC_COLOUR, strokeWidth=2.5, interpolate="step-after")
    return rendered((toss.encode(x=x, y=y) + line.encode(x=x, y=y)).properties(width=290, height=290))


def giveaways(panel: DetectionPanel, most: int = 12) -> str:
    """The columns that give synthetic rows away, most telling first."""
    import altair as alt

    features = sorted(panel["features"], key=lambda f: -f["importance"])[:most]
    names = labels([f["column"] for f in features], 56)
    bars = [{"column": n, "importance": f["importance"]} for n, f in zip(names, features, strict=True)]
    chart = (
        inline(bars)
        .mark_bar(color=SYNTHETIC_COLOUR, height=11)
        .encode(
            x=alt.X("importance:Q", title="Importance", axis=alt.Axis(tickCount=4)),
            y=alt.Y("column:N", sort=names, title=None, axis=alt.Axis(labelLimit=360)),
        )
        .properties(width=230, height=alt.Step(22))
    )
    return rendered(chart)


def ladder(entry: UtilityPanel) -> str:
    """One target: every learner in its four cells, value and interval on one axis."""
    import altair as alt

    rows = [
        {
            "learner": c["learner"],
            "cell": f"{c['trained_on']} → {c['tested_on']}",
            "trained": f"on {c['trained_on']} rows",
            "value": c["value"],
            "low": c["low"],
            "high": c["high"],
        }
        for c in entry["cells"]
        if c["value"] is not None
        and c["learner"] != GUESSING_LEARNER  # it would stretch the axis until the rest is one point
    ]
    order = ["real → real", "synthetic → real", "real → synthetic", "synthetic → synthetic"]
    kinds = ["on real rows", "on synthetic rows"]
    legend = alt.Legend(title="Trained", orient="top")
    colour = alt.Color("trained:N", scale=alt.Scale(domain=kinds, range=[REAL_COLOUR, SYNTHETIC_COLOUR]), legend=legend)
    y = alt.Y("cell:N", sort=order, title=None, axis=alt.Axis(grid=True))
    base = alt.Chart().encode(y=y, color=colour)
    bar = base.mark_rule(strokeWidth=2).encode(
        x=alt.X("low:Q", title=entry["metric"], scale=alt.Scale(zero=False, nice=True)), x2="high:Q"
    )
    point = base.mark_point(size=90, strokeWidth=2, fill="#ffffff").encode(
        x="value:Q",
        shape=alt.Shape("trained:N", scale=alt.Scale(domain=kinds, range=["circle", "diamond"]), legend=legend),
    )
    learners = list(dict.fromkeys(str(r["learner"]) for r in rows))
    header = alt.Header(labelAngle=0, labelAlign="left", labelFontWeight="bold", labelFontSize=13, title=None)
    chart = alt.layer(bar, point, data=alt.InlineData(values=rows)).properties(width=460, height=alt.Step(20))
    return rendered(
        chart.facet(row=alt.Row("learner:N", sort=learners, header=header), spacing=10).resolve_scale(y="shared")
    )


def sample_size(panel: SampleSizePanel) -> str:
    """Error of real samples of growing size; where it crosses the synthetic rows' error is the equivalent size."""
    import altair as alt

    points = [{"rows": n, "error": e} for n, e in zip(panel["sizes"], panel["errors"], strict=True)]
    x = alt.X("rows:Q", title="Real rows released", scale=alt.Scale(type="log", nice=False), axis=_log_axis(points))
    y = alt.Y("error:Q", title="Two-way error (TV)", scale=alt.Scale(zero=True))
    real = inline(points).mark_line(
        color=REAL_COLOUR, strokeWidth=2.5, point=alt.OverlayMarkDef(color=REAL_COLOUR, size=45, filled=True)
    )
    level = inline([{"error": panel["synthetic_error"]}]).mark_rule(
        color=SYNTHETIC_COLOUR, strokeDash=[6, 4], strokeWidth=2.5
    )
    layers = [real.encode(x=x, y=y), level.encode(y=y)]
    if panel.get("equivalent"):
        here = inline([{"rows": panel["equivalent"], "error": panel["synthetic_error"]}])
        mark = here.mark_point(shape="diamond", size=140, color=SYNTHETIC_COLOUR, strokeWidth=2.5, fill="#ffffff")
        layers.append(mark.encode(x=x, y=y))
    return rendered(alt.layer(*layers).properties(width=560, height=240))


def privacy_curve(panel: PrivacyCurve) -> str:
    """Delta against epsilon, on a log scale; the stated pair is marked."""
    import altair as alt

    points = [{"epsilon": e, "delta": d} for e, d in panel["curve"]]
    x = alt.X("epsilon:Q", title="Epsilon", scale=alt.Scale(zero=True, nice=False), axis=alt.Axis(tickCount=6))
    powers = [10.0**k for k in range(math.ceil(math.log10(points[-1]["delta"])), 1)]
    axis = alt.Axis(format="~e", values=powers, labelOverlap="greedy", labelSeparation=4)
    y = alt.Y("delta:Q", title="Delta", scale=alt.Scale(type="log", nice=False), axis=axis)
    line = inline(points).mark_line(color=SYNTHETIC_COLOUR, strokeWidth=2.5)
    stated = inline(points[-1:]).mark_point(
        shape="diamond", size=140, color=SYNTHETIC_COLOUR, strokeWidth=2.5, fill="#ffffff"
    )
    return rendered(alt.layer(line.encode(x=x, y=y), stated.encode(x=x, y=y)).properties(width=560, height=200))


def training(panel: TrainingPanel) -> str:
    """Loss over the steps of training, and on rows kept back if there were any; the step that was kept is marked."""
    import altair as alt

    both: dict[str, Sequence[float | None]] = {"Training rows": panel["train"]}
    if panel.get("validation"):
        both["Rows kept back"] = panel["validation"] or []
    each = [(k, s, v) for k in both for s, v in zip(panel["steps"], both[k], strict=False) if v is not None]
    points = [{"step": s, "loss": v, "on": k} for k, s, v in each]
    on = list(both)[-1]
    kept = [
        {**p, "text": f"kept: step {p['step']:,}"}
        for p in points
        if (p["step"], p["on"]) == (panel.get("best_step"), on)
    ]
    legend = alt.Legend(title=None, orient="top", symbolStrokeWidth=2.5, symbolSize=300)
    x = alt.X("step:Q", title="Step", axis=alt.Axis(format=",d", tickCount=6))
    y = alt.Y("loss:Q", title="Loss, nats a row", scale=alt.Scale(zero=False))
    colour = alt.Color(
        "on:N", scale=alt.Scale(domain=list(both), range=[REAL_COLOUR, SYNTHETIC_COLOUR][: len(both)]), legend=legend
    )
    dash = alt.StrokeDash(
        "on:N", scale=alt.Scale(domain=list(both), range=[[1, 0], [6, 4]][: len(both)]), legend=legend
    )
    lines = inline(points).mark_line(strokeWidth=2.2).encode(x=x, y=y, color=colour, strokeDash=dash)
    best = inline(kept).encode(x=x, y=y)
    here = best.mark_point(shape="diamond", size=140, color=INK, strokeWidth=2, fill="#ffffff")
    side = _towards_the_middle(panel.get("best_step") or 0, panel["steps"])
    words = best.mark_text(dy=-16, color=INK, fontSize=13, align=side).encode(text="text:N")
    return rendered(alt.layer(lines, here, words).properties(width=560, height=240))


def _towards_the_middle(step: int, steps: Sequence[int]) -> Literal["left", "center", "right"]:
    """How words above a step are aligned, so that they do not run past either end of the plot."""
    share = (step - steps[0]) / max(steps[-1] - steps[0], 1)
    return "left" if share < 0.2 else "right" if share > 0.8 else "center"


def rendered(chart: alt.TopLevelMixin) -> str:
    """An Altair chart as SVG in the theme of all charts; nothing is fetched."""
    import vl_convert

    _measured()
    spec = {**writable(chart.to_dict()), "config": theme()}
    return str(vl_convert.vegalite_to_svg(spec, allowed_base_urls=[]))


@cache
def _measured() -> None:
    """From now on letters are as wide here as on any other machine."""
    import vl_convert

    vl_convert.register_font_directory(str(fonts()))


def inline(values: ChartRows) -> alt.Chart:
    """A chart that holds its values itself."""
    import altair as alt

    return alt.Chart(alt.InlineData(values=values))


def _signed(matrix: Matrix, shown: Sequence[int], names: Sequence[str]) -> ChartRows:
    """Cells of the lower triangle that are far enough from zero to be seen."""
    cells = []
    for a, i in enumerate(shown):
        for b, j in enumerate(shown[:a]):
            r = matrix[i][j]
            if r is not None and abs(r) >= 0.02:
                cells.append({"x": names[b], "y": names[a], "size": abs(r), "sign": "+" if r > 0 else "−"})
    return cells


def _signs(positive: str, negative: str) -> alt.Scale:
    import altair as alt

    return alt.Scale(domain=["+", "−"], range=[positive, negative])


def _log_axis(points: Sequence[Mapping[str, float]]) -> alt.Axis:
    import altair as alt

    return alt.Axis(
        values=[p["rows"] for p in points],
        format=",d",
        labelOverlap="greedy",
        labelSeparation=8,
        labelFlush=False,
        grid=False,
    )


def labels(columns: Sequence[str], longest: int = 22) -> list[str]:
    """Names short enough for an axis and still different from each other."""
    out: list[str] = []
    for c in columns:
        short = c if len(c) <= longest else c[: longest - 1] + "…"
        out.append(short if short not in out else f"{short} ({len(out) + 1})")
    return out


def _minus(a: float | None, b: float | None) -> float | None:
    return None if a is None or b is None else a - b


def _mean(row: Sequence[float | None]) -> float:
    known = [x for x in row if x is not None]
    return sum(known) / len(known) if known else 0.0


CHARTS: Mapping[str, Callable[[Any], str]] = {
    **{f.__name__: f for f in (pair_errors, correlations, missingness, roc, giveaways, ladder, sample_size, training)},
    "promise": privacy_curve,  # as reports have named it from the first
}
