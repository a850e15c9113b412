"""The section on each table by itself: a foldable block with the figures that a report on one table has."""

from __future__ import annotations

from typing import TypedDict

from synthkit.report.data_table import DataTable, data_table
from synthkit.report.labels import number, slug
from synthkit.report.linked_context import LinkedContext
from synthkit.report.records import ScoreRow
from synthkit.report.section_spec import SectionSpec
from synthkit.report.sections.column_distributions import DistributionCard

SINGLE_TABLE_SCORES = ("shape", "tv1", "trend", "tv2", "series_values", "row_c2st")
WORST_LEVELS = 12  # of a series, in the table of the farthest apart
OVERVIEW_SCORES = (("shape", "Column shapes"), ("tv1", "One-way"), ("trend", "Pair trends"), ("tv2", "Two-way"))


class TableBlock(TypedDict):
    """One table: its scores, its columns within the levels of its series, and a small chart of each column."""

    name: str
    rows: str
    scores: list[ScoreRow]
    series: list[DataTable]
    cards: list[DistributionCard]


class TableBlocksData(TypedDict, total=False):
    """An overview, and a block a table."""

    absent: str
    unit: str
    overview: DataTable
    blocks: list[TableBlock]


def _data(context: LinkedContext) -> TableBlocksData:
    taken: set[str] = set()
    blocks = [_block(context, name, taken) for name in context.tables]
    blocks = [block for block in blocks if block["scores"] or block["cards"]]
    if not blocks:
        return {"absent": "No table was compared by itself."}
    return {"unit": context.unit, "overview": _overview(context), "blocks": blocks}


def _block(context: LinkedContext, name: str, taken: set[str]) -> TableBlock:
    counts = context.rows("synthetic").get(name)
    entries = (context.panels.get("table_distributions") or {}).get(name) or ()
    cards: list[DistributionCard] = [
        {
            "id": "column-" + slug(f"{name} {e['column']}", taken),
            "entry": e,
            "error": number(e.get("error")),
            "reference": None if e.get("reference") is None else number(e["reference"]),
        }
        for e in entries
    ]
    return {
        "name": name,
        "rows": "" if counts is None else f"{counts:,} synthetic rows",
        "scores": context.score_rows([f"fidelity.{name}.{each}" for each in SINGLE_TABLE_SCORES], name),
        "series": _by_level(context, name),
        "cards": cards,
    }


def _by_level(context: LinkedContext, name: str) -> list[DataTable]:
    """Columns within the levels of the table's series, those farthest above what real rows score."""
    panel = (context.panels.get("series_values") or {}).get(name)
    if panel is None:
        return []
    lines = [
        [
            f"{each['level']}: {each['column']}",
            number(each["value"]),
            number(each["reference"]),
            *(f"{each[side]:,}" for side in ("synthetic rows", "real rows")),
        ]
        for each in panel["levels"][:WORST_LEVELS]
    ]
    series = context.schema.tables[name].series
    caption = f"Values by level of {series}, farthest above real rows first; 0 is identical. "
    caption += f"Levels compared: {panel['compared']:,}; with too few rows: {panel['left out']:,}"
    heads = ["Level and column", "#KS or TV", "#Real rows score", "#Synthetic rows", "#Held-out rows"]
    return [data_table(caption, heads, lines)]


def _overview(context: LinkedContext) -> DataTable:
    """Synthetic value and the holdout's of each score, a line a table."""
    lines = []
    for name in context.tables:
        cells = []
        for each, _ in OVERVIEW_SCORES:
            score = context.find(f"fidelity.{name}.{each}")
            cells += ["—", "—"] if score is None else [number(score.value), number(score.reference)]
        if any(cell != "—" for cell in cells):
            lines.append([name, *cells])
    heads = [f"#{label}{more}" for _, label in OVERVIEW_SCORES for more in ("", ", real rows")]
    return data_table("Each table by itself; 1 is identical", ["Table", *heads], lines)


TABLE_BLOCKS = SectionSpec(id="tables", title="Table by table", data=_data, template="sections/tableblocks.html")
