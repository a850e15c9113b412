"""The section on what was released, or on what was measured where nothing is released."""

from __future__ import annotations

from pathlib import PurePath
from typing import NotRequired, TypedDict

from synthkit.report.context import ReportContext
from synthkit.report.inputs import RunFacts
from synthkit.report.labels import number
from synthkit.report.records import Fact
from synthkit.report.row_counts import (
    draws_of,
    listed,
    looked_at,
    made_here,
    of_draws,
    raking_sentence,
    release_surface,
    rows_of,
)
from synthkit.report.section_spec import SectionSpec

WATERMARKED = "keyed: who holds the key can tell these rows, or part of them, by `synthkit detect`"
TITLE_WITHOUT_RELEASE = "What was measured"
INTERNAL_FACTS = ("Source table", "Rows fitted on", "Rows held out", "Real rows looked at")


class ReleasedRowsData(TypedDict):
    """Labels and values; `title` where nothing is released."""

    facts: list[Fact]
    title: NotRequired[str]


def released_facts(facts: RunFacts) -> list[Fact]:
    """What was released or measured, as label and value."""
    rows, columns, here = rows_of(facts), facts.get("columns"), made_here(facts)
    source, draws = facts.get("source"), of_draws(facts)
    pairs = [
        ("Synthetic rows", listed(draws if len(set(draws)) > 1 else draws[:1]) if draws else None),
        ("Synthetic rows looked at", looked_at(facts, ["synthetic"]) or None),
        ("Real rows looked at", looked_at(facts, ["train", "holdout"]) or None),
        ("Columns", columns if columns is None or isinstance(columns, int) else len(columns)),
        ("Model", facts.get("model")),
        ("Source table", None if source is None else PurePath(str(source)).name),
        ("Rows fitted on", number(rows["train"], "count") if "train" in rows else None),
        ("Rows held out", number(rows["holdout"], "count") if "holdout" in rows else None),
        ("Draws", draws_of(facts)),
        ("Calibrated", raking_sentence(facts)),
        ("Watermark", WATERMARKED if facts.get("watermark") else None),
        ("Date", str(facts["date"])[:10] if facts.get("date") else None),
        ("Made", None if here else "elsewhere; how is not known here"),
        ("To be released", release_surface(facts) or "nothing"),
    ]
    return [(label, str(value)) for label, value in pairs if value is not None]


def _data(context: ReportContext) -> ReleasedRowsData:
    data: ReleasedRowsData = {"facts": released_facts(context.facts)}
    return data if release_surface(context.facts) else {**data, "title": TITLE_WITHOUT_RELEASE}


def _shareable(data: ReleasedRowsData) -> ReleasedRowsData:
    """Without the table's name and numbers of real rows."""
    return {**data, "facts": [fact for fact in data["facts"] if fact[0] not in INTERNAL_FACTS]}


RELEASED_ROWS = SectionSpec(id="released", title="What was released", data=_data, shareable=_shareable)
