"""Curves over numbers of rows as one SVG picture, drawn from itself alone: no script, no font and no file beside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from math import log10

WIDE, HIGH, LEFT, TOP = 300, 190, 44, 40  # of a panel, and where its axes begin
STYLES = (
    ("#1b5e8c", ""),
    ("#b3541e", "6 3"),
    ("#2e7d4f", "2 3"),
    ("#7a3e9d", "8 3 2 3"),
    ("#444444", "1 2"),
    ("#a0195b", "10 4"),
)
Curve = Sequence[tuple[float, float]]


def svg(panels: Mapping[str, Mapping[str, Curve]], title: str, said: str) -> str:
    """Panels side by side, each with its curves of shares between 0 and 1 over a logarithmic axis of rows.

    Args:
        panels: curves by name, by title of their panel; points are (rows, share).
        title: of the picture.
        said: what it shows, for those who do not see it.

    Example:
        >>> drawn = svg({"a": {"none": [(50, 0.5), (5000, 1.0)]}}, "Found", "More is found in more rows.")
        >>> drawn.count("<polyline"), "More is found" in drawn
        (1, True)
    """
    names = list(dict.fromkeys(name for curves in panels.values() for name in curves))
    width, height = len(panels) * (WIDE + 20) + 20, HIGH + TOP + 50 + 18 * -(-len(names) // 3)
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        'role="img" aria-labelledby="title desc" font-family="sans-serif" font-size="11">',
        f'<title id="title">{escape(title)}</title><desc id="desc">{escape(said)}</desc>',
        f'<rect width="{width}" height="{height}" fill="#ffffff"/>',
    ]
    for k, (head, curves) in enumerate(panels.items()):
        out += _panel(k * (WIDE + 20) + LEFT, head, curves, names)
    for i, name in enumerate(names):
        x, y = 20 + i % 3 * (width - 40) / 3, TOP + HIGH + 50 + 18 * (i // 3)
        out.append(f'<line x1="{x}" y1="{y - 4}" x2="{x + 34}" y2="{y - 4}" {_style(i)}/>')
        out.append(f'<text x="{x + 40}" y="{y}">{escape(name)}</text>')
    return "\n".join([*out, "</svg>"]) + "\n"


def _panel(x: float, head: str, curves: Mapping[str, Curve], names: Sequence[str]) -> list[str]:
    wide = WIDE - LEFT
    rows = [n for curve in curves.values() for n, _ in curve]
    low, high = log10(min(rows)), log10(max(rows))

    def at(n: float, share: float) -> str:
        return f"{x + wide * (log10(n) - low) / (high - low):.1f},{TOP + HIGH * (1 - share):.1f}"

    out = [f'<text x="{x}" y="{TOP - 14}" font-size="13" font-weight="bold">{escape(head)}</text>']
    for share in (0, 0.25, 0.5, 0.75, 1):
        y = TOP + HIGH * (1 - share)
        out.append(f'<line x1="{x}" y1="{y}" x2="{x + wide}" y2="{y}" stroke="#dddddd"/>')
        out.append(f'<text x="{x - 6}" y="{y + 4}" text-anchor="end">{share:g}</text>')
    for n in sorted(set(rows)):
        out.append(f'<text x="{at(n, 0).split(",")[0]}" y="{TOP + HIGH + 16}" text-anchor="middle">{n:g}</text>')
    out.append(f'<text x="{x + wide / 2}" y="{TOP + HIGH + 31}" text-anchor="middle">rows released</text>')
    for name, curve in curves.items():
        points = " ".join(at(n, share) for n, share in curve)
        out.append(f'<polyline points="{points}" fill="none" {_style(names.index(name))}/>')
    return out


def _style(i: int) -> str:
    colour, dashes = STYLES[i % len(STYLES)]
    return f'stroke="{colour}" stroke-width="2"' + (f' stroke-dasharray="{dashes}"' if dashes else "")
