"""The section on declared contradictions: people whose rows cannot all be true, synthetic beside held-out ones."""

from __future__ import annotations

from synthkit.report.data_table import data_table
from synthkit.report.labels import number
from synthkit.report.linked_context import LinkedContext
from synthkit.report.linked_panels import ContradictionSide
from synthkit.report.linked_section_data import LINKED_TEMPLATE, LinkedSectionData, scores_alone
from synthkit.report.section_spec import SectionSpec


def _data(context: LinkedContext) -> LinkedSectionData:
    panel = context.panels.get("contradictions")
    if not panel:
        return {
            "absent": "The schema declares no contradiction: a clinician who writes some under `contradictions` has "
            "them counted here."
        }
    lines = [
        [each["name"], *_cells(each["synthetic"]), *_cells(each["real"])]
        for each in sorted(panel, key=lambda p: -p["synthetic"]["units"] / max(p["synthetic"]["of"], 1))
    ]
    heads = ["Contradiction", f"#Synthetic {context.unit}", "#Rows", f"#Held-out {context.unit}", "#Rows"]
    return {
        "paragraphs": [
            "What a clinician called impossible, counted in synthetic and in held-out units alike. Real records "
            "contradict themselves too, so the excess is what counts; likeness of columns says nothing of it."
        ],
        "caption": "People with at least one",
        "scores": context.score_rows(["fidelity.contradictions", "fidelity.contradictions_excess"]),
        "tables": [data_table("By contradiction", heads, lines)],
    }


def _cells(side: ContradictionSide) -> list[str]:
    share = number(side["units"] / side["of"], "share") if side["of"] else "—"
    return [f"{side['units']:,} ({share})", f"{side['rows']:,} of {side['asked']:,}"]


CONTRADICTION_COUNTS = SectionSpec(
    id="contradictions",
    title="Do records contradict themselves?",
    data=_data,
    shareable=scores_alone,
    template=LINKED_TEMPLATE,
)
