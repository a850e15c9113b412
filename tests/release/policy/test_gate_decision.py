"""Verdicts against those worked out by hand, every way of missing evidence, verdicts derived again from the JSON."""

from __future__ import annotations

import copy
import datetime as dt
import json
import math

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st
from places import ROOT

from synthkit.metrics.result import Evaluation, Failure, Score
from synthkit.release.policy.gate_decision import VERDICT_ORDER, decide, judge, overall, rederive
from synthkit.release.policy.gate_evidence import FoundFigure, GateEvidence
from synthkit.release.policy.limits import Policy

SCHEMAS = ROOT / "schemas"
TODAY = dt.date(2026, 6, 1)
WHO = {"id": "ours-v1", "owner": "A. Custodian", "justification": "a partner under contract"}
CHECKS = ("enough people", "no twins across the coin", "copies would be found", "the split looks random")
EPSILON, CHARGES = 1.0, [{"what": "training"}]
GOOD = {  # metric: value, low, high, reference, parts
    "membership.epsilon_lower_bound": (0.1, 0.1, math.inf, 0.0, {}),
    "membership.isolated.epsilon_lower_bound": (0.2, 0.2, math.inf, 0.0, {}),
    "membership.surest": (0.5, 0.42, 0.58, 0.5, {"guesses": 200, "right": 100}),
    "membership.isolated.surest": (0.52, 0.42, 0.61, 0.5, {"guesses": 100, "right": 52}),
    "membership.tpr_at_fpr_0.01": (0.01, 0.005, 0.019, 0.01, {}),
    "membership.generalisation_gap_tv2": (0.002, -0.001, 0.005, 0.0, {}),
    "membership.generalisation_gap_tv3": (0.004, 0.001, 0.009, 0.0, {}),
    "attribute.icd.quasi_identifiers.excess": (0.0, -0.01, 0.02, 0.0, {}),
    "attribute.icd.all_columns.worst_level.excess": (0.01, -0.01, 0.04, 0.0, {}),
    "identity.replicated_uniques": (0.0, -0.003, 0.004, 0.0, {}),
    "identity.unique_exact_matches": (0.0, 0.0, 0.001, 0.0, {}),
    "identity.linkability.k1": (0.0, -0.002, 0.003, 0.0, {}),
    "identity.singling_out": (0.5, 0.4, 0.6, 0.5, {"p": 0.5}),
    "identity.singling_out.clearest": (0.5, 0.3, 0.7, 0.5, {"p": 0.2}),
    "identity.meaningful": (0.01, 0.008, 0.012, 0.01, {}),
    "copying.excess.whole_rows": (0.0, 0.0, 0.003, 0.0, {}),
    "copying.excess.levels": (0.002, 0.0, 0.02, 0.0, {}),
    "utility.died.gap": (0.01, -0.01, 0.03, 0.0, {}),
    "utility.cost.gap": (0.0, -0.02, 0.02, 0.0, {}),
    "utility.died.calibration_slope": (1.0, 0.9, 1.1, 1.0, {}),
    "utility.died.worst_group_gap": (0.02, 0.0, 0.05, 0.0, {}),
    "fidelity.tv2": (0.95, 0.94, 0.96, 0.96, {}),
    "fidelity.rule_violations": (0.0, 0.0, 0.001, 0.0, {}),
}
STRICT = {
    "membership": {
        "eps_lb_max": 0.5,
        "tpr_at_fpr": {"fpr": 0.01, "max_upper": 0.03},
        "generalisation_gap_max": 0.01,
    },
    "attribute": {"excess_max_upper": 0.05},
    "identity": {"excess_max_upper": 0.01, "singling_p_min": 0.01, "meaningful_identity_max": 0.09},
    "dp": {"required": True, "epsilon_max": 3.0, "end_to_end": True},
    "utility": {"margin": 0.05, "calibration_slope": [0.8, 1.25], "subgroup_margin": 0.1},
    "fidelity": {"tv2_shortfall_max": 0.05, "constraint_violations_max": 0.0},
    "evidence": {"min_control_units": 500, "draws": 2, "whole": True, "review_within_days": 365},
}


def policy(**parts):
    """The strict policy with parts replaced; a part of None is left out."""
    chosen = {name: part for name, part in {**STRICT, **parts}.items() if part is not None}
    return Policy.parse({"format": "synthkit-policy/1", "policy": WHO, "membership": None, **chosen})


def evidence(
    scores=None,
    *,
    absent=(),
    failed=(),
    reason="too few people",
    run=None,
    controls=800,
    unsound=(),
    ledger=True,
    statement=True,
    p=0.4,
    **panels,
):
    """Good evidence, with scores replaced, left out or failed."""
    measured = {name: each for name, each in {**GOOD, **(scores or {})}.items() if name not in {*absent, *failed}}
    checks = [{"name": name, "holds": name not in unsound, "measured": controls, "limit": 100} for name in CHECKS]
    facts = {"date": "2026-05-01T10:00:00", "quick": False, "rows": {"synthetic": [10, 10, 10]}, **(run or {})}
    known = {
        "membership": {"checks": checks, "p": {"all, all attacks": p}},
        "identity": {"meaningful": "not assessed: no counts"},
        **panels,
    }
    evaluation = Evaluation(
        run=facts,
        scores=tuple(
            Score(metric=m, value=v, low=lo, high=hi, goal="low", reference=r, parts=parts)
            for m, (v, lo, hi, r, parts) in measured.items()
        ),
        failures=tuple(Failure(metric=m, reason=reason) for m in failed),
        panels={name: panel for name, panel in known.items() if panel is not None},
    )
    spent = {"epsilon": EPSILON, "charges": CHARGES} if ledger is True else ledger
    return GateEvidence(
        evaluation=evaluation,
        ledger=spent or None,
        statement={"end_to_end_dp": True} if statement is True else statement or None,
        today=TODAY,
    )


def verdicts(gate):
    return {line.clause: line.verdict for line in gate.lines}


def test_what_could_not_be_measured_is_said_without_numbers_of_real_people():
    """A gate leaves with its release; what came, which stands behind `however`, is INTERNAL."""
    absent = tuple(name for name in GOOD if name.startswith(("membership", "attribute", "utility")))
    reason = "risks need 20 people; however: there are 1313 who were trained on. Bring more people"
    gate = judge(policy(), evidence(failed=absent, reason=reason, membership=None))
    said = [line.why for line in gate.lines if "risks need 20 people" in line.why]
    assert said
    assert "1313" not in "".join(line.why + line.lacking for line in gate.lines)


def test_good_evidence_passes_every_line():
    gate = judge(policy(), evidence())
    assert set(verdicts(gate).values()) == {"PASS"}
    assert gate.verdict == "PASS"
    assert len(gate.lines) == 20
    assert gate.valid_until == "2027-05-01"
    assert all(line.why for line in gate.lines)


def over(metric, value, low, high, parts=None):
    return {"scores": {metric: (value, low, high, GOOD[metric][3], parts or {})}}


GAP_CLAUSE = "membership.generalisation_gap_max"
GAPS = [f"membership.generalisation_gap_tv{k}" for k in (2, 3)]
CASES = [  # clause, what is different in the evidence, the line's verdict, the whole's
    ("membership.eps_lb_max", over("membership.epsilon_lower_bound", 0.6, 0.6, math.inf), "FAIL", "FAIL"),
    ("membership.eps_lb_max", over("membership.isolated.epsilon_lower_bound", 0.51, 0.51, math.inf), "FAIL", "FAIL"),
    ("membership.eps_lb_max", over("membership.surest", 0.55, 0.4, 0.63), "INCONCLUSIVE", "INCONCLUSIVE"),
    ("membership.eps_lb_max", over("membership.surest", 0.55, 0.4, 0.62), "PASS", "PASS"),
    ("membership.eps_lb_max", {"absent": ["membership.isolated.surest"]}, "INCONCLUSIVE", "INCONCLUSIVE"),
    ("membership.eps_lb_max", {"unsound": ["copies would be found"]}, "INCONCLUSIVE", "INCONCLUSIVE"),
    ("membership.eps_lb_max", {"absent": ["membership.epsilon_lower_bound"]}, "NOT ASSESSED", "NOT ASSESSED"),
    ("membership.eps_lb_max", {"membership": None}, "NOT ASSESSED", "NOT ASSESSED"),
    ("membership.eps_lb_max", {"failed": ["membership.isolated.epsilon_lower_bound"]}, "NOT ASSESSED", "NOT ASSESSED"),
    ("membership.tpr_at_fpr", over("membership.tpr_at_fpr_0.01", 0.02, 0.01, 0.04), "INCONCLUSIVE", "INCONCLUSIVE"),
    ("membership.tpr_at_fpr", over("membership.tpr_at_fpr_0.01", 0.09, 0.04, 0.2), "FAIL", "FAIL"),
    ("membership.tpr_at_fpr", {"failed": ["membership.tpr_at_fpr_0.01"]}, "NOT ASSESSED", "NOT ASSESSED"),
    (GAP_CLAUSE, over("membership.generalisation_gap_tv3", 0.02, 0.011, 0.03), "FAIL", "FAIL"),
    (GAP_CLAUSE, over("membership.generalisation_gap_tv2", 0.008, 0.001, 0.012), "INCONCLUSIVE", "INCONCLUSIVE"),
    (GAP_CLAUSE, {"unsound": ["the split looks random"]}, "INCONCLUSIVE", "INCONCLUSIVE"),
    (GAP_CLAUSE, {"failed": ["membership.generalisation_gap_tv2"]}, "NOT ASSESSED", "NOT ASSESSED"),
    (GAP_CLAUSE, {"absent": GAPS}, "NOT ASSESSED", "NOT ASSESSED"),
    ("attribute.excess_max_upper", over("attribute.icd.quasi_identifiers.excess", 0.1, 0.06, 0.2), "FAIL", "FAIL"),
    (
        "attribute.excess_max_upper",
        over("attribute.icd.all_columns.worst_level.excess", 0.1, -0.1, 0.3),
        "INCONCLUSIVE",
        "INCONCLUSIVE",
    ),
    (
        "attribute.excess_max_upper",
        {"absent": [m for m in GOOD if m.startswith("attribute")]},
        "NOT ASSESSED",
        "NOT ASSESSED",
    ),
    (
        "attribute.excess_max_upper",
        {"failed": ["attribute.icd.quasi_identifiers.excess"]},
        "NOT ASSESSED",
        "NOT ASSESSED",
    ),
    ("identity.excess_max_upper", over("identity.linkability.k1", 0.03, 0.02, 0.04), "FAIL", "FAIL"),
    ("identity.excess_max_upper", over("identity.replicated_uniques", 0.0, -0.1, 0.1), "INCONCLUSIVE", "INCONCLUSIVE"),
    ("identity.excess_max_upper", {"absent": ["identity.replicated_uniques"]}, "NOT ASSESSED", "NOT ASSESSED"),
    ("identity.singling_p_min", over("identity.singling_out.clearest", 0.9, 0.7, 1.0, {"p": 0.001}), "FAIL", "FAIL"),
    ("identity.singling_p_min", {"absent": ["identity.singling_out"]}, "NOT ASSESSED", "NOT ASSESSED"),
    ("identity.meaningful_identity_max", {"absent": ["identity.meaningful"]}, "NOT ASSESSED", "NOT ASSESSED"),
    ("identity.meaningful_identity_max", over("identity.meaningful", 0.2, 0.1, 0.3), "FAIL", "FAIL"),
    ("copying.people_max", over("copying.excess.levels", 0.01, 0.0011, 0.02), "FAIL", "FAIL"),
    ("copying.people_max", over("copying.excess.levels", 0.01, 0.001, 0.02), "PASS", "PASS"),
    ("copying.people_max", {"failed": ["copying.excess.levels"]}, "NOT ASSESSED", "NOT ASSESSED"),
    (
        "copying.people_max",
        {"absent": ["copying.excess.levels", "copying.excess.whole_rows"]},
        "NOT ASSESSED",
        "NOT ASSESSED",
    ),
    ("dp.required", {"ledger": {"epsilon": None, "charges": CHARGES}}, "FAIL", "FAIL"),
    ("dp.required", {"statement": None}, "NOT ASSESSED", "NOT ASSESSED"),
    ("dp.required", {"ledger": {"epsilon": 1.0, "charges": []}}, "FAIL", "FAIL"),
    ("dp.epsilon_max", {"ledger": {"epsilon": 3.5, "charges": CHARGES}}, "FAIL", "FAIL"),
    ("dp.epsilon_max", {"ledger": {"epsilon": None, "charges": CHARGES}}, "FAIL", "FAIL"),
    ("dp.epsilon_max", {"ledger": None}, "NOT ASSESSED", "NOT ASSESSED"),
    ("dp.end_to_end", {"statement": {"end_to_end_dp": False}}, "FAIL", "FAIL"),
    ("utility.margin", over("utility.cost.gap", 0.03, -0.01, 0.08), "INCONCLUSIVE", "INCONCLUSIVE"),
    ("utility.margin", over("utility.cost.gap", 0.2, 0.1, 0.3), "FAIL", "FAIL"),
    ("utility.margin", {"failed": ["utility.cost.gap"]}, "NOT ASSESSED", "NOT ASSESSED"),
    ("utility.margin", over("utility.cost.gap", -0.269, -0.3, -0.2), "INCONCLUSIVE", "INCONCLUSIVE"),
    (
        "utility.subgroup_margin",
        over("utility.died.gap", -0.1, -0.2, -0.05),
        "INCONCLUSIVE",
        "INCONCLUSIVE",
    ),
    (
        "utility.calibration_slope",
        over("utility.died.calibration_slope", 0.85, 0.7, 1.0),
        "INCONCLUSIVE",
        "INCONCLUSIVE",
    ),
    ("utility.calibration_slope", over("utility.died.calibration_slope", 0.5, 0.4, 0.6), "FAIL", "FAIL"),
    ("utility.calibration_slope", {"absent": ["utility.died.calibration_slope"]}, "NOT ASSESSED", "NOT ASSESSED"),
    ("utility.subgroup_margin", over("utility.died.worst_group_gap", 0.3, 0.2, 0.4), "FAIL", "FAIL"),
    ("fidelity.tv2_shortfall_max", over("fidelity.tv2", 0.8, 0.79, 0.81), "FAIL", "FAIL"),
    ("fidelity.constraint_violations_max", over("fidelity.rule_violations", 0.001, 0.0, 0.002), "FAIL", "FAIL"),
    ("fidelity.constraint_violations_max", {"absent": ["fidelity.rule_violations"]}, "NOT ASSESSED", "NOT ASSESSED"),
    ("evidence.min_control_units", {"controls": 499}, "NOT ASSESSED", "NOT ASSESSED"),
    ("evidence.draws", {"run": {"rows": {"synthetic": [10]}}}, "NOT ASSESSED", "NOT ASSESSED"),
    ("evidence.whole", {"run": {"quick": True}}, "NOT ASSESSED", "NOT ASSESSED"),
    ("evidence.review_within_days", {"run": {"date": "2025-05-01"}}, "NOT ASSESSED", "NOT ASSESSED"),
    ("evidence.review_within_days", {"run": {"date": None}}, "NOT ASSESSED", "NOT ASSESSED"),
    ("evidence.review_within_days", {"run": {"date": "2026-06-02"}}, "NOT ASSESSED", "NOT ASSESSED"),
    ("evidence.review_within_days", {"run": {"date": "last May"}}, "NOT ASSESSED", "NOT ASSESSED"),
]


@pytest.mark.parametrize(("clause", "changed", "line", "whole"), CASES)
def test_verdicts_by_hand(clause, changed, line, whole):
    gate = judge(policy(), evidence(**changed))
    assert verdicts(gate)[clause] == line
    assert gate.verdict == whole
    if line == "NOT ASSESSED":
        (why,) = (each.why for each in gate.lines if each.clause == clause)
        assert why.startswith("Not assessed: ") or clause.startswith("evidence.")


def test_figures_are_rounded_against_the_release_before_they_are_judged():
    """So that what is shown of them is what was decided on."""
    just = over("attribute.icd.all_columns.worst_level.excess", 0.0123456, -0.0123456, 0.049999)
    line = next(x for x in judge(policy(), evidence(**just)).lines if x.clause == "attribute.excess_max_upper")
    assert (line.measured, line.low, line.high, line.verdict) == (0.0123, -0.0124, 0.05, "INCONCLUSIVE")


@given(st.floats(-10, 10), st.floats(0, 1), st.floats(0, 1))
def test_rounding_is_outward_once_and_for_all(value, down, up):
    told = FoundFigure(value, value - down, value + up).rounded_outward()
    assert told.low - 1e-10 <= value - down  # but for the last bits of a float
    assert value + up <= told.high + 1e-10
    assert told.low <= told.measured <= told.high
    assert max(value - down - told.low, told.high - value - up) < 1.01e-4
    assert told.rounded_outward() == told


def test_more_controls_than_asked_are_not_counted():
    """A gate is shown to outsiders, and how many people were held out is none of their business."""
    line = next(x for x in judge(policy(), evidence(controls=812)).lines if x.clause == "evidence.min_control_units")
    assert (line.measured, line.verdict) == (500, "PASS")


def test_every_gate_keeps_the_published_schema():
    published = json.loads((SCHEMAS / "synthkit-gate-1.json").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(published)
    for _, changed, *_ in CASES:
        jsonschema.validate(json.loads(judge(policy(), evidence(**changed)).to_json()), published)


def test_what_is_not_asked_is_not_judged():
    alone = policy(**dict.fromkeys(STRICT), copying={"people_max": None})
    gate = judge(alone, evidence(absent=list(GOOD)))
    assert {line.clause for line in gate.lines} == {
        "evidence.min_control_units",
        "evidence.draws",
        "evidence.whole",
        "evidence.review_within_days",
    }
    assert gate.verdict == "PASS"


def test_copies_are_asked_about_without_being_mentioned_and_never_speak_for_a_release():
    """A policy that says nothing of copies limits them; what passes says that nothing was found, whatever was asked."""
    line = next(x for x in judge(policy(), evidence()).lines if x.clause == "copying.people_max")
    assert (line.limit, line.verdict) == (0.001, "PASS")
    assert line.why.startswith("Nothing found")
    assert line.why.endswith("That is no evidence of privacy.")
    for worse in ({"failed": ["identity.linkability.k1"]}, {"membership": None}):
        assert judge(policy(), evidence(**worse)).verdict == "NOT ASSESSED"


def test_the_worst_of_a_family_is_named():
    line = next(x for x in judge(policy(), evidence()).lines if x.clause == "attribute.excess_max_upper")
    assert line.about == "attribute.icd.all_columns.worst_level.excess"
    assert line.bound == 0.04
    assert "0.04 (attribute.icd.all_columns.worst_level.excess) is below 0.05" in line.why


@given(st.lists(st.sampled_from(VERDICT_ORDER)))
def test_one_line_that_does_not_pass_is_enough(found):
    whole = overall(found)
    assert (whole == "PASS") == (bool(found) and set(found) == {"PASS"})
    assert ("FAIL" in found) == (whole == "FAIL")


@given(
    st.sampled_from(["upper", "proof", "alarm", "most"]),
    st.floats(-1, 1),
    st.floats(0, 0.5),
    st.floats(0, 0.5),
    st.floats(0, 1),
    st.booleans(),
)
def test_worse_figures_never_give_a_better_verdict(sense, value, down, up, worse, doubt):
    rank = {"FAIL": 0, "INCONCLUSIVE": 1, "PASS": 2}
    at, then = (
        decide("x.y", sense, FoundFigure(v, v - down, v + up, doubt="so" if doubt else ""), 0.25)
        for v in (value, value + worse)
    )
    assert rank[then] <= rank[at]


def test_a_figure_that_is_not_a_number_was_not_assessed():
    assert decide("x.y", "upper", FoundFigure(math.nan, 0, 1), 1) == "NOT ASSESSED"
    scores = {"fidelity.rule_violations": (0.0, 0.0, 0.0, 0.0, {})}
    nan = (math.nan, -math.inf, math.inf, 0.0, {})
    with pytest.raises(ValueError, match="must contain the value"):
        evidence({**scores, "identity.meaningful": nan})


def test_a_gate_follows_from_its_own_figures():
    for changed in ({}, *(case[1] for case in CASES)):
        asked = policy()
        assert rederive(json.loads(judge(asked, evidence(**changed)).to_json()), asked) == []


@pytest.mark.parametrize(
    ("place", "value", "fault"),
    [
        (("verdict",), "PASS", "the verdict on the whole"),
        (("lines", 3, "verdict"), "PASS", "verdict does not follow from its figures"),
        (("lines", 3, "limit"), 5.0, "the limit is not the policy's"),
        (("lines", 3, "measured"), 0.01, "its figures cannot be those of one measurement"),
        (("lines", 3, "why"), "All is well.", "what the line says"),
        (("lines", 3, "bound"), 0.01, "what the line says"),
        (("lines", 3, "sense"), "most", "the limit is not the policy's"),
        (("policy", "owner"), "Somebody", "the policy in the gate"),
        (("format",), "other/1", "must have the format"),
        (("valid_until",), "2030-01-01", "the last day on which it is valid"),
        (("evaluated",), "2026-05-20", "does not follow from the"),
        (("decided",), "2026-05-02", "evidence.review_within_days does not follow"),
        (("lines", 5, "measured"), 0.9, "its figures cannot be those of one measurement"),
        (("lines", 0, "low"), 0.0, "its figures cannot be those of one measurement"),
        (("lines", 0, "doubt"), "so it seems", "its figures cannot be those of one measurement"),
    ],
)
def test_what_was_altered_is_named(place, value, fault):
    asked = policy()
    changed = over("membership.epsilon_lower_bound", 0.6, 0.6, math.inf)
    data = json.loads(judge(asked, evidence(**changed)).to_json())
    at = data
    for key in place[:-1]:
        at = at[key]
    at[place[-1]] = value
    assert any(fault in each for each in rederive(data, asked))


def test_a_line_too_many_or_too_few_is_named():
    asked = policy()
    data = json.loads(judge(asked, evidence()).to_json())
    few = copy.deepcopy(data)
    del few["lines"][0]
    assert rederive(few, asked) == ["dp.required is asked by the policy and has no line"]
    twice = copy.deepcopy(data)
    twice["lines"].append(twice["lines"][0])
    assert "a clause has two lines" in rederive(twice, asked)
    assert rederive(data, policy(fidelity=None))[0].endswith("is not asked by the policy")


def test_what_was_measured_on_a_sibling_counts_only_if_the_policy_says_so():
    """Every figure that was measured, and no other; once allowed by name all verdicts are as before."""
    plain = verdicts(judge(policy(), evidence()))
    sibling = evidence(run={"audited": "sibling"})
    found = verdicts(judge(policy(), sibling))
    rest = ("dp.", "evidence.draws", "evidence.whole", "evidence.review_within_days")
    assert {path for path, verdict in found.items() if verdict != plain[path]} <= {
        path for path in plain if not path.startswith(rest)
    }
    assert {verdict for path, verdict in found.items() if not path.startswith(rest)} == {"NOT ASSESSED"}
    assert judge(policy(), sibling).verdict == "NOT ASSESSED"
    allowed = policy(evidence={**STRICT["evidence"], "sibling_audit": True})
    assert verdicts(judge(allowed, sibling)) == plain
    line = judge(policy(), sibling).lines[3]
    assert "a sibling of it" in line.why
    assert rederive(json.loads(judge(policy(), sibling).to_json()), policy()) == []
