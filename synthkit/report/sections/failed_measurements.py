"""The section on what was not measured, and why: what failed, and what was left out."""

from __future__ import annotations

from typing import TypedDict

from synthkit.report.context import ReportContext
from synthkit.report.records import Fact
from synthkit.report.section_spec import SectionSpec
from synthkit.report.unmeasured import left_out


class FailedMeasurement(TypedDict):
    """A metric and the reason why it has no value."""

    metric: str
    reason: str


class FailuresData(TypedDict):
    """Metrics that failed, and kinds of measurement that were left out."""

    failures: list[FailedMeasurement]
    left_out: list[Fact]


def failures_of(context: ReportContext, *, linked: bool) -> FailuresData:
    """What failed and what was left out of an evaluation of one table or of linked ones."""
    evaluation = context.evaluation
    named = [score.metric for score in evaluation.scores] + [failure.metric for failure in evaluation.failures]
    return {
        "failures": [{"metric": f.metric, "reason": f.reason} for f in evaluation.failures],
        "left_out": left_out(named, linked=linked, quick=bool(context.facts.get("quick"))),
    }


def _data(context: ReportContext) -> FailuresData:
    return failures_of(context, linked=False)


FAILED_MEASUREMENTS = SectionSpec(id="failures", title="What was not measured", data=_data)
