"""The first page says what was decided, or what was measured where nobody decided; it holds at most twelve lines."""

from __future__ import annotations

from dataclasses import replace

import pytest

from synthkit.metrics.result import Evaluation, Score
from synthkit.report.context import ReportContext
from synthkit.report.html import build
from synthkit.report.sections.decision import DECISION_SIGNS, MAX_DECISION_LINES, VERDICT_WORDS, decision

LINE = {
    "item": "Epsilon lost at least",
    "clause": "membership.epsilon_lower_bound_max",
    "measured": 0.25,
    "low": 0.25,
    "high": None,
    "bound": 0.25,
    "limit": 1,
    "direction": "upper",
    "verdict": "PASS",
    "why": "0.25 is below the limit.",
}
POLICY = {"id": "ours-v1", "owner": "A. Custodian", "justification": "for the test", "decided": "2026-01-02"}


STATEMENT = {
    "sentences": ("x", "At most 60 in 100."),
    "privacy_loss": {"privacy_parameters": {"epsilon": 1.0}},
    "end_to_end_dp": True,
}
LEDGER = {"epsilon": 1.0, "charges": [{}]}


def gate(*verdicts, overall="FAIL"):
    lines = [{**LINE, "verdict": v, "clause": f"membership.line_{k}"} for k, v in enumerate(verdicts)]
    return {
        "format": "synthkit-gate/1",
        "policy": POLICY,
        "verdict": overall,
        "lines": lines,
        "valid_until": "2027-01-02",
    }


def made(evaluation, **more):
    return decision(ReportContext(evaluation, **more))


def test_without_a_policy_attacks_alone_are_graded(evaluation):
    found = made(evaluation)
    assert found["verdict"] == "NO POLICY"
    assert {line["verdict"] for line in found["lines"]} == {"NO POLICY"}
    assert found["policy"] is None
    said = {line["clause"]: line for line in found["lines"]}
    assert said["membership.auc"]["measured"] == "0.512"
    assert said["membership.auc"]["bound"] == "[0.500, 0.524]"
    assert said["privacy statement"]["measured"] == "∞"
    secret = said["attribute.hospdead.quasi_identifiers.excess"]
    assert (secret["bound"], secret["limit"], secret["grade"]) == ("[−0.7 %, 3.3 %]", "9.0 %", "no evidence")
    assert said["membership.auc"]["grade"] == ""


def test_the_secret_with_the_largest_upper_end_and_the_worst_loss_stand_for_all():
    scores = [
        Score(metric=f"attribute.{who}.all_columns.excess", value=0.1, low=low, high=high, goal="low", reference=0.0)
        for who, low, high in (("a", 0.01, 0.15), ("b", 0.05, 0.2), ("c", -0.3, 0.15))
    ]
    scores += [
        Score(metric=f"utility.{who}.gap", value=0.0, low=-0.1, high=high, goal="low", reference=0.0)
        for who, high in (("x", 0.1), ("y", 0.4))
    ]
    clauses = [line["clause"] for line in made(Evaluation(run={}, scores=tuple(scores)))["lines"]]
    assert clauses == ["privacy statement", "attribute.b.all_columns.excess", "utility.y.gap"]


@pytest.mark.parametrize("overall", ["PASS", "FAIL", "INCONCLUSIVE", "NOT ASSESSED"])
def test_the_verdict_of_the_gate_is_that_of_the_page(evaluation, overall):
    found = made(evaluation, gate=gate("PASS", "FAIL", "NOT ASSESSED", overall=overall))
    assert (found["verdict"], found["words"], found["sign"]) == (
        overall,
        VERDICT_WORDS[overall],
        DECISION_SIGNS[overall],
    )
    assert [line["verdict"] for line in found["lines"]] == ["PASS", "FAIL", "NOT ASSESSED"]
    assert found["lines"][0]["bound"] == "0.25"
    assert found["lines"][0]["limit"] == "1"
    assert found["policy"]["owner"] == "A. Custodian"
    assert found["valid_until"] == "2027-01-02"


def test_no_more_lines_than_a_page_holds(evaluation):
    verdicts = [*["PASS"] * 12, "FAIL", "PASS", "NOT ASSESSED"]
    found = made(evaluation, gate=gate(*verdicts))
    assert len(found["lines"]) == MAX_DECISION_LINES
    assert found["more"] == 3
    assert [line["verdict"] for line in found["lines"]] == [*["PASS"] * 10, "FAIL", "NOT ASSESSED"]
    assert [line["clause"] for line in found["lines"][-2:]] == ["membership.line_12", "membership.line_14"]


def test_three_sentences_in_plain_words(evaluation):
    (_, attacker), (_, use), (_, untested) = made(evaluation)["sentences"]
    assert attacker.endswith("there is no privacy budget.")
    assert use == "What can be learned from the rows is not known: a measurement failed."
    assert untested.startswith("1 measurement that failed;")
    utility = [
        {**entry, "non_inferiority": {"margin": 0.05, "verdict": verdict}}
        for entry, verdict in zip(evaluation.panels["utility"], ("PASS", "INCONCLUSIVE"), strict=True)
    ]
    judged = replace(evaluation, failures=(), panels={**evaluation.panels, "utility": utility})
    (_, attacker), (_, use), (_, untested) = made(judged, statement=STATEMENT, ledger=LEDGER)["sentences"]
    assert attacker == "At most 60 in 100."
    assert use.startswith("A model trained on them predicts hospdead no worse")
    assert use.endswith("That is not shown for totcst.")
    assert untested == "How much another draw would differ."
    unattacked = made(replace(evaluation, panels={}, scores=()))["sentences"][0][1]
    assert unattacked == "What the rows reveal about a person was not measured, and nothing bounds it."


def test_what_is_released_is_told(evaluation):
    assert (
        made(evaluation)["what"]
        == "4,552 synthetic rows of 24 columns, made by autoregressive. To be released: the rows."
    )
    config = {"release_model": True}
    facts = {"draws": 3, "rows": {"synthetic": [10, 10, 10]}, "config": config}
    assert (
        made(replace(evaluation, run=facts))["what"]
        == "3 draws of 10 synthetic rows each. To be released: the rows and the fitted model."
    )


def test_the_page_has_lines_places_to_sign_and_hashes(evaluation):
    page = build(evaluation, gate=gate("PASS", "FAIL"), hashes={"synthetic.parquet": "ab" * 32}).html
    assert 'data-test-decision="FAIL"' in page
    assert page.count("☐ approve with conditions") == 3
    assert "ab" * 32 in page
    assert "2027-01-02" in page
    assert page.index('id="decision"') < page.index('id="released"')
