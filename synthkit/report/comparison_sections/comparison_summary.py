"""The section that sums up a comparison, in sentences for a person who reads nothing else."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypedDict

from synthkit.report.compared_models import (
    ATTACK_PREFIXES,
    ComparedModelJson,
    ComparisonContext,
    distance_of,
    interval_of,
    is_loss,
    listed_names,
    score_of,
)
from synthkit.report.labels import number, seconds, span
from synthkit.report.records import Fact
from synthkit.report.section_spec import SectionSpec


class ComparisonSummaryData(TypedDict):
    """Topics and sentences."""

    sentences: list[Fact]


def _data(context: ComparisonContext) -> ComparisonSummaryData:
    found = (_models(context), _likeness(context), _use(context), _rules(context), _time(context))
    sentences = [sentence for each in found for sentence in each]
    return {"sentences": [*sentences, ("Privacy", _attacked(context.finished))]}


def _models(context: ComparisonContext) -> Iterator[Fact]:
    plan, names = context.plan, [model["name"] for model in context.finished]
    yield (
        "Compared",
        f"{listed_names(names) or 'None'} learned the same {plan['train']:,} real {context.counted}; "
        f"{plan['holdout']:,} others, held out, measure them.",
    )
    for model in context.models:
        if model["reason"]:
            yield "Failed", f"{model['name']}: {model['reason']}."


def _likeness(context: ComparisonContext) -> Iterator[Fact]:
    if not context.points:
        return
    first, *others = context.points
    level = [p["name"] for p in others if distance_of(p).holds(distance_of(first).value)]
    also = f"; within its interval {listed_names(level)} cannot be told from it" if level else ""
    yield (
        "Likeness",
        f"The {context.counted} of {first['name']} are the hardest to tell from real ones: AUC "
        f"{number(first['value'])} {span(*interval_of(first))}; 0.500 is a coin toss{also}.",
    )


def _use(context: ComparisonContext) -> Iterator[Fact]:
    metrics = {s["metric"] for model in context.finished for s in model["scores"] if is_loss(s["metric"])}
    for metric in sorted(metrics)[:2]:
        yield "Use", _least_loss(metric, context.finished)


def _rules(context: ComparisonContext) -> Iterator[Fact]:
    clean = [m["name"] for m in context.finished if m["rules"] and not m["broken_rows"]]
    broken = [m for m in context.finished if m["broken_rows"]]
    if clean or broken:
        kept = (
            f"Every declared rule holds in all rows of {listed_names(clean)}."
            if clean
            else "Every model breaks a rule."
        )
        shares = [f"{m['name']} {number(m['broken_rows'] / sum(m['rows']), 'share')}" for m in broken]
        units = (
            " The score of keys and rules is the share of units that have such a row."
            if "tables" in context.data
            else ""
        )
        yield "Rules", kept + (f" Rows that break one: {listed_names(shares)}.{units}" if shares else "")


def _time(context: ComparisonContext) -> Iterator[Fact]:
    if len(context.finished) > 1:
        by = sorted(context.finished, key=lambda model: model["seconds"]["fit"])
        yield (
            "Time",
            f"{by[0]['name']} learned in {seconds(by[0]['seconds']['fit'])}, {by[-1]['name']} took "
            f"{seconds(by[-1]['seconds']['fit'])}.",
        )


def _attacked(finished: Sequence[ComparedModelJson]) -> str:
    """Whether attacks were made, and on whom; no model is called better for what they found."""
    by = [m["name"] for m in finished if any(s["metric"].startswith(ATTACK_PREFIXES) for s in m["scores"])]
    if not by:
        attacks = "no attack was made"
    elif len(by) == len(finished):
        attacks = "the rows of each were attacked; what that showed is among all other scores and in its own report"
    else:
        attacks = f"only rows of {listed_names(by)} were attacked"
    return f"No model was fitted under a privacy budget; {attacks}. This page ranks no privacy."


def _least_loss(metric: str, finished: Sequence[ComparedModelJson]) -> str:
    found = [
        (value, model["name"], s)
        for model in finished
        if (s := score_of(model, metric)) is not None and (value := s["value"]) is not None
    ]
    value, who, score = min(found, key=lambda f: f[0])
    at_least, at_most = interval_of(score)
    target = metric.removeprefix("utility.").removesuffix(".gap")
    change = "loses" if value >= 0 else "gains"
    low, high = (at_least, at_most) if value >= 0 else (-at_most, -at_least)
    unsure = "; the interval includes zero" if at_least <= 0 <= at_most else ""
    return (
        f"Predicting {target}, training on rows of {who} instead of real ones {change} {number(abs(value))} "
        f"{span(low, high)}, the best of all{unsure}."
    )


COMPARISON_SUMMARY = SectionSpec(id="verdicts", title="Summary", data=_data)
