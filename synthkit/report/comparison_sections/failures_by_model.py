"""The section on metrics that did not run, each with its reason and the models it is about."""

from __future__ import annotations

from typing import TypedDict

from synthkit.report.compared_models import NO_MODEL_FINISHED, ComparedFailureJson, ComparisonContext, listed_names
from synthkit.report.records import Fact
from synthkit.report.section_spec import SectionSpec
from synthkit.report.unmeasured import left_out


class FailuresByModelData(TypedDict, total=False):
    """Metrics with reasons, and kinds of measurement that no model has."""

    failures: list[ComparedFailureJson]
    left_out: list[Fact]
    absent: str


def _data(context: ComparisonContext) -> FailuresByModelData:
    """Each reason once, with the models it is about unless it is about all of them."""
    if not context.finished:
        return {"absent": NO_MODEL_FINISHED}
    about: dict[tuple[str, str], list[str]] = {}
    for model in context.finished:
        for failure in model["failures"]:
            about.setdefault((failure["metric"], failure["reason"]), []).append(model["name"])
    everybody = len(context.finished)
    return {
        "failures": [
            {"metric": metric + ("" if len(names) == everybody else f" ({listed_names(names)})"), "reason": reason}
            for (metric, reason), names in about.items()
        ],
        "left_out": left_out(
            [each["metric"] for model in context.finished for each in (*model["scores"], *model["failures"])],
            linked="tables" in context.data,
            quick=context.plan["quick"],
        ),
    }


FAILURES_BY_MODEL = SectionSpec(id="failures", title="What was not measured", data=_data)
