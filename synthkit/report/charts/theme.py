"""Colours, font and sizes that all charts share."""

from __future__ import annotations

from synthkit.io.json_types import JSON

INK, MUTED, LINE = "#1c2430", "#55606e", "#dfe4ea"
FONT = "DejaVu Sans, Verdana, sans-serif"


def theme() -> dict[str, JSON]:
    """Configuration of every chart, in Vega-Lite's own keys."""
    text: dict[str, JSON] = {
        "labelFontSize": 12,
        "titleFontSize": 12,
        "labelColor": INK,
        "titleColor": MUTED,
        "titleFontWeight": "normal",
    }
    axis: dict[str, JSON] = {
        **text,
        "domainColor": MUTED,
        "tickColor": MUTED,
        "gridColor": LINE,
        "labelLimit": 170,
        "titlePadding": 8,
        "labelFlush": False,
    }
    return {
        "aria": False,
        "background": "transparent",
        "font": FONT,
        "axis": axis,
        "legend": {**text, "labelLimit": 240, "symbolStrokeWidth": 2, "symbolOpacity": 1},
        "mark": {"opacity": 1},
        "point": {"opacity": 1},
        "square": {"opacity": 1},
        "header": text,
        "title": {"fontSize": 13, "color": INK, "anchor": "start", "fontWeight": "bold"},
        "view": {"stroke": "transparent"},
        "padding": 4,
    }
