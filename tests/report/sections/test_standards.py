"""Every instrument names what was measured for it; nothing says that one is satisfied."""

from __future__ import annotations

from dataclasses import replace

import pytest

from synthkit.report.html import build
from synthkit.report.section_registry import OWN_SECTIONS
from synthkit.report.sections.standards import INSTRUMENTS, standards


def items(evaluation, statement=None):
    made = standards(evaluation, statement)["instruments"]
    return {(each["name"], item["label"]): item for each in made for item in each["items"]}


def test_what_was_measured_is_told_from_what_was_not(evaluation):
    found = items(evaluation)
    assert found["ISO/IEC 5259-2", "likeness"]["there"]
    without = replace(evaluation, scores=tuple(s for s in evaluation.scores if s.metric != "identity.meaningful"))
    assert not items(without)["EMA policy 0070; Health Canada PRCI", "meaningful identity disclosure"]["there"]
    none = items(replace(evaluation, scores=()))
    assert {label for (_, label), item in none.items() if item["there"]} == {"scope", "decision and places to sign"}


def test_an_attack_on_the_model_is_there_if_one_was_made(evaluation):
    named = ("EDPB opinion 28/2024", "membership, by the model's own likelihood")
    attacked = {"strata": {"all": {"attacks": {"likelihood": 0.51}}}}
    assert items(replace(evaluation, panels={**evaluation.panels, "membership": attacked}))[named]["there"]
    assert not items(replace(evaluation, panels={**evaluation.panels, "membership": None}))[named]["there"]


def test_a_statement_is_there_if_something_is_promised(evaluation):
    named = ("NIST SP 800-226", "privacy statement and ledger")
    assert not items(evaluation)[named]["there"]
    promised = {"sentences": ["One.", "Two."], "privacy_loss": {"privacy_parameters": {"epsilon": 1.0}}}
    assert items(evaluation, promised)[named]["there"]


@pytest.mark.parametrize("tier", ["internal", "shareable"])
def test_links_lead_to_sections_of_the_edition(evaluation, full, tier):
    page = build(evaluation, **full, tier=tier).document
    there = {section["id"] for section in page["sections"]}
    (table,) = [section for section in page["sections"] if section["id"] == "standards"]
    anchors = {item["anchor"] for each in table["instruments"] for item in each["items"]} - {None}
    assert len(anchors) > 3
    assert anchors <= there
    assert table["tag"] == "public"


def test_every_item_stands_in_a_section_and_every_instrument_leaves_something_to_people():
    for each in INSTRUMENTS:
        assert each.people
        assert each.asks
        assert {anchor for _, anchor, _ in each.items} <= {spec.id for spec in OWN_SECTIONS}
    assert next(spec for spec in OWN_SECTIONS if spec.id == "standards").shareable is not None
