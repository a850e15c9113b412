"""The section on pairs and single columns that give synthetic rows away, each beside what real rows show."""

from __future__ import annotations

from typing import TypedDict

from synthkit.report.context import ReportContext
from synthkit.report.data_table import DataTable, data_table
from synthkit.report.labels import number, span
from synthkit.report.panel_types import TellingColumnsPanel, TellingPairsPanel
from synthkit.report.records import Figure, figure
from synthkit.report.section_spec import SectionSpec


class TellingData(TypedDict, total=False):
    """Charts and tables, pairs first."""

    figures: list[Figure]
    tables: list[DataTable]
    absent: str


def _data(context: ReportContext) -> TellingData:
    pairs, columns = context.panels.get("telling_pairs"), context.panels.get("telling_columns")
    figures, tables = [], []
    if pairs:
        figures.append(_pairs(pairs))
        tables.append(_table(pairs))
    if columns:
        figures.append(_columns(columns))
    if not figures:
        return {"absent": "No classifier was shown single columns or pairs of columns alone."}
    return {"figures": figures, "tables": tables}


def _pairs(panel: TellingPairsPanel) -> Figure:
    worst = [f"{' and '.join(each['columns'])} {number(each['gain'])}" for each in panel["pairs"][:3]]
    return figure(
        "telling_pairs",
        panel,
        title="Pairs that give it away",
        description="Bars by pair of columns: how much better the two tell synthetic from holdout rows than the better "
        f"of them alone. Most telling: {'; '.join(worst)}.",
        caption="AUC of telling synthetic from holdout rows by two columns, less that of the better one: what is wrong "
        "with how the two go together. Circles: training rows in the place of the synthetic ones. Lines: intervals "
        f"that hold for all {panel['of']:,} pairs at once.",
    )


def _columns(panel: TellingColumnsPanel) -> Figure:
    worst = [f"{each['column']} {number(each['auc'])}" for each in panel["columns"][:3]]
    return figure(
        "telling_columns",
        panel,
        title="Columns that give it away",
        description="Bars by column: AUC of telling synthetic from holdout rows by this column alone; 0.5 is a coin "
        f"toss. Most telling: {'; '.join(worst)}.",
        caption="AUC of telling synthetic from holdout rows by one column; dashed: a coin toss. Circles: training rows "
        f"in the place of the synthetic ones. Lines: intervals that hold for all {panel['of']:,} columns at once.",
    )


def _table(panel: TellingPairsPanel) -> DataTable:
    rows = [
        [
            " × ".join(each["columns"]),
            number(each["auc"]),
            number(each["single"]),
            f"{number(each['gain'])} {span(each['low'], each['high'])}",
            number(each["reference"]),
        ]
        for each in panel["pairs"]
    ]
    heads = ["Pair", "#AUC of both", "#AUC of the better one", "#Gain", "#Gain of real rows"]
    return data_table("Pairs of columns by what they tell together", heads, rows)


TELLING_COLUMNS = SectionSpec(id="telling", title="Pairs that give it away", data=_data)
