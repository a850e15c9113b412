"""The section on keys, links, order and rules of linked tables: what must hold, and rows in which it does not."""

from __future__ import annotations

from collections.abc import Sequence

from synthkit.report.data_table import DataTable, data_table
from synthkit.report.labels import number
from synthkit.report.linked_context import LinkedContext
from synthkit.report.linked_inputs import LinkedValidationJson
from synthkit.report.linked_panels import BrokenRowsPanel
from synthkit.report.linked_section_data import LINKED_TEMPLATE, FoldedTables, LinkedSectionData
from synthkit.report.section_spec import SectionSpec

VALIDATED = (("input", "Real tables"), ("holdout", "Held-out tables"), ("output", "Synthetic tables"))


def _data(context: LinkedContext) -> LinkedSectionData:
    panel = context.panels.get("integrity")
    checked = [(label, context.validation[key]) for key, label in VALIDATED if context.validation.get(key) is not None]
    if panel is None and not checked:
        return {"absent": "Keys and rules were not checked in this evaluation."}
    broken = [each for each in panel or () if each["broken"]]
    tables = [_validations(checked)] if checked else []
    tables += [_breaks(f"Broken in synthetic rows: {len(broken)} of {len(panel or ())}", broken)] if broken else []
    tables += [_violations(label, each) for label, each in checked if not each["success"]]
    folded: list[FoldedTables] = []
    if panel:
        title = f"Everything that must hold, {len(panel)} lines"
        folded.append({"title": title, "tables": [_breaks("What must hold, by table", panel)]})
    return {
        "paragraphs": _sentences(panel) if panel else [],
        "caption": "Units with something broken",
        "scores": context.score_rows(["fidelity.integrity"]),
        "tables": tables,
        "folded": folded,
    }


def _sentences(panel: Sequence[BrokenRowsPanel]) -> list[str]:
    rows, broken = sum(each["rows"] for each in panel), sum(each["broken"] for each in panel)
    said = "none is broken" if not broken else f"{broken:,} times one is broken"
    return [
        f"{len(panel)} keys, links, orders and rules were looked up anew in the cells of {rows:,} rows (a row counts "
        f"once for each): {said}."
    ]


def _breaks(caption: str, panel: Sequence[BrokenRowsPanel]) -> DataTable:
    lines = [
        [f"{each['table']}: {each['kind']}", f"{each['rows']:,}", f"{each['broken']:,}", f"{each['broken real']:,}"]
        for each in panel
    ]
    return data_table(caption, ["What", "#Synthetic rows", "#Broken", "#Broken in held-out rows"], lines)


def _validations(checked: list[tuple[str, LinkedValidationJson]]) -> DataTable:
    lines = []
    for label, each in checked:
        expectations = sum(v["checked"]["expectations"] for v in each["tables"].values())
        wrong = len(each["amiss"]) + sum(len(v["violations"]) for v in each["tables"].values())
        unchecked = sum(len(v["unchecked"]) for v in each["tables"].values())
        word = "✓ passed" if each["success"] else "✗ failed"
        lines.append([label, word, number(expectations, "count"), f"{wrong:,}", f"{unchecked:,}"])
    return data_table(
        "Validation against the schema", ["Tables", "Result", "#Checks", "#Broken", "#Not checked"], lines
    )


def _violations(label: str, result: LinkedValidationJson) -> DataTable:
    lines = [[", ".join(v["columns"]), v["rule"], f"{v['count']:,}"] for v in result["amiss"]]
    for table, each in result["tables"].items():
        lines += [[f"{table}: {', '.join(v['columns'])}", v["rule"], f"{v['count']:,}"] for v in each["violations"]]
    return data_table(f"{label}: what is broken", ["Columns", "Must hold", "#Rows"], lines)


LINKED_INTEGRITY = SectionSpec(
    id="integrity", title="Keys and rules: do they hold?", data=_data, template=LINKED_TEMPLATE
)
