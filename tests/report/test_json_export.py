"""The page and its JSON say the same, by a published schema; what may not leave is not in the shareable edition."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser

import jsonschema
import pytest
from places import ROOT

from synthkit.report.audience import tag_of, two_digits
from synthkit.report.html import build
from synthkit.report.json_export import json_text, value_at
from synthkit.report.section_registry import OWN_SECTIONS
from synthkit.report.view_model import page_data

PUBLISHED = json.loads((ROOT / "schemas" / "synthkit-report-1.json").read_text(encoding="utf-8"))
TIERS = ("internal", "shareable")


class Numbers(HTMLParser):
    """Texts of all elements that name a place in the JSON, by that place."""

    def __init__(self, html):
        super().__init__()
        self.found, self._open = {}, []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        place = dict(attrs).get("data-number")
        if place is not None:
            self._open.append((tag, place))
            self.found[place] = ""

    def handle_data(self, data):
        for _, place in self._open:
            self.found[place] += data

    def handle_endtag(self, tag):
        if self._open and self._open[-1][0] == tag:
            self._open.pop()


@pytest.fixture(scope="module", params=TIERS)
def edition(request, evaluation, full):
    return build(evaluation, **full, tier=request.param)


def test_every_number_of_the_page_stands_in_its_json(edition):
    shown = Numbers(edition.html).found
    assert len(shown) > 30
    for place, said in shown.items():
        assert value_at(edition.document, place) == said, place


def test_the_json_keeps_the_published_schema(edition):
    jsonschema.Draft202012Validator.check_schema(PUBLISHED)
    jsonschema.validate(edition.document, PUBLISHED)


def test_a_place_that_is_not_there_is_refused(edition):
    with pytest.raises(KeyError):
        value_at(edition.document, "/sections/0/lines/99/bound")
    with pytest.raises(KeyError):
        value_at(edition.document, "/title/x")


def test_the_text_is_the_json(evaluation, full):
    page = page_data(evaluation, **full)
    assert json.loads(json_text(page)) == json.loads(json.dumps(build(evaluation, **full).document))


def test_what_an_outsider_should_not_see_is_not_there(evaluation, full):
    """No name of a column's bin, no count of a cell, no row number, no curve, no figure of one attack, no note."""
    internal, outside = (build(evaluation, **full, tier=tier) for tier in TIERS)
    for entry in evaluation.panels["distributions"]:
        for name in entry["bins"][:3]:
            assert name not in outside.html or re.fullmatch(r"level \d|missing", name)
    assert [section["id"] for section in outside.document["sections"]] == [
        spec.id for spec in OWN_SECTIONS if spec.shareable is not None
    ]
    for hidden in ("wards.parquet", "Of 317 people", "data-test-column", "<polyline", "polygon", "attack-roc", "12, 9"):
        assert hidden not in outside.html
    assert "317" in internal.html
    assert "4,552 in" not in outside.html
    for line in value_at(outside.document, "/sections/0/lines"):
        assert not re.search(r"\d\.\d{3}", line["measured"] + line["bound"])


def test_scores_are_rounded_to_two_digits(evaluation, full):
    outside = build(evaluation, **full, tier="shareable").document
    rows = [row for section in outside["sections"] for row in section.get("scores", [])]
    assert len(rows) > 10
    for row in rows:
        for key in ("value", "low", "high", "reference"):
            assert row[key] is None or abs(row[key]) >= 1 or round(row[key], 2) == row[key]
        assert not re.search(r"\d\.\d{3}", row["text"] + row["interval"] + row["reference_text"])
        assert row["note"] == ""


def test_counts_of_people_are_told_by_their_size(evaluation, full):
    risk = next(s for s in build(evaluation, **full, tier="shareable").document["sections"] if s["id"] == "risk")
    assert risk["membership"]["units"] == "2,000 or so"
    assert risk["tables"] == risk["membership"]["tests"] == []
    assert {check["measured"] for check in risk["membership"]["checks"]} == {"—"}


@pytest.mark.parametrize(
    ("said", "cut"),
    [
        ("0.971", "0.97"),
        ("−0.004", "0.00"),
        ("[0.541, ∞]", "[0.54, ∞]"),
        ("12.3 %", "12 %"),
        ("0.042 %", "0.042 %"),
        ("1,830", "1,800"),
    ],
)
def test_two_digits(said, cut):
    assert two_digits(said) == cut


def test_every_section_is_tagged(evaluation, full):
    for section in build(evaluation, **full).document["sections"]:
        assert section["tag"] in ("INTERNAL", "DP", "public")
    tags = {spec.id: spec.tag for spec in OWN_SECTIONS}
    assert tag_of(tags["privacy"], private=True, tier="internal") == "DP"
    assert tag_of(tags["privacy"], private=False, tier="internal") == "public"
    assert tag_of(tags["risk"], private=True, tier="internal") == "INTERNAL"
    assert tag_of(tags["risk"], private=True, tier="shareable") == "ROUNDED"
