"""Verdicts on attacks: three grades and one that is open, and sentences whose every number is that of the scores."""

from __future__ import annotations

import math
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats as distributions

from synthkit.metrics.attacks.effect_grade import DEFAULT_EFFECT_LIMITS, Grade, grade
from synthkit.metrics.attacks.effect_size import epsilon_of, share_of
from synthkit.metrics.result import Evaluation, Failure, Score
from synthkit.metrics.stats.intervals import clopper_pearson
from synthkit.release.policy.gate_decision import decide
from synthkit.release.policy.gate_evidence import FoundFigure
from synthkit.report.attack_verdicts import (
    ATTACK_CLAUSES,
    attack_limits,
    attack_verdicts,
    overall_verdict,
    verdict_sentences,
    worst_verdict,
)

ENDS = st.floats(-1, 3)
SAME = {"PASS": {Grade.NONE, Grade.BELOW}, "FAIL": {Grade.ABOVE}, "INCONCLUSIVE": {Grade.OPEN}}


def score(metric, value, low, high, **parts):
    return Score(metric=metric, value=value, low=low, high=high, goal="low", parts=parts)


def membership(right, guesses, *, lost=0.0, p=0.4, holds=True, design="coins", units=2_000):
    """Everybody: so many of the surest guesses are right; unusual people: half of 1,000, so that they do not decide."""
    at = clopper_pearson(right, guesses, level=0.975)
    half = clopper_pearson(500, 1_000, level=0.975)
    checks = [{"name": "copies would be found", "holds": holds, "measured": 0.1, "limit": 0.1, "words": ""}]
    scores = (
        score("membership.epsilon_lower_bound", lost, lost, math.inf),
        score("membership.isolated.epsilon_lower_bound", 0.0, 0.0, math.inf),
        score("membership.surest", *at, guesses=guesses, right=right),
        score("membership.isolated.surest", *half, guesses=1_000, right=500),
    )
    panel = {"design": design, "units": units, "checks": checks, "p": {"all, all attacks": p}}
    return Evaluation(run={}, scores=scores, panels={"membership": panel})


def policy(**at):
    lines = [{"clause": clause, "limit": at[room]} for room, clause in ATTACK_CLAUSES.items() if room in at]
    return {"policy": {"id": "ours-v1"}, "lines": lines}


def of(evaluation, room="membership", gate=None):
    return next(each for each in attack_verdicts(evaluation, gate) if each["room"] == room)


# Grades


@given(a=ENDS, b=ENDS, limit=st.floats(0, 2), detected=st.booleans(), doubt=st.booleans())
@settings(deadline=None)
def test_a_gate_fails_what_is_above_and_passes_what_is_below(a, b, limit, detected, doubt):
    low, high = sorted((a, b))
    graded = grade(low, high, limit, detected=detected, doubt=doubt)
    found = FoundFigure(low, low, high, doubt="for a reason" if doubt else "", detected=detected)
    for sense in ("upper", "proof"):
        assert graded in SAME[decide("membership.eps_lb_max", sense, found, limit)]
    assert (graded is Grade.BELOW) <= detected


@given(low=ENDS, width=st.floats(0, 1), limit=st.floats(0, 2), more=st.floats(0, 1))
@settings(deadline=None)
def test_a_higher_limit_is_never_graded_worse_and_a_larger_effect_never_better(low, width, limit, more):
    order = [Grade.BELOW, Grade.OPEN, Grade.ABOVE]
    at = order.index(grade(low, low + width, limit, detected=True))
    assert order.index(grade(low, low + width, limit + more, detected=True)) <= at
    assert order.index(grade(low + more, low + width + more, limit, detected=True)) >= at


def test_an_upper_end_that_is_not_known_settles_nothing():
    assert [grade(0.0, end, 1.0, detected=False) for end in (math.nan, math.inf)] == [Grade.OPEN, Grade.OPEN]


@given(st.floats(0, 30))
@settings(deadline=None)
def test_epsilon_and_the_share_of_right_guesses_are_two_names_of_one(epsilon):
    assert share_of(epsilon) == pytest.approx(distributions.logistic.cdf(epsilon))
    assert epsilon_of(share_of(epsilon)) == pytest.approx(epsilon, rel=1e-4, abs=1e-9)


@pytest.mark.parametrize(
    ("right", "given", "expected"),
    [
        (250, {}, Grade.NONE),
        (270, {"p": 0.01, "lost": 0.06}, Grade.BELOW),  # told from chance and of no account: the demo
        (270, {"p": 0.01, "holds": False}, Grade.OPEN),
        (360, {"p": 0.001}, Grade.OPEN),  # 72 of 100, the limit being 73
        (450, {"p": 0.001, "lost": 1.7}, Grade.ABOVE),
        (450, {"p": 0.001, "lost": 1.7, "holds": False}, Grade.ABOVE),
    ],
)
def test_grades_of_membership_at_the_stated_limit(right, given, expected):
    assert of(membership(right, 500, **given))["grade"] == expected


# Limits


def test_limits_are_the_policys_and_else_the_stated_ones():
    assert attack_limits(None) == DEFAULT_EFFECT_LIMITS
    mixed = attack_limits(policy(membership=2.0, identity=0.01))
    assert (mixed["membership"].value, mixed["membership"].source) == (2.0, "policy ours-v1")
    assert mixed["attribute"] == DEFAULT_EFFECT_LIMITS["attribute"]
    assert mixed["identity"].value == 0.01


def test_the_same_effect_is_above_one_limit_and_below_another():
    found = membership(300, 500, lost=0.2, p=0.001)
    assert of(found, gate=policy(membership=2.0))["grade"] == Grade.BELOW
    assert of(found, gate=policy(membership=0.1))["grade"] == Grade.ABOVE
    assert "policy ours-v1" in of(found, gate=policy(membership=0.1))["limit"]


# The whole


def copied(k, n=1_680, low=None):
    """So many of the people trained on are copied, of whom so many are proven."""
    at = score("copying.excess.whole_rows", k / n, (k if low is None else low) / n, k / n + 0.001)
    entry = {"set": "whole_rows", "trained": [k, n], "held": [0, 720]}
    return Evaluation(run={}, scores=(at,), panels={"copying": {"excess": [entry]}})


def test_eight_copies_make_the_whole_whatever_attacks_on_membership_say():
    """Of 2,400 people, with every other attack finding nothing."""
    found = [of(membership(250, 500)), of(copied(8, low=3), "copying")]
    assert [each["grade"] for each in found] == [Grade.NONE, Grade.ABOVE]
    assert overall_verdict(found)["words"] == "Privacy on the whole: above the limit (Copies)"
    assert "8 of 1,680 people trained on who can be told by it have a copy" in found[1]["effect"]
    assert "0 of 720 held out" in found[1]["effect"]
    assert "At least 1.8 of 1,000" in found[1]["effect"]
    assert "Do not release" in found[1]["advice"]


def test_no_copies_are_no_evidence_and_make_nothing_better():
    silent = of(copied(0), "copying")
    assert silent["grade"] == Grade.NONE
    assert "no evidence of privacy" in verdict_sentences(silent)
    for right, more in ((250, {}), (360, {"p": 0.001}), (450, {"lost": 1.7}), (270, {"holds": False})):
        other = of(membership(right, 500, **more))
        assert overall_verdict([other, silent])["grade"] == other["grade"]
    assert overall_verdict([of(Evaluation(run={}, scores=())), silent])["grade"] == "not assessed"


def test_copies_that_were_not_counted_are_not_assessed():
    failed = Evaluation(run={}, scores=(), failures=(Failure(metric="copying.excess", reason="too few people"),))
    assert of(failed, "copying")["grade"] == "not assessed"
    assert "too few people" in of(failed, "copying")["effect"]
    assert overall_verdict([of(membership(250, 500)), of(failed, "copying")])["grade"] == "not assessed"


@pytest.mark.parametrize(("room", "metric"), [("attribute", "attribute.icd.all_columns.excess"), ("copying", None)])
def test_the_whole_reads_every_kind_of_evidence(room, metric):
    parts = {"members": 0.61, "non-members": 0.3}
    bad = copied(200) if metric is None else Evaluation(run={}, scores=(score(metric, 0.31, 0.2, 0.4, **parts),))
    assert overall_verdict([of(membership(250, 500)), of(bad, room)])["grade"] == Grade.ABOVE


# Words


@given(
    guesses=st.integers(20, 5_000),
    share=st.floats(0, 1),
    design=st.sampled_from(["coins", "pairs"]),
    limit=st.floats(0.05, 4),
)
@settings(deadline=None, max_examples=60)
def test_numbers_of_the_sentence_are_those_of_the_guesses(guesses, share, design, limit):
    right = round(share * guesses)
    at = clopper_pearson(right, guesses, level=0.975)
    if at.high <= clopper_pearson(500, 1_000, level=0.975).high:
        return  # then unusual people decide
    said = of(membership(right, guesses, design=design), gate=policy(membership=limit))
    numbers = [int(x.replace(",", "")) for x in re.findall(r"\d[\d,]*\b(?! %)", said["effect"])]
    expected = [guesses, right, round(100 * at.value), 100, 50, round(100 * at.low), round(100 * at.high)]
    assert numbers == expected
    assert f"{100 * share_of(limit):.0f} of 100" in said["limit"]
    assert ("pairs" in said["effect"]) == (design == "pairs")


def test_numbers_of_an_excess_are_those_of_the_score():
    parts = {"members": 0.61, "non-members": 0.58, "p": 0.2}
    found = Evaluation(run={}, scores=(score("attribute.icd.all_columns.excess", 0.03, -0.012, 0.07, **parts),))
    said = of(found, "attribute")
    assert "true of 61.0 of 100 people trained on and of 58.0 of 100 who were not" in said["effect"]
    assert "account for 3.0 of 100 (95 % confidence: −1.2 to 7.0)" in said["effect"]
    assert said["limit"].startswith("The limit is 9 of 100")
    assert said["grade"] == Grade.NONE


def test_an_excess_that_chance_hardly_gives_is_detectable_though_the_worst_interval_holds_nought():
    at = [
        score(f"attribute.s{k}.all_columns.excess", 0.01, -0.01, 0.03 - k / 1e3, p=p) for k, p in enumerate((0.5, 0.01))
    ]
    assert of(Evaluation(run={}, scores=tuple(at)), "attribute")["grade"] == Grade.BELOW
    many = [*at, *(score(f"attribute.m{k}.all_columns.excess", 0.0, -0.01, 0.01, p=0.5) for k in range(8))]
    assert of(Evaluation(run={}, scores=tuple(many)), "attribute")["grade"] == Grade.NONE


@given(high=st.floats(0.0101, 0.9), limit=st.floats(0.01, 1))
@settings(deadline=None, max_examples=60)
def test_what_outsiders_are_told_is_a_bound_that_is_not_rounded_to_the_good(high, limit):
    at = (score("attribute.icd.all_columns.excess", 0.01, 0.005, high, p=0.5),)
    gate = policy(attribute=limit)
    said = of(Evaluation(run={}, scores=at), "attribute", gate)
    told = float(re.search(r"At (?:most|least) ([\d.]+) of 100", said["bounds"])[1])
    above = said["grade"] == Grade.ABOVE
    assert (told <= 0.5) if above else (100 * high - 1e-3 <= told <= 100 * high + 0.101)


def test_what_would_settle_an_open_verdict_does_settle_it():
    """So many people more and the same share, and the interval ends at the limit."""
    said = of(membership(360, 500, p=0.001, units=5_000))
    needed = int(re.search(r"about ([\d,]+) people instead of 5,000", said["advice"])[1].replace(",", ""))
    guesses = needed // 10
    ends = [clopper_pearson(round(0.72 * n), n, level=0.975).high for n in (guesses // 2, 2 * guesses)]
    assert ends[0] > share_of(1.0) > ends[1]


def test_every_grade_says_what_to_do():
    cases = {Grade.NONE: (250, {}), Grade.BELOW: (270, {"p": 0.01}), Grade.ABOVE: (450, {"lost": 1.7})}
    for graded, (right, more) in cases.items():
        said = of(membership(right, 500, **more))
        assert verdict_sentences(said).startswith(graded.capitalize())
        assert "budget" in said["advice"]
        assert said["advice"].endswith(".")
    assert "Do not release" in said["advice"]


def test_what_was_not_measured_is_not_assessed_and_weighs_more_than_what_is_open():
    failed = Evaluation(run={}, scores=(), failures=(Failure(metric="membership", reason="too few people"),))
    found = attack_verdicts(failed)
    assert {each["grade"] for each in found} == {"not assessed"}
    assert "too few people" in of(failed)["effect"]
    assert worst_verdict([of(membership(360, 500, p=0.001)), of(failed)])["grade"] == "not assessed"
    assert worst_verdict([of(membership(450, 500, lost=2.0)), of(failed)])["grade"] == Grade.ABOVE


def test_an_evaluation_from_before_the_surest_guesses_were_counted_proves_or_stays_open():
    old = membership(250, 500)
    scores = tuple(s for s in old.scores if not s.metric.endswith(".surest"))
    assert of(Evaluation(run={}, scores=scores, panels=old.panels))["grade"] == Grade.OPEN
    proven = membership(450, 500, lost=1.7)
    scores = tuple(s for s in proven.scores if not s.metric.endswith(".surest"))
    said = of(Evaluation(run={}, scores=scores, panels=proven.panels))
    assert said["grade"] == Grade.ABOVE
    assert "epsilon of 1.7 was lost" in said["effect"]
