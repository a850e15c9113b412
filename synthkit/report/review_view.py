"""Two pages for a blind review: timelines of people, and a score sheet to print; neither says who is synthetic."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypedDict

from synthkit.report.html import Report, render
from synthkit.report.reviewed_people import ReviewedPerson
from synthkit.report.section_spec import SectionSpec

REVIEW_QUESTIONS = (
    ("How realistic is this person?", "1: not at all, 2: hardly, 3: could be, 4: largely, 5: entirely."),
    ("Real or synthetic?", "Guess even where you are unsure; a guess that is left out cannot be counted."),
    ("What contradicts itself?", "In a few words: what cannot be true together. Leave it empty if nothing does."),
)


class PersonBlock(TypedDict):
    """A person with the number on the sheet."""

    number: int
    about: Sequence[tuple[str, str]]
    rows: Sequence[tuple[str, str, Sequence[tuple[str, str]]]]
    left_out: int


class ReviewPeopleData(TypedDict):
    """Everybody who is to be judged."""

    people: Sequence[PersonBlock]


class ReviewHowData(TypedDict):
    """What reviewers are asked, and how many people there are."""

    asked: Sequence[tuple[str, str]]
    people: int
    unit: str


class ReviewSheetData(TypedDict):
    """Numbers of the people."""

    numbers: Sequence[int]


class _Review(TypedDict):
    people: Sequence[ReviewedPerson]
    unit: str


def _how(context: _Review) -> ReviewHowData:
    return {"asked": REVIEW_QUESTIONS, "people": len(context["people"]), "unit": context["unit"]}


def _people(context: _Review) -> ReviewPeopleData:
    return {
        "people": [
            {
                "number": k,
                "about": each.about,
                "rows": [(row.when, row.table, row.values) for row in each.rows],
                "left_out": each.left_out,
            }
            for k, each in enumerate(context["people"], 1)
        ]
    }


def _sheet(context: _Review) -> ReviewSheetData:
    return {"numbers": list(range(1, len(context["people"]) + 1))}


REVIEW_HOW = SectionSpec(
    id="how", title="What you are asked", data=_how, tag="public", template="sections/reviewhow.html"
)
REVIEW_PEOPLE = SectionSpec(id="people", title="People", data=_people, template="sections/reviewpeople.html")
REVIEW_SHEET = SectionSpec(
    id="sheet", title="Score sheet", data=_sheet, tag="public", template="sections/reviewsheet.html"
)


def build_review_people(people: Sequence[ReviewedPerson], name: str, unit: str) -> Report:
    """The page with everybody's timeline; INTERNAL, for half of them are real.

    Args:
        people: real and synthetic, in random order.
        name: of the tables.
        unit: what a person is called there.
    """
    return _page({"people": people, "unit": unit}, name, "Blind review", (REVIEW_HOW, REVIEW_PEOPLE))


def build_review_sheet(people: Sequence[ReviewedPerson], name: str, unit: str) -> Report:
    """The score sheet as a page to print."""
    return _page({"people": people, "unit": unit}, name, "Blind review: score sheet", (REVIEW_HOW, REVIEW_SHEET))


def _page(context: _Review, name: str, kind: str, specs: Sequence[SectionSpec[_Review, Any]]) -> Report:
    html = render(
        {
            "tier": "internal",
            "title": f"{kind}: {name}",
            "table": name,
            "kind": kind,
            "twin": "",
            "date": None,
            "version": None,
            "sections": [
                {"id": spec.id, "title": spec.title, "tag": spec.tag, "absent": None, **spec.data(context)}
                for spec in specs
            ],
        },
        {spec.id: spec for spec in specs},
    )
    return Report(html)
