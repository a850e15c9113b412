"""The section on what was compared: models, rows, draws and day."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypedDict

from synthkit.report.compared_models import ComparisonContext
from synthkit.report.labels import number
from synthkit.report.records import Fact
from synthkit.report.section_spec import SectionSpec


class ComparisonFactsData(TypedDict):
    """Labels and values."""

    facts: list[Fact]


def _facts(context: ComparisonContext) -> Iterator[Fact]:
    data, plan = context.data, context.plan
    yield "Models", f"{len(context.finished)} of {len(context.models)} finished"
    yield "Source table", str(data["source"]) if data.get("source") else "a frame"
    counted = context.counted
    whole = counted[:1].upper() + counted[1:]
    yield f"{whole} fitted on", number(plan["train"], "count")
    yield f"{whole} held out", number(plan["holdout"], "count")
    yield "Columns", str(data["columns"])
    yield f"Synthetic {counted} a draw", number(plan["rows"], "count")
    yield "Draws a model", str(plan["draws"])
    if data.get("date"):
        yield "Date", str(data["date"])[:10]


def _data(context: ComparisonContext) -> ComparisonFactsData:
    return {"facts": list(_facts(context))}


COMPARISON_FACTS = SectionSpec(id="released", title="What was compared", data=_data)
