"""The section on limits of a comparison: what a reader must not conclude."""

from __future__ import annotations

from collections.abc import Iterator

from synthkit.report.compared_models import ComparisonContext
from synthkit.report.records import Fact
from synthkit.report.section_spec import SectionSpec
from synthkit.report.sections.caveats import FEW_TRAINING_ROWS, CaveatsData


def _caveats(context: ComparisonContext) -> Iterator[Fact]:
    plan = context.plan
    yield "one split", "One split, one seed, one fit of each model: intervals do not include how much another differs."
    yield "defaults", "Each model ran at its defaults unless settings are shown; tuning can change the order."
    yield "machine", "Time and memory are those of one machine and of whatever else ran on it."
    yield "privacy", "Likeness and use say nothing of privacy: a model that repeats its training rows scores well."
    if any(model["reference"] for model in context.models):
        yield "references", "Models made by others are not told of the row rules and cannot be saved by synthkit."
    if any(model["reason"] for model in context.models):
        yield "failed", "A model that failed is in no table and no chart; its reason is given above."
    if plan["quick"]:
        yield (
            "quick",
            "A quick evaluation: of large tables samples were looked at, and two learners were used only.",
        )
    if plan["train"] < FEW_TRAINING_ROWS:
        yield "few rows", f"The models saw {plan['train']:,} {context.counted} only: intervals are wide."
    if len(context.finished) > 1:
        yield "many scores", "Among many scores some model is best by chance alone."


def _data(context: ComparisonContext) -> CaveatsData:
    return {"limits": list(_caveats(context))}


COMPARISON_CAVEATS = SectionSpec(id="limits", title="Limits", data=_data)
