"""The graph of linked tables as a drawing: units to the left, what they own to the right, catalogues below."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

if TYPE_CHECKING:
    from synthkit.schema.linked.linked_schema import LinkedSchema

BOX_WIDTH, BOX_HEIGHT, COLUMN_STEP, ROW_STEP, DRAWING_MARGIN = (
    190,
    52,
    270,
    74,
    24,
)  # of a box, between boxes, of the margin; in pixels
_BESIDE = 20  # pixels that lines beside the last boxes take more than the margin
_NAME_SIZES, _LETTER_WIDTH, _MOST_LETTERS = (11, 14), 0.62, 24  # pixels; part of the size, letters of a name
_LINES = {  # how a link of each kind is drawn
    "owner": ("#1f4e9c", "", 2.0),
    "implied": ("#9aa5b1", "2 4", 1.0),
    "earlier": ("#b25d00", "6 4", 1.5),
    "reference": ("#5c7c2f", "1 3", 1.5),
    "shared": ("#7a4ea3", "6 3 1 3", 1.5),
    "peer": ("#b0003a", "8 3", 1.5),
}


@dataclass(frozen=True)
class TableBox:
    """Where a table stands, in pixels."""

    name: str
    x: float
    y: float


def draw_tables(
    schema: LinkedSchema, rows: Mapping[str, int] | None = None, real: Mapping[str, int] | None = None
) -> str:
    """SVG of the tables and their links.

    Args:
        schema: what is drawn.
        rows: number of rows of each table, written beside its name if given.
        real: the same of real tables, where `rows` are of synthetic ones.

    Example:
        >>> from synthkit.schema.linked import LinkedSchema
        >>> one = {"key": ["id"], "columns": {"id": {"kind": "identifier"}}}
        >>> draw_tables(LinkedSchema(unit="patients", tables={"patients": one})).count("<rect")
        1
    """
    boxes = {box.name: box for box in _boxes(schema)}
    width = max(box.x for box in boxes.values()) + BOX_WIDTH + DRAWING_MARGIN + _BESIDE
    height = max(box.y for box in boxes.values()) + BOX_HEIGHT + DRAWING_MARGIN + 30
    drawn = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}" width="{width:.0f}" '
        f'height="{height:.0f}" font-family="system-ui, sans-serif" role="img">',
        f"<title>{escape(schema.name)}: {len(boxes)} tables</title>",
        *_links(schema, boxes),
        *(line for box in boxes.values() for line in _box(schema, box, rows or {}, real or {})),
        *_legend(schema, height - 14),
        "</svg>",
    ]
    return "\n".join(drawn) + "\n"


def _boxes(schema: LinkedSchema) -> Iterator[TableBox]:
    """Depth gives the column; a table stands beside the first of its children."""
    graph, rows = schema.graph, 0
    for name in _depth_first(schema, graph.unit):
        yield TableBox(name, DRAWING_MARGIN + COLUMN_STEP * graph.depth(name), DRAWING_MARGIN + ROW_STEP * rows)
        rows += not graph.children(name)
    below = DRAWING_MARGIN + ROW_STEP * rows + 10
    columns = 1 + max(graph.depth(name) for name in graph.records)
    for k, name in enumerate((*graph.references, *graph.shared)):
        yield TableBox(
            name, DRAWING_MARGIN + COLUMN_STEP * (k % max(columns, 3)), below + ROW_STEP * (k // max(columns, 3))
        )


def _depth_first(schema: LinkedSchema, name: str) -> Iterator[str]:
    yield name
    for child in schema.graph.children(name):
        yield from _depth_first(schema, child)


def _counted(name: str, rows: Mapping[str, int], real: Mapping[str, int]) -> str:
    """Numbers of rows of a table in words, nothing where they are not known."""
    if name not in rows:
        return ""
    return f"{rows[name]:,} rows" if name not in real else f"{rows[name]:,} synthetic, {real[name]:,} real"


def _box(schema: LinkedSchema, box: TableBox, rows: Mapping[str, int], real: Mapping[str, int]) -> Iterator[str]:
    table = schema.tables[box.name]
    role = "units" if box.name == schema.unit else table.role
    columns = f"{len(table.columns)} columns" * bool(table.columns)
    counted, of_two = _counted(box.name, rows, real), box.name in rows and box.name in real
    plain = of_two and role == "records"  # what stands in most boxes need not be said where it is long
    said = counted if plain else ", ".join(filter(None, [role, counted or columns]))
    fill = {"units": "#dce8fb", "records": "#f4f6f8", "reference": "#eef4e4", "shared": "#f3ebfa"}[role]
    yield (
        f'<rect x="{box.x}" y="{box.y}" width="{BOX_WIDTH}" height="{BOX_HEIGHT}" rx="6" fill="{fill}" '
        'stroke="#52606d"/>'
    )
    yield (
        f'<text x="{box.x + 12}" y="{box.y + 22}" font-size="{_name_size(box.name)}" font-weight="600" fill="#1f2933">'
        f"{escape(_short(box.name, _MOST_LETTERS))}</text>"
    )
    yield f'<text x="{box.x + 12}" y="{box.y + 40}" font-size="11" fill="#52606d">{said}</text>'


def _links(schema: LinkedSchema, boxes: Mapping[str, TableBox]) -> Iterator[str]:
    for name, table in schema.tables.items():
        for link in table.links:
            colour, dashes, thick = _LINES[link.kind]
            yield (
                f'<path d="{_way(boxes[name], boxes[link.to])}" fill="none" stroke="{colour}" stroke-width="{thick}" '
                f'stroke-dasharray="{dashes}"><title>{escape(name)}.{escape(", ".join(link.columns))}: {link.kind} in '
                f"{escape(link.to)}</title></path>"
            )


def _way(box: TableBox, to: TableBox) -> str:
    """From the left of a box to the right of the one it points to; a loop for a table that points to itself."""
    x, y = box.x, box.y + BOX_HEIGHT / 2
    if box.name == to.name:
        right = x + BOX_WIDTH
        return f"M{right} {y - 12} C{right + 40} {y - 30} {right + 40} {y + 30} {right} {y + 12}"
    if to.x < box.x:
        end = to.x + BOX_WIDTH, to.y + BOX_HEIGHT / 2
        middle = (x + end[0]) / 2
        return f"M{x} {y} C{middle} {y} {middle} {end[1]} {end[0]} {end[1]}"
    if to.x == box.x:  # beside the boxes between them
        right, end_y = x + BOX_WIDTH, to.y + BOX_HEIGHT / 2
        return f"M{right} {y - 8} C{right + 44} {y - 8} {right + 44} {end_y + 8} {right} {end_y + 8}"
    start = x + BOX_WIDTH / 2, box.y + (BOX_HEIGHT if to.y > box.y else 0)
    end = to.x + BOX_WIDTH / 2, to.y + (0 if to.y > box.y else BOX_HEIGHT)
    bend = (start[1] + end[1]) / 2
    return f"M{start[0]} {start[1]} C{start[0]} {bend} {end[0]} {bend} {end[0]} {end[1]}"


def _legend(schema: LinkedSchema, y: float) -> Iterator[str]:
    kinds = {link.kind for table in schema.tables.values() for link in table.links}
    x = DRAWING_MARGIN
    for kind in (each for each in _LINES if each in kinds):
        colour, dashes, thick = _LINES[kind]
        yield f'<path d="M{x} {y} h28" stroke="{colour}" stroke-width="{thick}" stroke-dasharray="{dashes}"/>'
        yield f'<text x="{x + 34}" y="{y + 4}" font-size="11" fill="#52606d">{kind}</text>'
        x += 104


def _name_size(name: str) -> float:
    """Size of letters in which a name fits its box, in pixels."""
    least, most = _NAME_SIZES
    room = (BOX_WIDTH - 24) / (_LETTER_WIDTH * min(len(name), _MOST_LETTERS))
    return float(round(min(most, max(least, room)), 1))


def _short(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"
