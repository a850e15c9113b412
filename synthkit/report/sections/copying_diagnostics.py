"""The section on copying diagnostics, which are no evidence of privacy."""

from __future__ import annotations

from typing import TypedDict

from synthkit.report.context import ReportContext
from synthkit.report.records import ScoreRow
from synthkit.report.section_spec import SectionSpec


class CopyingData(TypedDict, total=False):
    """Scores, or the sentence that says why there are none."""

    scores: list[ScoreRow]
    absent: str


def _data(context: ReportContext) -> CopyingData:
    rows = context.score_rows("copying")
    return {"scores": rows} if rows else {"absent": "Copying was not measured."}


COPYING_DIAGNOSTICS = SectionSpec(id="copying", title="Copying diagnostics", data=_data)
