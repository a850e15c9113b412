"""The section with the scores of SDMetrics' multi-table report, which are not ours."""

from __future__ import annotations

from synthkit.report.linked_context import LinkedContext
from synthkit.report.linked_section_data import LINKED_TEMPLATE, LinkedSectionData, scores_alone
from synthkit.report.section_spec import SectionSpec


def _data(context: LinkedContext) -> LinkedSectionData:
    scores = context.starting("fidelity.sdmetrics.")
    if not scores:
        quick = " A quick evaluation leaves it out." if context.facts.get("quick") else ""
        return {"absent": f"SDMetrics' multi-table report was not made.{quick}"}
    return {
        "paragraphs": [
            "The scores of another library beside ours, so that nobody need trust our scorer. It looks at columns, "
            "pairs and numbers of rows; order, time and whole histories are not in it."
        ],
        "caption": "SDMetrics' multi-table quality report",
        "scores": scores,
    }


OUTSIDE_JUDGEMENT = SectionSpec(
    id="outside", title="Judged by others: SDMetrics", data=_data, shareable=scores_alone, template=LINKED_TEMPLATE
)
