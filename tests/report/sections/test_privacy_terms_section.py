"""The privacy statement on the page: its sentences, what was charged, the curve, and what covers each touch."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET

import pytest
from page_reader import Page

from synthkit.privacy.accounting.budget import Budget
from synthkit.privacy.accounting.charge import Charge
from synthkit.privacy.accounting.composed_plan import ComposedPlan
from synthkit.privacy.accounting.events import Concentrated, DiscreteGaussian, NonPrivate, PoissonSubsampledGaussian
from synthkit.privacy.accounting.ledger_file import LedgerFile
from synthkit.privacy.statement import Statement
from synthkit.report import build
from synthkit.report.charts import vega
from synthkit.report.sections.privacy_terms_section import mechanisms

BUDGET = Budget(epsilon=4, delta=1e-6, unit="patient", max_rows_per_unit=4)
RESERVE = Charge(what="tables of counts", spent=Concentrated(rho=0.0167))
AGES = Charge(what="histogram of age", spent=DiscreteGaussian(sigma=200), times=2)
SEXES = Charge(what="histogram of sex", spent=DiscreteGaussian(sigma=200))
STEPS = Charge(what="steps", spent=PoissonSubsampledGaussian(noise_multiplier=6.0, rate=0.1, steps=100))


def archive(*plans, budget=BUDGET):
    delta = 1e-6 / len(plans) if budget else 0.0
    parts = tuple(ComposedPlan(delta=delta, charges=charges, inside=inside) for charges, inside in plans)
    return LedgerFile(budget=budget, unit="patient", parts=parts)


def statement(kept):
    return Statement(archive=kept, table="icu", model="tvae", declared_by="A. Lee: codebook").to_dict()


def page(evaluation, kept):
    return Page(build(evaluation, ledger=kept.to_dict(), statement=statement(kept)).html)


TWO = {"reserve": (((RESERVE,), (AGES, SEXES)),), "steps": (((AGES, SEXES, STEPS), ()),)}


@pytest.mark.parametrize("plans", TWO.values(), ids=TWO)
def test_the_three_sentences_stand_once_and_the_first_two_in_the_summary(evaluation, plans):
    kept = archive(*plans)
    formal, gain, left = statement(kept)["sentences"]
    asked = page(evaluation, kept)
    own = [e.text for e in asked.tags("p") if e.section == "privacy"]
    assert [own.count(sentence) for sentence in (formal, gain, left)] == [1, 1, 1]
    said = {e.attributes["data-test-sentence"]: e.text for e in asked.all("data-test-sentence")}
    assert (said["Privacy"], said["Attacker"]) == (formal, gain)


def test_charges_are_grouped_by_mechanism():
    groups = mechanisms(archive(((RESERVE,), (AGES, SEXES)), ((STEPS,), ())).to_dict())
    assert [(g["mechanism"], g["times"], g["what"], g["inside"]) for g in groups] == [
        ("concentrated", 1, "tables of counts", False),
        ("discrete-gaussian", 3, "histogram of age and 1 more", True),
        ("poisson-subsampled-gaussian", 1, "steps", False),
    ]
    assert mechanisms(None) == []


def test_mechanisms_and_touches_are_on_the_page(evaluation):
    asked = page(evaluation, archive(((RESERVE,), (AGES, SEXES))))
    rows = {e.attributes["data-test-mechanism"]: e.text for e in asked.all("data-test-mechanism")}
    assert set(rows) == {"concentrated", "discrete-gaussian"}
    assert "from the reserve" in rows["discrete-gaussian"]
    assert [e.attributes["data-test-touch"] for e in asked.all("data-test-touch")] == [
        "charged",
        "public",
        "public",
        "public",
        "internal",
    ]
    assert "2 kinds of noisy answers" in asked.all("data-test-touch", "charged")[0].text
    assert "A. Lee: codebook" in asked.all("data-test-touch", "public")[0].text


def test_the_curve_ends_at_what_is_stated(evaluation):
    kept = archive(((AGES, STEPS), ()))
    assert page(evaluation, kept).all("data-test-chart", "promise")
    curve = statement(kept)["curve"]
    assert curve[-1] == [kept.spent()[0], 1e-6]
    drawn = ET.fromstring(vega.privacy_curve({"curve": curve}))
    texts = [t.text for t in drawn.iter("{http://www.w3.org/2000/svg}text")]
    assert {"Epsilon", "Delta", "1e-6"} <= set(texts)


def test_of_several_plans_there_is_a_pair_and_no_curve(evaluation):
    asked = page(evaluation, archive(((AGES,), ()), ((STEPS,), ())))
    assert not asked.all("data-test-chart", "promise")
    assert asked.all("data-test-touch", "charged")


def test_a_touch_that_nothing_covers_is_called_so(evaluation):
    kept = archive(((AGES,), ()))
    leaking = statement(kept)
    leaking["data_touches"].append({"what": "choice of the best draw", "covered": "uncharged"})
    leaking["end_to_end_dp"] = False
    asked = Page(build(evaluation, ledger=kept.to_dict(), statement=leaking).html)
    assert "NOT covered" in asked.all("data-test-touch", "uncharged")[0].text
    caption = next(e.text for e in asked.tags("caption") if e.text.startswith("Every way"))
    assert caption.endswith("not all of it is covered")


def test_without_a_budget_the_page_is_the_one_without_a_statement(evaluation):
    exact = archive(((Charge(what="rows", spent=NonPrivate()),), ()), budget=None)
    with_it = build(evaluation, ledger=exact.to_dict(), statement=statement(exact)).html
    assert with_it == build(evaluation, ledger=exact.to_dict()).html
    visible = re.sub(r"<[^>]*>", " ", with_it).lower()
    assert "differentially private" not in visible
    assert "no differential-privacy claim" in visible
