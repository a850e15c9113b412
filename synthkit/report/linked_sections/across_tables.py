"""The section on what holds across tables: timing of siblings, correlations of units, rows beside their owners."""

from __future__ import annotations

from synthkit.report.data_table import DataTable, data_table
from synthkit.report.labels import number
from synthkit.report.linked_context import LinkedContext
from synthkit.report.linked_section_data import LINKED_TEMPLATE, FoldedTables, LinkedSectionData, scores_alone
from synthkit.report.linked_sections.order_and_time import DAY_IN_SECONDS
from synthkit.report.section_spec import SectionSpec

ACROSS_SCORES = (
    *("fidelity.alignment_ks", "fidelity.alignment_share", "fidelity.unit_correlations"),
    *("fidelity.owner_pairs_tv", "fidelity.owner_codes_tv"),
)
SHOWN_OWNER_COLUMNS = 15


def _data(context: LinkedContext) -> LinkedSectionData:
    scores = context.score_rows(ACROSS_SCORES)
    if not scores:
        return {"absent": "Nothing across tables was measured: there is one table, or the others have no rows."}
    alignment = _alignment(context)
    open_tables = [t for t in (alignment, _pairs(context)) if t is not None]
    return {
        "paragraphs": [
            "Whether tables know of each other: rows of one that come shortly after rows of another, people with much "
            "of the one and much of the other, and columns of a row beside columns of the row it belongs to. A design "
            "that makes each table alone loses all of this and still scores well table by table."
        ],
        "caption": "Across tables",
        "scores": scores,
        "tables": open_tables,
        "folded": _correlated(context),
    }


def _alignment(context: LinkedContext) -> DataTable | None:
    panel, score = context.panels.get("alignment") or {}, context.find("fidelity.alignment_ks")
    lines = []
    for name, each in panel.items():
        table = name.partition(" after ")[0]
        order = context.schema.tables[table].order if table in context.schema.tables else None
        days = order is not None and context.schema.tables[table].columns[order.start].kind == "datetime"
        window = _duration(each["window"] / DAY_IN_SECONDS) if days else f"{each['window']:,.4g}"
        distance = number(score.parts[name]) if score is not None and name in score.parts else "—"
        lines.append([name, window, *(number(each[s], "share") for s in ("real", "synthetic")), distance])
    heads = [
        "Rows of a table after rows of another",
        "#Within",
        "#Held-out rows",
        "#Synthetic rows",
        "#KS of the delay",
    ]
    return data_table("Tables beside each other in time", heads, lines) if lines else None


def _duration(days: float) -> str:
    return f"{days:,.3g} days" if days >= 2 else f"{24 * days:.2g} hours"


def _pairs(context: LinkedContext) -> DataTable | None:
    panel = list(context.panels.get("owner_pairs") or ())[:SHOWN_OWNER_COLUMNS]
    lines = [[each["pair"], number(each["tv"])] for each in panel]
    return (
        data_table("Columns beside columns of their owners, farthest first", ["Pair", "#TV"], lines) if lines else None
    )


def _correlated(context: LinkedContext) -> list[FoldedTables]:
    score = context.find("fidelity.unit_correlations")
    if score is None or not score.parts:
        return []
    worst = sorted(score.parts, key=lambda name: -score.parts[name])[:SHOWN_OWNER_COLUMNS]
    table = data_table(
        "What units have, by how far its correlations with all else lie apart",
        ["Of a unit", "#Mean difference"],
        [[name, number(score.parts[name])] for name in worst],
    )
    return [{"title": "Correlations of what units have", "tables": [table]}]


ACROSS_TABLES = SectionSpec(
    id="across", title="Across tables", data=_data, shareable=scores_alone, template=LINKED_TEMPLATE
)
