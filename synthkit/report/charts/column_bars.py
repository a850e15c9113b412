"""Geometry of one column's distribution: where its bars stand; what they look like is the template's business."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, TypedDict

from synthkit.report.labels import digits

if TYPE_CHECKING:
    from synthkit.report.panel_types import DistributionPanel

CHART_WIDTH = 270  # user units of a small chart; labels are 12 of them high
PLOT_HEIGHT = 110  # of the plot of an ordered column
LEVEL_HEIGHT = 25  # of a level of an unordered one
MAX_LABEL_WIDTH = 110  # most room for its name
_END_LETTERS = 11  # of a value at an end of an axis
AXIS_WIDTH = 46  # room for the shares at the left of an upright chart
MAX_SHOWN_LEVELS = 8
MAX_PAIRED_BARS = 16  # bins that may stand as pairs of bars; of more the synthetic ones are a stepped line
ORDERED_KINDS = ("numeric", "datetime")
SPECIAL_BINS = (
    "other",
    "missing",
    "novel",
)  # bins that stand behind those of the values, kept only if a row is in them


class Box(TypedDict):
    """A rectangle."""

    x: float
    y: float
    width: float
    height: float


class Segment(TypedDict):
    """A straight line."""

    x1: float
    y1: float
    x2: float
    y2: float


class BinBar(TypedDict):
    """One bin: rectangles of real and synthetic rows and a tick of the holdout."""

    tip: str
    real: Box
    synthetic: Box | None
    holdout: Segment | None


class Guide(Segment):
    """A grid line with its text."""

    x: float
    y: float
    text: str


class Label(TypedDict):
    """A text with its place."""

    x: float
    y: float
    anchor: str
    text: str


class Plot(TypedDict):
    """Everything that is drawn of a column; `path` is the stepped line of synthetic rows."""

    height: float
    path: str | None
    bars: list[BinBar]
    guides: list[Guide]
    labels: list[Label]


class ColumnChart(Plot):
    """A plot with its width, and whether its bars stand."""

    upright: bool
    width: float


def distribution(entry: DistributionPanel) -> ColumnChart:
    """Bars of a column: upright side by side for quantities and times, lying one above the other for levels.

    Args:
        entry: `column`, `kind`, `bins` (labels), and shares in `train`, `holdout` (may be absent) and `synthetic`.

    Returns:
        `width`, `height`, `upright`, `bars` (each `label`, `tip`, and a rectangle `real`, `synthetic`, a tick
        `holdout` or None), `labels` (text with its place) and `guides` (grid lines with their text).
    """
    train, synthetic = entry["train"], entry["synthetic"]
    holdout: Sequence[float | None] = entry.get("holdout") or [None] * len(train)
    rows = list(zip(map(str, entry["bins"]), train, holdout, synthetic, strict=True))
    rows = [r for r in rows if r[0] not in SPECIAL_BINS or any(r[1:])]
    top = _ceiling(max([0.01, *(x for row in rows for x in row[1:] if x is not None)]))
    draw = _upright if entry["kind"] in ORDERED_KINDS else _lying
    return {"upright": draw is _upright, "width": CHART_WIDTH, **draw(rows, top)}


def _upright(rows: Sequence[tuple[str, float, float | None, float]], top: float) -> Plot:
    head, slot = 6, (CHART_WIDTH - AXIS_WIDTH) / max(1, len(rows))
    stepped = len(rows) > MAX_PAIRED_BARS
    thick = slot - 0.6 if stepped else slot * 0.42

    def y(share: float) -> float:
        return round(head + PLOT_HEIGHT * (1 - share / top), 1)

    bars: list[BinBar] = []
    for k, (label, real, holdout, made) in enumerate(rows):
        x = AXIS_WIDTH + k * slot + (0.3 if stepped else slot * 0.08)
        bars.append(
            {
                "tip": _tip(label, real, holdout, made),
                "real": _box(x, y(real), thick, PLOT_HEIGHT * real / top),
                "synthetic": None if stepped else _box(x + thick, y(made), thick, PLOT_HEIGHT * made / top),
                "holdout": None if holdout is None else _line(x, y(holdout), x + thick, y(holdout)),
            }
        )
    steps = "".join(f"V{y(made)}H{round(AXIS_WIDTH + (k + 1) * slot, 1)}" for k, (*_, made) in enumerate(rows))
    guides: list[Guide] = [
        {
            "x1": AXIS_WIDTH,
            "y1": y(s),
            "x2": CHART_WIDTH,
            "y2": y(s),
            "x": AXIS_WIDTH - 5,
            "y": y(s) + 4,
            "text": f"{100 * s:.3g} %",
        }
        for s in (top, top / 2, 0)
    ]
    base = head + PLOT_HEIGHT
    path = f"M{AXIS_WIDTH} {y(0)}{steps}V{y(0)}" if stepped else None
    return {
        "height": base + 20,
        "path": path,
        "bars": bars,
        "guides": guides,
        "labels": _axis([r[0] for r in rows], slot, base + 15),
    }


def _lying(rows: Sequence[tuple[str, float, float | None, float]], top: float) -> Plot:
    shown = rows[:MAX_SHOWN_LEVELS]
    left = min(MAX_LABEL_WIDTH, 12 + max(7.6 * len(_short(r[0], 13)) for r in shown))
    room, thick = CHART_WIDTH - left - 22, 9
    bars: list[BinBar] = []
    labels: list[Label] = []
    for k, (label, real, holdout, made) in enumerate(shown):
        y = k * LEVEL_HEIGHT + 3
        x = round(left + room * (holdout or 0) / top, 1)
        bars.append(
            {
                "tip": _tip(label, real, holdout, made),
                "real": _box(left, y, room * real / top, thick),
                "synthetic": _box(left, y + thick, room * made / top, thick),
                "holdout": None if holdout is None else _line(x, y, x, y + thick),
            }
        )
        labels.append({"x": round(left - 7, 1), "y": y + 13, "anchor": "end", "text": _short(label, 13)})
    height = len(shown) * LEVEL_HEIGHT + 20
    if len(rows) > len(shown):
        text = f"and {len(rows) - len(shown)} more in Numbers"
        labels.append({"x": round(left, 1), "y": height + 12, "anchor": "start", "text": text})
    guides: list[Guide] = [
        {
            "x1": round(x, 1),
            "y1": 0,
            "x2": round(x, 1),
            "y2": height - 18,
            "x": round(x, 1),
            "y": height - 4,
            "text": f"{100 * s:.3g} %",
        }
        for s, x in ((top, left + room), (top / 2, left + room / 2))
    ]
    height += 18 * (len(rows) > len(shown))
    return {"height": height, "path": None, "bars": bars, "guides": guides, "labels": labels}


def _axis(names: Sequence[str], slot: float, y: float) -> list[Label]:
    """The smallest and the largest value under the bins of values; the names of the bins behind them at the right."""
    values = [n for n in names if n not in SPECIAL_BINS]
    special = " · ".join(n for n in names if n in SPECIAL_BINS)
    out: list[Label] = []
    if values:
        room = max(len(special) * 7.5 + 14, (len(names) - len(values)) * slot) if special else 0.0
        first, last = (digits(v, short=True).split(" – ") for v in (values[0], values[-1]))
        out.append({"x": AXIS_WIDTH, "y": y, "anchor": "start", "text": _end(first[0])})
        if len(values) > 1:
            out.append({"x": round(CHART_WIDTH - room, 1), "y": y, "anchor": "end", "text": _end(last[-1])})
    if special:
        out.append({"x": CHART_WIDTH, "y": y, "anchor": "end", "text": special})
    return out


def _end(text: str) -> str:
    """A value at an end of an axis: of a day that is too long for it, its month.

    Example:
        >>> _end("< 1965-12-31"), _end("1965-12-31"), _end("a very long value")
        ('< 1965-12', '1965-12-31', 'a very lon…')
    """
    return _short(re.sub(r"(\d{4}-\d{2})-\d{2}$", r"\1", text) if len(text) > _END_LETTERS else text, _END_LETTERS)


def _ceiling(share: float) -> float:
    """The next round share above, at most 1."""
    unit: float = 10.0 ** math.floor(math.log10(share))
    return min(1.0, next(m * unit for m in (1, 1.2, 1.6, 2, 3, 4, 6, 8, 10) if m * unit >= share - 1e-12))


def _box(x: float, y: float, width: float, height: float) -> Box:
    return {"x": round(x, 1), "y": round(y, 1), "width": round(width, 1), "height": round(height, 1)}


def _line(x1: float, y1: float, x2: float, y2: float) -> Segment:
    return {"x1": round(x1, 1), "y1": round(y1, 1), "x2": round(x2, 1), "y2": round(y2, 1)}


def _tip(label: str, real: float, holdout: float | None, made: float) -> str:
    middle = "" if holdout is None else f", holdout {100 * holdout:.1f} %"
    return f"{digits(label)}: training {100 * real:.1f} %{middle}, synthetic {100 * made:.1f} %"


def _short(text: str, longest: int) -> str:
    return text if len(text) <= longest else text[: longest - 1] + "…"
