"""The section on groups of people: the same measures in each group of the protected columns."""

from __future__ import annotations

from typing import TypedDict

from synthkit.report.context import ReportContext
from synthkit.report.labels import number, span
from synthkit.report.panel_types import Panels, SubgroupPanel
from synthkit.report.section_spec import SectionSpec

GROUP_MEASURES = {"fidelity": "Likeness of the group's rows", "utility": "Loss of prediction in the group"}


class GroupLine(TypedDict):
    """One measure in one group, in words."""

    group: str
    what: str
    units: str
    text: str
    interval: str
    reference: str


class GroupsData(TypedDict, total=False):
    """Lines, or the sentence that says why there are none."""

    groups: list[GroupLine]
    absent: str


def _data(context: ReportContext) -> GroupsData:
    if context.panels.get("subgroups"):
        return {"groups": _groups(context.panels)}
    failed = context.failed("fidelity.subgroups")
    why = "it failed" if failed else "the schema names no `protected` column"
    return {"absent": f"No group of people was looked at: {why}."}


def _groups(panels: Panels) -> list[GroupLine]:
    """A line for each group of people and measure; groups that are too small are named and not measured."""
    return [_line(entry) for entry in panels.get("subgroups") or []]


def _line(entry: SubgroupPanel) -> GroupLine:
    target = f": {entry['target']}" if entry.get("target") else ""
    what = GROUP_MEASURES.get(entry["measure"], entry["measure"]) + target
    if entry["suppressed"]:
        return {
            "group": entry["group"],
            "what": what,
            "units": "few",
            "text": "not measured",
            "interval": "",
            "reference": "",
        }
    return {
        "group": entry["group"],
        "what": what,
        "units": f"{entry['units']:,}",
        "text": number(entry.get("similarity", entry.get("gap"))),
        "interval": span(entry["low"], entry["high"]),
        "reference": number(entry.get("reference")),
    }


GROUP_RESULTS = SectionSpec(id="subgroups", title="Groups of people", data=_data)
