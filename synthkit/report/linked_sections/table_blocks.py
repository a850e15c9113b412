"""The section on each table by itself: a foldable block with the figures that a report on one table has."""

from __future__ import annotations

from typing import TypedDict

from synthkit.report.data_table import DataTable, data_table
from synthkit.report.labels import number, slug
from synthkit.report.linked_context import LinkedContext
from synthkit.report.records import ScoreRow
from synthkit.report.section_spec import SectionSpec
from synthkit.report.sections.column_distributions import DistributionCard

SINGLE_TABLE_SCORES = ("shape", "tv1", "trend", "tv2", "row_c2st")
OVERVIEW_SCORES = (("shape", "Column shapes"), ("tv1", "One-way"), ("trend", "Pair trends"), ("tv2", "Two-way"))


class TableBlock(TypedDict):
    """One table: its scores, and a small chart of each column."""

    name: str
    rows: str
    scores: list[ScoreRow]
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
        "cards": cards,
    }


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
