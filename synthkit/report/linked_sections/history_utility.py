"""The section on prediction from histories: train on synthetic or real ones, test on real people."""

from __future__ import annotations

from synthkit.report.labels import number, span
from synthkit.report.linked_context import LinkedContext
from synthkit.report.linked_section_data import LINKED_TEMPLATE, LinkedSectionData, scores_alone
from synthkit.report.section_spec import SectionSpec


def _data(context: LinkedContext) -> LinkedSectionData:
    targets = context.schema.targets
    if not targets:
        return {"absent": "The schema declares no target on histories, so nothing was predicted."}
    scores = context.score_rows([f"utility.{t.name}.{cell}" for t in targets for cell in ("trtr", "tstr", "gap")])
    if not scores:
        return {"absent": "No target could be predicted."}
    return {
        "paragraphs": [
            "The same learner is trained on synthetic and on as many training histories and tested on held-out people, "
            "from what was known before the moment alone.",
            *(said for t in targets if (said := _sentence(context, t.name))),
        ],
        "caption": "Prediction from histories",
        "scores": scores,
    }


def _sentence(context: LinkedContext, target: str) -> str:
    cells = [context.find(f"utility.{target}.{cell}") for cell in ("trtr", "tstr", "gap")]
    real, made, gap = cells
    if real is None or made is None or gap is None:
        return ""
    unsure = ": the interval includes zero" if gap.low <= 0 <= gap.high else ""
    return (
        f"{target}: AUROC {number(real.value)} when trained on real histories, {number(made.value)} on synthetic ones; "
        f"the loss is {number(gap.value)} {span(gap.low, gap.high)}{unsure}."
    )


HISTORY_UTILITY = SectionSpec(
    id="prediction", title="Prediction from histories", data=_data, shareable=scores_alone, template=LINKED_TEMPLATE
)
