"""The section on missing cells: their shares in the columns that have any."""

from __future__ import annotations

from typing import TypedDict

from synthkit.report.context import ReportContext
from synthkit.report.labels import number
from synthkit.report.panel_types import MissingnessPanel
from synthkit.report.records import Figure, figure
from synthkit.report.section_spec import SectionSpec

MISSINGNESS_TABLES = ("train", "holdout", "synthetic")


class MissingCellsData(TypedDict, total=False):
    """A chart, its table, and the number of columns without a missing cell."""

    figures: list[Figure]
    rows: list[dict[str, str]]
    complete: int
    absent: str


def _data(context: ReportContext) -> MissingCellsData:
    rows = context.panels.get("missingness")
    if rows is None:
        return {"absent": "Missing cells were not compared."}
    some = [r for r in rows if any(_share(r, key) for key in MISSINGNESS_TABLES)]
    if not some:
        return {"absent": "No cell is missing in the rows that were looked at, real or synthetic."}
    some = sorted(some, key=lambda r: -abs((r["synthetic"] or 0) - (r["train"] or 0)))
    table = [{"column": r["column"], **{k: number(_share(r, k), "share") for k in r if k != "column"}} for r in some]
    far = some[0]
    drawn = figure(
        "missingness",
        some,
        title="Share of missing cells by column",
        description=f"{len(some)} columns have missing cells. Farthest apart: {far['column']}, training "
        f"{number(far['train'], 'share')}, synthetic {number(far['synthetic'], 'share')}.",
        caption="Circle: training rows. Bar: holdout. Diamond: synthetic. Columns farthest apart first.",
    )
    return {"figures": [drawn], "rows": table, "complete": len(rows) - len(some)}


def _share(row: MissingnessPanel, table: str) -> float | None:
    shares = {"train": row["train"], "holdout": row.get("holdout"), "synthetic": row["synthetic"]}
    return shares[table]


MISSING_CELLS = SectionSpec(id="missingness", title="Missing cells", data=_data)
