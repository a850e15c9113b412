"""Limits on linked tables: by table where figures are, broken keys at nought alone, nothing unmeasured passes."""

from __future__ import annotations

import copy
import datetime as dt
import json

import pytest

from synthkit.errors import ConfigError
from synthkit.metrics.result import Evaluation, Failure, Score
from synthkit.release.policy.gate_decision import judge, rederive
from synthkit.release.policy.gate_evidence import GateEvidence
from synthkit.release.policy.limits import Policy

WHO = {"id": "ours-v1", "owner": "A. Custodian", "justification": "a partner under contract"}
ASKED = {
    "membership": None,
    "copying": {"people_max": None},
    "utility": {"margin": 0.05},
    "fidelity": {"tv2_shortfall_max": 0.05, "constraint_violations_max": 0.01},
    "evidence": {"min_control_units": 1},
}
TABLES = {"patients": 3, "visits": 5}


def policy(**parts):
    return Policy.parse({"format": "synthkit-policy/1", "policy": WHO, **ASKED, **parts})


def score(metric, value, low=None, high=None, reference=None, **parts):
    ends = {"low": value if low is None else low, "high": value if high is None else high}
    return Score(metric=metric, value=value, **ends, goal="low", reference=reference, parts=parts)


def evidence(*, broken=0.0, failed=(), absent=(), tables=TABLES, gap=0.03):
    scores = [
        score("fidelity.integrity", broken, **{"visits: key": 4.0 if broken else 0.0, "visits: owner link": 0.0}),
        score("fidelity.patients.tv2", 0.95, 0.94, 0.96, 0.96),
        score("fidelity.visits.tv2", 0.90, 0.88, 0.93, 0.97),
        score("utility.died.gap", 0.01, -0.01, gap),
    ]
    run = {"date": "2026-05-01", "quick": False, "tables": tables, "rows": {"synthetic": [{"patients": 9}] * 3}}
    checks = [{"name": "enough people", "holds": True, "measured": 400, "limit": 100}]
    return GateEvidence(
        evaluation=Evaluation(
            run={key: value for key, value in run.items() if value is not None},
            scores=tuple(each for each in scores if each.metric not in (*absent, *failed)),
            failures=tuple(Failure(metric=name, reason="too few") for name in failed),
            panels={"membership": {"checks": checks}},
        ),
        today=dt.date(2026, 6, 1),
    )


def lines(found, **parts):
    return {line.clause: line for line in judge(policy(**parts), found).lines}


def test_pairs_of_columns_are_held_against_the_limit_in_the_table_that_lacks_most():
    line = lines(evidence())["fidelity.tv2_shortfall_max"]
    assert (line.about, line.measured, line.high) == ("fidelity.visits.tv2", 0.07, 0.09)
    assert line.verdict == "INCONCLUSIVE"  # from 0.04 to 0.09
    assert (
        lines(evidence(absent=["fidelity.visits.tv2"]))["fidelity.tv2_shortfall_max"].about == "fidelity.patients.tv2"
    )


def test_a_table_that_could_not_be_measured_is_not_assessed():
    line = lines(evidence(failed=["fidelity.visits"]))["fidelity.tv2_shortfall_max"]
    assert line.verdict == "NOT ASSESSED"
    assert "fidelity.visits: too few" in line.lacking
    assert lines(evidence(failed=["fidelity.lag_one"]))["fidelity.tv2_shortfall_max"].verdict == "INCONCLUSIVE"


def test_broken_keys_pass_at_nought_alone_whatever_else_is_allowed():
    """A share within `constraint_violations_max` is too much here."""
    kept, broken = lines(evidence()), lines(evidence(broken=0.005))
    assert kept["fidelity.broken_units_max"].verdict == "PASS"
    assert broken["fidelity.broken_units_max"].verdict == "FAIL"
    assert broken["fidelity.broken_units_max"].about == "fidelity.integrity, visits: key"
    assert broken["fidelity.constraint_violations_max"].verdict == "PASS"
    assert lines(evidence(broken=0.02))["fidelity.constraint_violations_max"].verdict == "FAIL"
    for more in ({"absent": ["fidelity.integrity"]}, {"failed": ["fidelity.integrity"]}):
        line = lines(evidence(**more))["fidelity.broken_units_max"]
        assert (line.verdict, "not measured" in line.lacking) == ("NOT ASSESSED", True)


@pytest.mark.parametrize("most", [0.01, 1, None])
def test_no_policy_allows_broken_keys(most):
    with pytest.raises(ConfigError, match=r"fidelity.broken_units_max: must be 0"):
        policy(fidelity={"broken_units_max": most})


def test_one_table_is_not_asked_for_its_keys():
    found = judge(policy(), evidence(tables=None))
    assert "fidelity.broken_units_max" not in {line.clause for line in found.lines}
    assert rederive(json.loads(found.to_json()), policy()) == []
    assert rederive(json.loads(found.to_json()), policy(), linked=True) == [
        "fidelity.broken_units_max is asked by the policy and has no line"
    ]


def test_what_is_not_measured_of_linked_tables_never_passes():
    asked = {
        "membership": {"eps_lb_max": 1.0, "tpr_at_fpr": {"fpr": 0.01, "max_upper": 0.03}},
        "attribute": {"excess_max_upper": 0.05},
        "identity": {"excess_max_upper": 0.02, "singling_p_min": 0.01},
        "copying": {"people_max": 0.001},
        "utility": {"calibration_slope": [0.8, 1.25], "subgroup_margin": 0.1},
    }
    found = lines(evidence(), **asked)
    for clause in (f"{part}.{key}" for part, keys in asked.items() for key in keys):
        assert found[clause].verdict == "NOT ASSESSED", clause
    assert judge(policy(**asked), evidence()).verdict == "NOT ASSESSED"


def test_a_whole_gate_of_linked_tables_passes_and_is_derived_again():
    made = judge(policy(fidelity={"tv2_shortfall_max": 0.1}), evidence())
    assert made.verdict == "PASS"
    data = json.loads(made.to_json())
    again = policy(fidelity={"tv2_shortfall_max": 0.1})
    assert rederive(data, again, linked=True) == []
    assert rederive(data, again) == ["fidelity.broken_units_max has a line and is not asked by the policy"]
    lied = copy.deepcopy(data)
    next(line for line in lied["lines"] if line["clause"] == "fidelity.broken_units_max")["measured"] = 0.5
    assert any("fidelity.broken_units_max" in fault for fault in rederive(lied, again, linked=True))


def test_utility_of_targets_on_histories_is_asked_for_as_that_of_rows():
    assert lines(evidence())["utility.margin"].verdict == "PASS"
    assert lines(evidence(gap=0.06))["utility.margin"].verdict == "INCONCLUSIVE"
    assert lines(evidence())["evidence.draws"].measured == 3
