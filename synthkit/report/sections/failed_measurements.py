"""The section on what could not be measured, and why."""

from __future__ import annotations

from typing import TypedDict

from synthkit.report.context import ReportContext
from synthkit.report.section_spec import SectionSpec


class FailedMeasurement(TypedDict):
    """A metric and the reason why it has no value."""

    metric: str
    reason: str


class FailuresData(TypedDict):
    """Metrics that have no value."""

    failures: list[FailedMeasurement]


def _data(context: ReportContext) -> FailuresData:
    return {"failures": [{"metric": f.metric, "reason": f.reason} for f in context.evaluation.failures]}


FAILED_MEASUREMENTS = SectionSpec(id="failures", title="What could not be measured", data=_data)
