"""The section on law and standards for linked tables: which measurement is evidence for which."""

from __future__ import annotations

from collections.abc import Mapping

from synthkit.report.linked_context import LinkedContext
from synthkit.report.section_spec import SectionSpec
from synthkit.report.sections.standards import HAS_BUDGET, INSTRUMENTS, EvidenceItem, EvidenceLink, StandardsData

LINKED_ANCHORS: Mapping[
    str, tuple[str, bool]
] = {  # by section of the page on one table: which here, and whether shared
    "fidelity": ("tables", False),
    "utility": ("prediction", True),
    "copying": ("copying", False),
    "risk": ("risk", True),
    "privacy": ("privacy", True),
    "scope": ("scope", True),
}
TWO_WAY_TABLES = "fidelity.tv2"  # of linked tables there is one score a table


def _data(context: LinkedContext) -> StandardsData:
    measured = [score.metric for score in context.evaluation.scores]
    budget = bool(context.alone.privacy_sentences)
    return {
        "instruments": [
            {
                "name": each.name,
                "asks": each.asks,
                "items": [_item(item, measured, budget=budget) for item in each.items],
                "people": each.people,
            }
            for each in INSTRUMENTS
        ]
    }


def _item(item: EvidenceItem, measured: list[str], *, budget: bool) -> EvidenceLink:
    label, section, start = item
    anchor = LINKED_ANCHORS.get(section, (None, False))[0]
    if start == HAS_BUDGET:
        there = budget
    elif start == "":
        there = anchor is not None
    elif start == TWO_WAY_TABLES:
        there = any(metric.endswith(".tv2") for metric in measured)
    else:
        there = any(metric.startswith(start) for metric in measured)
    return {"label": label, "anchor": anchor, "there": there}


def _shareable(data: StandardsData) -> StandardsData:
    """No link to a section that is left out."""
    shown = {here for here, shared in LINKED_ANCHORS.values() if shared}
    return {
        "instruments": [
            {
                **each,
                "items": [{**i, "anchor": i["anchor"] if i["anchor"] in shown else None} for i in each["items"]],
            }
            for each in data["instruments"]
        ]
    }


LINKED_STANDARDS = SectionSpec(
    id="standards",
    title="Law and standards: what this is evidence for",
    data=_data,
    tag="public",
    shareable=_shareable,
)
