"""The section with timelines of twenty synthetic units as a chart; no real unit is shown."""

from __future__ import annotations

from synthkit.report.compared_models import listed_names
from synthkit.report.linked_context import LinkedContext
from synthkit.report.linked_section_data import LINKED_TEMPLATE, LinkedSectionData
from synthkit.report.records import figure
from synthkit.report.section_spec import SectionSpec, unchanged


def _data(context: LinkedContext) -> LinkedSectionData:
    panel = context.panels.get("timelines")
    if not panel or not panel["units"]:
        return {"absent": "No timeline was recorded: no table below the units has an order, or none has rows."}
    many = len(panel["units"])
    none = sum(not unit["events"] for unit in panel["units"])
    beside = panel["not drawn"]
    lacking = f" On another clock, or without a moment, and not drawn: {listed_names(beside)}." if beside else ""
    empty = panel.get("no rows") or ()
    lacking += f" Without synthetic rows: {listed_names(empty)}." if empty else ""
    drawn = figure(
        "timelines",
        panel,
        title=f"Timelines of {many} synthetic {context.unit}",
        description=f"A line each, time to the right, a mark an event in the lane of its table; {none} of {many} have "
        "no event.",
        caption="Chosen at random, none for its looks. The upright bar at the end of a line is the end of follow-up, "
        f"where the schema declares one.{lacking}",
    )
    return {"figures": [drawn]}


UNIT_TIMELINES = SectionSpec(
    id="timelines",
    title="Synthetic timelines",
    data=_data,
    tag="public",
    shareable=unchanged,
    template=LINKED_TEMPLATE,
)
