"""The section with a card of each model: who made it, its settings, its rules and its report."""

from __future__ import annotations

from typing import TypedDict

from synthkit.report.compared_models import ComparedModelJson, ComparisonContext
from synthkit.report.labels import number
from synthkit.report.section_spec import SectionSpec


class ModelCard(TypedDict):
    """What a reader must know of one model."""

    name: str
    made: str
    reason: str
    link: str | None
    settings: str
    rules: str
    notes: list[str]


class ModelCardsData(TypedDict):
    """A card a model."""

    entrants: list[ModelCard]


def _data(context: ComparisonContext) -> ModelCardsData:
    return {"entrants": [_card(model) for model in context.models]}


def _card(model: ComparedModelJson) -> ModelCard:
    return {
        "name": model["name"],
        "made": "made by others, for reference" if model["reference"] else "a model of synthkit",
        "reason": model["reason"],
        "link": None if model["reason"] else f"models/{model['name']}/report.html",
        "settings": ", ".join(f"{k} {v}" for k, v in model["settings"].items()) or "its defaults",
        "rules": "" if model["reason"] else _rules(model),
        "notes": list(model["notes"]),
    }


def _rules(model: ComparedModelJson) -> str:
    drawn = sum(model["rows"])
    if not model["rules"]:
        return "No rule was declared."
    if not model["broken_rows"]:
        return f"All {model['rules']} declared rules hold in all {drawn:,} rows."
    share = number(model["broken_rows"] / drawn, "share")
    return (
        f"It breaks {model['broken_rules']} of {model['rules']} declared rules, in {model['broken_rows']:,} of "
        f"{drawn:,} rows ({share})."
    )


MODEL_CARDS = SectionSpec(id="entrants", title="Each model", data=_data)
