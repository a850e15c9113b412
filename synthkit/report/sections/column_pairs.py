"""The section on pairs of columns: heat maps, the worst pairs and the worst cells."""

from __future__ import annotations

from typing import TypedDict

from synthkit.report.context import ReportContext
from synthkit.report.labels import number
from synthkit.report.panel_types import PairErrorsPanel, Panels, WorstCellPanel
from synthkit.report.records import Figure, figure
from synthkit.report.section_spec import SectionSpec

MAX_WORST_PAIRS = 12


class WorstPair(TypedDict):
    """A pair of columns and its errors."""

    a: str
    b: str
    error: str
    reference: str


class WorstCell(TypedDict):
    """A cell of a table of two columns, with its counts."""

    columns: str
    cell: str
    holdout: str
    synthetic: str


class PairsData(TypedDict, total=False):
    """Heat maps and tables."""

    figures: list[Figure]
    worst: list[WorstPair]
    cells: list[WorstCell]
    absent: str


def _data(context: ReportContext) -> PairsData:
    panels = context.panels
    errors = panels.get("pairs")
    worst = worst_pairs(errors) if errors and len(errors["columns"]) > 1 else []
    figures = [each for each in (_errors(panels, worst), _correlations(panels)) if each is not None]
    cells = [_cell(cell) for cell in list(panels.get("worst_cells") or [])[:MAX_WORST_PAIRS]]
    if not figures and not cells:
        return {"absent": "Pairs of columns were not compared."}
    return {"figures": figures, "worst": worst, "cells": cells}


def _errors(panels: Panels, worst: list[WorstPair]) -> Figure | None:
    panel = panels.get("pairs")
    if not panel or len(panel["columns"]) < 2:
        return None
    return figure(
        "pair_errors",
        panel,
        title="Error of two-way tables",
        description="Triangle of squares, one a pair of columns; the darker, the larger the total variation "
        "distance. Worst: " + "; ".join(f"{p['a']} and {p['b']} {p['error']}" for p in worst[:3]) + ".",
        caption=f"Total variation distance of each two-way table from the holdout's; what stands out is worse. "
        f"{len(panel['columns'])} of {panel.get('of', len(panel['columns']))} columns, those farthest off.",
    )


def _correlations(panels: Panels) -> Figure | None:
    panel = panels.get("correlation")
    if not panel or len(panel["columns"]) < 2:
        return None
    return figure(
        "correlations",
        panel,
        title="Correlations, real, synthetic and their difference",
        description="Three triangles of squares: the larger, the stronger; filled is positive, hollow is not.",
        caption="The larger a square, the stronger the correlation; filled is positive, hollow negative. "
        "Levels have no sign: there it is Cramér's V or the correlation ratio. Shown are the columns that "
        "differ most.",
    )


def _cell(cell: WorstCellPanel) -> WorstCell:
    name = cell["cell"]
    return {
        "columns": " × ".join(map(str, cell["columns"])),
        "cell": name if isinstance(name, str) else " × ".join(map(str, name)),
        "holdout": _count(cell["holdout"], cell.get("holdout_rows")),
        "synthetic": _count(cell["synthetic"], cell.get("synthetic_rows")),
    }


def _count(count: float | str, rows: int | None) -> str:
    """A count and its share; counts too small to be shown come as text, shares alone as fractions."""
    if isinstance(count, str):
        return count
    return number(count, "share") if rows is None else f"{count:,} ({number(count / rows, 'share')})"


def worst_pairs(panel: PairErrorsPanel) -> list[WorstPair]:
    """The pairs with the largest error, and what the same pair of the reference rows errs."""
    columns, error, reference = panel["columns"], panel["error"], panel.get("reference")
    found = [(e, i, j) for i in range(len(columns)) for j in range(i) if (e := error[i][j]) is not None]
    known = reference if isinstance(reference, list) else None
    return [
        {
            "a": columns[j],
            "b": columns[i],
            "error": number(e),
            "reference": "not measured" if known is None else number(known[i][j]),
        }
        for e, i, j in sorted(found, reverse=True)[:MAX_WORST_PAIRS]
    ]


COLUMN_PAIRS = SectionSpec(id="pairs", title="Pairs of columns", data=_data)
