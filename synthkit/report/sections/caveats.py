"""The section on limits: what a reader must not conclude."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypedDict

from synthkit.report.context import ReportContext
from synthkit.report.inputs import RunFacts
from synthkit.report.records import Fact
from synthkit.report.row_counts import draws_of, looked_at, rows_of
from synthkit.report.section_spec import SectionSpec

FEW_TRAINING_ROWS = 1000  # below so many intervals are wide and rare levels are hardly learnt


class CaveatsData(TypedDict):
    """A short name and one sentence, each."""

    limits: list[Fact]


def _data(context: ReportContext) -> CaveatsData:
    found = (_always(), _of_privacy(context), _of_size(context), _of_schema(context), _of_scores(context))
    return {"limits": [caveat for each in found for caveat in each]}


def _always() -> Iterator[Fact]:
    yield "individuals", "Not for decisions about individuals: a synthetic row describes nobody."
    yield "inference", "Standard errors and p-values computed on synthetic rows as if they were real are too small."


def _of_privacy(context: ReportContext) -> Iterator[Fact]:
    if context.epsilon is None:
        yield "no bound", "Without a privacy budget nothing bounds what the rows reveal about one person."
    if any(s.metric.startswith("membership.") for s in context.evaluation.scores):
        yield (
            "attacks",
            "Attacks show what is leaked at least; a better one may show more, and only a budget bounds it.",
        )
    else:
        yield "attacks", "Disclosure attacks were not run; copying diagnostics do not replace them."


def _of_size(context: ReportContext) -> Iterator[Fact]:
    facts = context.facts
    rows = rows_of(facts).get("train", 0)
    if not any(s.reference is not None for s in context.evaluation.scores):
        yield "no holdout", "There is no real holdout to compare with: no score has a reference."
    if 0 < rows < FEW_TRAINING_ROWS:
        yield "few rows", f"The model saw {rows:,} rows only: intervals are wide and rare levels hardly learnt."
    yield from _of_draws(facts)
    if facts.get("quick"):
        sample = looked_at(facts, ["synthetic"])
        yield (
            "quick",
            f"A quick evaluation: {f'{sample} were looked at, ' if sample else ''}and two learners were used only.",
        )


def _of_draws(facts: RunFacts) -> Iterator[Fact]:
    """What a reader must not conclude from how the rows were drawn."""
    if facts.get("calibrated"):
        yield (
            "calibrated",
            "Tables of one and two columns are close to those of the training rows: judge the rows as if those tables "
            "were released.",
        )
    if draws_of(facts) == 1:
        yield (
            "one draw",
            "Likeness and use are those of one fit and one draw; intervals do not hold how much another would differ.",
        )


def _of_schema(context: ReportContext) -> Iterator[Fact]:
    schema = context.schema
    if schema is not None and schema.unit:
        yield (
            "unit",
            f"Structure within one {schema.unit} is not reproduced: "
            "each synthetic row stands alone under a fresh identifier.",
        )
    if schema is not None and any(c.observed for c in schema.columns.values()):
        yield (
            "observed",
            "Some bounds or levels in the schema were read off the real table and go where the schema goes.",
        )


def _of_scores(context: ReportContext) -> Iterator[Fact]:
    many = len(context.evaluation.failures)
    if many:
        failed = "1 measurement failed" if many == 1 else f"{many} measurements failed"
        yield "failures", f"{failed}; what was not measured is in no average."
    yield "many scores", "Among many scores some lie outside their interval by chance alone."


def _shareable(data: CaveatsData) -> CaveatsData:
    """Without the number of rows."""
    return {**data, "limits": [each for each in data["limits"] if each[0] != "few rows"]}


CAVEATS = SectionSpec(id="limits", title="Limits", data=_data, tag="public", shareable=_shareable)
