"""The section on classifiers that tell synthetic from held-out units, and rows in their context."""

from __future__ import annotations

from synthkit.report.labels import number, span
from synthkit.report.linked_context import LinkedContext
from synthkit.report.linked_section_data import LINKED_TEMPLATE, LinkedSectionData, scores_alone
from synthkit.report.records import Figure, ScoreRow, figure
from synthkit.report.section_spec import SectionSpec

WHOLE_UNITS = "fidelity.unit_c2st"


def _data(context: LinkedContext) -> LinkedSectionData:
    scores = context.score_rows([WHOLE_UNITS])
    for name in context.tables:
        scores += context.score_rows([f"fidelity.{name}.row_c2st"], name)
    if not scores:
        failed = any("c2st" in failure.metric for failure in context.evaluation.failures)
        return {"absent": "No classifier test could be made." if failed else "No classifier test was measured."}
    return {
        "paragraphs": [
            "A classifier sees whole units by what they have in all tables, or rows with the rows before them and "
            "their owners, and is asked which are synthetic. Folds are by unit: people in training are never in the "
            "test. 0.5 is a coin toss; the floor is what as many training units reach against the holdout."
        ],
        "caption": "AUC of telling synthetic from held-out",
        "scores": scores,
        "figures": [_points(context, scores), *_giveaways(context)],
    }


def _points(context: LinkedContext, scores: list[ScoreRow]) -> Figure:
    points = [
        {
            "name": f"rows of {s['subject']}" if s["subject"] else f"whole {context.unit}",
            **{key: s[key] for key in ("value", "low", "high", "reference")},
        }
        for s in scores
    ]
    each = "; ".join(f"{p['name']} {s['text']} {s['interval']}" for p, s in zip(points, scores, strict=True))
    return figure(
        "told_apart",
        {"points": points},
        title="AUC of telling synthetic from held-out, by what is looked at",
        description=f"A point and interval each: {each}.",
        caption="Diamonds with 95 % intervals: synthetic. Bars: what real units reach in their place. Dashed: a coin.",
    )


def _giveaways(context: LinkedContext) -> list[Figure]:
    score = context.find(WHOLE_UNITS)
    if score is None or not score.parts:
        return []
    order = sorted(score.parts, key=lambda name: -score.parts[name])
    first = ", ".join(order[:3])
    return [
        figure(
            "giveaways",
            {"features": [{"column": name, "importance": score.parts[name]} for name in order]},
            title="What the classifier of whole units looks at",
            description=f"Share of the gain by what units have, most telling first: {first}.",
            caption=f"Most telling first; it reached AUC {number(score.value)} {span(score.low, score.high)}.",
        )
    ]


LINKED_DETECTION = SectionSpec(
    id="detection", title="Can it be told from real?", data=_data, shareable=scores_alone, template=LINKED_TEMPLATE
)
