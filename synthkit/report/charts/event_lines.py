"""Charts of linked tables drawn as SVG by hand: timelines of synthetic units, and the graph of the tables."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from html import escape
from typing import TYPE_CHECKING, Any

from synthkit.errors import SchemaError
from synthkit.report.charts.theme import FONT, INK, LINE, MUTED
from synthkit.schema.linked import LinkedSchema
from synthkit.schema.linked.table_drawing import draw_tables

if TYPE_CHECKING:
    from synthkit.report.linked_panels import TimelinesPanel

# A colour and a shape for each table, so that the chart reads without colour; both stand out on white and on black.
_MARKS: tuple[tuple[str, str], ...] = (
    ("#1f5fa8", "M{x} {y}m-3 0a3 3 0 1 0 6 0a3 3 0 1 0 -6 0z"),  # disc
    ("#c8540a", "M{x} {y}m0 -3.8l3.8 3.8l-3.8 3.8l-3.8 -3.8z"),  # diamond
    ("#2a8a5c", "M{x} {y}m-2.7 -2.7h5.4v5.4h-5.4z"),  # square
    ("#8e4ec6", "M{x} {y}m0 -3.6l3.6 6.4h-7.2z"),  # triangle
    ("#c03a5b", "M{x} {y}m0 3.6l3.6 -6.4h-7.2z"),  # triangle that stands on its tip
    ("#3a8fa3", "M{x} {y}m-.9 -3.6h1.8v7.2h-1.8z"),  # bar
    ("#9a7710", "M{x} {y}m-3.6 -.9h7.2v1.8h-7.2z"),  # dash
    ("#7a6a58", "M{x} {y}m-.8 -3.4h1.6v2.6h2.6v1.6h-2.6v2.6h-1.6v-2.6h-2.6v-1.6h2.6z"),  # cross
)
_WIDTH, _LEFT, _RIGHT, _LANE = 860, 40, 24, 7  # of the chart, beside the lines, of a table's lane
_LETTER = 7.4  # pixels of a letter of 12 pixels
_DAYS_OF_A_YEAR = 365.25


def timelines(panel: TimelinesPanel) -> str:
    """A line a synthetic unit, time to the right, a mark an event in the lane of its table."""
    shown, folded = _shown(panel)
    lanes = len(shown) + bool(folded)
    last = max([1e-9, *(t for u in panel["units"] for t in (*(e[0] for e in u["events"]), u["end"] or 0.0))])
    by_years = panel["clock"] == "days" and last > 2 * _DAYS_OF_A_YEAR
    scale, word = (_DAYS_OF_A_YEAR, "Years") if by_years else (1.0, panel["clock"].capitalize())
    legend, top = _legend([*(panel["tables"][k] for k in shown), *(["other tables"] if folded else [])])
    band = lanes * _LANE + 9
    height = top + len(panel["units"]) * band + 40
    lane = {table: min(place, lanes - 1) for place, table in enumerate((*shown, *folded))}

    def x(time: float) -> float:
        return round(_LEFT + (_WIDTH - _LEFT - _RIGHT) * time / last, 1)

    bottom = height - 36
    parts = [*legend, *_axis(last / scale, lambda t: x(t * scale), top, bottom)]
    for k, unit in enumerate(panel["units"]):
        parts += _unit_line(k, unit["events"], unit["rows"], unit["end"], top + k * band, lane, x)
    parts.append(
        f'<text x="{_WIDTH - _RIGHT}" y="{height - 4}" text-anchor="end" fill="{MUTED}">{escape(word)} since the first '
        "event</text>"
    )
    return (
        f'<svg width="{_WIDTH}" height="{height}" viewBox="0 0 {_WIDTH} {height}" font-family="{FONT}" '
        f'font-size="12">{"".join(parts)}</svg>'
    )


def _shown(panel: TimelinesPanel) -> tuple[list[int], list[int]]:
    """Tables with a mark of their own, and those that share the last one: the commonest have their own."""
    counts = [0] * len(panel["tables"])
    for unit in panel["units"]:
        for _, table in unit["events"]:
            counts[int(table)] += 1
    if len(counts) <= len(_MARKS):
        return list(range(len(counts))), []
    order = sorted(range(len(counts)), key=lambda k: -counts[k])
    own = sorted(order[: len(_MARKS) - 1])
    return own, sorted(order[len(_MARKS) - 1 :])


def _legend(names: Sequence[str]) -> tuple[list[str], int]:
    """Marks with the names of their tables, in as many lines as they need; and where the lines of units begin."""
    parts, x, y = [], float(_LEFT), 12
    for k, name in enumerate(names):
        wide = 22 + _LETTER * len(name) + 18
        if x + wide > _WIDTH - _RIGHT and x > _LEFT:
            x, y = float(_LEFT), y + 20
        parts.append(_mark(k, round(x + 5, 1), y - 4))
        parts.append(f'<text x="{round(x + 16, 1)}" y="{y}" fill="{INK}">{escape(name)}</text>')
        x += wide
    return parts, y + 16


def _axis(last: float, x: Callable[[float], float], top: int, bottom: int) -> Iterator[str]:
    step = _step(last / 9)
    for k in range(int(last / step + 1e-9) + 1):
        at = x(k * step)
        yield f'<line x1="{at}" x2="{at}" y1="{top}" y2="{bottom}" stroke="{LINE}"/>'
        yield f'<text x="{at}" y="{bottom + 16}" text-anchor="middle" fill="{MUTED}">{k * step:,.6g}</text>'


def _step(least: float) -> float:
    """The next of 1, 2, 5, 10, ... times a power of ten.

    Example:
        >>> _step(0.3), _step(21)
        (0.5, 50.0)
    """
    unit: float = 10.0 ** math.floor(math.log10(least))
    return next(m * unit for m in (1, 2, 5, 10) if m * unit >= least - 1e-12)


def _unit_line(
    k: int,
    events: Sequence[tuple[float, int]],
    rows: int,
    end: float | None,
    y: int,
    lane: Mapping[int, int],
    x: Callable[[float], float],
) -> Iterator[str]:
    depth = (max(lane.values(), default=0) + 1) * _LANE
    middle = y + depth / 2 + 2
    until = max([0.0, *(t for t, _ in events), end or 0.0])
    said = f"Synthetic unit {k + 1}: {rows:,} events{f', the first {len(events)} drawn' if rows > len(events) else ''}"
    yield f'<g data-test-unit="{k + 1}"><title>{escape(said)}</title>'
    yield f'<text x="{_LEFT - 12}" y="{middle + 4:.1f}" text-anchor="end" fill="{MUTED}">{k + 1}</text>'
    at = f'y1="{middle:.1f}" y2="{middle:.1f}"'
    yield f'<line x1="{x(0.0)}" x2="{x(until)}" {at} stroke="{LINE}" stroke-width="1.5"/>'
    if end is not None:
        yield (
            f'<line x1="{x(end)}" x2="{x(end)}" y1="{middle - depth / 2:.1f}" y2="{middle + depth / 2:.1f}" '
            f'stroke="{INK}" stroke-width="2"/>'
        )
    for time, table in events:
        place = lane[int(table)]
        yield _mark(place, x(time), round(y + 2 + _LANE * (place + 0.5), 1))
    yield "</g>"


def _mark(place: int, x: float, y: float) -> str:
    colour, path = _MARKS[place % len(_MARKS)]
    return f'<path fill="{colour}" fill-opacity=".85" d="{path.format(x=x, y=y)}"/>'


def table_graph(panel: Mapping[str, Any]) -> str:
    """The tables and their links, drawn from what `graph_data` made of a schema.

    Raises:
        ValueError: it is not the graph of linked tables.
    """
    try:
        schema = LinkedSchema.parse(panel["schema"])
    except SchemaError as error:
        msg = "a graph of tables must be drawn from linked tables; however: what came are none"
        raise ValueError(msg) from error
    rows, real = ({str(name): int(n) for name, n in panel.get(key, {}).items()} for key in ("rows", "real"))
    drawn = draw_tables(schema, rows, real)
    drawn = re.sub(r"<title>[^<]*</title>\n", "", drawn, count=1)  # the page gives it another
    drawn = re.sub(r"<path ([^>]*)>(<title>[^<]*</title>)</path>", r"<g>\2<path \1/></g>", drawn)
    return drawn.replace(' role="img"', "", 1).strip()


def graph_data(schema: LinkedSchema, rows: Mapping[str, int], real: Mapping[str, int]) -> dict[str, object]:
    """Of a schema what its graph is drawn from: tables, numbers of columns, links; no level and no bound.

    Args:
        schema: what is drawn.
        rows: number of synthetic rows by table.
        real: number of rows that were fitted on.
    """
    tables: dict[str, object] = {}
    for name, table in schema.tables.items():
        links = [{"columns": list(link.columns), "to": link.to, "kind": link.kind} for link in table.links]
        columns = {column: {"kind": "identifier"} for column in table.columns}
        tables[name] = {"role": table.role, "key": list(table.key), "links": links, "columns": columns}
    return {
        "schema": {"name": schema.name, "unit": schema.unit, "tables": tables},
        "rows": dict(rows),
        "real": dict(real),
    }


DRAWN_CHARTS: Mapping[str, Callable[[Any], str]] = {f.__name__: f for f in (timelines, table_graph)}
